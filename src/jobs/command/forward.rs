//! Hands the output of a run over while it is printed.

use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::helpers::{Helpers, LAST_OUTPUT_TIME};
use crate::jobs::{OutputStream, ProcessObserver};
use crate::join::process::{OutputReader, Process, Stream};
use crate::join::{Context, Select, SelectError};

/// The pieces of a stream that are handed over before the end and the timeout are looked at again.
const MAX_READS: usize = 16;

/// More than can have been printed and not read at a time: each stream has a pipe, which holds at most a
/// mebibyte, and a buffer.
const MAX_UNREAD_BYTES: usize = 4 * 1024 * 1024;

/// The output that an observer takes.
pub(super) struct Forward<'a> {
    observer: &'a dyn ProcessObserver,
    readers: Vec<Source>,
    /// While it is connected, the observer takes no more.
    room: Option<Receiver<()>>,
}

struct Source {
    stream: OutputStream,
    reader: OutputReader,
}

impl<'a> Forward<'a> {
    pub(super) fn new(process: &Process, observer: &'a dyn ProcessObserver) -> Self {
        let streams = [
            (OutputStream::Stdout, Stream::Stdout),
            (OutputStream::Stderr, Stream::Stderr),
        ];
        let readers = streams.into_iter().filter_map(|(name, stream)| {
            Some(Source {
                stream: name,
                reader: process.take_reader(stream)?,
            })
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
        readers.fold(select, |select, source| select.reader(&source.reader))
    }

    /// Hands over the output that is there, as far as there is room. Returns its length. A stream that
    /// nothing takes is closed, so who prints more gets `SIGPIPE`.
    pub(super) fn hand_over(&mut self) -> usize {
        let mut handed = 0;
        self.room = None;
        let (observer, room) = (self.observer, &mut self.room);
        self.readers.retain_mut(|source| {
            // So many that a command which prints without end is still stopped in time.
            for _ in 0..MAX_READS {
                if room.is_some() {
                    break;
                }
                match source.reader.try_read() {
                    None => break,
                    Some(bytes) if bytes.is_empty() => return false,
                    Some(bytes) => match observer.did_print(source.stream, &bytes) {
                        Ok(full) => {
                            handed += bytes.len();
                            *room = full;
                        }
                        Err(_closed) => return false,
                    },
                }
            }
            true
        });
        handed
    }

    /// Hands over the output that comes after the end of the command: as long as helpers may be about to
    /// print it, and not without end.
    pub(super) fn await_helpers(&mut self, helpers: &Helpers<'_>, context: &Context) {
        let mut handed = self.go_on(LAST_OUTPUT_TIME, context);
        while !self.readers.is_empty()
            && handed < MAX_UNREAD_BYTES
            && !context.is_cancelled()
            && helpers.are_busy()
        {
            handed += self.go_on(LAST_OUTPUT_TIME, context);
        }
    }

    /// Hands over the output that comes within this time, and what waits for room. Returns its length.
    pub(super) fn go_on(&mut self, time: Duration, context: &Context) -> usize {
        let until = Instant::now() + time;
        let (mut handed_in_all, mut handed_late) = (0, 0);
        while !self.readers.is_empty() && handed_late < MAX_UNREAD_BYTES {
            let is_full = self.room.is_some();
            let select = self.add_to(context.select());
            // Who reads slowly loses nothing.
            let waited = select.deadline((!is_full).then_some(until)).wait();
            let handed = self.hand_over();
            handed_in_all += handed;
            if Instant::now() >= until {
                handed_late += handed;
            }
            match waited {
                Err(SelectError::TimedOut) if self.room.is_none() => break,
                Err(SelectError::Cancelled) => break,
                _ => {}
            }
        }
        handed_in_all
    }

    /// Leaves what may still come to the process. Returns the streams that are open.
    pub(super) fn release(self) -> Vec<OutputStream> {
        let leave = |source: Source| {
            source.reader.release();
            source.stream
        };
        self.readers.into_iter().map(leave).collect()
    }
}
