//! Jobs that go on after the window has closed.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::board::JobBoard;
use crate::jobs::save::save;
use crate::record::{self, JobId, JoinOutcome, Record};

/// The interval at which the events of the jobs are taken, so that they don't pile up.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Holds the jobs that a closing window leaves to go on without it. Clones share them.
#[derive(Clone, Default)]
pub struct DetachedJobs(Rc<RefCell<Option<Work>>>);

struct Work {
    board: JobBoard,
    record: Record,
    jobs: Vec<JobId>,
}

impl DetachedJobs {
    pub(super) fn keep(&self, board: JobBoard, record: Record, jobs: Vec<JobId>) {
        *self.0.borrow_mut() = Some(Work {
            board,
            record,
            jobs,
        });
    }

    /// The number of jobs that go on.
    pub fn jobs(&self) -> usize {
        self.0.borrow().as_ref().map_or(0, |work| work.jobs.len())
    }

    /// Blocks until all of them have ended, and saves the report of each in `folder`, which is made. Returns a
    /// sentence for each that says where it is, or why it could not be saved.
    pub fn wait(&self, folder: &Path) -> Vec<String> {
        let Some(mut work) = self.0.borrow_mut().take() else {
            return Vec::new();
        };
        let mut said = Vec::new();
        for job in std::mem::take(&mut work.jobs) {
            while work.board.join_blocking(job, Some(POLL_INTERVAL)) == JoinOutcome::TimedOut {
                work.take_events();
            }
            work.take_events();
            said.extend(work.save_report(job, folder));
        }
        said
    }
}

impl Work {
    fn take_events(&mut self) {
        for event in self.board.poll(usize::MAX) {
            self.record.apply(event);
        }
    }

    fn save_report(&self, id: JobId, folder: &Path) -> Option<String> {
        let job = self.record.job(id)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = now.map_or(0, |time| time.as_secs());
        let name = format!(
            "{}-{seconds}-{}.txt",
            job.spec().options.job().id(),
            id.get()
        );
        let path: PathBuf = folder.join(name);
        let text = record::job_text(job, self.board.now());
        let made = std::fs::create_dir_all(folder).map_err(|error| error.to_string());
        let save = || save(&path, text.as_bytes()).map_err(|error| error.to_string());
        let saved = made.and_then(|()| save());
        let path = path.display();
        Some(match saved {
            Ok(()) => format!("The report of {id} was saved to {path}."),
            Err(error) => format!("The report of {id} was not saved: {error}."),
        })
    }
}
