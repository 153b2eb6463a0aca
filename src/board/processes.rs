//! What can be asked of the processes of a job.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::JobBoard;
use crate::jobs::command::StopSummary;
use crate::join::process::Process;
use crate::join::{self, SpawnError};
use crate::record::{EventKind, ItemId, JobId};

impl JobBoard {
    /// The process of an item: of one that runs, or of one of the last 64 of its job that ended,
    /// until the job is forgotten. `None` where an item has none, or none any more.
    ///
    /// The handle is for looking: what the process has printed
    /// ([`output_since`](Process::output_since)), where it stands, its number. It may be kept.
    /// Takes a lock that is never held for long, so a frame may call it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use meanwhile::board::JobBoard;
    /// use meanwhile::jobs::command::{self, CommandLine};
    /// use meanwhile::jobs::{JobSpec, Options, Priority, RunOn};
    /// use meanwhile::record::ItemId;
    ///
    /// let mut board = JobBoard::new(|| {});
    /// let job = board.start(JobSpec {
    ///     options: Options::Command(command::Options {
    ///         command: CommandLine::Line("echo hello".to_owned()),
    ///         ..command::Options::default()
    ///     }),
    ///     inputs: Vec::new(),
    ///     run_on: RunOn::Pool,
    ///     workers: 1,
    ///     priority: Priority::Normal,
    /// })?;
    /// board.join_blocking(job, Some(Duration::from_secs(60)));
    /// let process = board.process(job, ItemId(0)).expect("it ended just now");
    /// assert_eq!(process.output().stdout.text(), "hello\n");
    /// # Ok::<(), meanwhile::join::SpawnError>(())
    /// ```
    pub fn process(&self, job: JobId, item: ItemId) -> Option<Process> {
        self.jobs.get(&job)?.control.live.process(item)
    }

    /// The processes of a job that run, in the order of their items. An isolated worker counts as
    /// the process of the item that it has: that item ends `Crashed` when somebody ends it.
    pub fn running_processes(&self, job: JobId) -> Vec<(ItemId, Process)> {
        self.running_of(job, None)
    }

    /// Asks the running processes of a job to end (`SIGTERM`): that of one item, or all. What they
    /// have started is left alone. Their items end as they then do: mostly failed, killed by that
    /// signal. Does not wait. Items that wait are not touched; to end those, cancel the job.
    ///
    /// # Errors
    /// The system refused one of them, which has taken the rights of somebody else. The others
    /// were asked.
    pub fn terminate(&self, job: JobId, item: Option<ItemId>) -> io::Result<()> {
        self.each(job, item, |item, process| {
            process.terminate()?;
            self.did_ask(job, item);
            Ok(())
        })
    }

    /// Ends the running processes of a job at once (`SIGKILL`); otherwise like
    /// [`terminate`](Self::terminate).
    ///
    /// # Errors
    /// As `terminate`.
    pub fn kill(&self, job: JobId, item: Option<ItemId>) -> io::Result<()> {
        self.each(job, item, |_item, process| process.kill())
    }

    /// Ends the running processes of a job with everything they have started: asks all of them,
    /// kills after `grace` what is left. Returns at once: it is done in the background, and what
    /// became of each comes as [`EventKind::ItemDidStopTree`].
    ///
    /// # Errors
    /// The system refused a thread; the processes before that are being stopped.
    pub fn stop_tree(
        &self,
        job: JobId,
        item: Option<ItemId>,
        grace: Duration,
    ) -> Result<(), SpawnError> {
        for (item, process) in self.running_of(job, item) {
            let feed = self.feed.clone();
            // A thread for each, so that one that takes all of its grace keeps no other waiting.
            join::Builder::new(format!("stop {}", process.name()))
                .daemon(true)
                .spawn(move |_| {
                    let stopped = Arc::new(StopSummary::from(&process.stop(grace)));
                    feed.publish(job, EventKind::ItemDidStopTree { item, stopped });
                    feed.wake();
                })?;
            self.did_ask(job, item);
        }
        Ok(())
    }

    fn each(
        &self,
        job: JobId,
        item: Option<ItemId>,
        signal: impl Fn(ItemId, &Process) -> io::Result<()>,
    ) -> io::Result<()> {
        let processes = self.running_of(job, item).into_iter();
        let refused = processes.filter_map(|(item, process)| signal(item, &process).err());
        // All of them first: each is signalled as it is asked for its error.
        refused.collect::<Vec<_>>().pop().map_or(Ok(()), Err)
    }

    fn did_ask(&self, job: JobId, item: ItemId) {
        let kind = EventKind::ItemDidAskProcess { item };
        self.feed.publish(job, kind);
        self.feed.wake();
    }

    fn running_of(&self, job: JobId, item: Option<ItemId>) -> Vec<(ItemId, Process)> {
        let entry = self.jobs.get(&job);
        entry.map_or_else(Vec::new, |entry| entry.control.live.running(item))
    }
}
