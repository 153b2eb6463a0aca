//! The scheduling policy of threads.

use std::fs;
use std::path::Path;

/// Whether the thread with this folder in `/proc` has background priority. `None` once it has
/// ended.
pub(crate) fn is_idle(thread: &Path) -> Option<bool> {
    /// The kernel's number of `SCHED_IDLE`.
    const IDLE: &str = "5";
    let stat = fs::read_to_string(thread.join("stat")).ok()?;
    // The name is the second field, in parentheses, and may contain spaces. The policy is field 41.
    let (_, fields) = stat.rsplit_once(')')?;
    fields
        .split_whitespace()
        .nth(38)
        .map(|policy| policy == IDLE)
}

/// The number of threads of a process that have background priority now.
pub(crate) fn idle_threads_of(pid: u32) -> usize {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    threads
        .filter_map(|thread| is_idle(&thread.ok()?.path()))
        .filter(|is_idle| *is_idle)
        .count()
}
