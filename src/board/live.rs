//! The processes of one job: those that run, and the last that have ended, whose output can still
//! be read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::feed::Feed;
use super::run::lock;
use crate::jobs::command::CommandRun;
use crate::jobs::{Host, Priority};
use crate::join::process::{Process, ProcessState};
use crate::record::{EventKind, ItemId, JobId};

/// How many ended processes of a job are kept. Each holds what its streams have kept.
pub(super) const KEPT: usize = 64;

/// The processes of one job.
#[derive(Default)]
pub(super) struct Live(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    running: BTreeMap<ItemId, Running>,
    ended: VecDeque<(ItemId, Process)>,
}

struct Running {
    process: Process,
    /// Whether it was stopped by a signal when last looked at.
    is_paused: bool,
}

impl Live {
    /// The process of an item, if it runs or is one of the last that ended.
    pub(super) fn process(&self, item: ItemId) -> Option<Process> {
        let inner = lock(&self.0);
        if let Some(running) = inner.running.get(&item) {
            return Some(running.process.clone());
        }
        let mut ended = inner.ended.iter().rev();
        let (_, process) = ended.find(|(ended, _)| *ended == item)?;
        Some(process.clone())
    }

    /// The processes that run: of one item, or of all in their order.
    pub(super) fn running(&self, of: Option<ItemId>) -> Vec<(ItemId, Process)> {
        let inner = lock(&self.0);
        let running = inner.running.iter();
        let running = running.filter(|(item, _)| of.is_none_or(|of| of == **item));
        running
            .map(|(&item, running)| (item, running.process.clone()))
            .collect()
    }

    /// How many run.
    pub(super) fn count(&self) -> usize {
        lock(&self.0).running.len()
    }

    /// Hands over every item whose process was stopped or let go on since the last call. Should
    /// somebody be at the table, nothing is told: the next poll will.
    pub(super) fn pauses(&self, told: &mut dyn FnMut(ItemId, bool)) {
        let Ok(mut inner) = self.0.try_lock() else {
            return;
        };
        for (&item, running) in &mut inner.running {
            let is_paused = running.process.state() == ProcessState::Stopped;
            if is_paused != running.is_paused {
                running.is_paused = is_paused;
                told(item, is_paused);
            }
        }
    }

    fn begin(&self, item: ItemId, process: &Process) {
        let running = Running {
            process: process.clone(),
            is_paused: false,
        };
        lock(&self.0).running.insert(item, running);
    }

    fn end(&self, item: ItemId) {
        let mut inner = lock(&self.0);
        if let Some(running) = inner.running.remove(&item) {
            inner.ended.push_back((item, running.process));
        }
        let excess = inner.ended.len().saturating_sub(KEPT);
        // Dropped once the table is free: the last handle of a process has some cleaning up to do.
        let dropped: Vec<_> = inner.ended.drain(..excess).collect();
        drop(inner);
        drop(dropped);
    }
}

/// Keeps the table, and tells the board, of one item's process.
pub(super) struct ItemHost {
    pub(super) job: JobId,
    pub(super) item: ItemId,
    pub(super) priority: Priority,
    pub(super) feed: Feed,
    pub(super) live: Arc<Live>,
}

impl ItemHost {
    /// Counts an isolated worker as the process of the item while that has it.
    pub(super) fn lend<'a>(&'a self, worker: &Process) -> Lending<'a> {
        self.live.begin(self.item, worker);
        Lending(self)
    }
}

/// An item that has an isolated worker.
pub(super) struct Lending<'a>(&'a ItemHost);

impl Drop for Lending<'_> {
    fn drop(&mut self) {
        let lent = lock(&self.0.live.0).running.remove(&self.0.item);
        drop(lent);
    }
}

impl Host for ItemHost {
    fn priority(&self) -> Priority {
        self.priority
    }

    fn did_run(&self, process: &Process) {
        self.live.begin(self.item, process);
        let (item, pid) = (self.item, process.pid());
        let kind = EventKind::ItemDidRunProcess { item, pid };
        self.feed.publish(self.job, kind);
    }

    fn did_end(&self, ran: &Arc<CommandRun>) {
        self.live.end(self.item);
        let (item, ran) = (self.item, ran.clone());
        let kind = EventKind::ItemDidEndProcess { item, ran };
        self.feed.publish(self.job, kind);
    }
}
