//! A child process that ends with its guard, together with everything that it started.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::session::pause;

/// The time between SIGTERM and SIGKILL. The document portal unmounts its folder in it.
const GRACE: Duration = Duration::from_secs(2);

/// A running process, which leads a process group of its own.
pub(crate) struct ChildGuard {
    child: Child,
}

impl ChildGuard {
    /// Starts `command`. Panics with the name of the program if that fails.
    pub(crate) fn start(name: &str, command: &mut Command) -> Self {
        let child = command.process_group(0).spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("cannot start {name}: {error}; tests/all.sh installs it")
        });
        Self { child }
    }

    /// The id of the process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The pipe of its stdout, on the first call only.
    pub(crate) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Its exit status, or none while it runs.
    pub(crate) fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is our child")
    }

    fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    fn group_is_gone(&mut self) -> bool {
        let leader_ended = self.exit_status().is_some();
        leader_ended && killpg(self.group(), None).is_err()
    }
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        if self.group_is_gone() {
            return;
        }
        // An error means that the group has ended already.
        killpg(self.group(), Signal::SIGTERM).ok();
        let asked = Instant::now();
        while !self.group_is_gone() && asked.elapsed() < GRACE {
            pause(Duration::from_millis(10));
        }
        killpg(self.group(), Signal::SIGKILL).ok();
        reap(&mut self.child);
    }
}

#[expect(clippy::disallowed_methods, reason = "after SIGKILL the wait is short")]
fn reap(child: &mut Child) {
    child.wait().ok();
}
