//! The pictures of the documentation. They show times and rates, so they are written and not compared:
//! to `screenshots/` when `UPDATE_SNAPSHOTS` is set, and to the target folder otherwise.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eframe::egui::{Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use gif::{Encoder, Frame, Repeat};
use image::{Rgba, RgbaImage};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::window::Window;

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn picture_of_a_running_job() {
    let folder = archives(48);
    let mut window = open(Theme::Light, &files(&folder));
    window.choose("Algorithm", "SHA-512");
    window.click("Start");
    window.until_it(|window| window.count("done") >= 4, "four results");
    picture(&mut window, "running");
    window.click("Cancel");
}

/// Each page as it is first seen, in both themes.
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn pictures_of_every_page() {
    let pages = [
        ("Workbench", "workbench"),
        ("Timeline", "timeline"),
        ("Lessons", "lessons"),
        ("Freeze Lab", "lab"),
        ("Settings", "settings"),
    ];
    for (theme, suffix) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let mut window = open(theme, &[]);
        for (page, name) in pages {
            window.click(page);
            picture(&mut window, &format!("page-{name}-{suffix}"));
        }
    }
}

/// A GIF of a whole run. Its first frame and its last stay longer.
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn moving_picture_of_a_job() {
    let folder = archives(64);
    let mut window = open(Theme::Light, &files(&folder));
    window.choose("Algorithm", "SHA-512");
    let mut film = Film::default();
    film.add(&mut window, 100);
    window.click("Start");
    film.follow(&mut window, |window| window.shows("12 of 12 items"));
    film.add(&mut window, 300);
    film.save("workbench").expect("the file takes the frames");
}

/// Frames of a moving picture. A pixel is transparent where the frame before has the same one, which
/// makes the file small.
#[derive(Default)]
struct Film {
    last: Option<RgbaImage>,
    frames: Vec<Frame<'static>>,
}

impl Film {
    /// Adds what is shown, for a time in hundredths of a second.
    fn add(&mut self, window: &mut Window, hundredths: u16) {
        let screen = window.harness.render().expect("there is a Vulkan driver");
        let mut image = screen.clone();
        for (pixel, before) in image
            .pixels_mut()
            .zip(self.last.iter().flat_map(|last| last.pixels()))
        {
            if pixel == before {
                *pixel = Rgba([0; 4]);
            }
        }
        let [width, height] = [image.width(), image.height()]
            .map(|length| u16::try_from(length).expect("the window is smaller than 65 536 pixels"));
        let mut frame = Frame::from_rgba_speed(width, height, &mut image, 10);
        frame.delay = hundredths;
        self.frames.push(frame);
        self.last = Some(screen);
    }

    /// Adds what is shown until the job has ended.
    fn follow(&mut self, window: &mut Window, has_ended: impl Fn(&Window) -> bool) {
        while !has_ended(window) {
            self.add(window, 12);
            let next = Instant::now() + Duration::from_millis(120);
            while Instant::now() < next {
                window.harness.step();
                std::thread::park_timeout(Duration::from_millis(8));
            }
            assert!(self.frames.len() < 200, "the job does not end");
        }
    }

    fn save(self, name: &str) -> Result<(), gif::EncodingError> {
        let file = std::fs::File::create(folder().join(format!("{name}.gif")))?;
        let [width, height] = self.frames.first().map_or([0; 2], |f| [f.width, f.height]);
        let mut encoder = Encoder::new(file, width, height, &[])?;
        encoder.set_repeat(Repeat::Infinite)?;
        self.frames
            .iter()
            .try_for_each(|frame| encoder.write_frame(frame))
    }
}

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn picture_of_a_joined_job() {
    let folder = archives(4);
    let mut window = open(Theme::Dark, &files(&folder));
    window.choose("Algorithm", "BLAKE3");
    window.click("Start");
    window.until("#1 Checksums");
    window.click("Joining");
    window.click("Join");
    window.until("joined after");
    window.until("12 of 12 items");
    picture(&mut window, "joined");
}

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn picture_of_a_join_that_timed_out() {
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

/// Short jobs, one that waits for its last item, and a join of that which has timed out; and a closer look.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn picture_of_the_timeline() {
    let folder = archives(8);
    let mut window = open(Theme::Dark, &files(&folder));
    window.choose("Algorithm", "SHA-512");
    window.click("Start");
    window.until_it(
        |window| window.is_enabled("Remove"),
        "the end of the checksums",
    );
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    let script = "case $1 in *09.tar) exit 3;; *11.tar) sleep 600;; *) sleep 0.1;; esac";
    window.type_into("Command line", script);
    window.click("Start");
    window.until("11 of 12 items");
    window.click("Joining");
    window.set("Timeout (s)", 1.0);
    window.click("Join with timeout");
    window.until("still running after 1.");
    window.until("sleeps for");
    window.click("Timeline");
    window.harness.get_by_label_contains("Timeline of").focus();
    window.step();
    for _ in 0..12 {
        window.press(Modifiers::NONE, Key::ArrowDown);
        window.step();
        if window.shows("timed out, 1.") {
            break;
        }
    }
    picture(&mut window, "timeline");
    let bars = window.harness.get_by_label_contains("Timeline of");
    let place = bars.rect().center() - bars.rect().size() * 0.2;
    window.harness.hover_at(place);
    for _ in 0..4 {
        window.press(Modifiers::NONE, Key::W);
        window.step();
    }
    picture(&mut window, "timeline-zoomed");
    window.click("Workbench");
    window.click("Cancel");
}

/// A GIF of bars that grow, and then of a closer look at some of them.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn moving_picture_of_the_timeline() {
    let folder = archives(1);
    let mut window = open(Theme::Dark, &files(&folder));
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    let script = "case $1 in *05.tar) exit 3;; *07.tar) sleep 1.5;; *) sleep 0.3;; esac";
    window.type_into("Command line", script);
    window.click("Start");
    window.click("Timeline");
    window.until("Process 2, #1 Command");
    let mut film = Film::default();
    film.follow(&mut window, |window| window.shows("0 processes running"));
    film.add(&mut window, 100);
    let bars = window.harness.get_by_label_contains("Timeline of");
    bars.focus();
    let place = bars.rect().center();
    window.harness.hover_at(place);
    for key in [Key::ArrowDown, Key::ArrowDown, Key::ArrowDown] {
        window.press(Modifiers::NONE, key);
        window.step();
    }
    for _ in 0..3 {
        window.press(Modifiers::NONE, Key::W);
        window.step();
        film.add(&mut window, 30);
    }
    film.add(&mut window, 300);
    film.save("timeline").expect("the file takes the frames");
}

/// The same files before and after one of them no longer takes long: what differs, and what the end of the first run hung
/// on.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn pictures_of_two_runs() {
    let folder = archives(1);
    let mut window = open(Theme::Dark, &files(&folder));
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    for slow in ["2", "0.2"] {
        let script = format!("case $1 in *07.tar) sleep {slow};; *) sleep 0.2;; esac");
        window.type_into("Command line", "");
        window.press(Modifiers::COMMAND, Key::A);
        window.type_into("Command line", &script);
        window.click("Start");
        window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    }
    window.click("Timeline");
    window.click("Compare runs…");
    window.until("in both. Click one");
    picture(&mut window, "timeline-compared");
    window.click("Close comparison");
    window.harness.get_by_label_contains("Timeline of").focus();
    window.step();
    window.press(Modifiers::NONE, Key::ArrowDown);
    window.click("Statistics");
    window.until("What the end hung on");
    picture(&mut window, "timeline-statistics");
}

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn picture_of_a_panic() {
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
fn picture_of_a_crash() {
    let mut window = open(Theme::Light, &[]);
    window.choose("Run on", "A process each");
    window.misbehave("Stack overflow", 3.0, 8.0, 0.0);
    window.click("Start");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window.open_details("its worker was killed by signal 6 (SIGABRT)");
    window.until("overflowed its stack");
    picture(&mut window, "crashed");
}

#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn picture_of_a_verified_list() {
    let folder = archives(1);
    let list = list_of(&files(&folder), &folder.path().join("SHA256SUMS"));
    for (name, is_kept) in [("photos-2024-05.tar", true), ("photos-2024-09.tar", false)] {
        let path = folder.path().join(name);
        if is_kept {
            std::fs::write(path, "damaged").expect("room for a word");
        } else {
            std::fs::remove_file(path).expect("the file is ours");
        }
    }
    let mut window = open(Theme::Dark, &[list]);
    window.choose("Job", "Verify");
    window.click("Start");
    window.until("10 OK");
    window.until("1 missing");
    picture(&mut window, "verified");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn picture_of_command_output() {
    let mut window = open(Theme::Light, &[]);
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    let script = "for n in $(seq 412); do echo \"frame $n of 960: 1.$((n % 9)) s, \
                  $((n % 7 + 3)) passes\"; done; exec sleep 600";
    window.type_into("Command line", script);
    window.click("Start");
    window.until("#1 Command");
    window.click("Output");
    // The field appears when the process has started.
    window.until("Find");
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

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn picture_of_who_waits() {
    let mut window = open(Theme::Light, &[]);
    window.harness.set_size([1440.0, 560.0].into());
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    let script = "mkfifo a b; grep -v '^#' <a >b & (sort >a <b)";
    let script = format!("cd {}; {script}", window.dir.path().display());
    window.type_into("Command line", &script);
    window.click("Start");
    window.until("#1 Command");
    window.click("Waits");
    window.until("A ring: nothing but a signal will move it.");
    window.until("no progress for 3");
    picture(&mut window, "who-waits");
    window.click("Cancel");
}

#[cfg(unix)]
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn picture_of_a_lesson() {
    let mut window = at_lesson(Theme::Light, "join-timeout");
    window.click("What happened");
    picture(&mut window, "lesson");
}

#[cfg(unix)]
#[test]
#[ignore = "needs a Vulkan driver; tests/all.sh runs it"]
fn picture_of_lesson_strategies() {
    let mut window = at_lesson(Theme::Dark, "strategies");
    picture(&mut window, "lesson-strategies");
}

/// A window with a lesson whose question has the right answer, after its run.
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
    window.click(&question.choices[question.right].replace('`', ""));
    window.click("Run");
    window.until("as expected");
    window
}

/// A window of this theme.
pub(crate) fn open(theme: Theme, files: &[PathBuf]) -> Window {
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

/// A folder with twelve large files that take no room: they consist of holes.
fn archives(mebibytes: u64) -> TempDir {
    let folder = tempfile::Builder::new()
        .prefix("photos-")
        .tempdir()
        .expect("a folder for the test");
    for number in 1..=12_u8 {
        let path = folder.path().join(format!("photos-2024-{number:02}.tar"));
        let mut file = std::fs::File::create(&path).expect("a new file");
        file.write_all(&[number]).expect("room for a byte");
        file.set_len(mebibytes * 1024 * 1024)
            .expect("holes take no room");
    }
    folder
}

fn files(folder: &TempDir) -> Vec<PathBuf> {
    let entries = folder.path().read_dir().expect("the folder is there");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    files.sort();
    files
}

/// Writes the SHA-256 checksums of the files, and a line that is none.
fn list_of(files: &[PathBuf], list: &Path) -> PathBuf {
    let line = |file: &PathBuf| {
        let bytes = std::fs::read(file).expect("the file is ours");
        let digest = hex::encode(Sha256::digest(bytes));
        let name = file.file_name().expect("a file has a name").display();
        format!("{digest}  {name}\n")
    };
    let lines: String = files.iter().map(line).collect();
    std::fs::write(list, format!("Photographs of 2024\n{lines}")).expect("room for a list");
    list.to_owned()
}

fn picture(window: &mut Window, name: &str) {
    assert!(window.harness.query_by_label("Workbench").is_some());
    picture_of(&mut window.harness, name);
}

/// Writes the picture of this name.
pub(crate) fn picture_of<State>(harness: &mut Harness<'_, State>, name: &str) {
    harness.remove_cursor();
    harness.run_steps(3);
    let picture = harness.render().expect("there is a Vulkan driver");
    let file = folder().join(format!("{name}.png"));
    picture.save(file).expect("the picture can be saved");
}

/// The folder that pictures are written to.
fn folder() -> PathBuf {
    let folder = if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots")
    } else {
        Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots")
    };
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}
