use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::lease::Leases;
use super::protocol::{ProtocolError, RawItem, ReportedOutcome, ToWorker, VERSION, encode};
use super::session::{ItemSession, WorkerLoss};
use super::worker::Worker;
use crate::board::item::ItemOutcome;
use crate::board::process_table::ItemObserver;
use crate::jobs::{Item, ItemError, JobSpec};
use crate::join::process::{LaunchOptions, Launcher, SpawnError};
use crate::join::{CancelToken, Context};

/// The number of new workers in a row that may die before they begin an item.
const MAX_FAILED_WORKERS: u32 = 2;

/// The time that idle workers have to exit when the job ends.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

/// The workers of one job.
pub(in crate::board) struct WorkerPool {
    launcher: Launcher,
    limits: LaunchOptions,
    name: String,
    /// The first messages to every worker, encoded.
    handshake: Vec<u8>,
    leases: Leases,
    requests: AtomicU64,
    workers_started: AtomicU64,
    force_stop: CancelToken,
}

impl WorkerPool {
    pub(super) fn new(
        launcher: Launcher,
        name: &str,
        spec: &JobSpec,
        force_stop: CancelToken,
    ) -> Result<Self, ItemError> {
        Ok(Self {
            launcher,
            limits: LaunchOptions::default()
                .priority(spec.priority.into())
                .address_space_bytes(spec.options.job().address_space_limit()),
            name: name.to_owned(),
            handshake: handshake(spec).map_err(|error| no_worker(&error.to_string()))?,
            leases: Leases::default(),
            requests: AtomicU64::new(0),
            workers_started: AtomicU64::new(0),
            force_stop,
        })
    }

    /// Runs an item on a worker and waits for its end.
    pub(in crate::board) fn run(
        &self,
        task: &str,
        item: &Item,
        context: &Context,
        observer: &ItemObserver,
    ) -> ItemOutcome {
        let number = next(&self.requests);
        let request = match request(number, task, item) {
            Ok(request) => request,
            Err(error) => return ItemOutcome::Failed(no_worker(&error.to_string())),
        };
        let mut failed_workers = 0;
        loop {
            let waits = || observer.long_wait.note();
            let mut lease = match self.leases.acquire(|| self.start_worker(), context, waits) {
                Ok(Some(lease)) => lease,
                Ok(None) => return ItemOutcome::Cancelled,
                Err(error) => return ItemOutcome::Failed(no_worker(&error.to_string())),
            };
            let assignment = observer.assign(lease.worker.process());
            let session = ItemSession::new(number, context, &self.force_stop);
            let result = session.run(&request, &mut lease.worker);
            drop(assignment);
            match result {
                Ok(result) => {
                    let outcome = outcome(result, context);
                    // A worker without room for a thread leaves its own room to others.
                    if outcome.shortage().is_none() {
                        lease.release();
                    }
                    return outcome;
                }
                Err(WorkerLoss::Cancelled) => return ItemOutcome::Cancelled,
                Err(WorkerLoss::IgnoredCancel(within)) => {
                    return ItemOutcome::IgnoredCancel(within);
                }
                Err(WorkerLoss::Crashed(crash)) => return ItemOutcome::Crashed(Arc::new(crash)),
                Err(WorkerLoss::Refused(reason)) => {
                    return ItemOutcome::Failed(ItemError {
                        kind: "no_thread".to_owned(),
                        ..no_worker(&reason)
                    });
                }
                // It may have died while it was idle, which says nothing about the item.
                Err(WorkerLoss::NotStarted(_)) if !lease.is_new => {}
                Err(WorkerLoss::NotStarted(reason)) => {
                    failed_workers += 1;
                    if failed_workers == MAX_FAILED_WORKERS {
                        return ItemOutcome::Failed(no_worker(&reason));
                    }
                }
            }
        }
    }

    /// Ends all workers and waits for them. No item may run.
    pub(in crate::board) fn shutdown(&self) {
        let idle = self.leases.take_idle();
        // A worker exits when its requests end. Close all of them before the first wait.
        let processes: Vec<_> = idle.into_iter().map(Worker::close).collect();
        let deadline = Instant::now() + SHUTDOWN_TIMEOUT;
        for process in processes {
            let left = deadline.saturating_duration_since(Instant::now());
            // One that stays is stopped when it is dropped.
            drop(process.0.join_timeout(left));
        }
    }

    fn start_worker(&self) -> Result<Worker, SpawnError> {
        let name = format!("{} worker {}", self.name, next(&self.workers_started));
        Worker::start_process(&self.launcher, self.limits.clone(), name, &self.handshake)
    }
}

/// Counts up from 1.
fn next(count: &AtomicU64) -> u64 {
    count.fetch_add(1, Ordering::Relaxed) + 1
}

fn handshake(spec: &JobSpec) -> Result<Vec<u8>, ProtocolError> {
    let mut handshake = encode(&ToWorker::Hello { version: VERSION })?;
    handshake.extend(encode(&ToWorker::Options(spec.options.clone()))?);
    Ok(handshake)
}

fn request(number: u64, task: &str, item: &Item) -> Result<Vec<u8>, ProtocolError> {
    encode(&ToWorker::Run {
        number,
        task: task.to_owned(),
        item: RawItem::from(item),
    })
}

fn outcome(result: ReportedOutcome, context: &Context) -> ItemOutcome {
    match result {
        ReportedOutcome::Returned(output) => ItemOutcome::Returned(output),
        ReportedOutcome::Failed(error) => ItemOutcome::Failed(error),
        ReportedOutcome::Panicked {
            mut panic,
            backtrace,
        } => {
            // The worker's own task number would name another task here.
            panic.task_id = context.task_id().get();
            ItemOutcome::Panicked(Arc::new(panic), backtrace.into())
        }
        ReportedOutcome::Cancelled => ItemOutcome::Cancelled,
    }
}

pub(super) fn no_worker(reason: &str) -> ItemError {
    let message = format!("no isolated worker could take this item: {reason}");
    ItemError::new("no_worker", message)
}
