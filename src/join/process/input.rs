//! The input that waits to be written to a process.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use rustix::io::Errno;

use super::super::sync::lock;

/// The stdin of a process, which is non-blocking, with the bytes that wait for room in it. The reaper
/// writes them.
pub(super) struct InputQueue(Mutex<Queued>);

struct Queued {
    /// `None` once nothing more is to be written, or can be.
    pipe: Option<Arc<OwnedFd>>,
    /// The first `written` bytes of it are written.
    current: Arc<[u8]>,
    written: usize,
    /// The bytes after these.
    more: Vec<u8>,
    /// Whether no more bytes come.
    is_complete: bool,
}

impl InputQueue {
    /// A queue without bytes.
    pub(super) fn new(pipe: OwnedFd) -> Self {
        Self(Mutex::new(Queued {
            pipe: Some(Arc::new(pipe)),
            current: Arc::default(),
            written: 0,
            more: Vec::new(),
            is_complete: false,
        }))
    }

    /// A queue of these bytes alone.
    pub(super) fn of_bytes(pipe: OwnedFd, bytes: Arc<[u8]>) -> Self {
        let queue = Self::new(pipe);
        lock(&queue.0).current = bytes;
        queue.complete();
        queue
    }

    /// The pipe, if bytes wait for room in it.
    pub(super) fn awaited_pipe(&self) -> Option<Arc<OwnedFd>> {
        let queued = lock(&self.0);
        if queued.unwritten() == 0 {
            return None;
        }
        queued.pipe.clone()
    }

    /// Writes what fits, up to `limit` bytes of what is queued.
    pub(super) fn write(&self, limit: usize) {
        lock(&self.0).write(limit);
    }

    /// Writes what fits, and queues the rest. Returns whether bytes are queued.
    ///
    /// # Errors
    /// No process can read it.
    pub(super) fn push(&self, bytes: &[u8]) -> io::Result<bool> {
        let mut queued = lock(&self.0);
        let Some(pipe) = queued.pipe.clone() else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let mut rest = bytes;
        while !rest.is_empty() && queued.unwritten() == 0 {
            match rustix::io::write(&pipe, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(refusal) => {
                    queued.close();
                    return Err(refusal.into());
                }
            }
        }
        queued.more.extend_from_slice(rest);
        Ok(queued.unwritten() > 0)
    }

    pub(super) fn unwritten(&self) -> usize {
        lock(&self.0).unwritten()
    }

    /// Closes the pipe as soon as all bytes are written.
    pub(super) fn complete(&self) {
        let mut queued = lock(&self.0);
        queued.is_complete = true;
        queued.close_if_done();
    }

    /// Closes the pipe, and drops the bytes.
    pub(super) fn close(&self) {
        lock(&self.0).close();
    }
}

impl Queued {
    fn unwritten(&self) -> usize {
        self.current.len() - self.written + self.more.len()
    }

    fn write(&mut self, limit: usize) {
        let Some(pipe) = self.pipe.clone() else {
            return;
        };
        let mut left = limit;
        while left > 0 && self.unwritten() > 0 {
            if self.written == self.current.len() {
                self.current = std::mem::take(&mut self.more).into();
                self.written = 0;
            }
            let end = self.current.len().min(self.written + left);
            match rustix::io::write(&pipe, &self.current[self.written..end]) {
                Ok(count) => {
                    self.written += count;
                    left -= count;
                }
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(_) => return self.close(),
            }
        }
        self.close_if_done();
    }

    fn close_if_done(&mut self) {
        if self.is_complete && self.unwritten() == 0 {
            self.close();
        }
    }

    fn close(&mut self) {
        self.pipe = None;
        self.current = Arc::default();
        self.written = 0;
        self.more = Vec::new();
    }
}

/// The end at which bytes are added. Dropping it closes the pipe once all are written.
pub(super) struct InputEnd(pub(super) Arc<InputQueue>);

impl Drop for InputEnd {
    fn drop(&mut self) {
        self.0.complete();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_written_in_bounded_turns() {
        let (reader, writer) = io::pipe().unwrap();
        let queue = InputQueue::of_bytes(writer.into(), vec![7; 2_500].into());
        for left in [1_500, 500] {
            queue.write(1_000);
            assert_eq!(queue.unwritten(), left);
        }
        queue.write(1_000);
        assert!(queue.awaited_pipe().is_none());
        assert_eq!(io::read_to_string(reader).unwrap().len(), 2_500);
    }
}
