//! The page Timeline: the figures of a job, and its values in a file.

use std::fs;

use egui_kittest::kittest::{NodeT as _, Queryable as _};
use meanwhile::app::DialogAnswer;

use super::command_windows::with_a_timeline;
use super::window::{Window, file};

#[test]
fn statistics_of_a_job_are_shown_below_it() {
    let mut window = with_a_timeline();
    assert!(!window.shows("What the end hung on"));
    window.click("Statistics");
    window.until("What the end hung on");
    for part in ["half within", "longest", "at most", "How long items took. "] {
        assert!(window.shows(part), "{part}\n{}", window.texts());
    }
    window.click("Statistics");
    window.step();
    assert!(!window.shows("What the end hung on"));
}

/// Two programs: the second one is shown unless a bar of the first one is selected.
const TRACE: &[u8] = br#"[
    {"ph":"X","ts":0,"dur":2000000,"pid":1,"tid":1,"name":"first"},
    {"ph":"X","ts":0,"dur":1000000,"pid":2,"tid":1,"name":"short"},
    {"ph":"X","ts":1000000,"dur":4000000,"pid":2,"tid":1,"name":"stuck"}]"#;

fn with_the_trace() -> Window {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let path = file(dir.path(), "two.trace.json", TRACE);
    let mut window = Window::open_in(dir, &[path]);
    window.until("Process 2");
    window.click("Statistics");
    window.until("What the end hung on");
    window
}

#[test]
fn click_on_a_step_selects_its_bar() {
    let mut window = with_the_trace();
    let steps = window.harness.query_all_by_label_contains("Thread 1, from");
    let steps: Vec<_> = steps
        .filter_map(|node| node.accesskit_node().label())
        .collect();
    assert_eq!(
        steps,
        [
            "4.00 s, Thread 1, from 1.00 s: stuck",
            "1.00 s, Thread 1, from 0 ms: short"
        ]
    );
    window.click("4.00 s, Thread 1, from 1.00 s: stuck");
    window.click("Statistics");
    window.until("stuck\nruns, 4.00 s, from 1.00 s");
}

#[test]
fn values_of_the_shown_trace_are_saved() {
    let mut window = with_the_trace();
    let path = window.dir.path().join("values.csv");
    window.click("Save CSV…");
    window
        .dialogs
        .answer(DialogAnswer::Picked(vec![path.clone()]));
    window.until("The items, waits and frames were saved");
    let text = fs::read_to_string(&path).expect("it was saved");
    let lines = text
        .lines()
        .filter(|line| line.starts_with("item,Process "));
    assert_eq!(lines.count(), 3, "{text}");
}
