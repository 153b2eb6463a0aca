//! Helpers of the benches whose contenders are other programs.

use std::process::{Command, Stdio};
use std::time::Duration;

/// Whether this is a full run. `cargo test --benches` only checks that the bench runs.
pub(crate) fn is_full_run() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// A command that runs `program` at background priority on Linux, and at normal priority elsewhere.
pub(crate) fn at_background_priority(program: &str) -> Command {
    if cfg!(target_os = "linux") {
        let mut command = Command::new("chrt");
        command.args(["--idle", "0", program]);
        command
    } else {
        Command::new(program)
    }
}

/// Whether `program` can be started, here with the argument that prints its version.
pub(crate) fn is_installed(program: &str, version_argument: &str) -> bool {
    Command::new(program)
        .arg(version_argument)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}
