//! Looks at processes through `/proc`.

mod call;
mod escaped;
mod files;
mod finding;
mod futex;
mod locks;
mod merge;
mod reader;
mod small;
mod snapshot;
mod sockets;
mod system;
mod table;
mod thread;

use std::fs;
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use crate::{ExplainError, WaitGraph};
use snapshot::Snapshot;
use table::Table;
use thread::Stat;

/// Returns the processes with this name, in the order of their ids.
pub(crate) fn processes_named(name: &str) -> Result<Vec<u32>, ExplainError> {
    let is_named = |pid: &u32| {
        let own = Stat::read(&format!("/proc/{pid}/stat")).is_some_and(|stat| stat.name == name);
        let program = || {
            let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
            Some(path.file_name()? == name)
        };
        *pid != std::process::id() && (own || program() == Some(true))
    };
    let table = Table::read()?;
    Ok(table.pids().filter(is_named).collect())
}

/// Looks twice, `interval` apart, and believes what is the same.
pub(crate) fn look(
    pids: &[u32],
    descendants: bool,
    interval: Duration,
) -> Result<WaitGraph, ExplainError> {
    let before = Snapshot::take(pids, descendants, None)?;
    let began = Instant::now();
    while let Some(left) = interval.checked_sub(began.elapsed()) {
        park_timeout(left);
    }
    let after = Snapshot::take(pids, descendants, Some(&before))?;
    Ok(merge::graph(&before, after, began.elapsed()))
}
