//! The task that runs on the current thread.

use std::cell::{Cell, RefCell};

use super::id::TaskId;

#[cfg(not(loom))]
thread_local! {
    static CURRENT: Cell<Option<TaskId>> = const { Cell::new(None) };
    /// The tasks whose closures this thread drops because they were cancelled.
    static DISCARDED: RefCell<Vec<TaskId>> = const { RefCell::new(Vec::new()) };
    static OUTER: RefCell<Vec<TaskId>> = const { RefCell::new(Vec::new()) };
    /// The tasks of the callbacks that run on this thread.
    static CALLING: RefCell<Vec<TaskId>> = const { RefCell::new(Vec::new()) };
}

// A model runs all its threads on one.
#[cfg(loom)]
loom::thread_local! {
    static CURRENT: Cell<Option<TaskId>> = Cell::new(None);
    static DISCARDED: RefCell<Vec<TaskId>> = RefCell::new(Vec::new());
    static OUTER: RefCell<Vec<TaskId>> = RefCell::new(Vec::new());
    static CALLING: RefCell<Vec<TaskId>> = RefCell::new(Vec::new());
}

/// Returns the task whose closure runs on this thread. If tasks run inside each other, it is the
/// innermost one.
///
/// In a callback it is the task that the callback holds up. That is `None` if the end of the
/// callback's own task called it. It is another task if that one ended the task, by a cancel or by
/// running it in a join, or if it added the callback after the end. So a callback that joins this
/// task gets [`CurrentThread`](super::JoinError::CurrentThread), and does not wait for ever.
///
/// ```
/// use meanwhile_join as join;
///
/// assert_eq!(join::current(), None);
/// let task = join::spawn("knows itself", |_| join::current())?;
/// assert_eq!(*task.join()?, Some(task.id()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn current() -> Option<TaskId> {
    CURRENT.with(Cell::get)
}

/// Whether this thread runs the task or drops its closure, and so can't wait for its end.
pub(crate) fn is_held_up(task: TaskId) -> bool {
    is_any_held_up(|held_up| held_up == task)
}

/// Whether this thread holds up a task for which `is_meant` holds.
pub(crate) fn is_any_held_up(is_meant: impl Fn(TaskId) -> bool) -> bool {
    let is_discarded = || {
        // The list is gone while the thread ends.
        let found = DISCARDED.try_with(|tasks| tasks.borrow().iter().any(|task| is_meant(*task)));
        found.unwrap_or(false)
    };
    current().is_some_and(&is_meant) || is_discarded()
}

/// Calls `discard`, which drops the closure of `task` and does not unwind.
pub(crate) fn while_discarding(task: TaskId, discard: impl FnOnce()) {
    let pushed = DISCARDED.try_with(|tasks| tasks.borrow_mut().push(task));
    discard();
    if pushed.is_ok() {
        DISCARDED.with(|tasks| tasks.borrow_mut().pop());
    }
}

/// Returns the tasks that run on this thread around the current one, the outermost first.
pub(crate) fn outer() -> Vec<TaskId> {
    // Destructors of other thread locals may wait, too.
    let outer = OUTER.try_with(|outer| outer.borrow().clone());
    outer.unwrap_or_default()
}

/// Makes `task` the current one until the guard is dropped.
pub(crate) fn enter(task: TaskId) -> CurrentGuard {
    let outer = CURRENT.with(|current| current.replace(Some(task)));
    if let Some(outer) = outer {
        OUTER.try_with(|tasks| tasks.borrow_mut().push(outer)).ok();
    }
    CurrentGuard { outer }
}

pub(crate) struct CurrentGuard {
    outer: Option<TaskId>,
}

impl Drop for CurrentGuard {
    fn drop(&mut self) {
        CURRENT.with(|current| current.set(self.outer));
        if self.outer.is_some() {
            OUTER.try_with(|tasks| tasks.borrow_mut().pop()).ok();
        }
    }
}

/// Returns the tasks of the callbacks that run on this thread.
pub(crate) fn calling() -> Vec<TaskId> {
    // The list is gone while the thread ends.
    let calling = CALLING.try_with(|tasks| tasks.borrow().clone());
    calling.unwrap_or_default()
}

/// Notes that a callback of `task` runs on this thread, until the guard is dropped.
pub(crate) fn enter_callback(task: TaskId) -> CallbackOf {
    let is_noted = CALLING.try_with(|tasks| tasks.borrow_mut().push(task));
    CallbackOf {
        is_noted: is_noted.is_ok(),
    }
}

pub(crate) struct CallbackOf {
    is_noted: bool,
}

impl Drop for CallbackOf {
    fn drop(&mut self) {
        if self.is_noted {
            CALLING.with(|tasks| tasks.borrow_mut().pop());
        }
    }
}
