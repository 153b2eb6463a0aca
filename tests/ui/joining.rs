//! Joining a job: with and without a timeout, in the background and on the UI thread.

use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::NodeT as _;

use super::window::{Window, with_a_long_job};

/// Waits until a join with a timeout below a second has ended, and its time counts no more.
fn until_timed_out(window: &mut Window) {
    window.until("still running after ");
    let texts = window.texts_with("still running after ");
    assert!(texts.iter().all(|text| text.ends_with(" ms")), "{texts:?}");
}

#[test]
fn join_with_timeout_counts_down_and_times_out() {
    let mut window = with_a_long_job();
    window.set("Timeout (s)", 0.3);
    window.click("Join with timeout");
    assert!(window.shows("waiting, 0."));
    assert!(!window.is_enabled("Join"));
    until_timed_out(&mut window);
    assert!(window.is_enabled("Cancel"));
    assert!(window.is_enabled("Join with timeout"));
}

/// The look at the process takes place in the background.
#[cfg(target_os = "linux")]
#[test]
fn timed_out_join_says_what_a_command_waits_for() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.type_into("Command line", "sleep 1000");
    window.click("Start");
    window.until("#1 Command");
    window.until_it(|window| window.is_enabled("Kill"), "the command runs");
    window.click("Joining");
    window.set("Timeout (s)", 0.3);
    window.click("Join with timeout");
    window.until("sleeps for 1000 s.");
    window.click("Kill");
    window.until("SIGKILL");
}

#[test]
fn timeout_may_be_typed_with_units() {
    let mut window = with_a_long_job();
    window.type_into("Timeout (s)", "2m30s");
    window.press(Modifiers::NONE, Key::Enter);
    let value = |window: &Window| {
        let field = window.named("Timeout (s)").accesskit_node();
        field.numeric_value()
    };
    assert_eq!(value(&window), Some(150.0));
    window.type_into("Timeout (s)", "soon");
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(value(&window), Some(150.0));
    assert!(window.shows("expected seconds, or a time such as"));
    window.type_into("Timeout (s)", "3m");
    assert!(!window.shows("expected seconds"));
    window.press(Modifiers::NONE, Key::Enter);
    assert_eq!(value(&window), Some(180.0));
    assert!(!window.shows("expected seconds"));
}

#[test]
fn join_reports_the_outcome() {
    let mut window = with_a_long_job();
    window.click("Join");
    window.until("without a deadline");
    window.click("Cancel");
    window.until("joined after");
    assert!(window.shows(": cancelled, 1 of 1 item · 1 cancelled"));
}

#[test]
fn detach_ends_the_wait_and_not_the_job() {
    let mut window = with_a_long_job();
    assert!(!window.is_enabled("Detach"));
    window.click("Join");
    window.until("without a deadline");
    window.click("Detach");
    window.until("detached after");
    assert!(window.is_enabled("Cancel"));
}

#[test]
fn blocking_wait_warns_and_shows_its_cost() {
    let mut window = with_a_long_job();
    window.set("Timeout (s)", 0.25);
    window.click("Wait on the UI thread");
    assert!(window.shows("The window freezes until the wait ends."));
    window.click("Join with timeout");
    window.until("blocked the window for ");
    window.until("frames missed");
    until_timed_out(&mut window);
}

#[test]
fn blocking_wait_becomes_an_incident_with_its_cause() {
    let mut window = with_a_long_job();
    window.set("Timeout (s)", 0.25);
    window.click("Wait on the UI thread");
    window.click("Join with timeout");
    window.until("blocked the window for ");
    window.click("Freeze Lab");
    window.until("in this window");
    window.click_part("in this window");
    window.until("waiting for a job on the UI thread");
    window.click("Clear incidents");
    window.until("no frame of this window");
}
