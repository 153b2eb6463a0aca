//! T10–T12, T14: panics as values, destructors that panic, and the order of publication.

use std::panic::panic_any;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meanwhile_join::{
    self as join, Builder, JoinError, PanicReport, PayloadKind, Pool, Task, TaskState,
};

use super::held_pool::HeldPool;
use crate::util::child::{in_child, stderr_of_child};
use crate::util::gate::Gate;

fn report<T: std::fmt::Debug>(task: &Task<T>) -> Arc<PanicReport> {
    match task.join() {
        Err(JoinError::Panicked(report)) => report,
        other => panic!("expected a panic, got {other:?}"),
    }
}

#[test]
fn t10_every_joiner_gets_the_same_panic_report() {
    let gate = Gate::new();
    let task: Task<()> = {
        let gate = gate.clone();
        join::spawn("fails", move |_| {
            gate.pass();
            panic!("it broke")
        })
        .unwrap()
    };
    let bystander = join::spawn("bystander", |_| "unharmed").unwrap();
    let joiners: Vec<_> = (0..8)
        .map(|_| {
            let task = task.clone();
            join::spawn("joiner", move |_| report(&task)).unwrap()
        })
        .collect();
    gate.open();
    let first = report(&task);
    for joiner in joiners {
        assert!(Arc::ptr_eq(joiner.join().unwrap(), &first));
    }
    assert_eq!(task.state(), TaskState::Panicked);
    assert_eq!(*bystander.join().unwrap(), "unharmed");
}

#[test]
fn t11_report_has_message_location_and_backtrace() {
    let before = line!();
    let task: Task<()> =
        join::spawn("divide", |c| panic!("no remainder in {}", c.task_id())).unwrap();
    let after = line!();
    let report = report(&task);
    let message = format!("no remainder in {}", task.id());
    assert_eq!(report.message(), message);
    assert_eq!(report.payload_kind(), PayloadKind::String);
    let location = report.location().unwrap();
    assert!(location.file.ends_with("panics.rs"));
    assert!((before..after).contains(&location.line));
    assert!(location.column > 1);
    let (file, line, column) = (&location.file, location.line, location.column);
    assert_eq!(location.to_string(), format!("{file}:{line}:{column}"));
    assert_eq!(report.thread_name(), "divide");
    assert_eq!(report.task_name(), "divide");
    assert_eq!(report.task(), task.id());
    assert!(
        report.backtrace().contains("panics::t11"),
        "{}",
        report.backtrace()
    );
    assert_eq!(
        report.to_string(),
        format!("task `divide` panicked at {location}: {message}")
    );
}

#[test]
fn t11_report_from_a_pool_names_task_and_thread() {
    let pool = Pool::builder().name("export").threads(1).build().unwrap();
    let page = Builder::new("page 7").spawn_on(&pool, |_| panic!("no font"));
    let page: Task<()> = page.unwrap();
    let report = report(&page);
    assert_eq!(
        (report.task_name(), report.thread_name()),
        ("page 7", "export-1")
    );
}

#[test]
fn t11_each_kind_of_payload_has_a_message() {
    let text: Task<()> = join::spawn("str", |_| panic!("literal")).unwrap();
    assert_eq!(report(&text).message(), "literal");
    assert_eq!(report(&text).payload_kind(), PayloadKind::Str);
    let other: Task<()> = join::spawn("other", |_| panic_any(42)).unwrap();
    assert_eq!(report(&other).message(), "non-string payload");
    assert_eq!(report(&other).payload_kind(), PayloadKind::Other);
    assert!(report(&other).location().is_some());
}

#[test]
fn t11_caught_panic_gives_no_location_to_the_next() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the task under test catches a panic itself"
    )]
    let task: Task<()> = join::spawn("recovers", |_| {
        assert!(std::panic::catch_unwind(|| panic!("caught")).is_err());
        std::panic::resume_unwind(Box::new("passed on"))
    })
    .unwrap();
    assert_eq!(report(&task).message(), "passed on");
    assert_eq!(report(&task).location(), None);
    // The library's hook was called for the first one, so it is there.
    let text = "task `recovers` panicked: passed on";
    assert_eq!(report(&task).to_string(), text);
}

#[test]
fn previous_hook_is_called_for_foreign_threads_only() {
    in_child(
        "tasks::panics::previous_hook_is_called_for_foreign_threads_only",
        || {
            let seen: Arc<Mutex<Vec<String>>> = Arc::default();
            std::panic::set_hook(Box::new({
                let seen = seen.clone();
                move |info| seen.lock().unwrap().push(info.to_string())
            }));
            let task: Task<()> = join::spawn("task", |_| panic!("in a task")).unwrap();
            assert_eq!(report(&task).message(), "in a task");
            let foreign = std::thread::Builder::new()
                .spawn(|| panic!("in a thread"))
                .unwrap();
            while !foreign.is_finished() {
                std::thread::yield_now();
            }
            let seen = seen.lock().unwrap();
            assert_eq!(seen.len(), 1);
            assert!(seen[0].contains("in a thread"));
        },
    );
}

/// Counts its drop, then panics with a [`Nested`].
struct PanicsOnDrop(Arc<AtomicUsize>);

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic_any(Nested(self.0.clone()));
    }
}

/// A payload that panics when it is dropped.
struct Nested(Arc<AtomicUsize>);

impl Drop for Nested {
    fn drop(&mut self) {
        self.0.fetch_add(100, Ordering::SeqCst);
        panic!("again");
    }
}

#[test]
fn t12_result_whose_drop_panics_is_dropped_once() {
    let pool = Pool::builder().threads(2).build().unwrap();
    for round in 0..10_000 {
        let drops = Arc::new(AtomicUsize::new(0));
        let task = {
            let drops = drops.clone();
            Builder::new("panics on drop")
                .spawn_on(&pool, move |_| PanicsOnDrop(drops))
                .unwrap()
        };
        let ended = Gate::new();
        task.on_finish({
            let ended = ended.clone();
            move || ended.open()
        });
        match round % 3 {
            0 => drop(task),
            1 => {
                task.join().unwrap();
                drop(task);
            }
            _ => {
                drop(task.clone());
                task.poll().map(|outcome| outcome.unwrap());
                drop(task);
            }
        }
        ended.pass();
        while drops.load(Ordering::SeqCst) < 101 {
            std::thread::yield_now();
        }
        assert_eq!(drops.load(Ordering::SeqCst), 101);
    }
}

#[test]
fn t12_payload_whose_drop_panics_is_contained() {
    let drops = Arc::new(AtomicUsize::new(0));
    let task: Task<()> = {
        let drops = drops.clone();
        join::spawn("nested", move |_| panic_any(Nested(drops))).unwrap()
    };
    assert_eq!(report(&task).message(), "non-string payload");
    assert_eq!(drops.load(Ordering::SeqCst), 0);
    drop(task);
    while drops.load(Ordering::SeqCst) < 100 {
        std::thread::yield_now();
    }
    assert_eq!(drops.load(Ordering::SeqCst), 100);
}

#[test]
fn t10_one_joiner_takes_the_payload() {
    #[derive(Debug, PartialEq)]
    struct Exit(u8);

    let task: Task<()> = join::spawn("exits", |_| panic_any(Exit(42))).unwrap();
    let first = report(&task).take_payload().unwrap();
    assert_eq!(first.downcast_ref(), Some(&Exit(42)));
    assert!(report(&task).take_payload().is_none());
}

#[test]
fn t10_joiner_goes_on_with_the_panic() {
    struct Exit(u8);

    let inner: Task<()> = join::spawn("inner", |_| panic_any(Exit(42))).unwrap();
    let origin = report(&inner).location().cloned();
    assert!(origin.is_some());
    for expected in [Some(42), None] {
        let inner = inner.clone();
        let outer: Task<()> = join::spawn("outer", move |_| {
            inner.join().unwrap_or_else(|error| error.resume_unwind());
        })
        .unwrap();
        let outer = report(&outer);
        assert_eq!(outer.location().cloned(), origin);
        assert!(outer.backtrace().contains("panics::t10"));
        assert_eq!(outer.message(), "non-string payload");
        let payload = outer.take_payload().unwrap();
        // Only one of them can have the payload; the other has its text.
        assert_eq!(payload.downcast_ref::<Exit>().map(|exit| exit.0), expected);
    }
}

#[test]
fn t10_resumed_panic_of_the_main_thread_is_printed() {
    let stderr = stderr_of_child(
        "tasks::panics::t10_resumed_panic_of_the_main_thread_is_printed",
        || {
            let task: Task<()> = join::spawn("import", |_| panic!("no header")).unwrap();
            let report = report(&task);
            let thread = std::thread::Builder::new().spawn(move || report.resume_unwind());
            let thread = thread.unwrap();
            while !thread.is_finished() {
                std::thread::yield_now();
            }
        },
    );
    let Some(stderr) = stderr else { return };
    assert_eq!(stderr.matches(":\nno header\n").count(), 1, "{stderr}");
}

#[test]
fn t10_errors_say_their_cause_once() {
    let task: Task<()> = join::spawn("import", |_| panic!("no header")).unwrap();
    let error = task.join().unwrap_err();
    let report = report(&task);
    assert_eq!(error.to_string(), report.to_string());
    assert!(std::error::Error::source(&error).is_none());
    assert!(std::error::Error::source(&*report).is_none());
    let refused = Builder::new("too big").stack_size(1 << 60).spawn(|_| ());
    let refused = refused.unwrap_err();
    let cause = refused.cause.to_string();
    assert_eq!(refused.to_string().matches(&cause).count(), 1);
    assert!(std::error::Error::source(&refused).is_none());
}

#[test]
fn t11_report_of_several_lines_can_be_read() {
    let task: Task<()> = join::spawn("sum", |_| assert_eq!(1 + 1, 3)).unwrap();
    let report = report(&task);
    let location = report.location().unwrap();
    let text = format!(
        "task `sum` panicked at {location}:\nassertion `left == right` failed\n  left: 2\n right: 3"
    );
    assert_eq!(report.to_string(), text);
    let unwrapped = format!("{:?}", task.join().unwrap_err());
    assert_eq!(unwrapped, format!("Panicked({text})"));
}

#[test]
fn t11_later_hook_that_records_keeps_the_location() {
    in_child(
        "tasks::panics::t11_later_hook_that_records_keeps_the_location",
        || {
            join::spawn("installs the hook", |_| ())
                .unwrap()
                .join()
                .unwrap();
            let heard: Arc<Mutex<Vec<String>>> = Arc::default();
            let records = Arc::new(AtomicBool::new(false));
            std::panic::set_hook(Box::new({
                let (heard, records) = (heard.clone(), records.clone());
                move |info| {
                    if !records.load(Ordering::SeqCst) || !join::record_panic(info) {
                        heard.lock().unwrap().push(info.to_string());
                    }
                }
            }));
            let panicking = || -> Task<()> { join::spawn("task", |_| panic!("now")).unwrap() };
            let unrecorded = report(&panicking());
            assert_eq!(unrecorded.location(), None);
            let text = unrecorded.to_string();
            assert!(
                text.starts_with("task `task` panicked: now (its location was"),
                "{text}"
            );
            assert!(
                text.ends_with("should call `meanwhile_join::record_panic`)"),
                "{text}"
            );
            records.store(true, Ordering::SeqCst);
            let recorded = report(&panicking());
            let location = recorded.location().unwrap();
            assert_eq!(
                recorded.to_string(),
                format!("task `task` panicked at {location}: now")
            );
            assert_eq!(heard.lock().unwrap().len(), 1);
        },
    );
}

#[test]
fn t11_caught_and_raised_again_keeps_the_location() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the task under test catches a panic itself"
    )]
    let task: Task<()> = join::spawn("cleans up", |_| {
        let caught = std::panic::catch_unwind(|| panic!("no space"));
        assert!(std::panic::catch_unwind(|| panic!("while cleaning up")).is_err());
        std::panic::resume_unwind(caught.unwrap_err())
    })
    .unwrap();
    assert_eq!(report(&task).message(), "no space");
    assert!(report(&task).location().is_some());
}

#[test]
fn t12_captures_of_a_cancelled_task_are_dropped_once() {
    let held = HeldPool::new();
    let drops = Arc::new(AtomicUsize::new(0));
    let queued = {
        let capture = PanicsOnDrop(drops.clone());
        Builder::new("queued")
            .spawn_on(&held.pool, move |_| {
                let _capture = capture;
            })
            .unwrap()
    };
    queued.cancel();
    assert_eq!(drops.load(Ordering::SeqCst), 101);
    assert!(matches!(queued.join(), Err(JoinError::Cancelled)));
    held.release();
}

#[test]
fn t14_outcome_is_published_before_callbacks_run() {
    let pool = Pool::builder().threads(2).build().unwrap();
    for round in 0..10_000 {
        let task: Task<u32> = Builder::new("ends")
            .spawn_on(&pool, move |context| match round % 3 {
                0 => 7,
                1 => panic!("seven"),
                _ => loop {
                    context.checkpoint();
                },
            })
            .unwrap();
        let seen = Gate::new();
        task.on_finish(|| panic!("the first callback panics"));
        task.on_finish({
            let (watched, seen) = (task.clone(), seen.clone());
            move || {
                let outcome = watched.poll().expect("published before the callback");
                assert_eq!(outcome.is_ok(), round % 3 == 0);
                seen.open();
            }
        });
        if round % 3 == 2 {
            task.cancel();
        }
        seen.pass();
        assert!(task.is_finished());
    }
}

#[test]
fn t14_callback_added_after_the_end_runs_at_once() {
    let task = join::spawn("over", |_| ()).unwrap();
    task.join().unwrap();
    let ran = Arc::new(AtomicBool::new(false));
    task.on_finish({
        let ran = ran.clone();
        move || ran.store(true, Ordering::SeqCst)
    });
    assert!(ran.load(Ordering::SeqCst));
}

#[test]
fn two_threads_get_the_same_resolved_backtrace() {
    let task: Task<()> = join::spawn("cheap", |_| panic!("now")).unwrap();
    let report = report(&task);
    let other = {
        let report = report.clone();
        join::spawn("reader", move |_| report.backtrace().as_ptr().addr()).unwrap()
    };
    assert_eq!(
        *other.join_timeout(Duration::from_mins(1)).unwrap(),
        report.backtrace().as_ptr().addr()
    );
}

#[test]
fn panic_that_speaks_of_a_thread_is_no_cancel() {
    let task: Task<()> = join::spawn("speaks", |_| panic!("a scoped thread panicked")).unwrap();
    assert_eq!(report(&task).message(), "a scoped thread panicked");
}
