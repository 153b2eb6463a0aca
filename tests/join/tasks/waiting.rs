//! T22 and T23: waiting for several tasks, and the queue of changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use meanwhile_join::{
    self as join, Builder, Changes, CompletionError, Group, JoinError, Pool, Task, TaskId,
    WaitOutcome, WaitUntil,
};

use crate::util::child::in_child;
use crate::util::gate::Gate;
#[cfg(target_os = "linux")]
use crate::util::resources::resident_bytes;

const MANY: usize = 50_000;

fn ids<T>(tasks: &[Task<T>]) -> Vec<TaskId> {
    tasks.iter().map(Task::id).collect()
}

fn gated(gate: &Gate) -> Task<()> {
    let gate = gate.clone();
    join::spawn("gated", move |_| gate.pass()).unwrap()
}

#[test]
fn t22_first_returns_done_and_pending_tasks() {
    let gates = [Gate::new(), Gate::new(), Gate::new()];
    let tasks: Vec<_> = gates.iter().map(gated).collect();
    gates[1].open();
    let waited = join::wait(&tasks, WaitUntil::First);
    assert_eq!(waited.end, WaitOutcome::Satisfied);
    assert_eq!(ids(&waited.done), [tasks[1].id()]);
    assert_eq!(ids(&waited.pending), [tasks[0].id(), tasks[2].id()]);
    gates[0].open();
    gates[2].open();
    let waited = join::wait(&tasks, WaitUntil::All);
    assert_eq!(ids(&waited.done), ids(&tasks));
}

#[test]
fn t22_panic_is_a_failure_and_cancel_is_not() {
    let gate = Gate::new();
    let cancelled = join::spawn("cancelled", |context| {
        loop {
            context.checkpoint();
        }
    })
    .unwrap();
    let panics = {
        let gate = gate.clone();
        join::spawn("panics", move |_| {
            gate.pass();
            panic!("failure")
        })
        .unwrap()
    };
    let never = Gate::new();
    let tasks = [cancelled.clone(), panics.clone(), gated(&never)];
    cancelled.cancel();
    let timeout = Duration::from_millis(20);
    let waited = join::wait_timeout(&tasks, WaitUntil::FirstFailure, timeout);
    assert_eq!(waited.end, WaitOutcome::TimedOut);
    assert_eq!(ids(&waited.done), [cancelled.id()]);
    gate.open();
    let waited = join::wait(&tasks, WaitUntil::FirstFailure);
    assert_eq!(waited.end, WaitOutcome::Satisfied);
    assert_eq!(ids(&waited.done), [cancelled.id(), panics.id()]);
    never.open();
}

#[test]
fn t22_first_failure_ends_when_all_have_returned() {
    let tasks: Vec<_> = (0..3)
        .map(|_| join::spawn("fine", |_| ()).unwrap())
        .collect();
    let waited = join::wait(&tasks, WaitUntil::FirstFailure);
    assert_eq!(waited.end, WaitOutcome::Satisfied);
    assert_eq!(waited.done.len(), 3);
}

#[test]
fn t22_duplicates_count_once_and_empty_set_returns() {
    for until in [WaitUntil::First, WaitUntil::FirstFailure, WaitUntil::All] {
        let waited = join::wait::<()>(&[], until);
        assert_eq!((waited.end, waited.done.len()), (WaitOutcome::Satisfied, 0));
    }
    let task = join::spawn("done", |_| ()).unwrap();
    task.join().unwrap();
    let twice = [task.clone(), task.clone()];
    let waited = join::wait_timeout(&twice, WaitUntil::All, Duration::ZERO);
    assert_eq!(waited.end, WaitOutcome::Satisfied);
    assert_eq!(ids(&waited.done), [task.id()]);
}

#[test]
fn t22_task_waiting_for_itself_gets_an_error() {
    let (send, receive) = std::sync::mpsc::channel::<Task<Option<WaitOutcome>>>();
    let receive = std::sync::Mutex::new(receive);
    let task = join::spawn("waits for itself", move |_| {
        let me = receive
            .lock()
            .unwrap()
            .recv_timeout(Duration::from_mins(1))
            .unwrap();
        Some(join::wait(&[me], WaitUntil::All).end)
    })
    .unwrap();
    send.send(task.clone()).unwrap();
    assert_eq!(*task.join().unwrap(), Some(WaitOutcome::CurrentThread));
}

#[test]
fn t22_task_may_be_one_of_the_first_it_waits_for() {
    let (send, receive) = std::sync::mpsc::channel::<Task<Vec<WaitOutcome>>>();
    let gate = Gate::new();
    let task = join::spawn("waits also for itself", move |_| {
        let me = receive.recv_timeout(Duration::from_mins(1)).unwrap();
        let other = join::spawn("other", {
            let gate = gate.clone();
            move |_| {
                gate.pass();
                Vec::new()
            }
        });
        let both = [me, other.unwrap()];
        let all = join::wait(&both, WaitUntil::All).end;
        gate.open();
        vec![all, join::wait(&both, WaitUntil::First).end]
    })
    .unwrap();
    send.send(task.clone()).unwrap();
    assert_eq!(
        task.join().unwrap(),
        &[WaitOutcome::CurrentThread, WaitOutcome::Satisfied]
    );
}

#[test]
fn t22_worker_runs_all_that_it_waits_for_itself() {
    let pool = Pool::new(1).unwrap();
    let outer = pool.spawn({
        let pool = pool.clone();
        move |_| {
            let inner: Vec<_> = (0..3)
                .map(|_| pool.spawn(|_| std::thread::current().id()))
                .collect();
            let waited = join::wait(&inner, WaitUntil::All);
            let own = std::thread::current().id();
            waited.done.iter().all(|task| *task.join().unwrap() == own)
        }
    });
    assert!(*outer.join_timeout(Duration::from_mins(1)).unwrap());
}

/// A wait that has timed out must leave nothing in its tasks. Each would leave more than 32 bytes.
#[cfg(target_os = "linux")]
#[test]
fn t22_ended_waits_leave_nothing_behind() {
    in_child(
        "tasks::waiting::t22_ended_waits_leave_nothing_behind",
        || {
            // They outlive the waits, however long those take.
            let (promises, tasks): (Vec<_>, Vec<_>) = (0..2)
                .map(|n| join::Promise::new(format!("never {n}")))
                .unzip();
            // Some waits last.
            let lasting: Vec<_> = (0..4)
                .map(|_| {
                    let tasks = tasks.clone();
                    join::spawn("lasting", move |_| join::wait(&tasks, WaitUntil::All).end).unwrap()
                })
                .collect();
            while join::wait_graph().waits.len() < lasting.len() {
                std::thread::yield_now();
            }
            let round = |count: usize| {
                for _ in 0..count {
                    let timeout = Duration::from_nanos(1);
                    let waited = join::wait_timeout(&tasks, WaitUntil::First, timeout);
                    assert_eq!(waited.end, WaitOutcome::TimedOut);
                }
            };
            round(1_000);
            let before = resident_bytes();
            round(MANY);
            let grown = resident_bytes().saturating_sub(before);
            assert!(grown < 32 * MANY, "{grown} bytes");
            for promise in promises {
                promise.send(()).unwrap();
            }
            for wait in lasting {
                assert_eq!(*wait.join().unwrap(), WaitOutcome::Satisfied);
            }
        },
    );
}

#[test]
fn t22_wait_on_the_own_pool_runs_queued_tasks() {
    let pool = Pool::builder().threads(1).build().unwrap();
    let outer = {
        let pool = pool.clone();
        Builder::new("outer")
            .spawn_on(&pool.clone(), move |_| {
                let inner: Vec<_> = (0..10)
                    .map(|_| Builder::new("inner").spawn_on(&pool, |_| ()).unwrap())
                    .collect();
                let waited = join::wait(&inner, WaitUntil::All);
                let completed = join::as_completed(inner).flatten().count();
                (waited.done.len(), completed)
            })
            .unwrap()
    };
    assert_eq!(
        *outer.join_timeout(Duration::from_mins(1)).unwrap(),
        (10, 10)
    );
}

#[test]
fn t23_task_that_has_come_gives_its_value_away() {
    let tasks = ["a", "b", "c"].map(|text| join::spawn(text, move |_| text.to_owned()).unwrap());
    let mut values: Vec<String> = join::as_completed(tasks.into())
        .map(|task| task.unwrap().into_output().unwrap())
        .collect();
    values.sort_unstable();
    assert_eq!(values, ["a", "b", "c"]);
}

#[test]
fn t23_tasks_come_once_in_the_order_of_their_ends() {
    let gates: Vec<Gate> = (0..4).map(|_| Gate::new()).collect();
    let tasks: Vec<_> = gates.iter().map(gated).collect();
    let order = [2, 0, 3, 1];
    // Two have ended before the first call, the others end between calls.
    for first in &order[..2] {
        gates[*first].open();
        tasks[*first].join().unwrap();
    }
    let mut with_duplicate = tasks.clone();
    with_duplicate.push(tasks[0].clone());
    let mut completed = join::as_completed(with_duplicate);
    for next in order {
        gates[next].open();
        assert_eq!(completed.next().unwrap().unwrap().id(), tasks[next].id());
    }
    assert!(completed.next().is_none());
}

#[test]
fn t23_timeout_counts_the_unfinished_tasks_once() {
    let gate = Gate::new();
    let done = join::spawn("done", |_| ()).unwrap();
    done.join().unwrap();
    let tasks = vec![gated(&gate), done.clone(), gated(&gate)];
    let timeout = Duration::from_millis(20);
    let start = Instant::now();
    let mut completed = join::as_completed_timeout(tasks, timeout);
    assert_eq!(completed.next().unwrap().unwrap().id(), done.id());
    let error = completed.next().unwrap().unwrap_err();
    assert!(start.elapsed() >= timeout);
    assert_eq!(
        error,
        CompletionError::TimedOut {
            unfinished: 2,
            total: 3
        }
    );
    assert_eq!(error.to_string(), "2 of 3 unfinished");
    assert!(completed.next().is_none());
    gate.open();
}

#[test]
fn changes_report_each_changed_task_with_one_wake() {
    let wakes = Arc::new(AtomicUsize::new(0));
    let changes = Changes::new({
        let wakes = wakes.clone();
        move || {
            wakes.fetch_add(1, Ordering::SeqCst);
        }
    });
    let pool = Pool::builder().threads(1).build().unwrap();
    let (start, reported, end) = (Gate::new(), Gate::new(), Gate::new());
    let tasks: Vec<_> = (0..3)
        .map(|n| {
            let (start, reported, end) = (start.clone(), reported.clone(), end.clone());
            Builder::new("watched")
                .report_to(&changes)
                .spawn_on(&pool, move |context| {
                    start.pass();
                    for done in 0..1_000 {
                        context.set_progress(done, 1_000);
                    }
                    reported.open();
                    if n == 0 {
                        end.pass();
                    }
                })
                .unwrap()
        })
        .collect();
    assert!(!changes.is_pending());
    assert!(changes.take(usize::MAX).is_empty());
    start.open();
    reported.pass();
    assert!(changes.is_pending());
    assert_eq!(changes.take(usize::MAX), [tasks[0].id()]);
    assert_eq!(wakes.load(Ordering::SeqCst), 1);
    assert_eq!(tasks[0].progress().done, 999);
    assert!(changes.take(usize::MAX).is_empty());
    end.open();
    for task in &tasks {
        task.join().unwrap();
    }
    // Joiners are woken before the change is queued, so the last change may still be missing.
    let mut changed = Vec::new();
    while changed.len() < 3 {
        let some = changes.take(2);
        assert!(some.len() <= 2);
        changed.extend(some);
    }
    assert_eq!(changed.len(), 3);
}

#[test]
fn changes_taken_at_every_wake_miss_no_end() {
    let (wake, woken) = std::sync::mpsc::channel();
    let changes = Changes::new(move || wake.send(()).unwrap());
    let pool = Pool::builder().threads(2).build().unwrap();
    for _ in 0..10_000 {
        let task = Builder::new("brief")
            .report_to(&changes)
            .spawn_on(&pool, |_| ())
            .unwrap();
        while !task.is_finished() || changes.is_pending() {
            woken.recv_timeout(Duration::from_mins(1)).unwrap();
            changes.take(usize::MAX);
        }
        // A wake that comes only now is for a change that is still queued.
        while woken.try_recv().is_ok() {
            changes.take(usize::MAX);
        }
    }
}

#[test]
fn changes_never_taken_are_dropped_with_their_tasks() {
    let changes = Changes::new(|| ());
    let value = Arc::new(());
    let task = {
        let value = value.clone();
        Builder::new("kept")
            .report_to(&changes)
            .spawn(move |_| value)
            .unwrap()
    };
    task.join().unwrap();
    drop((changes, task));
    while Arc::strong_count(&value) > 1 {
        std::thread::yield_now();
    }
}

#[test]
fn each_wait_takes_a_deadline() {
    let gate = Gate::new();
    let tasks = [gated(&gate)];
    let now = Instant::now();
    let waited = join::wait_deadline(&tasks, WaitUntil::All, now);
    assert_eq!(waited.end, WaitOutcome::TimedOut);
    let mut ended = join::as_completed_deadline(tasks.to_vec(), now);
    let timed_out = CompletionError::TimedOut {
        unfinished: 1,
        total: 1,
    };
    assert_eq!(ended.next().unwrap().unwrap_err(), timed_out);
    let pool = Pool::new(1).unwrap();
    let on_pool = pool.spawn({
        let gate = gate.clone();
        move |_| gate.pass()
    });
    let idle = pool.wait_until_idle_deadline(now);
    assert!(matches!(idle, Err(JoinError::TimedOut)));
    let mut group = Group::new();
    let member = gate.clone();
    group.spawn("member", move |_| member.pass()).unwrap();
    assert!(group.join_next_deadline(now).is_none());
    assert_eq!(group.shutdown_deadline(now).remaining.len(), 1);
    gate.open();
    assert!(group.shutdown_deadline(None).is_complete());
    assert!(group.join_next_deadline(None).is_some());
    on_pool.join().unwrap();
    pool.wait_until_idle_deadline(None).unwrap();
    let waited = join::wait_deadline(&tasks, WaitUntil::All, None);
    assert_eq!(waited.end, WaitOutcome::Satisfied);
    assert_eq!(join::as_completed_deadline(tasks.to_vec(), None).count(), 1);
}

#[test]
fn deadline_of_a_shutdown_names_the_rest() {
    in_child(
        "tasks::waiting::deadline_of_a_shutdown_names_the_rest",
        || {
            let gate = Gate::new();
            let task = gated(&gate);
            let report = join::shutdown_deadline(Instant::now());
            assert_eq!(report.remaining[0].id, task.id());
            gate.open();
            assert!(join::shutdown_deadline(None).is_complete());
        },
    );
}
