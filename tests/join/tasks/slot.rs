//! T35: a slot with the latest of several tasks that replace each other.

use std::cell::Cell;
use std::sync::mpsc;

use meanwhile_join::{
    self as join, AnyTask, Builder, Changes, OwnedTask, Pool, Promise, Slot, SlotError, SlotState,
};

use crate::util::child::stderr_of_child;
use crate::util::gate::{Gate, OpenOnDrop, TIMEOUT};

/// A window without a screen: it sleeps until its changes wake it.
pub(super) struct Window {
    changes: Changes,
    woken: mpsc::Receiver<()>,
}

impl Window {
    pub(super) fn new() -> Self {
        let (wake, woken) = mpsc::channel();
        Self {
            changes: Changes::new(move || wake.send(()).unwrap_or_default()),
            woken,
        }
    }

    pub(super) fn builder(&self) -> Builder {
        Builder::new("load").report_to(&self.changes)
    }

    #[track_caller]
    pub(super) fn wait_for_wake(&self) {
        self.woken.recv_timeout(TIMEOUT).unwrap();
        self.changes.take(usize::MAX);
    }

    /// Paints frames until the slot loads no more, each after a wake.
    #[track_caller]
    pub(super) fn run_until_loaded<T>(&self, slot: &mut Slot<T>) {
        while matches!(slot.poll(), SlotState::Loading { .. }) {
            self.wait_for_wake();
        }
    }
}

#[track_caller]
pub(super) fn ready<T: Copy>(slot: &mut Slot<T>) -> T {
    let state = slot.poll();
    let SlotState::Ready(value) = state else {
        panic!("not ready")
    };
    *value
}

#[test]
fn t35_slot_goes_from_empty_to_loading_to_ready() {
    let window = Window::new();
    let gate = Gate::new();
    let mut slot = Slot::new();
    assert!(matches!(slot.poll(), SlotState::Empty));
    let open = gate.clone();
    let load = move |_: &join::Context| {
        open.pass();
        Cell::new(7) // not `Sync`
    };
    slot.start(window.builder(), load).unwrap();
    assert!(matches!(slot.poll(), SlotState::Loading { previous: None }));
    gate.open();
    window.run_until_loaded(&mut slot);
    assert!(matches!(slot.poll(), SlotState::Ready(value) if value.get() == 7));
}

#[test]
fn t35_value_stays_visible_while_the_next_loads() {
    let window = Window::new();
    let gate = OpenOnDrop(Gate::new());
    let mut slot = Slot::new();
    slot.replace(OwnedTask::ready(1));
    assert_eq!(ready(&mut slot), 1);
    let shut = gate.0.clone();
    slot.start(window.builder(), move |_| {
        shut.pass();
        2
    })
    .unwrap();
    let state = slot.poll();
    assert!(matches!(state, SlotState::Loading { previous: Some(1) }));
    assert_eq!(state.latest(), Some(&1));
    gate.0.open();
    window.run_until_loaded(&mut slot);
    assert_eq!(ready(&mut slot), 2);
}

/// Starts a task that ignores its cancel, waits until it has begun, and returns a handle to it.
fn start_deaf<T: Send + 'static>(slot: &mut Slot<T>, gate: &Gate, end: fn() -> T) -> AnyTask {
    let (begun, shut) = (Gate::new(), gate.clone());
    let begin = begun.clone();
    slot.start(Builder::new("deaf"), move |_| {
        begin.open();
        shut.pass();
        end()
    })
    .unwrap();
    begun.pass();
    join::find(slot.task_id().unwrap()).unwrap()
}

#[test]
fn t35_late_end_of_a_replaced_task_changes_nothing() {
    let window = Window::new();
    let gate = Gate::new();
    let mut slot = Slot::new();
    let old = start_deaf(&mut slot, &gate, || 1);
    slot.start(window.builder(), |_| 2).unwrap();
    window.run_until_loaded(&mut slot);
    assert_eq!(ready(&mut slot), 2);
    gate.open();
    old.join().unwrap();
    assert_eq!(ready(&mut slot), 2);
}

#[test]
fn t35_replaced_cleared_or_dropped_task_is_cancelled() {
    let window = Window::new();
    let mut slot = Slot::new();
    let mut loads = (0..3).map(|_| {
        let (end, is_over) = mpsc::channel::<()>();
        let load = move |context: &join::Context| {
            context.sleep_until(None).unwrap_err();
            drop(end);
        };
        (load, is_over)
    });
    let mut start = |slot: &mut Slot<()>| {
        let (load, is_over) = loads.next().unwrap();
        slot.start(window.builder(), load).unwrap();
        is_over
    };
    let replaced = start(&mut slot);
    let cleared = start(&mut slot);
    replaced.recv_timeout(TIMEOUT).unwrap_err();
    slot.clear();
    assert!(matches!(slot.poll(), SlotState::Empty));
    cleared.recv_timeout(TIMEOUT).unwrap_err();
    let dropped = start(&mut slot);
    drop(slot);
    assert_eq!(
        dropped.recv_timeout(TIMEOUT),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
}

#[test]
fn t35_panic_and_cancel_fail_and_keep_the_value() {
    let window = Window::new();
    let mut slot = Slot::new();
    slot.replace(OwnedTask::ready(1));
    slot.start(window.builder(), |_| panic!("no connection"))
        .unwrap();
    window.run_until_loaded(&mut slot);
    let SlotState::Failed { error, previous } = slot.poll() else {
        panic!("not failed")
    };
    assert!(error.to_string().contains("no connection"), "{error}");
    assert_eq!(previous, Some(&1));
    let endless = |context: &join::Context| loop {
        context.checkpoint();
    };
    slot.start(window.builder(), endless).unwrap();
    slot.cancel();
    window.run_until_loaded(&mut slot);
    assert!(matches!(
        slot.poll(),
        SlotState::Failed {
            error: SlotError::Cancelled,
            previous: Some(1)
        }
    ));
    slot.start(window.builder(), |_| 2).unwrap();
    window.run_until_loaded(&mut slot);
    assert_eq!(ready(&mut slot), 2);
}

#[test]
fn t35_value_that_no_frame_saw_is_the_previous_one() {
    let mut slot = Slot::new();
    slot.replace(OwnedTask::ready(1));
    let (_promise, endless) = Promise::owned("endless");
    slot.replace(endless);
    assert!(matches!(
        slot.poll(),
        SlotState::Loading { previous: Some(1) }
    ));
    assert_eq!(slot.take(), Some(1));
    assert!(matches!(slot.poll(), SlotState::Loading { previous: None }));
}

#[test]
fn t35_panic_of_a_replaced_task_is_printed() {
    let stderr = stderr_of_child(
        "tasks::slot::t35_panic_of_a_replaced_task_is_printed",
        || {
            let gate = Gate::new();
            let mut slot = Slot::new();
            drop(start_deaf(&mut slot, &gate, || panic!("the disk is full")));
            slot.start(Builder::new("new"), |_| ()).unwrap();
            gate.open();
            assert!(join::shutdown_timeout(TIMEOUT).is_complete());
        },
    );
    let Some(stderr) = stderr else { return };
    assert_eq!(stderr.matches("the disk is full").count(), 1, "{stderr}");
}

#[test]
fn t35_refused_start_leaves_the_slot_as_it_is() {
    let window = Window::new();
    let gate = Gate::new();
    let mut slot = Slot::new();
    let shut = gate.clone();
    slot.start(window.builder(), move |_| {
        shut.pass();
        1
    })
    .unwrap();
    let before = slot.task_id();
    let refused = window.builder().stack_size(1 << 60);
    slot.start(refused, |_| 2).unwrap_err();
    assert_eq!(slot.task_id(), before);
    gate.open();
    window.run_until_loaded(&mut slot);
    assert_eq!(ready(&mut slot), 1);
}

#[test]
fn slot_on_a_pool_runs_its_tasks_there() {
    let pool = Pool::builder().name("slots").threads(1).build().unwrap();
    let window = Window::new();
    let mut slot = Slot::on(&pool);
    let name = |_: &join::Context| std::thread::current().name().map(str::to_owned);
    slot.start(window.builder(), name).unwrap();
    window.run_until_loaded(&mut slot);
    assert!(matches!(slot.poll(), SlotState::Ready(Some(name)) if name == "slots-1"));
}

#[test]
fn slot_shows_the_progress_of_its_task() {
    let window = Window::new();
    let gate = OpenOnDrop(Gate::new());
    let mut slot = Slot::new();
    assert_eq!(slot.progress(), None);
    let shut = gate.0.clone();
    slot.start(window.builder(), move |context| {
        context.set_progress(3, 4);
        shut.pass();
    })
    .unwrap();
    window.woken.recv_timeout(TIMEOUT).unwrap();
    assert_eq!(
        window.changes.take(usize::MAX),
        [slot.task_id().expect("it runs")]
    );
    assert_eq!(slot.progress().map(|progress| progress.done), Some(3));
}

/// The frame that the end of the first task causes is over before the one that follows it ends.
#[test]
fn t35_task_that_follows_wakes_the_window_too() {
    let window = Window::new();
    let (first, second) = (OpenOnDrop(Gate::new()), OpenOnDrop(Gate::new()));
    let [is_followed, may_end] = [&first, &second].map(|gate| gate.0.clone());
    let read = window.builder().spawn_owned(move |_| {
        is_followed.pass();
        "seven"
    });
    let mut slot = Slot::new();
    slot.replace(read.unwrap().map(move |text| {
        may_end.pass();
        text.len()
    }));
    first.0.open();
    window.wait_for_wake();
    assert!(matches!(slot.poll(), SlotState::Loading { .. }));
    second.0.open();
    window.run_until_loaded(&mut slot);
    assert_eq!(ready(&mut slot), 5);
}
