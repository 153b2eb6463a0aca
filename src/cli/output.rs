//! The result of a job on stdout or in a file, and what went wrong on stderr.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::{Format, complain};
use crate::jobs::checksum::list;
use crate::jobs::{Options, Output, save};
use crate::record::{self, ItemRecord, ItemState, JobRecord, JobState};

/// Shows how a job ended: its result on stdout or in `file`, and, as text, a sentence on stderr
/// for everything that did not return.
///
/// # Errors
/// The result could not be written. That nobody reads stdout any more is none.
pub(super) fn show(
    job: &JobRecord,
    now: Duration,
    format: Format,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    if format == Format::Text {
        complain_of(job);
    }
    let Some(file) = file else {
        let mut out = BufWriter::new(io::stdout().lock());
        return unless_closed(write(job, now, format, &mut out).and_then(|()| out.flush()))
            .context("the result could not be written to stdout");
    };
    let mut bytes = Vec::new();
    write(job, now, format, &mut bytes)?;
    Ok(save::save(file, &bytes)?)
}

fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

fn write(job: &JobRecord, now: Duration, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Json => record::write_json(job, now, out),
        Format::Text => job.items().iter().try_for_each(|item| {
            if let ItemState::Returned(output) = &item.state {
                out.write_all(&line(job, item, output))?;
            }
            Ok(())
        }),
    }
}

/// The line of an item that returned: in a list of checksums what `sha256sum` writes there, when
/// verifying what `sha256sum -c` says.
fn line(job: &JobRecord, item: &ItemRecord, output: &Output) -> Vec<u8> {
    match (output, &job.spec().options) {
        (Output::Checksum(_), Options::Checksum(options)) if options.verify => {
            let mut line = item.input.as_os_str().as_encoded_bytes().to_vec();
            line.extend_from_slice(b": OK\n");
            line
        }
        (Output::Checksum(checksum), _) => list::line(checksum, &item.input),
        (Output::Text { text }, _) => format!("{text}\n").into_bytes(),
    }
}

fn complain_of(job: &JobRecord) {
    for item in job.items() {
        match &item.state {
            ItemState::Failed(error) => complain(&error.message),
            ItemState::Panicked(panic) => complain(&format!(
                "{} panicked{}: {}",
                item.input.display(),
                place(panic.location.as_deref()),
                panic.message
            )),
            _ => {}
        }
    }
    if let JobState::Panicked(panic) = job.state() {
        complain(&format!(
            "the job itself panicked{}: {}",
            place(panic.location.as_deref()),
            panic.message
        ));
    }
    let counts = job.counts();
    if counts.returned < counts.total() {
        complain(&summary(job));
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
        (counts.cancelled, "cancelled"),
        (counts.waiting + counts.running, "timed out"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!("{} items: {}", counts.total(), parts.join(", "))
}
