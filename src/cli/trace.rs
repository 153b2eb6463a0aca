//! `meanwhile trace`: what the file of a trace says, without a window.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use super::output::ignore_broken_pipe;
use super::{exit_codes, print_message};
use crate::trace::{
    CsvKind, Statistics, Trace, read_chrome, statistics_json, statistics_text, write_csv,
};

#[derive(Debug, Subcommand)]
pub(super) enum TraceSubcommand {
    /// Say how long items took, how many ran at once, and what the end hung on, for each job or process of a trace.
    #[command(after_long_help = exit_codes::OF_TRACE)]
    Statistics(StatisticsArgs),
    /// Print the items, waits and frames of a trace as comma-separated values.
    #[command(after_long_help = exit_codes::OF_TRACE)]
    Csv(CsvArgs),
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
        print_message(note);
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
