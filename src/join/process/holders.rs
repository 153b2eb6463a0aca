//! The output of a process after its end, and who holds it open.

use std::time::{Duration, Instant};

use super::super::{CancelToken, wait};
use super::handle::Process;
use super::open_output;
use super::output::{Stream, StreamCapture};
use super::stop::TreeMember;
use super::tree::Root as _;

// These are here because the module `handle` does not depend on the process table.
impl Process {
    /// Waits until no process can write to the captured streams any more, at most for `timeout`.
    /// Returns whether that is so. A join does not wait for it.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    /// use std::time::Duration;
    ///
    /// let process = Builder::new("sh").args(["-c", "echo early; (sleep 0.1; echo late) &"]).spawn()?;
    /// process.join()?;
    /// assert!(process.wait_for_output(Duration::from_secs(60)));
    /// assert_eq!(process.output().stdout.text(), "early\nlate\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn wait_for_output(&self, timeout: Duration) -> bool {
        self.wait_for_output_deadline(wait::deadline(Some(timeout)))
    }

    /// Like [`wait_for_output`](Self::wait_for_output), but waits at most until this time. `None` is no
    /// deadline.
    pub fn wait_for_output_deadline(&self, deadline: impl Into<Option<Instant>>) -> bool {
        let deadline = deadline.into();
        let _shown = self.shared().show_wait(deadline);
        let wait = |stream| wait_for_end(&self.capture(stream), deadline);
        wait(Stream::Stdout) && wait(Stream::Stderr)
    }

    /// Returns the processes that can write to a captured stream of this process, sorted by pid. Empty
    /// elsewhere than on Linux, and processes of other users are missing.
    ///
    /// Reads which files each process has open, which takes milliseconds.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    ///
    /// let shell = Builder::new("sh").args(["-c", "(sleep 60; echo late) & echo started"]).spawn()?;
    /// shell.join()?;
    /// # if cfg!(all(target_os = "linux", not(other_unix))) {
    /// assert_eq!(shell.output_holders()[0].name, "sh");
    /// # }
    /// # drop(shell.stop(std::time::Duration::from_secs(1)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn output_holders(&self) -> Vec<TreeMember> {
        let streams = [Stream::Stdout, Stream::Stderr];
        let pipes = streams.map(|stream| self.capture(stream).pipe());
        let pipes: Vec<_> = pipes.into_iter().flatten().collect();
        open_output::holders(&pipes, self.shared().group())
    }
}

/// Returns false if the deadline has passed first.
fn wait_for_end(capture: &StreamCapture, deadline: Option<Instant>) -> bool {
    let nobody = CancelToken::new();
    loop {
        let seen = capture.since(u64::MAX);
        if !seen.is_open {
            return true;
        }
        if !capture.wait_since(seen.total, deadline, &nobody) {
            return false;
        }
    }
}
