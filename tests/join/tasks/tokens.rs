//! T32: cancel requests that are shared and nested.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use meanwhile_join::{
    self as join, Builder, CancelToken, Cancelled, JoinError, Pool, Task, TaskState,
};

use crate::util::child::in_child;
use crate::util::gate::{Gate, TIMEOUT};
#[cfg(target_os = "linux")]
use crate::util::resources::resident_bytes;

const MANY: usize = 100_000;

fn endless(token: &CancelToken) -> Task<()> {
    Builder::new("endless")
        .cancel_token(token)
        .spawn(|context| {
            // It ends with the cancel alone.
            context.sleep_until(None).unwrap_err();
        })
        .unwrap()
}

/// A cancel may come before the task has begun.
#[track_caller]
fn assert_ended(task: &Task<()>) {
    let joined = task.join_timeout(TIMEOUT);
    assert!(
        matches!(joined, Ok(()) | Err(JoinError::Cancelled)),
        "{joined:?}"
    );
}

#[test]
fn t32_cancel_reaches_children_and_not_parents() {
    let root = CancelToken::new();
    let child = root.child();
    let (grandchild, sibling) = (child.child(), root.child());
    assert_eq!(grandchild.check(), Ok(()));
    child.cancel();
    assert!(child.is_cancelled() && grandchild.is_cancelled());
    assert!(!root.is_cancelled() && !sibling.is_cancelled());
    assert_eq!(grandchild.clone().check(), Err(Cancelled));
    root.cancel();
    assert!(sibling.is_cancelled());
    assert!(root.child().is_cancelled());
}

#[test]
fn t32_grandchild_outlives_the_token_between() {
    let root = CancelToken::new();
    let grandchild = root.child().child();
    root.cancel();
    assert!(grandchild.is_cancelled());
}

#[test]
fn t32_cancel_ends_the_tasks_of_a_token() {
    let token = CancelToken::new();
    let tasks: Vec<_> = (0..3).map(|_| endless(&token.child())).collect();
    token.cancel();
    for task in tasks {
        assert_ended(&task);
        assert!(task.is_cancel_requested());
    }
}

#[test]
fn t32_task_of_a_cancelled_token_never_runs() {
    let token = CancelToken::new();
    token.cancel();
    let pool = Pool::builder().threads(1).build().unwrap();
    let ran = Arc::new(AtomicBool::new(false));
    let work = || {
        let ran = ran.clone();
        move |_: &join::Context| ran.store(true, Ordering::SeqCst)
    };
    let builder = || Builder::new("late").cancel_token(&token);
    for task in [
        builder().spawn(work()).unwrap(),
        builder().spawn_on(&pool, work()).unwrap(),
    ] {
        assert_eq!(task.state(), TaskState::Cancelled);
        assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    }
    assert!(!ran.load(Ordering::SeqCst));
}

#[test]
fn t32_queued_task_has_ended_after_the_cancel() {
    let token = CancelToken::new();
    let pool = Pool::builder().threads(1).build().unwrap();
    let gate = Gate::new();
    let blocker = {
        let gate = gate.clone();
        Builder::new("blocker").spawn_on(&pool, move |_| gate.pass())
    };
    let queued = Builder::new("queued")
        .cancel_token(&token)
        .spawn_on(&pool, |_| ())
        .unwrap();
    token.cancel();
    assert_eq!(queued.state(), TaskState::Cancelled);
    gate.open();
    blocker.unwrap().join().unwrap();
}

#[test]
fn t32_token_of_a_task_is_its_cancel() {
    let (send, tokens) = mpsc::channel();
    let task = join::spawn("task", move |context| {
        send.send(context.token()).unwrap();
        context.sleep_until(None)
    })
    .unwrap();
    let token = tokens.recv_timeout(TIMEOUT).unwrap();
    let child = token.child();
    assert!(!token.is_cancelled());
    token.cancel();
    assert_eq!(*task.join_timeout(TIMEOUT).unwrap(), Err(Cancelled));
    assert!(task.is_cancel_requested() && child.is_cancelled());
}

#[test]
fn t32_cancelled_task_cancels_those_that_it_spawned() {
    let (send, children) = mpsc::channel();
    let parent = join::spawn("parent", move |context| {
        send.send(endless(&context.token())).unwrap();
        context.sleep_until(None)
    })
    .unwrap();
    let child = children.recv_timeout(TIMEOUT).unwrap();
    child.cancel();
    assert_ended(&child);
    assert!(!parent.is_cancel_requested());
    let other = endless(&CancelToken::new());
    parent.cancel();
    assert!(parent.join_timeout(TIMEOUT).is_ok());
    assert!(!other.is_cancel_requested());
    other.cancel();
}

#[test]
fn t32_cancel_after_the_end_is_no_request() {
    let token = CancelToken::new();
    let task = Builder::new("quick")
        .cancel_token(&token)
        .spawn(|_| 1)
        .unwrap();
    assert_eq!(*task.join().unwrap(), 1);
    token.cancel();
    assert!(!task.is_cancel_requested());
    assert_eq!(task.info().cancel_requested_at, None);
    assert_eq!(*task.join().unwrap(), 1);
}

#[test]
fn t32_callback_runs_once_or_is_taken_back() {
    let token = CancelToken::new();
    let ran = Arc::new(AtomicUsize::new(0));
    let count = || {
        let ran = ran.clone();
        move || {
            ran.fetch_add(1, Ordering::SeqCst);
        }
    };
    let stays = token.on_cancel(count());
    drop(token.on_cancel(count()));
    token.on_cancel(count()).keep();
    token.cancel();
    token.cancel();
    assert_eq!(ran.load(Ordering::SeqCst), 2);
    drop(stays);
    let at_once = token.on_cancel(count());
    assert_eq!(ran.load(Ordering::SeqCst), 3);
    drop(at_once);
}

#[test]
fn t32_dropped_guard_cancels_the_token() {
    let root = CancelToken::new();
    let child = root.child();
    let guard = child.cancel_on_drop();
    let task = endless(&child);
    assert!(!child.is_cancelled());
    drop(guard);
    assert!(child.is_cancelled() && !root.is_cancelled());
    assert_ended(&task);
    let owner = root.clone();
    let panicked = join::spawn("panics", move |_| {
        let _guard = owner.cancel_on_drop();
        panic!("on purpose");
    });
    let panicked: Task<()> = panicked.unwrap();
    assert!(matches!(panicked.join(), Err(JoinError::Panicked(_))));
    assert!(root.is_cancelled());
}

#[test]
fn t32_guard_keeps_the_token_of_its_callback() {
    let root = CancelToken::new();
    let (send, cancelled) = mpsc::channel();
    let guard = root.child().on_cancel(move || send.send(()).unwrap());
    root.cancel();
    assert_eq!(cancelled.try_recv(), Ok(()));
    drop(guard);
}

#[test]
fn t32_callback_sees_the_whole_tree_cancelled() {
    let root = CancelToken::new();
    let leaf = root.child().child();
    let (seen, sees) = mpsc::channel();
    root.on_cancel({
        let leaf = leaf.clone();
        move || seen.send(leaf.is_cancelled()).unwrap()
    })
    .keep();
    root.cancel();
    assert_eq!(sees.try_recv(), Ok(true));
}

#[test]
fn t32_callback_may_use_the_token_that_runs_it() {
    let token = CancelToken::new();
    let guard = Arc::new(Mutex::new(None));
    *guard.lock().unwrap() = Some(token.on_cancel({
        let (token, guard) = (token.clone(), guard.clone());
        move || {
            token.cancel();
            assert!(token.child().is_cancelled());
            token.on_cancel(|| ()).keep();
            drop(guard.lock().unwrap().take());
        }
    }));
    token.on_cancel(|| panic!("ignored")).keep();
    token.cancel();
    assert!(guard.lock().unwrap().is_none());
}

#[test]
fn t32_callback_racing_a_cancel_runs_or_is_dropped() {
    for _ in 0..500 {
        let token = CancelToken::new();
        let ran = Arc::new(AtomicUsize::new(0));
        let canceller = {
            let token = token.clone();
            join::spawn("canceller", move |_| token.cancel()).unwrap()
        };
        let guard = token.on_cancel({
            let ran = ran.clone();
            move || {
                ran.fetch_add(1, Ordering::SeqCst);
            }
        });
        drop(guard);
        canceller.join_timeout(TIMEOUT).unwrap();
        assert!(ran.load(Ordering::SeqCst) <= 1);
        assert_eq!(Arc::strong_count(&ran), 1);
    }
}

#[test]
fn t32_token_racing_a_spawn_misses_no_task() {
    for _ in 0..500 {
        let token = CancelToken::new();
        let canceller = {
            let token = token.clone();
            join::spawn("canceller", move |_| token.cancel()).unwrap()
        };
        // The cancel would not end a task that it missed.
        assert_ended(&endless(&token));
        canceller.join_timeout(TIMEOUT).unwrap();
    }
}

/// A child, a guard or a task that is dropped must leave nothing in its parent. Each would leave
/// more than 32 bytes.
#[cfg(target_os = "linux")]
#[test]
fn t32_dropped_children_leave_nothing_behind() {
    in_child(
        "tasks::tokens::t32_dropped_children_leave_nothing_behind",
        || {
            let token = CancelToken::new();
            let pool = Pool::builder().threads(1).build().unwrap();
            let round = |count: usize| {
                for _ in 0..count {
                    drop(token.child());
                    drop(token.on_cancel(|| ()));
                    let task = Builder::default().cancel_token(&token);
                    task.spawn_on(&pool, |_| ()).unwrap().join().unwrap();
                }
            };
            round(1_000);
            let before = resident_bytes();
            round(MANY);
            let grown = resident_bytes().saturating_sub(before);
            assert!(grown < 32 * MANY, "{grown} bytes");
        },
    );
}

#[test]
fn t32_many_children_at_once_are_all_cancelled() {
    let token = CancelToken::new();
    let children: Vec<_> = (0..MANY).map(|_| token.child()).collect();
    token.cancel();
    assert!(children.iter().all(CancelToken::is_cancelled));
}

/// Neither a cancel nor a drop may recurse once for each.
#[test]
fn t32_deep_nesting_overflows_no_stack() {
    let chain = || {
        let root = CancelToken::new();
        let leaf = (0..MANY).fold(root.clone(), |token, _| token.child());
        (root, leaf)
    };
    let (root, leaf) = chain();
    root.cancel();
    assert!(leaf.is_cancelled());
    drop(leaf);
    let (root, leaf) = chain();
    drop(leaf);
    drop(root);
}

/// A task that starts its successor, which is cancelled with it, and ends.
fn spawn_line(pool: &Pool, token: &CancelToken, left: usize, last: mpsc::Sender<CancelToken>) {
    let own = pool.clone();
    let task = Builder::new("next")
        .cancel_token(token)
        .spawn_on(pool, move |context| {
            if left == 0 {
                last.send(context.token()).unwrap();
            } else {
                spawn_line(&own, &context.token(), left - 1, last);
            }
        });
    drop(task.unwrap());
}

#[test]
fn t32_cancel_reaches_past_tasks_that_are_gone() {
    let root = CancelToken::new();
    let pool = Pool::new(1).unwrap();
    let (send, last) = mpsc::channel();
    spawn_line(&pool, &root, 1_000, send);
    let last = last.recv_timeout(TIMEOUT).unwrap();
    pool.wait_until_idle().unwrap();
    let beside = root.child();
    root.cancel();
    assert!(last.is_cancelled() && beside.is_cancelled());
}

#[test]
#[cfg(target_os = "linux")]
fn t32_ended_ancestors_are_not_kept() {
    in_child("tasks::tokens::t32_ended_ancestors_are_not_kept", || {
        let pool = Pool::new(1).unwrap();
        let root = CancelToken::new();
        let run = |generations| {
            let (send, last) = mpsc::channel();
            spawn_line(&pool, &root, generations, send);
            last.recv_timeout(TIMEOUT).unwrap()
        };
        drop(run(1_000));
        let before = resident_bytes();
        let last = run(MANY);
        let grown = resident_bytes().saturating_sub(before);
        assert!(grown < 50 * MANY, "{grown} bytes for {MANY} generations");
        root.cancel();
        assert!(last.is_cancelled());
    });
}

/// A child that lives on does not keep what was added to the token.
#[test]
fn t32_kept_callback_goes_with_its_token() {
    let token = CancelToken::new();
    let child = token.child();
    let kept = Arc::new(());
    let seen = kept.clone();
    token.on_cancel(move || drop(seen)).keep();
    drop(token);
    assert_eq!(Arc::strong_count(&kept), 1);
    assert!(!child.is_cancelled());
}
