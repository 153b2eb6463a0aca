//! Callbacks that end other tasks, whose callbacks end others in turn.
//!
//! Up to [`MAX_DEPTH`] callbacks run inside each other. Those that are due further inside run after
//! the innermost of these, so that a chain of any length needs a bounded stack.
//!
//! A wait of this library runs what is due on its thread first, since it may be for what that does: for
//! the end of a follower, for example, whose function is one of the later callbacks.

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
    static DUE: RefCell<Vec<VecDeque<Callback>>> = const { RefCell::new(Vec::new()) };
}

// A model runs all its threads on one.
#[cfg(loom)]
loom::thread_local! {
    static DEPTH: Cell<usize> = Cell::new(0);
    static POSTPONED: RefCell<VecDeque<Callback>> = RefCell::new(VecDeque::new());
    static DUE: RefCell<Vec<VecDeque<Callback>>> = RefCell::new(Vec::new());
}

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
        run_due_after(callbacks.into(), first);
    }
}

/// Calls `first`, and then runs what it has [put off](later).
pub(crate) fn run_with_later(first: impl FnOnce()) {
    run_due_after(VecDeque::new(), first);
}

/// Runs a callback after the end that is in progress on this thread, or now if none is.
pub(crate) fn later(callback: Callback) {
    let mut callback = Some(callback);
    let add = |due: &RefCell<Vec<VecDeque<_>>>| {
        if let Some(due) = due.borrow_mut().last_mut() {
            due.extend(callback.take());
        }
    };
    // While the thread ends, the list is gone.
    DUE.try_with(add).ok();
    callback.into_iter().for_each(run);
}

fn run_due_after(callbacks: VecDeque<Callback>, first: impl FnOnce()) {
    let mut callbacks = Some(callbacks);
    // While the thread ends, the list is gone.
    let add = |due: &RefCell<Vec<_>>| due.borrow_mut().extend(callbacks.take());
    let are_listed = DUE.try_with(add).is_ok();
    first();
    if are_listed {
        let next = || DUE.with(|due| due.borrow_mut().last_mut()?.pop_front());
        while let Some(callback) = next() {
            run(callback);
        }
        DUE.with(|due| due.borrow_mut().pop());
    }
    callbacks.into_iter().flatten().for_each(run);
}

/// Runs what is due on this thread, before it waits.
pub(crate) fn run_due() {
    // Destructors of other thread locals may wait, too. Nothing is due then.
    let next = || DUE.try_with(|due| due.borrow_mut().iter_mut().find_map(VecDeque::pop_front));
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
