//! The Freeze Lab's patterns on Wayland. Nothing else may run beside these tests, because they measure times.

use serde_json::Value;

use crate::lab;
use crate::session::Session;

/// As [`lab::fault`]. Where sway can't do what a pattern is about, the report says so.
fn fault(entry: &Value) -> Option<String> {
    let is_minimised = entry["id"] == "poll-in-ui-only";
    match entry["missing"].as_str() {
        Some(missing) if is_minimised && missing.contains("does not minimise") => None,
        None if !is_minimised => lab::fault(entry),
        _ => Some(format!("what is missing: {entry}")),
    }
}

/// The patterns that are about the window system, which alone differs from what the tests on X11 have measured.
#[test]
#[ignore = "needs a compositor, and the machine to itself; tests/all.sh runs it"]
fn those_about_windows_are_as_on_x11() {
    let session = Session::start_on("sway", "sway-lab");
    let patterns = ["dialog-in-ui", "join-on-close", "poll-in-ui-only"];
    lab::assert_patterns(&session, &patterns, fault);
}

#[test]
#[ignore = "needs a compositor, and the machine to itself; tests/all.sh runs it"]
fn all_are_as_on_x11() {
    let session = Session::start_on("sway", "sway-lab-all");
    lab::assert_patterns(&session, &[], fault);
}
