//! What a slot has to show.

use std::fmt;
use std::sync::Arc;

use super::error::{JoinError, SpawnError};
use super::panic::PanicReport;

/// What a [`Slot`](super::Slot) has to show. Returned by [`Slot::poll`](super::Slot::poll).
#[derive(Debug)]
pub enum SlotState<'a, T> {
    /// Nothing was started yet, or the slot was cleared.
    Empty,
    /// A task runs, is queued, or will start after a delay.
    Loading {
        /// The value of an earlier task.
        previous: Option<&'a T>,
    },
    /// The latest task has returned this value.
    Ready(&'a T),
    /// The latest task has ended without a value.
    Failed {
        /// The reason.
        error: &'a SlotError,
        /// The value of an earlier task.
        previous: Option<&'a T>,
    },
}

/// The reason why a [`Slot`](super::Slot) has no new value.
///
/// The text of each variant contains its cause, so [`source`](std::error::Error::source) is `None`.
#[derive(Debug)]
#[non_exhaustive]
pub enum SlotError {
    /// The task panicked.
    Panicked(Arc<PanicReport>),
    /// The task was cancelled.
    Cancelled,
    /// The system refused the thread for a delayed or repeated start.
    NotStarted(SpawnError),
}

impl<'a, T> SlotState<'a, T> {
    /// Returns the latest value, which may be that of an earlier task.
    pub fn latest(&self) -> Option<&'a T> {
        match *self {
            Self::Empty => None,
            Self::Ready(value) => Some(value),
            Self::Loading { previous } | Self::Failed { previous, .. } => previous,
        }
    }
}

impl fmt::Display for SlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(report) => report.fmt(f),
            Self::Cancelled => f.write_str("the task was cancelled"),
            Self::NotStarted(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for SlotError {}

impl SlotError {
    /// The outcome of a task that has ended without a value.
    pub(crate) fn of(outcome: JoinError) -> Self {
        match outcome {
            JoinError::Panicked(report) => Self::Panicked(report),
            _ => Self::Cancelled,
        }
    }
}
