//! `meanwhile lesson`: lessons without a window.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::interrupt::Interrupts;
use super::{FAILED, INTERRUPTED, Leave, complain, print};
use crate::join::process::Launcher;
use crate::lessons::{self, Cast, Choice, Ending, LessonId, Run};
use crate::record::Message;

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

impl LessonCommand {
    /// What the parser can't know is wrong.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Self::List => Ok(()),
            Self::Run(args) => args.check(),
        }
    }
}

impl LessonRunArgs {
    fn cast(&self) -> Cast {
        self.cast.unwrap_or(self.lesson.lesson().cast[0])
    }

    fn check(&self) -> Result<(), String> {
        let (lesson, cast) = (self.lesson.lesson(), self.cast());
        let id = lesson.id;
        if !lesson.cast.contains(&cast) {
            return Err(format!(
                "the lesson {id} does not run as {cast}; leave `--as` out"
            ));
        }
        let known: Vec<_> = lesson.parameters_of(cast).collect();
        let fits = |name: &str, number: f64| {
            let parameter = known.iter().find(|parameter| parameter.id == name);
            parameter.is_some_and(|parameter| parameter.takes(number))
        };
        let Some((name, number)) = self
            .settings
            .iter()
            .find(|(name, number)| !fits(name, *number))
        else {
            return Ok(());
        };
        let known: Vec<_> = known.iter().map(ToString::to_string).collect();
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        };
        Err(format!(
            "the lesson {id} as {cast} can't be run with {name}={number}; its parameters: {known}"
        ))
    }

    fn into_choice(self) -> Choice {
        Choice {
            cast: self.cast(),
            lesson: self.lesson,
            speed: self.speed,
            parameters: self.settings.into_iter().collect(),
        }
    }
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
    print(lines.collect::<String>().as_bytes(), "the list")?;
    Ok(ExitCode::SUCCESS)
}

fn run(args: LessonRunArgs, leave: Leave) -> anyhow::Result<ExitCode> {
    let interrupts = Interrupts::listen(leave, || ()).context("Ctrl-C can't be listened for")?;
    let launcher = Launcher::installed().context("this program has installed no launcher")?;
    let run = Run::start(args.into_choice(), launcher, || ());
    let mut run = run.context("the lesson could not be started")?;
    let mut printed = Ok(0);
    let ending = loop {
        run.rest(GLANCE);
        run.poll();
        printed = printed.and_then(|printed| print_since(printed, &run));
        if interrupts.any() || printed.is_err() {
            run.stop();
        }
        if let Some(ending) = run.ending() {
            break ending;
        }
    };
    printed?;
    complain(&ending.to_string());
    Ok(match ending {
        Ending::Held => ExitCode::SUCCESS,
        Ending::Stopped => ExitCode::from(INTERRUPTED),
        Ending::NotHeld(_) | Ending::Failed(_) => ExitCode::from(FAILED),
    })
}

/// Prints what has come since so many lines were printed, and returns how many are printed now.
fn print_since(printed: usize, run: &Run) -> anyhow::Result<usize> {
    let said = run.told().said();
    let line = |said: &Message| {
        let who = run.told().timeline().name(said.lane);
        format!("{:>8.3}  {who:<12} {}\n", said.at.as_secs_f64(), said.text)
    };
    // What another process has said may come later than what was said after it.
    let new = said.iter().filter(|said| said.number >= printed);
    let lines: String = new.map(line).collect();
    print(lines.as_bytes(), "the transcript")?;
    Ok(said.len())
}
