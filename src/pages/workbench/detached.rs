//! Jobs that go on after the window has closed.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::board::JobBoard;
use crate::record::{JobId, JoinOutcome};

/// The interval at which the events of the jobs are dropped, so that they don't pile up.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Holds the jobs that a closing window leaves to go on without it. Clones share them.
#[derive(Clone, Default)]
pub struct DetachedJobs(Rc<RefCell<Option<Work>>>);

struct Work {
    board: JobBoard,
    jobs: Vec<JobId>,
}

impl DetachedJobs {
    pub(super) fn keep(&self, board: JobBoard, jobs: Vec<JobId>) {
        *self.0.borrow_mut() = Some(Work { board, jobs });
    }

    /// The number of jobs that go on.
    pub fn jobs(&self) -> usize {
        self.0.borrow().as_ref().map_or(0, |work| work.jobs.len())
    }

    /// Blocks until all of them have ended.
    pub fn wait(&self) {
        let Some(mut work) = self.0.borrow_mut().take() else {
            return;
        };
        for job in work.jobs {
            while work.board.join_blocking(job, Some(POLL_INTERVAL)) == JoinOutcome::TimedOut {
                work.board.poll(usize::MAX);
            }
        }
    }
}
