//! How the kernel schedules a thread.

use std::fs;
use std::path::Path;

/// Whether the thread whose folder of `/proc` this is runs only when nothing else wants to. `None`
/// once the thread has ended.
pub(crate) fn is_idle(thread: &Path) -> Option<bool> {
    /// `SCHED_IDLE`, as the kernel numbers it.
    const IDLE: &str = "5";
    let stat = fs::read_to_string(thread.join("stat")).ok()?;
    // The name comes second, in parentheses, and may have spaces; the policy is field 41.
    let (_, fields) = stat.rsplit_once(')')?;
    fields
        .split_whitespace()
        .nth(38)
        .map(|policy| policy == IDLE)
}

/// How many of the threads that a process has now run only when nothing else wants to.
pub(crate) fn idle_threads_of(pid: u32) -> usize {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    threads
        .filter_map(|thread| is_idle(&thread.ok()?.path()))
        .filter(|is_idle| *is_idle)
        .count()
}
