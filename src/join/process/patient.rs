//! Starts that the caller can give up.

use std::time::{Duration, Instant};

use super::super::{Builder, CancelToken, JoinError, Select};
use super::error::SpawnError;
use super::handle::Process;
use super::trace::in_current_span;

/// Runs `spawn` in a task and waits for it until the deadline has passed or the token is cancelled. A
/// process that is started after that is killed.
pub(super) fn spawn_until(
    program: String,
    spawn: impl FnOnce() -> Result<Process, SpawnError> + Send + 'static,
    deadline: Option<Instant>,
    token: &CancelToken,
) -> Result<Process, SpawnError> {
    if token.is_cancelled() {
        return Err(SpawnError::Cancelled { program });
    }
    let spawn = in_current_span(spawn);
    let start = Builder::new(format!("starts {program}")).daemon(true);
    let mut start = start.spawn_owned(|_| spawn())?;
    let mut select = Select::new().task(&start).token(token).deadline(deadline);
    // What has ended it shows below.
    select.wait().ok();
    match start.try_take() {
        Some(Ok(started)) => started,
        Some(Err(JoinError::Panicked(report))) => report.resume_unwind(),
        Some(Err(_cancelled)) => Err(SpawnError::Cancelled { program }),
        None => {
            drop(start.map(stop_late));
            Err(if token.is_cancelled() {
                SpawnError::Cancelled { program }
            } else {
                SpawnError::GivenUp { program }
            })
        }
    }
}

fn stop_late(started: Result<Process, SpawnError>) {
    if let Ok(late) = started {
        // The caller has not got it, so it needs no report.
        drop(late.stop(Duration::ZERO));
    }
}
