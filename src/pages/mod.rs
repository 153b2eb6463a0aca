//! The pages of the window: each is one folder with its state, its panels and its `Page`.
//!
//! A panel is a function `(&data, ui, &mut Vec<Command>)`: it reads and never changes what it
//! shows. The page runs the commands once, after drawing. Nothing here waits, reads a file or
//! computes over all items of a job.

mod background_tasks;
pub mod commands;
mod dialog;
#[cfg_attr(not(target_os = "linux"), path = "freeze_lab/unavailable.rs")]
pub mod freeze_lab;
#[cfg_attr(not(unix), path = "lessons/unavailable.rs")]
pub mod lessons;
pub mod settings;
mod shell;
mod state;
mod watch;
pub mod workbench;

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use eframe::egui::{self, Ui};
use serde::{Deserialize, Serialize};

use commands::UiCommand;

pub use dialog::{DialogAnswer, DialogFuture, DialogRequest, Dialogs, NativeDialogs};
pub(crate) use shell::Shell;
pub use state::{State, WindowPlace};
pub use workbench::DetachedJobs;

/// The pages, in the order of their tabs.
pub(crate) fn all(ctx: &egui::Context, setup: &PageSetup) -> Vec<Box<dyn Page>> {
    vec![
        Box::new(workbench::Workbench::new(ctx, setup)),
        Box::new(lessons::Lessons::new(setup)),
        Box::new(freeze_lab::FreezeLab::new(setup)),
        Box::new(settings::SettingsPage),
    ]
}

/// One page of the window.
pub(crate) trait Page {
    /// Its name in the settings file.
    fn id(&self) -> PageId;

    /// Its name on screen.
    fn title(&self) -> &'static str;

    /// Takes in what happened since the last frame. Called in every frame, shown or not.
    fn poll(&mut self, _shell: &mut Shell) {}

    /// When it wants the next frame; `None` while nothing runs.
    fn wants_poll_in(&self) -> Option<Duration> {
        None
    }

    /// How much it has running.
    fn running(&self) -> Running {
        Running::default()
    }

    /// Draws the page and keeps the commands that the user gives.
    fn ui(&mut self, shell: &mut Shell, ui: &mut Ui);

    /// Why a command of this page can't run now; `None` if it can.
    fn why_not(&self, _command: UiCommand, _shell: &Shell) -> Option<Cow<'static, str>> {
        None
    }

    /// Runs a command of this page whose keys were pressed.
    fn run_command(&mut self, _command: UiCommand, _shell: &mut Shell) {}

    /// Runs the commands of this frame, after drawing. Returns whether there were any.
    fn run_commands(&mut self, _shell: &mut Shell) -> bool {
        false
    }

    /// Takes the answer of the file dialog that this page opened.
    fn take_answer(&mut self, _answer: DialogAnswer, _shell: &mut Shell) {}

    /// Selects one thing on the page by its name.
    fn select(&mut self, _name: &str) {}

    /// Cancels the running jobs. Returns the longest time that one says it takes to stop.
    fn cancel(&mut self) -> Duration {
        Duration::ZERO
    }

    /// Brings everything to an end when the window has closed, within `timeout`. With
    /// `keep_running` the jobs go on without the window.
    fn close(&mut self, _timeout: Duration, _keep_running: bool) {}
}

/// The name of a page in the settings file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageId(Cow<'static, str>);

impl PageId {
    const fn new(id: &'static str) -> Self {
        Self(Cow::Borrowed(id))
    }
}

impl Default for PageId {
    fn default() -> Self {
        workbench::ID
    }
}

/// How much a page has running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Running {
    /// Jobs that the window asks about before it closes.
    pub(crate) jobs: usize,
    pub(crate) tasks: usize,
    pub(crate) processes: usize,
}

impl std::iter::Sum for Running {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            jobs: sum.jobs + one.jobs,
            tasks: sum.tasks + one.tasks,
            processes: sum.processes + one.processes,
        })
    }
}

/// What the pages start with.
pub(crate) struct PageSetup {
    /// The inputs of the first job.
    pub(crate) files: Vec<PathBuf>,
    /// Where jobs are left that go on without the window.
    pub(crate) detached: DetachedJobs,
    /// Starts processes; `None` for the launcher that the program has installed.
    #[cfg(unix)]
    pub(crate) launcher: Option<crate::join::process::Launcher>,
}

#[cfg(unix)]
impl PageSetup {
    fn launcher(&self) -> Option<crate::join::process::Launcher> {
        let installed = crate::join::process::Launcher::installed;
        self.launcher.clone().or_else(installed)
    }
}
