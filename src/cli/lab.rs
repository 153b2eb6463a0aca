//! `meanwhile lab`: the Freeze Lab from a shell. It needs a display.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};

use super::exit_codes;
use super::interrupt::{self, Interrupt};
use super::trace::TraceArgs;
use super::{ExitFn, FAILED, duration, print, print_message};
use crate::desktop::Display;
use crate::join::process::Launcher;
use crate::lab::{
    LabReport, PatternId, RunQueue, RunRecord, SavedReport, TwinRunOptions, Variant, WorkKind,
    comparison, run_twin,
};

/// Longer work would only keep the user waiting.
const MAX_WORK_TIME: Duration = Duration::from_hours(24);

#[derive(Debug, Subcommand)]
pub(super) enum LabSubcommand {
    /// Print the patterns, one per line.
    #[command(after_long_help = exit_codes::OF_LIST)]
    List,
    /// Run patterns in real windows and print the measurements.
    #[command(after_long_help = exit_codes::OF_LAB)]
    Run(LabRunArgs),
    /// Print saved reports side by side, such as those of several machines.
    ///
    /// `meanwhile lab run --format json` and `Save report…` in the window write such files.
    #[command(after_long_help = exit_codes::OF_LAB_COMPARE)]
    Compare {
        /// Reports in JSON.
        #[arg(value_name = "FILE", required = true)]
        reports: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(super) struct LabRunArgs {
    /// The patterns to run [default: all].
    #[arg(value_name = "PATTERN")]
    patterns: Vec<PatternId>,
    /// Run only this variant.
    #[arg(long, value_enum)]
    variant: Option<Variant>,
    /// What the work consists of.
    #[arg(long, value_enum, default_value_t)]
    work: WorkKind,
    /// How long the work takes.
    #[arg(long, value_name = "TIME", default_value = "2", value_parser = work_time)]
    secs: Duration,
    /// How often to run each variant; the report shows medians.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    repeat: u16,
    /// The format of the report.
    #[arg(long, value_enum, default_value_t)]
    format: LabFormat,
    #[command(flatten)]
    trace: TraceArgs,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum LabFormat {
    /// One line per pattern.
    #[default]
    Text,
    /// One JSON document with all figures.
    Json,
    /// A Markdown table.
    Markdown,
}

/// Opens a twin's window. The Lab runs this command.
#[derive(Debug, Args)]
pub(super) struct TwinArgs {
    pattern: PatternId,
    variant: Variant,
    #[arg(long, value_enum, default_value_t)]
    work: WorkKind,
    #[arg(long, default_value = "2", value_parser = work_time)]
    secs: Duration,
    #[arg(long)]
    by_hand: bool,
    #[arg(long, value_parser = position, allow_hyphen_values = true)]
    position: Option<[f32; 2]>,
}

/// Parses the length of work.
fn work_time(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    let is_allowed = time <= MAX_WORK_TIME;
    is_allowed
        .then_some(time)
        .ok_or_else(|| format!("expected {} seconds at most", MAX_WORK_TIME.as_secs()))
}

fn position(text: &str) -> Result<[f32; 2], String> {
    let (x, y) = text.split_once(',').ok_or("expected two numbers, X,Y")?;
    let number = |text: &str| text.parse().map_err(|error| format!("{text}: {error}"));
    Ok([number(x)?, number(y)?])
}

pub(super) fn twin(args: &TwinArgs) -> anyhow::Result<ExitCode> {
    run_twin(&TwinRunOptions {
        pattern: args.pattern,
        variant: args.variant,
        work: args.work,
        length: args.secs,
        is_manual: args.by_hand,
        position: args.position,
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the command. The exit code is 1 if a run has no figures.
///
/// # Errors
/// There is no display, or the output could not be written.
pub(super) fn lab(command: LabSubcommand, leave: ExitFn) -> anyhow::Result<ExitCode> {
    match command {
        LabSubcommand::List => list(),
        LabSubcommand::Run(args) => run(&args, leave),
        LabSubcommand::Compare { reports } => compare(&reports),
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

fn compare(reports: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let reports: Result<Vec<_>, _> = reports.iter().map(|path| SavedReport::read(path)).collect();
    let reports = reports.map_err(anyhow::Error::msg)?;
    print(comparison(&reports).as_bytes(), "the comparison")?;
    Ok(ExitCode::SUCCESS)
}

fn run(args: &LabRunArgs, leave: ExitFn) -> anyhow::Result<ExitCode> {
    if let Err(why) = Display::find() {
        anyhow::bail!("{why} The Freeze Lab needs one; `meanwhile lab list` works without.");
    }
    let launcher = Launcher::installed().context("the launcher is not installed")?;
    let interrupt = Interrupt::listen(leave).context("could not listen for Ctrl-C")?;
    let mut queue = RunQueue::new(launcher);
    for options in runs(args) {
        queue.add(options);
    }
    let mut printed = 0;
    loop {
        queue.poll(usize::MAX);
        for record in &queue.done()[printed..] {
            print_record(record);
        }
        printed = queue.done().len();
        if interrupt.token().is_cancelled() {
            queue.stop();
        }
        match queue.run() {
            Some(run) => run.wait(interrupt.token()),
            None if queue.is_busy() => {}
            None => break,
        }
    }
    let report = LabReport::of(&queue);
    print(&document(&report, args.format)?, "the report")?;
    args.trace.save(queue.trace())?;
    let all_have_figures = queue.done().iter().all(|run| run.figures.is_some());
    Ok(if let Some(request) = interrupt.request() {
        interrupt::end(request)
    } else if all_have_figures {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

fn runs(args: &LabRunArgs) -> impl Iterator<Item = TwinRunOptions> {
    let named = args.patterns.iter().copied();
    let all = PatternId::all().filter(|_| args.patterns.is_empty());
    let variants = Variant::ALL
        .into_iter()
        .filter(|variant| args.variant.is_none_or(|only| only == *variant));
    let once = named.chain(all).flat_map(move |pattern| {
        variants.clone().map(move |variant| TwinRunOptions {
            pattern,
            variant,
            work: args.work,
            length: args.secs,
            is_manual: false,
            position: None,
        })
    });
    let once: Vec<TwinRunOptions> = once.collect();
    (0..args.repeat).flat_map(move |_| once.clone())
}

/// Prints the metric of a run to standard error.
fn print_record(record: &RunRecord) {
    let metric = record.pattern.entry().metric;
    let figures = record.figures.as_ref();
    let text = match figures.and_then(|figures| metric.value(figures)) {
        Some(value) => metric.text(value),
        None => format!("no figures, {}", record.ending),
    };
    print_message(&format!("{} {}: {text}", record.pattern, record.variant));
}

fn document(report: &LabReport, format: LabFormat) -> io::Result<Vec<u8>> {
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
