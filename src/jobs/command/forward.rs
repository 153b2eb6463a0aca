//! Hands the output of a run over while it is printed.

use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use crate::jobs::{OutputStream, ProcessObserver};
use crate::join::process::{OutputReader, Process, Stream};
use crate::join::{Context, Select, SelectError};

/// The time after the end of a command in which its output is still awaited: what it has started in
/// `| sed`, `tee >(…)` or `exec > >(…)` prints its last lines after it has ended.
const LAST_OUTPUT_TIME: Duration = Duration::from_millis(100);

/// The output that an observer takes.
pub(super) struct Forward<'a> {
    observer: &'a dyn ProcessObserver,
    readers: Vec<(OutputStream, OutputReader)>,
    /// While it is connected, the observer takes no more.
    room: Option<Receiver<()>>,
}

impl<'a> Forward<'a> {
    pub(super) fn new(process: &Process, observer: &'a dyn ProcessObserver) -> Self {
        let streams = [
            (OutputStream::Stdout, Stream::Stdout),
            (OutputStream::Stderr, Stream::Stderr),
        ];
        let readers = streams.into_iter().filter_map(|(name, stream)| {
            let reader = process.take_reader(stream)?;
            Some((name, reader))
        });
        Self {
            observer,
            readers: readers.collect(),
            room: None,
        }
    }

    /// Adds what there is to wait for: output, or room for it.
    pub(super) fn add_to<'s>(&'s self, select: Select<'s>) -> Select<'s> {
        if let Some(room) = &self.room {
            return select.receiver(room);
        }
        let readers = self.readers.iter();
        readers.fold(select, |select, (_, reader)| select.reader(reader))
    }

    /// Hands over the output that is there, as far as there is room. A stream that nothing takes is
    /// closed, as by `SIGPIPE`.
    pub(super) fn hand_over(&mut self) {
        self.room = None;
        let (observer, room) = (self.observer, &mut self.room);
        self.readers.retain_mut(|(stream, reader)| {
            while room.is_none() {
                match reader.try_read() {
                    None => break,
                    Some(bytes) if bytes.is_empty() => return false,
                    Some(bytes) => match observer.did_print(*stream, &bytes) {
                        Ok(full) => *room = full,
                        Err(_closed) => return false,
                    },
                }
            }
            true
        });
    }

    /// Hands over the output that comes shortly after the end. Leaves the rest to the process.
    pub(super) fn finish(mut self, context: &Context) {
        let until = Instant::now().checked_add(LAST_OUTPUT_TIME);
        while !self.readers.is_empty() {
            let is_full = self.room.is_some();
            let select = self.add_to(context.select());
            // Who reads slowly loses nothing.
            let waited = select.deadline(until.filter(|_| !is_full)).wait();
            self.hand_over();
            match waited {
                Err(SelectError::TimedOut) if self.room.is_none() => break,
                Err(SelectError::Cancelled) => break,
                _ => {}
            }
        }
        for (_, reader) in self.readers {
            reader.release();
        }
    }
}

/// Waits for the output that comes shortly after the end, where nothing takes it.
pub(super) fn wait_for_last_output(process: &Process) {
    process.wait_for_output(LAST_OUTPUT_TIME);
}
