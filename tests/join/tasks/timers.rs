//! T36 and T37: calls and starts after a delay, and every so often.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use meanwhile_join::{
    self as join, Builder, CallbackGuard, CancelToken, Changes, Context, OwnedTask, Promise, Slot,
    SlotError, SlotState,
};

use super::slot::{Window, ready};
use crate::util::gate::{Gate, OpenOnDrop, TIMEOUT};

const SHORT: Duration = Duration::from_millis(5);
/// Longer than a test takes.
const LONG: Duration = Duration::from_secs(3_600);

/// Blocks until everything that was due by now has been called, and as long as this time.
fn pass_time(time: Duration) {
    let gate = Gate::new();
    let open = gate.clone();
    let _guard = join::after(time, move || open.open()).unwrap();
    gate.pass();
}

#[test]
fn t36_delayed_call_comes_once_and_not_early() {
    let calls = Arc::new(AtomicUsize::new(0));
    let (send, called) = mpsc::channel();
    let begin = Instant::now();
    let counted = calls.clone();
    let guard = join::after(SHORT * 4, move || {
        counted.fetch_add(1, Ordering::Relaxed);
        send.send(Instant::now()).unwrap();
    });
    let at = called.recv_timeout(TIMEOUT).unwrap();
    assert!(at - begin >= SHORT * 4);
    pass_time(SHORT);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    drop(guard);
}

#[test]
fn t36_calls_come_in_the_order_of_their_times() {
    let (send, called) = mpsc::channel();
    let guards: Vec<CallbackGuard> = [4, 1, 3, 2]
        .into_iter()
        .map(|n| {
            let send = send.clone();
            join::after(SHORT * 10 * n, move || send.send(n).unwrap()).unwrap()
        })
        .collect();
    drop(send);
    assert_eq!(called.iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
    drop(guards);
}

#[test]
fn t36_call_taken_back_never_comes() {
    let calls = Arc::new(AtomicUsize::new(0));
    for delay in [SHORT, LONG, Duration::MAX] {
        let counted = calls.clone();
        let guard = join::after(delay, move || {
            counted.fetch_add(1, Ordering::Relaxed);
        });
        drop(guard.unwrap());
        assert_eq!(Arc::strong_count(&calls), 1, "{delay:?}");
    }
    pass_time(SHORT * 2);
    assert_eq!(calls.load(Ordering::Relaxed), 0);
}

#[test]
fn t36_only_the_last_of_many_calls_comes() {
    let (send, called) = mpsc::channel();
    let mut pending = None;
    for n in 0..1_000 {
        let send = send.clone();
        pending = Some(join::after(SHORT * 20, move || send.send(n).unwrap()).unwrap());
    }
    drop(send);
    let came: Vec<i32> = called.iter().collect();
    assert_eq!(came.last(), Some(&999));
    assert!(came.len() < 1_000, "{} came", came.len());
    drop(pending);
}

#[test]
fn t36_panicking_call_does_not_stop_the_others() {
    let _panics = join::after(Duration::ZERO, || panic!("on purpose")).unwrap();
    pass_time(SHORT);
}

#[test]
fn delayed_call_may_delay_another_one() {
    let (send, called) = mpsc::channel();
    let first = join::after(Duration::ZERO, move || {
        join::after(Duration::ZERO, move || send.send(()).unwrap())
            .unwrap()
            .keep();
    });
    called.recv_timeout(TIMEOUT).unwrap();
    drop(first);
}

/// The second call ends the wait of the first, which it comes after or at the same time as.
#[test]
fn t36_call_that_waits_delays_no_other() {
    for delay in [Duration::ZERO, SHORT * 2] {
        for _ in 0..20 {
            let (promise, task) = Promise::new("later");
            let (send, joined) = mpsc::channel();
            let waits = join::after(Duration::ZERO, move || {
                send.send(task.join().is_ok()).unwrap();
            });
            let sends = join::after(delay, move || promise.send(()).unwrap());
            assert_eq!(joined.recv_timeout(TIMEOUT), Ok(true));
            drop((waits, sends));
        }
    }
}

/// Blocks in what is no wait of the library.
#[test]
fn t36_call_that_blocks_delays_no_other_for_long() {
    let (blocked, may_end) = (Gate::new(), Gate::new());
    let _open = OpenOnDrop(may_end.clone());
    let blocks = join::after(Duration::ZERO, {
        let (blocked, may_end) = (blocked.clone(), may_end.clone());
        move || {
            blocked.open();
            may_end.pass();
        }
    });
    blocked.pass();
    pass_time(SHORT);
    drop(blocks);
}

/// The second call, which is due with the first, blocks until the wait of the first has timed out.
#[test]
fn t36_timed_wait_in_a_call_ends_in_time() {
    let (blocked, may_end, waited) = (Gate::new(), Gate::new(), Gate::new());
    let _open = OpenOnDrop(may_end.clone());
    let holds_up = join::after(Duration::ZERO, {
        let (blocked, may_end) = (blocked.clone(), may_end.clone());
        move || {
            blocked.open();
            may_end.pass();
        }
    });
    blocked.pass();
    let (_promise, never) = Promise::<()>::new("never");
    let waits = join::after(Duration::ZERO, {
        let waited = waited.clone();
        move || {
            assert!(never.join_timeout(SHORT).is_err());
            waited.open();
        }
    });
    let blocks = join::after(Duration::ZERO, {
        let waited = waited.clone();
        move || waited.pass()
    });
    waited.pass();
    drop((holds_up, waits, blocks));
}

/// The first call holds up the second and the third until both are due.
#[test]
fn t36_call_that_blocks_delays_none_due_with_it() {
    let (blocked, may_end) = (Gate::new(), Gate::new());
    let _open = OpenOnDrop(may_end.clone());
    let block = || {
        let (blocked, may_end) = (blocked.clone(), may_end.clone());
        join::after(Duration::ZERO, move || {
            blocked.open();
            may_end.pass();
        })
    };
    let first = block();
    blocked.pass();
    let second = block();
    pass_time(Duration::ZERO);
    drop((first, second));
}

#[cfg(target_os = "linux")]
#[test]
fn t36_delayed_calls_share_one_thread() {
    let guards: Vec<CallbackGuard> = (0..100)
        .map(|_| join::after(LONG, || ()).unwrap())
        .collect();
    let mut slots: Vec<Slot<()>> = (0..100).map(|_| Slot::new()).collect();
    for slot in &mut slots {
        slot.start_after(LONG, Builder::new("late"), |_| ())
            .unwrap();
    }
    // The thread has its name once it runs.
    pass_time(SHORT);
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let names = threads.filter_map(|it| std::fs::read_to_string(it.path().join("comm")).ok());
    assert_eq!(names.filter(|name| name.trim() == "timer").count(), 1);
    drop((guards, slots));
}

#[test]
fn t36_earlier_call_does_not_wait_for_a_later_one() {
    let _later = join::after(LONG, || ()).unwrap();
    for _ in 0..10 {
        // The thread sleeps until the later one then.
        pass_time(SHORT);
    }
}

#[test]
fn t36_only_the_last_delayed_start_runs() {
    let window = Window::new();
    let (send, starts) = mpsc::channel();
    let mut slot = Slot::new();
    slot.replace(OwnedTask::ready(0));
    for n in 1..=100 {
        let send = send.clone();
        let search = move |_: &Context| {
            send.send(n).unwrap();
            n
        };
        slot.start_after(SHORT * 20, window.builder(), search)
            .unwrap();
    }
    assert!(slot.poll().latest().is_some());
    drop(send);
    window.run_until_loaded(&mut slot);
    assert_eq!(ready(&mut slot), 100);
    let starts: Vec<i32> = starts.iter().collect();
    assert!(starts.len() < 100 && starts.ends_with(&[100]), "{starts:?}");
}

#[test]
fn t36_delayed_start_cancels_the_task_before_at_once() {
    let mut slot = Slot::new();
    let (end, is_over) = mpsc::channel::<()>();
    let running = move |context: &Context| {
        context.sleep_until(None).unwrap_err();
        drop(end);
    };
    slot.start(Builder::new("old"), running).unwrap();
    slot.start_after(LONG, Builder::new("new"), |_| ()).unwrap();
    assert_eq!(
        is_over.recv_timeout(TIMEOUT),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
    assert!(matches!(slot.poll(), SlotState::Loading { .. }));
}

#[test]
fn t36_delayed_start_taken_back_leaves_nothing() {
    let kept = Arc::new(());
    let start = |slot: &mut Slot<()>| {
        let kept = kept.clone();
        let f = move |_: &Context| drop(kept);
        slot.start_after(LONG, Builder::new("late"), f).unwrap();
    };
    let mut slot = Slot::new();
    start(&mut slot);
    assert!(matches!(slot.poll(), SlotState::Loading { .. }));
    slot.cancel();
    assert_eq!(Arc::strong_count(&kept), 1);
    let state = slot.poll();
    assert!(
        matches!(
            state,
            SlotState::Failed {
                error: SlotError::Cancelled,
                ..
            }
        ),
        "{state:?}"
    );
    start(&mut slot);
    slot.clear();
    assert_eq!(Arc::strong_count(&kept), 1);
    start(&mut slot);
    drop(slot);
    assert_eq!(Arc::strong_count(&kept), 1);
}

#[test]
fn t36_delayed_start_that_is_refused_wakes_the_window() {
    let window = Window::new();
    let mut slot = Slot::new();
    slot.replace(OwnedTask::ready(1));
    let refused = window.builder().stack_size(1 << 60);
    slot.start_after(SHORT, refused, |_| 2).unwrap();
    window.run_until_loaded(&mut slot);
    let SlotState::Failed { error, previous } = slot.poll() else {
        panic!("not failed")
    };
    assert!(error.to_string().contains("`load`"), "{error}");
    assert_eq!(previous, Some(&1));
}

/// The frame that the end of the task causes is over before the slot knows the task.
#[test]
fn t36_delayed_start_that_ends_at_once_wakes_again() {
    let (wake, woken) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let may_go_on = std::sync::Mutex::new(may_go_on);
    let changes = Changes::new(move || {
        wake.send(()).unwrap();
        // Later wakes find that the frame is over.
        may_go_on.lock().unwrap().recv_timeout(TIMEOUT).ok();
    });
    let cancelled = CancelToken::new();
    cancelled.cancel();
    let builder = Builder::new("load").report_to(&changes);
    let mut slot = Slot::new();
    slot.start_after(SHORT, builder.cancel_token(&cancelled), |_| ())
        .unwrap();
    woken.recv_timeout(TIMEOUT).unwrap();
    assert!(matches!(slot.poll(), SlotState::Loading { .. }));
    drop(go_on);
    woken.recv_timeout(TIMEOUT).unwrap();
    let state = slot.poll();
    assert!(matches!(state, SlotState::Failed { .. }), "{state:?}");
}

#[test]
fn t37_ticks_come_at_fixed_times_and_count_the_missed() {
    let task = join::spawn("ticks", |context| {
        let begin = Instant::now();
        let mut seen = 0_u32;
        for tick in context.every(SHORT).take(5) {
            let missed = u32::try_from(tick.missed).unwrap();
            if seen > 0 {
                seen += missed + 1;
            } else {
                seen = 1;
            }
            assert!(
                begin.elapsed() >= SHORT * (seen - 1),
                "tick {seen} is early"
            );
            if seen == 1 {
                context.sleep(SHORT * 3).unwrap();
            }
        }
        seen
    });
    let seen = *task.unwrap().join().unwrap();
    assert!(seen >= 5 + 2, "two are missed at least: {seen}");
}

#[test]
fn t37_cancel_ends_the_loop_at_once() {
    let (send, ticks) = mpsc::channel();
    let task = join::spawn("ticks", move |context| {
        for _tick in context.every(LONG) {
            send.send(()).unwrap();
        }
        context.is_cancelled()
    })
    .unwrap();
    ticks.recv_timeout(TIMEOUT).unwrap();
    task.cancel();
    assert!(task.join_timeout(TIMEOUT).unwrap());
    assert!(ticks.try_recv().is_err());
}

/// A slot whose task returns the number of its starts, and the numbers as they are started.
fn counting(
    window: &Window,
    gate: &Gate,
    period: Duration,
) -> (Slot<usize>, mpsc::Receiver<usize>) {
    let (send, starts) = mpsc::channel();
    let (count, gate) = (AtomicUsize::new(1), gate.clone());
    let mut slot = Slot::new();
    let f = move |_: &Context| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        send.send(number).unwrap();
        gate.pass();
        assert!(number % 2 == 1, "even starts fail");
        number
    };
    slot.start_every(period, window.builder(), f).unwrap();
    (slot, starts)
}

#[test]
fn t37_start_is_left_out_while_the_task_runs() {
    let window = Window::new();
    let gate = OpenOnDrop(Gate::new());
    let (mut slot, starts) = counting(&window, &gate.0, SHORT);
    assert_eq!(starts.recv_timeout(TIMEOUT), Ok(1));
    pass_time(SHORT * 5);
    assert!(starts.try_recv().is_err());
    assert!(matches!(slot.poll(), SlotState::Loading { .. }));
    gate.0.open();
    assert_eq!(starts.recv_timeout(TIMEOUT), Ok(2));
}

#[test]
fn t37_starts_go_on_after_a_panic() {
    let window = Window::new();
    let gate = Gate::new();
    gate.open();
    let (mut slot, starts) = counting(&window, &gate, SHORT);
    let mut failed_after = None;
    // Until a frame has seen a failure, and another one a later value.
    loop {
        match slot.poll() {
            SlotState::Failed { error, previous } => {
                assert!(error.to_string().contains("even starts fail"), "{error}");
                failed_after = failed_after.or(previous.copied());
            }
            state => {
                if failed_after.is_some_and(|before| state.latest() > Some(&before)) {
                    break;
                }
            }
        }
        window.wait_for_wake();
    }
    assert!(starts.iter().take(3).eq(1..=3));
}

#[test]
fn t37_cancelled_or_dropped_series_leaves_nothing() {
    let window = Window::new();
    let gate = Gate::new();
    gate.open();
    for ends_by_drop in [false, true] {
        let (mut slot, starts) = counting(&window, &gate, LONG);
        window.run_until_loaded(&mut slot);
        assert_eq!(ready(&mut slot), 1);
        if ends_by_drop {
            drop(slot);
        } else {
            slot.cancel();
            assert_eq!(ready(&mut slot), 1);
        }
        // The closure is gone, with its sender.
        assert_eq!(starts.iter().count(), 1);
    }
}

#[test]
fn t37_value_that_no_frame_saw_is_not_lost() {
    let window = Window::new();
    let gate = Gate::new();
    gate.open();
    let (mut slot, starts) = counting(&window, &gate, SHORT);
    assert_eq!(starts.iter().take(3).count(), 3);
    assert!(slot.poll().latest().is_some());
}
