//! The user's actions on the processes of a job.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::JobBoard;
use crate::jobs::StopSummary;
use crate::join::process::Process;
use crate::join::{self, SpawnError};
use crate::record::{EventKind, ItemId, JobId};

impl JobBoard {
    /// The process of an item: a running one, or one of the last 64 of its job that ended. `None`
    /// where the item has no process, or the job was removed.
    ///
    /// The handle is for reading: the output ([`output_since`](Process::output_since)), the state,
    /// the process number. It may be kept. Holds a lock briefly, so a frame may call it.
    pub fn process(&self, job: JobId, item: ItemId) -> Option<Process> {
        self.jobs.get(&job)?.control.processes.process(item)
    }

    /// The running processes of a job, in the order of their items. An isolated worker counts as
    /// the process of its current item: that item ends `Crashed` when the worker is killed.
    pub fn running_processes(&self, job: JobId) -> Vec<(ItemId, Process)> {
        self.running_of(job, None)
    }

    /// The running process of an item. Cheap enough for every frame.
    pub fn running_process(&self, job: JobId, item: ItemId) -> Option<Process> {
        let processes = &self.jobs.get(&job)?.control.processes;
        processes.running_process(item)
    }

    /// The number of running processes of a job. Cheap enough for every frame.
    pub fn running_process_count(&self, job: JobId) -> usize {
        let entry = self.jobs.get(&job);
        entry.map_or(0, |entry| entry.control.processes.count())
    }

    /// Sends `SIGTERM` to the running process of one item, or of all items, of a job. Does not wait.
    ///
    /// Descendants of the processes get no signal. The items end as their processes then do, mostly
    /// failed. Waiting items are not affected; cancel the job to end those.
    ///
    /// # Errors
    /// The last refusal: a process runs as another user. The others were signalled.
    pub fn terminate(&self, job: JobId, item: Option<ItemId>) -> io::Result<()> {
        self.signal_each(job, item, |item, process| {
            process.terminate()?;
            self.note_stop_request(job, item);
            Ok(())
        })
    }

    /// Sends `SIGKILL`; otherwise like [`terminate`](Self::terminate).
    ///
    /// # Errors
    /// As `terminate`.
    pub fn kill(&self, job: JobId, item: Option<ItemId>) -> io::Result<()> {
        self.signal_each(job, item, |_item, process| process.kill())
    }

    /// Stops the running process of one item, or of all items, of a job, with all descendants: asks
    /// them to end, and kills after `grace` those that are left. Does not wait: the results arrive
    /// as [`EventKind::ItemDidStopTree`].
    ///
    /// # Errors
    /// The system refused a thread; the processes before that are being stopped.
    pub fn stop_tree(
        &self,
        job: JobId,
        item: Option<ItemId>,
        grace: Duration,
    ) -> Result<(), SpawnError> {
        let Some(entry) = self.jobs.get(&job) else {
            return Ok(());
        };
        for (item, process) in self.running_of(job, item) {
            let events = entry.events.clone();
            // A thread each, so that a process that uses up its grace delays no other.
            join::Builder::new(format!("stop {}", process.name()))
                .daemon(true)
                .spawn(move |_| {
                    let stopped = Arc::new(StopSummary::from(&process.stop(grace)));
                    events.publish(EventKind::ItemDidStopTree { item, stopped });
                    events.wake();
                })?;
            self.note_stop_request(job, item);
        }
        Ok(())
    }

    fn signal_each(
        &self,
        job: JobId,
        item: Option<ItemId>,
        signal: impl Fn(ItemId, &Process) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut refused = None;
        for (item, process) in self.running_of(job, item) {
            refused = signal(item, &process).err().or(refused);
        }
        refused.map_or(Ok(()), Err)
    }

    fn note_stop_request(&self, job: JobId, item: ItemId) {
        if let Some(entry) = self.jobs.get(&job) {
            let kind = EventKind::ProcessStopWasRequested { item };
            entry.events.publish(kind);
            entry.events.wake();
        }
    }

    fn running_of(&self, job: JobId, item: Option<ItemId>) -> Vec<(ItemId, Process)> {
        let Some(entry) = self.jobs.get(&job) else {
            return Vec::new();
        };
        let processes = &entry.control.processes;
        match item {
            Some(item) => {
                let process = processes.running_process(item);
                process.map(|process| (item, process)).into_iter().collect()
            }
            None => processes.running(),
        }
    }
}
