//! The panic hook, which records location and backtrace for the report.

use std::backtrace::Backtrace;
use std::panic::PanicHookInfo;
use std::sync::{Arc, Once};

use super::report::{PanicCapture, message_of};
use super::{running, unseen};

/// Installs the hook, once in the life of the process.
///
/// Does nothing while the current thread unwinds, because std would refuse. The next spawn installs
/// it.
///
/// It is not installed again after the program has set another hook. std shows the hook only to those who
/// take it away: until they give it back, a panic of another thread would go to the hook of std, and a hook
/// that calls this one would record twice. So the report says that nothing was recorded.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    // A failure of a model is reported outside of it, where loom has no thread-locals.
    if cfg!(loom) || std::thread::panicking() {
        return;
    }
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !record_panic(info) {
                previous(info);
            }
        }));
    });
}

/// Records a panic for the report of the task that runs on this thread. For a panic hook that was
/// set after the first spawn.
///
/// Returns true if the library reports the panic: as the outcome of the task, or as
/// [`on_panic`](super::on_panic) says. Returns false if the hook should report it: on a thread that
/// runs no task, in a task to which no handle is left, after a task has caught 16 panics itself, and
/// in a program built with `panic = "abort"`.
///
/// The library sets its own hook at the first spawn. It calls the hook that was there before for
/// the panics for which this function returns false. A hook that is set later replaces the library's.
/// Without this call, reports then lack location and backtrace, and their text says so. The hook must call
/// it once, on the thread that panics.
///
/// ```standalone_crate
/// use meanwhile_join::{self as join, JoinError};
///
/// join::spawn("sets the library's hook", |_| ())?;
/// std::panic::set_hook(Box::new(move |info| {
///     if !join::record_panic(info) {
///         eprintln!("This program has a bug. {info}");
///     }
/// }));
/// let task = join::spawn("divide", |_| panic!("no remainder"))?;
/// let Err(JoinError::Panicked(report)) = task.join() else { unreachable!() };
/// assert!(report.location().is_some());
/// # Ok::<(), join::SpawnError>(())
/// ```
pub fn record_panic(info: &PanicHookInfo<'_>) -> bool {
    // Where panics abort, there is no time after the hook.
    !cfg!(panic = "abort") && running::record(|| capture(info), unseen::has_listener())
}

fn capture(info: &PanicHookInfo<'_>) -> PanicCapture {
    let (message, payload_kind) = message_of(info.payload());
    PanicCapture {
        message,
        payload_kind,
        location: info.location().map(Into::into),
        backtrace: Some(Arc::new(Backtrace::force_capture())),
        is_reported: false,
        is_unrecorded: false,
    }
}
