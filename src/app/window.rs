use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eframe::egui;

use super::instance::{self, Start};
use super::{App, NativeDialogs, Setup, Store};
use crate::desktop::{self, Display, RENDERER, reason};
use crate::message::print_message;

/// The name of the `.desktop` file, which gives the window its icon.
const APP_ID: &str = "meanwhile";

/// What works without a window.
const INSTEAD: &str = "Without a window, this works: meanwhile run checksum FILES…";

/// Opens the window with `files` as the inputs of the first job, unless a window of this user takes them
/// and `is_new` is not set. Returns after the window was closed and the detached jobs have ended, or at once.
///
/// # Errors
/// There is no display, the window could not be opened, or its display has ended. The message names a command
/// that works without a window.
pub fn run(files: Vec<PathBuf>, is_new: bool) -> anyhow::Result<()> {
    let display = Display::find()
        .map_err(|why| anyhow::anyhow!("{why} {INSTEAD} {}", desktop::virtual_display()))?;
    let start = if is_new {
        Start::Alone
    } else {
        instance::start_here(&files, &display)
    };
    let instance = match start {
        Start::First(instance) => Some(instance),
        Start::Handed => return Ok(()),
        Start::Alone => None,
    };
    if let Display::OnlyX11(why) = &display {
        print_message(why);
    }
    desktop::explain_missing_libraries();
    let mut setup = Setup::new(files, &Store::default_dir(), Box::new(NativeDialogs));
    setup.instance = instance;
    let mut options = native_options(&setup);
    display.use_for_windows(&mut options);
    let detached = setup.detached.clone();
    let reports = setup.store.path().with_file_name("reports");
    let has_opened = Arc::new(AtomicBool::new(false));
    let ended = eframe::run_native(
        super::TITLE,
        options,
        Box::new({
            let has_opened = has_opened.clone();
            move |creation| {
                setup.renderer = creation.gl.as_deref().map(desktop::renderer);
                has_opened.store(true, Ordering::Relaxed);
                Ok(Box::new(App::new(&creation.egui_ctx, setup)))
            }
        }),
    );
    for report in detached.wait(&reports) {
        print_message(&report);
    }
    ended.map_err(|error| {
        let reason = reason(&error);
        if has_opened.load(Ordering::Relaxed) {
            anyhow::anyhow!(
                "The display has ended ({reason}), and the window and its work with it. {INSTEAD}"
            )
        } else {
            anyhow::anyhow!("Could not open a window: {reason}. {INSTEAD}")
        }
    })
}

fn native_options(setup: &Setup) -> eframe::NativeOptions {
    let mut viewport = egui::ViewportBuilder::default()
        .with_app_id(APP_ID)
        .with_title(super::TITLE)
        .with_inner_size([1180.0, 780.0])
        .with_min_inner_size([640.0, 400.0])
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
        // The settings file has the window's place, so eframe writes no file.
        persist_window: false,
        persistence_path: Some(setup.store.path().with_extension("eframe.ron")),
        ..eframe::NativeOptions::default()
    }
}

fn icon() -> Arc<egui::IconData> {
    let icon = eframe::icon_data::from_png_bytes(include_bytes!("../../assets/meanwhile.png"));
    Arc::new(icon.expect("the icon is part of the program and a valid PNG"))
}
