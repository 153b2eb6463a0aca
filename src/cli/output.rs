//! The result of a job on stdout or in a file, and what went wrong on stderr.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use super::{Format, complain};
use crate::jobs::checksum::list;
use crate::jobs::command::Ran;
use crate::jobs::fetch::Fetched;
use crate::jobs::{Options, Output, save};
use crate::record::{self, Crash, ItemRecord, ItemState, JobRecord, JobState};

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
            if let Some(ran) = item.ran() {
                out.write_all(&ran.stdout.bytes)?;
            } else if let ItemState::Returned(output) = &item.state {
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
        (Output::Fetched(fetched), _) => fetched_line(fetched, &item.input),
        (Output::Image(saved), _) => {
            let mut line = saved.saved_to.as_os_str().as_encoded_bytes().to_vec();
            line.push(b'\n');
            line
        }
        (Output::Checksum(checksum), _) => list::line(checksum, &item.input),
        (Output::Command(_) | Output::Text { .. }, _) => format!("{output}\n").into_bytes(),
    }
}

/// Such as `200  1256  0.12  text/html  https://example.com/  out/index.html`, with tabs.
fn fetched_line(fetched: &Fetched, url: &Path) -> Vec<u8> {
    let content_type = fetched.content_type.as_deref().unwrap_or("-");
    let (status, bytes, secs) = (fetched.status, fetched.bytes, fetched.secs);
    let url = url.display();
    let mut line = format!("{status}\t{bytes}\t{secs:.3}\t{content_type}\t{url}\t").into_bytes();
    let file = fetched.saved_to.as_deref().unwrap_or(Path::new("-"));
    line.extend_from_slice(file.as_os_str().as_encoded_bytes());
    line.push(b'\n');
    line
}

fn complain_of(job: &JobRecord) {
    for item in job.items().iter() {
        if let Some(ran) = item.ran() {
            pass_on(item, ran);
        }
        match &item.state {
            // What the command said itself stands right above.
            ItemState::Failed(error) if item.ran().is_some() => {
                complain(error.message.lines().next().unwrap_or_default());
            }
            ItemState::Failed(error) => complain(&error.message),
            ItemState::Panicked(panic) => complain(&format!(
                "{} panicked{}: {}",
                item.input.display(),
                place(panic.location.as_deref()),
                panic.message
            )),
            ItemState::Crashed(crash) => complain_of_crash(&item.input, crash),
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

/// One sentence, and under it what is left of the worker's own words.
fn complain_of_crash(input: &Path, crash: &Crash) {
    let mut text = format!("{} crashed: {}", input.display(), crash.message);
    for printed in crash.stderr.lines() {
        text.push_str("\n    ");
        text.push_str(printed);
    }
    complain(&text);
}

/// Shows what a command has said on stderr, and what of its output nobody will see.
fn pass_on(item: &ItemRecord, ran: &Ran) {
    // Where stderr can't be written nobody is there to be told.
    let _unwritable = io::stderr().lock().write_all(&ran.stderr.bytes);
    for (stream, printed) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        if printed.dropped() > 0 {
            let (name, dropped) = (item.input.display(), printed.dropped());
            complain(&format!(
                "{name}: the first {dropped} bytes of {stream} were not kept; \
                 --output-limit keeps more"
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
    let items = match counts.total() {
        1 => "1 item".to_owned(),
        count => format!("{count} items"),
    };
    format!("{items}: {}", parts.join(", "))
}
