//! The value of a shared task, moved out of its last handle.

use std::error::Error;
use std::fmt;

use super::error::JoinError;
use super::task::Task;
use super::{graph, wait};

/// The reason why [`Task::into_output`] returned no value. There are no other reasons, so that a `match`
/// gives back the handle.
pub enum IntoOutputError<T> {
    /// The task ended without a value: it panicked or was cancelled.
    Ended(JoinError),
    /// The task has not ended, or another handle exists. This is the handle.
    InUse(Task<T>),
}

impl<T> Task<T> {
    /// Returns the value of a task that has ended, if this is the last handle. For a value that can
    /// always be moved out, at once, see [`OwnedTask`](super::OwnedTask).
    ///
    /// If there is another handle, it first blocks until the callbacks of [`on_finish`](Self::on_finish) and
    /// [`on_outcome`](Self::on_outcome) have run, because they may hold it: a join ends before them. It does
    /// not block in such a callback itself, or if one of them waits for the task that calls this.
    ///
    /// ```
    /// use meanwhile_join as join;
    ///
    /// let task = join::spawn("read", |_| std::fs::read_to_string("Cargo.toml"))?;
    /// task.join()?;
    /// let text: String = task.into_output()??; // the outcome of the task, then that of the read
    /// assert!(text.contains("name"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// - [`Ended`](IntoOutputError::Ended) if the task panicked or was cancelled.
    /// - [`InUse`](IntoOutputError::InUse) with this handle if the task has not ended, or if it has a value and
    ///   another handle exists.
    pub fn into_output(self) -> Result<T, IntoOutputError<T>> {
        match self.take_if_last() {
            Err(IntoOutputError::InUse(task)) if task.is_finished() => {
                wait::for_callbacks(graph::global(), task.header());
                task.take_if_last()
            }
            taken => taken,
        }
    }

    fn take_if_last(self) -> Result<T, IntoOutputError<T>> {
        if !self.is_finished() {
            return Err(IntoOutputError::InUse(self));
        }
        let (header, slot) = self.into_parts();
        if slot.get().is_none() {
            return Err(IntoOutputError::Ended(header.no_value()));
        }
        match slot.into_value() {
            Ok(value) => value.ok_or_else(|| IntoOutputError::Ended(header.no_value())),
            Err(slot) => Err(IntoOutputError::InUse(Self::new(header, slot))),
        }
    }
}

impl<T> fmt::Display for IntoOutputError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(error) => error.fmt(f),
            Self::InUse(task) if task.is_finished() => {
                write!(f, "the task `{}` has another handle", task.name())
            }
            Self::InUse(task) => write!(f, "the task `{}` has not ended", task.name()),
        }
    }
}

impl<T> fmt::Debug for IntoOutputError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended(error) => f.debug_tuple("Ended").field(error).finish(),
            Self::InUse(task) => f.debug_tuple("InUse").field(task).finish(),
        }
    }
}

impl<T> Error for IntoOutputError<T> {}
