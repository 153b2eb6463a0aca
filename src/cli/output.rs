//! Shows the result of a job on stdout or in a file, and its failures on stderr.

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::message_line;
use crate::format;
use crate::jobs::identity::is_read;
use crate::jobs::{Output, listed, save};
use crate::record::{self, Crash, ItemRecord, ItemState, JobRecord, JobState, Panic};

/// Fails if the file that gets the result is one that the job has read, unless it may be replaced by a list.
///
/// # Errors
/// It is.
pub(super) fn check_replaceable(job: &JobRecord, file: &Path) -> anyhow::Result<()> {
    let items = job.items().iter().map(|item| item.input.as_path());
    if is_read(file, job.spec(), items) && !job.spec().options.job().may_replace(file) {
        bail!(
            "{} is a file that this job has read, and was not replaced; choose another name.",
            file.display()
        );
    }
    Ok(())
}

/// Writes the JSON document of a job to stdout or to `file`.
///
/// # Errors
/// It could not be written. A closed stdout is not an error.
pub(super) fn show_json(job: &JobRecord, now: Duration, file: Option<&Path>) -> anyhow::Result<()> {
    let Some(file) = file else {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = record::write_json(job, now, &mut out).and_then(|()| out.flush());
        return ignore_broken_pipe(written).context("the result could not be written to stdout");
    };
    let mut bytes = Vec::new();
    record::write_json(job, now, &mut bytes)?;
    Ok(save::save(file, &bytes)?)
}

pub(super) fn ignore_broken_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Saves the lists of the results of the items that returned, or the lines of all items.
///
/// # Errors
/// They could not be saved.
pub(super) fn save_lines(job: &JobRecord, file: &Path) -> anyhow::Result<()> {
    for item in job.items().iter() {
        if let ItemState::Failed(error) = &item.state
            && error.kind == "list_over_file"
        {
            bail!("{} was not written", file.display());
        }
    }
    if job.spec().options.job().saves_all_lines() {
        let items = job.items().iter().filter(|item| prints(job, item));
        let lines: Vec<_> = items.filter_map(|item| line(job, item)).collect();
        return Ok(save::save(file, &lines.concat())?);
    }
    let mut results = job.items().iter().filter_map(|item| result(item));
    let lists = job.spec().options.job().lists(file, &mut results);
    for (path, lines) in lists.map_err(anyhow::Error::msg)? {
        save::save(&path, &lines)?;
    }
    Ok(())
}

/// Whether the job wants the end of this item to be printed.
pub(super) fn prints(job: &JobRecord, item: &ItemRecord) -> bool {
    let is_failure = !matches!(item.state, ItemState::Returned(_));
    job.spec().options.job().prints(is_failure)
}

/// The line of an item that ended. The output of a process is written while it runs.
pub(super) fn line(job: &JobRecord, item: &ItemRecord) -> Option<Vec<u8>> {
    let options = job.spec().options.job();
    match &item.state {
        ItemState::Failed(error) if !item.failed_in_plan => {
            Some(options.failure_line(&item.input, error))
        }
        _ => result(item).map(|(input, output)| options.line(input, output)),
    }
}

fn result(item: &ItemRecord) -> Option<(&Path, &Output)> {
    match &item.state {
        ItemState::Returned(output) if item.ran().is_none() => Some((&item.input, output)),
        _ => None,
    }
}

/// Says who still holds the output of an item's process open.
pub(super) fn open_output(item: &ItemRecord) -> Option<String> {
    let ran = item.ran()?;
    if !ran.stdout.held_open && !ran.stderr.held_open {
        return None;
    }
    let name = item.input.display();
    Some(message_line(&if ran.holders.is_empty() {
        format!("{name}: some process still holds its output open; what follows is not shown")
    } else {
        let who = listed(&ran.holders);
        format!("{name}: {who} may still print; what follows is not shown")
    }))
}

/// Names what an item's process has left running, apart from those that hold its output open.
pub(super) fn left_running(item: &ItemRecord) -> Option<String> {
    let ran = item.ran()?;
    let is_named = |process: &&String| !ran.holders.contains(process);
    let left: Vec<_> = ran.left.iter().filter(is_named).cloned().collect();
    let name = item.input.display();
    (!left.is_empty()).then(|| message_line(&format!("{name}: left {} running", listed(&left))))
}

/// Says what became of the processes that were stopped, unless all of a cancelled item ended when asked or
/// the error of the item says it.
pub(super) fn stopped(item: &ItemRecord) -> Option<String> {
    let stopped = item.ran()?.stopped.as_ref()?;
    let all_ended = stopped.forced.is_empty() && stopped.escaped.is_empty();
    let what = match &item.state {
        ItemState::Cancelled if all_ended => return None,
        ItemState::Cancelled => "cancelled",
        ItemState::Failed(error) if ["timed_out", "escaped"].contains(&&*error.kind) => {
            return None;
        }
        _ => "stopped what it had left running",
    };
    let name = item.input.display();
    Some(message_line(&format!("{name}: {what}: {stopped}")))
}

/// Says what is not as expected about an item that returned.
pub(super) fn remark(item: &ItemRecord) -> Option<String> {
    let ItemState::Returned(output) = &item.state else {
        return None;
    };
    let remark = output.remark()?;
    let name = item.input.display();
    Some(message_line(&format!("{name}: {remark}")))
}

/// Describes the end of an item, unless it returned or was cancelled.
pub(super) fn failure(item: &ItemRecord) -> Option<String> {
    match &item.state {
        // The stderr of the command was printed just before.
        ItemState::Failed(error) if item.ran().is_some() => Some(message_line(
            error.message.lines().next().unwrap_or_default(),
        )),
        ItemState::Failed(error) => Some(message_line(&error.message)),
        ItemState::Panicked(panic) => {
            let name = item.input.display().to_string();
            Some(message_line(&panicked(&name, panic)))
        }
        ItemState::Crashed(crash) => Some(message_line(&crash_text(&item.input, crash))),
        _ => None,
    }
}

/// Describes the end of a job, unless all of it returned.
pub(super) fn job_failure(job: &JobRecord) -> String {
    let mut text = String::new();
    if let JobState::Panicked(panic) = job.state() {
        text += &message_line(&panicked("the job itself", panic));
    }
    let counts = job.counts();
    if counts.returned < counts.total() && job.spec().options.job().prints(true) {
        text += &message_line(&summary(job));
    }
    text
}

/// One sentence, and below it the last lines of the worker's stderr.
fn crash_text(input: &Path, crash: &Crash) -> String {
    let mut text = format!("{} crashed: {}", input.display(), crash.message);
    for line in crash.stderr.lines() {
        text.push_str("\n    ");
        text.push_str(line);
    }
    text
}

/// What is known of a panic, or of another failure, and not in its sentence, in lines of their own.
pub(super) fn details(item: &ItemRecord) -> Option<String> {
    let lines: Vec<String> = match &item.state {
        ItemState::Panicked(panic) => {
            let message = panic.message.lines().skip(1).map(str::to_owned);
            let thread = format!("thread: {}", panic.thread);
            let task = format!("task: {} (number {})", panic.task, panic.task_id);
            message.chain([thread, task]).collect()
        }
        ItemState::Failed(error) => {
            let details = error.details.as_ref()?;
            details.lines().map(str::to_owned).collect()
        }
        _ => return None,
    };
    Some(format!("    {}\n", lines.join("\n    ")))
}

/// One sentence. The [`details`] and a JSON document have the rest of the message.
fn panicked(what: &str, panic: &Panic) -> String {
    let place = panic.location.as_ref();
    let place = place.map_or_else(String::new, |place| format!(" at {place}"));
    let message = panic.message.lines().next().unwrap_or_default();
    format!("{what} panicked{place}: {message}")
}

/// Such as `3 items: 2 returned, 1 cancelled`.
fn summary(job: &JobRecord) -> String {
    let counts = job.counts();
    let verdicts = job.spec().options.job().verdicts();
    let returned = if verdicts.is_empty() {
        "returned"
    } else {
        "OK"
    };
    let mut failed = counts.failed;
    let mut parts = vec![(counts.returned, returned)];
    for verdict in verdicts {
        let count = job.failed_with(verdict.kind);
        failed = failed.saturating_sub(count);
        parts.push((count, verdict.word));
    }
    let (mut cancelled, mut timed_out) = (counts.cancelled, 0);
    let unended = counts.waiting + counts.running;
    if *job.state() == JobState::Cancelled {
        cancelled += unended;
    } else {
        timed_out = unended;
    }
    parts.extend([
        (failed, "failed"),
        (counts.panicked, "panicked"),
        (counts.crashed, "crashed"),
        (cancelled, "cancelled"),
        (timed_out, "timed out"),
    ]);
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let items = format::plural(counts.total(), "item", "items");
    let advice = match job
        .spec()
        .options
        .job()
        .advice(&|kind| job.failed_with(kind), counts.total())
    {
        Some(advice) => format!("; {advice}"),
        None => String::new(),
    };
    format!("{items}: {}{advice}", parts.join(", "))
}
