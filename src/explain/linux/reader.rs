//! Reads the memory and the files of one process.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::sync::OnceLock;
use std::time::Duration;

use super::files::OpenFile;
use super::finding::Who;
use super::system::System;

/// The longest path that is read from memory.
const MAX_PATH: usize = 4096;

/// A process whose threads are looked at.
#[derive(Debug)]
pub(super) struct ProcessReader<'a> {
    pub(super) system: &'a System,
    pub(super) pid: u32,
    tids: Vec<u32>,
    /// The threads by the ids that they have in their own pid namespace, if it is not that of the reader.
    inner: OnceLock<Option<BTreeMap<u32, u32>>>,
    memory: OnceLock<Option<File>>,
    frozen: OnceLock<bool>,
}

impl<'a> ProcessReader<'a> {
    pub(super) fn new(system: &'a System, pid: u32, tids: Vec<u32>) -> Self {
        Self {
            system,
            pid,
            tids,
            inner: OnceLock::new(),
            memory: OnceLock::new(),
            frozen: OnceLock::new(),
        }
    }

    pub(super) fn tids(&self) -> &[u32] {
        &self.tids
    }

    /// Opened by a thread that lives: that of a process whose first thread has ended is empty.
    fn memory(&self) -> Option<&File> {
        let open = || {
            let paths = self
                .tids
                .iter()
                .map(|tid| format!("/proc/{}/task/{tid}/mem", self.pid));
            paths
                .filter(|path| is_running(path))
                .find_map(|path| File::open(path).ok())
        };
        self.memory.get_or_init(open).as_ref()
    }

    /// Returns whether the control group of the process is frozen. A thread seems to sleep then as it did
    /// before.
    pub(super) fn is_frozen(&self) -> bool {
        *self
            .frozen
            .get_or_init(|| self.system.groups().is_frozen(self.pid))
    }

    pub(super) fn bytes<const N: usize>(&self, address: u64) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.memory()?.read_exact_at(&mut bytes, address).ok()?;
        Some(bytes)
    }

    pub(super) fn u32(&self, address: u64) -> Option<u32> {
        self.bytes(address).map(u32::from_ne_bytes)
    }

    pub(super) fn u64(&self, address: u64) -> Option<u64> {
        self.bytes(address).map(u64::from_ne_bytes)
    }

    /// Reads `count` bytes, at most the bits of a thousand descriptors.
    pub(super) fn block(&self, address: u64, count: usize) -> Option<Vec<u8>> {
        let mut block = vec![0; count];
        self.memory()?.read_exact_at(&mut block, address).ok()?;
        Some(block)
    }

    /// Reads a text that ends with a zero byte.
    pub(super) fn text(&self, address: u64) -> Option<Vec<u8>> {
        let mut text = vec![0; MAX_PATH];
        // Less than asked for comes back where the memory ends.
        let count = self.memory()?.read_at(&mut text, address).ok()?;
        text.truncate(count);
        let end = text.iter().position(|byte| *byte == 0)?;
        text.truncate(end);
        Some(text)
    }

    /// Reads a `struct timespec`.
    pub(super) fn time(&self, address: u64) -> Option<Duration> {
        let seconds = self.u64(address)?;
        let nanoseconds = self.u64(address.checked_add(8)?)?;
        Some(Duration::new(seconds, u32::try_from(nanoseconds).ok()?))
    }

    pub(super) fn file(&self, fd: u64) -> Option<OpenFile> {
        // An `int`, whose upper half may be anything.
        OpenFile::of(self.system, self.pid, low(fd).cast_signed())
    }

    /// Returns the thread of this process that has this id in its own pid namespace.
    pub(super) fn thread(&self, id: u32) -> Option<Who> {
        let tid = match self.inner.get_or_init(|| inner_ids(self.pid, &self.tids)) {
            Some(inner) => *inner.get(&id)?,
            None => id,
        };
        self.tids
            .contains(&tid)
            .then_some(Who::Thread { pid: self.pid, tid })
    }

    /// Returns the thread of any process in the same pid namespace that has this id there.
    pub(super) fn thread_of_any_process(&self, id: u32) -> Option<Who> {
        if let Some(own) = self.thread(id) {
            return Some(own);
        }
        if self
            .inner
            .get_or_init(|| inner_ids(self.pid, &self.tids))
            .is_none()
        {
            let pid = status_number(&format!("/proc/{id}/status"), "Tgid:")?;
            return Some(Who::Thread { pid, tid: id });
        }
        let namespace = |pid: u32| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
        let own = namespace(self.pid)?;
        let mut others = self
            .system
            .table()
            .pids()
            .filter(|pid| namespace(*pid) == Some(own.clone()));
        others.find_map(|pid| {
            let inner = inner_ids(pid, &tids(pid))?;
            Some(Who::Thread {
                pid,
                tid: *inner.get(&id)?,
            })
        })
    }

    /// Returns the process that has this id in the pid namespace of this one.
    pub(super) fn process(&self, id: u32) -> Option<Who> {
        match self.thread_of_any_process(id)? {
            Who::Thread { pid, .. } | Who::Process(pid) => Some(Who::Process(pid)),
        }
    }
}

/// Returns the lower half of an argument, which is all of an `int`.
pub(super) fn low(argument: u64) -> u32 {
    u32::try_from(argument & u64::from(u32::MAX)).unwrap_or_default()
}

fn is_running(memory: &str) -> bool {
    let stat = fs::read_to_string(memory.replace("/mem", "/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map_or("", |(_, state)| state);
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}

/// Returns the ids of the threads of a process.
pub(super) fn tids(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    tasks
        .flatten()
        .filter_map(|task| task.file_name().to_str()?.parse().ok())
        .collect()
}

fn inner_ids(pid: u32, tids: &[u32]) -> Option<BTreeMap<u32, u32>> {
    let inner = |tid: u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/task/{tid}/status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("NSpid:"))?;
        // The first is that of the reader's namespace.
        line.split_whitespace().skip(1).last()?.parse::<u32>().ok()
    };
    // All threads of a process are in one namespace.
    inner(*tids.first()?)?;
    Some(
        tids.iter()
            .filter_map(|tid| Some((inner(*tid)?, *tid)))
            .collect(),
    )
}

pub(super) fn status_number(path: &str, key: &str) -> Option<u32> {
    let status = fs::read_to_string(path).ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
}
