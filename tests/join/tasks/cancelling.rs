//! T16: the end of a cancelled task, wherever its checkpoint stands.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use meanwhile_join::{
    self as join, Cancelled, Context, JoinError, Task, TaskState, WaitOutcome, WaitUntil,
};

use super::held_pool::HeldPool;
use crate::util::child::{in_child, stderr_of_child};
use crate::util::gate::{Gate, OpenOnDrop, TIMEOUT};

fn until_cancelled(context: &Context) -> ! {
    loop {
        context.checkpoint();
        std::thread::yield_now();
    }
}

/// Starts a task, and cancels it while it runs.
fn cancel_running<T: Send + Sync + 'static>(
    work: impl FnOnce(&Context) -> T + Send + 'static,
) -> Task<T> {
    let running = Gate::new();
    let task = {
        let running = running.clone();
        join::spawn("cancelled", move |context| {
            running.open();
            work(context)
        })
        .unwrap()
    };
    running.pass();
    task.cancel();
    task
}

/// Reaches a checkpoint when it is dropped, as a writer does that flushes piece by piece.
struct FlushesOnDrop(Context, Arc<AtomicUsize>);

impl Drop for FlushesOnDrop {
    fn drop(&mut self) {
        for _ in 0..3 {
            self.0.checkpoint();
            self.1.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[test]
fn t16_checkpoint_in_a_destructor_goes_on() {
    in_child(
        "tasks::cancelling::t16_checkpoint_in_a_destructor_goes_on",
        || {
            let flushed = Arc::new(AtomicUsize::new(0));
            let task = cancel_running({
                let flushed = flushed.clone();
                move |context| {
                    let _writer = FlushesOnDrop(context.clone(), flushed);
                    until_cancelled(context)
                }
            });
            let joined: Result<&(), _> = task.join();
            assert!(matches!(joined, Err(JoinError::Cancelled)), "{joined:?}");
            assert_eq!(flushed.load(Ordering::SeqCst), 3);
        },
    );
}

#[test]
fn t16_checkpoint_in_the_destructor_of_a_panic() {
    in_child(
        "tasks::cancelling::t16_checkpoint_in_the_destructor_of_a_panic",
        || {
            let flushed = Arc::new(AtomicUsize::new(0));
            let task: Task<()> = cancel_running({
                let flushed = flushed.clone();
                move |context| {
                    let _writer = FlushesOnDrop(context.clone(), flushed);
                    while !context.is_cancelled() {
                        std::thread::yield_now();
                    }
                    panic!("no space")
                }
            });
            let Err(JoinError::Panicked(report)) = task.join() else {
                panic!("it panics, and is not cancelled");
            };
            assert_eq!(report.message(), "no space");
            assert_eq!(flushed.load(Ordering::SeqCst), 3);
        },
    );
}

#[test]
fn t16_context_of_another_task_does_not_cancel() {
    let (send, contexts) = std::sync::mpsc::channel();
    let a: Task<()> = join::spawn("a", move |context| {
        send.send(context.clone()).unwrap();
        until_cancelled(context)
    })
    .unwrap();
    let of_a = contexts.recv_timeout(TIMEOUT).unwrap();
    let b: Task<()> = join::spawn("b", move |_| until_cancelled(&of_a)).unwrap();
    a.cancel();
    assert!(matches!(a.join(), Err(JoinError::Cancelled)));
    let Err(JoinError::Panicked(report)) = b.join() else {
        panic!("nobody cancelled b: {:?}", b.join());
    };
    assert_eq!(
        report.message(),
        "the context of task `a` was cancelled here"
    );
    assert!(report.location().unwrap().file.ends_with("cancelling.rs"));
    assert_eq!(b.state(), TaskState::Panicked);
    assert!(!b.is_cancel_requested());
}

#[test]
fn t16_scoped_helpers_that_stop_leave_it_cancelled() {
    let stderr = stderr_of_child(
        "tasks::cancelling::t16_scoped_helpers_that_stop_leave_it_cancelled",
        || {
            let task: Task<()> = cancel_running(|context| {
                std::thread::scope(|scope| {
                    for _ in 0..2 {
                        scope.spawn(|| until_cancelled(context));
                    }
                });
            });
            let joined = task.join();
            assert!(matches!(joined, Err(JoinError::Cancelled)), "{joined:?}");
        },
    );
    let Some(stderr) = stderr else { return };
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn t16_unwrapped_helpers_leave_it_cancelled() {
    in_child(
        "tasks::cancelling::t16_unwrapped_helpers_leave_it_cancelled",
        || {
            let task: Task<()> = cancel_running(|context| {
                std::thread::scope(|scope| {
                    let helper = scope.spawn(|| until_cancelled(context));
                    join_thread(helper);
                });
            });
            let joined = task.join();
            assert!(matches!(joined, Err(JoinError::Cancelled)), "{joined:?}");
        },
    );
}

fn join_thread<T>(helper: std::thread::ScopedJoinHandle<'_, T>) -> T {
    helper.join().unwrap()
}

#[test]
fn t16_helper_that_panics_is_not_a_cancel() {
    in_child(
        "tasks::cancelling::t16_helper_that_panics_is_not_a_cancel",
        || {
            let panicked = Gate::new();
            let task: Task<()> = {
                let panicked = panicked.clone();
                join::spawn("scoped", move |context| {
                    std::thread::scope(|scope| {
                        scope.spawn(|| until_cancelled(context));
                        scope.spawn(|| {
                            let _gate = OpenOnDrop(panicked);
                            panic!("a fault of its own")
                        });
                    });
                })
                .unwrap()
            };
            panicked.pass();
            task.cancel();
            let Err(JoinError::Panicked(report)) = task.join() else {
                panic!("a helper panicked: {:?}", task.join());
            };
            assert_eq!(report.message(), "a scoped thread panicked");
        },
    );
}

#[test]
fn t16_check_returns_the_cancel() {
    let before = join::spawn("copies", Context::check).unwrap();
    assert_eq!(*before.join().unwrap(), Ok(()));
    let task = cancel_running(until_checked);
    assert_eq!(*task.join().unwrap(), Err(Cancelled));
    assert_eq!(task.state(), TaskState::Returned);
    assert_eq!(Cancelled.to_string(), "cancelled");
}

fn until_checked(context: &Context) -> Result<(), Cancelled> {
    loop {
        context.check()?;
        std::thread::yield_now();
    }
}

/// Runs `work` as a cancellable task, and cancels it while it runs.
fn cancel_cancellable<T, E>(
    work: impl FnOnce(&Context) -> Result<T, E> + Send + 'static,
) -> Task<Result<T, E>>
where
    T: Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    cancel_running(join::cancellable(work))
}

#[test]
fn t16_cancellable_error_after_a_check_is_a_cancel() {
    #[derive(Debug)]
    struct Failed;

    impl From<Cancelled> for Failed {
        fn from(_: Cancelled) -> Self {
            Self
        }
    }

    let dropped = Arc::new(());
    let copies = cancel_cancellable(|context| Ok::<(), Failed>(until_checked(context)?));
    assert!(matches!(copies.join(), Err(JoinError::Cancelled)));
    assert_eq!(copies.state(), TaskState::Cancelled);
    let carries = cancel_cancellable({
        let dropped = dropped.clone();
        move |context| until_checked(context).map_err(|Cancelled| dropped)
    });
    assert!(matches!(carries.join(), Err(JoinError::Cancelled)));
    assert_eq!(Arc::strong_count(&dropped), 1);
    let reads = cancel_cancellable(|context| Ok::<(), std::io::Error>(until_checked(context)?));
    assert!(matches!(reads.join(), Err(JoinError::Cancelled)));
}

#[test]
fn t16_cancellable_keeps_values_and_other_errors() {
    let saves = cancel_cancellable(|context| {
        while context.check().is_ok() {
            std::thread::yield_now();
        }
        Ok::<_, Cancelled>("saved")
    });
    assert_eq!(*saves.join().unwrap(), Ok("saved"));
    let fails = cancel_cancellable(|context| {
        while !context.is_cancelled() {
            std::thread::yield_now();
        }
        Err::<(), _>("no space")
    });
    assert_eq!(*fails.join().unwrap(), Err("no space"));
}

#[test]
fn t16_check_poisons_no_lock() {
    let lock = Arc::new(Mutex::new(0));
    let task = cancel_cancellable({
        let lock = lock.clone();
        move |context| {
            let mut written = lock.lock().unwrap();
            until_checked(context).inspect_err(|_| *written += 1)
        }
    });
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    assert!(!lock.is_poisoned());
    assert_eq!(*lock.lock().unwrap(), 1);
}

#[test]
fn t16_check_on_scoped_threads_is_a_cancel() {
    let task = cancel_cancellable(|context| {
        std::thread::scope(|scope| {
            let helpers = [(); 2].map(|()| scope.spawn(|| until_checked(context)));
            helpers.map(join_thread).into_iter().collect()
        })
    });
    let joined: Result<&Result<(), Cancelled>, _> = task.join();
    assert!(matches!(joined, Err(JoinError::Cancelled)), "{joined:?}");
}

#[test]
fn t16_checkpoint_in_rayon_leaves_it_cancelled() {
    use rayon::prelude::*;

    let task: Task<()> = cancel_running(|context| {
        (0..4)
            .into_par_iter()
            .for_each(|_| until_cancelled(context));
    });
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
}

extern "C" fn progress_callback(context: &Context) -> std::ffi::c_int {
    context.check().is_err().into()
}

#[test]
fn t16_check_in_an_extern_callback_stops_it() {
    let task = cancel_cancellable(|context| {
        let callback: extern "C" fn(&Context) -> std::ffi::c_int = progress_callback;
        while callback(context) == 0 {
            std::thread::yield_now();
        }
        context.check()
    });
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the task under test catches the panics of its plugins"
)]
fn t16_check_within_catch_unwind_is_no_panic() {
    let task = cancel_cancellable(|context| {
        for _plugin in 0..5 {
            let run = AssertUnwindSafe(|| until_checked(context));
            let result = std::panic::catch_unwind(run).expect("no plugin panics");
            assert_eq!(result, Err(Cancelled));
        }
        context.check()
    });
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
}

#[test]
fn t16_dropped_guard_cancels_its_running_task() {
    let running = cancel_guarded(false);
    assert!(matches!(running.join(), Err(JoinError::Cancelled)));
    let ended = cancel_guarded(true);
    assert!(matches!(ended.join(), Ok(())));
    assert!(!ended.is_cancel_requested());
}

/// Returns a task whose guard was dropped while it ran, or after its end.
fn cancel_guarded(ends_first: bool) -> Task<()> {
    let (running, gate) = (Gate::new(), Gate::new());
    let task = {
        let (running, gate) = (running.clone(), gate.clone());
        join::spawn("guarded", move |context| {
            running.open();
            gate.pass();
            context.checkpoint();
        })
        .unwrap()
    };
    let guard = task.cancel_on_drop();
    running.pass();
    if ends_first {
        gate.open();
        task.join().unwrap();
    }
    drop(guard);
    gate.open();
    task
}

/// Joins the task in the slot when it is dropped.
struct JoinsOnDrop {
    slot: Arc<Mutex<Option<Task<()>>>>,
    joined: mpsc::Sender<Result<(), JoinError>>,
}

impl Drop for JoinsOnDrop {
    fn drop(&mut self) {
        let task = self.slot.lock().unwrap().take().unwrap();
        // Not for ever, so that the test fails otherwise.
        let joined = task.join_timeout(Duration::from_millis(1)).copied();
        self.joined.send(joined).unwrap();
        let first = join::wait_timeout(&[task], WaitUntil::First, Duration::from_millis(1));
        let failed = matches!(first.end, WaitOutcome::CurrentThread);
        assert!(failed, "{:?}", first.end);
    }
}

#[test]
fn t15_dropped_closure_cannot_join_its_own_task() {
    let held = HeldPool::new();
    let slot = Arc::new(Mutex::new(None));
    let (joined, result) = mpsc::channel();
    let joiner = JoinsOnDrop {
        slot: slot.clone(),
        joined,
    };
    let task = held.pool.spawn(move |_| drop(joiner));
    *slot.lock().unwrap() = Some(task.clone());
    task.cancel();
    assert!(matches!(
        result.recv_timeout(TIMEOUT),
        Ok(Err(JoinError::CurrentThread))
    ));
    assert_eq!(task.state(), TaskState::Cancelled);
    held.release();
}
