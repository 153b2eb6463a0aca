//! What a thread and a process have used of the processors.

use std::fs;
use std::path::Path;

use super::fact::ThreadTime;

/// What the thread is called that draws: the first one, with the window's events.
pub const UI_THREAD: &str = "UI thread";

/// The time of this thread on a processor, in nanoseconds.
pub(super) fn of_thread() -> u64 {
    clock::now(clock::Of::Thread)
}

/// The time of this process on processors, in nanoseconds.
pub(super) fn of_process() -> u64 {
    clock::now(clock::Of::Process)
}

/// The time of each thread of this process on a processor; of those that have ended there is none.
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
            // A thread without a name has that of the one that started it.
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

mod clock {
    use rustix::time::{ClockId, clock_gettime};

    #[derive(Clone, Copy)]
    pub(super) enum Of {
        Thread,
        Process,
    }

    pub(super) fn now(of: Of) -> u64 {
        let time = clock_gettime(match of {
            Of::Thread => ClockId::ThreadCPUTime,
            Of::Process => ClockId::ProcessCPUTime,
        });
        let (secs, nanos) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
        secs * 1_000_000_000 + nanos
    }
}
