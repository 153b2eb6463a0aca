//! Pieces that never show a real time, so that a handful of different pixels is a failure.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eframe::egui::{LayerId, Pos2, Rect, Theme, Ui, Vec2};
use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, SnapshotOptions, image_snapshot_options};
use image::{Rgba, RgbaImage};
use meanwhile::jobs::{JobSpec, Options, Output, misbehave};
use meanwhile::pages::workbench::ResultsState;
use meanwhile::pages::workbench::results_pane::results_ui;
use meanwhile::record::{
    self, EventKind, FoundItem, FrameHistory, ItemId, ItemState, JobId, Record, ThreadNumber,
};
use meanwhile::ui::status_bar::status_ui;
use meanwhile::ui::tokens;

use super::pictures::open;
use super::window::Window;

/// Software renderers of different versions round a few edges differently.
const MAX_DIFFERENT_PIXELS: usize = 5;

/// How far a piece reaches beyond its widgets.
const MARGIN: f32 = 4.0;

/// Both themes, with the end of the name of a piece.
const THEMES: [(Theme, &str); 2] = [(Theme::Light, ""), (Theme::Dark, "-dark")];

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn page_tabs_look_as_stored() {
    let mut window = open(Theme::Light, &[]);
    compare_widgets(&mut window, "page-tabs", &["Workbench", "Settings"]);
}

// The actions show no time, so a real job may run behind them.
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn actions_of_a_running_job_look_as_stored() {
    for (theme, suffix) in THEMES {
        let mut window = open(theme, &[]);
        window.misbehave("Sleep", 1.0, 3.0, 600.0);
        window.click("Start");
        window.until("3 items");
        let name = format!("job-actions{suffix}");
        compare_widgets(&mut window, &name, &["Cancel", "Remove"]);
        window.click("Cancel");
    }
}

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn status_bar_looks_as_stored() {
    let mut frames = FrameHistory::default();
    for (at, latency) in [(3_000, 210), (4_200, 8), (4_600, 12), (5_000, 7)] {
        let at = Duration::from_millis(at);
        frames.begin_frame(at, Some(at.saturating_sub(Duration::from_millis(latency))));
    }
    let summary = frames.summary(Duration::from_secs(5));
    compare_panel("status-bar", Vec2::new(560.0, 32.0), |ui| {
        status_ui(1, 2, summary, ui);
    });
}

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn results_table_looks_as_stored() {
    let record = ended_and_running_items();
    compare_panel("results-table", Vec2::new(760.0, 160.0), |ui| {
        let (mut view, mut commands) = (ResultsState::default(), Vec::new());
        let job = record.jobs().next().expect("it has a job");
        results_ui(job, NOW, &mut view, false, ui, &mut commands);
    });
}

/// The time at which the results are shown.
const NOW: Duration = Duration::from_millis(2_500);

/// A job with an item that returned after 0.75 s, and one that began 1.5 s ago.
fn ended_and_running_items() -> Record {
    let mut record = Record::default();
    let mut apply = |millis, kind| {
        let (job, at) = (JobId::new(1), Duration::from_millis(millis));
        record.apply(record::JobEvent { job, at, kind });
    };
    let options = Options::Misbehave(misbehave::Options::default());
    let spec = Arc::new(JobSpec::new(options));
    apply(0, EventKind::JobDidStart { spec });
    for input in ["first", "second"] {
        let item = FoundItem {
            input: input.into(),
            bytes: 0,
            fails: false,
        };
        apply(100, EventKind::ItemDidAppear { item });
    }
    let text = "first is done".to_owned();
    let state = ItemState::Returned(Output::Text { text });
    let [first, second] = [0, 1].map(ItemId::new);
    apply(
        250,
        EventKind::ItemDidStart {
            item: first,
            thread: ThreadNumber::new(1),
        },
    );
    apply(1_000, EventKind::ItemDidFinish { item: first, state });
    apply(
        1_000,
        EventKind::ItemDidStart {
            item: second,
            thread: ThreadNumber::new(1),
        },
    );
    record
}

#[test]
fn stored_pieces_are_not_blank() {
    let folder = folder();
    let files = folder.read_dir().expect("the folder is there").flatten();
    let pieces: Vec<PathBuf> = files
        .map(|file| file.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        // A failed comparison leaves `name.new.png` and the like.
        .filter(|path| !path.with_extension("").to_string_lossy().contains('.'))
        .collect();
    assert!(pieces.len() >= 4, "found only {pieces:?}");
    for path in pieces {
        let image = image::open(&path).expect("a piece is a picture").to_rgba8();
        let background = background(&image);
        let drawn = image.pixels().filter(|pixel| **pixel != background);
        assert!(
            drawn.count() > 20 * MAX_DIFFERENT_PIXELS,
            "{} shows next to nothing",
            path.display()
        );
    }
}

/// The most frequent colour.
fn background(image: &RgbaImage) -> Rgba<u8> {
    let mut pixels: Vec<[u8; 4]> = image.pixels().map(|pixel| pixel.0).collect();
    pixels.sort_unstable();
    let longest = pixels.chunk_by(|a, b| a == b).max_by_key(|run| run.len());
    Rgba(longest.expect("a picture has pixels")[0])
}

/// Compares the row from the first to the last of these widgets or texts with the stored piece.
fn compare_widgets(window: &mut Window, name: &str, labels: &[&str]) {
    let rects = labels.iter().map(|label| {
        let mut nodes = window.harness.query_all_by_label(label);
        let node = nodes.next();
        node.unwrap_or_else(|| panic!("nothing is called {label}.\n{}", window.texts()))
            .rect()
    });
    let row = rects.reduce(Rect::union).expect("a piece has widgets");
    compare(&mut window.harness, name, row.expand(MARGIN));
}

/// Draws a panel alone, in both themes, and compares all of it with the stored pieces.
fn compare_panel(name: &str, size: Vec2, panel: impl Fn(&mut Ui)) {
    for (theme, suffix) in THEMES {
        let mut harness = Harness::builder()
            .with_size(size)
            .with_theme(theme)
            .with_render_cursor(false)
            .wgpu()
            .build_ui(|ui| {
                tokens::install(ui.ctx());
                let background = ui.ctx().layer_painter(LayerId::background());
                background.rect_filled(ui.ctx().viewport_rect(), 0, ui.visuals().panel_fill);
                panel(ui);
            });
        harness.run_steps(3);
        let name = format!("{name}{suffix}");
        compare(&mut harness, &name, Rect::from_min_size(Pos2::ZERO, size));
    }
}

/// Compares a part of the screen with the stored piece of this name.
pub(crate) fn compare<State>(harness: &mut Harness<'_, State>, name: &str, part: Rect) {
    harness.remove_cursor();
    harness.step();
    let screen = harness.render().expect("there is a Vulkan driver");
    let [left, top, width, height] = pixels(part.intersect(harness.ctx.viewport_rect()));
    let piece = image::imageops::crop_imm(&screen, left, top, width, height).to_image();
    let options = SnapshotOptions::new()
        .output_path(folder())
        .max_failed_pixels(MAX_DIFFERENT_PIXELS);
    image_snapshot_options(&piece, name, &options);
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots")
}

/// Left, top, width and height in pixels. A point is one pixel here.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part of the screen has small, positive coordinates"
)]
fn pixels(part: Rect) -> [u32; 4] {
    let (min, max) = (part.min.floor(), part.max.ceil());
    [min.x, min.y, max.x - min.x, max.y - min.y].map(|length| length as u32)
}
