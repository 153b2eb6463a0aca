//! Scopes whose tasks borrow from the code around them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meanwhile_join::{
    self as join, AnyTask, Builder, JoinError, OwnedTask, Pool, Scope, Task, TaskId, TaskState,
    WaitOutcome, WaitUntil,
};

use crate::util::child::stderr_of_child;
use crate::util::gate::{Gate, TIMEOUT};

#[test]
fn scope_tasks_borrow_locals_and_lend_values() {
    let mut words = vec!["b".to_owned(), "a".to_owned()];
    let suffix = String::from("!");
    let longest = join::scope(|scope| {
        let sort = scope.spawn("sort", |_| words.sort_unstable()).unwrap();
        let borrowed: OwnedTask<&str> = scope.spawn("borrow", |_| suffix.as_str()).unwrap();
        sort.join_into().unwrap();
        borrowed.join_into().unwrap()
    });
    words.push(longest.to_owned());
    assert_eq!(words, ["a", "b", "!"]);
}

/// Starts `generations` more tasks, each of which starts the next.
fn spawn_generation<'scope>(scope: &Scope<'scope, '_>, left: usize, ended: &'scope AtomicUsize) {
    let inner = scope.clone();
    let task = scope.spawn("generation", move |context| {
        if left > 0 {
            spawn_generation(&inner, left - 1, ended);
        }
        assert!(!context.is_cancelled());
        ended.fetch_add(1, Ordering::SeqCst);
    });
    drop(task.unwrap());
}

#[test]
fn t25_scope_end_waits_for_all_and_cancels_none() {
    let ended = AtomicUsize::new(0);
    join::scope(|scope| {
        spawn_generation(scope, 20, &ended);
        spawn_generation(scope, 0, &ended);
    });
    assert_eq!(ended.into_inner(), 22);
}

#[test]
fn scope_waits_also_when_its_body_panics() {
    let gate = Gate::new();
    let ended = AtomicUsize::new(0);
    let outer = join::scope(|scope| {
        let outer = scope.spawn("outer", |_| {
            join::scope(|scope| {
                let task = scope.spawn("gated", |_| {
                    gate.pass();
                    ended.fetch_add(1, Ordering::SeqCst);
                });
                drop(task.unwrap());
                gate.open();
                panic!("the body panics");
            });
        });
        outer.unwrap().join_into()
    });
    let Err(JoinError::Panicked(report)) = outer else {
        panic!("{outer:?}");
    };
    assert_eq!(report.message(), "the body panics");
    assert_eq!(ended.into_inner(), 1);
}

#[test]
fn t25_scope_passes_on_the_first_unseen_panic() {
    let joined = join::spawn_owned("caller", |_| {
        join::scope(|scope| {
            let seen: OwnedTask<()> = scope.spawn("seen", |_| panic!("first")).unwrap();
            assert!(seen.join_into().is_err());
            for message in ["second", "third"] {
                let unseen: OwnedTask<()> =
                    scope.spawn(message, move |_| panic!("{message}")).unwrap();
                drop(unseen);
            }
        });
    });
    let Err(JoinError::Panicked(report)) = joined.unwrap().join_into() else {
        panic!("the scope passes on a panic");
    };
    assert_eq!((report.task_name(), report.message()), ("caller", "second"));
}

#[test]
fn scope_without_an_unseen_panic_returns_its_value() {
    let value = join::scope(|scope| {
        let mut seen: OwnedTask<()> = scope.spawn("seen", |_| panic!("failure")).unwrap();
        loop {
            if let Some(outcome) = seen.try_take() {
                break outcome.is_err();
            }
        }
    });
    assert!(value);
}

#[test]
fn scope_panic_outside_of_a_task_is_printed_once() {
    let name = "tasks::scoped::scope_panic_outside_of_a_task_is_printed_once";
    let stderr = stderr_of_child(name, || {
        let scope = std::thread::scope(|threads| {
            let caller = threads.spawn(|| {
                join::scope(|scope| {
                    let task: OwnedTask<()> =
                        scope.spawn("save", |_| panic!("the disk is full")).unwrap();
                    drop(task);
                });
            });
            caller
                .join()
                .map_err(|payload| *payload.downcast::<&str>().unwrap())
        });
        assert_eq!(scope, Err("the disk is full"));
    });
    let Some(stderr) = stderr else { return };
    assert_eq!(stderr.matches("the disk is full").count(), 1, "{stderr}");
}

#[test]
fn scope_task_is_joined_with_a_timeout_and_cancelled() {
    join::scope(|scope| {
        let begun = Gate::new();
        let inner = begun.clone();
        let task = scope.spawn("endless", move |context| {
            inner.open();
            loop {
                context.checkpoint();
                std::thread::yield_now();
            }
        });
        let task: OwnedTask<()> = task.unwrap();
        begun.pass();
        assert!(join::live_tasks().iter().any(|live| live.id == task.id()));
        let task = task
            .join_timeout_into(Duration::from_millis(1))
            .unwrap_err();
        assert_eq!((task.name(), task.state()), ("endless", TaskState::Running));
        task.cancel();
        assert!(matches!(task.join_into(), Err(JoinError::Cancelled)));
    });
}

#[test]
fn scope_cancel_at_the_start_is_obeyed_or_too_late() {
    for _ in 0..500 {
        let mut ran = false;
        let outcome = join::scope(|scope| {
            let task = scope.spawn("raced", |_| ran = true).unwrap();
            task.cancel();
            task.join_into()
        });
        assert_eq!(outcome.is_ok(), ran);
    }
}

#[test]
fn scope_spawn_that_is_refused_leaves_nothing() {
    let counted = AtomicUsize::new(0);
    join::scope(|scope| {
        let too_big = Builder::new("too big").stack_size(1 << 60);
        let refused = scope.spawn_with(too_big, |_| counted.fetch_add(1, Ordering::SeqCst));
        assert_eq!(refused.unwrap_err().name, "too big");
    });
    assert_eq!(counted.into_inner(), 0);
}

#[test]
fn scope_ring_of_two_tasks_is_refused_once() {
    let handles: [Mutex<Option<OwnedTask<bool>>>; 2] = Default::default();
    let known = Gate::new();
    let refused = AtomicUsize::new(0);
    join::scope(|scope| {
        for own in 0..2 {
            let other = &handles[1 - own];
            let (known, refused) = (&known, &refused);
            let task = scope.spawn(format!("joins {}", 1 - own), move |_| {
                known.pass();
                let other = other.lock().unwrap().take().unwrap();
                let is_refused = matches!(other.join_into(), Err(JoinError::WouldDeadlock { .. }));
                refused.fetch_add(usize::from(is_refused), Ordering::SeqCst);
                is_refused
            });
            *handles[own].lock().unwrap() = Some(task.unwrap());
        }
        known.open();
    });
    assert_eq!(refused.into_inner(), 1);
}

#[test]
fn scope_task_joining_the_caller_is_released() {
    let own: Arc<Mutex<Option<Task<bool>>>> = Arc::default();
    let known = Gate::new();
    let caller = join::spawn("caller", {
        let (own, known) = (own.clone(), known.clone());
        move |_| {
            known.pass();
            let caller = own.lock().unwrap().take().unwrap();
            let is_refused = || matches!(caller.join(), Err(JoinError::WouldDeadlock { .. }));
            let mut was_released = false;
            join::scope(|scope| {
                let task = scope.spawn("joins the caller", |_| was_released = is_refused());
                drop(task.unwrap());
            });
            was_released
        }
    });
    let caller = caller.unwrap();
    *own.lock().unwrap() = Some(caller.clone());
    known.open();
    assert!(*caller.join_timeout(TIMEOUT).unwrap());
}

fn until_waiting(task: TaskId) {
    let waits = || join::wait_graph().waits.into_iter();
    while !waits().any(|wait| wait.waiter == Some(task)) {
        std::thread::yield_now();
    }
}

/// The end of the scope closes the cycle.
#[test]
fn scope_end_releases_a_join_that_waits_already() {
    let (give, own) = channel::<AnyTask>();
    let caller = join::spawn("caller", move |_| {
        let own = own.recv_timeout(TIMEOUT).unwrap();
        let mut joined = None;
        let inner = join::scope(|scope| {
            let task = scope.spawn("joins the caller", |_| joined = Some(own.join()));
            let inner = task.unwrap().id();
            until_waiting(inner);
            inner
        });
        (inner, joined.unwrap())
    })
    .unwrap();
    give.send(caller.any()).unwrap();
    let (inner, joined) = caller.join_timeout(TIMEOUT).unwrap();
    match joined {
        Err(JoinError::WouldDeadlock { cycle }) => assert_eq!(*cycle, [*inner, caller.id()]),
        joined => panic!("{joined:?}"),
    }
}

/// The end of the outer scope waits for that of the inner one, whose task joins the outer one.
#[test]
fn scope_end_releases_the_join_and_no_scope_end() {
    let (give, own) = channel::<AnyTask>();
    let outer = join::spawn("outer", move |_| {
        let own = own.recv_timeout(TIMEOUT).unwrap();
        let mut joined = None;
        join::scope(|scope| {
            let middle = scope.spawn("middle", |_| {
                until_waiting(own.id());
                join::scope(|scope| {
                    let inner = scope.spawn("joins the outer one", |_| joined = Some(own.join()));
                    until_waiting(inner.unwrap().id());
                });
            });
            drop(middle.unwrap());
        });
        matches!(joined, Some(Err(JoinError::WouldDeadlock { .. })))
    })
    .unwrap();
    give.send(outer.any()).unwrap();
    assert!(*outer.join_timeout(TIMEOUT).unwrap());
}

/// A wait that runs the scope inside of it could not go on, and so ends no cycle.
#[test]
fn scope_end_leaves_the_wait_that_runs_it() {
    let pool = Pool::new(1).unwrap();
    let (give, outer) = channel::<AnyTask>();
    let (send, ended) = channel();
    let gate = Gate::new();
    let waiter = pool.spawn({
        let (pool, gate) = (pool.clone(), gate.clone());
        move |_| {
            let runs_inside = pool.spawn(move |_| {
                let outer = outer.recv_timeout(TIMEOUT).unwrap();
                let mut joined = None;
                join::scope(|scope| {
                    let task = scope.spawn("joins the waiter", |_| joined = Some(outer.join()));
                    until_waiting(task.unwrap().id());
                });
                matches!(joined, Some(Err(JoinError::WouldDeadlock { .. })))
            });
            runs_inside.on_finish(move || send.send(()).unwrap());
            let other = join::spawn("other", move |_| {
                gate.pass();
                true
            });
            let both = [runs_inside, other.unwrap()];
            let waited = join::wait(&both, WaitUntil::All).end;
            (waited, both.map(|task| task.join().is_ok_and(|it| *it)))
        }
    });
    give.send(waiter.any()).unwrap();
    ended.recv_timeout(TIMEOUT).unwrap();
    // Mostly it waits for the other one alone by then.
    std::thread::park_timeout(Duration::from_millis(20));
    gate.open();
    assert_eq!(
        waiter.join_timeout(TIMEOUT).unwrap(),
        &(WaitOutcome::Satisfied, [true, true])
    );
}

#[test]
fn scope_on_a_pool_does_not_starve_it() {
    let pool = Pool::new(1).unwrap();
    let outer = pool.spawn({
        let pool = pool.clone();
        move |_| {
            let queued = || pool.spawn_owned(|_| 7).join_into().unwrap();
            let mut value = 0;
            join::scope(|scope| {
                let task = scope.spawn("joins a queued task", |_| value = queued());
                drop(task.unwrap());
            });
            value
        }
    });
    assert_eq!(*outer.join_timeout(TIMEOUT).unwrap(), 7);
}
