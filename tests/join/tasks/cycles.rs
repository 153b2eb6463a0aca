//! T6–T8: joins that could never end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use meanwhile_join::{
    self as join, Builder, JoinError, Pool, Promise, Task, TaskId, WaitOutcome, WaitUntil,
};

use super::held_pool::HeldPool;
use crate::util::gate::Gate;

const LONG: Duration = Duration::from_secs(60);

#[test]
fn t6_task_joining_itself_gets_an_error_and_goes_on() {
    let itself: Arc<Mutex<Option<Task<Vec<String>>>>> = Arc::default();
    let known = Gate::new();
    let task: Task<Vec<String>> = join::spawn("joins itself", {
        let (itself, known) = (itself.clone(), known.clone());
        move |_| {
            known.pass();
            let me: Task<Vec<String>> = itself.lock().unwrap().take().unwrap();
            let errors = [
                me.join().unwrap_err(),
                me.join_timeout(LONG).unwrap_err(),
                me.join_timeout(Duration::ZERO).unwrap_err(),
            ];
            errors.iter().map(ToString::to_string).collect()
        }
    })
    .unwrap();
    let earlier = {
        let task = task.clone();
        join::spawn("joiner", move |_| task.join().unwrap().len()).unwrap()
    };
    until_waiting(earlier.id());
    *itself.lock().unwrap() = Some(task.clone());
    known.open();
    assert_eq!(*task.join().unwrap(), ["cannot join current thread"; 3]);
    assert_eq!(*earlier.join().unwrap(), 3);
}

#[test]
fn t6_self_joins_on_a_pool_are_refused() {
    let pool = Pool::builder().threads(2).build().unwrap();
    for _ in 0..10_000 {
        let (send, receive) = std::sync::mpsc::channel::<Task<bool>>();
        let receive = Mutex::new(receive);
        let task = Builder::new("joins itself")
            .spawn_on(&pool, move |_| {
                let me = receive.lock().unwrap().recv_timeout(LONG).unwrap();
                matches!(me.join(), Err(JoinError::CurrentThread))
            })
            .unwrap();
        send.send(task.clone()).unwrap();
        assert!(task.join().unwrap());
    }
}

fn until_waiting(task: TaskId) {
    let waits = || join::wait_graph().waits.into_iter();
    while !waits().any(|wait| wait.waiter == Some(task)) {
        std::thread::yield_now();
    }
}

type Links = Arc<Mutex<Vec<Task<Result<(), JoinError>>>>>;

/// `count` tasks, each of which joins the next. The last joins the one at `closes_at`; the tasks
/// before that one are the tail.
fn cycle(count: usize, closes_at: usize) -> Vec<Task<Result<(), JoinError>>> {
    let links: Links = Arc::default();
    let known = Gate::new();
    let tasks: Vec<_> = (0..count)
        .map(|n| {
            let (links, known) = (links.clone(), known.clone());
            join::spawn(format!("link {n}"), move |_| {
                known.pass();
                let next = if n + 1 == count { closes_at } else { n + 1 };
                let next = links.lock().unwrap()[next].clone();
                next.join().map(|_| ())
            })
            .unwrap()
        })
        .collect();
    links.lock().unwrap().clone_from(&tasks);
    known.open();
    for task in &tasks {
        task.join_timeout(LONG).unwrap();
    }
    links.lock().unwrap().clear();
    tasks
}

fn refusals(tasks: &[Task<Result<(), JoinError>>]) -> Vec<Vec<TaskId>> {
    tasks
        .iter()
        .filter_map(|task| match task.join().unwrap() {
            Ok(()) => None,
            Err(JoinError::WouldDeadlock { cycle }) => Some(cycle.clone()),
            Err(error) => panic!("{error}"),
        })
        .collect()
}

#[test]
fn t7_one_join_of_a_cycle_is_refused_with_the_path() {
    for (count, tail) in [(2, 0), (3, 0), (17, 0), (3, 1), (9, 4)] {
        let tasks = cycle(count, tail);
        let members: Vec<TaskId> = tasks[tail..].iter().map(Task::id).collect();
        let refused = refusals(&tasks);
        assert_eq!(refused.len(), 1, "{count} tasks, tail of {tail}");
        let at = members.iter().position(|id| *id == refused[0][0]).unwrap();
        let mut expected = members;
        expected.rotate_left(at);
        assert_eq!(refused[0], expected);
    }
}

#[test]
fn t7_race_to_close_a_cycle_refuses_one_join() {
    for _ in 0..10_000 {
        // One, because both tasks pass the gate before either can end.
        assert_eq!(refusals(&cycle(2, 0)).len(), 1);
    }
}

#[test]
fn t7_cycle_is_found_beside_a_task_that_can_end() {
    let (give, own) = std::sync::mpsc::channel::<Task<WaitOutcome>>();
    let waiter = join::spawn("waiter", move |_| {
        let own = own.recv_timeout(LONG).unwrap();
        let (promise, awaited) = Promise::new("awaited");
        let can_end = join::spawn("can end", move |_| drop(awaited.join())).unwrap();
        until_waiting(can_end.id());
        let back = join::spawn("back", move |_| drop(own.join())).unwrap();
        until_waiting(back.id());
        // Either of the two waits of the cycle may be the one that is refused.
        back.on_finish(move || promise.send(()).unwrap());
        join::wait(&[can_end, back], WaitUntil::All).end
    })
    .unwrap();
    give.send(waiter.clone()).unwrap();
    match waiter.join_timeout(LONG).unwrap() {
        WaitOutcome::WouldDeadlock { cycle } => assert_eq!(cycle.len(), 2),
        waited => assert_eq!(*waited, WaitOutcome::Satisfied),
    }
}

#[test]
fn t7_error_message_names_the_cycle() {
    let tasks = cycle(2, 0);
    let message = tasks
        .iter()
        .find_map(|task| task.join().unwrap().as_ref().err())
        .unwrap()
        .to_string();
    assert!(message.starts_with("cannot join: tasks #"), "{message}");
    assert!(message.contains(" → #"), "{message}");
}

#[test]
fn t8_timed_join_in_a_cycle_runs_to_its_deadline() {
    let other: Arc<Mutex<Option<Task<bool>>>> = Arc::default();
    let known = Gate::new();
    let timed = join::spawn("timed", {
        let (other, known) = (other.clone(), known.clone());
        move |_| {
            known.pass();
            let other = other.lock().unwrap().take().unwrap();
            matches!(
                other.join_timeout(Duration::from_millis(200)),
                Err(JoinError::TimedOut)
            )
        }
    })
    .unwrap();
    let untimed = {
        let timed = timed.clone();
        join::spawn("untimed", move |_| *timed.join().unwrap()).unwrap()
    };
    *other.lock().unwrap() = Some(untimed.clone());
    known.open();
    let edge = loop {
        assert!(!timed.is_finished(), "the wait graph never had the edge");
        let graph = join::wait_graph();
        if let Some(edge) = graph.waits.iter().find(|w| w.waiter == Some(timed.id())) {
            break edge.clone();
        }
    };
    assert_eq!(edge.targets, [untimed.id()]);
    assert!(edge.deadline.is_some());
    assert_eq!(edge.thread_name.as_deref(), Some("timed"));
    assert!(*timed.join().unwrap());
    assert!(*untimed.join().unwrap());
    let graph = join::wait_graph();
    assert!(
        graph
            .waits
            .iter()
            .all(|wait| wait.waiter != Some(timed.id()))
    );
}

#[test]
fn t6_callback_knows_the_task_that_it_holds_up() {
    let current_in_callback = |of: &Task<()>| {
        let (send, current) = std::sync::mpsc::channel();
        of.on_finish(move || send.send(join::current()).unwrap());
        current
    };
    // The end of a task calls it: no task waits for it.
    let gate = Gate::new();
    let alone = join::spawn("alone", {
        let gate = gate.clone();
        move |_| gate.pass()
    });
    let alone = alone.unwrap();
    let in_callback = current_in_callback(&alone);
    gate.open();
    assert_eq!(in_callback.recv_timeout(LONG).unwrap(), None);
    // Another task calls it, when it cancels a queued one or adds the callback after the end.
    let held = HeldPool::new();
    let queued: Task<()> = Builder::new("queued").spawn_on(&held.pool, |_| ()).unwrap();
    let cancels = join::spawn("cancels", move |_| {
        let in_callback = current_in_callback(&queued);
        queued.cancel();
        let late = current_in_callback(&queued);
        [in_callback, late].map(|current| current.try_recv().unwrap())
    })
    .unwrap();
    assert_eq!(*cancels.join().unwrap(), [Some(cancels.id()); 2]);
    held.release();
    // A pool worker calls it, when it runs a queued task that it joins.
    let pool = Pool::builder().threads(1).build().unwrap();
    let joins = Builder::new("joins").spawn_on(&pool, {
        let pool = pool.clone();
        move |_| {
            let inner: Task<()> = Builder::new("inner").spawn_on(&pool, |_| ()).unwrap();
            let in_callback = current_in_callback(&inner);
            inner.join().unwrap();
            in_callback.try_recv().unwrap()
        }
    });
    let joins = joins.unwrap();
    assert_eq!(*joins.join().unwrap(), Some(joins.id()));
}

#[test]
fn t6_callback_joining_the_task_it_holds_up_fails() {
    let held = HeldPool::new();
    let queued: Task<()> = Builder::new("queued").spawn_on(&held.pool, |_| ()).unwrap();
    let (send, handle) = std::sync::mpsc::channel::<Task<bool>>();
    let (gate, own) = (Gate::new(), Arc::new(Mutex::new(handle)));
    let cancels = {
        let (gate, own) = (gate.clone(), own.clone());
        join::spawn("cancels", move |_| {
            gate.pass();
            let me = own.lock().unwrap().recv_timeout(LONG).unwrap();
            let (send, refused) = std::sync::mpsc::channel();
            queued.on_finish(move || {
                let is_refused = matches!(me.join(), Err(JoinError::CurrentThread));
                send.send(is_refused).unwrap();
            });
            queued.cancel();
            refused.recv_timeout(LONG).unwrap()
        })
        .unwrap()
    };
    send.send(cancels.clone()).unwrap();
    gate.open();
    assert!(*cancels.join().unwrap());
    held.release();
}
