//! The resources that a process can leak: zombies, open files and threads.

use std::fs;
use std::path::PathBuf;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The resources of a process at one moment.
#[derive(Debug)]
pub(crate) struct Resources {
    /// The `stat` lines of its children.
    pub(crate) children: Vec<String>,
    /// Those that it has not reaped.
    pub(crate) zombies: Vec<String>,
    pub(crate) files: Vec<PathBuf>,
    /// The names of the threads.
    pub(crate) threads: Vec<String>,
}

impl Resources {
    /// Those of this process.
    pub(crate) fn now() -> Self {
        Self::of(std::process::id())
    }

    pub(crate) fn of(pid: u32) -> Self {
        let files = fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs");
        let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
        let children = children_of(pid);
        let zombies = children
            .iter()
            .filter(|stat| after_name(stat).starts_with("Z "));
        Self {
            zombies: zombies.cloned().collect(),
            children,
            files: files
                .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
                .collect(),
            threads: threads
                .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("comm")).ok())
                .collect(),
        }
    }

    /// Whether there is no zombie, and at most this many files and threads.
    pub(crate) fn are_within(&self, files: usize, threads: usize) -> bool {
        self.zombies.is_empty() && self.files.len() <= files && self.threads.len() <= threads
    }
}

/// Limits how many threads the user of this process may have.
pub(crate) fn limit_threads(current: Option<u64>) {
    let limit = Rlimit {
        current,
        ..getrlimit(Resource::Nproc)
    };
    setrlimit(Resource::Nproc, limit).expect("the limit may be lowered, and raised again");
}

fn children_of(pid: u32) -> Vec<String> {
    let pid = pid.to_string();
    let stats = fs::read_dir("/proc").expect("Linux has /proc").flatten();
    let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats
        .filter(|stat| after_name(stat).split(' ').nth(1) == Some(&pid))
        .collect()
}

/// The fields of a `stat` line from the state on. Only the name before it may have spaces.
fn after_name(stat: &str) -> &str {
    stat.rsplit(") ").next().unwrap_or_default()
}

/// The bytes of memory that this process uses now.
pub(crate) fn resident_bytes() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux has /proc");
    let pages = statm.split_whitespace().nth(1).map(str::parse::<usize>);
    let pages = pages.expect("a second field").expect("a number");
    pages * 4096
}
