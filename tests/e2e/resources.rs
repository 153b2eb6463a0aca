//! What the program uses while it is idle, and under a flood of output; and what it says without a display.

use std::process::Command;
use std::time::Duration;

use crate::cost::{self, Cost};
use crate::session::{Session, pause};
use crate::setup::{misbehave, start_command};
use crate::window::{Tree, Window};

/// How long an idle window is measured.
const IDLE: Duration = Duration::from_secs(10);

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn idle_window_uses_no_processor_time() {
    let session = Session::start("idle");
    let window = Window::open(&session, &[]);
    misbehave(&window, "Return", 0.0);
    window.wait_for_text("0 tasks running");
    cost::wait_until_idle(&window);

    let before = Cost::of(&window);
    pause(IDLE);
    let spent = Cost::of(&window).since(before);

    // Every repaint wakes the thread that owns the window.
    assert_eq!(spent.wakeups, 0, "the window's thread woke: {spent:?}");
    assert!(
        spent.cpu * 200 < IDLE,
        "more than 0.5 % of a core: {spent:?}"
    );
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn flood_is_shown_in_bounded_memory() {
    let session = Session::start("flood");
    let window = start_command(&session, "exec yes");
    window.press_any("Output");
    let mut seen = window.wait_for("a flood", printed_mebibytes);
    let before = cost::resident(&window);

    for _ in 0..8 {
        seen = window.wait_for("32 MiB more", |tree| {
            printed_mebibytes(tree).filter(|&printed| printed >= seen + 32.0)
        });
    }
    let grown = cost::resident(&window).saturating_sub(before);
    assert!(grown < 64 << 20, "{} MiB more", grown >> 20);
    window.press("push button", "Kill");
    window.wait_for_text("SIGKILL");
}

/// How much a process has printed in total, once the oldest output is dropped.
fn printed_mebibytes(tree: &Tree) -> Option<f64> {
    let figures = tree.text_with(" dropped")?;
    let mut words = figures.split(' ');
    let number: f64 = words.next()?.parse().ok()?;
    match words.next()? {
        "MiB" => Some(number),
        "GiB" => Some(number * 1024.0),
        _ => None,
    }
}

#[test]
#[ignore = "runs with the other tests of the window; tests/all.sh runs it"]
fn missing_display_names_a_command_that_works() {
    let output = Command::new(env!("CARGO_BIN_EXE_meanwhile"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("WAYLAND_SOCKET")
        .output()
        .unwrap();

    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        message.contains("no display") && message.contains("meanwhile run"),
        "{message}"
    );
    assert_eq!(message.trim().lines().count(), 1, "{message}");
}
