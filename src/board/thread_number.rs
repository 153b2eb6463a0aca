//! Which thread runs an item.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::record::ThreadNumber;

thread_local! {
    static OWN: ThreadNumber = ThreadNumber::new(number());
}

/// The number of the calling thread: on Linux that of the system.
pub(super) fn own_thread_number() -> ThreadNumber {
    OWN.with(|number| *number)
}

#[cfg(target_os = "linux")]
fn number() -> u64 {
    u64::from(rustix::thread::gettid().as_raw_pid().cast_unsigned())
}

#[cfg(not(target_os = "linux"))]
fn number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

/// The thread on which a task runs, once it does.
#[derive(Debug, Default)]
pub(super) struct TaskThread(AtomicU64);

impl TaskThread {
    /// The task runs on the calling thread.
    pub(super) fn enter(&self) {
        self.0.store(own_thread_number().get(), Ordering::Relaxed);
    }

    /// `None` before it runs.
    pub(super) fn number(&self) -> Option<ThreadNumber> {
        let number = self.0.load(Ordering::Relaxed);
        (number > 0).then(|| ThreadNumber::new(number))
    }
}
