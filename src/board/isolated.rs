//! Isolated workers: an item runs in a process of its own, whose death costs that item alone.
//!
//! A job has a [`Crew`]: as many workers at most as it has threads, each started when an item finds
//! none idle. The thread that has an item lends it to a worker and stays with it until it ends:
//! it hands progress up and a cancel down, and it is the one who sees when the worker dies, breaks
//! the protocol or does not mind the cancel. Then the worker is stopped with all it has started,
//! and the next item gets a new one.
//!
//! [`protocol`] is what both sides say, [`talk`] is this side and [`worker`] the other one. [`staff`]
//! says who gets a worker when.

mod line;
mod protocol;
mod staff;
mod talk;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use self::line::Line;
use self::protocol::{Down, End, ProtocolError, RawItem, VERSION, encode};
use self::staff::Staff;
use self::talk::{Lost, Talk};
use self::worker::ARGUMENT;
pub use self::worker::run_as_worker;
use super::live::ItemHost;
use super::run::Outcome;
use crate::jobs::{Item, ItemError, JobSpec};
use crate::join::Context;
use crate::join::process::{self, LaunchOptions, Launcher, Process, Stream};

/// How long a worker and what it has started have to end by themselves once they are to be stopped.
const STOP_GRACE: Duration = Duration::from_millis(200);

/// How long a new worker has to report. On a busy machine it yields to everybody.
const HELLO_PATIENCE: Duration = Duration::from_secs(30);

/// How long workers have to end by themselves once there is no more to do.
const END_PATIENCE: Duration = Duration::from_secs(1);

/// How much of a worker's standard error is kept, in bytes, and how many lines of it are shown.
const KEPT_STDERR: usize = 16 * 1024;
const SHOWN_LINES: usize = 20;

/// How often an item may get a worker that dies before it reports.
const ATTEMPTS: u32 = 2;

/// Who can start workers.
#[derive(Clone)]
pub(super) struct Isolation(Option<Launcher>);

impl Isolation {
    /// Workers are the program itself, where its `main` has installed a launcher.
    pub(super) fn of_this_program() -> Self {
        Self(Launcher::installed())
    }

    pub(super) fn through(launcher: Launcher) -> Self {
        Self(Some(launcher))
    }

    /// The workers of a job, of which none is started yet. What is set to true in `hurry` makes
    /// them mind a cancel at once.
    ///
    /// # Errors
    /// Why no item of the job can run.
    pub(super) fn crew(
        &self,
        name: &str,
        spec: &JobSpec,
        hurry: Arc<AtomicBool>,
    ) -> Result<Crew, ItemError> {
        let launcher = self.0.clone().ok_or_else(no_launcher)?;
        Ok(Crew {
            launcher,
            limits: LaunchOptions {
                priority: spec.priority.into(),
                address_space_bytes: spec.options.job().address_space_limit(),
                ..LaunchOptions::default()
            },
            name: name.to_owned(),
            greeting: greeting(spec).map_err(|error| no_worker(&error.to_string()))?,
            staff: Staff::default(),
            orders: AtomicU64::new(0),
            started: AtomicU64::new(0),
            hurry,
        })
    }
}

/// The workers of one job.
pub(super) struct Crew {
    launcher: Launcher,
    limits: LaunchOptions,
    name: String,
    /// What every worker is told first.
    greeting: Vec<u8>,
    staff: Staff,
    orders: AtomicU64,
    started: AtomicU64,
    hurry: Arc<AtomicBool>,
}

impl Crew {
    /// Does an item on a worker, and waits for its end.
    pub(super) fn run(
        &self,
        task: &str,
        item: &Item,
        context: &Context,
        host: &ItemHost,
    ) -> Outcome {
        let number = next(&self.orders);
        let order = match order(number, task, item) {
            Ok(order) => order,
            Err(error) => return Outcome::Failed(no_worker(&error.to_string())),
        };
        let mut attempts = 0;
        loop {
            let mut lent = match self.staff.lend(|| self.start(), context) {
                Ok(Some(lent)) => lent,
                Ok(None) => return Outcome::Cancelled,
                Err(error) => return Outcome::Failed(no_worker(&error.to_string())),
            };
            let lending = host.lend(&lent.worker.process.0);
            let talk = Talk::new(number, context, &self.hurry);
            let end = talk.about(&order, &mut lent.worker);
            drop(lending);
            match end {
                Ok(end) => {
                    lent.give_back();
                    return outcome(end, context);
                }
                Err(Lost::Cancelled) => return Outcome::Cancelled,
                Err(Lost::Deaf(within)) => return Outcome::Deaf(within),
                Err(Lost::Crashed(crash)) => return Outcome::Crashed(Arc::new(crash)),
                // One that died while it was idle says nothing about the item.
                Err(Lost::Unbegun(_)) if !lent.is_new => {}
                Err(Lost::Unbegun(why)) => {
                    attempts += 1;
                    if attempts == ATTEMPTS {
                        return Outcome::Failed(no_worker(&why));
                    }
                }
            }
        }
    }

    /// Lets all workers go and waits until they are gone. No item may run.
    pub(super) fn dismiss(&self) {
        let workers = self.staff.take_idle();
        // With its orders at an end a worker ends by itself; all at once, before the first wait.
        let owned: Vec<Owned> = workers.into_iter().map(|worker| worker.process).collect();
        let deadline = Instant::now() + END_PATIENCE;
        for process in owned {
            let left = deadline.saturating_duration_since(Instant::now());
            // One that stays is stopped when it is dropped.
            drop(process.0.join_timeout(left));
        }
    }

    fn start(&self) -> Result<Worker, process::SpawnError> {
        let process = self
            .launcher
            .itself(self.limits.clone())
            .arg(ARGUMENT)
            .name(format!("{} worker {}", self.name, next(&self.started)))
            .stdin_piped()
            .stdout_piped()
            .output_limit(KEPT_STDERR)
            .daemon(true)
            .spawn()?;
        let line = Line::to(&process, &self.greeting);
        Ok(Worker {
            process: Owned(process),
            line,
            started_at: Instant::now(),
            has_reported: false,
            printed_before: 0,
        })
    }
}

struct Worker {
    process: Owned,
    line: Line,
    started_at: Instant,
    has_reported: bool,
    /// How much it had printed on standard error when it got its item, in bytes.
    printed_before: u64,
}

/// A process that is stopped with all it has started when nobody wants it any more.
struct Owned(Process);

impl Drop for Owned {
    fn drop(&mut self) {
        if self.0.is_alive() {
            let _who_escapes_ends_with_the_program = self.0.stop(STOP_GRACE);
        }
    }
}

impl Worker {
    /// What it has printed so far has nothing to do with the next item.
    fn turn_page(&mut self) {
        self.printed_before = self.process.0.written(Stream::Stderr);
    }

    /// Gives up on a new worker that takes too long to report.
    fn mind_silence(&self) -> Result<(), Lost> {
        if self.has_reported || self.started_at.elapsed() < HELLO_PATIENCE {
            return Ok(());
        }
        let secs = HELLO_PATIENCE.as_secs();
        Err(Lost::Unbegun(format!("it did not report within {secs} s")))
    }

    /// The last lines that it has printed on standard error since it got its item.
    fn last_words(&self) -> String {
        let printed = self
            .process
            .0
            .output_since(Stream::Stderr, self.printed_before);
        let lines = printed.last_lines(SHOWN_LINES);
        lines.trim_start_matches(['\n', '\r']).to_owned()
    }
}

/// Counts up from 1.
fn next(count: &AtomicU64) -> u64 {
    count.fetch_add(1, Ordering::Relaxed) + 1
}

fn greeting(spec: &JobSpec) -> Result<Vec<u8>, ProtocolError> {
    let mut greeting = encode(&Down::Hello { version: VERSION })?;
    greeting.extend(encode(&Down::Options(spec.options.clone()))?);
    Ok(greeting)
}

fn order(number: u64, task: &str, item: &Item) -> Result<Vec<u8>, ProtocolError> {
    encode(&Down::Run {
        number,
        task: task.to_owned(),
        item: RawItem::from(item),
    })
}

fn outcome(end: End, context: &Context) -> Outcome {
    match end {
        End::Returned(output) => Outcome::Returned(output),
        End::Failed(error) => Outcome::Failed(error),
        End::Panicked {
            mut panic,
            backtrace,
        } => {
            // A number of the worker's own would mean another task here.
            panic.task_id = context.task_id().get();
            Outcome::Panicked(Arc::new(panic), backtrace.into())
        }
        End::Cancelled => Outcome::Cancelled,
    }
}

fn no_launcher() -> ItemError {
    no_worker("this program has not installed the launcher that starts them; run it on the pool")
}

fn no_worker(why: &str) -> ItemError {
    ItemError {
        kind: "no_worker".to_owned(),
        message: format!("no isolated worker could take this item: {why}"),
    }
}
