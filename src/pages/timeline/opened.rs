//! Traces that were opened from files.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::pages::background_tasks::{BackgroundTasks, drop_in_task};
use crate::trace::{Trace, read_chrome};
use crate::ui::notices::Notice;
use crate::ui::trace_view::TraceViewState;

/// The traces that may be open at once; each may have millions of spans.
const MAX_OPEN: usize = 4;
/// The ends of the names of files that are traces.
const ENDS: [&str; 2] = [".trace.json", ".trace.json.gz"];

/// A trace from a file, with its view.
#[derive(Clone, Debug)]
pub(super) struct OpenedTrace {
    /// The name of the file.
    pub(super) name: String,
    pub(super) trace: Trace,
    /// What was left out of it, a sentence each.
    pub(super) notes: Vec<String>,
    pub(super) view: TraceViewState,
}

/// The opened traces, and those that are being read.
#[derive(Default)]
pub(super) struct OpenedTraces {
    pub(super) traces: Vec<OpenedTrace>,
    tasks: BackgroundTasks<Result<OpenedTrace, String>>,
}

impl OpenedTraces {
    /// Reads traces in tasks. Returns a message for each that is not read.
    pub(super) fn open(
        &mut self,
        paths: impl IntoIterator<Item = PathBuf>,
        wake: impl Fn() + Clone + Send + 'static,
    ) -> Vec<Notice> {
        let mut refused = Vec::new();
        for path in paths {
            if self.traces.len() + self.tasks.running() >= MAX_OPEN {
                let text = format!(
                    "{} was not opened: {MAX_OPEN} traces are open; close one first.",
                    path.display()
                );
                refused.push(Notice::error(text));
                continue;
            }
            let started = self
                .tasks
                .start("open trace", move || read(&path), wake.clone());
            refused.extend(started.err());
        }
        refused
    }

    /// Adds a trace of this program, in the place of one of the same name. Returns its place.
    ///
    /// # Errors
    /// A message: there is no room.
    pub(super) fn add(&mut self, name: String, trace: Trace) -> Result<usize, Notice> {
        let opened = OpenedTrace {
            name,
            trace,
            notes: Vec::new(),
            view: TraceViewState::default(),
        };
        let place = self.traces.iter().position(|it| it.name == opened.name);
        if let Some(place) = place {
            let replaced = std::mem::replace(&mut self.traces[place], opened);
            drop_in_task("close trace", replaced);
            return Ok(place);
        }
        if self.traces.len() + self.tasks.running() >= MAX_OPEN {
            let text = format!("{MAX_OPEN} traces are open; close one first.");
            return Err(Notice::error(text));
        }
        self.traces.push(opened);
        Ok(self.traces.len() - 1)
    }

    /// Takes the traces that were read. Returns whether there is a new one, and a message for each that could not be
    /// read.
    pub(super) fn poll(&mut self) -> (bool, Vec<Notice>) {
        let before = self.traces.len();
        let mut problems = Vec::new();
        for done in self.tasks.poll() {
            match done {
                Ok(Ok(trace)) => self.traces.push(trace),
                Ok(Err(problem)) => problems.push(Notice::error(problem)),
                Err(notice) => problems.push(notice),
            }
        }
        (self.traces.len() > before, problems)
    }
}

/// Takes the traces out of files with which the program was started, if there is nothing else among them.
pub(crate) fn take_traces(files: &mut Vec<PathBuf>) -> Vec<PathBuf> {
    let all = files.iter().all(|file| is_trace(file));
    if all {
        std::mem::take(files)
    } else {
        Vec::new()
    }
}

fn is_trace(file: &Path) -> bool {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().to_lowercase());
    name.is_some_and(|name| ENDS.iter().any(|end| name.ends_with(end)))
}

fn read(path: &Path) -> Result<OpenedTrace, String> {
    let shown = path.display();
    let is_file = std::fs::metadata(path).is_ok_and(|it| it.is_file());
    if path.exists() && !is_file {
        return Err(format!("{shown} is no file; choose a trace."));
    }
    let file = File::open(path).map_err(|error| format!("{shown} can't be read: {error}."))?;
    let read = read_chrome(file).map_err(|error| format!("{shown} was not opened: {error}."))?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok(OpenedTrace {
        name: name.to_string_lossy().into_owned(),
        trace: read.trace,
        notes: read.notes,
        view: TraceViewState::default(),
    })
}
