//! A process that ends when its guard does, with everything it started.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::session::pause;

/// Time to end by itself after a polite signal; the document portal unmounts its folder in it.
const GRACE: Duration = Duration::from_secs(2);

/// A running process, the leader of a process group of its own.
pub(crate) struct Owned {
    child: Child,
}

impl Owned {
    /// Starts `command`, or says which program is missing.
    pub(crate) fn start(name: &str, command: &mut Command) -> Self {
        let child = command.process_group(0).spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("cannot start {name}: {error}; tests/all.sh installs it")
        });
        Self { child }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its end of the pipe, the first time; then none.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// How it ended, or none while it runs.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it is our child")
    }

    fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    fn group_is_gone(&mut self) -> bool {
        let leader_ended = self.ended().is_some();
        leader_ended && killpg(self.group(), None).is_err()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if self.group_is_gone() {
            return;
        }
        // An error means that the group is gone, which is what is asked for.
        killpg(self.group(), Signal::SIGTERM).ok();
        let asked = Instant::now();
        while !self.group_is_gone() && asked.elapsed() < GRACE {
            pause(Duration::from_millis(10));
        }
        killpg(self.group(), Signal::SIGKILL).ok();
        reap(&mut self.child);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "it was killed: the wait is for the system alone"
)]
fn reap(child: &mut Child) {
    child.wait().ok();
}
