//! The command line: opens the window, or runs a job without one.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 success, 1 an item failed, 2 wrong
//! usage, 3 the join timed out and the job was cancelled, 4 `why` has found a ring, 141 stdout was
//! closed. `join` has those of the process that it waits for, and 3 when the time is up. After `SIGTERM` and `SIGHUP` it is 143 and 129; after Ctrl-C the program dies by `SIGINT`,
//! which a shell shows as 130. Ctrl-Z stops the commands with the program.

#[cfg(target_os = "linux")]
mod ask;
mod exit_codes;
mod interrupt;
#[cfg(target_os = "linux")]
mod join_pid;
#[cfg(target_os = "linux")]
mod lab;
#[cfg(unix)]
mod lesson;
#[cfg(unix)]
mod limits;
mod ordered_output;
mod output;
mod patience;
mod paused;
mod progress;
mod run;
mod run_args;
mod spool;
mod trace;
#[cfg(target_os = "linux")]
mod why;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};
use crossbeam_channel::Sender;

use self::run_args::RunArgs;
use crate::format;
use crate::jobs::duration;
use crate::message::{message_line, print_message};

/// An item failed, or the command itself did.
const FAILED: u8 = 1;

/// The join timed out and the job was cancelled.
const TIMED_OUT: u8 = 3;

/// Stdout was closed before all of the result was written, as when `SIGPIPE` ends a program.
const STDOUT_CLOSED: u8 = 141;

/// Ends the process at once with an exit code.
///
/// Only `main` may do that. It passes this function for the one case in which returning is not
/// possible: a second Ctrl-C while something blocks.
pub type ExitFn = fn(i32) -> !;

/// Run long work in the background, watch it, and join it on your own terms.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_long_help = exit_codes::OF_WINDOW)]
struct Cli {
    /// Files, folders and patterns such as '*.wav' to open the window with. A window that is open takes them.
    files: Vec<PathBuf>,
    /// Open a window of its own, beside one that is open.
    #[arg(long)]
    new_window: bool,
    #[command(subcommand)]
    command: Option<CliSubcommand>,
}

#[derive(Debug, Subcommand)]
enum CliSubcommand {
    /// Run a job here: progress on stderr, the result on stdout.
    Run {
        #[command(subcommand)]
        job: Box<RunArgs>,
    },
    /// The Freeze Lab: what a window does while it waits, measured.
    #[cfg(target_os = "linux")]
    Lab {
        #[command(subcommand)]
        command: lab::LabSubcommand,
    },
    /// Lessons: every way to join, run for real.
    #[cfg(unix)]
    Lesson {
        #[command(subcommand)]
        command: lesson::LessonSubcommand,
    },
    /// Traces in files: what ran when, and what waited, as `--trace` and the page Timeline write it.
    Trace {
        #[command(subcommand)]
        command: trace::TraceSubcommand,
    },
    /// Say what a process waits for: the threads, locks, children, pipes and sockets up to the cause.
    #[cfg(target_os = "linux")]
    #[command(after_long_help = exit_codes::OF_WHY)]
    Why(why::WhyArgs),
    /// Wait for a process that something else has started, with a timeout, and say how it ended.
    #[cfg(target_os = "linux")]
    #[command(after_long_help = exit_codes::OF_JOIN)]
    Join(join_pid::JoinArgs),
    /// A child process of a lesson.
    #[cfg(unix)]
    #[command(hide = true)]
    LessonChild(lesson::LessonChildArgs),
    /// The window that the Lab measures.
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Twin(lab::TwinArgs),
}

/// The definition of the command line, for man pages and completions: without the commands that the program
/// calls itself.
pub fn command() -> clap::Command {
    let all = Cli::command();
    let shown = all.get_subcommands().filter(|it| !it.is_hide_set());
    // No command can be taken out of a definition.
    clap::Command::new(env!("CARGO_PKG_NAME"))
        .version(env!("CARGO_PKG_VERSION"))
        .about(all.get_about().cloned().unwrap_or_default())
        .after_long_help(all.get_after_long_help().cloned().unwrap_or_default())
        .args_conflicts_with_subcommands(true)
        .args(all.get_arguments().cloned())
        .subcommands(shown.cloned())
}

/// Parses the command line and runs it. Returns the exit code of the program.
pub fn main(leave: ExitFn) -> ExitCode {
    if let Some(code) = crate::board::run_as_worker() {
        return code;
    }
    #[cfg(unix)]
    if let Err(error) = interrupt::default_child_signal() {
        print_message(&format!("the exits of commands may stay unknown: {error}"));
    }
    match Cli::try_parse() {
        Ok(cli) => match cli.check() {
            Ok(()) => dispatch(cli, leave).unwrap_or_else(|error| {
                print_message(&format!("{error:#}"));
                ExitCode::from(FAILED)
            }),
            Err(error) => print_usage(&error),
        },
        Err(error) => print_usage(&error),
    }
}

/// Prints a panic that is not the outcome of an item, such as one on a thread of a library, in one line.
/// With `RUST_BACKTRACE`, it is printed as std prints one.
fn print_panics_in_a_line() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            return previous(info);
        }
        let place = info.location().map(ToString::to_string);
        let place = place.map_or_else(String::new, |place| {
            format!(" at {}", format::source_place(&place))
        });
        let message = info.payload_as_str().unwrap_or("non-string payload");
        let message = message.lines().next().unwrap_or_default();
        print_message(&format!("a thread panicked{place}: {message}"));
    }));
}

/// Prints a usage error, the help or the version.
fn print_usage(error: &clap::Error) -> ExitCode {
    // If neither stdout nor stderr can be written, only the exit code is left.
    error.print().ok();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(FAILED))
}

impl Cli {
    /// Checks what the parser can't.
    fn check(&self) -> Result<(), clap::Error> {
        self.problem().map_or(Ok(()), |problem| {
            let mut command = Self::command();
            Err(command.error(ErrorKind::ValueValidation, problem))
        })
    }

    fn problem(&self) -> Option<String> {
        match &self.command {
            Some(CliSubcommand::Run { job }) => job.problem(),
            #[cfg(unix)]
            Some(CliSubcommand::Lesson { command }) => command.check().err(),
            _ => None,
        }
    }
}

fn dispatch(cli: Cli, leave: ExitFn) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => {
            #[cfg(unix)]
            if let Err(error) = interrupt::listen_for_stop() {
                print_message(&format!("commands will run on after Ctrl-Z: {error}"));
            }
            crate::app::run(cli.files, cli.new_window).map(|()| ExitCode::SUCCESS)
        }
        Some(CliSubcommand::Run { job }) => {
            print_panics_in_a_line();
            run::run(*job, leave)
        }
        #[cfg(target_os = "linux")]
        Some(CliSubcommand::Lab { command }) => lab::lab(command, leave),
        #[cfg(target_os = "linux")]
        Some(CliSubcommand::Twin(args)) => lab::twin(&args),
        #[cfg(unix)]
        Some(CliSubcommand::Lesson { command }) => lesson::lesson(command, leave),
        Some(CliSubcommand::Trace { command }) => trace::trace(&command),
        #[cfg(target_os = "linux")]
        Some(CliSubcommand::Why(args)) => why::why(&args),
        #[cfg(target_os = "linux")]
        Some(CliSubcommand::Join(args)) => join_pid::join(&args, leave),
        #[cfg(unix)]
        Some(CliSubcommand::LessonChild(args)) => lesson::lesson_child(&args),
    }
}

/// Returns a function that wakes the thread that waits for the channel.
fn waker(wake: Sender<()>) -> impl Fn() + Send + Sync + 'static {
    move || {
        // A full channel means that a wake-up is pending already.
        wake.try_send(()).ok();
    }
}

/// Prints to stdout. A closed pipe is not an error.
#[cfg(unix)]
fn print(bytes: &[u8], what: &str) -> anyhow::Result<()> {
    use anyhow::Context as _;

    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).with_context(|| format!("{what} could not be written to stdout"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_of_arguments_is_consistent() {
        Cli::command().debug_assert();
    }
}
