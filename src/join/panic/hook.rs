//! The panic hook, which records location and backtrace for the report.

use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::panic::PanicHookInfo;
use std::sync::Once;

use super::report::{PanicCapture, PanicLocation, message_of};
use crate::join::current;

thread_local! {
    static LAST: RefCell<Option<PanicCapture>> = const { RefCell::new(None) };
}

/// Installs the hook, once in the life of the process.
///
/// Does nothing while the current thread unwinds, because std would refuse. The next spawn installs
/// it.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    if std::thread::panicking() {
        return;
    }
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if current::current().is_some() {
                record(info);
            } else {
                previous(info);
            }
        }));
    });
}

fn record(info: &PanicHookInfo<'_>) {
    let capture = PanicCapture {
        message: message_of(info.payload()).0,
        location: info.location().map(|at| PanicLocation {
            file: at.file().to_owned(),
            line: at.line(),
            column: at.column(),
        }),
        backtrace: Backtrace::force_capture(),
    };
    // A thread whose thread-locals are gone runs no task, so no report needs the capture.
    drop(LAST.try_with(|last| last.replace(Some(capture))));
}

/// Takes the capture of this thread's last panic, if it has this message.
pub(super) fn take_capture(message: &str) -> Option<PanicCapture> {
    LAST.try_with(RefCell::take)
        .ok()
        .flatten()
        .filter(|capture| capture.message == message)
}
