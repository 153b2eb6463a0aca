//! Starts that the caller can give up.

use std::time::{Duration, Instant};

use super::super::owned_job::owned;
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

/// Runs `spawn` in a task and waits for it until the deadline has passed or a token is cancelled. Then it
/// cancels the token of `spawn`, and kills a process that is started after that.
pub(super) fn spawn_until(
    program: String,
    is_launched: bool,
    spawn: impl FnOnce(&CancelToken) -> Result<Process, SpawnError> + Send + 'static,
    deadline: Option<Instant>,
    tokens: &[CancelToken],
) -> Result<Process, SpawnError> {
    let is_cancelled = || tokens.iter().any(CancelToken::is_cancelled);
    if is_cancelled() {
        return Err(SpawnError::Cancelled { program });
    }
    let given_up = CancelToken::new();
    let spawn = in_current_span({
        let given_up = given_up.clone();
        move || spawn(&given_up)
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
    match start.try_take() {
        Some(Ok(started)) => started,
        Some(Err(JoinError::Panicked(report))) => report.resume_unwind(),
        Some(Err(_cancelled)) => Err(SpawnError::Cancelled { program }),
        None => {
            given_up.cancel();
            drop(start.map(stop_late));
            Err(if is_cancelled() {
                SpawnError::Cancelled { program }
            } else {
                SpawnError::GivenUp { program }
            })
        }
    }
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
