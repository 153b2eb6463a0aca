use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::EndRequest;
use super::job_control;
use crate::jobs::suspension;
use crate::join;
use crate::join::process::{ProcessInfo, ProcessState, live_processes};

const REQUESTS: [(i32, EndRequest); 3] = [
    (SIGINT, EndRequest::Interrupt),
    (SIGTERM, EndRequest::Terminate),
    (SIGHUP, EndRequest::HangUp),
];

/// Calls `asked` with each request, on a thread. On Ctrl-Z, suspends the program and its processes.
pub(super) fn listen(asked: impl Fn(EndRequest) + Send + 'static) -> anyhow::Result<()> {
    hear(REQUESTS.iter().map(|(signal, _)| *signal), move |signal| {
        let request = REQUESTS.iter().find(|(number, _)| *number == signal);
        if let Some((_, request)) = request {
            asked(*request);
        }
    })
}

/// On Ctrl-Z, suspends the program and its processes. All else does what it does to any program.
pub(in crate::cli) fn listen_for_stop() -> anyhow::Result<()> {
    hear(std::iter::empty(), |_signal| ())
}

/// Calls `heard` with each of these signals and with that of Ctrl-Z, on a thread.
fn hear(
    signals: impl Iterator<Item = i32>,
    heard: impl Fn(i32) + Send + 'static,
) -> anyhow::Result<()> {
    let (sender, receiver) = crossbeam_channel::bounded::<Signals>(1);
    let listener = join::Builder::new("signals").daemon(true);
    // Before the signals are taken, as a signal that nothing hears would have no effect at all.
    let _detached = listener.spawn(move |_| {
        // None comes if they can't be taken.
        for mut signals in receiver.into_iter().take(1) {
            for signal in signals.forever() {
                if signal == SIGTSTP && job_control::can_continue() {
                    suspend();
                }
                heard(signal);
            }
        }
    })?;
    let ignored = ignored_signals();
    let signals = signals.chain([SIGTSTP]);
    let signals = Signals::new(signals.filter(|signal| !is_in(*signal, ignored)))?;
    // The thread receives it.
    sender.send(signals).ok();
    Ok(())
}

/// Stops the program with all its processes, until it is continued. A process that something else had
/// stopped is left as it is.
fn suspend() {
    suspension::during(|| {
        let mut paused = Vec::new();
        // Others may be started meanwhile.
        while let Some(process) = next_running(&paused) {
            process.pause();
            paused.push(process);
        }
        // It returns when the program is continued, or at once if the system refuses.
        emulate_default_handler(SIGTSTP).ok();
        for process in paused {
            process.resume();
        }
    });
}

/// A process of this program that is not stopped and not one of these.
fn next_running(paused: &[ProcessInfo]) -> Option<ProcessInfo> {
    let is_paused = |pid| paused.iter().any(|process| process.pid == pid);
    let mut live = live_processes().into_iter();
    live.find(|process| process.state == ProcessState::Running && !is_paused(process.pid))
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
