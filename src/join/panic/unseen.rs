//! Panics that no join or poll has returned.

use std::fmt;
use std::sync::{Arc, Mutex};

use super::super::sync::ignore_poison;
use super::contain::contain;
use super::report::PanicReport;

type Listener = Arc<dyn Fn(&PanicReport) + Send + Sync>;

static LISTENER: Mutex<Option<Listener>> = Mutex::new(None);

/// Sets the function that gets the report of each unseen panic, for a crash reporter or a log. It replaces the one that was set before.
///
/// A join or a poll of a task returns its panic. A panic that none can return any more is unseen, and is
/// reported once:
/// - when the task ends, if all of its handles were dropped before;
/// - when the last handle is dropped, if no join or poll has returned the panic;
/// - when the task ends, if its own code has caught the panic. Then
///   [`PanicReport::is_outcome`] is false.
///
/// If no function is set, the panic hook that was there before the library's gets the first kind, at
/// the moment of the panic. The others are printed on stderr as std prints a panic, with a note that
/// names the task. A panic that was raised with `resume_unwind` called no hook, so it is not printed.
///
/// In a program built with `panic = "abort"`, a panic ends the program, and no function is called but
/// the panic hook.
///
/// `listener` runs on the thread on which the task ends or the handle is dropped, so it should not
/// block. [`shutdown`](super::super::shutdown) and [`cancel_scope`](super::super::cancel_scope()) return after
/// the reports at the end of tasks, so it must not wait for a task that calls them. If `listener` panics, the
/// panic is ignored.
///
/// ```standalone_crate
/// use meanwhile_join as join;
///
/// let (send, reports) = std::sync::mpsc::channel();
/// join::on_panic(move |report| drop(send.send(report.to_string())));
/// drop(join::spawn("save", |_| panic!("the disk is full"))?);
/// let report = reports.recv()?;
/// assert!(report.starts_with("task `save` panicked at "));
/// assert!(report.ends_with(": the disk is full"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn on_panic(listener: impl Fn(&PanicReport) + Send + Sync + 'static) {
    let previous = ignore_poison(LISTENER.lock()).replace(Arc::new(listener));
    // Dropped after the lock is released.
    drop(previous);
}

pub(super) fn has_listener() -> bool {
    ignore_poison(LISTENER.lock()).is_some()
}

/// Reports the panic of a task to which no handle is left, unless somebody has seen it.
pub(crate) fn report_unless_seen(panic: &PanicReport) {
    if !panic.is_seen() {
        report(panic);
    }
}

#[expect(
    clippy::print_stderr,
    reason = "where std prints panics; unlike `stderr`, the macro is captured by tests"
)]
pub(super) fn report(panic: &PanicReport) {
    let listener = ignore_poison(LISTENER.lock()).clone();
    // Printing panics when stderr is closed.
    contain(|| match listener {
        Some(listener) => listener(panic),
        None if panic.location().is_some() => eprint!("{}", AsStdPrints(panic)),
        None => {}
    });
}

/// A report in the form in which std prints a panic.
struct AsStdPrints<'a>(&'a PanicReport);

impl fmt::Display for AsStdPrints<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let panic = self.0;
        write!(f, "\nthread '{}' panicked", panic.thread_name())?;
        if let Some(location) = panic.location() {
            write!(f, " at {location}")?;
        }
        writeln!(f, ":\n{}", panic.message())?;
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            writeln!(f, "stack backtrace:\n{}", panic.backtrace())?;
        }
        let task = panic.task_name();
        if panic.is_outcome() {
            writeln!(f, "note: it ended the task `{task}`, which nobody joined")
        } else {
            writeln!(f, "note: the task `{task}` caught it")
        }
    }
}
