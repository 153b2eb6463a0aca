use std::time::{Duration, Instant};

use super::transport::FramedTransport;
use super::worker_main::ARGUMENT;
use crate::jobs::Stopwatch;
use crate::join::process::{
    LaunchOptions, Launcher, Process, ProcessGroup, Redirect, SpawnError, Stream,
};

/// The time that a stopped worker and its descendants have to exit by themselves.
const STOP_GRACE: Duration = Duration::from_millis(200);

/// The time that a new worker has to answer. On a busy machine a background process gets little time.
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);

/// The last bytes of a worker's standard error that are kept, and the bytes of its messages that wait to
/// be read.
const MAX_KEPT_BYTES: usize = 64 * 1024;

/// The last lines of its standard error that are shown.
const MAX_STDERR_LINES: usize = 20;

/// A worker process, with the pipes to it.
pub(super) struct Worker {
    process: StopOnDrop,
    pub(super) transport: FramedTransport,
    /// Since its start. A worker stands still with this program.
    clock: Stopwatch,
    /// Whether it has answered the handshake.
    pub(super) is_ready: bool,
    /// The bytes that it had printed on standard error before its current item.
    stderr_before: u64,
}

impl Worker {
    /// Starts the worker's process; it reads `handshake` first.
    pub(super) fn start_process(
        launcher: &Launcher,
        limits: LaunchOptions,
        name: String,
        handshake: &[u8],
    ) -> Result<Self, SpawnError> {
        let process = launcher
            .itself(limits)
            .arg(ARGUMENT)
            .name(name)
            .stdin_buffered()
            .stdout(Redirect::Buffered)
            .output_limit(MAX_KEPT_BYTES)
            .daemon(true)
            .group(ProcessGroup::Own)
            .spawn()?;
        let transport = FramedTransport::new(&process, handshake);
        Ok(Self {
            process: StopOnDrop(process),
            transport,
            clock: Stopwatch::start(),
            is_ready: false,
            stderr_before: 0,
        })
    }

    pub(super) fn process(&self) -> &Process {
        &self.process.0
    }

    /// Closes its pipes, so that it exits.
    pub(super) fn close(self) -> StopOnDrop {
        self.process
    }

    /// Leaves out of [`recent_stderr`](Self::recent_stderr) what earlier items printed.
    pub(super) fn begin_item(&mut self) {
        self.stderr_before = self.process().written(Stream::Stderr);
    }

    /// The last lines that it printed on standard error during its current item.
    pub(super) fn recent_stderr(&self) -> String {
        let printed = self
            .process()
            .output_since(Stream::Stderr, self.stderr_before);
        let lines = printed.last_lines(MAX_STDERR_LINES);
        lines.trim_start_matches(['\n', '\r']).to_owned()
    }

    /// The time until which it has to answer the handshake; `None` once it has.
    pub(super) fn handshake_deadline(&self) -> Option<Instant> {
        (!self.is_ready).then(|| self.clock.reaches(HANDSHAKE_TIMEOUT))
    }

    /// Whether it has not answered the handshake in time.
    pub(super) fn is_handshake_late(&self) -> bool {
        !self.is_ready && self.clock.elapsed() >= HANDSHAKE_TIMEOUT
    }
}

/// A process that is stopped with its descendants when it is dropped.
pub(super) struct StopOnDrop(pub(super) Process);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if !self.0.is_finished() {
            // The supervisor kills what survives this when the program ends.
            drop(self.0.stop(STOP_GRACE));
        }
    }
}
