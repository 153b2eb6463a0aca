//! The pages of the window: each is one folder with its state, its panels and its `Page`.
//!
//! A panel is a function `(&data, ui, &mut Vec<…Command>)`: it reads and never changes what it
//! shows. The page runs the commands once, after drawing. Nothing here waits, reads a file or
//! computes over all items of a job.

mod background_tasks;
pub mod commands;
mod dialog;
mod opener;
mod page_context;
mod state;
mod watch;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eframe::egui::{self, Ui};
use serde::{Deserialize, Serialize};

use commands::{CommandInfo, UiCommand};

pub use dialog::{DialogAnswer, DialogFuture, DialogRequest, Dialogs, NativeDialogs};
pub use opener::{DesktopOpener, Opener};
pub(crate) use page_context::PageContext;
pub use state::{State, WindowPlace};
pub use workbench::DetachedJobs;

/// Declares the modules of the pages, and makes the lists of the pages, of their titles, of their
/// commands and of their saved choices. A line is the name of the choices in the settings file, the
/// folder with their type, and the page. An attribute names the file for systems without the page.
macro_rules! pages {
    ($($(#[$attribute:meta])? $choices:ident: $module:ident::$type:ident => $page:ident,)+) => {
        $($(#[$attribute])? pub mod $module;)+

        /// The pages, in the order of their tabs.
        pub(crate) fn all(setup: &PageSetup) -> Vec<Box<dyn Page>> {
            vec![$(Box::new($module::$page::new(setup))),+]
        }

        /// The titles of the pages.
        pub const TITLES: &[&str] = &[$($module::INFO.title),+];

        /// All commands of the pages, then those of the window.
        pub fn command_table() -> impl Iterator<Item = &'static CommandInfo> {
            [$($module::INFO.commands,)+ commands::COMMANDS].into_iter().flatten()
        }

        /// The saved choices of every page.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct PageChoices {
            $(pub $choices: $module::$type,)+
        }

        impl PageChoices {
            fn sanitized(self) -> Self {
                Self {
                    $($choices: self.$choices.sanitized(),)+
                }
            }
        }
    };
}

pages! {
    choices: workbench::Choices => Workbench,
    timeline: timeline::TimelineChoices => Timeline,
    #[cfg_attr(not(unix), path = "lessons/unavailable.rs")]
    lessons: lessons::LessonChoices => Lessons,
    #[cfg_attr(not(target_os = "linux"), path = "freeze_lab/unavailable.rs")]
    lab: freeze_lab::LabChoices => FreezeLab,
    settings: settings::Settings => SettingsPage,
}

/// The names and the commands of a page.
pub(crate) struct PageInfo {
    pub(crate) id: PageId,
    /// The name on screen.
    pub(crate) title: &'static str,
    pub(crate) commands: &'static [CommandInfo],
    /// The file of the user guide that is about it.
    pub(crate) guide: &'static str,
}

/// One page of the window.
pub(crate) trait Page {
    fn info(&self) -> &'static PageInfo;

    /// Whether [`close`](Self::close) may take the whole timeout. Such pages are closed last.
    fn needs_close_timeout(&self) -> bool {
        false
    }

    /// Takes in what happened since the last frame. Called in every frame, shown or not.
    fn poll(&mut self, _context: &mut PageContext) {}

    /// The time until it wants the next frame; `None` while nothing runs.
    fn wants_poll_in(&self) -> Option<Duration> {
        None
    }

    /// The work that it has running.
    fn running(&self) -> Running {
        Running::default()
    }

    /// How far its work is, or how it ended, in a few words; `None` if it has none.
    fn news(&self) -> Option<String> {
        None
    }

    /// Draws the page and keeps the commands that the user gives.
    fn ui(&mut self, context: &mut PageContext, ui: &mut Ui);

    /// The reason why a command of this page can't run now; `None` if it can.
    fn why_not(&self, _command: UiCommand, _context: &PageContext) -> Option<Cow<'static, str>> {
        None
    }

    /// Runs a command of this page whose keys were pressed.
    fn run_command(&mut self, _command: UiCommand, _context: &mut PageContext) {}

    /// Runs the commands of this frame, after drawing. Returns whether there were any.
    fn run_commands(&mut self, _context: &mut PageContext) -> bool {
        false
    }

    /// Takes the answer of the file dialog that this page opened.
    fn take_answer(&mut self, _answer: DialogAnswer, _context: &mut PageContext) {}

    /// Takes files with which the program was started again.
    fn open_files(&mut self, _files: &[PathBuf], _context: &mut PageContext) {}

    /// Takes back what a message with this number has said, if it still can be.
    fn undo(&mut self, _number: u64, _context: &mut PageContext) {}

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

/// The work that a page has running.
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

/// The data that the pages start with.
pub(crate) struct PageSetup {
    pub(crate) ctx: egui::Context,
    /// The inputs of the first job. There may be very many, and the last who has them frees them.
    pub(crate) files: Arc<Vec<PathBuf>>,
    /// The traces to open.
    pub(crate) traces: Vec<PathBuf>,
    /// The name of what draws the window, if that is OpenGL.
    pub(crate) renderer: Option<String>,
    /// Keeps the jobs that run on after the window has closed.
    pub(crate) detached: DetachedJobs,
    /// Starts processes; `None` for the launcher that the program has installed.
    #[cfg(unix)]
    pub(crate) launcher: Option<crate::join::process::Launcher>,
}

/// The reason where there is no launcher.
#[cfg(unix)]
const NO_LAUNCHER: &str = "Meanwhile could not start its helper process.";

#[cfg(unix)]
impl PageSetup {
    fn launcher(&self) -> Option<crate::join::process::Launcher> {
        let installed = crate::join::process::Launcher::installed;
        self.launcher.clone().or_else(installed)
    }
}
