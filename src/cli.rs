//! The command line: opens the window, or runs a job without one.
//!
//! Results go to stdout, everything else to stderr. Exit codes: 0 all well, 1 some item failed,
//! 2 usage, 3 the join timed out and the job was cancelled, 130 interrupted.

mod command;
mod fetch;
mod images;
mod interrupt;
#[cfg(target_os = "linux")]
mod lab;
#[cfg(unix)]
mod lesson;
mod output;
mod progress;
mod run;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::jobs::{self, JobSpec, Options, Priority, RunOn, checksum, misbehave};

/// Some item failed, or the command itself did.
const FAILED: u8 = 1;

/// The join timed out and the job was cancelled.
const TIMED_OUT: u8 = 3;

/// A person pressed Ctrl-C, or the system asked the program to end.
const INTERRUPTED: u8 = 130;

/// Ends the process now, with an exit code.
///
/// Only `main` may do that; it is handed in for the one case in which returning is not possible:
/// a second Ctrl-C while something blocks.
pub type Leave = fn(i32) -> !;

/// Run long work in the background, watch it, and join it on your own terms.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    /// Files and folders to open the window with.
    files: Vec<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a job here: progress on stderr, the result on stdout.
    Run {
        #[command(subcommand)]
        job: JobCommand,
    },
    /// The Freeze Lab: what a window does while it waits, measured.
    #[cfg(target_os = "linux")]
    Lab {
        #[command(subcommand)]
        command: lab::LabCommand,
    },
    /// Lessons: every way to join, run for real.
    #[cfg(unix)]
    Lesson {
        #[command(subcommand)]
        command: lesson::LessonCommand,
    },
    /// A child process of a lesson.
    #[cfg(unix)]
    #[command(hide = true)]
    LessonChild(lesson::LessonChildArgs),
    /// The window that the Lab measures.
    #[cfg(target_os = "linux")]
    #[command(hide = true)]
    Twin(lab::TwinArgs),
}

#[derive(Debug, Subcommand)]
enum JobCommand {
    /// Compute the checksums of files and folders, or verify a list of them.
    Checksum(ChecksumArgs),
    /// Run a program, once or once for each file.
    Command(command::CommandArgs),
    /// Fetch URLs, and save what comes or only measure it.
    Fetch(fetch::FetchArgs),
    /// Turn, resize and convert images, and save them to another folder.
    Images(images::ImagesArgs),
    /// End in the way one chooses, on the item one chooses.
    Misbehave(MisbehaveArgs),
}

#[derive(Debug, Args)]
struct ChecksumArgs {
    /// How to compute.
    #[arg(long, value_enum, default_value_t)]
    algorithm: checksum::Algorithm,
    /// Read checksum lists from FILES and verify what they name.
    #[arg(long)]
    check: bool,
    /// Write the result to this file, whole or not at all, instead of stdout.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    common: CommonArgs,
    /// The files and folders.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct MisbehaveArgs {
    /// How the chosen item ends.
    #[arg(long, value_enum, default_value_t)]
    end: misbehave::End,
    /// The chosen item, from 1; 0 chooses every item.
    #[arg(long, default_value_t = 1)]
    item: usize,
    /// How long an item works before it ends.
    #[arg(long, value_name = "SECS", default_value = "0", value_parser = seconds)]
    after: Duration,
    /// How many items there are where no names are given.
    #[arg(long, default_value_t = misbehave::Options::default().count)]
    count: usize,
    #[command(flatten)]
    common: CommonArgs,
    /// The names of the items.
    #[arg(value_name = "NAMES")]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
struct CommonArgs {
    /// Where the items run.
    #[arg(long, value_enum, default_value_t)]
    on: On,
    /// How many items run at once [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    /// How urgently they run.
    #[arg(long, value_enum, default_value_t)]
    priority: Priority,
    /// How long to wait for the job.
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    join_timeout: Option<Duration>,
    /// What to do when that time is up.
    #[arg(long, value_enum, default_value_t)]
    then: Then,
    /// What the result looks like.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum On {
    /// A pool of threads.
    #[default]
    Pool,
    /// A thread of its own for each item.
    Thread,
    /// Isolated processes: what crashes costs one item.
    Process,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Then {
    /// Cancel the job and show what is done.
    #[default]
    Cancel,
    /// Say so and go on waiting.
    Wait,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people, and for `sha256sum -c` and its like.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// Reads the command line and does what it says. Returns the program's exit code.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     meanwhile::cli::main(std::process::exit)
/// }
/// ```
pub fn main(leave: Leave) -> ExitCode {
    if let Some(code) = crate::board::run_as_worker() {
        return code;
    }
    match Cli::try_parse() {
        Ok(cli) => match cli.check() {
            Ok(()) => dispatch(cli, leave).unwrap_or_else(|error| {
                complain(&format!("{error:#}"));
                ExitCode::from(FAILED)
            }),
            Err(error) => refuse(&error),
        },
        Err(error) => refuse(&error),
    }
}

fn refuse(error: &clap::Error) -> ExitCode {
    // Where neither stdout nor stderr can be written, the exit code is all there is to say.
    let _unwritable = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(FAILED))
}

impl Cli {
    /// What the parser can't know is wrong.
    fn check(&self) -> Result<(), clap::Error> {
        self.problem().map_or(Ok(()), |problem| {
            let mut command = Self::command();
            Err(command.error(ErrorKind::ValueValidation, problem))
        })
    }

    fn problem(&self) -> Option<String> {
        match &self.command {
            Some(Command::Run { job }) => job.check().err(),
            #[cfg(unix)]
            Some(Command::Lesson { command }) => command.check().err(),
            _ => None,
        }
    }
}

fn dispatch(cli: Cli, leave: Leave) -> anyhow::Result<ExitCode> {
    match cli.command {
        None => crate::app::run(cli.files).map(|()| ExitCode::SUCCESS),
        Some(Command::Run { job }) => run::run(job.into_run(), leave),
        #[cfg(target_os = "linux")]
        Some(Command::Lab { command }) => lab::lab(command, leave),
        #[cfg(target_os = "linux")]
        Some(Command::Twin(args)) => lab::twin(&args),
        #[cfg(unix)]
        Some(Command::Lesson { command }) => lesson::lesson(command, leave),
        #[cfg(unix)]
        Some(Command::LessonChild(args)) => lesson::lesson_child(&args),
    }
}

impl JobCommand {
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Checksum(_) | Self::Misbehave(_) => Ok(()),
            Self::Command(args) => {
                let checked = args.options().check(!args.files.is_empty());
                checked.map_err(|problem| problem.to_string())
            }
            Self::Fetch(args) => {
                let checked = args.options().check(!args.files.is_empty());
                checked.map_err(|problem| problem.to_string())
            }
            Self::Images(args) => {
                let checked = args.options().check(!args.files.is_empty());
                checked.map_err(|problem| problem.to_string())
            }
        }
    }

    fn into_run(self) -> run::Run {
        match self {
            Self::Checksum(args) => {
                let options = checksum::Options {
                    algorithm: args.algorithm,
                    verify: args.check,
                };
                let options = Options::Checksum(options);
                args.common.into_run(options, args.files, args.output)
            }
            Self::Command(args) => {
                let options = Options::Command(args.options());
                args.common.into_run(options, args.files, None)
            }
            Self::Fetch(args) => {
                let options = Options::Fetch(args.options());
                args.common.into_run(options, args.files, None)
            }
            Self::Images(args) => {
                let options = Options::Images(args.options());
                args.common.into_run(options, args.files, None)
            }
            Self::Misbehave(args) => {
                let options = Options::Misbehave(misbehave::Options {
                    end: args.end,
                    item: args.item,
                    after: args.after.as_secs_f64(),
                    count: args.count,
                });
                args.common.into_run(options, args.files, None)
            }
        }
    }
}

impl CommonArgs {
    fn into_run(self, options: Options, inputs: Vec<PathBuf>, output: Option<PathBuf>) -> run::Run {
        let run_on = match self.on {
            On::Pool => RunOn::Pool,
            On::Thread => RunOn::Thread,
            On::Process => RunOn::Process,
        };
        let spec = JobSpec {
            options,
            inputs,
            run_on,
            workers: self.workers.map_or_else(jobs::cores, usize::from),
            priority: self.priority,
        };
        run::Run {
            spec,
            join_timeout: self.join_timeout,
            then: self.then,
            format: self.format,
            output,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text
        .parse()
        .map_err(|error| format!("not a number of seconds: {error}"))?;
    Duration::try_from_secs_f64(number)
        .map_err(|error| format!("not a time one could wait: {error}"))
}

/// Says something to the person, in a line on stderr.
fn complain(sentence: &str) {
    // Where stderr can't be written nobody is there to be told.
    let _unwritable = writeln!(std::io::stderr().lock(), "meanwhile: {sentence}");
}

/// Prints to stdout; that nobody reads it any more is no error.
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
