//! The work that goes on when the window has closed.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::board::JobBoard;
use crate::record::{JobId, JoinOutcome};

/// How often what has happened is thrown away meanwhile: nobody looks at it any more.
const INTERVAL: Duration = Duration::from_secs(1);

/// Where a window that closes leaves the work that is to go on without it.
///
/// ```
/// use meanwhile::app::DetachedJobs;
///
/// let detached = DetachedJobs::default();
/// // Here a window opens, and closes again.
/// detached.wait(); // at once: nothing was left
/// ```
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

    /// How many jobs were left to go on.
    pub fn jobs(&self) -> usize {
        self.0.borrow().as_ref().map_or(0, |work| work.jobs.len())
    }

    /// Blocks until the work that was left has ended; returns at once if none was.
    pub fn wait(&self) {
        let Some(mut work) = self.0.borrow_mut().take() else {
            return;
        };
        for job in work.jobs {
            while work.board.join_blocking(job, Some(INTERVAL)) == JoinOutcome::TimedOut {
                work.board.poll(usize::MAX);
            }
        }
    }
}
