//! How items end: errors, panics, crashes, cancels.

use super::window::Window;

#[test]
fn panic_is_shown_with_message_place_and_backtrace() {
    let mut window = Window::open();
    window.misbehave("Panic with String", 2.0, 3.0, 0.0);
    window.click("Start");
    window.until("1 panicked");
    assert!(window.shows("1 panic captured"));
    window.click("Panic");
    assert!(window.shows("item 2 misbehaved: a simulated panic"));
    assert!(window.shows("misbehave/mod.rs:"));
    window.click("Resolve backtrace");
    let places = |window: &Window| window.texts_with("misbehave/mod.rs:").len();
    window.until_it(|window| places(window) > 1, "the place in the backtrace");
}

#[test]
fn copied_report_has_the_panic() {
    let mut window = Window::open();
    window.misbehave("Panic with &str", 1.0, 2.0, 0.0);
    window.click("Start");
    window.until("1 panicked");
    window.click("Copy report");
    let copied = |window: &Window| {
        let commands = &window.harness.output().platform_output.commands;
        commands.iter().any(|command| match command {
            eframe::egui::OutputCommand::CopyText(text) => {
                text.contains("simulated panic") && text.contains("misbehave/mod.rs:")
            }
            _ => false,
        })
    };
    window.until_it(copied, "the report on the clipboard");
}

#[test]
fn failed_item_leaves_the_others_alone() {
    let mut window = Window::open();
    window.misbehave("Error", 2.0, 3.0, 0.0);
    window.click("Start");
    window.until("3 of 3 items · 1 failed");
    window.until("item 2: simulated failure");
    assert_eq!(window.count("done"), 2);
}

#[test]
fn cancelling_twice_keeps_finished_results() {
    let mut window = Window::open();
    window.set("Workers", 1.0);
    window.misbehave("Sleep", 2.0, 3.0, 600.0);
    window.click("Start");
    window.until_it(|window| window.count("done") == 1, "the first item");
    window.until_it(|window| window.count("running") > 1, "the second item");
    window.click("Cancel");
    // It may have ended meanwhile, and the button with it.
    window.named("Cancel").click();
    window.step();
    window.until("2 cancelled");
    assert_eq!(window.count("done"), 1);
    window.until_it(|window| !window.is_enabled("Cancel"), "the end of the job");
}

#[test]
fn ended_job_can_be_run_again_and_removed() {
    let mut window = Window::open();
    window.misbehave("Return", 1.0, 2.0, 0.0);
    window.click("Start");
    window.until("2 of 2 items");
    window.click("Run again");
    window.until("#2 Misbehave");
    window.until("2 of 2 items");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window.click("Remove");
    assert!(!window.shows("#2 Misbehave"));
    assert!(window.shows("#1 Misbehave"));
}

#[test]
fn crash_is_shown_with_its_last_output() {
    let mut window = Window::open();
    window.choose("Run on", "A process each");
    window.misbehave("Stack overflow", 2.0, 3.0, 0.0);
    window.click("Start");
    window.until("3 of 3 items · 1 crashed");
    assert_eq!(window.count("done"), 2);
    assert_eq!(window.count("crashed"), 1);
    let message = "its worker was killed by signal 6 (SIGABRT)";
    window.open_details(message);
    window.until("overflowed its stack");
    assert!(window.is_enabled("Copy standard error"));
    window.type_into("Filter", "crashed");
    window.until("1 of 1 selected");
}

#[test]
fn blocked_worker_is_counted_and_can_be_cancelled() {
    let mut window = Window::open();
    window.choose("Run on", "A process each");
    window.misbehave("Block forever", 1.0, 1.0, 0.0);
    window.click("Start");
    let counted = |window: &Window| {
        let figures = window.texts_with(" running");
        let processes = figures.iter().filter(|text| text.contains("process"));
        processes.into_iter().any(|text| !text.starts_with("0 "))
    };
    window.until_it(counted, "a process that runs");
    window.until_it(|window| window.is_enabled("Cancel"), "the job runs");
    window.click("Cancel");
    window.until("1 of 1 item · 1 cancelled");
}

#[test]
fn only_panics_near_the_view_are_drawn() {
    let mut window = Window::open();
    window.misbehave("Panic with &str", 0.0, 120.0, 0.0);
    window.click("Start");
    window.until("120 panicked");
    window.click("Panic");
    window.harness.step();
    let drawn = window.count("Resolve backtrace");
    assert!((4..40).contains(&drawn), "{drawn} panics drawn");
}
