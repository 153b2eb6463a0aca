//! Brings a growing file to the disk while more of it arrives.
//!
//! Otherwise all of a quick response would be in memory alone when it ends, and a sync of all takes long. No
//! cancel ends a sync, so it runs on a thread that nobody has to wait for.

use std::fs::File;
use std::io;

use crate::join::{Builder, Context, JoinError, Task};

/// A sync begins each time that the file has grown by so many bytes.
const STEP: u64 = 32 << 20;

type SyncTask = Task<io::Result<()>>;

/// The syncs of a file, one at a time.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// The length of the file when the last one began.
    len: u64,
    last: Option<SyncTask>,
}

impl Behind {
    /// Begins a sync of the file, which now has this length, if one is due.
    ///
    /// # Errors
    /// An earlier one failed. The system tells that once: what was written may be lost.
    pub(super) fn did_grow(&mut self, file: &File, len: u64) -> io::Result<()> {
        if len < self.len + STEP {
            return Ok(());
        }
        if let Some(last) = &self.last {
            let Some(outcome) = last.poll() else {
                return Ok(());
            };
            result(outcome)?;
        }
        self.len = len;
        self.last = begin(file);
        Ok(())
    }

    /// Waits until the disk has all of a file that is long. A cancel of the task of `context` unwinds.
    ///
    /// # Errors
    /// A sync failed.
    pub(super) fn finish(&mut self, file: &File, context: &Context) -> io::Result<()> {
        let Some(last) = self.last.take() else {
            return Ok(());
        };
        wait(&last, context)?;
        match begin(file) {
            Some(rest) => wait(&rest, context),
            None => Ok(()),
        }
    }
}

/// `None` if there is no thread for it. A file is synced before it gets its name in any case.
fn begin(file: &File) -> Option<SyncTask> {
    let file = file.try_clone().ok()?;
    let sync = Builder::new("sync").daemon(true);
    sync.spawn(move |_| file.sync_data()).ok()
}

fn wait(sync: &SyncTask, context: &Context) -> io::Result<()> {
    // An error means that this task is cancelled.
    if context.select().task(sync).wait().is_err() {
        context.checkpoint();
    }
    result(sync.join())
}

fn result(outcome: Result<&io::Result<()>, JoinError>) -> io::Result<()> {
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::other(error.to_string()),
        }),
        Err(error) => Err(io::Error::other(error)),
    }
}
