use std::time::Duration;

use super::JobBoard;
use super::jobs::JobEntry;
use super::joins::BackgroundJoin;
use crate::join::JoinError;
use crate::record::{EventKind, JobId, JoinId, JoinOutcome};

impl JobBoard {
    /// Starts to wait for a job in the background, and returns the number of this join.
    ///
    /// [`EventKind::JoinDidEnd`] reports its end: when the job ends, or after `timeout`, never
    /// earlier. After a timeout the job goes on. A join of a job that has ended or was removed ends
    /// at once.
    pub fn join(&mut self, job: JobId, timeout: Option<Duration>) -> JoinId {
        let id = self.begin_join(job, timeout, false);
        if self.jobs.get(&job).is_some_and(|entry| !entry.has_ended) {
            let deadline = timeout.and_then(|timeout| self.now().checked_add(timeout));
            self.joins.push(BackgroundJoin { job, id, deadline });
        } else {
            self.end_join(job, id, JoinOutcome::Joined);
        }
        self.signal.wake();
        id
    }

    /// Blocks the calling thread until the job has ended or `timeout` has passed, and returns
    /// which.
    ///
    /// This freezes a window. It is for demonstrating that, and for programs without a window.
    pub fn join_blocking(&mut self, job: JobId, timeout: Option<Duration>) -> JoinOutcome {
        let join = self.begin_join(job, timeout, true);
        let timed_out = self.jobs.get(&job).is_some_and(|entry| {
            let joined = match timeout {
                Some(timeout) => entry.task.join_timeout(timeout),
                None => entry.task.join(),
            };
            matches!(joined, Err(JoinError::TimedOut))
        });
        let outcome = if timed_out {
            JoinOutcome::TimedOut
        } else {
            JoinOutcome::Joined
        };
        self.end_join(job, join, outcome);
        self.signal.wake();
        outcome
    }

    /// Ends every background join of a job as `Detached`. The job runs on.
    pub fn detach(&mut self, job: JobId) {
        for join in self.joins.take_of(job) {
            self.end_join(job, join.id, JoinOutcome::Detached);
            self.signal.wake();
        }
    }

    /// The earliest deadline of a background join, on the clock of [`now`](Self::now).
    pub fn next_deadline(&self) -> Option<Duration> {
        self.joins.next_deadline()
    }

    /// Ends the joins whose deadline has passed, except those of a job that has finished: they end
    /// as joined when a poll returns the job's end.
    pub(super) fn end_expired_joins(&mut self) {
        let jobs = &self.jobs;
        let runs = |job| jobs.get(&job).is_some_and(|job| !job.task.is_finished());
        for join in self.joins.take_expired(self.signal.now(), runs) {
            self.end_join(join.job, join.id, JoinOutcome::TimedOut);
            #[cfg(target_os = "linux")]
            self.explain_join(join.job, join.id);
        }
    }

    fn begin_join(&mut self, job: JobId, timeout: Option<Duration>, blocking: bool) -> JoinId {
        let join = self.jobs.get_mut(&job).map(JobEntry::next_join);
        let join = join.unwrap_or(JoinId::new(0));
        let kind = EventKind::JoinDidStart {
            join,
            timeout,
            blocking,
        };
        self.note(job, kind);
        join
    }

    pub(super) fn end_join(&mut self, job: JobId, join: JoinId, outcome: JoinOutcome) {
        self.note(job, EventKind::JoinDidEnd { join, outcome });
    }
}
