//! One binary for all tests through public interfaces; a module a subject.

#[path = "integration/audit.rs"]
mod audit;
#[path = "integration/board/mod.rs"]
mod board;
#[path = "integration/checksum/mod.rs"]
mod checksum;
#[path = "integration/cli/mod.rs"]
mod cli;
#[cfg(target_os = "linux")]
#[path = "integration/command/mod.rs"]
mod command;
#[cfg(target_os = "linux")]
#[path = "integration/command_line.rs"]
mod command_line;
#[cfg(target_os = "linux")]
#[path = "integration/command_output.rs"]
mod command_output;
#[cfg(target_os = "linux")]
#[path = "integration/fetch/mod.rs"]
mod fetch;
#[path = "integration/format.rs"]
mod format;
#[path = "integration/forms.rs"]
mod forms;
#[cfg(target_os = "linux")]
#[path = "integration/images/mod.rs"]
mod images;
#[cfg(target_os = "linux")]
#[path = "integration/instance.rs"]
mod instance;
#[cfg(target_os = "linux")]
#[path = "integration/isolation/mod.rs"]
mod isolation;
#[path = "integration/job_trace.rs"]
mod job_trace;
#[cfg(target_os = "linux")]
#[path = "integration/lab/mod.rs"]
mod lab;
#[path = "integration/layered.rs"]
mod layered;
#[cfg(target_os = "linux")]
#[path = "integration/lessons/mod.rs"]
mod lessons;
#[path = "integration/misbehave.rs"]
mod misbehave;
#[cfg(target_os = "linux")]
#[path = "integration/patterns.rs"]
mod patterns;
#[path = "integration/record/mod.rs"]
mod record;
#[path = "integration/save.rs"]
mod save;
#[path = "integration/settings.rs"]
mod settings;
#[path = "integration/timeline.rs"]
mod timeline;
#[path = "integration/trace.rs"]
mod trace;
#[path = "integration/trace_compare.rs"]
mod trace_compare;
#[path = "integration/trace_files.rs"]
mod trace_files;
#[path = "integration/trace_statistics.rs"]
mod trace_statistics;
#[expect(dead_code, reason = "the tests of the library use the rest")]
mod util;
#[path = "integration/verify/mod.rs"]
mod verify;
#[path = "integration/waits.rs"]
mod waits;
// Runs last; see the module.
#[cfg(target_os = "linux")]
#[path = "integration/leftovers.rs"]
mod z_leftovers;
