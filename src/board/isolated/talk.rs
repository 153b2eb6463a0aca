//! The talk with a worker about one item, as the thread has it that lends the item.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::Worker;
use super::protocol::{Down, End, ProtocolError, Up, VERSION, encode};
use crate::join::Context;
use crate::join::process::Exit;
use crate::record::Crash;

/// How long an item has to mind a cancel before its worker is stopped.
const CANCEL_GRACE: Duration = Duration::from_secs(1);

/// How long a silent worker is listened to between two looks at whether a cancel was asked for.
const SLICE: Duration = Duration::from_millis(50);

/// How long a worker that has closed its answers has to be gone. On a busy machine dying takes its
/// time too, because a worker yields to everybody.
const EXIT_PATIENCE: Duration = Duration::from_secs(10);

/// How a worker was lost.
pub(super) enum Lost {
    /// It died before it had the item in hand: why, in words.
    Unbegun(String),
    Crashed(Crash),
    Cancelled,
    /// The item did not mind a cancel for so long.
    Deaf(Duration),
}

/// The talk with a worker about one item.
pub(super) struct Talk<'a> {
    number: u64,
    context: &'a Context,
    hurry: &'a AtomicBool,
    has_begun: bool,
    cancel_asked_at: Option<Instant>,
}

impl<'a> Talk<'a> {
    /// A talk about the order with this number. What is set to true in `hurry` ends the grace of a
    /// cancel.
    pub(super) fn new(number: u64, context: &'a Context, hurry: &'a AtomicBool) -> Self {
        Self {
            number,
            context,
            hurry,
            has_begun: false,
            cancel_asked_at: None,
        }
    }

    /// Comes back when the item has ended, or when there is no use for the worker any more.
    pub(super) fn about(mut self, order: &[u8], worker: &mut Worker) -> Result<End, Lost> {
        worker.line.say(order);
        loop {
            // Asked first: what it has said before its end is heard below.
            let has_ended = !worker.process.0.is_alive();
            let is_open = worker.line.attend(SLICE);
            while let Some(message) = heard(worker)? {
                if let Some(end) = self.take(message, worker)? {
                    return Ok(end);
                }
            }
            if has_ended || !is_open {
                return Err(self.lost(worker));
            }
            self.mind_cancel(worker)?;
            worker.mind_silence()?;
        }
    }

    /// Takes in a message; the end of the item if it is that.
    fn take(&mut self, message: Up, worker: &mut Worker) -> Result<Option<End>, Lost> {
        let what = match message {
            Up::Hello { version: VERSION } if !worker.has_reported => {
                worker.has_reported = true;
                return Ok(None);
            }
            Up::Hello { version } if !worker.has_reported => {
                return Err(broken(&ProtocolError::Version { theirs: version }, worker));
            }
            Up::Started { number } if self.is_due(number, worker) && !self.has_begun => {
                self.has_begun = true;
                return Ok(None);
            }
            Up::Progress {
                number,
                done,
                total,
            } if self.is_due(number, worker) && self.has_begun => {
                self.context.set_progress(done, total);
                return Ok(None);
            }
            Up::Ended { number, end } if self.is_due(number, worker) && self.has_begun => {
                if end != End::Cancelled || self.cancel_asked_at.is_some() {
                    return Ok(Some(end));
                }
                "Cancelled"
            }
            Up::Hello { .. } => "Hello",
            Up::Started { .. } => "Started",
            Up::Progress { .. } => "Progress",
            Up::Ended { .. } => "Ended",
        };
        Err(broken(&ProtocolError::Unexpected { what }, worker))
    }

    fn is_due(&self, number: u64, worker: &Worker) -> bool {
        worker.has_reported && number == self.number
    }

    /// Hands a cancel down; says that the worker is lost when the item does not mind it.
    fn mind_cancel(&mut self, worker: &mut Worker) -> Result<(), Lost> {
        if !self.context.is_cancelled() {
            return Ok(());
        }
        let Some(asked_at) = self.cancel_asked_at else {
            let number = self.number;
            let cancel = encode(&Down::Cancel { number });
            worker.line.say(&cancel.unwrap_or_default());
            self.cancel_asked_at = Some(Instant::now());
            return Ok(());
        };
        let within = asked_at.elapsed();
        if within >= CANCEL_GRACE || self.hurry.load(Ordering::Relaxed) {
            return Err(Lost::Deaf(within));
        }
        Ok(())
    }

    /// What it means that a worker has gone.
    fn lost(&self, worker: &Worker) -> Lost {
        let exit = self.exit_of(worker);
        if self.context.is_cancelled() {
            return Lost::Cancelled;
        }
        let how = exit.map_or_else(|| "stopped answering".to_owned(), how);
        let stderr = worker.last_words();
        if !self.has_begun {
            return Lost::Unbegun(format!("it {how} before it began{}", quoted(&stderr)));
        }
        let crash = Crash {
            message: format!("its worker {how}"),
            stderr,
            ..exit.map_or_else(Crash::default, crash_of)
        };
        Lost::Crashed(crash)
    }

    /// How a worker ended that has closed its answers; `None` where it lives on without them, or
    /// nobody wants to know any more.
    fn exit_of(&self, worker: &Worker) -> Option<Exit> {
        let since = Instant::now();
        loop {
            if let Ok(exit) = worker.process.0.join_timeout(SLICE) {
                return Some(exit);
            }
            if self.context.is_cancelled() || since.elapsed() >= EXIT_PATIENCE {
                return None;
            }
        }
    }
}

fn heard(worker: &mut Worker) -> Result<Option<Up>, Lost> {
    let heard = worker.line.heard();
    heard.map_err(|error| broken(&error, worker))
}

/// The worker has broken the protocol, and is stopped for it.
fn broken(error: &ProtocolError, worker: &Worker) -> Lost {
    Lost::Crashed(Crash {
        message: format!("its worker was stopped because it said {error}"),
        stderr: worker.last_words(),
        ..Crash::default()
    })
}

/// How a worker ended, to follow its name.
fn how(exit: Exit) -> String {
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
