//! `meanwhile join`: waits for a process that something else has started.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use crossbeam_channel::Receiver;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};

use super::duration;
use super::interrupt::{self, Interrupt};
use super::why::pid_of;
use super::{ExitFn, FAILED, TIMED_OUT, print, print_message, waker};
use crate::explain;
use crate::format;
use crate::jobs::{StopSummary, Stopwatch};
use crate::join::process::{Exit, Process};

/// Added to the number of the signal that ended the process, as a shell does.
const SIGNALLED: i32 = 128;

/// Wait for a process that something else has started.
#[derive(Debug, Args)]
pub(super) struct JoinArgs {
    /// The id of a process, or the name of its program.
    #[arg(value_name = "PID|NAME")]
    process: String,
    /// How long to wait for it, such as `90` (seconds), `5m` or `1h30m`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// What to do when that time is up, after a message says so [default: exit with 3].
    #[arg(long, value_enum, requires = "timeout")]
    then: Option<Then>,
    /// The time that its processes have to end by themselves when it is stopped.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5")]
    grace: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Then {
    /// End it with all that it has started, and exit with 3.
    Stop,
    /// Keep waiting.
    Wait,
    /// Say what it waits for, and exit with 3.
    Why,
}

/// Waits for the process. The exit code is its own, or 128 and the number of its signal, as in a shell; 1 if
/// the system does not tell it, 3 after the timeout. Ctrl-C ends the wait and leaves the process.
///
/// # Errors
/// There is no such process, or it can't be waited for.
pub(super) fn join(args: &JoinArgs, leave: ExitFn) -> anyhow::Result<ExitCode> {
    let process = Process::adopt(pid_of(&args.process)?)?;
    let interrupt = Interrupt::listen(leave)?;
    let (wake, woken) = crossbeam_channel::bounded(1);
    process.on_finish(waker(wake.clone()));
    interrupt.token().on_cancel(waker(wake)).keep();
    let waiting = Waiting {
        process: &process,
        interrupt: &interrupt,
        woken,
    };
    if let Some(code) = waiting.wait(args.timeout)? {
        return Ok(code);
    }
    let name = shown(&process);
    let waited = args.timeout.map(format::duration).unwrap_or_default();
    print_message(&format!("{name} is still running after {waited}"));
    match args.then {
        Some(Then::Wait) => {
            let ended = waiting.wait(None)?;
            return Ok(ended.unwrap_or(ExitCode::from(FAILED)));
        }
        Some(Then::Stop) => stop(&process, args.grace)?,
        Some(Then::Why) => {
            let sentence = explain::process(process.pid())?.sentence();
            print(format!("{sentence}\n").as_bytes(), "the explanation")?;
        }
        None => {}
    }
    Ok(ExitCode::from(TIMED_OUT))
}

struct Waiting<'a> {
    process: &'a Process,
    interrupt: &'a Interrupt,
    /// Has a message when one of the two has something to tell.
    woken: Receiver<()>,
}

impl Waiting<'_> {
    /// Waits for the end, which it prints. Returns `None` if the time is over before.
    fn wait(&self, timeout: Option<Duration>) -> anyhow::Result<Option<ExitCode>> {
        let stopwatch = Stopwatch::start();
        loop {
            if let Some(exit) = self.process.poll() {
                print_end(self.process, exit)?;
                return Ok(Some(code_of(exit)));
            }
            if let Some(request) = self.interrupt.request() {
                return Ok(Some(interrupt::end(request)));
            }
            // Without a timeout it comes back now and then, which does no harm.
            let limit = timeout.unwrap_or_else(|| stopwatch.elapsed() + Duration::from_hours(1));
            if stopwatch.elapsed() >= limit {
                return Ok(None);
            }
            self.woken.recv_deadline(stopwatch.reaches(limit)).ok();
        }
    }
}

/// Its name and its id.
fn shown(process: &Process) -> String {
    format!("{} ({})", format::one_line(process.name()), process.pid())
}

fn print_end(process: &Process, exit: Exit) -> anyhow::Result<()> {
    let end = match exit {
        Exit::Code(code) => format!("exited with code {code}"),
        Exit::Signal { core_dumped, .. } => {
            let core = if core_dumped {
                ", with a core file"
            } else {
                ""
            };
            format!("was {exit}{core}")
        }
        Exit::Unknown => "has ended, code unknown".to_owned(),
    };
    print(format!("{} {end}\n", shown(process)).as_bytes(), "the end")
}

fn code_of(exit: Exit) -> ExitCode {
    let code = match exit {
        Exit::Code(code) => code,
        Exit::Signal { signal, .. } => SIGNALLED + signal,
        Exit::Unknown => i32::from(FAILED),
    };
    ExitCode::from(u8::try_from(code).unwrap_or(FAILED))
}

/// Ends the process with its tree, and says how that went.
///
/// # Errors
/// It runs on.
fn stop(process: &Process, grace: Duration) -> anyhow::Result<()> {
    let name = shown(process);
    // Its pid may be another one's by now. Then nothing is stopped below.
    let pid = Pid::from_raw(process.pid().cast_signed());
    if pid.map(test_kill_process) == Some(Err(Errno::PERM)) {
        anyhow::bail!("{name} can't be stopped: it is of another user");
    }
    let stopped = StopSummary::from(&process.stop(grace));
    print_message(&format::one_line(&stopped.to_string()));
    let Some(exit) = process.poll() else {
        anyhow::bail!("{name} did not end though it was killed: it runs on");
    };
    print_end(process, exit)
}
