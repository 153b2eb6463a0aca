//! Pieces without a clock in them, so that a handful of different pixels is a failure.

use std::path::{Path, PathBuf};

use eframe::egui::{Rect, Theme};
use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, SnapshotOptions, image_snapshot_options};
use image::{Rgba, RgbaImage};

use super::pictures::open;
use super::window::Window;

/// Software renderers of different versions round a few edges differently.
const MAX_DIFFERENT_PIXELS: usize = 5;

/// How far a piece reaches beyond its widgets.
const MARGIN: f32 = 4.0;

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn page_tabs_look_as_stored() {
    let mut window = open(Theme::Light, &[]);
    compare_widgets(&mut window, "page-tabs", &["Workbench", "Settings"]);
}

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn pieces_of_a_running_job_look_as_stored() {
    for (theme, suffix) in [(Theme::Light, ""), (Theme::Dark, "-dark")] {
        let mut window = open(theme, &[]);
        window.misbehave("Sleep", 1.0, 3.0, 600.0);
        window.click("Start");
        window.until("1 task running");
        window.until("3 items");
        let piece = |name: &str| format!("{name}{suffix}");
        compare_widgets(&mut window, &piece("job-actions"), &["Cancel", "Remove"]);
        let figures = ["1 task running", "0 processes running"];
        compare_widgets(&mut window, &piece("status-bar"), &figures);
        compare_widgets(&mut window, &piece("table-head"), &["State", "Time"]);
        window.click("Cancel");
    }
}

#[test]
fn a_blank_piece_fails() {
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
