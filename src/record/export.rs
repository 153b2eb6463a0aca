//! Exports a job's record: JSON for programs, text for people.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use serde::Serialize;
use serde::ser::Serializer;

use super::event::PanicKey;
use super::item::{Backtrace, Crash, ItemRecord, ItemState, Panic};
use super::job::JobRecord;
use super::job_state::JobState;
use crate::format;
use crate::jobs::{ItemError, Output, ProcessRun};

/// Writes the job as one JSON object and a line end. `now` is the end of the elapsed time of a job
/// that has not ended.
///
/// The job has these fields:
///
/// | field | value |
/// |---|---|
/// | `job` | the id of the job, such as `checksum` |
/// | `state` | [`JobState::label`] |
/// | `panic` | only if planning panicked: as for an item |
/// | `elapsed_secs` | seconds, a fraction |
/// | `bytes_before`, `bytes_after` | only of images: the lengths of their files and of the results |
/// | `notes` | the sentences about the plan, such as which files were left out |
/// | `items` | all items, in order |
///
/// Each item has these fields:
///
/// | field | present | value |
/// |---|---|---|
/// | `input` | always | the path or URL; bytes that are not UTF-8 as replacement characters |
/// | `input_bytes_hex` | if it is not UTF-8 | all bytes of the input |
/// | `state` | always | [`ItemState::label`]; `timed_out` or `cancelled` if the job was before the item ended |
/// | `error` | `failed` | `kind`, a stable word; `message`, a sentence |
/// | `panic` | `panicked` | `message`, `location`, `thread`, `task`, `task_id` |
/// | `crash` | `crashed` | `message`, `code`, `signal`, `signal_name`, `core_dumped`, `stderr` |
/// | `output` | `returned`, or its command ended | the fields of the job's own output |
///
/// # Errors
/// Those of `out`.
pub fn write_json(job: &JobRecord, now: Duration, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &JobDocument::new(job, now))?;
    out.write_all(b"\n")
}

/// The report of a job as text: a head of `name: value` lines (`job`, `state`, `elapsed`, `items`
/// with their counts, a `note` for each sentence about the plan), a line for each item (`state: input  result`), and [`panic_text`] for each
/// panic.
pub fn job_text(job: &JobRecord, now: Duration) -> String {
    let mut text = String::new();
    write_job_head(&mut text, job, now);
    for item in job.items().iter() {
        write_item(&mut text, job, item);
    }
    for (key, ..) in job.panics() {
        if let Some(panic) = panic_text(job, key) {
            text.push('\n');
            text.push_str(&panic);
        }
    }
    text
}

/// The report of a panic as text: a title, `name: value` lines (`item`, `message`, `location`,
/// `thread`, `task`), and the backtrace if it is resolved. `None` if there is no such panic.
pub fn panic_text(job: &JobRecord, key: PanicKey) -> Option<String> {
    let (panic, backtrace) = job.panic(key)?;
    let mut text = format!("{} panicked\n", name(job));
    if let PanicKey::Item(id) = key {
        line(&mut text, "item", &job.item(id)?.input.to_string_lossy());
    }
    line(&mut text, "message", &panic.message);
    let location = panic.location.as_deref();
    line(&mut text, "location", location.unwrap_or("unknown"));
    line(&mut text, "thread", &panic.thread);
    let task = format!("{} #{}", panic.task, panic.task_id);
    line(&mut text, "task", &task);
    match backtrace {
        Backtrace::Unresolved => text.push_str("backtrace: not resolved\n"),
        Backtrace::Resolved(frames) => {
            text.push_str("backtrace:\n");
            text.push_str(frames.trim_end());
            text.push('\n');
        }
    }
    Some(text)
}

/// Such as `checksum #1`.
fn name(job: &JobRecord) -> String {
    format!("{} {}", job.spec().options.job().id(), job.id())
}

fn write_job_head(text: &mut String, job: &JobRecord, now: Duration) {
    let counts = job.counts();
    line(text, "job", &name(job));
    line(text, "state", job.state().label());
    line(text, "elapsed", &format::duration(job.elapsed(now)));
    let items = format!(
        "{} ({} returned, {} failed, {} panicked, {} crashed, {} cancelled)",
        counts.total(),
        counts.returned,
        counts.failed,
        counts.panicked,
        counts.crashed,
        counts.cancelled
    );
    line(text, "items", &items);
    if let Some(lengths) = job.lengths_text() {
        line(text, "files", &lengths);
    }
    for note in job.notes() {
        line(text, "note", note);
    }
}

fn write_item(text: &mut String, job: &JobRecord, item: &ItemRecord) {
    let result = match &item.state {
        ItemState::Returned(output) => output.to_string(),
        ItemState::Failed(error) => error.to_string(),
        ItemState::Panicked(panic) => panic.message.clone(),
        ItemState::Crashed(crash) => crash.message.clone(),
        ItemState::Cancelled => item.stopped_text(),
        ItemState::Waiting | ItemState::Running => String::new(),
    };
    let input = item.input.to_string_lossy();
    let value = format!("{input}  {result}");
    line(text, item_label(job, item), value.trim_end());
    if let ItemState::Crashed(crash) = &item.state {
        for printed in crash.stderr.lines() {
            line(text, "    stderr", printed);
        }
    }
    if let ItemState::Failed(error) = &item.state {
        for detail in error.details.iter().flat_map(|it| it.lines()) {
            line(text, "    details", detail);
        }
    }
}

/// The label of an item's state. If the job timed out or was cancelled, so were its unfinished items.
fn item_label(job: &JobRecord, item: &ItemRecord) -> &'static str {
    match job.state() {
        JobState::TimedOut | JobState::Cancelled if !item.state.is_ended() => job.state().label(),
        _ => item.state.label(),
    }
}

fn line(text: &mut String, name: &str, value: &str) {
    // Writing to a string never fails.
    writeln!(text, "{name}: {value}").ok();
}

#[derive(Serialize)]
struct JobDocument<'a> {
    job: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    panic: Option<&'a Panic>,
    elapsed_secs: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_before: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_after: Option<u64>,
    notes: Vec<&'a str>,
    #[serde(serialize_with = "serialize_items")]
    items: &'a JobRecord,
}

impl<'a> JobDocument<'a> {
    fn new(job: &'a JobRecord, now: Duration) -> Self {
        Self {
            job: job.spec().options.job().id(),
            state: job.state().label(),
            panic: job.panic(PanicKey::Job).map(|(panic, _)| panic),
            elapsed_secs: job.elapsed(now).as_secs_f64(),
            bytes_before: job.lengths().map(|(before, _)| before),
            bytes_after: job.lengths().map(|(_, after)| after),
            notes: job.notes().iter().map(|note| &**note).collect(),
            items: job,
        }
    }
}

/// One item after the other, because a job may have a million.
fn serialize_items<S: Serializer>(job: &JobRecord, serializer: S) -> Result<S::Ok, S::Error> {
    let items = job.items().iter();
    serializer.collect_seq(items.map(|item| ItemDocument::new(job, item)))
}

#[derive(Serialize)]
struct ItemDocument<'a> {
    input: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_bytes_hex: Option<String>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a ItemError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    panic: Option<&'a Panic>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crash: Option<&'a Crash>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<OutputDocument<'a>>,
}

/// The result of an item, or the run of its command although the item did not return.
#[derive(Serialize)]
#[serde(untagged)]
enum OutputDocument<'a> {
    Returned(&'a Output),
    Command(&'a ProcessRun),
}

impl<'a> ItemDocument<'a> {
    fn new(job: &JobRecord, item: &'a ItemRecord) -> Self {
        let is_utf8 = item.input.to_str().is_some();
        let hex = || hex::encode(item.input.as_os_str().as_encoded_bytes());
        let mut document = Self {
            input: item.input.to_string_lossy(),
            input_bytes_hex: (!is_utf8).then(hex),
            state: item_label(job, item),
            error: None,
            panic: None,
            crash: None,
            output: item.ran().map(|ran| OutputDocument::Command(ran)),
        };
        match &item.state {
            ItemState::Returned(output) => document.output = Some(OutputDocument::Returned(output)),
            ItemState::Failed(error) => document.error = Some(error),
            ItemState::Panicked(panic) => document.panic = Some(panic),
            ItemState::Crashed(crash) => document.crash = Some(crash),
            ItemState::Waiting | ItemState::Running | ItemState::Cancelled => {}
        }
        document
    }
}
