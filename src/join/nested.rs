//! Callbacks that end other tasks, whose callbacks end others in turn.
//!
//! Up to [`MAX_DEPTH`] callbacks run inside each other. Those that are due further inside run after
//! the innermost of these, so that a chain of any length needs a bounded stack.
//!
//! A wait of this library runs what is due on its thread first, since it may be for what that does: for
//! the end of a follower, for example, whose function is one of the later callbacks. Callbacks that need not
//! run on this thread are handed to another one then: one that blocks would hold up a wait that has a
//! deadline.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::panic::contain;
use super::waiters::Callback;

const MAX_DEPTH: usize = 16;

#[cfg(not(loom))]
thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static POSTPONED: RefCell<VecDeque<Callback>> = const { RefCell::new(VecDeque::new()) };
    /// The callbacks that are due, for each end in progress.
    static DUE: RefCell<Vec<Due>> = const { RefCell::new(Vec::new()) };
}

// A model runs all its threads on one.
#[cfg(loom)]
loom::thread_local! {
    static DEPTH: Cell<usize> = Cell::new(0);
    static POSTPONED: RefCell<VecDeque<Callback>> = RefCell::new(VecDeque::new());
    static DUE: RefCell<Vec<Due>> = RefCell::new(Vec::new());
}

struct Due {
    callbacks: VecDeque<Callback>,
    hand_on: Option<HandOn>,
}

/// Has callbacks run on another thread, or returns them if there is none.
pub(crate) type HandOn = fn(Vec<Callback>) -> Result<(), Vec<Callback>>;

/// Runs a callback and ignores its panic. If too many run around it, it runs after the innermost of
/// them, on this thread.
pub(crate) fn run(callback: Callback) {
    let depth = DEPTH.with(Cell::get);
    if depth >= MAX_DEPTH {
        return POSTPONED.with(|postponed| postponed.borrow_mut().push_back(callback));
    }
    DEPTH.with(|it| it.set(depth + 1));
    contain(callback);
    if depth + 1 == MAX_DEPTH {
        run_postponed();
    }
    DEPTH.with(|it| it.set(depth));
}

/// Calls `first`, and then runs callbacks one after another. What waits meanwhile runs those that are left.
pub(crate) fn run_all(callbacks: Vec<Callback>, first: impl FnOnce()) {
    if callbacks.is_empty() {
        first();
    } else {
        run_due_after(callbacks.into(), None, first);
    }
}

/// Runs callbacks one after another. If one of them waits, those after it are handed on.
pub(crate) fn run_or_hand_on(callbacks: Vec<Callback>, hand_on: HandOn) {
    run_due_after(callbacks.into(), Some(hand_on), || ());
}

/// Calls `first`, and then runs what it has [put off](later).
pub(crate) fn run_with_later(first: impl FnOnce()) {
    run_due_after(VecDeque::new(), None, first);
}

/// Runs a callback after the end that is in progress on this thread, or now if none is.
pub(crate) fn later(callback: Callback) {
    let mut callback = Some(callback);
    let add = |due: &RefCell<Vec<Due>>| {
        if let Some(due) = due.borrow_mut().last_mut() {
            due.callbacks.extend(callback.take());
        }
    };
    // While the thread ends, the list is gone.
    DUE.try_with(add).ok();
    callback.into_iter().for_each(run);
}

fn run_due_after(callbacks: VecDeque<Callback>, hand_on: Option<HandOn>, first: impl FnOnce()) {
    let mut callbacks = Some(callbacks);
    // While the thread ends, the list is gone.
    let add = |due: &RefCell<Vec<_>>| {
        let callbacks = callbacks.take().into_iter();
        let new = callbacks.map(|callbacks| Due { callbacks, hand_on });
        due.borrow_mut().extend(new);
    };
    let are_listed = DUE.try_with(add).is_ok();
    first();
    if are_listed {
        let next = || DUE.with(|due| due.borrow_mut().last_mut()?.callbacks.pop_front());
        while let Some(callback) = next() {
            run(callback);
        }
        DUE.with(|due| due.borrow_mut().pop());
    }
    callbacks.into_iter().flatten().for_each(run);
}

/// Runs what is due on this thread or hands it on, before it waits.
pub(crate) fn run_due() {
    // Destructors of other thread locals may wait, too. Nothing is due then.
    let handed_on = DUE.try_with(|due| {
        let mut due = due.borrow_mut();
        let of_others = due.iter_mut().filter(|due| !due.callbacks.is_empty());
        let handed_on = of_others.filter_map(|due| {
            let hand_on = due.hand_on?;
            Some((hand_on, Vec::from(std::mem::take(&mut due.callbacks))))
        });
        handed_on.collect::<Vec<_>>()
    });
    for (hand_on, callbacks) in handed_on.into_iter().flatten() {
        if let Err(refused) = hand_on(callbacks) {
            refused.into_iter().for_each(run);
        }
    }
    let next = || {
        DUE.try_with(|due| {
            let mut due = due.borrow_mut();
            due.iter_mut().find_map(|due| due.callbacks.pop_front())
        })
    };
    while let Ok(Some(callback)) = next() {
        run(callback);
    }
    run_postponed();
}

/// Runs what was postponed on this thread.
fn run_postponed() {
    if DEPTH.with(Cell::get) < MAX_DEPTH {
        return;
    }
    let next = || POSTPONED.with(|postponed| postponed.borrow_mut().pop_front());
    while let Some(callback) = next() {
        contain(callback);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn callbacks_that_nobody_takes_run_here() {
        let (send, receive) = mpsc::channel();
        let first = {
            let send = send.clone();
            Box::new(move || {
                run_due();
                send.send(1).expect("it is received");
            })
        };
        let second = Box::new(move || send.send(2).expect("it is received"));
        run_or_hand_on(vec![first, second], Err);
        assert_eq!(receive.into_iter().collect::<Vec<_>>(), [2, 1]);
    }
}
