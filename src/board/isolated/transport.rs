//! The pipes to and from a worker.

use std::io::{self, PipeReader, PipeWriter, Read, Write as _};
use std::os::fd::AsFd;
use std::process::{ChildStdin, ChildStdout};
use std::sync::Arc;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::protocol::{Decoder, FromWorker, ProtocolError};
use crate::join::process::Process;

const READ_BYTES: usize = 64 * 1024;

/// The most that one exchange reads before it returns to the caller. A pipe holds less.
const MAX_READ_BYTES: usize = 1024 * 1024;

/// Ends the waits of a transport.
#[derive(Clone)]
pub(super) struct TransportWaker(Arc<PipeWriter>);

impl TransportWaker {
    /// Ends the transport's wait, or its next one.
    pub(super) fn wake(&self) {
        // If the pipe is full, it wakes already.
        (&*self.0).write_all(&[0]).ok();
    }
}

/// The pipe through which other threads end a wait for the pipes of a worker.
pub(super) struct WakePipe {
    reader: PipeReader,
    waker: TransportWaker,
}

impl WakePipe {
    /// # Errors
    /// The program has too many open files.
    pub(super) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        Ok(Self {
            reader: non_blocking(reader),
            waker: TransportWaker(Arc::new(non_blocking(writer))),
        })
    }

    fn clear(&mut self) {
        let mut buffer = [0; 64];
        while self.reader.read(&mut buffer).is_ok_and(|len| len > 0) {}
    }
}

/// Sends and receives messages over the pipes of a worker. Neither blocks on the worker.
pub(super) struct FramedTransport {
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    /// The bytes that the pipe has not taken yet.
    write_buffer: Vec<u8>,
    decoder: Decoder,
    wake_pipe: WakePipe,
}

impl FramedTransport {
    /// The transport to a process whose input and output are piped. `handshake` is sent first.
    pub(super) fn new(process: &Process, handshake: &[u8], wake_pipe: WakePipe) -> Self {
        Self {
            stdin: process.take_stdin().map(non_blocking),
            stdout: process.take_stdout().map(non_blocking),
            write_buffer: handshake.to_vec(),
            decoder: Decoder::default(),
            wake_pipe,
        }
    }

    /// Queues an encoded message. It is written as the pipe accepts it, during
    /// [`exchange`](Self::exchange).
    pub(super) fn send(&mut self, frame: &[u8]) {
        self.write_buffer.extend_from_slice(frame);
    }

    /// Returns what ends an [`exchange`](Self::exchange) from another thread.
    pub(super) fn waker(&self) -> TransportWaker {
        self.wake_pipe.waker.clone()
    }

    /// Writes and reads what the pipes allow; waits for that, until the deadline or until it is woken.
    /// Returns false when the worker has closed its output.
    pub(super) fn exchange(&mut self, deadline: Option<Instant>) -> bool {
        self.flush();
        let (can_write, can_read) = self.wait(deadline);
        self.wake_pipe.clear();
        if can_write {
            self.flush();
        }
        !can_read || self.fill()
    }

    /// The next message that has arrived.
    pub(super) fn receive(&mut self) -> Result<Option<FromWorker>, ProtocolError> {
        self.decoder.next()
    }

    /// Waits until a pipe is ready: for writing, for reading.
    fn wait(&self, deadline: Option<Instant>) -> (bool, bool) {
        let Some(stdout) = &self.stdout else {
            return (false, true);
        };
        let mut polled = vec![
            PollFd::new(stdout, PollFlags::IN),
            PollFd::new(&self.wake_pipe.reader, PollFlags::IN),
        ];
        let has_output = !self.write_buffer.is_empty();
        if let Some(stdin) = self.stdin.as_ref().filter(|_| has_output) {
            polled.push(PollFd::new(stdin, PollFlags::OUT));
        }
        let left = |at: Instant| at.saturating_duration_since(Instant::now());
        let timeout = deadline.and_then(|at| Timespec::try_from(left(at)).ok());
        if poll(&mut polled, timeout.as_ref()).is_err() {
            // Interrupted: the caller's next exchange comes sooner.
            return (false, false);
        }
        let is_ready = |fd: &PollFd<'_>| !fd.revents().is_empty();
        (
            polled.get(2).is_some_and(is_ready),
            polled.first().is_some_and(is_ready),
        )
    }

    fn flush(&mut self) {
        let Some(stdin) = &mut self.stdin else {
            return;
        };
        while !self.write_buffer.is_empty() {
            match stdin.write(&self.write_buffer) {
                Ok(len) => drop(self.write_buffer.drain(..len)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_closed) => {
                    self.stdin = None;
                    return;
                }
            }
        }
    }

    /// Returns false when the worker has closed its output.
    fn fill(&mut self) -> bool {
        let Some(stdout) = &mut self.stdout else {
            return false;
        };
        let mut buffer = vec![0; READ_BYTES];
        let mut read = 0;
        while read < MAX_READ_BYTES {
            match stdout.read(&mut buffer) {
                Ok(0) => return false,
                Ok(len) => {
                    self.decoder.push(&buffer[..len]);
                    read += len;
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
    // It cannot fail for a pipe that is open.
    rustix::io::ioctl_fionbio(&pipe, true).ok();
    pipe
}
