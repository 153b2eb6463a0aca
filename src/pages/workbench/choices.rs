use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Recent;
use crate::jobs::form::set_path;
use crate::jobs::{self, Options, Priority, RunOn};

/// The choices for the next job; remembered between runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// The options of every job of the catalogue.
    pub jobs: Vec<Options>,
    /// An index into [`Choices::jobs`].
    pub chosen: usize,
    /// The id of the job that one which is made for the files from outside has replaced, until the user chooses.
    pub replaced: Option<String>,
    pub run_on: RunOn,
    /// The number of items that run at once, at least 1.
    pub workers: usize,
    /// The priority of their threads.
    pub priority: Priority,
    /// For `Join with timeout`, in seconds.
    pub timeout_secs: f64,
    /// What was an input last.
    pub recent: Recent,
    /// Whether what explains joining is shown for a job, as the user chose last; `None`: only for demonstrations.
    pub shows_joining: Option<bool>,
    /// Whether joins block the window. Not remembered: it is for trying out.
    #[serde(skip)]
    pub wait_on_ui_thread: bool,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            jobs: jobs::catalogue(),
            chosen: 0,
            replaced: None,
            run_on: RunOn::default(),
            workers: jobs::cores(),
            priority: Priority::default(),
            timeout_secs: 2.0,
            recent: Recent::default(),
            shows_joining: None,
            wait_on_ui_thread: false,
        }
    }
}

impl Choices {
    /// The longest timeout that can be chosen, in seconds.
    pub const MAX_TIMEOUT_SECS: f64 = 86_400.0;

    /// The most workers that can be chosen.
    pub const MAX_WORKERS: usize = 256;

    /// The chosen job with its options.
    pub fn options(&self) -> &Options {
        &self.jobs[self.chosen]
    }

    /// Whether what explains joining is shown for a job with these options.
    pub(crate) fn shows_joining(&self, job: &Options) -> bool {
        self.shows_joining.unwrap_or(job.job().is_demonstration())
    }

    /// Chooses the job for files with which the window is opened: one that is made for them, else the one that the
    /// user chose last if that works on files, else the first.
    pub(crate) fn choose_for(&mut self, files: &[PathBuf]) {
        let mut jobs = self.jobs.iter();
        if let Some(made_for_them) = jobs.position(|options| options.job().opens(files)) {
            if made_for_them != self.chosen {
                self.replaced = Some(self.options().job().id().to_owned());
            }
            self.chosen = made_for_them;
            return;
        }
        if let Some(id) = self.replaced.take() {
            let mut jobs = self.jobs.iter();
            let replaced = jobs.position(|options| options.job().id() == id);
            self.chosen = replaced.unwrap_or_default();
        }
        if self.options().job().is_demonstration() {
            self.chosen = 0;
        }
    }

    /// Chooses a job as the user says.
    pub(super) fn choose(&mut self, job: usize) {
        if job != self.chosen {
            self.chosen = job;
            self.replaced = None;
        }
    }

    /// Gives the row of this label in the form of a job the path; does nothing if it has none.
    pub(crate) fn set_path(&mut self, job: usize, label: &str, path: PathBuf) {
        set_path(self.jobs[job].job_mut(), label, path);
    }

    /// Brings values from a file into the ranges that the window can show.
    #[must_use]
    pub fn sanitized(mut self) -> Self {
        let chosen = self.jobs.get(self.chosen).map(|options| options.job().id());
        let jobs = jobs::catalogue().into_iter();
        let jobs: Vec<_> = jobs.map(|default| self.remembered(default)).collect();
        // A version with more jobs has the same job in another place.
        let place = jobs
            .iter()
            .position(|options| Some(options.job().id()) == chosen);
        self.chosen = place.unwrap_or(self.chosen).min(jobs.len() - 1);
        self.jobs = jobs;
        self.recent = self.recent.sanitized();
        self.workers = self.workers.clamp(1, Self::MAX_WORKERS);
        if !(0.0..=Self::MAX_TIMEOUT_SECS).contains(&self.timeout_secs) {
            self.timeout_secs = Self::default().timeout_secs;
        }
        self
    }

    fn remembered(&self, default: Options) -> Options {
        let id = default.job().id();
        let remembered = self.jobs.iter().find(|options| options.job().id() == id);
        remembered.cloned().unwrap_or(default)
    }
}
