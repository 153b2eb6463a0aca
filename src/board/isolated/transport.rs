//! The pipes to and from a worker.

use std::io::Write as _;

use super::protocol::{Decoder, FromWorker, ProtocolError};
use crate::join::Select;
use crate::join::process::{InputWriter, OutputReader, Process, Stream};

/// The most that is read before the caller handles it.
const MAX_READ_BYTES: usize = 1024 * 1024;

/// Sends and receives messages over the pipes of a worker. Neither blocks on the worker.
pub(super) struct FramedTransport {
    stdin: Option<InputWriter>,
    stdout: Option<OutputReader>,
    decoder: Decoder,
}

impl FramedTransport {
    /// The transport to a process whose input and output are buffered. `handshake` is sent first.
    pub(super) fn new(process: &Process, handshake: &[u8]) -> Self {
        let mut transport = Self {
            stdin: process.take_writer(),
            stdout: process.take_reader(Stream::Stdout),
            decoder: Decoder::default(),
        };
        transport.send(handshake);
        transport
    }

    /// Sends an encoded message, unless the worker has closed its input.
    pub(super) fn send(&mut self, frame: &[u8]) {
        let sent = self.stdin.as_mut().map(|stdin| stdin.write_all(frame));
        if let Some(Err(_closed)) = sent {
            self.stdin = None;
        }
    }

    /// Adds the worker's output to what a wait waits for.
    pub(super) fn add_to<'a>(&'a self, select: Select<'a>) -> Select<'a> {
        match &self.stdout {
            Some(stdout) => select.reader(stdout),
            None => select,
        }
    }

    /// Reads what has arrived. Returns false when the worker has closed its output.
    pub(super) fn fill(&mut self) -> bool {
        let Some(stdout) = &mut self.stdout else {
            return false;
        };
        let mut read = 0;
        while read < MAX_READ_BYTES {
            match stdout.try_read() {
                None => return true,
                Some(bytes) if bytes.is_empty() => return false,
                Some(bytes) => {
                    self.decoder.push(&bytes);
                    read += bytes.len();
                }
            }
        }
        true
    }

    /// The next message that has arrived.
    pub(super) fn receive(&mut self) -> Result<Option<FromWorker>, ProtocolError> {
        self.decoder.next()
    }
}
