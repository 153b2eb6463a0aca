//! What the program does when it is the first process of a container.
//!
//! The system gives all orphans of a container to its first process. What is not reaped stays in the
//! process table, and a program can't tell an orphan from a child that other code of it waits for. So the
//! first process runs the program once more, as its child, and does nothing but reap and pass signals on.

use std::io::{self, IsTerminal as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, wait};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

/// The signals that are passed on. A terminal sends [`FROM_TERMINAL`] to the program itself.
const PASSED_ON: [i32; 4] = [SIGHUP, SIGTERM, SIGUSR1, SIGUSR2];
const FROM_TERMINAL: [i32; 2] = [SIGINT, SIGQUIT];

/// Runs the program as a child if this is the first process, and returns its exit code. Returns `None`
/// if this process itself is to be the program.
pub fn run_below() -> Option<ExitCode> {
    if std::process::id() != 1 {
        return None;
    }
    // Without the child, this process is the program.
    let (mut signals, program) = start().ok()?;
    for signal in signals.forever() {
        if signal == SIGCHLD {
            if let Some(code) = reap(program) {
                return Some(code);
            }
        } else if let Some(signal) = Signal::from_named_raw(signal) {
            // It is not reaped yet, so it gets the signal.
            kill_process(program, signal).ok();
        }
    }
    None
}

fn start() -> io::Result<(Signals, Pid)> {
    let signals = Signals::new([SIGCHLD])?;
    for signal in PASSED_ON {
        signals.add_signal(signal)?;
    }
    if !io::stdin().is_terminal() {
        for signal in FROM_TERMINAL {
            signals.add_signal(signal)?;
        }
    }
    let mut arguments = std::env::args_os();
    let mut program = Command::new("/proc/self/exe");
    if let Some(name) = arguments.next() {
        program.arg0(name);
    }
    let child = program.args(arguments).spawn()?;
    Ok((signals, Pid::from_child(&child)))
}

/// Reaps all that has ended. Returns the exit code of the program if that has.
fn reap(program: Pid) -> Option<ExitCode> {
    let mut code = None;
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == program {
            code = Some(code_of(status));
        }
    }
    code
}

/// The exit code, as a shell shows it.
fn code_of(status: WaitStatus) -> ExitCode {
    let signal = status.terminating_signal().map(|signal| 128 + signal);
    let code = status.exit_status().or(signal).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}
