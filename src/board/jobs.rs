use std::collections::BTreeSet;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::event_sender::EventSender;
use super::run::{Control, JobOutcome};
use crate::join::{JoinError, Task};
use crate::record::{JobEvent, JobState, JoinId, PanicKey};

/// A job on the board.
pub(super) struct JobEntry {
    pub(super) task: Task<JobOutcome>,
    pub(super) control: Arc<Control>,
    pub(super) events: EventSender,
    /// The events that no poll has returned yet.
    pub(super) queue: Receiver<JobEvent>,
    /// Whether a poll has returned its end.
    pub(super) has_ended: bool,
    /// The number of items that ran at the last poll.
    pub(super) running: usize,
    cancel_requested: bool,
    timed_out: bool,
    joins: usize,
    backtraces_requested: BTreeSet<PanicKey>,
}

impl JobEntry {
    pub(super) fn new(
        task: Task<JobOutcome>,
        control: Arc<Control>,
        events: EventSender,
        queue: Receiver<JobEvent>,
    ) -> Self {
        Self {
            task,
            control,
            events,
            queue,
            has_ended: false,
            running: 0,
            cancel_requested: false,
            timed_out: false,
            joins: 0,
            backtraces_requested: BTreeSet::new(),
        }
    }

    /// Cancels the job. Returns false, without effect, if it has ended or was cancelled before.
    pub(super) fn cancel(&mut self) -> bool {
        if self.cancel_requested || self.task.is_finished() {
            return false;
        }
        self.cancel_requested = true;
        self.task.cancel();
        self.control.cancel();
        true
    }

    /// Makes the next cancel end the job as timed out.
    pub(super) fn time_out(&mut self) {
        self.timed_out = !self.cancel_requested;
    }

    /// The number of the next join.
    pub(super) fn next_join(&mut self) -> JoinId {
        self.joins += 1;
        JoinId::new(self.joins - 1)
    }

    /// Returns false if the backtrace was requested before.
    pub(super) fn request_backtrace(&mut self, panic: PanicKey) -> bool {
        self.backtraces_requested.insert(panic)
    }

    pub(super) fn final_state(&self) -> JobState {
        let panicked = |report| JobState::Panicked(self.control.keep_panic(PanicKey::Job, report));
        match self.task.poll() {
            Some(Ok(JobOutcome::Returned)) => JobState::Returned,
            Some(Ok(JobOutcome::Failed)) => JobState::Failed,
            Some(Ok(JobOutcome::PlanPanicked(report))) => panicked(report),
            Some(Err(JoinError::Panicked(report))) => panicked(&report),
            _ if self.timed_out => JobState::TimedOut,
            _ => JobState::Cancelled,
        }
    }
}
