//! What every page of the window must do.

use eframe::egui::ViewportCommand;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::NodeT as _;
use meanwhile::app::{PageId, State};
use meanwhile::pages::TITLES;

use super::window::{Window, file, with_a_long_job};

/// What the settings file says right now.
fn saved(window: &Window) -> Option<State> {
    let text = std::fs::read(window.dir.path().join("settings.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

#[test]
fn every_widget_has_a_name() {
    // Each step of the window checks it.
    let mut window = with_a_long_job();
    for pane in ["Output", "Panic", "Waits", "Results"] {
        window.click(pane);
    }
    for (job, more) in [
        ("Checksums", None),
        ("Command", Some("More options")),
        ("Fetch URLs", Some("More options")),
        ("Images", Some("More options")),
    ] {
        window.choose("Job", job);
        if let Some(more) = more {
            window.click(more);
            window.step();
        }
    }
    for page in TITLES.iter().rev() {
        window.click(page);
    }
    assert!(!window.ask_to_close());
    for button in ["Wait and quit", "Cancel and quit"] {
        window.click(button);
    }
}

#[test]
fn pages_are_tabs_for_a_screen_reader() {
    let window = Window::open();
    for title in TITLES {
        let tab = window.named(title);
        let node = tab.accesskit_node();
        assert_eq!(node.role(), Role::Tab, "{title}");
        assert_eq!(node.is_selected(), Some(*title == TITLES[0]), "{title}");
    }
}

#[test]
fn page_is_remembered_in_the_next_window() {
    let mut window = Window::open();
    window.click("Settings");
    assert!(window.reopen().shows("Saved in"));
}

#[test]
fn unknown_page_in_the_settings_opens_the_first_one() {
    let dir = tempfile::tempdir().unwrap();
    let settings = r#"{"version": 1, "page": "from the future"}"#;
    std::fs::write(dir.path().join("settings.json"), settings).unwrap();
    let window = Window::open_in(dir, &[]);
    assert!(window.shows("Add files…"));
    assert!(!window.shows("Dismiss"));
}

#[test]
#[cfg(unix)]
fn answer_to_a_lesson_is_saved_at_once() {
    let mut window = Window::open();
    window.click("Lessons");
    window.click("join");
    let has_page =
        |window: &Window| saved(window).is_some_and(|state| state.page != PageId::default());
    window.until_it(has_page, "the page in the settings file");
    window.click("waiting, done, continuing");
    let has_answer = |window: &Window| {
        saved(window).is_some_and(|state| state.pages.lessons.answers.contains_key("join"))
    };
    window.until_it(has_answer, "the answer in the settings file");
}

#[test]
#[cfg(target_os = "linux")]
fn status_bar_counts_a_window_of_the_freeze_lab() {
    let mut window = Window::open();
    window.click("Freeze Lab");
    window.set("Repeat", 20.0);
    window.click("Run both");
    window.until("1 process running");
    window.click("Stop");
    window.until("0 processes running");
}

#[test]
fn files_open_the_page_and_the_job_for_them() {
    let dir = tempfile::tempdir().unwrap();
    let song = file(dir.path(), "song.flac", b"abc");
    let list = file(dir.path(), "SHA256SUMS", b"");
    let mut window = Window::open_in(dir, &[]);
    window.choose("Job", "Misbehave");
    window.click("Lessons");
    let window = window.reopen_with(&[song]);
    assert!(window.shows("1 input"));
    assert_eq!(window.named("Job").value().as_deref(), Some("Checksums"));
    let mut window = window.reopen_with(&[list]);
    assert_eq!(window.named("Job").value().as_deref(), Some("Verify"));
    // Without files, it opens as it was closed.
    window.click("Lessons");
    let window = window.reopen();
    assert!(!window.shows("Add files…"));
}

#[test]
fn other_files_bring_back_the_job_before_a_list() {
    let dir = tempfile::tempdir().unwrap();
    let song = file(dir.path(), "song.flac", b"abc");
    let list = file(dir.path(), "SHA256SUMS", b"");
    let mut window = Window::open_in(dir, &[]);
    window.choose("Job", "Images");
    let job = |window: &Window| window.named("Job").value();
    let window = window.reopen_with(std::slice::from_ref(&list));
    let window = window.reopen_with(std::slice::from_ref(&list));
    assert_eq!(job(&window).as_deref(), Some("Verify"));
    let window = window.reopen_with(std::slice::from_ref(&song));
    assert_eq!(job(&window).as_deref(), Some("Images"));
    // What the user has chosen stays.
    let mut window = window.reopen_with(&[list]);
    window.choose("Job", "Audit");
    window.choose("Job", "Verify");
    let window = window.reopen_with(&[song]);
    assert_eq!(job(&window).as_deref(), Some("Verify"));
}

#[test]
fn title_says_how_far_the_work_is() {
    let mut window = Window::open();
    window.misbehave("Return", 1.0, 1.0, 60.0);
    window.click("Start");
    let title = |text: &str| ViewportCommand::Title(format!("{text} – Meanwhile"));
    let planned = title("0 % · #1 Misbehave");
    window.until_it(|window| window.has_sent(&planned), "the share done");
    window.click("Cancel");
    let cancelled = title("#1 Misbehave: 1 of 1 item · 1 cancelled");
    window.until_it(|window| window.has_sent(&cancelled), "how it ended");
    window.click("Remove");
    assert!(window.has_sent(&ViewportCommand::Title("Meanwhile".to_owned())));
}
