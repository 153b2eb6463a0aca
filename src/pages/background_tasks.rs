//! Work of the window itself that is done in tasks, such as saving a report.

use std::io;
use std::path::Path;

use crate::jobs::save;
use crate::join::{self, Task};
use crate::ui::notices::{Notice, NoticeAction};

/// The result of a background task.
#[derive(Clone, Debug, Default)]
pub(crate) struct TaskOutput {
    /// `None` if the user sees the result anyway.
    pub(crate) notice: Option<Notice>,
    /// Text for the clipboard.
    pub(crate) copy: Option<String>,
}

impl From<Notice> for TaskOutput {
    fn from(notice: Notice) -> Self {
        Self {
            notice: Some(notice),
            copy: None,
        }
    }
}

/// Tasks that run, whose results are taken once.
#[derive(Debug)]
pub(crate) struct BackgroundTasks<T> {
    tasks: Vec<Task<T>>,
}

impl<T> Default for BackgroundTasks<T> {
    fn default() -> Self {
        Self { tasks: Vec::new() }
    }
}

impl<T: Clone + Send + Sync + 'static> BackgroundTasks<T> {
    /// Starts a task that calls `wake` when it has ended.
    pub(crate) fn start(
        &mut self,
        name: &str,
        work: impl FnOnce() -> T + Send + 'static,
        wake: impl Fn() + Send + 'static,
    ) -> Result<(), Notice> {
        let task =
            join::spawn(name, move |_| work()).map_err(|error| Notice::error(error.to_string()))?;
        task.on_finish(wake);
        self.tasks.push(task);
        Ok(())
    }

    pub(crate) fn running(&self) -> usize {
        self.tasks.len()
    }

    /// Takes the results of the finished tasks; the error of one that panicked is a message.
    pub(crate) fn poll(&mut self) -> Vec<Result<T, Notice>> {
        let mut done = Vec::new();
        self.tasks.retain(|task| {
            let Some(outcome) = task.poll() else {
                return true;
            };
            let failed = |error| Notice::error(format!("{} failed: {error}.", task.name()));
            done.push(outcome.cloned().map_err(failed));
            false
        });
        done
    }
}

/// Writes a file. The notice says so, or why it failed.
pub(crate) fn saved(path: &Path, text: &[u8], what: &str) -> TaskOutput {
    saved_with(path, |out| out.write_all(text), what)
}

/// The same for what `write` writes, piece by piece.
pub(crate) fn saved_with(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
    what: &str,
) -> TaskOutput {
    let notice = match save::save_with(path, write) {
        Ok(()) => Notice::info(format!("{what} saved to {}.", path.display()))
            .with(NoticeAction::Show(path.to_owned()))
            .with(NoticeAction::OpenFolder(path.to_owned())),
        Err(error) => Notice::error(error.to_string()),
    };
    notice.into()
}

/// Frees something large in a task: a job with a million items takes longer than several frames.
///
/// Not at background priority: the allocator holds a lock, and other threads would wait for one
/// that yields to all programs.
pub(crate) fn drop_in_task<T: Send + 'static>(name: &str, large: T) {
    let task = join::Builder::new(name).daemon(true);
    // If the system refuses a thread, the closure is dropped and what it has is freed right here.
    drop(task.spawn(move |_| drop(large)));
}
