//! The supervisor, which is this program, started as a small process that outlives it and kills the
//! processes that it has left.
//!
//! The parent-death signal reaches a child, but not the descendants of that child. The supervisor
//! holds the reading end of a pipe, and only the program has the writing end. The program writes
//! the tag of each tree into that pipe when the tree begins and when it ends. When the pipe closes,
//! the program has exited for some reason. Then the supervisor kills every process with the tag of
//! a tree that had not ended.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, BufRead};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use rustix::io::{Errno, ioctl_fionbio};
use rustix::process::{Pid, Signal, kill_process, setpgid, setsid};

use super::error::SpawnError;
use super::programs::VERSION;
use super::{spawner, system, tree};

/// The first argument of a program that is started as a supervisor.
pub(super) const SUPERVISOR_ARGUMENT: &str = "--meanwhile-supervisor";

/// The supervisor as the program sees it. Only this reaps it, so its pid can't be another
/// process's.
pub(super) struct Supervisor {
    child: Child,
    pipe: Arc<OwnedFd>,
}

/// What became of a line for the supervisor.
pub(super) enum Sent {
    Yes,
    /// The pipe is full, because the supervisor does not read.
    NotYet,
    /// The supervisor has exited.
    Never,
}

impl Supervisor {
    pub(super) fn start(program: &Path) -> Result<Self, SpawnError> {
        let mut command = Command::new(program);
        command
            .arg0("meanwhile-supervisor")
            .args([SUPERVISOR_ARGUMENT, VERSION])
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let refusal = |source| {
            let name = program.to_string_lossy().into_owned();
            SpawnError::of_system(name, 0, source)
        };
        let mut child = spawner::spawn(command)?.map_err(refusal)?;
        let pipe = child.stdin.take().map(OwnedFd::from);
        let pipe = pipe.ok_or_else(|| refusal(io::ErrorKind::BrokenPipe.into()))?;
        // Fails for no pipe.
        ioctl_fionbio(&pipe, true).ok();
        Ok(Self {
            child,
            pipe: Arc::new(pipe),
        })
    }

    pub(super) fn pipe(&self) -> &Arc<OwnedFd> {
        &self.pipe
    }

    /// Adds the tag of a tree.
    pub(super) fn add(&self, tag: &str) -> Sent {
        self.send(&format!("+{tag}\n"))
    }

    /// Removes the tag of a tree.
    pub(super) fn remove(&self, tag: &str) -> Sent {
        self.send(&format!("-{tag}\n"))
    }

    /// Sends a line without blocking. A line is short enough that the pipe takes all of it or
    /// nothing.
    fn send(&self, line: &str) -> Sent {
        loop {
            match rustix::io::write(&self.pipe, line.as_bytes()) {
                Ok(_all) => return Sent::Yes,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.wake();
                    return Sent::NotYet;
                }
                Err(_) => return Sent::Never,
            }
        }
    }

    /// Continues the supervisor if a signal has stopped it.
    fn wake(&self) {
        // Fails only if it has exited.
        kill_process(Pid::from_child(&self.child), Signal::CONT).ok();
    }

    /// Kills the supervisor, and reaps it. It does not kill any tree then.
    #[expect(clippy::disallowed_methods, reason = "a killed process exits at once")]
    pub(super) fn end(mut self) {
        // Both fail only if it has exited and was reaped by other code.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs this process as the supervisor. Returns its exit code.
pub(super) fn run(mut args: impl Iterator<Item = OsString>) -> i32 {
    if args.next().is_none_or(|version| version != VERSION) {
        // The shim of that program tells it.
        return 1;
    }
    // The end of the program continues a supervisor that a signal has stopped. An error means that
    // the program has ended already, and then the pipe is closed.
    system::set_parent_death_signal(Signal::CONT).ok();
    system::set_own_name(c"meanwhile-supervisor");
    leave_session();
    let mut tags = BTreeSet::new();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        match line.split_at_checked(1) {
            Some(("+", tag)) => tags.insert(tag.to_owned()),
            Some(("-", tag)) => tags.remove(tag),
            _ => false,
        };
    }
    tree::kill_tagged(&tags);
    0
}

/// Makes this process the leader of a session of its own.
///
/// The supervisor is started in a group of its own, so that Ctrl-C in a terminal does not reach it
/// even before this. But when the parent of a group in its session ends, the system sends `SIGHUP`
/// to the group if a process in it is stopped. That would end a stopped supervisor just when it is
/// needed.
fn leave_session() {
    // The leader of a group can't begin a session, so it joins the group of its parent for a
    // moment. If the system refuses, it stays in its own group.
    if let Some(group) = system::parents_group().and_then(Pid::from_raw) {
        setpgid(None, Some(group)).ok();
    }
    if setsid().is_err() {
        setpgid(None, None).ok();
    }
}
