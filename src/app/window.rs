use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;

use super::instance::{self, Start};
use super::{App, NativeDialogs, Setup, Store};
use crate::desktop::{self, RENDERER, has_display, reason};

/// The name of the `.desktop` file, which gives the window its icon.
const APP_ID: &str = "meanwhile";

/// Opens the window with `files` as the inputs of the first job, unless a window of this user takes them
/// and `is_new` is not set. Returns after the window was closed and the detached jobs have ended, or at once.
///
/// # Errors
/// There is no display, or the window could not be opened. The message names a command that works
/// without a window.
pub fn run(files: Vec<PathBuf>, is_new: bool) -> anyhow::Result<()> {
    if !has_display() {
        anyhow::bail!(
            "There is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set). \
             Without a window, this works: meanwhile run checksum FILES… {}",
            desktop::virtual_display()
        );
    }
    let start = if is_new {
        Start::Alone
    } else {
        instance::start_here(&files)
    };
    let instance = match start {
        Start::First(instance) => Some(instance),
        Start::Handed => return Ok(()),
        Start::Alone => None,
    };
    desktop::explain_missing_libraries();
    let mut setup = Setup::new(files, &Store::default_dir(), Box::new(NativeDialogs));
    setup.instance = instance;
    let options = native_options(&setup);
    let detached = setup.detached.clone();
    let reports = setup.store.path().with_file_name("reports");
    eframe::run_native(
        super::TITLE,
        options,
        Box::new(|creation| Ok(Box::new(App::new(&creation.egui_ctx, setup)))),
    )
    .map_err(|error| {
        anyhow::anyhow!(
            "Could not open a window: {}. Without a window, this works: meanwhile run checksum FILES…",
            reason(&error)
        )
    })?;
    for report in detached.wait(&reports) {
        // Nobody may be there to read it.
        writeln!(std::io::stderr(), "meanwhile: {report}").ok();
    }
    Ok(())
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
