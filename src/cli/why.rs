//! `meanwhile why`: says what a process waits for.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::ask::Asked;
use super::{FAILED, print};
use crate::explain::{self, Activity, ProcessIndex, Target, WaitGraph};

/// A ring was found: processes or threads that wait for each other.
const RING: u8 = 4;

/// How often `--watch` looks again.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// What a process waits for, up to the cause.
#[derive(Debug, Args)]
pub(super) struct WhyArgs {
    /// The id of a process, or the name of its program.
    #[arg(value_name = "PID|NAME")]
    process: String,
    /// Also its descendants, a line each.
    #[arg(long)]
    tree: bool,
    /// Look again and again, and say what has changed, until the process ends.
    #[arg(long, conflicts_with = "format")]
    watch: bool,
    /// Ask this runtime too, which knows more of its threads. That may interrupt the process for a moment.
    #[arg(long, value_enum, value_name = "RUNTIME", conflicts_with = "watch")]
    ask: Option<Asked>,
    /// How to print it.
    #[arg(long, value_enum, default_value = "text")]
    format: WhyFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WhyFormat {
    /// A sentence.
    Text,
    /// All processes and threads, and who waits for whom.
    Json,
    /// A picture for Graphviz.
    Dot,
}

/// Explains a process. The exit code is 4 if a ring was found.
///
/// # Errors
/// There is no such process, or what it waits for can't be seen.
pub(super) fn why(args: &WhyArgs) -> anyhow::Result<ExitCode> {
    let pid = pid_of(&args.process)?;
    let look = if args.tree {
        explain::tree
    } else {
        explain::process
    };
    let graph = match args.ask {
        Some(asked) => asked.look(pid, args.tree)?,
        None => look(pid)?,
    };
    if args.watch {
        return watch(graph, || look(pid).ok(), args.tree);
    }
    let text = match args.format {
        WhyFormat::Text => text(&graph, args.tree),
        WhyFormat::Json => document(&graph)?,
        WhyFormat::Dot => graph.dot(),
    };
    print(text.as_bytes(), "the explanation")?;
    Ok(exit_code(&graph))
}

fn exit_code(graph: &WaitGraph) -> ExitCode {
    if !graph.rings().is_empty() {
        ExitCode::from(RING)
    } else if graph.asked().permitted {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    }
}

fn text(graph: &WaitGraph, tree: bool) -> String {
    let mut lines = Vec::new();
    if tree {
        let first = (0..graph.processes.len()).filter_map(|n| graph.first_thread(ProcessIndex(n)));
        let words = graph.words();
        lines.extend(first.map(|thread| words.sentence_of(thread)));
    } else {
        lines.push(graph.sentence());
    }
    lines.extend(graph.notes.iter().cloned());
    lines.push(String::new());
    lines.join("\n")
}

fn document(graph: &WaitGraph) -> anyhow::Result<String> {
    let document = json!({
        "version": 1,
        "sentence": graph.sentence(),
        "rings": graph.rings(),
        "graph": graph,
    });
    let mut text = serde_json::to_string_pretty(&document).context("the explanation is no JSON")?;
    text.push('\n');
    Ok(text)
}

/// Prints what is new, until the process has ended.
fn watch(
    mut graph: WaitGraph,
    look: impl Fn() -> Option<WaitGraph>,
    tree: bool,
) -> anyhow::Result<ExitCode> {
    let mut shown = None;
    loop {
        let shape = Some(shape(&graph));
        if shape != shown {
            print(text(&graph, tree).as_bytes(), "the explanation")?;
            shown = shape;
        }
        // To come back earlier does no harm.
        std::thread::park_timeout(WATCH_INTERVAL);
        match look() {
            Some(next) => graph = next,
            None => return Ok(ExitCode::SUCCESS),
        }
    }
}

/// Who waits for whom, without times and shares, which always change.
fn shape(graph: &WaitGraph) -> Vec<(u32, Activity, Vec<Target>)> {
    let threads = graph.threads.iter();
    threads
        .map(|thread| (thread.tid, thread.activity.clone(), thread.awaits.clone()))
        .collect()
}

/// Returns the process with this id or, if exactly one has it, with this name.
pub(super) fn pid_of(process: &str) -> anyhow::Result<u32> {
    if let Ok(pid) = process.parse() {
        return Ok(pid);
    }
    match explain::processes_named(process)?.as_slice() {
        [] => bail!("no process is named {process}"),
        [pid] => Ok(*pid),
        several => {
            let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
            bail!(
                "{} processes are named {process}; give one of their ids: {}",
                ids.len(),
                ids.join(", ")
            )
        }
    }
}
