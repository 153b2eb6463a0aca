//! What a process may leave behind: zombies, open files, threads.

use std::fs;
use std::path::PathBuf;

/// What this process has at one moment.
#[derive(Debug)]
pub(crate) struct Left {
    /// The names of its children that have ended and that nobody has reaped.
    pub(crate) zombies: Vec<String>,
    pub(crate) files: Vec<PathBuf>,
    /// By their names.
    pub(crate) threads: Vec<String>,
}

impl Left {
    pub(crate) fn now() -> Self {
        let files = fs::read_dir("/proc/self/fd").expect("Linux tells");
        let threads = fs::read_dir("/proc/self/task").expect("Linux tells");
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

    /// Whether there is no zombie, and no more of the rest than there was `before`.
    pub(crate) fn is_no_more_than(&self, before: &Self) -> bool {
        self.zombies.is_empty()
            && self.files.len() <= before.files.len()
            && self.threads.len() <= before.threads.len()
    }
}

fn zombies() -> Vec<String> {
    let own = std::process::id().to_string();
    let stats = fs::read_dir("/proc").expect("Linux tells").flatten();
    let stats = stats.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    let zombies = stats.filter(|stat| {
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let mut fields = after_name.split(' ');
        fields.next() == Some("Z") && fields.next() == Some(&own)
    });
    zombies.collect()
}
