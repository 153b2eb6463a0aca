//! Closing the window while work runs.

use eframe::egui::ViewportCommand;
use meanwhile::pages::commands;

#[cfg(target_os = "linux")]
use super::sleeper::Sleeper;
use super::window::{Window, with_a_long_job};

fn until_it_closes(window: &mut Window) {
    let closes = |window: &Window| window.has_sent(&ViewportCommand::Close);
    window.until_it(closes, "the end of the window");
}

#[test]
fn idle_window_closes_without_a_question() {
    assert!(Window::open().ask_to_close());
}

#[test]
fn close_question_can_keep_the_window() {
    let mut window = with_a_long_job();
    assert!(!window.ask_to_close());
    assert!(window.shows("Work is still running"));
    assert!(window.named("Keep the window").is_focused());
    window.click("Keep the window");
    assert!(!window.shows("Work is still running"));
    assert!(window.is_enabled("Cancel"));
}

#[test]
fn escape_keeps_the_window() {
    let mut window = with_a_long_job();
    for button in [None, Some("Wait and quit"), Some("Cancel and quit")] {
        assert!(!window.ask_to_close());
        if let Some(button) = button {
            window.click(button);
        }
        assert!(window.shows("Work is still running"));
        window.press_keys_of(commands::KEEP_WINDOW);
        assert!(!window.shows("Work is still running"));
        assert!(!window.has_sent(&ViewportCommand::Close));
    }
}

#[test]
fn cancel_and_quit_cancels_then_closes() {
    let mut window = with_a_long_job();
    assert!(!window.ask_to_close());
    window.click("Cancel and quit");
    until_it_closes(&mut window);
}

#[test]
fn wait_and_quit_closes_after_the_work() {
    let mut window = Window::open();
    window.misbehave("Sleep", 1.0, 1.0, 1.0);
    window.click("Start");
    window.until("#1 Misbehave");
    assert!(!window.ask_to_close());
    window.click("Wait and quit");
    until_it_closes(&mut window);
}

#[test]
fn work_goes_on_without_the_window() {
    let mut window = Window::open();
    window.misbehave("Return", 1.0, 2.0, 1.0);
    window.click("Start");
    window.until("#1 Misbehave");
    assert!(!window.ask_to_close());
    window.click("Keep running without the window");
    until_it_closes(&mut window);
    let detached = window.close();
    assert_eq!(detached.jobs(), 1);
    let folder = tempfile::tempdir().unwrap();
    let said = detached.wait(&folder.path().join("reports"));
    assert_eq!(detached.jobs(), 0);
    let path = said[0].split(" was saved to ").nth(1).unwrap();
    let report = std::fs::read_to_string(path.trim_end_matches('.')).unwrap();
    assert!(report.contains("state: returned"), "{report}");
    assert!(report.contains("items: 2 (2 returned"), "{report}");
}

/// A window whose command ignores `SIGTERM` for so many seconds of grace, after a request to close it. The
/// command has descendants in its session and in others.
#[cfg(target_os = "linux")]
fn asked_to_close_over_a_stubborn_command(grace_secs: f64) -> (Window, Sleeper) {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    let sleeper = Sleeper::new(window.dir.path());
    let sleep = sleeper.command();
    let script = format!(
        "trap '' TERM; setsid -f {sleep}; (setsid {sleep} &); echo ready; {sleep} & {sleep}"
    );
    window.type_into("Command line", &script);
    window.click("More options");
    window.set("Time to stop (s)", grace_secs);
    window.click("More options");
    window.click("Start");
    window.click("Output");
    window.until("ready");
    while sleeper.running().len() < 4 {
        window.step();
    }
    assert!(!window.ask_to_close());
    (window, sleeper)
}

#[cfg(target_os = "linux")]
#[test]
fn cancel_and_quit_leaves_no_process_behind() {
    let (mut window, sleeper) = asked_to_close_over_a_stubborn_command(0.5);
    let asked = std::time::Instant::now();
    window.click("Cancel and quit");
    until_it_closes(&mut window);
    window.close();
    let took = asked.elapsed();
    assert!(took < std::time::Duration::from_millis(3_500), "{took:?}");
    assert!(sleeper.running().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn quit_now_kills_slow_processes() {
    let (mut window, sleeper) = asked_to_close_over_a_stubborn_command(3_600.0);
    window.click("Cancel and quit");
    window.click("Quit now");
    until_it_closes(&mut window);
    window.close();
    assert!(sleeper.running().is_empty());
}
