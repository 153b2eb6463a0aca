//! Starts that the caller can give up.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use super::super::SpawnError as ThreadError;
use super::super::sync::{ignore_poison, lock};
use super::error::SpawnError;
use super::handle::Process;
use super::trace::in_current_span;

/// The interval at which the caller is asked whether it still waits.
const ASK_INTERVAL: Duration = Duration::from_millis(20);

/// The state of a start on another thread.
enum Start {
    Running,
    Done(Result<Process, SpawnError>),
    GivenUp,
}

#[derive(Clone)]
struct SharedStart(Arc<(Mutex<Start>, Condvar)>);

/// Runs `spawn` on another thread and waits for it while `goes_on` returns true. A process that is
/// started after that is killed.
pub(super) fn spawn_while(
    program: String,
    spawn: impl FnOnce() -> Result<Process, SpawnError> + Send + 'static,
    mut goes_on: impl FnMut() -> bool,
) -> Result<Process, SpawnError> {
    let start = SharedStart(Arc::new((Mutex::new(Start::Running), Condvar::new())));
    let name = format!("starts {program}");
    let thread = std::thread::Builder::new().name(name.replace('\0', "\u{fffd}"));
    let started = thread.spawn({
        let (start, spawn) = (start.clone(), in_current_span(spawn));
        move || start.finish(spawn())
    });
    if let Err(cause) = started {
        return Err(ThreadError::new(name, cause).into());
    }
    loop {
        if let Some(result) = start.wait() {
            return result;
        }
        if !goes_on() {
            return start.give_up(program);
        }
    }
}

impl SharedStart {
    fn finish(&self, result: Result<Process, SpawnError>) {
        let (start, did_change) = &*self.0;
        let mut start = lock(start);
        if matches!(*start, Start::Running) {
            *start = Start::Done(result);
            did_change.notify_one();
            return;
        }
        drop(start);
        if let Ok(late) = result {
            // The caller has not got it, so it needs no report.
            drop(late.stop(Duration::ZERO));
        }
    }

    /// Waits a short time for the end of the start.
    fn wait(&self) -> Option<Result<Process, SpawnError>> {
        let (start, did_change) = &*self.0;
        let is_running = |start: &mut Start| matches!(start, Start::Running);
        let waited = did_change.wait_timeout_while(lock(start), ASK_INTERVAL, is_running);
        let (mut start, _timeout) = ignore_poison(waited);
        start.take_result()
    }

    fn give_up(&self, program: String) -> Result<Process, SpawnError> {
        let mut start = lock(&self.0.0);
        if let Some(result) = start.take_result() {
            return result;
        }
        *start = Start::GivenUp;
        Err(SpawnError::GivenUp { program })
    }
}

impl Start {
    /// Takes the result, if there is one.
    fn take_result(&mut self) -> Option<Result<Process, SpawnError>> {
        match std::mem::replace(self, Self::Running) {
            Self::Done(result) => Some(result),
            other => {
                *self = other;
                None
            }
        }
    }
}
