//! Processor times of threads and of the process.

use std::fs;
use std::path::Path;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// The name of the process's first thread, which handles events and draws.
pub const UI_THREAD: &str = "UI thread";

/// Processor time of a thread since it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadTime {
    /// The thread id of the system.
    pub id: u32,
    pub name: String,
    /// In nanoseconds.
    pub cpu_ns: u64,
}

/// Processor time of this thread, in nanoseconds.
pub(super) fn of_thread() -> u64 {
    now(ClockId::ThreadCPUTime)
}

/// Processor time of this process, in nanoseconds.
pub(super) fn of_process() -> u64 {
    now(ClockId::ProcessCPUTime)
}

/// Processor time of each live thread of this process.
pub(super) fn of_threads() -> Vec<ThreadTime> {
    let main_name = name(Path::new("/proc/self"));
    let Ok(tasks) = fs::read_dir("/proc/self/task") else {
        return Vec::new();
    };
    let threads = tasks.flatten().filter_map(|task| {
        let mut thread = thread(&task.path())?;
        if thread.id == std::process::id() {
            UI_THREAD.clone_into(&mut thread.name);
        } else if Some(&thread.name) == main_name.as_ref() {
            // A thread without a name inherits that of its parent thread.
            "unnamed".clone_into(&mut thread.name);
        }
        Some(thread)
    });
    threads.collect()
}

fn thread(task: &Path) -> Option<ThreadTime> {
    let time = fs::read_to_string(task.join("schedstat")).ok()?;
    Some(ThreadTime {
        id: task.file_name()?.to_str()?.parse().ok()?,
        name: name(task)?,
        cpu_ns: time.split(' ').next()?.parse().ok()?,
    })
}

fn name(task: &Path) -> Option<String> {
    let name = fs::read_to_string(task.join("comm")).ok()?;
    Some(name.trim_end().to_owned())
}

fn now(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let (secs, nanos) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    secs * 1_000_000_000 + nanos
}
