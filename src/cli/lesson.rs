//! `meanwhile lesson`: lessons without a window.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::exit_codes;
use super::interrupt::{self, EndRequest, Interrupt};
use super::trace::TraceArgs;
use super::{ExitFn, FAILED, print, print_message, waker};
use crate::join::Select;
use crate::join::process::Launcher;
use crate::lessons::{self, LessonId, LessonOutcome, LessonRun, LessonRunOptions, WorkerKind};
use crate::trace::{GroupId, Trace};

#[derive(Debug, Subcommand)]
pub(super) enum LessonSubcommand {
    /// List the lessons.
    #[command(after_long_help = exit_codes::OF_LIST)]
    List,
    /// Run a lesson and print its transcript.
    #[command(after_long_help = exit_codes::OF_LESSON)]
    Run(LessonRunArgs),
}

#[derive(Debug, Args)]
pub(super) struct LessonRunArgs {
    /// The lesson to run.
    #[arg(value_name = "ID")]
    lesson: LessonId,
    /// The kind of the workers [default: the first kind that the lesson supports].
    #[arg(long = "as", value_enum, value_name = "KIND")]
    worker_kind: Option<WorkerKind>,
    /// Shorten every sleep by this factor: 2 is twice as fast.
    #[arg(long, value_name = "X", default_value = "1", value_parser = speed)]
    speed: f64,
    /// Set a parameter of the lesson.
    #[arg(long = "set", value_name = "NAME=NUMBER", value_parser = setting)]
    settings: Vec<(String, f64)>,
    #[command(flatten)]
    trace: TraceArgs,
}

/// A child process of a lesson.
#[derive(Debug, Args)]
pub(super) struct LessonChildArgs {
    lesson: LessonId,
    role: String,
}

fn speed(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|error| format!("{error}"))?;
    let is_in_range = (0.01..=1_000.0).contains(&number);
    is_in_range
        .then_some(number)
        .ok_or_else(|| "expected a number from 0.01 to 1000".to_owned())
}

fn setting(text: &str) -> Result<(String, f64), String> {
    let (name, number) = text.split_once('=').ok_or("expected NAME=NUMBER")?;
    let number = number
        .parse()
        .map_err(|error| format!("{number}: {error}"))?;
    Ok((name.to_owned(), number))
}

impl LessonSubcommand {
    /// Checks what the parser can't.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::List => Ok(()),
            Self::Run(args) => args.check(),
        }
    }
}

impl LessonRunArgs {
    fn worker_kind(&self) -> WorkerKind {
        let default = self.lesson.lesson().worker_kinds[0];
        self.worker_kind.unwrap_or(default)
    }

    fn check(&self) -> Result<(), String> {
        let (lesson, kind) = (self.lesson.lesson(), self.worker_kind());
        let id = lesson.id;
        if !lesson.worker_kinds.contains(&kind) {
            return Err(format!(
                "the lesson {id} does not support `--as {kind}`; leave `--as` out"
            ));
        }
        let parameters: Vec<_> = lesson.parameters_of(kind).collect();
        let is_allowed = |name: &str, number: f64| {
            let parameter = parameters.iter().find(|parameter| parameter.id == name);
            parameter.is_some_and(|parameter| parameter.allows(number))
        };
        let mut settings = self.settings.iter();
        let Some((name, number)) = settings.find(|(name, number)| !is_allowed(name, *number))
        else {
            return Ok(());
        };
        let known: Vec<_> = parameters.iter().map(ToString::to_string).collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        Err(format!(
            "the lesson {id} with `--as {kind}` does not accept {name}={number}; its parameters: \
             {known}"
        ))
    }

    fn into_options(self) -> LessonRunOptions {
        LessonRunOptions {
            worker_kind: self.worker_kind(),
            lesson: self.lesson,
            speed: self.speed,
            parameters: self.settings.into_iter().collect(),
        }
    }
}

pub(super) fn lesson_child(args: &LessonChildArgs) -> anyhow::Result<ExitCode> {
    lessons::child_main(args.lesson, &args.role)
}

/// Runs the command. The exit code is 1 if a lesson did not go as expected.
///
/// # Errors
/// If the lesson can't be started, or if its transcript can't be printed.
pub(super) fn lesson(command: LessonSubcommand, leave: ExitFn) -> anyhow::Result<ExitCode> {
    match command {
        LessonSubcommand::List => list(),
        LessonSubcommand::Run(args) => run(args, leave),
    }
}

fn list() -> anyhow::Result<ExitCode> {
    let lines = LessonId::all().map(|id| {
        let lesson = id.lesson();
        let kinds = lesson.worker_kinds.iter().map(ToString::to_string);
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        format!("{:<16} {} ({kinds})\n", lesson.id, lesson.title)
    });
    print(lines.collect::<String>().as_bytes(), "the list")?;
    Ok(ExitCode::SUCCESS)
}

fn run(args: LessonRunArgs, leave: ExitFn) -> anyhow::Result<ExitCode> {
    let (wake, woken) = crossbeam_channel::bounded(1);
    let interrupt = Interrupt::listen(leave).context("could not listen for Ctrl-C")?;
    interrupt.token().on_cancel(waker(wake.clone())).keep();
    let launcher = Launcher::installed().context("this program has installed no launcher")?;
    let trace_args = args.trace.clone();
    let run = LessonRun::start(args.into_options(), launcher, waker(wake));
    let mut run = run.context("the lesson could not be started")?;
    let mut printed = Ok(0);
    let outcome = loop {
        // It fails only without a run to wake this thread.
        Select::new().receiver(&woken).wait().ok();
        woken.try_recv().ok();
        run.poll();
        printed = printed.and_then(|printed| print_from(printed, &run));
        if interrupt.request().is_some() || printed.is_err() {
            run.stop();
        }
        if let Some(outcome) = run.outcome() {
            break outcome;
        }
    };
    printed?;
    print_message(&outcome.to_string());
    if trace_args.file.is_some() {
        let mut trace = Trace::default();
        run.add_to(&mut trace, GroupId::new(1));
        trace_args.save(&trace)?;
    }
    Ok(match outcome {
        LessonOutcome::AsExpected => ExitCode::SUCCESS,
        // Nothing else stops a lesson here.
        LessonOutcome::Stopped => {
            interrupt::end(interrupt.request().unwrap_or(EndRequest::Interrupt))
        }
        LessonOutcome::Unexpected(_) | LessonOutcome::Failed(_) => ExitCode::from(FAILED),
    })
}

/// Prints the messages from this number on, and returns the number of the next one.
fn print_from(first: usize, run: &LessonRun) -> anyhow::Result<usize> {
    let log = run.log();
    let messages = log.messages().iter();
    // A message of a child may arrive late: then its number is not that of its place.
    let new = messages.filter(|message| message.number >= first);
    let lines: String = new
        .map(|message| log.transcript_line(message) + "\n")
        .collect();
    print(lines.as_bytes(), "the transcript")?;
    Ok(log.messages().len())
}
