//! `meanwhile lab`: the Freeze Lab from a shell that has a display.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};

use super::interrupt::Interrupts;
use super::{FAILED, INTERRUPTED, Leave, print, print_message, seconds};
use crate::desktop::has_display;
use crate::join::process::Launcher;
use crate::lab::{
    Choice, Kind, PatternId, Report, RunRecord, Session, TwinOptions, Variant, run_twin,
};

/// How long the program rests between two looks at a twin.
const GLANCE: Duration = Duration::from_millis(50);

#[derive(Debug, Subcommand)]
pub(super) enum LabCommand {
    /// Print the patterns, a line each.
    List,
    /// Run patterns, each in a window of its own, and print what was measured.
    Run(LabRunArgs),
}

#[derive(Debug, Args)]
pub(super) struct LabRunArgs {
    /// Which patterns [default: all].
    #[arg(value_name = "PATTERN")]
    patterns: Vec<PatternId>,
    /// Only this half of them.
    #[arg(long, value_enum)]
    variant: Option<Variant>,
    /// What is worked on.
    #[arg(long, value_enum, default_value_t)]
    work: Kind,
    /// How long the work takes.
    #[arg(long, value_name = "SECS", default_value = "2", value_parser = seconds)]
    secs: Duration,
    /// How often each is run; medians are shown.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    repeat: u16,
    /// What the report looks like.
    #[arg(long, value_enum, default_value_t)]
    format: LabFormat,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum LabFormat {
    /// A line for each pattern.
    #[default]
    Text,
    /// One JSON document with every figure.
    Json,
    /// A table.
    Markdown,
}

/// The window of a twin; started by the Lab.
#[derive(Debug, Args)]
pub(super) struct TwinArgs {
    pattern: PatternId,
    variant: Variant,
    #[arg(long, value_enum, default_value_t)]
    work: Kind,
    #[arg(long, default_value = "2", value_parser = seconds)]
    secs: Duration,
    #[arg(long)]
    by_hand: bool,
    #[arg(long, value_parser = position, allow_hyphen_values = true)]
    position: Option<[f32; 2]>,
}

fn position(text: &str) -> Result<[f32; 2], String> {
    let (x, y) = text
        .split_once(',')
        .ok_or("two numbers with a comma between")?;
    let number = |text: &str| text.parse().map_err(|error| format!("{text}: {error}"));
    Ok([number(x)?, number(y)?])
}

pub(super) fn twin(args: &TwinArgs) -> anyhow::Result<ExitCode> {
    run_twin(&TwinOptions {
        pattern: args.pattern,
        variant: args.variant,
        kind: args.work,
        length: args.secs,
        by_hand: args.by_hand,
        position: args.position,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Does what the command asks for. The exit code is 1 when a run gave no figures.
///
/// # Errors
/// There is no display, or the report could not be written.
pub(super) fn lab(command: LabCommand, leave: Leave) -> anyhow::Result<ExitCode> {
    match command {
        LabCommand::List => list(),
        LabCommand::Run(args) => run(&args, leave),
    }
}

fn list() -> anyhow::Result<ExitCode> {
    let lines = PatternId::all().map(|id| {
        let (name, entry) = (id.to_string(), id.entry());
        format!("{name:<24} {}: {}\n", entry.bad, entry.symptom)
    });
    print(lines.collect::<String>().as_bytes(), "the list")?;
    Ok(ExitCode::SUCCESS)
}

fn run(args: &LabRunArgs, leave: Leave) -> anyhow::Result<ExitCode> {
    if !has_display() {
        anyhow::bail!(
            "There is no display to measure windows on (neither DISPLAY nor WAYLAND_DISPLAY is \
             set). `meanwhile lab list` works without one."
        );
    }
    let launcher = Launcher::installed().context("this program has installed no launcher")?;
    let interrupts = Interrupts::listen(leave, || ()).context("Ctrl-C can't be listened for")?;
    let mut session = Session::new(launcher);
    for choice in choices(args) {
        session.add(choice);
    }
    let mut told = 0;
    loop {
        session.poll(usize::MAX);
        for record in &session.done()[told..] {
            tell(record);
        }
        told = session.done().len();
        if interrupts.any() {
            session.stop();
        }
        match session.run() {
            Some(run) => run.rest(GLANCE),
            None if session.is_busy() => {}
            None => break,
        }
    }
    let report = Report::of(&session);
    print(&document(&report, args.format)?, "the report")?;
    let all_have_figures = session.done().iter().all(|run| run.figures.is_some());
    Ok(if interrupts.any() {
        ExitCode::from(INTERRUPTED)
    } else if all_have_figures {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

fn choices(args: &LabRunArgs) -> impl Iterator<Item = Choice> {
    let named = args.patterns.iter().copied();
    let all = PatternId::all().filter(|_| args.patterns.is_empty());
    let variants = Variant::ALL
        .into_iter()
        .filter(|variant| args.variant.is_none_or(|only| only == *variant));
    let once = named.chain(all).flat_map(move |pattern| {
        variants.clone().map(move |variant| Choice {
            pattern,
            variant,
            kind: args.work,
            length: args.secs,
            by_hand: false,
            position: None,
        })
    });
    let once: Vec<Choice> = once.collect();
    (0..args.repeat).flat_map(move |_| once.clone())
}

/// Says on stderr what came of a run.
fn tell(record: &RunRecord) {
    let judged = record.pattern.entry().judged;
    let figure = record.figures.as_ref();
    let figure = figure.and_then(|figures| figures.judged_by(judged));
    let what = match figure {
        Some(figure) => judged.show(figure),
        None => format!("no figures: {}", record.ending),
    };
    print_message(&format!("{} {}: {what}", record.pattern, record.variant));
}

fn document(report: &Report, format: LabFormat) -> io::Result<Vec<u8>> {
    let mut document = Vec::new();
    match format {
        LabFormat::Text => document.extend(report.text().bytes()),
        LabFormat::Markdown => document.extend(report.markdown().bytes()),
        LabFormat::Json => {
            report.write_json(&mut document)?;
            document.push(b'\n');
        }
    }
    Ok(document)
}
