//! What a process waits for, and why: the whole chain from the one who waits to the cause.
//!
//! [`process`] looks at a process and at whatever it waits for: threads that join each other, locks and
//! who holds them, children, pipes and sockets and who is at their other end. [`WaitGraph::sentence`]
//! tells it in plain words, and [`WaitGraph::rings`] finds those who wait for each other, through
//! several processes too.
//!
//! It reads `/proc`, as an ordinary user, and changes nothing: it sends no signal, attaches to nothing and
//! needs no symbols. What the system does not record, such as who holds a mutex of Rust, is called
//! not known, and never guessed. Only Linux has what it needs.
//!
//! ```no_run
//! # fn main() -> Result<(), meanwhile_explain::ExplainError> {
//! let graph = meanwhile_explain::process(4711)?;
//! println!("{}", graph.sentence());
//! # Ok(())
//! # }
//! ```

mod dot;
mod graph;
#[cfg(target_os = "linux")]
mod linux;
mod own;
mod rings;
mod runtime;
mod sentence;
mod short;

use std::time::Duration;

use thiserror::Error;

pub use graph::{
    Activity, Children, Deadline, File, FileKind, Lock, Process, ProcessIndex, Target, Thread,
    ThreadIndex, WaitGraph,
};
pub use own::{OwnLook, OwnThread, OwnWait};
pub use rings::Ring;
pub use runtime::{Answer, AnswerError, Question, Runtime};
pub use sentence::Words;

/// For how long a process is looked at: what is the same at the begin and at the end is believed.
pub const INTERVAL: Duration = Duration::from_millis(80);

/// Why a process could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// There is no process with this pid.
    #[error("no process has the id {0}")]
    NoSuchProcess(u32),
    /// The process table can't be read.
    #[error("the process table can't be read: {0}")]
    Unreadable(String),
    /// This system does not tell what a process waits for.
    #[error("what a process waits for is not known on this system, only on Linux")]
    NotKnownHere,
}

/// Looks at a process, and at whatever it waits for. Takes at least [`INTERVAL`].
///
/// A process of another user, or one that does not allow it, is in the graph as
/// [`Activity::NotPermitted`].
///
/// # Errors
/// There is no process with this pid, or this is not Linux.
pub fn process(pid: u32) -> Result<WaitGraph, ExplainError> {
    look(&[pid], false, None)
}

/// Like [`process`], and looks at all descendants of the process too.
///
/// # Errors
/// Those of [`process`].
pub fn tree(pid: u32) -> Result<WaitGraph, ExplainError> {
    look(&[pid], true, None)
}

/// Like [`tree`] for several processes at once, which is one look of [`INTERVAL`] and one graph. Those that have
/// ended are left out, and the first process of the graph is one of those that are asked for.
///
/// # Errors
/// None of the processes is there, or this is not Linux.
///
/// # Panics
/// `pids` is empty.
pub fn trees(pids: &[u32]) -> Result<WaitGraph, ExplainError> {
    look(pids, true, None)
}

/// Like [`process`] or, with `descendants`, like [`tree`], with what a runtime has said a moment before.
///
/// The runtime is to be asked once more after the look, and the look repeated with what the second answer
/// [confirms](Answer::confirmed_by).
///
/// # Errors
/// Those of [`process`].
pub fn with_answer(
    pid: u32,
    descendants: bool,
    answer: &Answer,
) -> Result<WaitGraph, ExplainError> {
    look(&[pid], descendants, Some(answer))
}

/// Returns the ids of the processes with this name: that of the program, or the one that the process has
/// given itself. The caller is not among them.
///
/// # Errors
/// The process table can't be read, or this is not Linux.
pub fn processes_named(name: &str) -> Result<Vec<u32>, ExplainError> {
    named(name)
}

#[cfg(target_os = "linux")]
fn named(name: &str) -> Result<Vec<u32>, ExplainError> {
    linux::processes_named(name)
}

#[cfg(not(target_os = "linux"))]
fn named(_: &str) -> Result<Vec<u32>, ExplainError> {
    Err(ExplainError::NotKnownHere)
}

#[cfg(target_os = "linux")]
fn look(
    pids: &[u32],
    descendants: bool,
    answer: Option<&Answer>,
) -> Result<WaitGraph, ExplainError> {
    linux::look(pids, descendants, answer, INTERVAL)
}

#[cfg(not(target_os = "linux"))]
fn look(_: &[u32], _: bool, _: Option<&Answer>) -> Result<WaitGraph, ExplainError> {
    Err(ExplainError::NotKnownHere)
}
