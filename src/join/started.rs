//! Threads that are started on first use.

use std::sync::{Mutex, OnceLock};

use super::error::SpawnError;
use super::priority::{Priority, spawn_thread};
use super::sync::ignore_poison;

/// What is needed to reach a thread that is started on first use. Unlike with a [`OnceLock`] alone, the
/// start may fail, and the next use tries again.
pub(crate) struct Started<T> {
    link: OnceLock<T>,
    /// Locked while the thread is started.
    starting: Mutex<()>,
}

impl<T> Started<T> {
    pub(crate) const fn new() -> Self {
        Self {
            link: OnceLock::new(),
            starting: Mutex::new(()),
        }
    }

    /// Returns the link if the thread has been started.
    #[cfg_attr(
        any(not(all(unix, feature = "process")), loom),
        expect(dead_code, reason = "only `process` asks without starting it")
    )]
    pub(crate) fn get(&self) -> Option<&T> {
        self.link.get()
    }

    /// Returns the link. Calls `start`, which starts the thread and returns its link, unless that was
    /// done before.
    pub(crate) fn get_or_start(
        &self,
        start: impl FnOnce() -> Result<T, SpawnError>,
    ) -> Result<&T, SpawnError> {
        if let Some(link) = self.link.get() {
            return Ok(link);
        }
        let _only_one = ignore_poison(self.starting.lock());
        if let Some(link) = self.link.get() {
            return Ok(link);
        }
        let link = start()?;
        Ok(self.link.get_or_init(|| link))
    }
}

/// Starts a thread with this name and the program's own priority.
pub(crate) fn start_thread(
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> Result<(), SpawnError> {
    let thread = std::thread::Builder::new().name(name.to_owned());
    spawn_thread(thread, Priority::Normal, run).map_err(|cause| SpawnError::new(name, cause))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn refused_start_is_tried_again_and_then_done_once() {
        let started = Started::new();
        let refusal = || Err(SpawnError::new("thread", std::io::Error::other("refused")));
        assert!(started.get_or_start(refusal).is_err());
        let starts = AtomicUsize::new(0);
        let start = || {
            starts.fetch_add(1, Ordering::Relaxed);
            Ok(7)
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(started.get_or_start(start).ok(), Some(&7)));
            }
        });
        assert_eq!(starts.load(Ordering::Relaxed), 1);
    }
}
