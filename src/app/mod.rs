//! The window: what it remembers, what it does in a frame, what a person can ask of it.
//!
//! One frame is: [`App::logic`](eframe::App::logic) drains what changed into the record (also
//! while the window is hidden), [`App::ui`](eframe::App::ui) draws the record and collects
//! commands, and at its end each command runs once. Waiting for a job is a state of the board, so
//! the frame goes on.

mod afterwards;
mod chores;
mod command;
mod dialog;
#[cfg(target_os = "linux")]
mod lab;
#[cfg(unix)]
mod lessons;
mod logic;
mod ordering;
mod output;
mod state;
mod store;
mod ui;
mod watch;

use eframe::egui;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::board::JobBoard;
use crate::desktop::{self, RENDERER, has_display, reason};
use crate::record::{FrameHistory, JobId, PanicKey, Record};
use crate::ui::close_question::Leaving;
use crate::ui::waits_pane::WaitRow;
use crate::ui::{Notice, View, tokens};

pub use afterwards::Afterwards;
pub use dialog::{DialogAnswer, DialogFuture, DialogRequest, Dialogs, NativeDialogs};
pub use state::{State, WindowPlace};
pub use store::{CONFIG_DIR_VARIABLE, Store};

/// The name of the `.desktop` file, by which a desktop finds the icon of the window.
const APP_ID: &str = "meanwhile";

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
    /// Where the work is left that goes on without the window. Whoever opens the window
    /// [waits](Afterwards::wait) for it.
    pub afterwards: Afterwards,
}

impl Setup {
    /// What the program starts with: the settings of `dir`, and dialogs opened by `dialogs`.
    pub fn new(files: Vec<PathBuf>, dir: &std::path::Path, dialogs: Box<dyn Dialogs>) -> Self {
        let (store, state, notice) = Store::open(dir);
        Self {
            files,
            state,
            store,
            notices: notice.into_iter().collect(),
            dialogs,
            #[cfg(unix)]
            launcher: None,
            afterwards: Afterwards::default(),
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
    ctx: egui::Context,
    board: JobBoard,
    #[cfg(target_os = "linux")]
    lab: lab::Lab,
    #[cfg(unix)]
    lessons: lessons::Lessons,
    record: Record,
    frames: FrameHistory,
    state: State,
    view: View,
    store: Store,
    notices: Vec<Notice>,
    dialogs: Box<dyn Dialogs>,
    dialog: Option<dialog::OpenDialog>,
    ordering: ordering::Ordering,
    chores: chores::Chores,
    resolving: Vec<(JobId, PanicKey)>,
    waits: Vec<WaitRow>,
    watch: watch::Watch,
    /// When the last frame began to take in events, if it left some over.
    behind_since: Option<Instant>,
    afterwards: Afterwards,
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
        restore_panes(ctx, &setup.state.panes);
        ctx.set_zoom_factor(setup.state.settings.zoom);
        ctx.set_theme(setup.state.settings.theme);
        let wake = ctx.clone();
        let board = JobBoard::new(move || wake.request_repaint());
        #[cfg(unix)]
        let launcher = {
            let installed = crate::join::process::Launcher::installed;
            setup.launcher.clone().or_else(installed)
        };
        #[cfg(unix)]
        let board = match setup.launcher {
            Some(launcher) => board.with_launcher(launcher),
            None => board,
        };
        let mut app = Self {
            ctx: ctx.clone(),
            board,
            #[cfg(target_os = "linux")]
            lab: lab::Lab::new(launcher.clone()),
            #[cfg(unix)]
            lessons: lessons::Lessons::new(launcher),
            record: Record::default(),
            frames: FrameHistory::default(),
            view: View {
                page: setup.state.page,
                ..View::default()
            },
            state: setup.state,
            store: setup.store,
            notices: setup.notices,
            dialogs: setup.dialogs,
            dialog: None,
            ordering: ordering::Ordering::default(),
            chores: chores::Chores::default(),
            resolving: Vec::new(),
            waits: Vec::new(),
            watch: watch::Watch::new(),
            behind_since: None,
            afterwards: setup.afterwards,
            leaving: None,
            leave_by: None,
            frame_began_at: Duration::ZERO,
            frame_due_at: None,
        };
        app.add_inputs(setup.files);
        app
    }
}

/// Widths of panels and columns, as egui keeps them. What an older version left and this one
/// can't read is worth no notice: everything just has its first width again.
fn restore_panes(ctx: &egui::Context, text: &str) {
    if let Ok(data) = ron::from_str(text) {
        ctx.data_mut(|current| *current = data);
    }
}

/// Opens the window with `files` as the inputs of the first job, and returns when it was closed and
/// the work has ended that was to go on without it.
///
/// ```no_run
/// meanwhile::app::run(vec!["a.txt".into()])?;
/// # Ok::<(), anyhow::Error>(())
/// ```
///
/// # Errors
/// There is no display, or the desktop gave no window: one sentence that names the command which
/// works without a window.
pub fn run(files: Vec<PathBuf>) -> anyhow::Result<()> {
    if !has_display() {
        anyhow::bail!(
            "There is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set). \
             {} Without a window, this works: meanwhile run checksum FILES…",
            desktop::virtual_display()
        );
    }
    desktop::explain_missing_libraries();
    let setup = Setup::new(files, &Store::default_dir(), Box::new(NativeDialogs));
    let options = native_options(&setup);
    let afterwards = setup.afterwards.clone();
    eframe::run_native(
        "Meanwhile",
        options,
        Box::new(|creation| Ok(Box::new(App::new(&creation.egui_ctx, setup)))),
    )
    .map_err(|error| {
        anyhow::anyhow!(
            "The desktop gave no window: {}. Without a window, this works: meanwhile run checksum FILES…",
            reason(&error)
        )
    })?;
    afterwards.wait();
    Ok(())
}

fn native_options(setup: &Setup) -> eframe::NativeOptions {
    let mut viewport = egui::ViewportBuilder::default()
        .with_app_id(APP_ID)
        .with_title("Meanwhile")
        .with_inner_size([1180.0, 780.0])
        .with_min_inner_size([760.0, 480.0])
        .with_icon(icon());
    if let Some(place) = setup.state.window {
        viewport = viewport
            .with_inner_size(place.size)
            .with_maximized(place.maximized);
        if let Some(position) = place.position {
            viewport = viewport.with_position(position);
        }
    }
    eframe::NativeOptions {
        viewport,
        renderer: RENDERER,
        // The window's place is part of our own state, and eframe's file stays unwritten.
        persist_window: false,
        persistence_path: Some(setup.store.path().with_extension("eframe.ron")),
        ..eframe::NativeOptions::default()
    }
}

fn icon() -> Arc<egui::IconData> {
    let icon = eframe::icon_data::from_png_bytes(include_bytes!("../../assets/meanwhile.png"));
    Arc::new(icon.expect("the icon is part of the program and a valid PNG"))
}
