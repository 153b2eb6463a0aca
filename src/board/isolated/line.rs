//! The pipes to and from a worker.

use std::io::{self, Read, Write as _};
use std::os::fd::AsFd;
use std::process::{ChildStdin, ChildStdout};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::protocol::{Decoder, ProtocolError, Up};
use crate::join::process::Process;

const READ_LEN: usize = 64 * 1024;

/// What is read before the caller gets its turn: more than a pipe holds.
const READ_AT_ONCE: usize = 1024 * 1024;

/// The pipes to and from a worker. Neither keeps the program waiting, whatever the worker does.
pub(super) struct Line {
    orders: Option<ChildStdin>,
    answers: Option<ChildStdout>,
    /// What the orders' pipe has not taken yet.
    unsaid: Vec<u8>,
    decoder: Decoder,
}

impl Line {
    /// The line to a process whose input and output are left to the caller; it begins with
    /// `greeting`.
    pub(super) fn to(process: &Process, greeting: &[u8]) -> Self {
        Self {
            orders: process.take_stdin().map(non_blocking),
            answers: process.take_stdout().map(non_blocking),
            unsaid: greeting.to_vec(),
            decoder: Decoder::default(),
        }
    }

    /// Has this said as soon as the worker listens, while somebody attends.
    pub(super) fn say(&mut self, frame: &[u8]) {
        self.unsaid.extend_from_slice(frame);
    }

    /// Says and hears what it can, or waits for that, at most for `patience`. False when the worker
    /// has closed its side.
    pub(super) fn attend(&mut self, patience: Duration) -> bool {
        self.speak();
        let (can_say, can_hear) = self.wait(patience);
        if can_say {
            self.speak();
        }
        !can_hear || self.listen()
    }

    /// The next message of those that were heard.
    pub(super) fn heard(&mut self) -> Result<Option<Up>, ProtocolError> {
        self.decoder.next()
    }

    /// Whether more can be said, and whether something can be heard.
    fn wait(&self, patience: Duration) -> (bool, bool) {
        let Some(answers) = &self.answers else {
            return (false, true);
        };
        let mut polled = vec![PollFd::new(answers, PollFlags::IN)];
        if let Some(orders) = self.orders.as_ref().filter(|_| !self.unsaid.is_empty()) {
            polled.push(PollFd::new(orders, PollFlags::OUT));
        }
        let timeout = Timespec::try_from(patience).ok();
        if poll(&mut polled, timeout.as_ref()).is_err() {
            // An interruption only looks sooner.
            return (false, false);
        }
        let is_ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        (
            polled.get(1).is_some_and(is_ready),
            polled.first().is_some_and(is_ready),
        )
    }

    fn speak(&mut self) {
        let Some(orders) = &mut self.orders else {
            return;
        };
        while !self.unsaid.is_empty() {
            match orders.write(&self.unsaid) {
                Ok(len) => drop(self.unsaid.drain(..len)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_nobody_listens) => {
                    self.orders = None;
                    return;
                }
            }
        }
    }

    fn listen(&mut self) -> bool {
        let Some(answers) = &mut self.answers else {
            return false;
        };
        let mut buffer = vec![0; READ_LEN];
        let mut heard = 0;
        while heard < READ_AT_ONCE {
            match answers.read(&mut buffer) {
                Ok(0) => return false,
                Ok(len) => {
                    self.decoder.push(&buffer[..len]);
                    heard += len;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_closed) => return false,
            }
        }
        true
    }
}

fn non_blocking<P: AsFd>(pipe: P) -> P {
    let _never_fails = rustix::io::ioctl_fionbio(&pipe, true);
    pipe
}
