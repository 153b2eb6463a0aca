//! The page Timeline: lanes, zoom, selection, files.

use std::fs;

use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use meanwhile::app::DialogAnswer;
use meanwhile::pages::timeline::command;
use meanwhile::trace::read_chrome;

use super::command_windows::{select_first_span, with_a_comparison, with_a_timeline};
use super::window::{Window, file};

/// The plot, which has the keys.
fn focus_plot(window: &mut Window) {
    window.harness.get_by_label_contains("Timeline of").focus();
    window.step();
}

/// Selects the first item of the job: the bars of the whole job and of its plan are above it.
fn select_first_item(window: &mut Window) {
    select_first_span(window);
    for _ in 0..4 {
        if window.shows("item 1") {
            return;
        }
        window.press(Modifiers::NONE, Key::ArrowDown);
        window.step();
        window.step();
    }
    panic!("no item\n{}", window.texts());
}

#[test]
fn job_has_a_lane_for_the_whole_and_for_threads() {
    let window = with_a_timeline();
    assert!(window.shows("#1 Misbehave"), "{}", window.texts());
    for lane in ["Job, #1 Misbehave: 2 spans", "Thread 1, #1 Misbehave"] {
        assert!(window.shows(lane), "{lane}\n{}", window.texts());
    }
}

#[test]
fn item_of_a_bar_is_found_in_the_results() {
    let mut window = with_a_timeline();
    select_first_item(&mut window);
    window.click("Show in results");
    window.until("1 of 3 selected");
}

#[test]
fn keys_zoom_and_move_and_show_all_again() {
    let mut window = with_a_timeline();
    focus_plot(&mut window);
    assert!(!window.is_enabled("Show all"));
    for key in [Key::W, Key::W, Key::A, Key::D, Key::S] {
        window.press(Modifiers::NONE, key);
        assert!(window.is_enabled("Show all"), "{key:?}");
    }
    window.press_keys_of(command::FIT);
    window.step();
    assert!(!window.is_enabled("Show all"));
}

#[test]
fn folded_and_filtered_lanes_are_gone() {
    let mut window = with_a_timeline();
    window.click("#1 Misbehave");
    assert!(!window.shows("Thread 1, "));
    window.click("#1 Misbehave");
    assert!(window.shows("Thread 1, "));
    window.type_into("Filter", "thread");
    assert!(window.shows("Thread 1, ") && !window.shows("Job, #1"));
    window.type_into("Filter", "nothing has this name");
    assert!(!window.shows("Thread 1, "));
}

#[test]
fn pinned_lane_comes_first() {
    let mut window = with_a_timeline();
    let top = |window: &Window, part: &str| {
        let nodes = window.harness.query_all_by_label_contains(part);
        let tops = nodes.map(|node| node.rect().top());
        tops.fold(f32::INFINITY, f32::min)
    };
    assert!(top(&window, "Job, #1") < top(&window, "Thread 1, "));
    window.click_part("Thread 1, ");
    window.step();
    assert!(top(&window, "Job, #1") > top(&window, "Thread 1, "));
}

#[test]
fn saved_trace_is_opened_beside_that_of_the_program() {
    let mut window = with_a_timeline();
    let path = window.dir.path().join("saved.trace.json");
    window.click("Save trace…");
    window
        .dialogs
        .answer(DialogAnswer::Picked(vec![path.clone()]));
    window.until("The trace was saved");
    let bytes = fs::read(&path).expect("it was saved");
    let read = read_chrome(bytes.as_slice()).expect("it is a trace");
    // The whole job, its plan, and three items.
    assert_eq!((read.trace.len(), read.notes.len()), (5, 0));
    window.click("Open trace…");
    window.dialogs.answer(DialogAnswer::Picked(vec![path]));
    window.until("saved.trace.json");
    window.until("This program");
    assert!(window.shows("Job, #1 Misbehave: 2 spans"));
    assert!(!window.shows("Show in results"));
    window.click("Close trace");
    window.step();
    assert!(!window.shows("This program"));
}

#[test]
fn window_opened_with_a_trace_shows_it() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let text = br#"[{"ph":"X","ts":1,"dur":2,"pid":"cargo","tid":1,"name":"build"},"#;
    let path = file(dir.path(), "cargo.trace.json", text);
    let mut window = Window::open_in(dir, &[path]);
    window.until("Process cargo");
    assert!(
        window.shows("Thread 1, Process cargo: 1 span, last build"),
        "{}",
        window.texts()
    );
}

#[test]
fn file_that_is_no_trace_is_refused_in_a_sentence() {
    let mut window = with_a_timeline();
    let path = file(window.dir.path(), "notes.txt", b"no trace");
    window.click("Open trace…");
    window.dialogs.answer(DialogAnswer::Picked(vec![path]));
    window.until("was not opened: it is no trace");
}

#[test]
fn removed_job_leaves_the_timeline() {
    let mut window = with_a_timeline();
    window.click("Workbench");
    window.click("Remove");
    window.click("Timeline");
    assert!(window.shows("Nothing has run yet"), "{}", window.texts());
}

#[test]
fn item_that_only_one_of_two_jobs_has_is_listed() {
    let mut window = with_a_comparison();
    for text in ["Before: #1 Misbehave", "After: #2 Misbehave"] {
        assert!(window.shows(text), "{text}\n{}", window.texts());
    }
    assert!(window.shows("vanished: item 3"), "{}", window.texts());
    let pictures = window
        .harness
        .query_all_by_label_contains("Timeline of 1 group");
    assert_eq!(pictures.count(), 2);
    window.click_part("vanished: item 3");
    window.click("Before");
    {
        let harness = &window.harness;
        let entries = harness.query_all_by_label("#2 Misbehave");
        let last = entries.max_by(|a, b| a.rect().left().total_cmp(&b.rect().left()));
        last.expect("the list is open").click();
    }
    window.until("Nothing differs; 4 spans are in both.");
    window.click("Close comparison");
    window.until("Follow");
}

#[test]
fn two_runs_have_one_time_axis() {
    let mut window = with_a_comparison();
    assert!(!window.is_enabled("Show all"));
    window.click("Closer");
    assert!(window.is_enabled("Show all"));
    // The keys of one picture move the other one, too.
    window.click("Show all");
    {
        let pictures = &window.harness;
        let mut pictures = pictures.query_all_by_label_contains("Timeline of");
        pictures.nth(1).expect("the second one").focus();
    }
    window.step();
    window.press(Modifiers::NONE, Key::W);
    assert!(window.is_enabled("Show all"));
}

#[test]
#[cfg(unix)]
fn both_runs_of_a_lesson_are_opened_and_compared() {
    let mut window = Window::open();
    window.click("Lessons");
    window.click("join");
    window.set("Speed", 20.0);
    for work in [1.0, 5.0] {
        window.set("Worker sleeps (s)", work);
        window.click("Run");
        window.until_it(|window| window.is_enabled("Run"), "the end");
    }
    window.click("Open in timeline");
    window.until("Lesson join");
    window.until("2 groups");
    window.click("Compare runs…");
    window.until("longer: ");
    // It takes the place of the one before.
    window.click("Lessons");
    window.click("Open in timeline");
    window.until("Follow");
    assert_eq!(window.count("Lesson join"), 1, "{}", window.texts());
}
