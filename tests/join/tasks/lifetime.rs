//! T15–T21 and T24: cancel, shutdown, refused threads, names, detached tasks, scopes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::bounded;
use meanwhile_join::{
    self as join, Builder, Context, JoinError, Placement, Pool, Progress, Promise, SpawnError,
    Task, TaskState,
};

use super::held_pool::HeldPool;
use crate::util::child::{in_child, in_child_with};
use crate::util::gate::{Gate, TIMEOUT};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn t15_cancel_while_queued_never_runs() {
    let held = HeldPool::new();
    let ran = Arc::new(AtomicBool::new(false));
    let queued = {
        let ran = ran.clone();
        Builder::new("queued")
            .spawn_on(&held.pool, move |_| ran.store(true, Ordering::SeqCst))
            .unwrap()
    };
    assert_eq!(queued.state(), TaskState::Queued);
    queued.cancel();
    assert!(matches!(queued.poll(), Some(Err(JoinError::Cancelled))));
    held.release();
    assert!(!ran.load(Ordering::SeqCst));
    assert!(queued.info().started_at.is_none());
}

#[test]
fn snapshot_agrees_with_its_times() {
    let pool = Pool::builder().threads(1).build().unwrap();
    for _ in 0..20_000 {
        let task = Builder::new("watched").spawn_on(&pool, |_| ()).unwrap();
        loop {
            let info = task.info();
            let is_queued = info.state == TaskState::Queued;
            assert_eq!(info.started_at.is_none(), is_queued, "{info:?}");
            let is_finished = info.state.is_finished();
            assert_eq!(info.finished_at.is_some(), is_finished, "{info:?}");
            if is_finished {
                break;
            }
        }
    }
}

#[test]
fn t15_cancel_racing_the_start_is_obeyed_or_too_late() {
    let pool = Pool::builder().threads(1).build().unwrap();
    for _ in 0..10_000 {
        let ran = Arc::new(AtomicBool::new(false));
        let task = {
            let ran = ran.clone();
            Builder::new("raced")
                .spawn_on(&pool, move |_| ran.store(true, Ordering::SeqCst))
                .unwrap()
        };
        task.cancel();
        let outcome = task.join();
        assert_eq!(outcome.is_ok(), ran.load(Ordering::SeqCst));
    }
}

fn until_cancelled(context: &Context) {
    loop {
        context.checkpoint();
        std::hint::spin_loop();
    }
}

/// Records that it was dropped.
struct RecordsDrop(Arc<AtomicBool>);

impl Drop for RecordsDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn t16_checkpoint_ends_a_cancelled_task_quietly() {
    in_child(
        "tasks::lifetime::t16_checkpoint_ends_a_cancelled_task_quietly",
        || {
            let hook_ran = Arc::new(AtomicBool::new(false));
            std::panic::set_hook(Box::new({
                let hook_ran = hook_ran.clone();
                move |_| hook_ran.store(true, Ordering::SeqCst)
            }));
            let unwound = Arc::new(AtomicBool::new(false));
            let task = {
                let guard = RecordsDrop(unwound.clone());
                join::spawn("obeys", move |context| {
                    let _guard = guard;
                    until_cancelled(context);
                })
                .unwrap()
            };
            task.cancel();
            assert!(matches!(task.join(), Err(JoinError::Cancelled)));
            assert_eq!(task.state(), TaskState::Cancelled);
            assert!(unwound.load(Ordering::SeqCst));
            assert!(!hook_ran.load(Ordering::SeqCst));
        },
    );
}

#[test]
fn t16_task_ignoring_a_cancel_returns_its_value() {
    let (started, gate) = (Gate::new(), Gate::new());
    let task = {
        let (started, gate) = (started.clone(), gate.clone());
        join::spawn("ignores", move |_| {
            started.open();
            gate.pass();
            7
        })
        .unwrap()
    };
    started.pass();
    task.cancel();
    gate.open();
    assert_eq!(*task.join().unwrap(), 7);
    let info = task.info();
    assert_eq!(info.state, TaskState::Returned);
    assert!(info.cancel_requested_at.unwrap() <= info.finished_at.unwrap());
    assert!(task.is_cancel_requested());
}

#[test]
fn t16_running_task_obeys_a_cancel_every_time() {
    let pool = Pool::builder().threads(2).build().unwrap();
    for _ in 0..10_000 {
        let task = Builder::new("obeys")
            .spawn_on(&pool, until_cancelled)
            .unwrap();
        task.cancel();
        assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    }
}

#[test]
fn t17_late_or_second_cancel_has_no_effect() {
    let task = join::spawn("over", |_| 7).unwrap();
    task.join().unwrap();
    task.cancel();
    task.cancel();
    assert_eq!(*task.join().unwrap(), 7);
    assert!(!task.is_cancel_requested());
    assert!(task.info().cancel_requested_at.is_none());

    let cancelled = join::spawn("cancelled", until_cancelled).unwrap();
    cancelled.cancel();
    let first = cancelled.info().cancel_requested_at;
    cancelled.cancel();
    assert!(matches!(cancelled.join(), Err(JoinError::Cancelled)));
    assert_eq!(cancelled.info().cancel_requested_at, first);
}

#[test]
fn t18_shutdown_waits_for_every_non_daemon_task() {
    in_child(
        "tasks::lifetime::t18_shutdown_waits_for_every_non_daemon_task",
        || {
            let gate = Gate::new();
            let daemon = {
                let gate = gate.clone();
                Builder::new("daemon")
                    .daemon(true)
                    .spawn(move |_| gate.pass())
                    .unwrap()
            };
            let generations = Arc::new(AtomicUsize::new(0));
            spawn_generation(5, &generations);
            assert!(join::shutdown().remaining.is_empty());
            assert_eq!(generations.load(Ordering::SeqCst), 6);
            assert!(!daemon.is_finished());
            gate.open();
        },
    );
}

fn spawn_generation(generation: u32, count: &Arc<AtomicUsize>) {
    let count = count.clone();
    join::spawn(format!("generation {generation}"), move |_| {
        if generation > 0 {
            spawn_generation(generation - 1, &count);
        }
        count.fetch_add(1, Ordering::SeqCst);
    })
    .unwrap();
}

#[test]
fn t18_shutdown_timeout_names_the_remaining_tasks() {
    // In a process of its own, because shutdown stops the daemon processes of other tests too.
    let name = "tasks::lifetime::t18_shutdown_timeout_names_the_remaining_tasks";
    in_child(name, || {
        let gate = Gate::new();
        let task = {
            let gate = gate.clone();
            join::spawn("still here", move |_| gate.pass()).unwrap()
        };
        let report = join::shutdown_timeout(Duration::from_millis(5));
        assert!(
            report
                .remaining
                .iter()
                .any(|info| info.id == task.id() && &*info.name == "still here")
        );
        gate.open();
        task.join().unwrap();
    });
}

#[test]
fn t18_task_calling_shutdown_is_not_waited_for() {
    in_child(
        "tasks::lifetime::t18_task_calling_shutdown_is_not_waited_for",
        || {
            let task = join::spawn("last", |_| join::shutdown().remaining.len()).unwrap();
            assert_eq!(*task.join_timeout(LONG).unwrap(), 0);
        },
    );
}

#[test]
fn t19_refused_thread_is_an_error_and_leaves_nothing() {
    for _ in 0..10_000 {
        let dropped = Arc::new(());
        let refused = {
            let dropped = dropped.clone();
            Builder::new("too big")
                .stack_size(1 << 60)
                .spawn(move |_| drop(dropped))
        };
        let error = refused.unwrap_err();
        let sentence = "could not start a thread for `too big`";
        assert!(error.to_string().starts_with(sentence), "{error}");
        let SpawnError { name, cause, .. } = error;
        assert_eq!(name, "too big");
        assert!(cause.raw_os_error().is_some(), "{cause}");
        assert_eq!(Arc::strong_count(&dropped), 1);
    }
    assert!(
        join::live_tasks()
            .iter()
            .all(|task| &*task.name != "too big")
    );
    assert_eq!(*join::spawn("after", |_| 7).unwrap().join().unwrap(), 7);
}

#[test]
fn t19_spawn_works_again_after_memory_ran_out() {
    in_child_with(
        "ulimit -v 3000000",
        "tasks::lifetime::t19_spawn_works_again_after_memory_ran_out",
        || {
            let gate = Gate::new();
            let mut tasks = Vec::new();
            let (begin, begun) = bounded(1);
            let error = loop {
                let (gate, begin) = (gate.clone(), begin.clone());
                let task = Builder::new("one more")
                    .stack_size(64 << 20)
                    .spawn(move |_| {
                        begin.send(()).unwrap();
                        gate.pass();
                    });
                match task {
                    Ok(task) => tasks.push(task),
                    Err(error) => break error,
                }
                // Std allocates when a thread begins. Let it finish before the next spawn.
                begun.recv_timeout(TIMEOUT).unwrap();
                assert!(tasks.len() < 1_000, "the limit was never reached");
            };
            assert!(error.to_string().contains("one more"), "{error}");
            assert_eq!(join::live_tasks().len(), tasks.len());
            gate.open();
            for task in &tasks {
                task.join().unwrap();
            }
            // A thread's stack is freed a moment after its task has ended.
            let later = loop {
                if let Ok(task) = Builder::new("later").stack_size(64 << 20).spawn(|_| 7) {
                    break task;
                }
                std::thread::yield_now();
            };
            assert_eq!(*later.join().unwrap(), 7);
        },
    );
}

#[test]
fn t20_names_have_a_default_and_may_be_any_text() {
    let unnamed = Builder::default().spawn(|_| ()).unwrap();
    assert_eq!(unnamed.name(), format!("task-{}", unnamed.id().get()));
    assert_eq!(unnamed.id().to_string(), format!("#{}", unnamed.id().get()));
    let twins: BTreeSet<_> = (0..2)
        .map(|_| join::spawn("twin", |_| ()).unwrap().id())
        .collect();
    assert_eq!(twins.len(), 2);
    let odd = join::spawn(
        "a\0b ⏳ and a good deal longer than any system allows",
        |_| std::thread::current().name().map(str::to_owned),
    )
    .unwrap();
    assert_eq!(
        odd.name(),
        "a\u{fffd}b ⏳ and a good deal longer than any system allows"
    );
    assert_eq!(odd.join().unwrap().as_deref(), Some(odd.name()));
}

#[test]
fn t21_detached_task_stays_listed_until_it_ends() {
    let (gate, ended) = (Gate::new(), Gate::new());
    let task = {
        let gate = gate.clone();
        join::spawn("detached", move |_| gate.pass()).unwrap()
    };
    let id = task.id();
    task.on_finish({
        let ended = ended.clone();
        move || ended.open()
    });
    drop(task);
    let is_listed = || join::live_tasks().iter().any(|info| info.id == id);
    assert!(is_listed());
    gate.open();
    ended.pass();
    assert!(!is_listed());
}

#[test]
fn t24_cancel_scope_cancels_and_joins_its_tasks() {
    let pool = Pool::builder().threads(1).build().unwrap();
    let started: Arc<Mutex<Vec<Task<()>>>> = Arc::default();
    let panicking = {
        let started = started.clone();
        join::spawn("scope", move |_| {
            join::cancel_scope(|scope| {
                let mut tasks = started.lock().unwrap();
                tasks.push(scope.spawn("thread", until_cancelled).unwrap());
                tasks.push(scope.spawn_on(&pool, "pool", until_cancelled).unwrap());
                tasks.push(scope.spawn_on(&pool, "queued", until_cancelled).unwrap());
                drop(tasks);
                panic!("the body panics");
            });
        })
        .unwrap()
    };
    let outcome: Result<&(), JoinError> = panicking.join_timeout(LONG);
    assert!(matches!(outcome, Err(JoinError::Panicked(_))));
    for task in started.lock().unwrap().iter() {
        assert!(
            matches!(task.poll(), Some(Err(JoinError::Cancelled))),
            "{task:?}"
        );
    }
}

#[test]
fn t24_cancel_scope_cancels_its_newest_task_first() {
    let cancelled = Arc::new(Mutex::new(Vec::new()));
    join::cancel_scope(|scope| {
        for number in 0..5 {
            let (begin, begun) = bounded(1);
            let cancelled = cancelled.clone();
            let task = scope.spawn("endless", move |context| {
                let note = move || cancelled.lock().unwrap().push(number);
                context.token().on_cancel(note).keep();
                begin.send(()).unwrap();
                context.sleep_until(None)
            });
            task.unwrap();
            begun.recv_timeout(TIMEOUT).unwrap();
        }
    });
    assert_eq!(*cancelled.lock().unwrap(), [4, 3, 2, 1, 0]);
}

#[test]
fn t24_cancel_scope_returns_the_value_of_its_body() {
    let (sum, joined) = join::cancel_scope(|scope| {
        let task = scope.spawn("sum", |_| 40 + 2).unwrap();
        (*task.join().unwrap(), task)
    });
    assert_eq!(sum, 42);
    assert_eq!(joined.state(), TaskState::Returned);
}

#[test]
fn t24_child_joining_its_parent_is_released() {
    let parent: Arc<Mutex<Option<Task<bool>>>> = Arc::default();
    let known = Gate::new();
    let task: Task<bool> = {
        let (parent, known) = (parent.clone(), known.clone());
        join::spawn("parent", move |_| {
            known.pass();
            let parent = parent.lock().unwrap().take().unwrap();
            let child = join::cancel_scope(|scope| {
                scope
                    .spawn("child", move |_| {
                        matches!(parent.join(), Err(JoinError::WouldDeadlock { .. }))
                    })
                    .unwrap()
            });
            child.poll().is_some()
        })
        .unwrap()
    };
    *parent.lock().unwrap() = Some(task.clone());
    known.open();
    assert!(*task.join_timeout(LONG).unwrap());
}

#[test]
fn info_has_placement_and_a_final_elapsed_time() {
    let pool = Pool::builder().threads(0).build().unwrap();
    assert_eq!(pool.threads(), 1);
    let alone = join::spawn("alone", |context| {
        context.sleep(Duration::from_millis(1)).unwrap(); // nothing cancels it
    })
    .unwrap();
    let [a, b] = ["a", "b"].map(|name| Builder::new(name).spawn_on(&pool, |_| ()).unwrap());
    for task in [&alone, &a, &b] {
        task.join().unwrap();
    }
    let info = alone.info();
    assert_eq!((info.id, &*info.name), (alone.id(), alone.name()));
    assert!(info.state.is_finished() && !TaskState::Queued.is_finished());
    assert_eq!(info.placement, Placement::Thread);
    assert!(matches!(a.info().placement, Placement::Pool(_)));
    assert_eq!(a.info().placement, b.info().placement);
    let elapsed = alone.info().elapsed();
    assert!(elapsed >= Some(Duration::from_millis(1)));
    assert_eq!(alone.info().elapsed(), elapsed);
}

#[test]
fn any_handle_shows_progress_cancel_and_end() {
    let (promise, task) = Promise::<()>::owned("task");
    let any = task.any();
    promise.set_progress(1, 2);
    assert_eq!((any.progress().done, any.progress().total), (1, 2));
    assert!(!any.is_cancel_requested() && !task.is_cancel_requested());
    let ended = Gate::new();
    any.on_finish({
        let ended = ended.clone();
        move || ended.open()
    });
    task.cancel();
    ended.pass();
    assert!(any.is_cancel_requested() && task.is_cancel_requested());
}

#[test]
fn progress_may_have_no_total_and_stays_at_the_end() {
    let counted = join::spawn("lines", |context| context.set_progress(80, 0)).unwrap();
    let copied = join::spawn("copy", |context| context.set_progress(512, 2_048)).unwrap();
    for (task, done, total) in [(counted, 80, 0), (copied, 512, 2_048)] {
        task.join().unwrap();
        let progress = task.progress();
        assert_eq!((progress.done, progress.total), (done, total));
        assert_eq!(progress.message, None);
    }
    assert_eq!(
        (Progress::default().done, Progress::default().total),
        (0, 0)
    );
}

#[test]
fn stack_size_allows_deep_recursion() {
    fn depth(left: u32) -> u32 {
        let frame = std::hint::black_box([0_u8; 1024]);
        if left == 0 {
            u32::from(frame[0])
        } else {
            1 + depth(left - 1)
        }
    }
    // Ten thousand frames of a kilobyte or more don't fit in the default of 2 MiB.
    let task = Builder::new("deep")
        .stack_size(64 << 20)
        .spawn(|_| depth(10_000));
    assert_eq!(*task.unwrap().join().unwrap(), 10_000);
}
