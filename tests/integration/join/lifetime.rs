//! T15–T21 and T24: cancelling, ending the program, refused threads, names, detaching, scopes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crossbeam_channel::bounded;
use meanwhile::join::{self, Builder, Context, JoinError, Pool, SpawnError, Task, TaskState};

use crate::util::child::{in_child, in_child_with};
use crate::util::gate::{Gate, LIMIT};
use crate::util::pool::HeldPool;

const LONG: Duration = Duration::from_mins(1);

#[test]
fn t15_a_task_cancelled_while_queued_never_runs() {
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
fn t15_a_cancel_that_races_the_start_is_obeyed_or_too_late_ten_thousand_times() {
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

/// Notes that it was dropped.
struct Notes(Arc<AtomicBool>);

impl Drop for Notes {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn t16_a_checkpoint_ends_a_cancelled_task_quietly() {
    in_child(
        "join::lifetime::t16_a_checkpoint_ends_a_cancelled_task_quietly",
        || {
            let hook_ran = Arc::new(AtomicBool::new(false));
            std::panic::set_hook(Box::new({
                let hook_ran = hook_ran.clone();
                move |_| hook_ran.store(true, Ordering::SeqCst)
            }));
            let unwound = Arc::new(AtomicBool::new(false));
            let task = {
                let notes = Notes(unwound.clone());
                join::spawn("obeys", move |context| {
                    let _notes = notes;
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
fn t16_a_task_that_ignores_the_cancel_returns_and_both_facts_are_kept() {
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
fn t16_a_running_task_obeys_ten_thousand_times() {
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
fn t17_a_cancel_after_the_end_and_a_second_one_have_no_effect() {
    let task = join::spawn("over", |_| 7).unwrap();
    task.join().unwrap();
    task.cancel();
    task.cancel();
    assert_eq!(*task.join().unwrap(), 7);
    assert!(!task.is_cancel_requested());
    assert!(task.info().cancel_requested_at.is_none());

    let asked = join::spawn("asked", until_cancelled).unwrap();
    asked.cancel();
    let first = asked.info().cancel_requested_at;
    asked.cancel();
    assert!(matches!(asked.join(), Err(JoinError::Cancelled)));
    assert_eq!(asked.info().cancel_requested_at, first);
}

#[test]
fn t18_shutdown_waits_for_every_non_daemon_task_those_started_meanwhile_too() {
    in_child(
        "join::lifetime::t18_shutdown_waits_for_every_non_daemon_task_those_started_meanwhile_too",
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
            beget(5, &generations);
            assert!(join::shutdown(None).remaining.is_empty());
            assert_eq!(generations.load(Ordering::SeqCst), 6);
            assert!(daemon.is_alive());
            gate.open();
        },
    );
}

fn beget(generation: u32, count: &Arc<AtomicUsize>) {
    let count = count.clone();
    join::spawn(format!("generation {generation}"), move |_| {
        if generation > 0 {
            beget(generation - 1, &count);
        }
        count.fetch_add(1, Ordering::SeqCst);
    })
    .unwrap();
}

#[test]
fn t18_shutdown_with_a_timeout_names_who_is_left() {
    // In a process of its own, because it stops the daemon processes of all tests beside.
    let name = "join::lifetime::t18_shutdown_with_a_timeout_names_who_is_left";
    in_child(name, || {
        let gate = Gate::new();
        let task = {
            let gate = gate.clone();
            join::spawn("still here", move |_| gate.pass()).unwrap()
        };
        let report = join::shutdown(Some(Duration::from_millis(5)));
        assert!(
            report
                .remaining
                .iter()
                .any(|left| left.id == task.id() && &*left.name == "still here")
        );
        gate.open();
        task.join().unwrap();
    });
}

#[test]
fn t18_a_task_may_call_shutdown_and_is_not_waited_for_itself() {
    in_child(
        "join::lifetime::t18_a_task_may_call_shutdown_and_is_not_waited_for_itself",
        || {
            let task = join::spawn("last", |_| join::shutdown(None).remaining.len()).unwrap();
            assert_eq!(*task.join_timeout(LONG).unwrap(), 0);
        },
    );
}

#[test]
fn t19_a_refused_thread_is_an_error_with_name_and_cause_and_leaves_nothing_behind() {
    for _ in 0..10_000 {
        let dropped = Arc::new(());
        let refused = {
            let dropped = dropped.clone();
            Builder::new("too big")
                .stack_size(1 << 60)
                .spawn(move |_| drop(dropped))
        };
        let SpawnError { name, source } = refused.unwrap_err();
        assert_eq!(name, "too big");
        assert!(source.raw_os_error().is_some(), "{source}");
        assert_eq!(Arc::strong_count(&dropped), 1);
    }
    assert!(
        join::enumerate()
            .iter()
            .all(|task| &*task.name != "too big")
    );
    assert_eq!(*join::spawn("after", |_| 7).unwrap().join().unwrap(), 7);
}

#[test]
fn t19_when_the_process_is_out_of_memory_for_threads_a_later_spawn_works_again() {
    in_child_with(
        "ulimit -v 3000000",
        "join::lifetime::t19_when_the_process_is_out_of_memory_for_threads_a_later_spawn_works_again",
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
                // What std itself allocates for a thread that begins is not the next one's.
                begun.recv_timeout(LIMIT).unwrap();
                assert!(tasks.len() < 1_000, "the limit never bit");
            };
            assert!(error.to_string().contains("one more"), "{error}");
            assert_eq!(join::enumerate().len(), tasks.len());
            gate.open();
            for task in &tasks {
                task.join().unwrap();
            }
            // A thread's stack is given back a moment after its task has ended.
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
fn t20_names_default_to_the_number_may_repeat_and_may_be_any_text() {
    let unnamed = Builder::default().spawn(|_| ()).unwrap();
    assert_eq!(unnamed.name(), format!("task-{}", unnamed.id().get()));
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
fn t21_a_task_whose_handle_is_dropped_runs_on_and_stays_listed_until_it_ends() {
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
    let is_listed = || join::enumerate().iter().any(|info| info.id == id);
    assert!(is_listed());
    gate.open();
    ended.pass();
    assert!(!is_listed());
}

#[test]
fn t24_a_scope_cancels_and_joins_what_it_started_also_when_its_body_panics() {
    let pool = Pool::builder().threads(1).build().unwrap();
    let started: Arc<Mutex<Vec<Task<()>>>> = Arc::default();
    let panicking = {
        let started = started.clone();
        join::spawn("scope", move |_| {
            join::scope(|scope| {
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
fn t24_a_scope_returns_what_its_body_returns_and_keeps_what_was_joined() {
    let (sum, joined) = join::scope(|scope| {
        let task = scope.spawn("sum", |_| 40 + 2).unwrap();
        (*task.join().unwrap(), task)
    });
    assert_eq!(sum, 42);
    assert_eq!(joined.state(), TaskState::Returned);
}

#[test]
fn t24_a_child_that_waits_for_the_task_that_ends_its_scope_is_released() {
    let parent: Arc<Mutex<Option<Task<bool>>>> = Arc::default();
    let known = Gate::new();
    let task: Task<bool> = {
        let (parent, known) = (parent.clone(), known.clone());
        join::spawn("parent", move |_| {
            known.pass();
            let parent = parent.lock().unwrap().take().unwrap();
            let child = join::scope(|scope| {
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
