//! A large batch with an image that is stuck, a window that froze and a join that timed out. All of that is found on the
//! page `Timeline`, explained there, and saved from there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use meanwhile::app::Store;
use meanwhile::jobs::Options;
use meanwhile::trace::{LaneId, Span, SpanOutcome, SpanState, Trace, read_chrome};

use crate::child_guard::ChildGuard;
use crate::dialog;
use crate::session::{Session, wait_until};
use crate::window::Window;

const IMAGES: usize = 5_000;
/// The end of the path of the image that is stuck.
const STUCK: &str = "drive/0000.png";
const TIMEOUT_SECS: f64 = 1.0;

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn timeline_explains_a_stuck_batch() {
    let session = Session::start("timeline");
    let Some(drive) = Drive::mount(&session) else {
        println!("NOT CHECKED: bindfs can't serve a folder here.");
        return;
    };
    let images = session.home().join("images");
    write_images(&images, IMAGES - 1);
    // Each result is written through to the disk, which takes too long on a slow one.
    let results = tempfile::tempdir_in("/dev/shm").expect("there is memory");
    store_choices(&session, results.path());
    let inputs = [&images, &drive.folder].map(|folder| folder.to_str().expect("it is ours"));
    let window = Window::open(&session, &inputs);

    window.wait_for_text("2 inputs");
    window.press("push button", "Start");
    window.wait_for_text("of 5 000 items");
    drive.signal("-STOP");
    window.wait_for_text("4 999 of 5 000 items");
    join_with_timeout(&window);
    window.press("check box", "Wait on the UI thread");
    join_with_timeout(&window);
    window.press("page tab", "Timeline");

    let image = window.wait_for("the lane of the stuck image", |tree| {
        let lanes = tree
            .nodes
            .iter()
            .filter_map(|node| node.name.split_once(", now "));
        let mut images = lanes.map(|(_, image)| image.to_owned());
        images.find(|image| image.ends_with(STUCK))
    });
    let image = image.as_str();
    find(&window, image);
    let details = window.wait_for_text(" so far, from ");
    assert!(details.contains("runs, "), "{details}");
    find(&window, "join with a timeout");
    window.wait_for_text("timed out, 1.");
    window.wait_for_text(&format!("{STUCK}: its thread waits"));
    window.wait_for_text("waiting for a job on the UI thread");

    let file = session.home().join("stuck.trace.json");
    window.press("push button", "Save trace…");
    dialog::pick(&session, &file);
    window.wait_for_text("The trace was saved");
    check(&read(&file), image);
    drive.signal("-CONT");
    window.press("page tab", "Workbench");
    window.wait_for_text("5 000 of 5 000 items");
}

/// A folder with one image that a process serves, as a network drive is.
struct Drive<'s> {
    session: &'s Session,
    folder: PathBuf,
    server: ChildGuard,
}

impl<'s> Drive<'s> {
    /// `None` where the system does not allow it, as in some containers.
    fn mount(session: &'s Session) -> Option<Self> {
        let (source, folder) = (session.home().join("source"), session.home().join("drive"));
        write_images(&source, 1);
        fs::create_dir(&folder).expect("the home is ours");
        let mut bindfs = session.command("bindfs");
        bindfs
            .args(["-f", "--no-allow-other"])
            .args([&source, &folder]);
        let mut server = ChildGuard::start("bindfs", &mut bindfs);
        let is_there = || match fs::metadata(folder.join("0000.png")) {
            Ok(_) => Ok(true),
            Err(_) if server.exit_status().is_some() => Ok(false),
            Err(error) => Err(error.to_string()),
        };
        let is_there = wait_until("the drive", is_there, || session.save_picture());
        is_there.then(|| Self {
            session,
            folder,
            server,
        })
    }

    fn signal(&self, signal: &str) {
        let pid = self.server.pid().to_string();
        self.session.tool("kill", &[signal, &pid]).expect("it runs");
    }
}

impl Drop for Drive<'_> {
    fn drop(&mut self) {
        // A stopped one would not unmount its folder.
        self.signal("-CONT");
    }
}

/// Writes equal images, as small as can be.
fn write_images(folder: &Path, count: usize) {
    fs::create_dir(folder).expect("the home is ours");
    let first = folder.join("0000.png");
    image::RgbImage::new(8, 8)
        .save(&first)
        .expect("the home is ours");
    for number in 1..count {
        fs::copy(&first, folder.join(format!("{number:04}.png"))).expect("the home is ours");
    }
}

/// Stores what an earlier window would have.
fn store_choices(session: &Session, results: &Path) {
    let dir = session.home().join("config/meanwhile");
    let (mut store, mut state, _) = Store::open(&dir);
    let choices = &mut state.pages.choices;
    for (index, options) in choices.jobs.iter_mut().enumerate() {
        if let Options::Images(options) = options {
            choices.chosen = index;
            results.clone_into(&mut options.to);
        }
    }
    choices.workers = 2;
    choices.timeout_secs = TIMEOUT_SECS;
    choices.shows_joining = Some(true);
    store.finish(&state, Duration::from_secs(20));
    session.hand_over(&dir);
}

fn join_with_timeout(window: &Window<'_>) {
    window.press("push button", "Join with timeout");
    window.wait_for_text("still running after 1.");
}

fn find(window: &Window<'_>, name: &str) {
    window.fill("Find", name);
    window.press_keys("Return");
}

fn read(file: &Path) -> Trace {
    let read = read_chrome(File::open(file).expect("it was saved")).expect("it is a trace");
    assert!(read.notes.is_empty(), "{:?}", read.notes);
    read.trace
}

/// The trace has each image, and what the page has shown.
fn check(trace: &Trace, stuck: &str) {
    let rows = trace
        .lanes()
        .flat_map(|(id, lane)| lane.rows().iter().map(move |row| (id, row)));
    let spans: Vec<_> = rows
        .flat_map(|(id, row)| row.iter().map(move |span| (id, span)))
        .collect();
    let count =
        |is_it: &dyn Fn(&Span) -> bool| spans.iter().filter(|(_, span)| is_it(span)).count();
    let done = count(&|span| span.outcome == SpanOutcome::Returned);
    assert_eq!(done, IMAGES - 1, "all but the stuck one");
    assert_eq!(count(&|span| span.outcome == SpanOutcome::TimedOut), 2);
    // A busy machine may have frozen it once more.
    assert!(count(&|span| span.state == SpanState::Frozen) >= 1);
    let last = trace.last_at();
    let is_stuck = |(id, span): &&(LaneId, &Span)| {
        span.ended_by(last) == last && trace.name(id.group, span.name) == stuck
    };
    assert_eq!(spans.iter().filter(is_stuck).count(), 1);
}
