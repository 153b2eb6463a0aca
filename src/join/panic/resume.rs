//! Panics that go on in a joiner.

use super::report::PanicReport;
use super::{running, unseen};

impl PanicReport {
    /// Goes on with this panic on the current thread, as [`std::panic::resume_unwind`] does.
    ///
    /// The payload is the original one, or the [`message`](Self::message) if somebody has
    /// [taken](Self::take_payload) it. If this thread runs a task, the report of that task has the
    /// location and the backtrace of this one. If not, this report is reported first, as
    /// [`on_panic`](super::on_panic) says: the unwinding itself prints nothing.
    ///
    /// ```
    /// use meanwhile_join::{self as join, JoinError};
    ///
    /// let inner = join::spawn("inner", |_| -> u32 { panic!("no remainder") })?;
    /// let outer = join::spawn("outer", move |_| match inner.join() {
    ///     Err(JoinError::Panicked(report)) => report.resume_unwind(),
    ///     other => other.copied(),
    /// })?;
    /// let Err(JoinError::Panicked(report)) = outer.join() else { unreachable!() };
    /// assert_eq!((report.task_name(), report.message()), ("outer", "no remainder"));
    /// assert!(report.location().is_some());
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    ///
    /// # Panics
    /// Always; that is its purpose.
    pub fn resume_unwind(&self) -> ! {
        if !running::record(|| self.capture(), true) {
            unseen::report(self);
        }
        let payload = self.take_payload();
        let payload = payload.unwrap_or_else(|| Box::new(self.message().to_owned()));
        std::panic::resume_unwind(payload)
    }
}
