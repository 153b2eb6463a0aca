//! What three people come for, done by keyboard alone: with files, to learn, and to see windows freeze.

use std::path::Path;

use eframe::egui::accesskit::SortDirection;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use meanwhile::app::{DialogAnswer, DialogRequest};
#[cfg(unix)]
use meanwhile::lessons::LessonId;

#[cfg(target_os = "linux")]
use super::lab_runs::Twins;
use super::typist::Typist;
use super::window::{Window, file};

const SHA256_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// Types the paths of two files and of one that is missing, and starts the job.
fn with_three_files(dir: &Path, window: Window) -> Typist {
    let mut typist = Typist::at(window);
    typist.chooses("Algorithm", "SHA-256");
    typist.goes_back_to("Path");
    for name in ["abc.txt", "missing.txt", "other.txt"] {
        typist.types(dir.join(name).to_str().expect("plain text"));
        // The field keeps the keyboard for the next one.
        typist.presses(Key::Enter);
        assert_eq!(typist.focus().as_deref(), Some("Path"));
    }
    typist.waits_for("3 inputs");
    typist.activates("Start");
    typist.waits_for("3 of 3 items · 1 failed");
    typist
}

#[test]
fn files_are_checked_and_saved_by_keyboard_alone() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    file(dir.path(), "abc.txt", b"abc");
    file(dir.path(), "other.txt", b"other");
    let window = Window::open();
    let (dialogs, opener) = (window.dialogs.clone(), window.opener.clone());
    let mut typist = with_three_files(dir.path(), window);

    // The failed ones first, then alone.
    typist.activates("State");
    let sorted = typist.with_focus(|header| header.data().sort_direction());
    assert_eq!(sorted, Some(SortDirection::Ascending));
    typist.goes_back_to("1 failed");
    typist.presses(Key::Space);
    typist.waits_for("1 of 3 items");
    typist.goes_to("Table of results");
    typist.presses(Key::ArrowDown);
    assert_eq!(typist.focus().as_deref(), Some("missing.txt"));
    typist.presses(Key::Enter);
    typist.waits_for("Copy result");
    typist.goes_to("Copy path");
    let path = typist.copies();
    assert!(path.ends_with("missing.txt"), "{path}");
    typist.goes_back_to("Close the details");
    typist.presses(Key::Enter);
    assert!(!typist.sees().shows("Copy path"));

    // All again, and the digest of one by its menu.
    typist.goes_to("1 failed");
    typist.presses(Key::Space);
    typist.waits_for("3 items");
    // The table has the row of before.
    typist.goes_to("missing.txt");
    typist.presses(Key::Home);
    while typist.focus().as_deref() != Some("abc.txt") {
        typist.presses(Key::ArrowDown);
    }
    typist.presses_with(Modifiers::SHIFT, Key::F10);
    typist.goes_to("Copy digest");
    assert_eq!(typist.copies(), SHA256_OF_ABC);
    assert_eq!(
        typist.focus().as_deref(),
        Some("abc.txt"),
        "the table again"
    );

    // The list is saved, and its folder opened from the message.
    let list = dir.path().join("list.sha256");
    typist.activates("Save list…");
    assert!(matches!(dialogs.asked()[..], [DialogRequest::Save { .. }]));
    dialogs.answer(DialogAnswer::Picked(vec![list.clone()]));
    typist.waits_for("list.sha256.");
    let saved = std::fs::read_to_string(&list).expect("the list is there");
    assert!(saved.contains(SHA256_OF_ABC) && saved.lines().count() == 2);
    typist.activates("Open folder");
    typist.waits_until(
        |_| opener.opened().in_folders == [list.clone()],
        "the folder",
    );
    typist.activates("Dismiss");
    assert!(!typist.sees().shows("list.sha256."));
}

/// Answers the question of the lesson that is shown, runs it, and reads on.
#[cfg(unix)]
fn learn(lesson: LessonId, typist: &mut Typist) {
    let question = &lesson.lesson().question;
    let answer = question.choices[question.right].replace('`', "");
    let presses = typist.goes_to(&answer);
    assert!(presses <= question.choices.len() + 1, "{presses}");
    typist.presses(Key::Space);
    assert!(typist.sees().shows("Run the lesson to check your answer."));
    typist.fills("Speed", "20");
    typist.goes_back_to("Run");
    typist.presses(Key::Enter);
    typist.waits_until(|window| !window.is_enabled("Stop"), "the end of the lesson");
    assert!(typist.sees().shows("Right."), "{}", typist.sees().texts());
    typist.goes_to("Copy transcript");
    let transcript = typist.copies();
    assert!(transcript.contains(lesson.lesson().title), "{transcript}");
    assert!(transcript.contains("as expected"), "{transcript}");
    typist.activates("What happened");
    assert!(typist.sees().shows("See also"), "{}", typist.sees().texts());
}

#[test]
#[cfg(unix)]
fn two_lessons_are_learned_by_keyboard_alone() {
    let order = LessonId::in_order();
    let mut typist = Typist::at(Window::open());
    typist.activates("Lessons");
    typist.activates(order[0].lesson().id);
    for pair in order[..3].windows(2) {
        let [lesson, next] = *pair else {
            unreachable!("a pair");
        };
        if lesson == order[0] {
            // Past the rest of the list.
            let last = order.last().expect("there are lessons").lesson().id;
            typist.goes_to(last);
            typist.presses(Key::Tab);
        }
        learn(lesson, &mut typist);
        typist.goes_back_to("Next lesson");
        typist.presses(Key::Enter);
        let text = next.lesson().question.text.replace('`', "");
        assert!(typist.sees().shows(&text), "{}", typist.sees().texts());
        // From the button the question is a few steps back, not all the way round.
        assert_eq!(typist.focus().as_deref(), Some("Next lesson"));
        let first = next.lesson().question.choices[0].replace('`', "");
        assert!(typist.goes_back_to(&first) <= 8);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn freeze_is_measured_and_read_by_keyboard_alone() {
    let (twins, window) = Twins::open_window();
    let mut typist = Typist::at(window);
    typist.activates("Freeze Lab");
    typist.activates("work-in-ui");
    for (button, gap) in [("Run bad", 1_500), ("Run fixed", 30)] {
        twins.next(gap, false);
        typist.activates(button);
        typist.waits_until(|window| !window.is_enabled("Stop"), "the end of the run");
    }
    typist.activates("Report");
    typist.waits_for("Frame gaps of work-in-ui, bad: longest 1.50 s");
    assert!(typist.sees().shows("1 of 18 patterns measured"));
    typist.activates("Show work-in-ui");
    assert!(typist.sees().shows("Frame gaps over time, bad"));
}

#[test]
fn job_is_joined_and_inspected_by_keyboard_alone() {
    let mut typist = Typist::at(Window::open());
    typist.chooses("Job", "Misbehave");
    typist.chooses("Ends by", "Sleep");
    typist.fills("Items", "1");
    typist.fills("Seconds each", "600");
    typist.presses_with(Modifiers::COMMAND, Key::Enter);
    typist.waits_for("of 1 item");
    // The inspector is open for a job that misbehaves.
    typist.fills("Timeout (s)", "0.2");
    typist.goes_back_to("Join with timeout");
    typist.presses(Key::Enter);
    typist.waits_for("still running after 2");
    typist.goes_back_to("Join");
    typist.presses(Key::Enter);
    typist.waits_for("without a deadline");
    typist.activates("Waits");
    typist.waits_for("the window, in the background");
    typist.activates("Cancel");
    typist.waits_for("joined after");
    typist.goes_back_to("Joining");
    typist.presses(Key::Space);
    assert!(!typist.sees().shows("joined after"));
    let folded = typist.sees().harness.query_by_label("Timeout (s)");
    assert!(folded.is_none(), "{}", typist.sees().texts());
}
