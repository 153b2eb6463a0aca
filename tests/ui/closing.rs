//! Leaving while work runs.

use eframe::egui::{ViewportCommand, ViewportEvent, ViewportId};

use meanwhile::app::DetachedJobs;

use super::window::Window;

/// What the close button of the window does. Returns whether the window would close.
fn close(window: &mut Window) -> bool {
    let viewports = &mut window.harness.input_mut().viewports;
    let root = viewports.entry(ViewportId::ROOT).or_default();
    root.events.push(ViewportEvent::Close);
    window.harness.step();
    let closes = !sent(window, &ViewportCommand::CancelClose);
    let viewports = &mut window.harness.input_mut().viewports;
    viewports
        .entry(ViewportId::ROOT)
        .or_default()
        .events
        .clear();
    window.harness.step();
    closes
}

fn sent(window: &Window, command: &ViewportCommand) -> bool {
    let output = &window.harness.output().viewport_output[&ViewportId::ROOT];
    output.commands.contains(command)
}

fn with_a_long_job() -> Window {
    let mut window = Window::open();
    window.misbehave("Sleep", 1.0, 1.0, 600.0);
    window.click("Start");
    window.until("#1 Misbehave");
    window
}

#[test]
fn an_idle_window_closes_without_a_question() {
    assert!(close(&mut Window::open()));
}

#[test]
fn running_work_is_asked_about_and_the_window_can_be_kept() {
    let mut window = with_a_long_job();
    assert!(!close(&mut window));
    assert!(window.shows("Work is still running"));
    assert!(window.named("Keep the window").is_focused());
    window.click("Keep the window");
    assert!(!window.shows("Work is still running"));
    assert!(window.is_enabled("Cancel"));
}

#[test]
fn cancel_and_quit_cancels_and_then_closes() {
    let mut window = with_a_long_job();
    assert!(!close(&mut window));
    window.click("Cancel and quit");
    window.until_it(|window| sent(window, &ViewportCommand::Close), "the close");
}

#[test]
fn wait_and_quit_closes_when_the_work_has_ended() {
    let mut window = Window::open();
    window.misbehave("Sleep", 1.0, 1.0, 1.0);
    window.click("Start");
    window.until("#1 Misbehave");
    assert!(!close(&mut window));
    window.click("Wait and quit");
    window.until_it(|window| sent(window, &ViewportCommand::Close), "the close");
}

#[test]
fn the_work_goes_on_without_the_window() {
    let mut window = Window::open();
    window.misbehave("Sleep", 1.0, 1.0, 1.0);
    window.click("Start");
    window.until("#1 Misbehave");
    assert!(!close(&mut window));
    window.click("Keep running without the window");
    window.until_it(|window| sent(window, &ViewportCommand::Close), "the close");
    let detached = closed(window);
    assert_eq!(detached.jobs(), 1);
    detached.wait();
    assert_eq!(detached.jobs(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn cancel_and_quit_leaves_no_process_behind() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    let script = "trap '' TERM; echo ready; sleep 86404 & sleep 86404";
    window.type_into("Command line", script);
    window.click("More about the command");
    window.set("Grace (s)", 0.5);
    window.click("More about the command");
    window.click("Start");
    window.click("Output");
    window.until("ready");
    assert!(!close(&mut window));
    let asked = std::time::Instant::now();
    window.click("Cancel and quit");
    window.until_it(|window| sent(window, &ViewportCommand::Close), "the close");
    closed(window);
    let took = asked.elapsed();
    assert!(took < std::time::Duration::from_millis(3_500), "{took:?}");
    assert!(!super::output::is_running("sleep", "86404"));
}

#[cfg(target_os = "linux")]
#[test]
fn quit_now_kills_what_would_take_its_time() {
    let mut window = Window::open();
    window.choose("Job", "Command");
    window.click("Through /bin/sh");
    let script = "trap '' TERM; echo ready; sleep 86405 & sleep 86405";
    window.type_into("Command line", script);
    window.click("More about the command");
    window.set("Grace (s)", 3_600.0);
    window.click("More about the command");
    window.click("Start");
    window.click("Output");
    window.until("ready");
    assert!(!close(&mut window));
    window.click("Cancel and quit");
    window.click("Quit now");
    window.until_it(|window| sent(window, &ViewportCommand::Close), "the close");
    closed(window);
    assert!(!super::output::is_running("sleep", "86405"));
}

/// What the end of the window does.
fn closed(window: Window) -> DetachedJobs {
    let detached = window.detached.clone();
    let mut app = window.harness.into_state();
    eframe::App::on_exit(&mut app, None);
    detached
}
