//! Parking in a model.
//!
//! With std, `unpark` of a thread that waits for a mutex lets its next `park` return at once. loom 0.7
//! forgets the unpark then, and finds deadlocks that don't exist (`findings/loom-unpark.sh`). So a model
//! parks on a condition variable.

use std::sync::PoisonError;

use loom::sync::{Arc, Condvar, Mutex, MutexGuard};

/// A thread of a model.
#[derive(Clone)]
pub(crate) struct Thread(Arc<(Mutex<bool>, Condvar)>);

loom::thread_local! {
    static CURRENT: Thread = Thread(Arc::new((Mutex::new(false), Condvar::new())));
}

pub(crate) fn current_thread() -> Thread {
    CURRENT.with(Thread::clone)
}

pub(crate) fn park() {
    let Thread(token) = current_thread();
    let mut is_unparked = lock(&token.0);
    while !*is_unparked {
        let woken = token.1.wait(is_unparked);
        is_unparked = woken.unwrap_or_else(PoisonError::into_inner);
    }
    *is_unparked = false;
}

impl Thread {
    pub(crate) fn unpark(&self) {
        *lock(&self.0.0) = true;
        self.0.1.notify_one();
    }

    #[expect(clippy::unused_self, reason = "threads of a model have no names")]
    pub(crate) fn name(&self) -> Option<&str> {
        None
    }
}

fn lock(token: &Mutex<bool>) -> MutexGuard<'_, bool> {
    token.lock().unwrap_or_else(PoisonError::into_inner)
}
