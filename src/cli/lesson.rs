//! `meanwhile lesson`: lessons without a window.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::interrupt::Interrupts;
use super::{FAILED, INTERRUPTED, Leave, complain};
use crate::join::process::Launcher;
use crate::lessons::{self, Cast, Choice, Ending, LessonId, Run};
use crate::record::Said;

/// How often news of a run are printed.
const GLANCE: Duration = Duration::from_millis(50);

#[derive(Debug, Subcommand)]
pub(super) enum LessonCommand {
    /// Print the lessons.
    List,
    /// Run a lesson and print who says what when.
    Run(LessonRunArgs),
}

#[derive(Debug, Args)]
pub(super) struct LessonRunArgs {
    /// Which lesson.
    #[arg(value_name = "ID")]
    lesson: LessonId,
    /// With what it runs [default: the first that it can].
    #[arg(long = "as", value_enum, value_name = "CAST")]
    cast: Option<Cast>,
    /// By how much every pause is shortened.
    #[arg(long, value_name = "X", default_value = "1", value_parser = speed)]
    speed: f64,
    /// Another value of one of its parameters.
    #[arg(long = "set", value_name = "NAME=NUMBER", value_parser = setting)]
    settings: Vec<(String, f64)>,
}

/// A child process of a lesson.
#[derive(Debug, Args)]
pub(super) struct ActArgs {
    lesson: LessonId,
    role: String,
}

fn speed(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|error| format!("{error}"))?;
    let is_sane = (0.01..=1_000.0).contains(&number);
    is_sane
        .then_some(number)
        .ok_or_else(|| "a number from 0.01 to 1000".to_owned())
}

fn setting(text: &str) -> Result<(String, f64), String> {
    let (name, number) = text.split_once('=').ok_or("a name, = and a number")?;
    let number = number
        .parse()
        .map_err(|error| format!("{number}: {error}"))?;
    Ok((name.to_owned(), number))
}

pub(super) fn act(args: &ActArgs) -> anyhow::Result<ExitCode> {
    lessons::act(args.lesson, &args.role)
}

/// Does what the command asks for. The exit code is 1 when a lesson did not go as it says.
///
/// # Errors
/// The lesson could not be started so, or its transcript not be printed.
pub(super) fn lesson(command: LessonCommand, leave: Leave) -> anyhow::Result<ExitCode> {
    match command {
        LessonCommand::List => list(),
        LessonCommand::Run(args) => run(args, leave),
    }
}

fn list() -> anyhow::Result<ExitCode> {
    let lines = LessonId::all().map(|id| {
        let lesson = id.lesson();
        let cast = lesson.cast.iter().map(ToString::to_string);
        let cast = cast.collect::<Vec<_>>().join(", ");
        format!("{:<16} {} ({cast})\n", lesson.id, lesson.title)
    });
    print(&lines.collect::<String>())?;
    Ok(ExitCode::SUCCESS)
}

fn run(args: LessonRunArgs, leave: Leave) -> anyhow::Result<ExitCode> {
    let choice = choice(args)?;
    let interrupts = Interrupts::listen(leave, || ()).context("Ctrl-C can't be listened for")?;
    let launcher = Launcher::installed().context("this program has installed no launcher")?;
    let run = Run::start(choice, launcher, || ());
    let mut run = run.context("the lesson could not be started")?;
    let mut printed = 0;
    while run.ending().is_none() {
        run.rest(GLANCE);
        run.poll();
        if interrupts.any() {
            run.stop();
        }
        printed = print_since(printed, &run)?;
    }
    let Some(ending) = run.ending() else {
        anyhow::bail!("the lesson ended without an end");
    };
    complain(&ending.to_string());
    Ok(match ending {
        Ending::Held => ExitCode::SUCCESS,
        Ending::Stopped => ExitCode::from(INTERRUPTED),
        Ending::NotHeld(_) | Ending::Failed(_) => ExitCode::from(FAILED),
    })
}

fn choice(args: LessonRunArgs) -> anyhow::Result<Choice> {
    let lesson = args.lesson.lesson();
    let cast = args.cast.unwrap_or(lesson.cast[0]);
    anyhow::ensure!(
        lesson.cast.contains(&cast),
        "the lesson {} does not run as {cast}; leave `--as` out",
        lesson.id
    );
    for (name, _) in &args.settings {
        let names = lesson.parameters.iter().map(|parameter| parameter.id);
        let names = names.collect::<Vec<_>>().join(", ");
        anyhow::ensure!(
            lesson.parameter(name).is_some(),
            "the lesson {} has no parameter `{name}`; it has: {names}",
            lesson.id
        );
    }
    Ok(Choice {
        lesson: args.lesson,
        cast,
        speed: args.speed,
        parameters: args.settings.into_iter().collect::<BTreeMap<_, _>>(),
    })
}

/// Prints what was said since so many lines were printed, and returns how many are printed now.
fn print_since(printed: usize, run: &Run) -> anyhow::Result<usize> {
    let said = run.told().said();
    let line = |said: &Said| {
        let who = run.told().timeline().name(said.lane);
        format!("{:>8.3}  {who:<12} {}\n", said.at.as_secs_f64(), said.text)
    };
    let lines: String = said[printed..].iter().map(line).collect();
    print(&lines)?;
    Ok(said.len())
}

/// Prints to stdout; that nobody reads it any more is no error.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("the transcript could not be written to stdout")
        }
        _ => Ok(()),
    }
}
