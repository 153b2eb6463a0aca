//! The one place where the unwinding of a task ends.

use std::any::Any;
use std::panic::{AssertUnwindSafe, Location};
use std::sync::Arc;

use super::super::id::{TaskId, TaskIdentity};
use super::report::{PanicCapture, PanicReport, message_of};
use super::running::{self, Run, RunningTask};
use super::unseen;

/// The payload with which a cancelled task unwinds from a checkpoint.
struct CancelUnwind {
    task: TaskId,
    name: Arc<str>,
    checkpoint: &'static Location<'static>,
}

/// Unwinds this thread because `task` was cancelled. Unlike `panic!`, it does not call the panic
/// hook.
#[track_caller]
pub(crate) fn unwind_cancelled(task: &TaskIdentity) -> ! {
    std::panic::resume_unwind(Box::new(CancelUnwind {
        task: task.id,
        name: task.name.clone(),
        checkpoint: Location::caller(),
    }))
}

/// The end of a closure, with its value or its panic.
pub(crate) enum Caught<T> {
    Returned(T),
    Cancelled,
    Panicked(Arc<PanicReport>),
}

/// Runs the code of a task and catches any unwinding. Reports the panics that the code has caught
/// itself.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a task's unwinding ends"
)]
pub(crate) fn catch<T>(
    task: &Arc<impl RunningTask + 'static>,
    code: impl FnOnce() -> T,
) -> Caught<T> {
    let code = || std::panic::catch_unwind(AssertUnwindSafe(code));
    let (result, mut run) = running::enter(task, code);
    let caught = match result {
        Ok(value) => Caught::Returned(value),
        Err(payload) => end_of(&mut run, payload),
    };
    report_caught(run);
    caught
}

/// Returns how a task ends that unwound with this payload.
fn end_of<T>(run: &mut Run, payload: Box<dyn Any + Send>) -> Caught<T> {
    let task = run.task.identity();
    let payload = match payload.downcast::<CancelUnwind>() {
        Ok(cancel) if cancel.task == task.id => return Caught::Cancelled,
        Ok(cancel) => return Caught::Panicked(Arc::new(foreign_cancel(&task, &cancel))),
        Err(payload) => payload,
    };
    let (message, payload_kind) = message_of(&*payload);
    let capture = run.take_capture(&message);
    if capture.is_some() && is_end_of_helper(run, &message) {
        return Caught::Cancelled;
    }
    let capture = capture.unwrap_or_else(|| PanicCapture {
        is_unrecorded: !run.has_called_hook(),
        ..PanicCapture::unknown(message, payload_kind)
    });
    Caught::Panicked(Arc::new(PanicReport::new(&task, capture, Some(payload))))
}

/// The report of a task that reached a checkpoint of another task, which was cancelled.
fn foreign_cancel(task: &TaskIdentity, cancel: &CancelUnwind) -> PanicReport {
    let message = format!("the context of task `{}` was cancelled here", cancel.name);
    PanicReport::of_text(task, message, cancel.checkpoint)
}

/// Whether a panic says only that a thread which helped the task has unwound, and the reason was the
/// task's own cancel.
///
/// A thread that panics calls the panic hook. So if none has since the task began, a checkpoint of
/// the task is all that can have unwound its helpers.
fn is_end_of_helper(run: &Run, message: &str) -> bool {
    // `std::thread::scope` panics with the first text. The second is the end of the message when the
    // result of a thread's join is unwrapped.
    let is_of_thread = message == "a scoped thread panicked" || message.ends_with("Any { .. }");
    is_of_thread && run.task.has_unwound_helper() && !run.has_foreign_panic()
}

/// Reports the panics that did not end the task.
fn report_caught(run: Run) {
    for capture in run.captures {
        if !capture.is_reported {
            unseen::report(&PanicReport::new(&run.task.identity(), capture, None));
        }
    }
}
