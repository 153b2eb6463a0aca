//! One job at work: a planner that finds items, and a coordinator that gives each a task of its
//! own.
//!
//! Both are tasks themselves. Everything the coordinator learns comes through one inbox: items
//! that were found, items that ended, the end of planning, a cancel. So it waits in one place only
//! and nothing in it races. The planner may be ahead of the workers by [`PLANNED_AHEAD`] items;
//! that is enough to know early how much work there is, and keeps a tree of any size in bounded
//! memory. Of those items only a few beyond the workers are tasks at any time.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::ahead::Ahead;
use super::feed::Feed;
use super::isolated::Isolation;
use super::lane::Lane;
#[cfg(unix)]
use super::live::{ItemHost, Live};
use crate::jobs::{Item, ItemError, JobSpec, Output, RunOn, Step};
use crate::join::{self, Context, JoinError, PanicReport, Progress, SpawnError, Task};
use crate::record::{Crash, EventKind, ItemId, ItemState, JobId, Panic, PanicKey};

/// How many items may be found and not yet handed to a worker.
const PLANNED_AHEAD: usize = 1 << 16;

/// How many panics of a job keep their backtrace, which is several kilobytes.
const KEPT_PANICS: usize = 256;

/// How often an item is tried whose thread the system refuses while nothing runs, and how long it is
/// left alone in between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);

pub(super) type ItemTask = Task<Outcome>;

/// How the task of an item ended that was not cancelled here and did not panic here.
#[cfg_attr(
    not(unix),
    expect(dead_code, reason = "there are no isolated workers there")
)]
pub(super) enum Outcome {
    Returned(Output),
    Failed(ItemError),
    /// It panicked in a worker, which has sent the backtrace along.
    Panicked(Arc<Panic>, Arc<str>),
    Crashed(Arc<Crash>),
    /// It was cancelled in a worker, or with it.
    Cancelled,
    /// It was cancelled with its worker, because it did not react for so long.
    Deaf(Duration),
}

impl From<Result<Output, ItemError>> for Outcome {
    fn from(result: Result<Output, ItemError>) -> Self {
        result.map_or_else(Self::Failed, Self::Returned)
    }
}

/// A backtrace that nobody has asked for yet.
#[derive(Clone)]
pub(super) enum KeptBacktrace {
    /// To be resolved, which takes its time.
    Captured(Arc<PanicReport>),
    /// Resolved where the panic was.
    Resolved(Arc<str>),
}

/// How a job ended that was not cancelled.
#[derive(Debug)]
pub(super) enum Ended {
    /// Every item returned.
    Returned,
    /// Some item failed, panicked or crashed.
    Failed,
    /// Planning panicked; the items found before that were done.
    PlanPanicked(Arc<PanicReport>),
}

/// What the board and the coordinator of a job share.
pub(super) struct Control {
    inbox: Sender<Message>,
    in_flight: Mutex<BTreeMap<ItemId, Flight>>,
    backtraces: Mutex<BTreeMap<PanicKey, KeptBacktrace>>,
    /// Whether isolated workers that are cancelled get no grace any more.
    hurry: Arc<AtomicBool>,
    run_on: RunOn,
    #[cfg(unix)]
    pub(super) live: Arc<Live>,
}

struct Flight {
    task: ItemTask,
    /// Done and total as last told.
    told: (u64, u64),
}

enum Message {
    DidFind(ItemId, Item),
    PlanDidEnd,
    ItemDidEnd(ItemId),
    Stop,
}

/// Starts a job: its pool, if it wants one, its planner and its coordinator.
///
/// # Errors
/// The system refused a thread; then nothing of the job runs on.
#[expect(
    clippy::disallowed_methods,
    reason = "the inbox is bounded by what it carries: the items planned ahead and those in flight"
)]
pub(super) fn start(
    id: JobId,
    spec: &Arc<JobSpec>,
    feed: &Feed,
    isolation: &Isolation,
) -> Result<(Task<Ended>, Arc<Control>), SpawnError> {
    let name = format!("{} {id}", spec.options.job().id());
    let (sender, inbox) = crossbeam_channel::unbounded();
    let control = Arc::new(Control {
        inbox: sender.clone(),
        in_flight: Mutex::default(),
        backtraces: Mutex::default(),
        hurry: Arc::default(),
        run_on: spec.run_on,
        #[cfg(unix)]
        live: Arc::default(),
    });
    let ahead = Arc::new(Ahead::new(PLANNED_AHEAD));
    let lane = Lane::new(&name, spec, isolation, &control.hurry)?;
    let planner = Planner {
        job: id,
        spec: Arc::clone(spec),
        feed: feed.clone(),
        ahead: Arc::clone(&ahead),
        inbox: sender.clone(),
    };
    let planner = join::Builder::new(format!("{name} plan"))
        .priority(spec.priority.into())
        .spawn(move |context| planner.run(context))?;
    planner.on_finish(move || tell(&sender, Message::PlanDidEnd));

    let coordinator = Coordinator {
        job: id,
        name: name.clone(),
        spec: Arc::clone(spec),
        feed: feed.clone(),
        control: Arc::clone(&control),
        inbox,
        lane,
        ahead,
        planner: planner.clone(),
        backlog: VecDeque::new(),
        planned: false,
        crowded: false,
        refusals: 0,
        stopped: false,
        seen: Seen::default(),
    };
    match join::Builder::new(name).spawn(move |context| coordinator.run(context)) {
        Ok(task) => Ok((task, control)),
        Err(error) => {
            planner.cancel();
            Err(error)
        }
    }
}

impl Control {
    /// Asks the coordinator to cancel everything that has not ended.
    pub(super) fn stop(&self) {
        tell(&self.inbox, Message::Stop);
    }

    /// Hands every item that came further since the last call to `told`, and returns how many
    /// items run.
    ///
    /// Should the coordinator be at the table just now, nothing is told: the next poll will, and
    /// the window never waits.
    pub(super) fn progress(&self, told: &mut dyn FnMut(ItemId, u64, u64)) -> Option<usize> {
        let mut in_flight = self.in_flight.try_lock().ok()?;
        let mut running = 0;
        for (&item, flight) in in_flight.iter_mut() {
            if flight.task.state() != join::TaskState::Running {
                continue;
            }
            running += 1;
            let progress = flight.task.progress();
            let now = (progress.done, progress.total);
            if now != flight.told {
                flight.told = now;
                told(item, progress.done, progress.total);
            }
        }
        Some(running)
    }

    /// How many processes run for the items: commands, and isolated workers that have one.
    #[cfg(unix)]
    pub(super) fn processes(&self) -> usize {
        self.live.count()
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "as where there are processes to count")]
    pub(super) fn processes(&self) -> usize {
        0
    }

    /// Whether the items run in isolated workers.
    pub(super) fn is_isolated(&self) -> bool {
        self.run_on == RunOn::Process
    }

    /// Stops isolated workers that were cancelled and go on, without the rest of their grace.
    pub(super) fn hurry(&self) {
        self.hurry.store(true, Ordering::Relaxed);
    }

    /// The backtrace of a panic, where it was kept.
    pub(super) fn backtrace(&self, key: PanicKey) -> Option<KeptBacktrace> {
        lock(&self.backtraces).get(&key).cloned()
    }

    /// Keeps the report of a panic for its backtrace, unless there are too many, and returns it as
    /// plain data.
    pub(super) fn keep_panic(&self, key: PanicKey, report: &Arc<PanicReport>) -> Arc<Panic> {
        self.keep_backtrace(key, KeptBacktrace::Captured(Arc::clone(report)));
        Arc::new(Panic::from(&**report))
    }

    fn keep_backtrace(&self, key: PanicKey, backtrace: KeptBacktrace) {
        let mut backtraces = lock(&self.backtraces);
        if key == PanicKey::Job || backtraces.len() < KEPT_PANICS {
            backtraces.insert(key, backtrace);
        }
    }
}

/// Why the backtrace of a panic may be missing, for the person who asks for it.
pub(super) fn missing_backtrace() -> String {
    format!("This backtrace was not kept: a job keeps those of its first {KEPT_PANICS} panics.")
}

struct Planner {
    job: JobId,
    spec: Arc<JobSpec>,
    feed: Feed,
    ahead: Arc<Ahead>,
    inbox: Sender<Message>,
}

impl Planner {
    fn run(&self, context: &Context) {
        let mut count = 0;
        let job = self.spec.options.job();
        job.plan(&self.spec.inputs, context, &mut |item| {
            self.ahead.enter(context);
            let id = ItemId(count);
            count += 1;
            let appeared = EventKind::ItemDidAppear { item: item.clone() };
            self.feed.publish(self.job, appeared);
            tell(&self.inbox, Message::DidFind(id, item));
        });
    }
}

struct Coordinator {
    job: JobId,
    name: String,
    spec: Arc<JobSpec>,
    feed: Feed,
    control: Arc<Control>,
    inbox: Receiver<Message>,
    lane: Lane,
    ahead: Arc<Ahead>,
    planner: Task<()>,
    backlog: VecDeque<(ItemId, Arc<Item>)>,
    planned: bool,
    crowded: bool,
    /// How often in a row a thread was refused while nothing ran.
    refusals: u32,
    stopped: bool,
    seen: Seen,
}

/// What has happened to some item.
#[derive(Default)]
struct Seen {
    failure: bool,
    cancel: bool,
}

impl Coordinator {
    /// Works until every item has ended. A job of which anything was cancelled unwinds into
    /// `Cancelled`.
    fn run(mut self, context: &Context) -> Ended {
        while !self.is_through() {
            self.handle_next();
            while self.has_room()
                && let Some((id, item)) = self.backlog.pop_front()
            {
                self.begin_item(id, item);
            }
        }
        self.lane.close();
        let plan = self.planner.poll();
        if matches!(plan, Some(Err(JoinError::Cancelled))) || self.seen.cancel {
            context.checkpoint();
        }
        match plan {
            Some(Err(JoinError::Panicked(report))) => Ended::PlanPanicked(report),
            _ if self.seen.failure => Ended::Failed,
            _ => Ended::Returned,
        }
    }

    fn is_through(&self) -> bool {
        self.planned && self.backlog.is_empty() && self.in_flight().is_empty()
    }

    fn has_room(&self) -> bool {
        self.stopped || (!self.crowded && self.in_flight().len() < self.lane.capacity(&self.spec))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where a job waits; every end and a cancel comes through the inbox"
    )]
    fn handle_next(&mut self) {
        let next = if self.crowded && self.in_flight().is_empty() {
            self.inbox.recv_timeout(PAUSE)
        } else {
            self.inbox.recv().map_err(RecvTimeoutError::from)
        };
        match next {
            Ok(Message::DidFind(id, item)) => self.backlog.push_back((id, Arc::new(item))),
            Ok(Message::PlanDidEnd) => self.end_plan(),
            Ok(Message::ItemDidEnd(id)) => self.end_item(id),
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => self.stop(),
            Err(RecvTimeoutError::Timeout) => self.crowded = false,
        }
    }

    fn end_plan(&mut self) {
        self.planned = true;
        self.publish(EventKind::PlanDidFinish);
    }

    fn stop(&mut self) {
        self.stopped = true;
        self.planner.cancel();
        // Newest first, so that no worker that stops finds a task in the queue that still may begin.
        for flight in self.in_flight().values().rev() {
            flight.task.cancel();
        }
    }

    /// Gives an item its task, or ends it where there is nothing to run.
    fn begin_item(&mut self, id: ItemId, item: Arc<Item>) {
        if self.stopped {
            self.publish_end(id, ItemState::Cancelled);
        } else if let Step::Fail(error) = &item.step {
            self.publish_end(id, ItemState::Failed(error.clone()));
        } else if let Lane::Nowhere(error) = &self.lane {
            self.publish_end(id, ItemState::Failed(error.clone()));
        } else {
            match self.spawn(id, &item) {
                Ok(task) => {
                    self.refusals = 0;
                    self.watch(id, &item, &task);
                }
                Err(error) => return self.put_back(id, item, &error),
            }
        }
        self.ahead.leave();
    }

    fn watch(&self, id: ItemId, item: &Item, task: &ItemTask) {
        let flight = Flight {
            task: task.clone(),
            told: (0, item.bytes),
        };
        self.in_flight().insert(id, flight);
        let inbox = self.control.inbox.clone();
        task.on_finish(move || tell(&inbox, Message::ItemDidEnd(id)));
    }

    /// The system refused a thread: the item waits until another one gives its thread back. If there
    /// is no other it is tried a few times more, because what is short may be in somebody else's
    /// hands for a moment, and fails then; those behind it are tried once.
    fn put_back(&mut self, id: ItemId, item: Arc<Item>, error: &SpawnError) {
        let is_alone = self.in_flight().is_empty();
        if is_alone {
            self.refusals = (self.refusals + 1).min(TRIES);
        }
        if is_alone && self.refusals == TRIES {
            self.ahead.leave();
            self.publish_end(id, ItemState::Failed(refused(error)));
        } else {
            self.crowded = true;
            self.backlog.push_front((id, item));
        }
    }

    fn spawn(&self, id: ItemId, item: &Arc<Item>) -> Result<ItemTask, SpawnError> {
        let (job, spec, feed) = (self.job, Arc::clone(&self.spec), self.feed.clone());
        let item = Arc::clone(item);
        let name = format!("{} {}", self.name, short_name(&item.input));
        let lent = self.lane.crew().map(|crew| (crew.clone(), name.clone()));
        let host = self.host(id);
        self.lane.spawn(name, move |context| {
            feed.publish(job, EventKind::ItemDidStart { item: id });
            if let Some((crew, name)) = lent {
                return crew.run(&name, &item, context, &host);
            }
            let job = spec.options.job();
            job.run_item_on(&item, context, &host).into()
        })
    }

    #[cfg(unix)]
    fn host(&self, item: ItemId) -> ItemHost {
        ItemHost {
            job: self.job,
            item,
            priority: self.spec.priority,
            feed: self.feed.clone(),
            live: Arc::clone(&self.control.live),
        }
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "as where there are processes to see")]
    fn host(&self, _item: ItemId) {}

    /// Tells how the task of an item ended, and forgets the task.
    fn end_item(&mut self, id: ItemId) {
        self.crowded = false;
        let Some(flight) = self.in_flight().remove(&id) else {
            return;
        };
        let Some(outcome) = flight.task.poll() else {
            return;
        };
        self.publish_size(id, &flight);
        let state = match outcome {
            Ok(Outcome::Returned(output)) => ItemState::Returned(output.clone()),
            Ok(Outcome::Failed(error)) => ItemState::Failed(error.clone()),
            Ok(Outcome::Panicked(panic, backtrace)) => {
                let backtrace = KeptBacktrace::Resolved(Arc::clone(backtrace));
                let key = PanicKey::Item(id);
                self.control.keep_backtrace(key, backtrace);
                ItemState::Panicked(Arc::clone(panic))
            }
            Ok(Outcome::Crashed(crash)) => ItemState::Crashed(Arc::clone(crash)),
            Err(JoinError::Panicked(report)) => {
                ItemState::Panicked(self.control.keep_panic(PanicKey::Item(id), &report))
            }
            Ok(Outcome::Deaf(within)) => {
                let within = *within;
                self.publish(EventKind::ItemDidIgnoreCancel { item: id, within });
                ItemState::Cancelled
            }
            Ok(Outcome::Cancelled) | Err(_) => ItemState::Cancelled,
        };
        self.publish_end(id, state);
    }

    /// Tells the size of an item that came to know it while it ran, if nobody has looked since.
    fn publish_size(&self, item: ItemId, flight: &Flight) {
        let Progress { done, total, .. } = flight.task.progress();
        if total > 0 && total != flight.told.1 {
            self.publish(EventKind::ItemDidProgress { item, done, total });
        }
    }

    fn publish_end(&mut self, item: ItemId, state: ItemState) {
        self.seen.failure |= state.is_failure();
        self.seen.cancel |= state == ItemState::Cancelled;
        self.publish(EventKind::ItemDidFinish { item, state });
    }

    fn publish(&self, kind: EventKind) {
        self.feed.publish(self.job, kind);
    }

    fn in_flight(&self) -> MutexGuard<'_, BTreeMap<ItemId, Flight>> {
        lock(&self.control.in_flight)
    }
}

fn tell(inbox: &Sender<Message>, message: Message) {
    // A coordinator that has gone has nothing left to be told.
    let _gone = inbox.send(message);
}

fn refused(error: &SpawnError) -> ItemError {
    ItemError {
        kind: "no_thread".to_owned(),
        message: error.to_string(),
    }
}

/// The last part of a path: what tells tasks of one job apart.
fn short_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

/// Locks what no panic leaves half-changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
