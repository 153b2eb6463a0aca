//! The window without a display, driven by the names of its widgets.

#[cfg(target_os = "linux")]
#[path = "ui/adopting.rs"]
mod adopting;
#[path = "ui/announcements.rs"]
mod announcements;
#[cfg(target_os = "linux")]
#[expect(dead_code, reason = "the tests of the library need more of it")]
#[path = "util/child.rs"]
mod child;
#[path = "ui/closing.rs"]
mod closing;
#[cfg(target_os = "linux")]
#[path = "ui/command.rs"]
mod command;
#[cfg(target_os = "linux")]
#[path = "ui/command_windows.rs"]
mod command_windows;
#[path = "ui/commands.rs"]
mod commands;
#[path = "ui/display.rs"]
mod display;
#[path = "ui/fetch.rs"]
mod fetch;
#[path = "ui/guide.rs"]
mod guide;
#[path = "ui/images.rs"]
mod images;
#[path = "ui/inputs.rs"]
mod inputs;
#[path = "ui/joining.rs"]
mod joining;
#[path = "ui/keyboard.rs"]
mod keyboard;
#[cfg(target_os = "linux")]
#[path = "ui/lab.rs"]
mod lab;
#[cfg(target_os = "linux")]
#[path = "ui/lab_runs.rs"]
mod lab_runs;
#[cfg(target_os = "linux")]
#[path = "util/launching.rs"]
mod launching;
#[path = "ui/layout.rs"]
mod layout;
#[cfg(unix)]
#[path = "ui/lesson_course.rs"]
mod lesson_course;
#[cfg(unix)]
#[path = "ui/lessons.rs"]
mod lessons;
#[path = "ui/messages.rs"]
mod messages;
#[path = "ui/outcomes.rs"]
mod outcomes;
#[cfg(target_os = "linux")]
#[path = "ui/output.rs"]
mod output;
#[path = "ui/pages.rs"]
mod pages;
#[path = "ui/paging.rs"]
mod paging;
#[cfg(target_os = "linux")]
#[path = "util/parent.rs"]
mod parent;
#[path = "ui/people.rs"]
mod people;
#[path = "ui/reading_order.rs"]
mod reading_order;
#[path = "ui/resting.rs"]
mod resting;
#[path = "ui/results.rs"]
mod results;
#[path = "ui/rows.rs"]
mod rows;
#[path = "ui/settings.rs"]
mod settings;
#[cfg(target_os = "linux")]
#[path = "util/sleeper.rs"]
mod sleeper;
#[path = "ui/timeline.rs"]
mod timeline;
#[cfg(target_os = "linux")]
#[path = "ui/trace.rs"]
mod trace;
#[path = "ui/trace_shapes.rs"]
mod trace_shapes;
#[path = "ui/trace_statistics.rs"]
mod trace_statistics;
#[path = "ui/typist.rs"]
mod typist;
#[cfg(target_os = "linux")]
#[path = "ui/waits.rs"]
mod waits;
#[path = "ui/window.rs"]
mod window;
