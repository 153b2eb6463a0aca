//! A job's record as documents: JSON for programs, text for people.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::event::PanicKey;
use super::item::{Backtrace, ItemRecord, ItemState, Panic};
use super::job::{JobRecord, JobState};

/// Writes the job as one JSON document and a line end; `now` is when an unfinished job's time is
/// taken.
///
/// An item has its `input`, its `state`, and what it ended with: `output`, `error` or `panic`. A
/// name that is not UTF-8 is written with replacement characters, and its bytes as
/// `input_bytes_hex` beside it.
///
/// # Errors
/// Those of `out`.
pub fn write_json(job: &JobRecord, now: Duration, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &JobDocument { job, now })?;
    out.write_all(b"\n")
}

/// The job for `Copy report`: what was run, how it ended, and every item that did not return.
pub fn job_text(job: &JobRecord, now: Duration) -> String {
    let mut text = String::new();
    write_job_head(&mut text, job, now);
    for item in job.items() {
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

/// One panic for `Copy report`: message, place, thread, task, and the backtrace as far as it has
/// been resolved; `None` where there was no such panic.
pub fn panic_text(job: &JobRecord, key: PanicKey) -> Option<String> {
    let (panic, backtrace) = job.panic(key)?;
    let mut text = format!("{} {} panicked\n", job.spec().options.job().id(), job.id());
    if let PanicKey::Item(id) = key {
        line(&mut text, "item", &job.item(id)?.input.to_string_lossy());
    }
    line(&mut text, "message", &panic.message);
    line(&mut text, "location", place(panic));
    line(&mut text, "thread", &panic.thread);
    line(
        &mut text,
        "task",
        &format!("{} #{}", panic.task, panic.task_id),
    );
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

fn write_job_head(text: &mut String, job: &JobRecord, now: Duration) {
    let counts = job.counts();
    let name = format!("{} {}", job.spec().options.job().id(), job.id());
    line(text, "job", &name);
    line(text, "state", job.state().word());
    let elapsed = format!("{:.3} s", job.elapsed(now).as_secs_f64());
    line(text, "elapsed", &elapsed);
    let items = format!(
        "{} ({} returned, {} failed, {} panicked, {} cancelled)",
        counts.total(),
        counts.returned,
        counts.failed,
        counts.panicked,
        counts.cancelled
    );
    line(text, "items", &items);
}

fn write_item(text: &mut String, job: &JobRecord, item: &ItemRecord) {
    let came_back = match &item.state {
        ItemState::Returned(output) => output.to_string(),
        ItemState::Failed(error) => error.to_string(),
        ItemState::Panicked(panic) => panic.message.clone(),
        ItemState::Waiting | ItemState::Running | ItemState::Cancelled => String::new(),
    };
    let state = item_word(job, item);
    let input = item.input.to_string_lossy();
    line(text, state, format!("{input}  {came_back}").trim_end());
}

/// The word for an item's state. What still ran when a job was given up ran out of time with it.
fn item_word(job: &JobRecord, item: &ItemRecord) -> &'static str {
    if *job.state() == JobState::TimedOut && !item.state.is_ended() {
        return JobState::TimedOut.word();
    }
    item.state.word()
}

fn line(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str(": ");
    text.push_str(value);
    text.push('\n');
}

fn place(panic: &Panic) -> &str {
    panic.location.as_deref().unwrap_or("unknown")
}

struct JobDocument<'a> {
    job: &'a JobRecord,
    now: Duration,
}

impl Serialize for JobDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { job, now } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("job", job.spec().options.job().id())?;
        map.serialize_entry("state", job.state().word())?;
        if let JobState::Panicked(panic) = job.state() {
            map.serialize_entry("panic", &PanicDocument(panic))?;
        }
        map.serialize_entry("elapsed_secs", &job.elapsed(*now).as_secs_f64())?;
        map.serialize_entry("items", &ItemDocuments(job))?;
        map.end()
    }
}

struct ItemDocuments<'a>(&'a JobRecord);

impl Serialize for ItemDocuments<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let job = self.0;
        let documents = job.items().iter().map(|item| ItemDocument { job, item });
        serializer.collect_seq(documents)
    }
}

struct ItemDocument<'a> {
    job: &'a JobRecord,
    item: &'a ItemRecord,
}

impl Serialize for ItemDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { job, item } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("input", &item.input.to_string_lossy())?;
        if item.input.to_str().is_none() {
            map.serialize_entry("input_bytes_hex", &hex(&item.input))?;
        }
        map.serialize_entry("state", item_word(job, item))?;
        match &item.state {
            ItemState::Returned(output) => map.serialize_entry("output", output)?,
            ItemState::Failed(error) => map.serialize_entry("error", error)?,
            ItemState::Panicked(panic) => map.serialize_entry("panic", &PanicDocument(panic))?,
            ItemState::Waiting | ItemState::Running | ItemState::Cancelled => {}
        }
        map.end()
    }
}

struct PanicDocument<'a>(&'a Panic);

impl Serialize for PanicDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let panic = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("message", &panic.message)?;
        map.serialize_entry("location", &panic.location)?;
        map.serialize_entry("thread", &panic.thread)?;
        map.serialize_entry("task", &panic.task)?;
        map.serialize_entry("task_id", &panic.task_id)?;
        map.end()
    }
}

/// The bytes of a name in the system's own encoding.
fn hex(path: &Path) -> String {
    let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    bytes
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
