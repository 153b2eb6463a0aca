//! Starts that the caller can give up.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::super::owned_job::owned;
use super::super::sync::lock;
use super::super::{
    Builder, CancelToken, Context, JoinError, OwnedTask, Priority, Select,
    SpawnError as ThreadError, registry,
};
use super::error::SpawnError;
use super::handle::Process;
use super::start_threads::StartThreads;
use super::trace::in_current_span;

/// The threads in which launched processes are started. Others inherit from the thread that starts them.
static THREADS: StartThreads = StartThreads::new();

/// The time that a start which was given up has to end if its command may run by then. It has nothing to wait
/// for but a processor, unless a disk does not respond.
const LATE_TIME: Duration = Duration::from_secs(2);

/// A start that its caller can give up.
#[derive(Default)]
pub(super) struct Attempt {
    given_up: CancelToken,
    /// Whether the command may run.
    has_begun: Mutex<bool>,
}

impl Attempt {
    /// Cancelled when the start is given up.
    pub(super) fn given_up(&self) -> &CancelToken {
        &self.given_up
    }

    /// Notes that the command may run from now on. Returns `false` if the start was given up: then it must
    /// not run.
    pub(super) fn begin(&self) -> bool {
        let mut has_begun = lock(&self.has_begun);
        let is_wanted = !self.given_up.is_cancelled();
        *has_begun |= is_wanted;
        is_wanted
    }

    /// Returns whether the command may run.
    fn give_up(&self) -> bool {
        // Not under the lock, because it calls what waits for it. A start that begins meanwhile is seen.
        self.given_up.cancel();
        *lock(&self.has_begun)
    }
}

/// Runs `spawn` in a task and waits for it until the deadline has passed or a token is cancelled. Then it
/// gives up the attempt. A process that has started by then is returned, one that starts later is killed.
pub(super) fn spawn_until(
    program: String,
    is_launched: bool,
    spawn: impl FnOnce(&Attempt) -> Result<Process, SpawnError> + Send + 'static,
    deadline: Option<Instant>,
    tokens: &[CancelToken],
) -> Result<Process, SpawnError> {
    let is_cancelled = || tokens.iter().any(CancelToken::is_cancelled);
    if is_cancelled() {
        return Err(SpawnError::Cancelled { program });
    }
    let attempt = Arc::new(Attempt::default());
    let spawn = in_current_span({
        let attempt = attempt.clone();
        move || spawn(&attempt)
    });
    let start = Builder::new(format!("starts {program}")).daemon(true);
    // A child without a launcher inherits the priority of the thread that starts it.
    let start = start.priority(Priority::current());
    let mut start = if is_launched {
        on_waiting_thread(start, spawn)?
    } else {
        start.spawn_owned(|_| spawn())?
    };
    let select = Select::new().task(&start).deadline(deadline);
    let mut select = tokens.iter().fold(select, Select::token);
    // What has ended it shows below.
    select.wait().ok();
    let mut taken = start.try_take();
    if taken.is_none() && attempt.give_up() {
        // Otherwise nobody would stop what runs, nor name it, before the caller goes on.
        let late = Instant::now().checked_add(LATE_TIME);
        Select::new().task(&start).deadline(late).wait().ok();
        taken = start.try_take();
    }
    match taken {
        // It has noticed that it was given up.
        Some(Ok(Err(SpawnError::Cancelled { .. }))) => {}
        Some(Ok(started)) => return started,
        Some(Err(JoinError::Panicked(report))) => report.resume_unwind(),
        Some(Err(_cancelled)) => return Err(SpawnError::Cancelled { program }),
        None => drop(start.map(stop_late)),
    }
    Err(if is_cancelled() {
        SpawnError::Cancelled { program }
    } else {
        SpawnError::GivenUp { program }
    })
}

/// Starts a task on a thread that has served an earlier one, if one waits.
fn on_waiting_thread<T: Send + 'static>(
    task: Builder,
    f: impl FnOnce() -> T + Send + 'static,
) -> Result<OwnedTask<T>, ThreadError> {
    let (code, slot) = owned(|_context: &Context| f());
    let handle = task.start_by(code, |_thread, priority, header| {
        let start = Box::new(move || {
            registry::run(&header);
        });
        THREADS.run(priority, start)
    })?;
    Ok(OwnedTask::new(handle, slot))
}

fn stop_late(started: Result<Process, SpawnError>) {
    if let Ok(late) = started {
        // The caller has not got it, so it needs no report.
        drop(late.stop(Duration::ZERO));
    }
}
