//! `meanwhile trace`: what the file of a trace says, without a window. Other commands write one with `--trace`.

mod compare;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use self::compare::CompareArgs;
use super::output::ignore_broken_pipe;
use super::{exit_codes, print_message};
use crate::jobs::save;
use crate::trace::{
    CsvKind, Statistics, Trace, read_chrome, statistics_json, statistics_text, write_chrome,
    write_csv,
};

/// The option for a trace of what a command runs.
#[derive(Clone, Debug, Args)]
pub(super) struct TraceArgs {
    /// Write what ran when, and what waited, to this file, for the page Timeline, Perfetto, speedscope and the
    /// Firefox Profiler.
    #[arg(long = "trace", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
}

impl TraceArgs {
    /// Writes a trace, if that is asked for.
    ///
    /// # Errors
    /// It could not be written.
    pub(super) fn save(&self, trace: &Trace) -> anyhow::Result<()> {
        match &self.file {
            Some(file) => Ok(save::save_with(file, |out| write_chrome(trace, out))?),
            None => Ok(()),
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum TraceSubcommand {
    /// Say how long items took, how many ran at once, and what the end hung on, for each job or process of a trace.
    #[command(after_long_help = exit_codes::OF_TRACE)]
    Statistics(StatisticsArgs),
    /// Print the items, waits and frames of a trace as comma-separated values.
    #[command(after_long_help = exit_codes::OF_TRACE)]
    Csv(CsvArgs),
    /// Print what differs between two traces: what vanished, what is new, longer, shorter or at another time.
    ///
    /// They are aligned at their begins. Groups, such as jobs, are paired by their names, lanes too, and spans by their
    /// names and their order.
    #[command(after_long_help = exit_codes::OF_TRACE_COMPARE)]
    Compare(CompareArgs),
}

#[derive(Debug, Args)]
pub(super) struct StatisticsArgs {
    /// A trace of this program, or of another one in the format of Chrome.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct CsvArgs {
    /// A trace of this program, or of another one in the format of Chrome.
    file: PathBuf,
    /// Only the kinds that are named: the items.
    #[arg(long)]
    items: bool,
    /// The waits.
    #[arg(long)]
    waits: bool,
    /// The frames of the window.
    #[arg(long)]
    frames: bool,
}

impl CsvArgs {
    /// All if none is named.
    fn kinds(&self) -> Vec<CsvKind> {
        let is_named = |kind: &CsvKind| match kind {
            CsvKind::Items => self.items,
            CsvKind::Waits => self.waits,
            CsvKind::Frames => self.frames,
        };
        let named: Vec<_> = CsvKind::ALL.into_iter().filter(is_named).collect();
        if named.is_empty() {
            CsvKind::ALL.to_vec()
        } else {
            named
        }
    }
}

/// Runs the command.
///
/// # Errors
/// The file can't be read, has no trace, or the result could not be printed.
pub(super) fn trace(command: &TraceSubcommand) -> anyhow::Result<ExitCode> {
    match command {
        TraceSubcommand::Statistics(args) => statistics(args),
        TraceSubcommand::Csv(args) => csv(args),
        TraceSubcommand::Compare(args) => compare::compare(args),
    }
}

fn statistics(args: &StatisticsArgs) -> anyhow::Result<ExitCode> {
    let trace = read(&args.file)?;
    let groups = trace.groups().filter_map(|(id, _)| {
        let statistics = Statistics::of(&trace, id, trace.last_at())?;
        Some((id, statistics))
    });
    let groups: Vec<_> = groups.collect();
    if groups.is_empty() {
        bail!("{} has no span.", args.file.display());
    }
    print_with(|out| {
        if args.json {
            return statistics_json(&trace, &groups, out);
        }
        for (place, (id, statistics)) in groups.iter().enumerate() {
            let line = if place > 0 { "\n" } else { "" };
            write!(out, "{line}{}", statistics_text(&trace, *id, statistics))?;
        }
        Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}

fn csv(args: &CsvArgs) -> anyhow::Result<ExitCode> {
    let trace = read(&args.file)?;
    print_with(|out| write_csv(&trace, &args.kinds(), out))?;
    Ok(ExitCode::SUCCESS)
}

/// Reads a trace. What is left out of it is said on stderr.
///
/// # Errors
/// The file can't be read, or has no trace.
fn read(file: &Path) -> anyhow::Result<Trace> {
    let shown = file.display();
    let opened = File::open(file).with_context(|| format!("{shown} can't be read"))?;
    let read = read_chrome(opened).with_context(|| format!("{shown} can't be read as a trace"))?;
    for note in &read.notes {
        print_message(&format!("{shown}: {note}"));
    }
    Ok(read.trace)
}

/// Prints what `write` writes. A closed pipe is not an error.
fn print_with(
    write: impl FnOnce(&mut BufWriter<std::io::StdoutLock<'_>>) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let written = write(&mut out).and_then(|()| out.flush());
    ignore_broken_pipe(written).context("the result could not be written to stdout")
}
