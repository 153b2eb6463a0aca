//! Counts the work of searches, for tests.

use std::cell::Cell;

thread_local! {
    static VISITS: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn count() {
    VISITS.with(|visits| visits.set(visits.get() + 1));
}

/// Returns the number of nodes and tasks that searches on this thread have looked at while `code` ran.
pub(crate) fn during(code: impl FnOnce()) -> usize {
    let before = VISITS.with(Cell::get);
    code();
    VISITS.with(Cell::get) - before
}
