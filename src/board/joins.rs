use std::time::Duration;

use crate::record::{JobId, JoinId};

/// The background joins that have not ended.
#[derive(Default)]
pub(super) struct Joins(Vec<BackgroundJoin>);

pub(super) struct BackgroundJoin {
    pub(super) job: JobId,
    pub(super) id: JoinId,
    /// On the clock of the board.
    pub(super) deadline: Option<Duration>,
}

impl Joins {
    pub(super) fn push(&mut self, join: BackgroundJoin) {
        self.0.push(join);
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.0.iter().filter_map(|join| join.deadline).min()
    }

    /// Takes out all joins of a job.
    pub(super) fn take_of(&mut self, job: JobId) -> Vec<BackgroundJoin> {
        self.0.extract_if(.., |join| join.job == job).collect()
    }

    /// Takes out the joins whose deadline has passed and whose job still runs.
    pub(super) fn take_expired(
        &mut self,
        now: Duration,
        runs: impl Fn(JobId) -> bool,
    ) -> Vec<BackgroundJoin> {
        let is_expired =
            |join: &BackgroundJoin| join.deadline.is_some_and(|deadline| deadline <= now);
        let expired = self
            .0
            .extract_if(.., |join| is_expired(join) && runs(join.job));
        expired.collect()
    }
}
