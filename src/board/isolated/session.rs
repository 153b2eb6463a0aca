//! The conversation with a worker about one item, on the thread that leased the worker.

use std::time::{Duration, Instant};

use super::protocol::{FromWorker, ProtocolError, ReportedOutcome, ToWorker, VERSION, encode};
use super::worker::{HANDSHAKE_TIMEOUT, Worker};
use super::worker_main::EXIT_REFUSED;
use crate::format;
use crate::jobs::Stopwatch;
use crate::join::process::Exit;
use crate::join::{CancelToken, Context, Select};
use crate::record::Crash;

/// The time that an item has to react to a cancel before its worker is stopped.
const CANCEL_GRACE: Duration = Duration::from_secs(1);

/// The time that a worker has to exit after it closed its output. On a busy machine a background
/// process takes long to die, too.
const EXIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a worker can't be used again.
pub(super) enum WorkerLoss {
    /// It died before it began the item, for this reason.
    NotStarted(String),
    /// It ended before it began the item, because the system refused its threads.
    Refused(String),
    Crashed(Crash),
    Cancelled,
    /// The item did not react to a cancel for this long.
    IgnoredCancel(Duration),
}

/// The conversation about one item.
pub(super) struct ItemSession<'a> {
    number: u64,
    context: &'a Context,
    force_stop: &'a CancelToken,
    has_begun: bool,
    /// Since the cancel was sent.
    cancel_sent: Option<Stopwatch>,
}

impl<'a> ItemSession<'a> {
    /// A session about the request with this number. `force_stop` ends the grace of a cancel.
    pub(super) fn new(number: u64, context: &'a Context, force_stop: &'a CancelToken) -> Self {
        Self {
            number,
            context,
            force_stop,
            has_begun: false,
            cancel_sent: None,
        }
    }

    /// Sends the request and returns when the item has ended or the worker can't be used again.
    pub(super) fn run(
        mut self,
        request: &[u8],
        worker: &mut Worker,
    ) -> Result<ReportedOutcome, WorkerLoss> {
        worker.transport.send(request);
        // Messages may have arrived with those of the item before, and no more may come.
        if let Some(result) = self.handle_received(worker)? {
            return Ok(result);
        }
        loop {
            self.wait(worker);
            // Check first: the transport then has everything that an exited worker sent.
            let has_exited = worker.process().is_finished();
            let is_open = worker.transport.fill();
            if let Some(result) = self.handle_received(worker)? {
                return Ok(result);
            }
            if has_exited || !is_open {
                return Err(self.describe_exit(worker));
            }
            self.forward_cancel(worker)?;
            if worker.is_handshake_late() {
                let timeout = format::duration(HANDSHAKE_TIMEOUT);
                let reason = format!("it did not answer within {timeout}");
                return Err(WorkerLoss::NotStarted(reason));
            }
        }
    }

    /// Waits until the worker has sent something or ended, until a cancel or until something is due.
    fn wait(&self, worker: &Worker) {
        // A cancel that was sent is awaited no more, only what ends its grace.
        let token = match self.cancel_sent {
            None => self.context.token(),
            Some(_) => self.force_stop.clone(),
        };
        let select = worker.transport.add_to(Select::new().token(&token));
        let select = select.process(worker.process());
        // Whatever ended the wait shows below.
        select.deadline(self.deadline(worker)).wait().ok();
    }

    /// The time at which something is due even if the worker is silent.
    fn deadline(&self, worker: &Worker) -> Option<Instant> {
        let grace = self.cancel_sent.map(|clock| clock.reaches(CANCEL_GRACE));
        grace.into_iter().chain(worker.handshake_deadline()).min()
    }

    /// Handles the messages that have arrived, up to the item's result.
    fn handle_received(
        &mut self,
        worker: &mut Worker,
    ) -> Result<Option<ReportedOutcome>, WorkerLoss> {
        while let Some(message) = receive(worker)? {
            let result = self.handle(message, worker)?;
            if result.is_some() {
                return Ok(result);
            }
        }
        Ok(None)
    }

    /// Handles a message; returns the item's result if the message contains it.
    fn handle(
        &mut self,
        message: FromWorker,
        worker: &mut Worker,
    ) -> Result<Option<ReportedOutcome>, WorkerLoss> {
        let what = match message {
            FromWorker::Hello { version: VERSION } if !worker.is_ready => {
                worker.is_ready = true;
                return Ok(None);
            }
            FromWorker::Hello { version } if !worker.is_ready => {
                let error = ProtocolError::Version { theirs: version };
                return Err(violation(&error, worker));
            }
            FromWorker::Started { number } if self.is_due(number, worker) && !self.has_begun => {
                self.has_begun = true;
                return Ok(None);
            }
            FromWorker::Progress {
                number,
                done,
                total,
            } if self.is_due(number, worker) && self.has_begun => {
                // 0 is an unknown total.
                let most = if total == 0 { u64::MAX } else { total };
                self.context.set_progress(done.min(most), total);
                return Ok(None);
            }
            FromWorker::Ended { number, end } if self.is_due(number, worker) && self.has_begun => {
                if end != ReportedOutcome::Cancelled || self.cancel_sent.is_some() {
                    return Ok(Some(end));
                }
                "Cancelled"
            }
            FromWorker::Hello { .. } => "Hello",
            FromWorker::Started { .. } => "Started",
            FromWorker::Progress { .. } => "Progress",
            FromWorker::Ended { .. } => "Ended",
        };
        Err(violation(&ProtocolError::Unexpected { what }, worker))
    }

    fn is_due(&self, number: u64, worker: &Worker) -> bool {
        worker.is_ready && number == self.number
    }

    /// Sends a requested cancel, once, and fails when the item does not react to it in time.
    fn forward_cancel(&mut self, worker: &mut Worker) -> Result<(), WorkerLoss> {
        if !self.context.is_cancelled() {
            return Ok(());
        }
        let Some(clock) = self.cancel_sent else {
            let number = self.number;
            let cancel = encode(&ToWorker::Cancel { number });
            worker.transport.send(&cancel.unwrap_or_default());
            self.cancel_sent = Some(Stopwatch::start());
            return Ok(());
        };
        let within = clock.elapsed();
        if within >= CANCEL_GRACE || self.force_stop.is_cancelled() {
            return Err(WorkerLoss::IgnoredCancel(within));
        }
        Ok(())
    }

    /// Explains the end of a worker that exited or closed its output.
    fn describe_exit(&self, worker: &Worker) -> WorkerLoss {
        let exit = self.exit_of(worker);
        if self.context.is_cancelled() {
            return WorkerLoss::Cancelled;
        }
        let how = exit.map_or_else(|| "stopped answering".to_owned(), exit_text);
        let stderr = worker.recent_stderr();
        if !self.has_begun {
            let reason = format!("it {how} before it began{}", quoted(&stderr));
            return if exit == Some(Exit::Code(EXIT_REFUSED.into())) {
                WorkerLoss::Refused(reason)
            } else {
                WorkerLoss::NotStarted(reason)
            };
        }
        let crash = Crash {
            message: format!("its worker {how}"),
            stderr,
            ..exit.map_or_else(Crash::default, crash_of)
        };
        WorkerLoss::Crashed(crash)
    }

    /// Waits for a worker that closed its output and returns its exit; `None` if it does not exit in
    /// time or the item is cancelled.
    fn exit_of(&self, worker: &Worker) -> Option<Exit> {
        let select = self.context.select().process(worker.process());
        // A timeout or a cancel shows in the exit, which is missing then.
        select.timeout(EXIT_TIMEOUT).wait().ok();
        worker.process().poll()
    }
}

fn receive(worker: &mut Worker) -> Result<Option<FromWorker>, WorkerLoss> {
    let received = worker.transport.receive();
    received.map_err(|error| violation(&error, worker))
}

/// The worker has violated the protocol, and will be stopped.
fn violation(error: &ProtocolError, worker: &Worker) -> WorkerLoss {
    WorkerLoss::Crashed(Crash {
        message: format!("its worker was stopped after a protocol error: {error}"),
        stderr: worker.recent_stderr(),
        ..Crash::default()
    })
}

/// The end of a sentence that begins with the worker.
fn exit_text(exit: Exit) -> String {
    match exit {
        Exit::Signal { core_dumped, .. } => {
            let core = if core_dumped { ", core dumped" } else { "" };
            format!("was {exit}{core}")
        }
        Exit::Code(_) | Exit::Unknown => exit.to_string(),
    }
}

fn crash_of(exit: Exit) -> Crash {
    let mut crash = Crash::default();
    match exit {
        Exit::Code(code) => crash.code = Some(code),
        Exit::Signal {
            signal,
            core_dumped,
        } => {
            crash.signal = Some(signal);
            crash.signal_name = exit.signal_name();
            crash.core_dumped = core_dumped;
        }
        Exit::Unknown => {}
    }
    crash
}

fn quoted(stderr: &str) -> String {
    if stderr.is_empty() {
        return String::new();
    }
    format!(" and printed: {stderr}")
}
