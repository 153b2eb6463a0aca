use std::io::Write as _;
use std::path::{Path, PathBuf};

use eframe::egui::Theme;
use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, SnapshotOptions};

use super::window::Window;

/// Of 920 400 pixels. Digits of times and rates change about a thousand, a wrong theme or a panel
/// that is not there changes a hundred thousand.
const DIFFERENT_PIXELS: usize = 20_000;

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn running() {
    let mut window = open(Theme::Light, &archive("running", 48));
    window.choose("Algorithm", "SHA-512");
    window.click("Start");
    window.until_it(|window| window.count("returned") >= 4, "four results");
    picture(&mut window, "running");
    window.click("Cancel");
}

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn joined() {
    let mut window = open(Theme::Dark, &archive("joined", 4));
    window.choose("Algorithm", "BLAKE3");
    window.click("Start");
    window.until("#1 Checksums");
    window.click("Join");
    window.until("joined after");
    window.until("12 of 12 items");
    picture(&mut window, "joined");
}

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn timed_out() {
    let mut window = open(Theme::Light, &[]);
    window.misbehave("Sleep", 3.0, 8.0, 600.0);
    window.click("Start");
    window.until("#1 Misbehave");
    window.set("Timeout (s)", 2.0);
    window.click("Join with timeout");
    window.until("still running after 2.");
    picture(&mut window, "timed-out");
    window.click("Cancel");
}

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn panicked() {
    let mut window = open(Theme::Dark, &[]);
    window.misbehave("Panic with String", 3.0, 8.0, 0.0);
    window.click("Start");
    window.until("1 panicked");
    window.click("Panic");
    window.click("Resolve backtrace");
    window.until("Backtrace");
    picture(&mut window, "panicked");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn crashed() {
    let mut window = open(Theme::Light, &[]);
    window.choose("Run on", "Processes");
    window.misbehave("Stack overflow", 3.0, 8.0, 0.0);
    window.click("Start");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    let message = "its worker was killed by signal 6 (SIGABRT)";
    let row = window.harness.query_all_by_label_contains(message);
    row.into_iter().next().expect("it crashed").click();
    window.until("overflowed its stack");
    picture(&mut window, "crashed");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn command_output() {
    let mut window = open(Theme::Light, &[]);
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    let script = "for n in $(seq 412); do echo \"frame $n of 960: 1.$((n % 9)) s, \
                  $((n % 7 + 3)) passes\"; done; exec sleep 86406";
    window.type_into("Command line", script);
    window.click("Start");
    window.until("#1 Command");
    window.click("Output");
    window.type_into("Find", "7 passes");
    window.until("59 lines");
    window.until("frame 412 of 960");
    window.click("Next");
    window.click("Next");
    window.until("2 of 59 lines");
    picture(&mut window, "command-output");
    window.click("Kill");
    window.until("SIGKILL");
}

#[cfg(unix)]
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn lesson() {
    let mut window = at_lesson(Theme::Light, "join-timeout");
    window.click("What happened");
    picture(&mut window, "lesson");
}

#[cfg(unix)]
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn lesson_strategies() {
    let mut window = at_lesson(Theme::Dark, "strategies");
    picture(&mut window, "lesson-strategies");
}

/// A window with a lesson that was answered rightly and has run.
#[cfg(unix)]
fn at_lesson(theme: Theme, id: &str) -> Window {
    use meanwhile::lessons::LessonId;

    let lesson = id.parse::<LessonId>().expect("there is such a lesson");
    let question = lesson.lesson().question;
    let mut window = open(theme, &[]);
    window.click("Lessons");
    window.named(id).scroll_to_me();
    window.harness.run_steps(10);
    window.click(id);
    window.click(question.choices[question.right]);
    window.click("Run");
    window.until("as expected");
    window
}

fn open(theme: Theme, files: &[PathBuf]) -> Window {
    let builder = Harness::builder()
        .with_theme(theme)
        .with_render_cursor(false)
        .wgpu();
    let dir = tempfile::tempdir().expect("a folder for the test");
    let mut window = Window::build(builder, dir, files);
    window.click("Settings");
    window.click(if theme == Theme::Dark {
        "Dark"
    } else {
        "Light"
    });
    window.click("Workbench");
    window
}

/// Large files that take no room: nearly all holes. Their names are the same in every picture.
fn archive(name: &str, mebibytes: u64) -> Vec<PathBuf> {
    let dir = std::env::temp_dir().join(format!("meanwhile-{name}"));
    std::fs::create_dir_all(&dir).expect("the folder for temporary files takes a folder");
    let files = (1..=12_u8).map(|number| {
        let path = dir.join(format!("photos-2024-{number:02}.tar"));
        let mut file = std::fs::File::create(&path).expect("a new file");
        file.write_all(&[number]).expect("room for a byte");
        file.set_len(mebibytes * 1024 * 1024)
            .expect("holes take no room");
        path
    });
    files.collect()
}

fn picture(window: &mut Window, name: &str) {
    assert!(window.harness.query_by_label("Workbench").is_some());
    picture_of(&mut window.harness, name);
}

/// Compares what is shown with the picture of this name.
pub(crate) fn picture_of<State>(harness: &mut Harness<'_, State>, name: &str) {
    harness.remove_cursor();
    for _ in 0..3 {
        harness.step();
    }
    let options = SnapshotOptions::new()
        .output_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots"))
        .threshold(2.0)
        .max_failed_pixels(DIFFERENT_PIXELS);
    harness.snapshot_options(name, &options);
}
