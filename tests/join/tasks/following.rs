//! Tasks that go on with the value of another one: `map` and `and_then`.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier, Mutex};

use meanwhile_join::{
    self as join, AnyTask, Builder, Changes, Context, Group, JoinError, OwnedTask, PanicReport,
    Pool, Promise, TaskId, TaskState,
};

use crate::util::child::stderr_of_child;
use crate::util::gate::{Gate, TIMEOUT};

fn until_cancelled(context: &Context) {
    loop {
        context.checkpoint();
        std::thread::yield_now();
    }
}

#[test]
fn mapped_value_comes_from_the_thread_of_the_leader() {
    let gate = Gate::new();
    let leader = join::spawn_owned("leader", {
        let gate = gate.clone();
        move |_| {
            gate.pass();
            20
        }
    });
    let leader = leader.unwrap();
    let leader_id = leader.id();
    let mapped = leader
        .map(|n| (n + 1, join::current()))
        .map(|(n, id)| (n * 2, id, std::thread::current().name().map(str::to_owned)));
    assert_eq!(
        (mapped.name(), mapped.state()),
        ("leader", TaskState::Queued)
    );
    gate.open();
    let (value, id, thread) = mapped.join_into().unwrap();
    assert_eq!((value, thread.as_deref()), (42, Some("leader")));
    assert!(id.unwrap() > leader_id);
}

#[test]
fn mapped_ended_task_is_mapped_now() {
    let mapped = OwnedTask::ready(20).map(|n| n + 1);
    assert!(mapped.is_finished());
    assert_eq!(mapped.join_into().unwrap(), 21);
    let next = OwnedTask::ready(1).and_then(|n| OwnedTask::ready(n + 1));
    assert_eq!(next.join_into().unwrap(), 2);
}

#[test]
fn t30_mapped_panic_of_the_leader_is_handed_on() {
    let leader: OwnedTask<u32> = join::spawn_owned("leader", |_| panic!("failure")).unwrap();
    let Err(JoinError::Panicked(report)) =
        leader.map(|n| n + 1).and_then(OwnedTask::ready).join_into()
    else {
        panic!("the leader has panicked");
    };
    assert_eq!(
        (report.task_name(), report.message()),
        ("leader", "failure")
    );
}

#[test]
fn mapped_closure_that_panics_ends_the_new_task() {
    let mapped = OwnedTask::ready(1).map(|_| -> u32 { panic!("in map") });
    let next = OwnedTask::ready(1).and_then(|_| -> OwnedTask<u32> { panic!("in and_then") });
    for (task, message) in [(mapped, "in map"), (next, "in and_then")] {
        assert_eq!(task.state(), TaskState::Panicked);
        let id = task.id();
        let Err(JoinError::Panicked(report)) = task.join_into() else {
            panic!("the closure has panicked");
        };
        assert_eq!((report.message(), report.task()), (message, id));
        assert!(report.location().is_some());
    }
}

#[test]
#[cfg_attr(miri, ignore = "starts a process")]
fn mapped_panic_that_is_unseen_is_printed_once() {
    let name = "tasks::following::mapped_panic_that_is_unseen_is_printed_once";
    let stderr = stderr_of_child(name, || {
        let gate = Gate::new();
        let panicking = |message: &'static str| -> OwnedTask<u32> {
            let gate = gate.clone();
            let task = join::spawn_owned("save", move |_| {
                gate.pass();
                panic!("{message}")
            });
            task.unwrap()
        };
        drop(panicking("the disk is full").map(|n| n + 1));
        let kept = panicking("the disk is gone").map(|n| n + 1);
        let seen = panicking("the disk is slow").map(|n| n + 1);
        drop(OwnedTask::ready(1).map(|_| panic!("the closure fails")));
        gate.open();
        assert!(join::shutdown_timeout(TIMEOUT).is_complete());
        assert!(seen.join_into().is_err());
        drop(kept);
    });
    let Some(stderr) = stderr else { return };
    for message in ["the disk is full", "the disk is gone", "the closure fails"] {
        assert_eq!(stderr.matches(message).count(), 1, "{stderr}");
    }
    assert!(!stderr.contains("the disk is slow"), "{stderr}");
}

#[test]
fn t30_mapped_task_cancelled_cancels_its_leader() {
    let called = Arc::new(AtomicBool::new(false));
    let sets = {
        let called = called.clone();
        move |()| called.store(true, Ordering::SeqCst)
    };
    let stopped = Gate::new();
    let leader = join::spawn_owned("endless", until_cancelled).unwrap();
    leader.on_finish({
        let stopped = stopped.clone();
        move || stopped.open()
    });
    let mapped = leader.map(sets);
    mapped.cancel();
    assert_eq!(mapped.state(), TaskState::Cancelled);
    stopped.pass();
    assert!(matches!(mapped.join_into(), Err(JoinError::Cancelled)));
    assert!(!called.load(Ordering::SeqCst));
}

#[test]
fn mapped_leader_cancelled_cancels_the_new_task() {
    let (promise, leader) = Promise::<u32>::owned("leader");
    let (send, receive) = std::sync::mpsc::channel();
    let mapped = leader.map(move |n| send.send(n));
    drop(promise);
    assert!(matches!(mapped.join_into(), Err(JoinError::Cancelled)));
    assert!(receive.recv_timeout(TIMEOUT).is_err());
}

#[test]
fn next_task_is_cancelled_with_the_new_one() {
    let begun = Gate::new();
    let stopped = Gate::new();
    let next = OwnedTask::ready(()).and_then({
        let (begun, stopped) = (begun.clone(), stopped.clone());
        move |()| {
            let task = join::spawn_owned("endless", move |context| {
                begun.open();
                until_cancelled(context);
            });
            let task = task.unwrap();
            task.on_finish(move || stopped.open());
            task
        }
    });
    begun.pass();
    next.cancel();
    stopped.pass();
    assert!(matches!(next.join_into(), Err(JoinError::Cancelled)));
}

#[test]
fn next_task_started_after_the_cancel_is_cancelled() {
    let (inside, cancelled, stopped) = (Gate::new(), Gate::new(), Gate::new());
    let (promise, leader) = Promise::owned("leader");
    let next = leader.and_then({
        let (inside, cancelled, stopped) = (inside.clone(), cancelled.clone(), stopped.clone());
        move |()| {
            inside.open();
            cancelled.pass();
            let task = join::spawn_owned("endless", until_cancelled).unwrap();
            task.on_finish(move || stopped.open());
            task
        }
    });
    let sender = join::spawn_owned("sender", move |_| promise.send(()));
    inside.pass();
    next.cancel();
    cancelled.open();
    stopped.pass();
    assert!(matches!(next.join_into(), Err(JoinError::Cancelled)));
    sender.unwrap().join_into().unwrap().unwrap();
}

#[test]
fn t30_follower_joined_on_its_pool_is_not_starved() {
    let pool = Pool::new(1).unwrap();
    let outer = pool.spawn_owned({
        let pool = pool.clone();
        move |_| {
            let later = pool.clone();
            let mapped = pool.spawn_owned(|_| 20).map(|n| n + 1);
            let next = mapped.and_then(move |n| later.spawn_owned(move |_| n * 2));
            next.join_into().unwrap()
        }
    });
    assert_eq!(outer.join_timeout_into(TIMEOUT).unwrap().unwrap(), 42);
}

#[test]
fn follower_whose_next_task_is_queued_does_not_starve() {
    let pool = Pool::new(1).unwrap();
    let (promise, leader) = Promise::owned("leader");
    let waits = Gate::new();
    let outer = pool.spawn_owned({
        let (pool, waits) = (pool.clone(), waits.clone());
        move |_| {
            let next = leader.and_then(move |n| pool.spawn_owned(move |_| n + 1));
            waits.open();
            next.join_into().unwrap()
        }
    });
    waits.pass();
    while !join::wait_graph()
        .waits
        .iter()
        .any(|wait| wait.waiter == Some(outer.id()))
    {
        std::thread::yield_now();
    }
    promise.send(6).unwrap();
    assert_eq!(outer.join_timeout_into(TIMEOUT).unwrap().unwrap(), 7);
}

#[test]
fn t30_follower_joined_by_its_leader_is_refused() {
    let handle: Arc<Mutex<Option<OwnedTask<()>>>> = Arc::default();
    let known = Gate::new();
    let refused = Arc::new(AtomicBool::new(false));
    let leader = join::spawn_owned("leader", {
        let (handle, known, refused) = (handle.clone(), known.clone(), refused.clone());
        move |_| {
            known.pass();
            let follower = handle.lock().unwrap().take().unwrap();
            let joined = follower.join_into();
            let is_refused = matches!(joined, Err(JoinError::WouldDeadlock { .. }));
            refused.store(is_refused, Ordering::SeqCst);
        }
    });
    let ended = Gate::new();
    let follower = leader.unwrap().map(drop);
    follower.on_finish({
        let ended = ended.clone();
        move || ended.open()
    });
    *handle.lock().unwrap() = Some(follower);
    known.open();
    ended.pass();
    assert!(refused.load(Ordering::SeqCst));
}

#[test]
fn follower_of_a_daemon_is_a_daemon() {
    for daemon in [false, true] {
        let gate = Gate::new();
        let leader = Builder::new("leader").daemon(daemon).spawn_owned({
            let gate = gate.clone();
            move |_| gate.pass()
        });
        let follower = leader.unwrap().map(|()| 7);
        assert_eq!(follower.info().daemon, daemon);
        let next = follower.and_then(OwnedTask::ready);
        assert_eq!(next.info().daemon, daemon);
        gate.open();
        assert_eq!(next.join_into().unwrap(), 7);
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes long")]
fn followers_are_joined_in_a_group() {
    let pool = Pool::new(2).unwrap();
    let mut group: Group<u32> = (0..100)
        .map(|n| pool.spawn_owned(move |_| n).map(|n| n * 2))
        .collect();
    let mut sum = 0;
    while let Some((_, value)) = group.join_next() {
        sum += value.unwrap();
    }
    assert_eq!(sum, 9_900);
}

#[test]
fn t30_followers_report_to_the_changes_of_the_first() {
    let wakes = Arc::new(AtomicUsize::new(0));
    let changes = Changes::new({
        let wakes = wakes.clone();
        move || {
            wakes.fetch_add(1, Ordering::SeqCst);
        }
    });
    let (promise, first) = Builder::new("first").report_to(&changes).promise_owned();
    let (other, next) = Promise::owned("next");
    let first_id = first.id();
    let mapped = first.map(|n: u32| n + 1);
    let mapped_id = mapped.id();
    let mut last = mapped.and_then(move |_| next);
    promise.send(1).unwrap();
    assert_eq!(changes.take(usize::MAX), [first_id, mapped_id]);
    other.send(7).unwrap();
    assert_eq!(changes.take(usize::MAX), [last.id()]);
    assert_eq!(wakes.load(Ordering::SeqCst), 2);
    assert_eq!(last.try_take().unwrap().unwrap(), 7);
}

#[test]
fn t30_mapped_with_context_sees_a_late_cancel() {
    let (started, gate) = (Gate::new(), Gate::new());
    let (promise, first) = Promise::owned("first");
    let mapped = first.map_with({
        let (started, gate) = (started.clone(), gate.clone());
        move |n: u32, context| {
            context.set_progress(1, 2);
            started.open();
            gate.pass();
            (n, context.check().is_err())
        }
    });
    let sender = join::spawn("sender", move |_| promise.send(1)).unwrap();
    started.pass();
    assert_eq!(mapped.progress().done, 1);
    mapped.cancel();
    gate.open();
    assert_eq!(mapped.join_into().unwrap(), (1, true));
    assert!(sender.join().unwrap().is_ok());
}

/// Joins a task whose functions lead back to it.
fn ring_report(task: &AnyTask) -> Arc<PanicReport> {
    match task.join_timeout(TIMEOUT) {
        Err(JoinError::Panicked(report)) => report,
        other => panic!("it must panic: {other:?}"),
    }
}

fn wait_for_joiner_of(task: TaskId) {
    let is_joined = || {
        let waits = join::wait_graph().waits;
        waits.iter().any(|wait| wait.targets == [task])
    };
    while !is_joined() {
        std::thread::yield_now();
    }
}

#[test]
fn t30_function_that_returns_its_own_task_panics() {
    let (promise, leader) = Promise::owned("leader");
    let (send, receive) = channel();
    let next: OwnedTask<()> = leader.and_then(move |()| receive.recv_timeout(TIMEOUT).unwrap());
    let (id, before, after) = (next.id(), next.any(), next.any());
    send.send(next).unwrap();
    let joiner = join::spawn("joiner", move |_| ring_report(&before)).unwrap();
    wait_for_joiner_of(id);
    promise.send(()).unwrap();
    let report = ring_report(&after);
    assert_eq!((report.task(), report.task_name()), (id, "leader"));
    assert_eq!(
        report.message(),
        "the function of `and_then` returned its own task, which would wait for itself forever"
    );
    assert_eq!(report.location().unwrap().file, file!());
    assert!(Arc::ptr_eq(joiner.join_timeout(TIMEOUT).unwrap(), &report));
}

#[test]
fn t30_function_that_returns_a_follower_of_it_panics() {
    let (promise, leader) = Promise::owned("leader");
    let (send, receive) = channel();
    let next: OwnedTask<u32> = leader.and_then(move |()| receive.recv_timeout(TIMEOUT).unwrap());
    let next_id = next.id();
    let mapped = next.map(|n| n + 1);
    let mapped_id = mapped.id();
    let last = mapped.map(|n| n + 1);
    let any = last.any();
    send.send(last).unwrap();
    promise.send(()).unwrap();
    let report = ring_report(&any);
    assert_eq!(report.task(), next_id);
    let ring = format!("tasks {next_id} → {} → {mapped_id} would", any.id());
    assert!(report.message().contains(&ring), "{report}");
}

#[test]
fn t30_tasks_that_follow_each_other_end() {
    let both = Arc::new(Barrier::new(2));
    let start = || {
        let (promise, leader) = Promise::owned("leader");
        let (send, receive) = channel();
        let both = both.clone();
        let next: OwnedTask<()> = leader.and_then(move |()| {
            both.wait();
            receive.recv_timeout(TIMEOUT).unwrap()
        });
        (promise, send, next)
    };
    let ((one, to_one, next_one), (two, to_two, next_two)) = (start(), start());
    let ends = [next_one.any(), next_two.any()];
    to_one.send(next_two).unwrap();
    to_two.send(next_one).unwrap();
    let senders = [one, two].map(|promise| join::spawn("sender", move |_| promise.send(())));
    let reports = ends.map(|task| ring_report(&task));
    assert!(Arc::ptr_eq(&reports[0], &reports[1]));
    for sender in senders {
        sender.unwrap().join().unwrap().unwrap();
    }
}

#[test]
fn t30_next_that_joins_the_own_task_is_refused() {
    let (send, receive) = channel();
    let next = OwnedTask::ready(());
    let (promise, gate) = Promise::owned("gate");
    let next = next.and_then(move |()| {
        gate.and_then(move |()| {
            let own: AnyTask = receive.recv_timeout(TIMEOUT).unwrap();
            join::spawn_owned("joins", move |_| own.join()).unwrap()
        })
    });
    send.send(next.any()).unwrap();
    promise.send(()).unwrap();
    let joined = next.join_timeout_into(TIMEOUT).unwrap().unwrap();
    assert!(matches!(joined, Err(JoinError::WouldDeadlock { .. })));
}

#[test]
fn t30_follower_that_has_ended_waits_for_nothing() {
    let (promise, first) = Promise::owned("first");
    let mapped = first.map(|n: u32| n + 1);
    let id = mapped.id();
    let is_shown = || {
        let waits = join::wait_graph().waits;
        waits.iter().any(|wait| wait.waiter == Some(id))
    };
    assert!(is_shown());
    promise.send(1).unwrap();
    assert_eq!(mapped.join_into().unwrap(), 2);
    let begin = std::time::Instant::now();
    while is_shown() {
        assert!(begin.elapsed() < TIMEOUT, "it still waits");
        std::thread::yield_now();
    }
}
