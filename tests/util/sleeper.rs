//! A program that sleeps for a day, found in the process table by a path that no other test has.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A link to `/bin/sleep` in a test's own folder. Dropping it kills all processes that run it.
pub(crate) struct Sleeper {
    path: PathBuf,
}

impl Sleeper {
    /// Creates the link in `dir`. Its name is `sleep`, because some systems have one program for
    /// all of coreutils, which acts according to its name.
    pub(crate) fn new(dir: &Path) -> Self {
        let path = dir.join("sleep");
        std::os::unix::fs::symlink("/bin/sleep", &path).expect("the folder takes a link");
        Self { path }
    }

    /// The shell command that sleeps for a day, such as `/tmp/meanwhile-test-x/sleep 86400`.
    pub(crate) fn command(&self) -> String {
        format!("{} 86400", self.path.display())
    }

    /// The pids of all processes that run the link, with any argument.
    pub(crate) fn running(&self) -> Vec<u32> {
        let entries = fs::read_dir("/proc").expect("Linux has /proc").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter(|pid| self.is_run_by(*pid)).collect()
    }

    fn is_run_by(&self, pid: u32) -> bool {
        // A zombie has no command line.
        let command_line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let program = command_line.split(|byte| *byte == 0).next();
        program.map(OsStr::from_bytes) == Some(self.path.as_os_str())
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        for pid in self.running() {
            // It fails if the process has ended meanwhile.
            kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).ok();
        }
    }
}
