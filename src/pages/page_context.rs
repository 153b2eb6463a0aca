use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;

use super::background_tasks::{BackgroundTasks, TaskOutput};
use super::dialog::{DialogAnswer, DialogSlot};
use super::watch::Watch;
use super::{Dialogs, Opener, PageId, State};
use crate::format;
use crate::record::{FrameCosts, FrameHistory, JobTrace, nanos};
use crate::ui::notices::{Notice, Notices};

/// The window, as far as a page uses it.
pub(crate) struct PageContext {
    pub(crate) ctx: egui::Context,
    pub(crate) state: State,
    pub(crate) settings_file: PathBuf,
    pub(crate) notices: Notices,
    pub(crate) dialogs: DialogSlot,
    opener: Arc<dyn Opener>,
    pub(crate) frames: FrameHistory,
    /// What ran and what waited, in all jobs.
    pub(crate) trace: JobTrace,
    /// How long the clock of the trace has run when that of the window begins.
    trace_ahead: Duration,
    pub(crate) frame_costs: FrameCosts,
    pub(crate) watch: Watch,
    pub(crate) background_tasks: BackgroundTasks<TaskOutput>,
    /// The page to show next, and what to select on it.
    pub(crate) open: Option<(PageId, String)>,
    /// What a screen reader says: how work has ended. Empty again when other work starts, for that may end the same.
    pub(crate) announcement: String,
    started: Instant,
}

impl PageContext {
    pub(crate) fn new(
        ctx: &egui::Context,
        state: State,
        settings_file: PathBuf,
        notices: Vec<Notice>,
        dialogs: Box<dyn Dialogs>,
        opener: Arc<dyn Opener>,
    ) -> Self {
        let mut shown = Notices::default();
        for notice in notices {
            shown.push(notice, Duration::ZERO);
        }
        Self {
            ctx: ctx.clone(),
            state,
            settings_file,
            notices: shown,
            dialogs: DialogSlot::new(dialogs),
            opener,
            frames: FrameHistory::default(),
            trace: JobTrace::default(),
            trace_ahead: Duration::ZERO,
            frame_costs: FrameCosts::default(),
            watch: Watch::new(),
            background_tasks: BackgroundTasks::default(),
            open: None,
            announcement: String::new(),
            started: Instant::now(),
        }
    }

    /// The time since the window opened. Monotonic.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Says what the clock of the trace is now: that of the jobs.
    pub(crate) fn set_trace_clock(&mut self, now: Duration) {
        self.trace_ahead = now.saturating_sub(self.now());
    }

    /// The time in the trace, in nanoseconds.
    pub(crate) fn trace_now(&self) -> u64 {
        self.trace_time(self.now())
    }

    /// A time of the window's clock in the trace, in nanoseconds.
    pub(crate) fn trace_time(&self, at: Duration) -> u64 {
        nanos(at + self.trace_ahead)
    }

    /// Takes in the frames that took too long.
    pub(crate) fn take_incidents(&mut self) {
        for incident in self.watch.poll() {
            let began = incident.began.saturating_duration_since(self.started);
            let began = began + self.trace_ahead;
            self.trace.add_freeze(began, &incident.record);
            self.state.incidents.push(incident.record);
        }
    }

    /// Whether this page is shown.
    pub(crate) fn shows(&self, page: &PageId) -> bool {
        self.state.page == *page
    }

    /// A function that asks the window for a frame, for other threads.
    pub(crate) fn waker(&self) -> impl Fn() + Clone + Send + Sync + 'static {
        let ctx = self.ctx.clone();
        move || ctx.request_repaint()
    }

    pub(crate) fn notify(&mut self, notice: Notice) {
        self.notices.push(notice, self.now());
    }

    /// The paths of an answer, at least one. If there is none because of a problem, a message says so and what to do
    /// `instead`.
    pub(crate) fn picked(&mut self, answer: DialogAnswer, instead: &str) -> Option<Vec<PathBuf>> {
        match answer {
            DialogAnswer::Picked(paths) => return Some(paths),
            DialogAnswer::Cancelled => {}
            DialogAnswer::NoPath => self.notify(Notice::no_path(instead)),
            DialogAnswer::Unavailable => self.notify(Notice::no_dialog(instead)),
        }
        None
    }

    /// The same for a dialog that picks one path.
    pub(crate) fn picked_one(&mut self, answer: DialogAnswer, instead: &str) -> Option<PathBuf> {
        self.picked(answer, instead)?.into_iter().next()
    }

    /// Opens files with the programs that the desktop has for them.
    pub(crate) fn open_files(&mut self, paths: Vec<PathBuf>) {
        let opener = Arc::clone(&self.opener);
        self.run_in_background("open files", move || {
            let mut paths = paths.iter();
            let problem = paths.find_map(|path| opened(path, || opener.open(path)));
            TaskOutput {
                notice: problem.map(Notice::error),
                copy: None,
            }
        });
    }

    /// Shows files in their folders.
    pub(crate) fn show_in_folders(&mut self, paths: Vec<PathBuf>) {
        let opener = Arc::clone(&self.opener);
        self.run_in_background("show files", move || {
            let problem = paths
                .first()
                .and_then(|first| opened(first, || opener.show(&paths)));
            TaskOutput {
                notice: problem.map(Notice::error),
                copy: None,
            }
        });
    }

    /// Runs work in a task, and shows what it returns.
    pub(crate) fn run_in_background(
        &mut self,
        name: &str,
        work: impl FnOnce() -> TaskOutput + Send + 'static,
    ) {
        let started = self.background_tasks.start(name, work, self.waker());
        if let Err(notice) = started {
            self.notify(notice);
        }
    }
}

/// Opens something. Returns a sentence if that was not possible.
fn opened(path: &Path, open: impl FnOnce() -> io::Result<()>) -> Option<String> {
    let shown = format::path(path);
    if matches!(path.try_exists(), Ok(false)) {
        return Some(format!("{shown} is not there any more."));
    }
    let error = open().err()?;
    Some(format!(
        "The desktop could not open {shown}: {error}; choose a program for such files in its settings."
    ))
}
