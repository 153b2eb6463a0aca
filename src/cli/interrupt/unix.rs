use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::EndRequest;
use crate::join;

const REQUESTS: [(i32, EndRequest); 3] = [
    (SIGINT, EndRequest::Interrupt),
    (SIGTERM, EndRequest::Terminate),
    (SIGHUP, EndRequest::HangUp),
];

/// Calls `asked` with each request, on a thread.
pub(super) fn listen(asked: impl Fn(EndRequest) + Send + 'static) -> anyhow::Result<()> {
    let ignored = ignored_signals();
    let heard = REQUESTS.iter().map(|(signal, _)| *signal);
    let mut signals = Signals::new(heard.filter(|signal| !is_in(*signal, ignored)))?;
    let listener = join::Builder::new("signals").daemon(true);
    let _detached = listener.spawn(move |_| {
        for signal in signals.forever() {
            let request = REQUESTS.iter().find(|(number, _)| *number == signal);
            if let Some((_, request)) = request {
                asked(*request);
            }
        }
    })?;
    Ok(())
}

/// Ends the program by the signal of this request.
pub(super) fn die(request: EndRequest) {
    let signal = REQUESTS.iter().find(|(_, it)| *it == request);
    if let Some((signal, _)) = signal {
        // It returns only if the system refuses; then an exit code must do.
        emulate_default_handler(*signal).ok();
    }
}

/// Has the system keep the exit of each child until it is asked for. It does not if the program was
/// started with `SIGCHLD` ignored, as some window managers start programs.
pub(in crate::cli) fn default_child_signal() -> io::Result<()> {
    if is_in(SIGCHLD, ignored_signals()) {
        // Any handler will do.
        signal_hook::flag::register(SIGCHLD, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

fn is_in(signal: i32, set: u64) -> bool {
    set & (1 << (signal - 1)) != 0
}

/// The signals that are ignored, a bit each. Only Linux tells without unsafe code.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.map(|digits| u64::from_str_radix(digits.trim(), 16));
    ignored.and_then(Result::ok).unwrap_or(0)
}
