//! Processes that changed, for a window.

use std::sync::Arc;

use super::super::Changes;
use super::exit::ProcessInfo;
use super::shared::ProcessShared;

// It is here because the module `changes` does not depend on processes.
impl Changes {
    /// Takes at most `budget` of the processes that printed something, closed a stream or ended since they
    /// were last taken, oldest change first. Returns a snapshot of each, which says whether it has ended.
    /// If others stay queued, the window is woken again.
    ///
    /// If nothing changed, this takes one atomic load and no allocation.
    ///
    /// ```
    /// use meanwhile_join::Changes;
    /// use meanwhile_join::process::{Builder, Exit, ProcessState};
    ///
    /// let (wake, woken) = std::sync::mpsc::sync_channel(1);
    /// let changes = Changes::new(move || drop(wake.try_send(()))); // a window: `request_repaint`
    /// let process = Builder::new("echo").arg("hello").report_to(&changes).spawn()?;
    /// let mut log = String::new();
    /// let mut has_ended = false;
    /// while !has_ended {
    ///     woken.recv()?;
    ///     for changed in changes.take_processes(usize::MAX) {
    ///         assert_eq!(changed.pid, process.pid());
    ///         log = process.output().stdout.text().into_owned();
    ///         has_ended = matches!(changed.state, ProcessState::Ended(Exit::Code(0)));
    ///     }
    /// }
    /// assert_eq!(log, "hello\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn take_processes(&self, budget: usize) -> Vec<ProcessInfo> {
        let taken = self.take_queued_processes(budget).into_iter();
        let taken = taken.filter_map(|process| process.downcast::<ProcessShared>().ok());
        let infos = taken.map(|process: Arc<ProcessShared>| {
            process.change_mark().mark_taken();
            process.info()
        });
        infos.collect()
    }
}
