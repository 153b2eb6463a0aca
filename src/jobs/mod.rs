//! The jobs: the [`Job`] trait and the [`catalogue()`].
//!
//! A job is data ([`JobSpec`]: which job, its options, its inputs, where it runs) and two
//! functions: [`Job::plan`] turns inputs into items, [`Job::run_item`] processes one of them.
//! [`crate::board`] does everything around that (threads, cancelling, joining, catching panics), so
//! a job is ordinary sequential code.
//!
//! A job is one folder, with its options, its form ([`JobInterface::form`]), its command-line
//! arguments, its results ([`JobOutput`]) and their names. Adding one takes that folder and one line of
//! the catalogue below. No other code names a single job.

mod args;
mod catalogue;
pub mod form;
pub(crate) mod identity;
mod inputs;
mod interface;
mod item;
mod job;
pub(crate) mod os_text;
pub(crate) mod pattern;
pub(crate) mod place;
mod plan;
pub(crate) mod process_limit;
mod process_run;
pub(crate) mod retry;
pub(crate) mod room;
pub mod save;
pub(crate) mod stdin;
pub(crate) mod suspension;
mod text;
#[cfg(test)]
pub mod tutorial;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use self::args::duration;
use self::catalogue::catalogue;
pub use self::inputs::JobInputs;
pub(crate) use self::interface::DEFAULT_OUTPUT_LIMIT;
pub use self::interface::{Arguments, JobInterface, Verdict};
pub use self::item::{Item, ItemError, JobOutput};
pub use self::job::{Job, OutputClosed, OutputStream, ProcessObserver};
pub use self::plan::Plan;
pub(crate) use self::process_run::listed;
#[cfg(unix)]
use self::process_run::process_name;
pub use self::process_run::{CapturedOutput, ExitStatus, ProcessRun, StopSummary};
pub use self::retry::set_patience;
pub(crate) use self::suspension::Stopwatch;
use crate::choice::choices;
use crate::join;

catalogue! {
    /// Compute checksums.
    Checksum: checksum output(Checksum(checksum::Checksum)),
    /// Compare files with checksum lists.
    Verify: verify step(Verify(verify::Expected)),
    /// Find what is new, moved, changed, missing or rotten since an earlier state.
    Audit: audit step(Audit(audit::Check)) output(Audited(audit::Audited)),
    /// Run a program, once or once for each file.
    Command: command step(Command { files: Vec<PathBuf> }) output(Process(Arc<ProcessRun>)),
    /// Fetch URLs.
    Fetch: fetch step(Fetch(fetch::Request)) output(Fetched(fetch::Fetched)),
    /// Edit images and save them to another folder.
    Images: images step(SaveAs { name: OsString }) output(Image(images::Saved)),
    /// End one item or all in a chosen way, such as a panic or a crash.
    Misbehave: misbehave step(Misbehave),
}

/// Everything that is needed to start a job, and to start the same job again.
#[derive(Clone, Debug)]
pub struct JobSpec {
    pub options: Options,
    pub inputs: JobInputs,
    pub run_on: RunOn,
    /// The number of items that run at once, at least 1.
    pub workers: usize,
    pub priority: Priority,
}

impl JobSpec {
    /// A job without inputs: on the pool, one worker a core, in the background.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            inputs: JobInputs::default(),
            run_on: RunOn::default(),
            workers: cores(),
            priority: Priority::default(),
        }
    }
}

/// The number of cores that this process may use, which is the default number of workers.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// The place where the items of a job run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum RunOn {
    /// On a pool of `workers` threads that lives as long as the job.
    #[default]
    #[value(help = "A pool of threads")]
    Pool,
    /// Each item on a thread of its own, at most `workers` at a time.
    #[value(help = "A thread of its own for each item")]
    Thread,
    /// On `workers` isolated processes, each running one item after the other: a crash costs one
    /// item. Not on Windows.
    #[value(help = "Isolated processes: a crash costs one item")]
    Process,
}

choices!(pub RunOn {
    Pool => "Shared threads", "A pool of threads that lives as long as the job",
    Thread => "A thread each", "Each item on a thread of its own",
    Process => "A process each",
        "Isolated processes: a crash, or a library that never returns, costs one item",
});

/// The priority of the items of a job, as settings and arguments name it: `join` knows neither, and
/// its `Priority` has the other default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Only when nothing else wants to run: the window and other programs stay quick, and on a
    /// busy machine the job is slow.
    #[default]
    Background,
    /// Like any other program.
    Normal,
}

choices!(pub Priority {
    Background => "Background",
        "Yields to the window and to other programs; slow while these are busy",
    Normal => "Normal", "Competes with the window and with other programs",
});

impl From<Priority> for join::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Background => Self::Background,
            Priority::Normal => Self::Normal,
        }
    }
}
