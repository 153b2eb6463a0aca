//! A job's record as documents: JSON for programs, text for people.

use std::io;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::event::PanicKey;
use super::item::{Backtrace, Crash, ItemRecord, ItemState, Panic};
use super::job::{JobRecord, JobState};

/// Writes the job as one JSON document and a line end; `now` is when an unfinished job's time is
/// taken.
///
/// An item has its `input`, its `state`, and what it ended with: `output`, `error`, `panic` or
/// `crash`. A command that ended has its `output` also where the item failed or was cancelled. A
/// name that is not UTF-8 is written with replacement characters, and its bytes as
/// `input_bytes_hex` beside it.
///
/// ```
/// use meanwhile::record::write_json;
/// # use meanwhile::{board::JobBoard, record::Record};
/// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
/// # let spec = JobSpec {
/// #     options: Options::Misbehave(misbehave::Options::default()),
/// #     inputs: Vec::new(),
/// #     run_on: RunOn::Pool,
/// #     workers: 2,
/// #     priority: Default::default(),
/// # };
/// # let mut board = JobBoard::new(|| ());
/// # let mut record = Record::default();
/// # let id = board.start(spec)?;
/// # board.join_blocking(id, None);
/// # for event in board.poll(10_000) {
/// #     record.apply(event);
/// # }
///
/// // The board's events have been applied until the job had ended.
/// let job = record.job(id).ok_or("it was started")?;
/// let mut document = Vec::new();
/// write_json(job, board.now(), &mut document)?;
/// let document: serde_json::Value = serde_json::from_slice(&document)?;
/// assert_eq!(document["state"], "returned");
/// assert_eq!(document["items"][0]["output"]["text"], "item 1 is done");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of `out`.
pub fn write_json(job: &JobRecord, now: Duration, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &JobDocument { job, now })?;
    out.write_all(b"\n")
}

/// The job for `Copy report`: what was run, how it ended, and every item that did not return.
///
/// ```
/// use meanwhile::record::job_text;
/// # use meanwhile::{board::JobBoard, record::Record};
/// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
/// # let spec = JobSpec {
/// #     options: Options::Misbehave(misbehave::Options::default()),
/// #     inputs: Vec::new(),
/// #     run_on: RunOn::Pool,
/// #     workers: 2,
/// #     priority: Default::default(),
/// # };
/// # let mut board = JobBoard::new(|| ());
/// # let mut record = Record::default();
/// # let id = board.start(spec)?;
/// # board.join_blocking(id, None);
/// # for event in board.poll(10_000) {
/// #     record.apply(event);
/// # }
///
/// // The board's events have been applied until the job had ended.
/// let job = record.job(id).ok_or("it was started")?;
/// let text = job_text(job, board.now());
/// assert!(text.starts_with("job: misbehave #1\nstate: returned\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

/// One panic for `Copy report`: message, place, thread, task, and the backtrace as far as it has
/// been resolved; `None` where there was no such panic.
///
/// ```
/// use meanwhile::record::{ItemId, PanicKey, panic_text};
/// # use meanwhile::{board::JobBoard, record::Record};
/// # use meanwhile::jobs::{JobSpec, Options, RunOn, misbehave};
/// # let spec = JobSpec {
/// #     options: Options::Misbehave(misbehave::Options { end: misbehave::End::PanicStr, ..misbehave::Options::default() }),
/// #     inputs: Vec::new(),
/// #     run_on: RunOn::Pool,
/// #     workers: 2,
/// #     priority: Default::default(),
/// # };
/// # let mut board = JobBoard::new(|| ());
/// # let mut record = Record::default();
/// # let id = board.start(spec)?;
/// # board.join_blocking(id, None);
/// # for event in board.poll(10_000) {
/// #     record.apply(event);
/// # }
///
/// // The first of the three items has panicked.
/// let job = record.job(id).ok_or("it was started")?;
/// let text = panic_text(job, PanicKey::Item(ItemId(0))).ok_or("it panicked")?;
/// assert!(text.contains("message: simulated panic\n"));
/// assert_eq!(panic_text(job, PanicKey::Item(ItemId(1))), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
        "{} ({} returned, {} failed, {} panicked, {} crashed, {} cancelled)",
        counts.total(),
        counts.returned,
        counts.failed,
        counts.panicked,
        counts.crashed,
        counts.cancelled
    );
    line(text, "items", &items);
}

fn write_item(text: &mut String, job: &JobRecord, item: &ItemRecord) {
    let came_back = match &item.state {
        ItemState::Returned(output) => output.to_string(),
        ItemState::Failed(error) => error.to_string(),
        ItemState::Panicked(panic) => panic.message.clone(),
        ItemState::Crashed(crash) => crash.message.clone(),
        ItemState::Cancelled => item.stopped_text(),
        ItemState::Waiting | ItemState::Running => String::new(),
    };
    let state = item_word(job, item);
    let input = item.input.to_string_lossy();
    line(text, state, format!("{input}  {came_back}").trim_end());
    if let ItemState::Crashed(crash) = &item.state {
        for printed in crash.stderr.lines() {
            line(text, "    stderr", printed);
        }
    }
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
            map.serialize_entry(
                "input_bytes_hex",
                &hex::encode(item.input.as_os_str().as_encoded_bytes()),
            )?;
        }
        map.serialize_entry("state", item_word(job, item))?;
        match &item.state {
            ItemState::Returned(output) => map.serialize_entry("output", output)?,
            ItemState::Failed(error) => map.serialize_entry("error", error)?,
            ItemState::Panicked(panic) => map.serialize_entry("panic", &PanicDocument(panic))?,
            ItemState::Crashed(crash) => map.serialize_entry("crash", &CrashDocument(crash))?,
            ItemState::Waiting | ItemState::Running | ItemState::Cancelled => {}
        }
        if let (Some(ran), false) = (item.ran(), matches!(item.state, ItemState::Returned(_))) {
            map.serialize_entry("output", ran)?;
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

struct CrashDocument<'a>(&'a Crash);

impl Serialize for CrashDocument<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let crash = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("message", &crash.message)?;
        map.serialize_entry("code", &crash.code)?;
        map.serialize_entry("signal", &crash.signal)?;
        map.serialize_entry("signal_name", &crash.signal_name)?;
        map.serialize_entry("core_dumped", &crash.core_dumped)?;
        map.serialize_entry("stderr", &crash.stderr)?;
        map.end()
    }
}
