//! The resources that a process can leak: zombies, open files and threads.

use std::fs;
use std::path::PathBuf;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The resources of this process at one moment.
#[derive(Debug)]
pub(crate) struct Resources {
    /// The `stat` lines of the children that it has not reaped.
    pub(crate) zombies: Vec<String>,
    pub(crate) files: Vec<PathBuf>,
    /// The names of the threads.
    pub(crate) threads: Vec<String>,
}

impl Resources {
    pub(crate) fn now() -> Self {
        let files = fs::read_dir("/proc/self/fd").expect("Linux has /proc");
        let threads = fs::read_dir("/proc/self/task").expect("Linux has /proc");
        Self {
            zombies: zombies(),
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

fn zombies() -> Vec<String> {
    let own = std::process::id().to_string();
    let stats = fs::read_dir("/proc").expect("Linux has /proc").flatten();
    let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let zombies = stats.filter(|stat| {
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let mut fields = after_name.split(' ');
        fields.next() == Some("Z") && fields.next() == Some(&own)
    });
    zombies.collect()
}

/// The bytes of memory that this process uses now.
pub(crate) fn resident_bytes() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").expect("Linux has /proc");
    let pages = statm.split_whitespace().nth(1).map(str::parse::<usize>);
    let pages = pages.expect("a second field").expect("a number");
    pages * 4096
}
