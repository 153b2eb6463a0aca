//! `meanwhile trace`: traces from files. Other commands write one with `--trace`.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::exit_codes;
use super::print;
use crate::format;
use crate::jobs::save;
use crate::trace::{Comparison, Difference, Trace, compare, read_chrome, write_chrome};

/// The differences that are printed if nothing else is asked for.
const SHOWN: usize = 40;

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
    /// Print what differs between two traces: what vanished, what is new, longer, shorter or at another time.
    ///
    /// They are aligned at their begins. Groups, such as jobs, are paired by their names, lanes too, and spans by their
    /// names and their order.
    #[command(after_long_help = exit_codes::OF_TRACE_COMPARE)]
    Compare(CompareArgs),
}

#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// The trace of the run before.
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The trace of the run after it. It may be the same file, with two `--group`.
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    /// Compare the group with this name alone. Given twice, the first one is that of BEFORE and the second one that of
    /// AFTER.
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// How many differences to print at most.
    #[arg(long, value_name = "N", default_value_t = SHOWN)]
    limit: usize,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// A trace can't be read, it has no such group, or the output could not be written.
pub(super) fn trace(command: TraceSubcommand) -> anyhow::Result<ExitCode> {
    let TraceSubcommand::Compare(args) = command;
    let [before, after] = match args.groups.as_slice() {
        [] => [None, None],
        [both] => [Some(both), Some(both)],
        [before, after] => [Some(before), Some(after)],
        _ => anyhow::bail!("--group was given more than twice; give one group for each trace."),
    };
    let before = read(&args.before, before)?;
    let after = read(&args.after, after)?;
    let mut comparison = compare(&before, &after);
    let rest = comparison.differences.len().saturating_sub(args.limit);
    comparison.differences.truncate(args.limit);
    comparison.left_out += rest;
    if args.json {
        let mut out = BufWriter::new(io::stdout().lock());
        let document = Document::of(&comparison);
        let written = serde_json::to_writer_pretty(&mut out, &document).map_err(io::Error::from);
        let written = written
            .and_then(|()| writeln!(out))
            .and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                return Err(error).context("the comparison could not be written to stdout");
            }
            _ => {}
        }
    } else {
        print(text(&comparison).as_bytes(), "the comparison")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a trace, or the groups of it with this name.
fn read(path: &Path, group: Option<&String>) -> anyhow::Result<Trace> {
    let shown = path.display();
    let file = File::open(path).with_context(|| format!("{shown} can't be read"))?;
    let read = read_chrome(file).with_context(|| format!("{shown} can't be read as a trace"))?;
    for note in read.notes {
        super::print_message(&format!("{shown}: {note}"));
    }
    let Some(name) = group else {
        return Ok(read.trace);
    };
    let groups: Vec<_> = read
        .trace
        .groups()
        .filter(|(_, group)| group.name == *name)
        .map(|(id, _)| id)
        .collect();
    if groups.is_empty() {
        let names = read.trace.groups().map(|(_, group)| group.name.as_str());
        let names: Vec<_> = names.take(SHOWN).collect();
        anyhow::bail!(
            "{shown} has no group `{name}`; choose one of: {}.",
            names.join("; ")
        );
    }
    Ok(read.trace.only(&groups))
}

fn text(comparison: &Comparison) -> String {
    let differences = comparison.differences.iter();
    let lines = differences.map(|it| format!("{} ({})", it.text(), it.place()));
    let mut lines: Vec<String> = lines.collect();
    if comparison.left_out > 0 {
        let left_out = format::plural(comparison.left_out, "difference", "differences");
        lines.push(format!("… and {left_out} more"));
    }
    if lines.is_empty() {
        lines.push("nothing differs".to_owned());
    }
    let common = format::plural(comparison.common, "span is", "spans are");
    lines.push(format!("{common} in both\n"));
    lines.join("\n")
}

/// The comparison as JSON.
#[derive(Serialize)]
struct Document<'a> {
    /// The number of spans in both.
    common: usize,
    left_out: usize,
    differences: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    change: &'static str,
    name: &'a str,
    state: &'static str,
    group: &'a str,
    lane: &'a str,
    spans: usize,
    before_seconds: f64,
    after_seconds: f64,
    moved_seconds: f64,
}

impl<'a> Document<'a> {
    fn of(comparison: &'a Comparison) -> Self {
        let differences = comparison.differences.iter();
        Self {
            common: comparison.common,
            left_out: comparison.left_out,
            differences: differences.map(Entry::of).collect(),
        }
    }
}

impl<'a> Entry<'a> {
    fn of(difference: &'a Difference) -> Self {
        let seconds = |nanos: u64| nanos as f64 / 1e9;
        let moved = seconds(difference.moved.unsigned_abs());
        Self {
            change: difference.change.label(),
            name: &difference.name,
            state: difference.state.label(),
            group: &difference.group,
            lane: &difference.lane,
            spans: difference.count,
            before_seconds: seconds(difference.before),
            after_seconds: seconds(difference.after),
            moved_seconds: if difference.moved < 0 { -moved } else { moved },
        }
    }
}
