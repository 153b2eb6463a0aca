//! The window: its state, its frames and its end.
//!
//! One frame is: [`App::logic`](eframe::App::logic) takes in what changed (also while the window is
//! hidden), [`App::ui`](eframe::App::ui) draws the page and collects commands, and at its end each
//! command runs once. Waiting for a job is a state of the board, so the frame goes on.

mod close_question;
mod closing;
mod frame;
mod frame_clock;
mod guide;
pub mod instance;
mod saving;
mod store;
mod ui;
mod window;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eframe::egui;

use self::close_question::ClosePhase;
use self::frame_clock::FrameClock;
use self::guide::Guide;
use crate::pages::{self, Page, PageContext, PageSetup, Running, timeline, workbench};
use crate::ui::notices::Notice;
use crate::ui::tokens;

pub use crate::pages::{
    DesktopOpener, DetachedJobs, DialogAnswer, DialogFuture, DialogRequest, Dialogs, NativeDialogs,
    Opener, PageId, State, WindowPlace,
};
pub use store::{CONFIG_DIR_VARIABLE, Store};
pub use window::run;

/// The data that the window starts with.
pub struct Setup {
    /// The inputs of the first job, from the command line.
    pub files: Vec<PathBuf>,
    pub state: State,
    pub store: Store,
    pub notices: Vec<Notice>,
    pub dialogs: Box<dyn Dialogs>,
    /// Opens files with other programs.
    pub opener: Arc<dyn Opener>,
    /// The name of what draws the window, if that is OpenGL.
    pub renderer: Option<String>,
    /// Starts processes; `None` for the launcher that the program has installed.
    #[cfg(unix)]
    pub launcher: Option<crate::join::process::Launcher>,
    /// Keeps the jobs that run on after the window has closed. The caller that opens the window
    /// [waits](DetachedJobs::wait) for them.
    pub detached: DetachedJobs,
    /// Takes the files of later starts.
    pub instance: Option<instance::Instance>,
}

impl Setup {
    /// Reads the settings in `dir`.
    pub fn new(files: Vec<PathBuf>, dir: &Path, dialogs: Box<dyn Dialogs>) -> Self {
        let (store, state, notice) = Store::open(dir);
        Self {
            files,
            state,
            store,
            notices: notice.into_iter().collect(),
            dialogs,
            opener: Arc::new(DesktopOpener),
            renderer: None,
            #[cfg(unix)]
            launcher: None,
            detached: DetachedJobs::default(),
            instance: None,
        }
    }
}

/// The window. eframe calls its `logic` and `ui` once a frame.
pub struct App {
    pages: Vec<Box<dyn Page>>,
    context: PageContext,
    store: Store,
    instance: Option<instance::Instance>,
    close_phase: Option<ClosePhase>,
    close_deadline: Option<Duration>,
    /// Behind the question before closing.
    guide: Option<Guide>,
    /// The time at which the current frame began, or was due if that is earlier.
    frame_began_at: Duration,
    frame_due_at: Option<Duration>,
    frame_clock: FrameClock,
    /// That of the window, as it was last set.
    title: String,
}

/// The title of a window in which nothing has run.
const TITLE: &str = "Meanwhile";

impl App {
    /// Creates the program for a window that is about to open.
    pub fn new(ctx: &egui::Context, mut setup: Setup) -> Self {
        let traces = timeline::take_traces(&mut setup.files);
        if !traces.is_empty() {
            setup.state.page = timeline::ID;
        } else if !setup.files.is_empty() {
            setup.state.page = workbench::ID;
            setup.state.pages.choices.choose_for(&setup.files);
            setup.state.pages.choices.recent.add(&setup.files);
        }
        tokens::install(ctx);
        saving::restore_panes(ctx, &setup.state.panes);
        ctx.set_zoom_factor(setup.state.pages.settings.zoom);
        ctx.set_theme(setup.state.pages.settings.theme);
        let page_setup = PageSetup {
            ctx: ctx.clone(),
            files: Arc::new(setup.files),
            traces,
            renderer: setup.renderer,
            detached: setup.detached,
            #[cfg(unix)]
            launcher: setup.launcher,
        };
        if let Some(instance) = &setup.instance {
            let ctx = ctx.clone();
            instance.open(move || ctx.request_repaint());
        }
        let settings_file = setup.store.path().to_owned();
        Self {
            pages: pages::all(&page_setup),
            context: PageContext::new(
                ctx,
                setup.state,
                settings_file,
                setup.notices,
                setup.dialogs,
                setup.opener,
            ),
            store: setup.store,
            instance: setup.instance,
            close_phase: None,
            close_deadline: None,
            guide: None,
            frame_began_at: Duration::ZERO,
            frame_due_at: None,
            frame_clock: FrameClock::default(),
            title: TITLE.to_owned(),
        }
    }

    /// The work that all pages have running.
    fn running(&self) -> Running {
        self.pages.iter().map(|page| page.running()).sum()
    }

    /// The index of the page that is shown: the first one if the settings name an unknown page.
    fn shown(&self) -> usize {
        let mut pages = self.pages.iter();
        let shown = pages.position(|page| self.context.shows(&page.info().id));
        shown.unwrap_or(0)
    }
}
