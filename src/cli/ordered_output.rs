//! The output of items that run at the same time, item by item.
//!
//! The items hand over their output piece by piece, and a thread writes it. So no item, and no timeout,
//! waits for whoever reads stdout; only the item whose output is being written does. What can't be
//! written yet waits in a [`Spool`].

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender};
use indicatif::ProgressBar;
use parking_lot::{Condvar, Mutex};

use super::spool::{Spool, SpoolError, Spooled};
use crate::board::OutputSink;
use crate::jobs::{OutputClosed, OutputStream};
use crate::join::{self, JoinError, SpawnError, Task};
use crate::record::ItemId;

/// The bytes of several items that are written at once.
const MAX_BATCH_BYTES: usize = 64 * 1024;

/// The bytes of the item whose turn it is that wait to be written before the item waits, too.
const MAX_WAITING_BYTES: usize = 1024 * 1024;

/// The order of the output of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum OutputOrder {
    /// In the order of the files.
    #[default]
    Files,
    /// In the order in which the items end.
    End,
}

/// Writes the output of the items of a job to stdout and stderr, whole and one after the other.
pub(super) struct OrderedOutput {
    queues: Arc<Queues>,
    writer: Task<()>,
    bar: Option<ProgressBar>,
}

/// The output that was not written yet.
struct Queues {
    inner: Mutex<Inner>,
    did_change: Condvar,
}

struct Inner {
    order: OutputOrder,
    spool: Spool,
    items: BTreeMap<ItemId, Queue>,
    /// The item whose turn it is.
    turn: Option<ItemId>,
    /// The items that have ended and wait for their turn, with [`OutputOrder::End`].
    ended: VecDeque<ItemId>,
    /// Whether no more output comes.
    is_finished: bool,
    /// Why no more can be written.
    failure: Option<OutputError>,
}

/// The reason that output was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutputError {
    #[error("the result could not be written to stdout: {0}")]
    Stdout(io::Error),
    /// It could not be kept until its turn.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl OutputError {
    /// Whether nothing reads stdout any more.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// What the thread that writes does next.
enum Next {
    Write(OutputStream, Vec<u8>),
    /// Says that no more can be written.
    Tell,
}

/// The output of one item.
#[derive(Default)]
struct Queue {
    spooled: Spooled,
    len: usize,
    has_ended: bool,
    /// Dropped when the item may go on.
    room: Option<Sender<()>>,
}

impl OrderedOutput {
    /// Starts the thread that writes. A progress bar is hidden while it writes to a terminal. When it
    /// can't write any more, it calls `wake`.
    ///
    /// # Errors
    /// The system refused the thread.
    pub(super) fn start(
        order: OutputOrder,
        bar: Option<ProgressBar>,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Self, SpawnError> {
        let queues = Arc::new(Queues {
            inner: Mutex::new(Inner {
                order,
                spool: Spool::default(),
                items: BTreeMap::new(),
                turn: (order == OutputOrder::Files).then_some(ItemId::new(0)),
                ended: VecDeque::new(),
                is_finished: false,
                failure: None,
            }),
            did_change: Condvar::new(),
        });
        let writer = {
            let (queues, bar) = (Arc::clone(&queues), bar.clone());
            join::spawn("output", move |_| queues.write_all(bar.as_ref(), &wake))?
        };
        Ok(Self {
            queues,
            writer,
            bar,
        })
    }

    /// What an item hands its output to.
    pub(super) fn sink(&self) -> Arc<dyn OutputSink> {
        self.queues.clone()
    }

    /// Appends bytes to the output of an item. [`write_now`](Self::write_now) has them written.
    pub(super) fn push(&self, item: ItemId, stream: OutputStream, bytes: &[u8]) {
        // An item that ends has no more output that could wait for room, and a failure is kept.
        drop(self.queues.inner.lock().push(item, stream, bytes));
    }

    /// Notes that an item has no more output. [`write_now`](Self::write_now) has it written.
    pub(super) fn end(&self, item: ItemId) {
        let mut inner = self.queues.inner.lock();
        inner.items.entry(item).or_default().has_ended = true;
        if inner.order == OutputOrder::End {
            inner.ended.push_back(item);
        }
    }

    /// Wakes the thread that writes.
    pub(super) fn write_now(&self) {
        self.queues.did_change.notify_all();
    }

    /// Whether no more output can be written.
    pub(super) fn has_failed(&self) -> bool {
        self.queues.inner.lock().failure.is_some()
    }

    /// Waits until all output is written: that of items that have not ended comes behind that of the
    /// others, and `last` on stderr at the very end, unless stdout was closed.
    ///
    /// # Errors
    /// Stdout could not be written, not all was written in time, or the output could not be kept until
    /// its turn.
    pub(super) fn finish(self, last: &str, timeout: Duration) -> Result<(), OutputError> {
        self.queues.inner.lock().is_finished = true;
        self.queues.did_change.notify_all();
        if let Err(JoinError::TimedOut) = self.writer.join_timeout(timeout) {
            let error = "nothing has read it in time";
            let error = io::Error::new(io::ErrorKind::TimedOut, error);
            return Err(OutputError::Stdout(error));
        }
        let failure = self.queues.inner.lock().failure.take();
        if !failure.as_ref().is_some_and(OutputError::is_closed) {
            let written = write(OutputStream::Stderr, last.as_bytes(), self.bar.as_ref());
            written.map_err(OutputError::Stdout)?;
        }
        failure.map_or(Ok(()), Err)
    }
}

impl OutputSink for Queues {
    fn push(
        &self,
        item: ItemId,
        stream: OutputStream,
        bytes: &[u8],
    ) -> Result<Option<Receiver<()>>, OutputClosed> {
        let room = self.inner.lock().push(item, stream, bytes);
        self.did_change.notify_all();
        room
    }
}

impl Queue {
    /// Returns a channel that is disconnected when most of the output was written.
    fn wait_for_room(&mut self) -> Receiver<()> {
        let (sender, receiver) = crossbeam_channel::bounded(0);
        self.room = Some(sender);
        receiver
    }
}

impl Queues {
    /// Writes the output of all items, until there is no more.
    fn write_all(&self, bar: Option<&ProgressBar>, wake: &dyn Fn()) {
        let mut has_reported = false;
        while let Some(next) = self.next(has_reported) {
            match next {
                Next::Write(stream, bytes) => {
                    if let Err(error) = write(stream, &bytes, bar) {
                        self.inner.lock().fail(OutputError::Stdout(error));
                    }
                }
                Next::Tell => {
                    has_reported = true;
                    wake();
                }
            }
        }
    }

    /// Waits for what comes next: the bytes that are there for one stream, or a failure; `None` after the
    /// last.
    fn next(&self, has_reported: bool) -> Option<Next> {
        let mut inner = self.inner.lock();
        loop {
            if let Some((stream, bytes)) = inner.take_batch() {
                return Some(Next::Write(stream, bytes));
            }
            // Here or where an item hands over its output, which could not be kept.
            if inner.failure.is_some() && !has_reported {
                return Some(Next::Tell);
            }
            if inner.is_finished && inner.items.is_empty() {
                return None;
            }
            self.did_change.wait(&mut inner);
        }
    }
}

impl Inner {
    /// Drops all output, now and later.
    fn fail(&mut self, error: OutputError) {
        self.items.clear();
        self.failure.get_or_insert(error);
    }

    /// Appends bytes to the output of an item. Returns what the item waits for if they are too many.
    fn push(
        &mut self,
        item: ItemId,
        stream: OutputStream,
        bytes: &[u8],
    ) -> Result<Option<Receiver<()>>, OutputClosed> {
        if self.failure.is_some() {
            return Err(OutputClosed);
        }
        let queue = self.items.entry(item).or_default();
        if let Err(error) = self.spool.push(&mut queue.spooled, stream, bytes) {
            self.fail(error.into());
            return Err(OutputClosed);
        }
        queue.len += bytes.len();
        let must_wait = self.turn == Some(item) && queue.len > MAX_WAITING_BYTES;
        Ok(must_wait.then(|| queue.wait_for_room()))
    }

    /// The next bytes for one stream: those of the item whose turn it is and of the items after it, as
    /// far as they are there. `None` if there are none yet.
    fn take_batch(&mut self) -> Option<(OutputStream, Vec<u8>)> {
        let stream = self.next_stream()?;
        let (_, mut batch) = self.take()?;
        while batch.len() < MAX_BATCH_BYTES
            && self.next_stream() == Some(stream)
            && let Some((_, bytes)) = self.take()
        {
            batch.extend(bytes);
        }
        Some((stream, batch))
    }

    /// Goes on to the next item that has bytes, and says for which stream they are.
    fn next_stream(&mut self) -> Option<OutputStream> {
        loop {
            let queue = self.turn.and_then(|turn| self.items.get(&turn));
            if let Some(stream) = queue.and_then(|queue| queue.spooled.stream()) {
                return Some(stream);
            }
            if !self.advance() {
                return None;
            }
        }
    }

    /// The next bytes of the item whose turn it is, if there are any.
    fn take(&mut self) -> Option<(OutputStream, Vec<u8>)> {
        let queue = self.items.get_mut(&self.turn?)?;
        match self.spool.take(&mut queue.spooled) {
            Ok(taken) => {
                let (stream, bytes) = taken?;
                queue.len -= bytes.len();
                if queue.len <= MAX_WAITING_BYTES / 2 {
                    queue.room = None;
                }
                Some((stream, bytes))
            }
            Err(error) => {
                self.fail(error.into());
                None
            }
        }
    }

    /// Goes on to the next item if the output of this one is complete. Returns whether it did.
    fn advance(&mut self) -> bool {
        if let Some(item) = self.turn {
            let has_ended = self.items.get(&item).is_some_and(|queue| queue.has_ended);
            if !has_ended && !self.is_finished {
                return false;
            }
            self.items.remove(&item);
        }
        let next = match (self.order, self.turn) {
            (OutputOrder::Files, Some(item)) if !self.is_finished => {
                Some(ItemId::new(item.index() + 1))
            }
            _ => self.ended.pop_front(),
        };
        let rest = || {
            self.items
                .keys()
                .next()
                .copied()
                .filter(|_| self.is_finished)
        };
        let next = next.or_else(rest);
        let did = next != self.turn;
        self.turn = next;
        did
    }
}

fn write(stream: OutputStream, bytes: &[u8], bar: Option<&ProgressBar>) -> io::Result<()> {
    let write = || match stream {
        OutputStream::Stdout => write_now(&mut io::stdout().lock(), bytes),
        OutputStream::Stderr => {
            // There is no other place for it if stderr can't be written.
            write_now(&mut io::stderr().lock(), bytes).ok();
            Ok(())
        }
    };
    let is_on_terminal = || stream == OutputStream::Stderr || io::stdout().is_terminal();
    match bar.filter(|_| is_on_terminal()) {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

fn write_now(out: &mut impl io::Write, bytes: &[u8]) -> io::Result<()> {
    out.write_all(bytes)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_that_can_not_be_kept_wakes_at_once() {
        let (wake, woken) = crossbeam_channel::bounded(1);
        let output = OrderedOutput::start(OutputOrder::Files, None, move || {
            wake.try_send(()).ok();
        });
        let output = output.expect("a thread");
        let full = SpoolError::from(io::Error::from(io::ErrorKind::StorageFull));
        output.queues.inner.lock().fail(full.into());
        let pushed = output
            .sink()
            .push(ItemId::new(0), OutputStream::Stdout, b"x");
        assert!(pushed.is_err());
        let minute = Duration::from_mins(1);
        woken.recv_timeout(minute).expect("it wakes its follower");
        assert!(output.has_failed());
        let finished = output.finish("", minute);
        assert!(matches!(finished, Err(OutputError::Spool(_))));
    }
}
