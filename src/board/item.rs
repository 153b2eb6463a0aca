use std::sync::Arc;
use std::time::Duration;

use crate::jobs::retry::Shortage;
use crate::jobs::{ItemError, Output};
use crate::join::Task;
use crate::record::{Crash, Panic};

pub(super) type ItemTask = Task<ItemOutcome>;

/// The result of the task of an item. A panic or a cancel of the task itself is a
/// [`JoinError`](crate::join::JoinError) instead.
#[cfg_attr(
    not(unix),
    expect(dead_code, reason = "there are no isolated workers there")
)]
pub(super) enum ItemOutcome {
    Returned(Output),
    Failed(ItemError),
    /// It panicked in a worker, which sent the resolved backtrace along.
    Panicked(Arc<Panic>, Arc<str>),
    Crashed(Arc<Crash>),
    /// It was cancelled in its worker, or while it waited for one.
    Cancelled,
    /// Its end was published where it ran, and that of all items that shared its task.
    Published,
    /// It ignored a cancel for this long, and its worker was stopped.
    IgnoredCancel(Duration),
}

impl ItemOutcome {
    /// What the system refused to the item before it could do anything.
    pub(super) fn shortage(&self) -> Option<Shortage> {
        match self {
            Self::Failed(error) => error.shortage(),
            _ => None,
        }
    }
}

impl From<Result<Output, ItemError>> for ItemOutcome {
    fn from(result: Result<Output, ItemError>) -> Self {
        match result {
            Ok(output) => Self::Returned(output),
            Err(error) if error.is_cancel() => Self::Cancelled,
            Err(error) => Self::Failed(error),
        }
    }
}
