//! Small work of the window itself, done in tasks: saving a report is slow work too.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::jobs::{Output, checksum, save};
use crate::join::{self, Task};
use crate::record::{self, ItemRecord, ItemState, JobRecord};
use crate::ui::{Notice, words};

/// The chores that run.
#[derive(Debug, Default)]
pub(super) struct Chores {
    tasks: Vec<Task<Notice>>,
}

impl Chores {
    /// Starts a chore. What it returns is shown.
    pub(super) fn start(
        &mut self,
        name: &str,
        chore: impl FnOnce() -> Notice + Send + 'static,
        wake: impl Fn() + Send + 'static,
    ) -> Result<(), Notice> {
        let task = join::spawn(name, move |_| chore())
            .map_err(|error| Notice::error(error.to_string()))?;
        task.on_finish(wake);
        self.tasks.push(task);
        Ok(())
    }

    /// Takes what the finished chores returned.
    pub(super) fn poll(&mut self) -> Vec<Notice> {
        let mut notices = Vec::new();
        self.tasks.retain(|task| match task.poll() {
            None => true,
            Some(Ok(notice)) => {
                notices.push(notice.clone());
                false
            }
            Some(Err(error)) => {
                notices.push(Notice::error(format!("{} ended badly: {error}", task.name())));
                false
            }
        });
        notices
    }
}

/// A chore that writes the checksum list of the job, as `sha256sum` writes it.
pub(super) fn save_list(job: &JobRecord, path: PathBuf) -> impl FnOnce() -> Notice + Send + 'static {
    let items = job.items().to_vec();
    move || {
        let (text, count) = list(&items);
        let checksums = words::plural(count, "checksum", "checksums");
        saved(&path, &text, &checksums)
    }
}

fn list(items: &[Arc<ItemRecord>]) -> (Vec<u8>, usize) {
    let mut text = Vec::new();
    let mut count = 0;
    for item in items {
        if let ItemState::Returned(Output::Checksum(checksum)) = &item.state {
            text.extend(checksum::list::line(checksum, &item.input));
            count += 1;
        }
    }
    (text, count)
}

/// A chore that writes the report of the job: JSON where the name ends so, text otherwise.
pub(super) fn save_report(
    job: &JobRecord,
    now: Duration,
    path: PathBuf,
) -> impl FnOnce() -> Notice + Send + 'static {
    let is_json = path.extension().is_some_and(|ext| ext.eq_ignore_ascii_case("json"));
    let text = if is_json {
        record::export::json(job, now)
    } else {
        record::export::text(job, now)
    };
    move || saved(&path, text.as_bytes(), "The report")
}

fn saved(path: &Path, text: &[u8], what: &str) -> Notice {
    match save::save(path, text) {
        Ok(()) => Notice::info(format!("{what} saved to {}", path.display())),
        Err(error) => Notice::error(error.to_string()),
    }
}
