//! Callbacks that end other tasks, whose callbacks end others in turn.
//!
//! Up to [`MAX_DEPTH`] callbacks run inside each other. Those that are due further inside run after
//! the innermost of these, so that a chain of any length needs a bounded stack. A wait of this library
//! runs them first, since it may be for what they do.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::panic::contain;
use super::waiters::Callback;

const MAX_DEPTH: usize = 16;

#[cfg(not(loom))]
thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static POSTPONED: RefCell<VecDeque<Callback>> = const { RefCell::new(VecDeque::new()) };
}

// A model runs all its threads on one.
#[cfg(loom)]
loom::thread_local! {
    static DEPTH: Cell<usize> = Cell::new(0);
    static POSTPONED: RefCell<VecDeque<Callback>> = RefCell::new(VecDeque::new());
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

/// Runs what was postponed on this thread.
pub(crate) fn run_postponed() {
    if DEPTH.with(Cell::get) < MAX_DEPTH {
        return;
    }
    let next = || POSTPONED.with(|postponed| postponed.borrow_mut().pop_front());
    while let Some(callback) = next() {
        contain(callback);
    }
}
