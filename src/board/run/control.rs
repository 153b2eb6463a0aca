use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::sync::Arc;

use crossbeam_channel::Sender;

use super::batch::Batch;
use crate::board::item::ItemTask;
#[cfg(unix)]
use crate::board::process_table::ProcessTable;
use crate::board::thread_number::TaskThread;
use crate::jobs::{Item, RunOn};
use crate::join::{CancelToken, PanicReport, TaskState};
use crate::record::{ItemId, Panic, PanicKey, ThreadNumber};

/// The number of panics of a job that keep their backtrace, which takes several kilobytes.
const MAX_BACKTRACES: usize = 256;

/// The state that the board and the coordinator of a job share.
pub(in crate::board) struct Control {
    inbox: Sender<CoordinatorMessage>,
    in_flight: Mutex<BTreeMap<ItemId, InFlight>>,
    backtraces: Mutex<BTreeMap<PanicKey, KeptBacktrace>>,
    /// Ends the grace of isolated workers that were cancelled.
    force_stop: CancelToken,
    run_on: RunOn,
    #[cfg(unix)]
    pub(in crate::board) processes: Arc<ProcessTable>,
}

/// An item that has a task.
pub(super) struct InFlight {
    pub(super) item: Arc<Item>,
    /// Those that share its task, with it.
    pub(super) batch: Option<Arc<Batch>>,
    pub(super) task: ItemTask,
    pub(super) thread: Arc<TaskThread>,
    /// Done and total as last published.
    pub(super) published: (u64, u64),
}

/// A backtrace that can be asked for.
#[derive(Clone)]
pub(in crate::board) enum KeptBacktrace {
    /// Not resolved yet, which takes time.
    Captured(Arc<PanicReport>),
    /// Resolved by the worker that panicked.
    Resolved(Arc<str>),
}

pub(super) enum CoordinatorMessage {
    DidFind(ItemId, Arc<Item>),
    PlanDidEnd,
    ItemDidEnd(ItemId),
    Cancel,
}

/// Sends to a coordinator, which may have ended; then the message does not matter.
pub(super) fn send(inbox: &Sender<CoordinatorMessage>, message: CoordinatorMessage) {
    inbox.send(message).ok();
}

impl Control {
    pub(super) fn new(inbox: Sender<CoordinatorMessage>, run_on: RunOn) -> Self {
        Self {
            inbox,
            in_flight: Mutex::default(),
            backtraces: Mutex::default(),
            force_stop: CancelToken::new(),
            run_on,
            #[cfg(unix)]
            processes: Arc::default(),
        }
    }

    /// Asks the coordinator to cancel everything that has not ended.
    pub(in crate::board) fn cancel(&self) {
        send(&self.inbox, CoordinatorMessage::Cancel);
    }

    pub(super) fn inbox(&self) -> &Sender<CoordinatorMessage> {
        &self.inbox
    }

    pub(super) fn in_flight(&self) -> MutexGuard<'_, BTreeMap<ItemId, InFlight>> {
        self.in_flight.lock()
    }

    /// Calls `advanced` with every item that advanced since the last call, and returns how many
    /// items run.
    ///
    /// While the coordinator holds the lock it returns `None`; the next poll catches up, so the UI
    /// thread never blocks.
    pub(in crate::board) fn poll_progress(
        &self,
        advanced: &mut dyn FnMut(ItemId, u64, u64),
    ) -> Option<usize> {
        let mut in_flight = self.in_flight.try_lock()?;
        let mut running = 0;
        for (&item, flight) in in_flight.iter_mut() {
            if flight.task.state() != TaskState::Running {
                continue;
            }
            running += 1;
            // Nobody could see how far a short item is.
            if flight.batch.is_some() {
                continue;
            }
            let progress = flight.task.progress();
            let now = (progress.done, progress.total);
            if now != flight.published {
                flight.published = now;
                advanced(item, progress.done, progress.total);
            }
        }
        Some(running)
    }

    /// The items that run, with the thread of each. Waits for a lock, so a frame must not call it.
    pub(in crate::board) fn running_threads(&self) -> Vec<(ItemId, ThreadNumber)> {
        let in_flight = self.in_flight.lock();
        let running = in_flight.iter().filter_map(|(first, flight)| {
            let thread = flight.thread.number()?;
            let item = match &flight.batch {
                Some(batch) => batch.rest().first()?.0,
                None => *first,
            };
            (flight.task.state() == TaskState::Running).then_some((item, thread))
        });
        running.collect()
    }

    /// The number of processes that run for the items: commands, and isolated workers that have an
    /// item.
    #[cfg(unix)]
    pub(in crate::board) fn process_count(&self) -> usize {
        self.processes.count()
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "as where there are processes to count")]
    pub(in crate::board) fn process_count(&self) -> usize {
        0
    }

    /// Whether the items run in isolated workers.
    pub(in crate::board) fn is_isolated(&self) -> bool {
        self.run_on == RunOn::Process
    }

    /// Stops isolated workers that ignore their cancel, without the rest of their grace.
    pub(in crate::board) fn force_stop(&self) {
        self.force_stop.cancel();
    }

    pub(super) fn force_stop_token(&self) -> &CancelToken {
        &self.force_stop
    }

    pub(in crate::board) fn backtrace(&self, key: PanicKey) -> Option<KeptBacktrace> {
        self.backtraces.lock().get(&key).cloned()
    }

    /// Keeps a report for its backtrace, within the limit, and returns the panic as plain data.
    pub(in crate::board) fn keep_panic(
        &self,
        key: PanicKey,
        report: &Arc<PanicReport>,
    ) -> Arc<Panic> {
        self.keep_backtrace(key, KeptBacktrace::Captured(Arc::clone(report)));
        Arc::new(Panic::from(&**report))
    }

    pub(super) fn keep_backtrace(&self, key: PanicKey, backtrace: KeptBacktrace) {
        let mut backtraces = self.backtraces.lock();
        if key == PanicKey::Job || backtraces.len() < MAX_BACKTRACES {
            backtraces.insert(key, backtrace);
        }
    }
}

/// The text in place of a backtrace beyond the limit.
pub(in crate::board) fn missing_backtrace() -> String {
    format!("This backtrace was not kept: a job keeps those of its first {MAX_BACKTRACES} panics.")
}
