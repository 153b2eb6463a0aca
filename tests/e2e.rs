//! The program in a real window on a virtual screen: the native file dialog, the accessibility tree,
//! closing over running work, and the cost of an idle window.
//!
//! `tests/all.sh` installs the parts of a desktop that these tests need. `e2e/atspi.py` reads the window.
//! The tests in `ui.rs` check the widgets in detail, and faster, without a screen.
#![cfg(target_os = "linux")]

#[path = "e2e/accessibility.rs"]
mod accessibility;
#[path = "e2e/awake.rs"]
mod awake;
#[path = "e2e/because.rs"]
mod because;
#[path = "e2e/child_guard.rs"]
mod child_guard;
#[path = "e2e/clipboard.rs"]
mod clipboard;
#[path = "e2e/closing.rs"]
mod closing;
#[path = "e2e/cost.rs"]
mod cost;
#[path = "e2e/dialog.rs"]
mod dialog;
#[path = "e2e/examples.rs"]
mod examples;
#[path = "e2e/file_dialogs.rs"]
mod file_dialogs;
#[path = "e2e/jobs.rs"]
mod jobs;
#[path = "e2e/lab.rs"]
mod lab;
#[path = "e2e/lab_page.rs"]
mod lab_page;
#[path = "util/lesson_processes.rs"]
mod lesson_processes;
#[path = "e2e/opengl.rs"]
mod opengl;
#[path = "e2e/opening.rs"]
mod opening;
#[path = "e2e/patterns_on_sway.rs"]
mod patterns_on_sway;
#[expect(dead_code, reason = "other tests need more of it")]
#[path = "util/resources.rs"]
mod process_resources;
#[path = "e2e/resources.rs"]
mod resources;
#[path = "e2e/session.rs"]
mod session;
#[path = "e2e/setup.rs"]
mod setup;
#[path = "util/sleeper.rs"]
mod sleeper;
#[path = "e2e/soak.rs"]
mod soak;
#[path = "e2e/timeline.rs"]
mod timeline;
#[path = "e2e/wayland.rs"]
mod wayland;
#[expect(dead_code, reason = "other tests need more of it")]
#[path = "util/ways.rs"]
mod ways;
#[path = "e2e/window.rs"]
mod window;
