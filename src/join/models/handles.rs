//! Models of what gives a value to its caller: futures, owned tasks, promises, followers, groups and
//! selects. Promises end the tasks, because a task with a closure would run on a thread of std.

use std::future::IntoFuture;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::super::current;
use super::super::error::JoinError;
use super::super::group::Group;
use super::super::owned::OwnedTask;
use super::super::promise::Promise;
use super::super::registry;
use super::super::select::{Select, SelectError};
use super::super::sync::{AtomicBool, AtomicUsize, Ordering, Thread, current_thread, park};
use super::super::token::CancelToken;
use super::{DropCheck, preempted, three_threads};

/// Loom decides when it passes.
const SOME_TIME: Duration = Duration::from_secs(1);

/// Has another thread send the value.
fn send<T: Send + 'static>(promise: Promise<T>, value: T) -> loom::thread::JoinHandle<bool> {
    loom::thread::spawn(move || promise.send(value).is_ok())
}

/// Has another thread cancel the task.
fn cancel<T>(task: &OwnedTask<T>) -> loom::thread::JoinHandle<()> {
    let header = task.header().clone();
    loom::thread::spawn(move || registry::cancel(&header))
}

fn ended<T>(thread: loom::thread::JoinHandle<T>) -> T {
    thread.join().expect("it ends")
}

/// Wakes the thread that made it.
struct Unpark(Thread);

impl Unpark {
    fn waker() -> Waker {
        Waker::from(Arc::new(Self(current_thread())))
    }
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Hangs unless the last waker that the future got is woken.
fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let mut future = pin!(future.into_future());
    loop {
        let waker = Unpark::waker();
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => park(),
        }
    }
}

#[test]
fn await_racing_the_end_is_woken() {
    loom::model(|| {
        let (promise, task) = Promise::owned("promise");
        let sender = send(promise, 7);
        assert_eq!(block_on(task).expect("sent"), 7);
        assert!(ended(sender));
    });
}

#[test]
fn future_with_another_waker_wakes_that_one() {
    loom::model(|| {
        let (promise, task) = Promise::new("promise");
        let sender = send(promise, 7);
        let mut future = pin!(task.into_future());
        let polled = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        let value = match polled {
            Poll::Ready(value) => value,
            Poll::Pending => block_on(future),
        };
        assert_eq!(value.copied().expect("sent"), 7);
        assert!(ended(sender));
    });
}

#[test]
fn awaits_of_two_threads_are_both_woken() {
    three_threads(|| {
        let (promise, task) = Promise::new("promise");
        let other = loom::thread::spawn({
            let task = task.clone();
            move || block_on(&task).copied().expect("sent")
        });
        let sender = send(promise, 7);
        assert_eq!(block_on(&task).copied().expect("sent"), 7);
        assert_eq!(ended(other), 7);
        assert!(ended(sender));
    });
}

#[test]
fn timed_owned_join_racing_the_end_loses_no_value() {
    loom::model(|| {
        let (promise, task) = Promise::owned("promise");
        let sender = send(promise, 7);
        let joined = match task.join_timeout_into(SOME_TIME) {
            Ok(joined) => joined,
            Err(task) => task.join_into(),
        };
        assert_eq!(joined.expect("sent"), 7);
        assert!(ended(sender));
    });
}

#[test]
fn owned_value_is_taken_at_most_once() {
    loom::model(|| {
        let (promise, mut task) = Promise::owned("promise");
        let sender = send(promise, 7);
        match task.try_take() {
            Some(value) => {
                assert_eq!(value.expect("sent"), 7);
                assert!(matches!(task.join_into(), Err(JoinError::Taken)));
            }
            None => assert_eq!(task.join_into().expect("sent"), 7),
        }
        assert!(ended(sender));
    });
}

#[test]
fn owned_value_without_a_handle_is_dropped_once() {
    loom::model(|| {
        let dropped = Arc::new(AtomicBool::new(false));
        let (promise, task) = Promise::owned("promise");
        let sender = send(promise, DropCheck(dropped.clone()));
        drop(task);
        assert!(ended(sender));
        assert!(dropped.load(Ordering::Relaxed));
    });
}

#[test]
fn send_racing_a_cancel_gives_or_keeps_the_value() {
    three_threads(|| {
        let (promise, task) = Promise::new("promise");
        let sender = loom::thread::spawn(move || promise.send(7));
        let canceller = loom::thread::spawn({
            let task = task.clone();
            move || task.cancel()
        });
        let joined = task.join().copied();
        match ended(sender) {
            Ok(()) => assert_eq!(joined.expect("sent"), 7),
            Err(value) => {
                assert_eq!(value, 7);
                assert!(matches!(joined, Err(JoinError::Cancelled)));
            }
        }
        ended(canceller);
    });
}

#[test]
fn drop_of_a_promise_ends_the_join() {
    loom::model(|| {
        let (promise, task) = Promise::<u32>::owned("promise");
        let dropper = loom::thread::spawn(move || drop(promise));
        assert!(matches!(task.join_into(), Err(JoinError::Cancelled)));
        ended(dropper);
    });
}

#[test]
fn follower_racing_the_end_of_its_leader_runs_once() {
    three_threads(|| {
        let runs = Arc::new(AtomicUsize::new(0));
        let (promise, leader) = Promise::owned("leader");
        let sender = send(promise, 7);
        let follower = leader.map({
            let runs = runs.clone();
            move |value| {
                runs.fetch_add(1, Ordering::Relaxed);
                value + 1
            }
        });
        assert_eq!(follower.join_into().expect("sent"), 8);
        assert!(ended(sender));
        assert_eq!(runs.load(Ordering::Relaxed), 1);
    });
}

/// Either the cancel comes first, or the value.
#[test]
fn cancel_of_a_follower_racing_its_leader_ends_both() {
    three_threads(|| {
        let ran = Arc::new(AtomicBool::new(false));
        let (promise, leader) = Promise::owned("leader");
        let follower = leader.map({
            let ran = ran.clone();
            move |value| {
                ran.store(true, Ordering::Relaxed);
                value
            }
        });
        let sender = send(promise, 7);
        let canceller = cancel(&follower);
        let joined = follower.join_into();
        assert_eq!(joined.is_ok(), ran.load(Ordering::Relaxed));
        // The leader may have ended before it was cancelled, and its value was dropped.
        assert!(ended(sender) || joined.is_err());
        ended(canceller);
    });
}

/// The cancel comes before the first leader ends, between the two, or when the second is followed.
#[test]
fn cancel_of_a_follower_reaches_its_next_leader() {
    three_threads(|| {
        let (promise, leader) = Promise::owned("leader");
        let (kept, next) = Promise::<u32>::owned("next");
        let ran = Arc::new(AtomicBool::new(false));
        let follower = leader.and_then({
            let ran = ran.clone();
            move |()| {
                ran.store(true, Ordering::Relaxed);
                next
            }
        });
        let sender = send(promise, ());
        let canceller = cancel(&follower);
        assert!(matches!(follower.join_into(), Err(JoinError::Cancelled)));
        ended(canceller);
        ended(sender);
        assert_eq!(kept.is_cancelled(), ran.load(Ordering::Relaxed));
    });
}

/// Either the join finds that the follower waits for the joiner, or the follower breaks the join when
/// it comes to the joiner.
#[test]
fn join_of_a_follower_by_its_next_leader_is_refused() {
    preempted(2, || {
        let (promise, leader) = Promise::owned("leader");
        let (last, next) = Promise::owned("next");
        let follower = leader.and_then(move |()| next);
        let joiner = loom::thread::spawn(move || {
            let current = current::enter(last.task_id());
            let joined = follower.join_into();
            drop(current);
            assert!(matches!(joined, Err(JoinError::WouldDeadlock { .. })));
            last.send(7).is_ok()
        });
        assert!(promise.send(()).is_ok());
        assert!(ended(joiner));
    });
}

#[test]
fn group_of_racing_ends_gives_each_value_once() {
    gives_each_value_once(|group| Some(group.join_next()?.1.expect("sent")));
}

#[test]
fn awaited_group_of_racing_ends_gives_each_value() {
    gives_each_value_once(|group| Some(block_on(group.next_ended())?.1.expect("sent")));
}

fn gives_each_value_once(next: fn(&mut Group<i32>) -> Option<i32>) {
    three_threads(move || {
        let mut group = Group::new();
        let senders = [1, 2].map(|number| {
            let (promise, task) = Promise::owned("promise");
            group.add(task);
            send(promise, number)
        });
        let values = [(); 3].map(|()| next(&mut group));
        assert!(matches!(
            values,
            [Some(1), Some(2), None] | [Some(2), Some(1), None]
        ));
        assert!(senders.into_iter().all(ended));
    });
}

#[test]
fn timed_wait_of_a_group_loses_no_value() {
    loom::model(|| {
        let mut group = Group::new();
        let (promise, task) = Promise::owned("promise");
        group.add(task);
        let sender = send(promise, 7);
        let joined = group
            .join_next_timeout(SOME_TIME)
            .or_else(|| group.join_next());
        let (_, value) = joined.expect("it has a task");
        assert_eq!(value.expect("sent"), 7);
        assert!(group.is_empty());
        assert!(ended(sender));
    });
}

#[test]
fn dropped_group_racing_an_end_cancels_or_drops_it() {
    loom::model(|| {
        let dropped = Arc::new(AtomicBool::new(false));
        let mut group = Group::new();
        let (promise, task) = Promise::owned("promise");
        group.add(task);
        let value = DropCheck(dropped.clone());
        let sender = loom::thread::spawn(move || drop(promise.send(value)));
        drop(group);
        ended(sender);
        assert!(dropped.load(Ordering::Relaxed));
    });
}

#[test]
fn select_racing_an_end_and_a_cancel_returns_one() {
    three_threads(|| {
        let (promise, task) = Promise::new("promise");
        let token = CancelToken::new();
        let sender = send(promise, 7);
        let canceller = loom::thread::spawn({
            let token = token.clone();
            move || token.cancel()
        });
        match Select::new().task(&task).token(&token).wait() {
            Ok(index) => assert!(index == 0 && task.is_finished()),
            Err(error) => assert!(error == SelectError::Cancelled && token.is_cancelled()),
        }
        assert!(ended(sender));
        ended(canceller);
    });
}
