use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::event_sender::EventSender;
use super::long_wait::LongWait;
use super::output_sink::OutputSink;
use crate::jobs::{OutputClosed, OutputStream, Priority, ProcessObserver, ProcessRun};
use crate::join::process::{Launcher, Process, ProcessState};
use crate::record::{EventKind, ItemId};

/// The number of ended processes of a job that are kept. Each holds the kept part of its output.
const MAX_ENDED: usize = 64;

/// The processes of one job: the running ones, and the last that ended, whose output can still be
/// read.
#[derive(Default)]
pub(super) struct ProcessTable(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    running: BTreeMap<ItemId, Running>,
    ended: VecDeque<(ItemId, Process)>,
}

struct Running {
    process: Process,
    /// Whether a signal had stopped it at the last poll.
    is_paused: bool,
}

impl ProcessTable {
    /// The process of an item, if it runs or is one of the last that ended.
    pub(super) fn process(&self, item: ItemId) -> Option<Process> {
        let inner = self.0.lock();
        if let Some(running) = inner.running.get(&item) {
            return Some(running.process.clone());
        }
        let mut ended = inner.ended.iter().rev();
        let (_, process) = ended.find(|(ended, _)| *ended == item)?;
        Some(process.clone())
    }

    /// The running process of an item.
    pub(super) fn running_process(&self, item: ItemId) -> Option<Process> {
        let inner = self.0.lock();
        Some(inner.running.get(&item)?.process.clone())
    }

    /// The running processes, in the order of the items.
    pub(super) fn running(&self) -> Vec<(ItemId, Process)> {
        let inner = self.0.lock();
        let running = inner.running.iter();
        running
            .map(|(&item, running)| (item, running.process.clone()))
            .collect()
    }

    /// The number that runs.
    pub(super) fn count(&self) -> usize {
        self.0.lock().running.len()
    }

    /// Calls `changed` with every item whose process was paused or resumed since the last call.
    /// While another thread holds the lock it does nothing; the next poll catches up.
    pub(super) fn poll_pauses(&self, changed: &mut dyn FnMut(ItemId, bool)) {
        let Some(mut inner) = self.0.try_lock() else {
            return;
        };
        for (&item, running) in &mut inner.running {
            let is_paused = running.process.state() == ProcessState::Stopped;
            if is_paused != running.is_paused {
                running.is_paused = is_paused;
                changed(item, is_paused);
            }
        }
    }

    fn begin(&self, item: ItemId, process: &Process) {
        let running = Running {
            process: process.clone(),
            is_paused: false,
        };
        self.0.lock().running.insert(item, running);
    }

    fn end(&self, item: ItemId) {
        let mut inner = self.0.lock();
        if let Some(running) = inner.running.remove(&item) {
            inner.ended.push_back((item, running.process));
        }
        let excess = inner.ended.len().saturating_sub(MAX_ENDED);
        // Dropped after the lock: dropping the last handle of a process cleans up.
        let dropped: Vec<_> = inner.ended.drain(..excess).collect();
        drop(inner);
        drop(dropped);
    }
}

/// Enters one item's process in the table, and publishes its start and end.
pub(super) struct ItemObserver {
    pub(super) item: ItemId,
    pub(super) priority: Priority,
    pub(super) events: EventSender,
    pub(super) processes: Arc<ProcessTable>,
    pub(super) output: Option<Arc<dyn OutputSink>>,
    pub(super) launcher: Option<Launcher>,
    pub(super) long_wait: LongWait,
}

impl ItemObserver {
    /// Lists an isolated worker as the item's process until the guard is dropped.
    pub(super) fn assign<'a>(&'a self, worker: &Process) -> Assignment<'a> {
        self.processes.begin(self.item, worker);
        Assignment(self)
    }
}

/// An item that runs in an isolated worker.
pub(super) struct Assignment<'a>(&'a ItemObserver);

impl Drop for Assignment<'_> {
    fn drop(&mut self) {
        let removed = self.0.processes.0.lock().running.remove(&self.0.item);
        drop(removed);
    }
}

impl ProcessObserver for ItemObserver {
    fn priority(&self) -> Priority {
        self.priority
    }

    fn launcher(&self) -> Option<Launcher> {
        self.launcher.clone()
    }

    fn did_run(&self, process: &Process) {
        self.processes.begin(self.item, process);
        let (item, pid) = (self.item, process.pid());
        let kind = EventKind::ItemDidRunProcess { item, pid };
        self.events.publish(kind);
    }

    fn takes_output(&self) -> bool {
        self.output.is_some()
    }

    fn did_print(
        &self,
        stream: OutputStream,
        bytes: &[u8],
    ) -> Result<Option<Receiver<()>>, OutputClosed> {
        let output = self.output.as_ref().ok_or(OutputClosed)?;
        output.push(self.item, stream, bytes)
    }

    fn did_end(&self, ran: &Arc<ProcessRun>) {
        self.processes.end(self.item);
        let (item, ran) = (self.item, ran.clone());
        let kind = EventKind::ItemDidEndProcess { item, ran };
        self.events.publish(kind);
    }
}
