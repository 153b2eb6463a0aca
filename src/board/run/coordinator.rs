use parking_lot::MutexGuard;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::batch::{self, Batch};
use super::control::{Control, CoordinatorMessage, InFlight, KeptBacktrace, send};
use crate::board::backpressure::Backpressure;
use crate::board::event_sender::EventSender;
use crate::board::executor::Executor;
use crate::board::item::{ItemOutcome, ItemTask};
use crate::board::long_wait::LongWait;
use crate::board::output_sink::OutputSink;
#[cfg(unix)]
use crate::board::process_table::ItemObserver;
use crate::board::thread_number::{TaskThread, own_thread_number};
use crate::jobs::retry::{self, Refusals, Shortage};
use crate::jobs::room;
use crate::jobs::{Item, ItemError, JobSpec, Step};
#[cfg(unix)]
use crate::join::process::Launcher;
use crate::join::{Cancelled, Context, JoinError, PanicReport, Progress, SpawnError, Task};
use crate::record::{EventKind, ItemId, ItemState, Panic, PanicKey};

/// The outcome of a job that was not cancelled.
#[derive(Debug)]
pub(in crate::board) enum JobOutcome {
    Returned,
    /// Some item failed, panicked or crashed.
    Failed,
    /// Planning panicked; the items that it had found were run.
    PlanPanicked(Arc<PanicReport>),
}

/// Gives each item its task, and publishes how it ended.
pub(super) struct Coordinator {
    pub(super) name: String,
    pub(super) spec: Arc<JobSpec>,
    pub(super) events: EventSender,
    pub(super) control: Arc<Control>,
    pub(super) inbox: Receiver<CoordinatorMessage>,
    pub(super) executor: Executor,
    pub(super) backpressure: Arc<Backpressure>,
    pub(super) planner: Task<Result<(), Cancelled>>,
    pub(super) output: Option<Arc<dyn OutputSink>>,
    #[cfg(unix)]
    pub(super) launcher: Option<Launcher>,
    pub(super) long_wait: LongWait,
    pub(super) state: CoordinatorState,
}

#[derive(Default)]
pub(super) struct CoordinatorState {
    /// The items that were found and have no task yet.
    backlog: VecDeque<(ItemId, Arc<Item>)>,
    is_planned: bool,
    is_cancelled: bool,
    /// Whether the system refused a thread, and no item has ended since.
    waits_for_thread: bool,
    /// The time until the thread is asked for again if no item runs.
    asks_again_after: Duration,
    /// The threads that were refused while nothing ran.
    refusals: Refusals,
    ended: EndedItems,
}

/// Whether any item ended in these ways.
#[derive(Default)]
struct EndedItems {
    failed: bool,
    cancelled: bool,
}

impl Coordinator {
    /// Works until every item has ended. Unwinds as cancelled when an item or the planning was.
    pub(super) fn run(mut self, context: &Context) -> JobOutcome {
        while !self.is_done() {
            self.handle_next();
            self.spread_waiting();
            while self.has_room()
                && let Some((id, item)) = self.state.backlog.pop_front()
            {
                self.begin_next(id, item);
            }
        }
        self.executor.shutdown();
        let plan = self.planner.poll();
        let is_plan_cancelled =
            matches!(plan, Some(Ok(Err(Cancelled)) | Err(JoinError::Cancelled)));
        if is_plan_cancelled || self.state.ended.cancelled {
            context.checkpoint();
        }
        match plan {
            Some(Err(JoinError::Panicked(report))) => JobOutcome::PlanPanicked(report),
            _ if self.state.ended.failed => JobOutcome::Failed,
            _ => JobOutcome::Returned,
        }
    }

    fn is_done(&self) -> bool {
        self.state.is_planned && self.state.backlog.is_empty() && self.in_flight().is_empty()
    }

    fn has_room(&self) -> bool {
        let has_room = || self.in_flight().len() < self.executor.capacity(&self.spec);
        self.state.is_cancelled || (!self.state.waits_for_thread && has_room())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where a job waits; every end and a cancel arrive in the inbox"
    )]
    fn handle_next(&mut self) {
        let next = if self.state.waits_for_thread && self.in_flight().is_empty() {
            self.inbox.recv_timeout(self.state.asks_again_after)
        } else {
            self.inbox.recv().map_err(RecvTimeoutError::from)
        };
        match next {
            Ok(CoordinatorMessage::DidFind(id, item)) => {
                self.state.backlog.push_back((id, item));
            }
            Ok(CoordinatorMessage::PlanDidEnd) => self.end_plan(),
            Ok(CoordinatorMessage::ItemDidEnd(id)) => self.end_item(id),
            Ok(CoordinatorMessage::Cancel) | Err(RecvTimeoutError::Disconnected) => self.cancel(),
            Err(RecvTimeoutError::Timeout) => self.state.waits_for_thread = false,
        }
    }

    fn end_plan(&mut self) {
        self.state.is_planned = true;
        self.publish(EventKind::PlanDidFinish);
    }

    fn cancel(&mut self) {
        self.state.is_cancelled = true;
        self.planner.cancel();
        // Newest first: a worker that becomes free must not find a queued task that can still begin.
        for flight in self.in_flight().values().rev() {
            flight.task.cancel();
        }
    }

    /// Gives an item a task, alone or with those behind it, or ends it where there is nothing to run.
    fn begin_next(&mut self, id: ItemId, item: Arc<Item>) {
        let count = self.batch_len();
        if count < 2 || !self.may_share(&item) {
            return self.begin_item(id, item);
        }
        let mut items = vec![(id, item)];
        while items.len() < count
            && let Some((_, next)) = self.state.backlog.front()
            && self.may_share(next)
        {
            items.extend(self.state.backlog.pop_front());
        }
        self.begin_batch(items);
    }

    /// Whether an item may share a task.
    fn may_share(&self, item: &Item) -> bool {
        let has_task = self.executor.is_pool() && !self.state.is_cancelled;
        let is_run = !matches!(item.step, Step::Fail(_));
        has_task && is_run && self.spec.options.job().is_short(item)
    }

    /// The number of items that may share a task now: few while there are few, so that all workers have
    /// some.
    fn batch_len(&self) -> usize {
        let workers = self.spec.workers.max(1);
        let share = self.state.backlog.len() / workers.saturating_mul(2);
        share.min(batch::MAX_ITEMS)
    }

    fn begin_batch(&mut self, items: Vec<(ItemId, Arc<Item>)>) {
        let (id, item) = items[0].clone();
        let name = format!("{} and {} more", self.task_name(&item), items.len() - 1);
        let batch = Arc::new(Batch::new(items));
        let thread = Arc::new(TaskThread::default());
        let spawned = {
            let thread = Arc::clone(&thread);
            let (batch, spec) = (Arc::clone(&batch), Arc::clone(&self.spec));
            let (events, long_wait) = (self.events.clone(), self.long_wait.clone());
            self.executor.spawn(name, move |context| {
                thread.enter();
                batch.run(spec.options.job(), &events, &long_wait, context)
            })
        };
        match spawned {
            Ok(task) => {
                self.state.refusals = Refusals::default();
                self.backpressure.release(batch.items().len());
                self.track(id, &item, &task, thread, Some(batch));
            }
            Err(error) => {
                for item in batch.items()[1..].iter().rev() {
                    self.state.backlog.push_front(item.clone());
                }
                self.put_back(id, item, &error);
            }
        }
    }

    /// Gives an item its task, or ends it where there is nothing to run.
    fn begin_item(&mut self, id: ItemId, item: Arc<Item>) {
        if self.state.is_cancelled {
            self.publish_end(id, ItemState::Cancelled);
        } else if let Step::Fail(error) = &item.step {
            self.publish_end(id, ItemState::Failed(error.clone()));
        } else if let Executor::Unavailable(error) = &self.executor {
            self.publish_end(id, ItemState::Failed(error.clone()));
        } else {
            let thread = Arc::new(TaskThread::default());
            match self.spawn(id, &item, Arc::clone(&thread)) {
                Ok(task) => {
                    self.state.refusals = Refusals::default();
                    self.track(id, &item, &task, thread, None);
                }
                Err(error) => return self.put_back(id, item, &error),
            }
        }
        self.backpressure.release(1);
    }

    fn track(
        &self,
        id: ItemId,
        item: &Arc<Item>,
        task: &ItemTask,
        thread: Arc<TaskThread>,
        batch: Option<Arc<Batch>>,
    ) {
        let flight = InFlight {
            item: Arc::clone(item),
            batch,
            thread,
            task: task.clone(),
            published: (0, item.bytes),
        };
        self.in_flight().insert(id, flight);
        let inbox = self.control.inbox().clone();
        task.on_finish(move || send(&inbox, CoordinatorMessage::ItemDidEnd(id)));
    }

    /// Puts an item back whose thread the system refused, until another item ends. If no other item
    /// runs, it is retried for a while and then fails; the items after it get one attempt each.
    fn put_back(&mut self, id: ItemId, item: Arc<Item>, error: &SpawnError) {
        if self.in_flight().is_empty() && room::is_empty() {
            let Some(attempt) = self.state.refusals.next(Shortage::Processes) else {
                self.backpressure.release(1);
                let refusal = ItemError::new("no_thread", error.to_string());
                let error = retry::without_room(refusal);
                return self.publish_end(id, ItemState::Failed(error));
            };
            self.state.asks_again_after = attempt.after;
            if attempt.is_long {
                self.long_wait.note();
            }
        } else {
            // Those that run may be of another job.
            self.state.asks_again_after = retry::MAX_INTERVAL;
        }
        self.state.waits_for_thread = true;
        self.state.backlog.push_front((id, item));
    }

    fn spawn(
        &self,
        id: ItemId,
        item: &Arc<Item>,
        on: Arc<TaskThread>,
    ) -> Result<ItemTask, SpawnError> {
        let (spec, events) = (Arc::clone(&self.spec), self.events.clone());
        let item = Arc::clone(item);
        let name = self.task_name(&item);
        let workers = self.executor.workers();
        let workers = workers.map(|workers| (Arc::clone(workers), name.clone()));
        let observer = self.observer(id);
        let long_wait = self.long_wait.clone();
        self.executor.spawn(name, move |context| {
            on.enter();
            let thread = own_thread_number();
            events.publish(EventKind::ItemDidStart { item: id, thread });
            let run = || {
                if let Some((workers, name)) = &workers {
                    return workers.run(name, &item, context, &observer);
                }
                let job = spec.options.job();
                job.run_item_on(&item, context, &observer).into()
            };
            let waits = || long_wait.note();
            let ended = room::run(context, run, ItemOutcome::shortage, waits);
            match ended.unwrap_or(ItemOutcome::Cancelled) {
                ItemOutcome::Failed(error) => ItemOutcome::Failed(retry::without_room(error)),
                ended => ended,
            }
        })
    }

    fn task_name(&self, item: &Item) -> String {
        format!("{} {}", self.name, short_name(&item.input))
    }

    #[cfg(unix)]
    fn observer(&self, item: ItemId) -> ItemObserver {
        ItemObserver {
            item,
            priority: self.spec.priority,
            events: self.events.clone(),
            processes: Arc::clone(&self.control.processes),
            output: self.output.clone(),
            launcher: self.launcher.clone(),
            long_wait: self.long_wait.clone(),
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "as where there are processes to see")]
    fn observer(&self, _item: ItemId) {}

    /// Publishes how the task of an item ended, and drops the task.
    fn end_item(&mut self, id: ItemId) {
        self.state.waits_for_thread = false;
        let Some(flight) = self.in_flight().remove(&id) else {
            return;
        };
        let Some(outcome) = flight.task.poll() else {
            return;
        };
        if let Some(batch) = &flight.batch {
            return self.end_batch(batch, outcome.as_ref().err());
        }
        self.publish_size(id, &flight);
        let key = PanicKey::Item(id);
        let state = match outcome {
            Ok(ItemOutcome::Returned(output)) => ItemState::Returned(output.clone()),
            Ok(ItemOutcome::Failed(error)) => ItemState::Failed(error.clone()),
            Ok(ItemOutcome::Panicked(panic, backtrace)) => {
                self.panicked(&flight.item, Arc::clone(panic), || {
                    let backtrace = KeptBacktrace::Resolved(Arc::clone(backtrace));
                    self.control.keep_backtrace(key, backtrace);
                })
            }
            Ok(ItemOutcome::Crashed(crash)) => ItemState::Crashed(Arc::clone(crash)),
            Err(JoinError::Panicked(report)) => {
                self.panicked(&flight.item, Arc::new(Panic::from(&*report)), || {
                    self.control.keep_panic(key, &report);
                })
            }
            Ok(ItemOutcome::IgnoredCancel(within)) => {
                let within = *within;
                self.publish(EventKind::ItemDidIgnoreCancel { item: id, within });
                ItemState::Cancelled
            }
            Ok(ItemOutcome::Cancelled | ItemOutcome::Published) | Err(_) => ItemState::Cancelled,
        };
        self.publish_end(id, state);
    }

    /// While a worker has nothing to do, takes the items that wait in the tasks of others.
    fn spread_waiting(&mut self) {
        let is_busy = |it: &Self| it.in_flight().len() >= it.spec.workers.max(1);
        if self.state.is_cancelled || !self.state.backlog.is_empty() || is_busy(self) {
            return;
        }
        let batches: Vec<_> = {
            let in_flight = self.in_flight();
            let newest_first = in_flight.values().rev();
            newest_first.filter_map(|it| it.batch.clone()).collect()
        };
        for batch in batches {
            self.take_back(batch.take_waiting());
        }
    }

    /// Puts items that have not begun in front of all that have no task.
    fn take_back(&mut self, items: &[(ItemId, Arc<Item>)]) {
        self.backpressure.take_back(items.len());
        for item in items.iter().rev() {
            self.state.backlog.push_front(item.clone());
        }
    }

    /// Ends the items whose end the task of a batch has not published. After a panic, those behind the
    /// item that panicked get another task.
    fn end_batch(&mut self, batch: &Batch, error: Option<&JoinError>) {
        let (failed, cancelled) = batch.ends();
        self.state.ended.failed |= failed;
        self.state.ended.cancelled |= cancelled;
        let rest = batch.rest();
        if let (Some(JoinError::Panicked(report)), [(id, item), others @ ..]) = (error, rest) {
            let panic = Panic {
                task: self.task_name(item),
                ..Panic::from(&**report)
            };
            let state = self.panicked(item, Arc::new(panic), || {
                self.control.keep_panic(PanicKey::Item(*id), report);
            });
            self.publish_end(*id, state);
            self.take_back(others);
            return;
        }
        for (id, _) in rest {
            self.publish_end(*id, ItemState::Cancelled);
        }
    }

    /// How an item that panicked ended: as its job explains it, or with the panic, which is then kept.
    fn panicked(&self, item: &Item, panic: Arc<Panic>, keep: impl FnOnce()) -> ItemState {
        let job = self.spec.options.job();
        if let Some(place) = &panic.location
            && let Some(error) = job.error_of_panic(item, place)
        {
            let (message, thread) = (&panic.message, &panic.thread);
            let details = format!("panicked at {place}:\n{message}\nthread: {thread}");
            return ItemState::Failed(ItemError {
                details: Some(details),
                ..error
            });
        }
        keep();
        ItemState::Panicked(panic)
    }

    /// Publishes a total that the item found out while it ran, unless a poll has seen it.
    fn publish_size(&self, item: ItemId, flight: &InFlight) {
        let Progress { done, total, .. } = flight.task.progress();
        if total > 0 && total != flight.published.1 {
            self.publish(EventKind::ItemDidProgress { item, done, total });
        }
    }

    fn publish_end(&mut self, item: ItemId, state: ItemState) {
        self.state.ended.failed |= state.is_failure();
        self.state.ended.cancelled |= state == ItemState::Cancelled;
        self.publish(EventKind::ItemDidFinish { item, state });
    }

    fn publish(&self, kind: EventKind) {
        self.events.publish(kind);
    }

    fn in_flight(&self) -> MutexGuard<'_, BTreeMap<ItemId, InFlight>> {
        self.control.in_flight()
    }
}

/// The last part of a path, which tells the tasks of a job apart.
fn short_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}
