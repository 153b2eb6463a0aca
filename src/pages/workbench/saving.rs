//! Background tasks of the Workbench: saving and copying the results of a job.

use std::path::Path;
use std::time::Duration;

use super::Stream;
use super::output::OutputSource;
use crate::format;
use crate::jobs::identity::{is_read, is_same_file};
use crate::pages::background_tasks::{TaskOutput, saved};
use crate::record::{self, ItemState, JobRecord};
use crate::ui::notices::Notice;

/// Writes the list of the results of the job. It may replace an older list among the inputs, which is left out
/// of it then.
pub(super) fn save_list(job: &JobRecord, path: &Path) -> TaskOutput {
    let interface = job.spec().options.job();
    let is_older = reads(job, path);
    if is_older && !interface.may_replace(path) {
        return refused(path);
    }
    let mut count = 0;
    let mut results = job.items().iter().filter_map(|item| match &item.state {
        ItemState::Returned(_) if is_older && is_same_file(&item.input, path) => None,
        ItemState::Returned(output) => {
            count += 1;
            Some((item.input.as_path(), output))
        }
        _ => None,
    });
    let lists = interface.lists(path, &mut results);
    let checksums = format::plural(count, "checksum was", "checksums were");
    match lists {
        Ok(lists) => {
            let text: Vec<u8> = lists.into_iter().flat_map(|(_, text)| text).collect();
            saved(path, &text, &checksums)
        }
        Err(problem) => Notice::error(problem).into(),
    }
}

/// Writes the report of the job: JSON if the name ends in `.json`, text otherwise.
pub(super) fn save_report(job: &JobRecord, now: Duration, path: &Path) -> TaskOutput {
    if reads(job, path) {
        return refused(path);
    }
    let extension = path.extension();
    let is_json = extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let text = if is_json {
        json(job, now)
    } else {
        record::job_text(job, now).into_bytes()
    };
    saved(path, &text, "The report was")
}

/// Whether the job has read the file.
fn reads(job: &JobRecord, path: &Path) -> bool {
    let items = job.items().iter().map(|item| item.input.as_path());
    is_read(path, job.spec(), items)
}

fn refused(path: &Path) -> TaskOutput {
    let path = path.display();
    Notice::error(format!(
        "{path} is a file that this job has read, and was not replaced; choose another name."
    ))
    .into()
}

/// Writes the kept bytes of a stream unchanged.
pub(super) fn save_output(
    job: &JobRecord,
    source: &OutputSource,
    stream: Stream,
    path: &Path,
) -> TaskOutput {
    if reads(job, path) {
        return refused(path);
    }
    let printed = source.since(stream, 0);
    let what = match printed.dropped() {
        0 => "The output was".to_owned(),
        _ => format!(
            "The last {} were",
            format::bytes(printed.bytes.len() as u64)
        ),
    };
    saved(path, &printed.bytes, &what)
}

/// Makes the report of the job for the clipboard.
pub(super) fn copy_report(job: &JobRecord, now: Duration) -> TaskOutput {
    TaskOutput {
        notice: Some(Notice::info("The report is on the clipboard.")),
        copy: Some(record::job_text(job, now)),
    }
}

fn json(job: &JobRecord, now: Duration) -> Vec<u8> {
    let mut text = Vec::new();
    record::write_json(job, now, &mut text).expect("writing to memory does not fail");
    text
}
