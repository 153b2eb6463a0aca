//! Looks at processes through `/proc`.

mod call;
mod files;
mod finding;
mod futex;
mod locks;
mod merge;
mod reader;
mod snapshot;
mod sockets;
mod system;
mod table;
mod thread;

use std::time::{Duration, Instant};

use crate::{ExplainError, WaitGraph};
use snapshot::Snapshot;

/// Looks twice, `interval` apart, and believes what is the same.
pub(crate) fn look(
    pid: u32,
    descendants: bool,
    interval: Duration,
) -> Result<WaitGraph, ExplainError> {
    let before = Snapshot::take(pid, descendants)?;
    let began = Instant::now();
    std::thread::sleep(interval);
    let after = Snapshot::take(pid, descendants)?;
    if before.started() != after.started() {
        return Err(ExplainError::NoSuchProcess(pid));
    }
    Ok(merge::graph(&before, after, began.elapsed()))
}
