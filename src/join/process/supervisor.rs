//! The supervisor, which is this program, started as a small process that outlives it and kills the
//! processes that it has left.
//!
//! The parent-death signal reaches a child, but not the descendants of that child. The supervisor
//! holds the reading end of a pipe, and only the program has the writing end. The program writes
//! the tag of each tree into that pipe when the tree begins and when it ends. When the pipe closes,
//! the program has exited for some reason. Then the supervisor kills every process with the tag of
//! a tree that had not ended.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, WaitOptions, waitpid};

use super::error::SpawnError;
use super::{spawner, tree};

/// The first argument of a program that is started as a supervisor.
pub(super) const SUPERVISOR_ARGUMENT: &str = "--meanwhile-supervisor";

/// The supervisor as the program sees it.
#[derive(Debug)]
pub(super) struct Supervisor(Child);

impl Supervisor {
    pub(super) fn start(program: &Path) -> Result<Self, SpawnError> {
        let mut command = Command::new(program);
        command
            .arg(SUPERVISOR_ARGUMENT)
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let name = program.to_string_lossy().into_owned();
        let spawned = spawner::spawn(command)?;
        let child = spawned.map_err(|source| SpawnError::of_system(name, 0, source))?;
        Ok(Self(child))
    }

    /// Adds the tag of a tree. Fails if the supervisor has exited.
    pub(super) fn add(&mut self, tag: &str) -> io::Result<()> {
        self.write(&format!("+{tag}\n"))
    }

    /// Removes the tag of a tree. Fails if the supervisor has exited.
    pub(super) fn remove(&mut self, tag: &str) -> io::Result<()> {
        self.write(&format!("-{tag}\n"))
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        let pipe = self.0.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        pipe.write_all(line.as_bytes())
    }
}

impl Drop for Supervisor {
    /// Closes the pipe, so the supervisor exits, then reaps it. If the system refuses the thread
    /// that waits for its exit, a zombie stays until this program exits.
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        if let Ok(Some(_status)) = self.0.try_wait() {
            return;
        }
        let pid = Pid::from_child(&self.0);
        let thread = std::thread::Builder::new().name("supervisor reaper".to_owned());
        drop(thread.spawn(move || waitpid(Some(pid), WaitOptions::empty())));
    }
}

/// Runs this process as the supervisor. Returns its exit code.
pub(super) fn run() -> i32 {
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
