//! Looks at processes through `/proc`.

mod answered;
mod call;
mod escaped;
mod files;
mod finding;
mod fuse;
mod futex;
mod groups;
mod locks;
mod merge;
mod own;
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

pub(crate) use own::Looks;

use crate::runtime::Answer;
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
    answer: Option<&Answer>,
    interval: Duration,
) -> Result<WaitGraph, ExplainError> {
    let take = |before: Option<&Snapshot>| Snapshot::take(pids, descendants, answer, before);
    let before = take(None)?;
    let began = Instant::now();
    while let Some(left) = interval.checked_sub(began.elapsed()) {
        park_timeout(left);
    }
    let after = take(Some(&before))?;
    Ok(merge::graph(&before, after, began.elapsed()))
}
