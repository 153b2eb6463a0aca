//! Prints the result of a job on stdout or to a file, and its failures on stderr.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::{Format, print_message};
use crate::format;
use crate::jobs::{ProcessRun, save};
use crate::record::{self, Crash, ItemRecord, ItemState, JobRecord, JobState};

/// Prints the result of a job on stdout or to `file` and, with [`Format::Text`], a message on stderr
/// for every item that did not return.
///
/// # Errors
/// The result could not be written. A closed stdout is not an error.
pub(super) fn show(
    job: &JobRecord,
    now: Duration,
    format: Format,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    if format == Format::Text {
        print_failures(job);
    }
    let Some(file) = file else {
        let mut out = BufWriter::new(io::stdout().lock());
        return ignore_broken_pipe(write(job, now, format, &mut out).and_then(|()| out.flush()))
            .context("the result could not be written to stdout");
    };
    let mut bytes = Vec::new();
    write(job, now, format, &mut bytes)?;
    Ok(save::save(file, &bytes)?)
}

fn ignore_broken_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn write(job: &JobRecord, now: Duration, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Json => record::write_json(job, now, out),
        Format::Text => job.items().iter().try_for_each(|item| {
            if let Some(ran) = item.ran() {
                out.write_all(&ran.stdout.bytes)?;
            } else if let ItemState::Returned(output) = &item.state {
                out.write_all(&output.line(&item.input))?;
            }
            Ok(())
        }),
    }
}

fn print_failures(job: &JobRecord) {
    for item in job.items().iter() {
        if let Some(ran) = item.ran() {
            print_stderr(item, ran);
        }
        match &item.state {
            // The stderr of the command was printed just before.
            ItemState::Failed(error) if item.ran().is_some() => {
                print_message(error.message.lines().next().unwrap_or_default());
            }
            ItemState::Failed(error) => print_message(&error.message),
            ItemState::Panicked(panic) => print_message(&format!(
                "{} panicked{}: {}",
                item.input.display(),
                place(panic.location.as_deref()),
                panic.message
            )),
            ItemState::Crashed(crash) => print_crash(&item.input, crash),
            _ => {}
        }
    }
    if let JobState::Panicked(panic) = job.state() {
        print_message(&format!(
            "the job itself panicked{}: {}",
            place(panic.location.as_deref()),
            panic.message
        ));
    }
    let counts = job.counts();
    if counts.returned < counts.total() {
        print_message(&summary(job));
    }
}

/// Prints one sentence, and below it the last lines of the worker's stderr.
fn print_crash(input: &Path, crash: &Crash) {
    let mut text = format!("{} crashed: {}", input.display(), crash.message);
    for line in crash.stderr.lines() {
        text.push_str("\n    ");
        text.push_str(line);
    }
    print_message(&text);
}

/// Prints the stderr of a command, and how much of its output was dropped.
fn print_stderr(item: &ItemRecord, ran: &ProcessRun) {
    // There is no other place for it if stderr can't be written.
    io::stderr().lock().write_all(&ran.stderr.bytes).ok();
    for (stream, printed) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        if printed.dropped() > 0 {
            let (name, dropped) = (item.input.display(), format::bytes(printed.dropped()));
            print_message(&format!(
                "{name}: the first {dropped} of {stream} were dropped; \
                 raise --output-limit to keep more"
            ));
        }
    }
}

fn place(location: Option<&str>) -> String {
    location.map_or_else(String::new, |location| format!(" at {location}"))
}

/// Such as `3 items: 2 returned, 1 cancelled`.
fn summary(job: &JobRecord) -> String {
    let counts = job.counts();
    let parts = [
        (counts.returned, "returned"),
        (counts.failed, "failed"),
        (counts.panicked, "panicked"),
        (counts.crashed, "crashed"),
        (counts.cancelled, "cancelled"),
        (counts.waiting + counts.running, "timed out"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let items = format::plural(counts.total(), "item", "items");
    format!("{items}: {}", parts.join(", "))
}
