//! Small work of the window itself, done in tasks: saving a report is slow work too.

use std::path::Path;
use std::time::Duration;

use super::output::Source;
use crate::format;
use crate::jobs::{Output, checksum, save};
use crate::join::{self, Task};
use crate::record::{self, ItemState, JobRecord};
use crate::ui::{Notice, Stream};

/// What a chore came back with.
#[derive(Clone, Debug)]
pub(super) struct Done {
    /// What to say.
    pub(super) notice: Notice,
    /// What to put on the clipboard.
    pub(super) copy: Option<String>,
}

impl From<Notice> for Done {
    fn from(notice: Notice) -> Self {
        Self { notice, copy: None }
    }
}

/// The chores that run.
#[derive(Debug, Default)]
pub(super) struct Chores {
    tasks: Vec<Task<Done>>,
}

impl Chores {
    /// Starts a chore. What it returns is shown.
    pub(super) fn start(
        &mut self,
        name: &str,
        chore: impl FnOnce() -> Done + Send + 'static,
        wake: impl Fn() + Send + 'static,
    ) -> Result<(), Notice> {
        let task = join::spawn(name, move |_| chore())
            .map_err(|error| Notice::error(error.to_string()))?;
        task.on_finish(wake);
        self.tasks.push(task);
        Ok(())
    }

    /// Takes what the finished chores returned.
    pub(super) fn poll(&mut self) -> Vec<Done> {
        let mut done = Vec::new();
        self.tasks.retain(|task| match task.poll() {
            None => true,
            Some(Ok(result)) => {
                done.push(result.clone());
                false
            }
            Some(Err(error)) => {
                let text = format!("The task {} did not end well: {error}.", task.name());
                done.push(Notice::error(text).into());
                false
            }
        });
        done
    }
}

/// Frees a job: with a million items that takes several frames.
///
/// Not at the background's priority. The allocator locks what it frees into, and whoever allocates
/// meanwhile would wait for a thread that yields to everybody.
pub(super) fn free(job: JobRecord) {
    let free = join::Builder::new("free job").daemon(true);
    // Where the system refuses a thread, the job has been freed right here.
    drop(free.spawn(move |_| drop(job)));
}

/// Writes the checksum list of the job, as `sha256sum` writes it.
pub(super) fn save_list(job: &JobRecord, path: &Path) -> Done {
    let mut text = Vec::new();
    let mut count = 0;
    for item in job.items().iter() {
        if let ItemState::Returned(Output::Checksum(checksum)) = &item.state {
            text.extend(checksum::list::line(checksum, &item.input));
            count += 1;
        }
    }
    let checksums = format::plural(count, "checksum was", "checksums were");
    saved(path, &text, &checksums)
}

/// Writes the report of the job: JSON where the name ends so, text otherwise.
pub(super) fn save_report(job: &JobRecord, now: Duration, path: &Path) -> Done {
    let extension = path.extension();
    let is_json = extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let text = if is_json {
        json(job, now)
    } else {
        record::job_text(job, now).into_bytes()
    };
    saved(path, &text, "The report was")
}

/// Writes the report of the Freeze Lab: JSON or CSV where the name ends so, Markdown otherwise.
#[cfg(target_os = "linux")]
pub(super) fn save_lab_report(report: &crate::lab::Report, path: &Path) -> Done {
    let extension = path.extension().unwrap_or_default();
    let text = match extension.to_ascii_lowercase().to_str() {
        Some("json") => lab_json(report),
        Some("csv") => report.csv().into_bytes(),
        _ => report.markdown().into_bytes(),
    };
    saved(path, &text, "The report was")
}

#[cfg(target_os = "linux")]
fn lab_json(report: &crate::lab::Report) -> Vec<u8> {
    let mut text = Vec::new();
    let written = report.write_json(&mut text);
    written.expect("writing to memory does not fail");
    text
}

/// Writes what is kept of a stream, byte for byte.
pub(super) fn save_output(source: &Source, stream: Stream, path: &Path) -> Done {
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
pub(super) fn copy_report(job: &JobRecord, now: Duration) -> Done {
    Done {
        notice: Notice::info("The report is on the clipboard."),
        copy: Some(record::job_text(job, now)),
    }
}

fn json(job: &JobRecord, now: Duration) -> Vec<u8> {
    let mut text = Vec::new();
    record::write_json(job, now, &mut text).expect("writing to memory does not fail");
    text
}

fn saved(path: &Path, text: &[u8], what: &str) -> Done {
    let notice = match save::save(path, text) {
        Ok(()) => Notice::info(format!("{what} saved to {}.", path.display())),
        Err(error) => Notice::error(error.to_string()),
    };
    notice.into()
}
