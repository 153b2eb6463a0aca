//! The [`Job`] trait: plans items and runs each of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;

use super::{Item, ItemError, Output, Plan, Priority, ProcessRun};
#[cfg(unix)]
use crate::join::process::{Launcher, Process};
use crate::join::{Cancelled, Context};

/// A configured job. The options are the fields of the implementor.
pub trait Job: Send + Sync {
    /// The name on the command line and in files, such as `checksum`.
    fn id(&self) -> &'static str;

    /// The name on screen, such as `Checksums`.
    fn title(&self) -> &'static str;

    /// Walks the inputs and passes each item to `plan`, in a stable order.
    ///
    /// Inputs that can't be processed (an unreadable folder, a malformed line) are also reported,
    /// as [`Step::Fail`](super::Step::Fail); they fail on their own and the rest continues. Calls
    /// [`Context::check`] at least every 100 ms, so that planning a million files can be
    /// cancelled. An input that brings no item, such as an empty folder, gets a [note](Plan::note).
    ///
    /// # Errors
    /// The job was cancelled.
    fn plan(
        &self,
        inputs: &[PathBuf],
        context: &Context,
        plan: &mut dyn Plan,
    ) -> Result<(), Cancelled>;

    /// Runs one item with any step but [`Step::Fail`](super::Step::Fail).
    ///
    /// Reports progress in bytes through `context` and calls [`Context::check`] at least every 100 ms. Code
    /// that can't return a cancel, such as what a decoder reads from, calls
    /// [`Context::checkpoint`] instead.
    ///
    /// # Errors
    /// The reason why this item failed, or its cancel. A panic is caught and ends this item only.
    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError>;

    /// Runs one item in an isolated worker process, which alone dies if the item crashes.
    /// Otherwise like [`run_item`](Self::run_item), which the default calls.
    ///
    /// # Errors
    /// As `run_item`.
    fn run_isolated(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        self.run_item(item, context)
    }

    /// Runs one item and reports the processes that it starts to `observer`. Otherwise like
    /// [`run_item`](Self::run_item), which the default calls.
    ///
    /// # Errors
    /// As `run_item`.
    fn run_item_on(
        &self,
        item: &Item,
        context: &Context,
        _observer: &dyn ProcessObserver,
    ) -> Result<Output, ItemError> {
        self.run_item(item, context)
    }

    /// The error of an item that panicked at this `file:line:column`, if that is no fault of the program
    /// but of what the item is. `None` shows the panic itself.
    fn error_of_panic(&self, _item: &Item, _place: &str) -> Option<ItemError> {
        None
    }

    /// Whether each item is a process of its own. Then its thread only waits: it does not compete
    /// for a core, and isolating it would isolate nothing.
    fn has_processes(&self) -> bool {
        false
    }

    /// Whether something else has started the processes of its items. Then a cancel of the job leaves them
    /// alone, as the end of this program does.
    fn leaves_processes(&self) -> bool {
        false
    }

    /// Whether an item is so short that others may run behind it in the same task: it reads its file and
    /// waits for nothing else.
    fn is_short(&self, _item: &Item) -> bool {
        false
    }

    /// Whether the names of items are paths of files. Otherwise they are texts, whose slashes separate no
    /// folders.
    fn names_are_paths(&self, _has_inputs: bool) -> bool {
        true
    }

    /// Whether items are files, or folders, with their paths as names.
    fn items_are_files(&self, has_inputs: bool) -> bool {
        self.names_are_paths(has_inputs)
    }

    /// Whether items have the terminal of this program while they run. Then nothing else is shown there.
    fn uses_terminal(&self) -> bool {
        false
    }

    /// The most address space that an isolated worker may use for this job, in bytes; `None` for
    /// no limit.
    fn address_space_limit(&self) -> Option<u64> {
        None
    }

    /// The time that a cancelled item may take to stop, in addition to that of any other job.
    fn stop_time(&self) -> Duration {
        Duration::ZERO
    }
}

/// One of the two output streams of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    Stdout,
    Stderr,
}

/// Nothing takes output any more.
#[derive(Debug)]
pub struct OutputClosed;

/// Shows the processes of the items of a job.
pub trait ProcessObserver {
    /// How urgently the items run.
    fn priority(&self) -> Priority;

    /// What starts the processes; `None` if they are started without one.
    #[cfg(unix)]
    fn launcher(&self) -> Option<Launcher> {
        Launcher::installed()
    }

    /// The item has started this process.
    #[cfg(unix)]
    fn did_run(&self, process: &Process);

    /// Whether [`did_print`](Self::did_print) takes all output of the process while it runs. Then the
    /// result keeps but little of it.
    fn takes_output(&self) -> bool {
        false
    }

    /// The process has printed these bytes. Returns a channel if there should be no more for now, until
    /// that is disconnected.
    ///
    /// # Errors
    /// Nothing takes them.
    fn did_print(
        &self,
        _stream: OutputStream,
        _bytes: &[u8],
    ) -> Result<Option<Receiver<()>>, OutputClosed> {
        Err(OutputClosed)
    }

    /// The process has ended; the item ends soon.
    fn did_end(&self, ran: &Arc<ProcessRun>);
}

impl ProcessObserver for () {
    fn priority(&self) -> Priority {
        Priority::Normal
    }

    #[cfg(unix)]
    fn did_run(&self, _process: &Process) {}

    fn did_end(&self, _ran: &Arc<ProcessRun>) {}
}
