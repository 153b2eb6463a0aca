//! Reports from files, which are shown beside the one of this machine.

use std::path::PathBuf;

use crate::join::{self, Task};
use crate::lab::SavedReport;
use crate::ui::notices::Notice;

type Read = Result<SavedReport, String>;

/// More columns would leave no room for the report itself.
const MAX_OPEN: usize = 4;

#[derive(Default)]
pub(super) struct OtherReports {
    reports: Vec<SavedReport>,
    /// The files that are being read.
    reading: Vec<Task<Read>>,
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
        if self.reports.len() + self.reading.len() >= MAX_OPEN {
            return Err(Notice::error(format!(
                "{MAX_OPEN} other reports are open, which is the most. Close them first."
            )));
        }
        let task = join::spawn("read report", move |_| SavedReport::read(&path));
        let task = task.map_err(|error| Notice::error(error.to_string()))?;
        task.on_finish(wake);
        self.reading.push(task);
        Ok(())
    }

    /// Takes the reports that were read. Returns what went wrong.
    pub(super) fn poll(&mut self) -> Vec<Notice> {
        let mut problems = Vec::new();
        self.reading.retain(|task| match task.poll() {
            None => true,
            Some(Ok(Ok(report))) => {
                self.reports.push(report.clone());
                false
            }
            Some(Ok(Err(problem))) => {
                problems.push(Notice::error(problem));
                false
            }
            Some(Err(error)) => {
                problems.push(Notice::error(format!("The report was not read: {error}.")));
                false
            }
        });
        problems
    }

    pub(super) fn close_all(&mut self) {
        self.reports.clear();
    }
}
