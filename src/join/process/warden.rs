//! The warden: this program, started as a small process that outlives it and ends what it has left.
//!
//! The parent-death signal reaches a child, but not what that child has started. The warden holds
//! the reading end of a pipe whose other end only the program has. While the program lives it
//! learns through that pipe which processes begin and end; when the pipe closes, the program is
//! gone, however it went, and the warden kills whatever still carries the mark of one of them.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, WaitOptions, waitpid};

use super::error::SpawnError;
use super::launcher::WARDEN;
use super::{spawner, tree};

/// The warden as the program sees it.
#[derive(Debug)]
pub(super) struct Warden(Child);

impl Warden {
    pub(super) fn start(program: &Path) -> Result<Self, SpawnError> {
        let mut command = Command::new(program);
        command
            .arg(WARDEN)
            .process_group(0)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let name = program.to_string_lossy().into_owned();
        let started = spawner::spawn(command)?;
        let warden = started.map_err(|source| SpawnError::of_system(name, 0, source))?;
        Ok(Self(warden))
    }

    /// Adds a mark. False when the warden is gone.
    pub(super) fn watch(&mut self, mark: &str) -> bool {
        self.tell(&format!("+{mark}\n")).is_ok()
    }

    pub(super) fn release(&mut self, mark: &str) {
        // One that is gone watches nothing.
        drop(self.tell(&format!("-{mark}\n")));
    }

    fn tell(&mut self, line: &str) -> io::Result<()> {
        let pipe = self.0.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        pipe.write_all(line.as_bytes())
    }
}

impl Drop for Warden {
    /// Closes the pipe, with which it ends, and has it reaped. Where the system refuses the thread
    /// that waits for that, a zombie stays until this program ends.
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        if let Ok(Some(_reaped)) = self.0.try_wait() {
            return;
        }
        let pid = Pid::from_child(&self.0);
        let reaper = std::thread::Builder::new().name("warden reaper".to_owned());
        drop(reaper.spawn(move || waitpid(Some(pid), WaitOptions::empty())));
    }
}

/// The warden itself. Returns its exit code.
pub(super) fn run() -> i32 {
    let mut marks = BTreeSet::new();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        match line.split_at_checked(1) {
            Some(("+", mark)) => marks.insert(mark.to_owned()),
            Some(("-", mark)) => marks.remove(mark),
            _ => false,
        };
    }
    tree::kill_marked(&marks);
    0
}
