//! `meanwhile trace compare`: what differs between two traces.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::{print_with, read};
use crate::format;
use crate::trace::{Comparison, Difference, Trace, compare as compare_traces};

/// The differences that are printed if nothing else is asked for.
const SHOWN: usize = 40;

#[derive(Debug, Args)]
pub(in crate::cli) struct CompareArgs {
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
pub(super) fn compare(args: &CompareArgs) -> anyhow::Result<ExitCode> {
    let [before, after] = match args.groups.as_slice() {
        [] => [None, None],
        [both] => [Some(both), Some(both)],
        [before, after] => [Some(before), Some(after)],
        _ => anyhow::bail!("--group was given more than twice; give one group for each trace."),
    };
    let before = read_group(&args.before, before)?;
    let after = read_group(&args.after, after)?;
    let mut comparison = compare_traces(&before, &after);
    let rest = comparison.differences.len().saturating_sub(args.limit);
    comparison.differences.truncate(args.limit);
    comparison.left_out += rest;
    print_with(|out| {
        if args.json {
            let document = Document::of(&comparison);
            serde_json::to_writer_pretty(&mut *out, &document).map_err(io::Error::from)?;
            return writeln!(out);
        }
        out.write_all(text(&comparison).as_bytes())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Reads a trace, or the groups of it with this name.
fn read_group(path: &Path, group: Option<&String>) -> anyhow::Result<Trace> {
    let trace = read(path)?;
    let Some(name) = group else {
        return Ok(trace);
    };
    let shown = path.display();
    let named = trace.groups().filter(|(_, group)| group.name == *name);
    let groups: Vec<_> = named.map(|(id, _)| id).collect();
    if groups.is_empty() {
        let names = trace.groups().map(|(_, group)| group.name.as_str());
        let names: Vec<_> = names.take(SHOWN).collect();
        anyhow::bail!(
            "{shown} has no group `{name}`; choose one of: {}.",
            names.join("; ")
        );
    }
    Ok(trace.only(&groups))
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
