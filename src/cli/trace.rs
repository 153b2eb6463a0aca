//! `meanwhile trace`: what the file of a trace says, without a window.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};

use super::output::ignore_broken_pipe;
use super::{exit_codes, print_message};
use crate::trace::{Statistics, Trace, read_chrome, statistics_json, statistics_text};

#[derive(Debug, Subcommand)]
pub(super) enum TraceSubcommand {
    /// Say how long items took, how many ran at once, and what the end hung on, for each job or process of a trace.
    #[command(after_long_help = exit_codes::OF_TRACE)]
    Statistics(StatisticsArgs),
}

#[derive(Debug, Args)]
pub(super) struct StatisticsArgs {
    /// A trace of this program, or of another one in the format of Chrome.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// The file can't be read, has no trace, or the result could not be printed.
pub(super) fn trace(command: &TraceSubcommand) -> anyhow::Result<ExitCode> {
    match command {
        TraceSubcommand::Statistics(args) => statistics(args),
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
