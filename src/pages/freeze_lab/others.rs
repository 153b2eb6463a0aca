//! Reports from files, which are shown beside the one of this machine.

use std::path::PathBuf;

use crate::lab::SavedReport;
use crate::pages::background_tasks::BackgroundTasks;
use crate::ui::notices::Notice;

/// More columns would leave no room for the report itself.
const MAX_OPEN: usize = 4;

#[derive(Default)]
pub(super) struct OtherReports {
    reports: Vec<SavedReport>,
    /// The files that are being read.
    reading: BackgroundTasks<Result<SavedReport, String>>,
}

impl OtherReports {
    /// In the order in which they were opened.
    pub(super) fn reports(&self) -> &[SavedReport] {
        &self.reports
    }

    /// Reads a report in a task, which calls `wake` at its end.
    pub(super) fn open(
        &mut self,
        path: PathBuf,
        wake: impl Fn() + Send + 'static,
    ) -> Result<(), Notice> {
        if self.reports.len() + self.reading.running() >= MAX_OPEN {
            return Err(Notice::error(format!(
                "{MAX_OPEN} other reports are open, which is the most. Close them first."
            )));
        }
        let read = move || SavedReport::read(&path);
        self.reading.start("read report", read, wake)
    }

    /// Takes the reports that were read. Returns what went wrong.
    pub(super) fn poll(&mut self) -> Vec<Notice> {
        let mut problems = Vec::new();
        for read in self.reading.poll() {
            match read.and_then(|read| read.map_err(Notice::error)) {
                Ok(report) => self.reports.push(report),
                Err(problem) => problems.push(problem),
            }
        }
        problems
    }

    pub(super) fn close_all(&mut self) {
        self.reports.clear();
    }
}
