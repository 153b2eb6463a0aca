//! The window: what it remembers, what it does in a frame, and how it closes.
//!
//! One frame is: [`App::logic`](eframe::App::logic) takes in what changed (also while the window is
//! hidden), [`App::ui`](eframe::App::ui) draws the page and collects commands, and at its end each
//! command runs once. Waiting for a job is a state of the board, so the frame goes on.

mod closing;
mod frame;
mod saving;
mod store;
mod ui;
mod window;

use std::path::{Path, PathBuf};
use std::time::Duration;

use eframe::egui;

use crate::pages::{self, Page, PageSetup, Running, Shell};
use crate::ui::close_question::Leaving;
use crate::ui::notices::Notice;
use crate::ui::tokens;

pub use crate::pages::{
    DetachedJobs, DialogAnswer, DialogFuture, DialogRequest, Dialogs, NativeDialogs, PageId, State,
    WindowPlace,
};
pub use store::{CONFIG_DIR_VARIABLE, Store};
pub use window::run;

/// What the window starts with.
///
/// ```
/// use meanwhile::app::{NativeDialogs, Setup};
///
/// let settings = tempfile::tempdir()?;
/// let setup = Setup::new(Vec::new(), settings.path(), Box::new(NativeDialogs));
/// assert!(setup.notices.is_empty()); // no settings yet is nothing to complain about
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Setup {
    /// The inputs of the first job: what was given on the command line.
    pub files: Vec<PathBuf>,
    /// What was remembered.
    pub state: State,
    /// Where it is remembered.
    pub store: Store,
    /// What to say first.
    pub notices: Vec<Notice>,
    /// Who opens file dialogs.
    pub dialogs: Box<dyn Dialogs>,
    /// Who starts isolated workers; `None` for the launcher that this program has installed.
    #[cfg(unix)]
    pub launcher: Option<crate::join::process::Launcher>,
    /// Where jobs are left that go on without the window. The caller that opens the window
    /// [waits](DetachedJobs::wait) for them.
    pub detached: DetachedJobs,
}

impl Setup {
    /// What the program starts with: the settings of `dir`, and dialogs opened by `dialogs`.
    pub fn new(files: Vec<PathBuf>, dir: &Path, dialogs: Box<dyn Dialogs>) -> Self {
        let (store, state, notice) = Store::open(dir);
        Self {
            files,
            state,
            store,
            notices: notice.into_iter().collect(),
            dialogs,
            #[cfg(unix)]
            launcher: None,
            detached: DetachedJobs::default(),
        }
    }
}

/// The window's program.
///
/// ```
/// use eframe::egui;
/// use meanwhile::app::{App, NativeDialogs, Setup};
///
/// // A window calls `logic` and `ui` of it once a frame.
/// let settings = tempfile::tempdir()?;
/// let setup = Setup::new(vec!["a.txt".into()], settings.path(), Box::new(NativeDialogs));
/// let app = App::new(&egui::Context::default(), setup);
/// # drop(app);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct App {
    pages: Vec<Box<dyn Page>>,
    shell: Shell,
    store: Store,
    leaving: Option<Leaving>,
    leave_by: Option<Duration>,
    /// When the frame that is being drawn began, or was due if that is longer ago.
    frame_began_at: Duration,
    /// For when the next frame was asked.
    frame_due_at: Option<Duration>,
}

impl App {
    /// Makes the program for a window that is about to open.
    pub fn new(ctx: &egui::Context, setup: Setup) -> Self {
        tokens::install(ctx);
        saving::restore_panes(ctx, &setup.state.panes);
        ctx.set_zoom_factor(setup.state.settings.zoom);
        ctx.set_theme(setup.state.settings.theme);
        let page_setup = PageSetup {
            files: setup.files,
            detached: setup.detached,
            #[cfg(unix)]
            launcher: setup.launcher,
        };
        let settings_file = setup.store.path().to_owned();
        Self {
            pages: pages::all(ctx, page_setup),
            shell: Shell::new(
                ctx,
                setup.state,
                settings_file,
                setup.notices,
                setup.dialogs,
            ),
            store: setup.store,
            leaving: None,
            leave_by: None,
            frame_began_at: Duration::ZERO,
            frame_due_at: None,
        }
    }

    /// What all pages have running.
    fn running(&self) -> Running {
        self.pages.iter().map(|page| page.running()).sum()
    }

    /// The index of the page that is shown: the first one if the settings name an unknown page.
    fn shown(&self) -> usize {
        let shown = |page: &Box<dyn Page>| self.shell.shows(&page.id());
        self.pages.iter().position(shown).unwrap_or(0)
    }
}
