//! One look at a process and at all whom it waits for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::thread::{Builder, available_parallelism, scope};

use super::answered;
use super::escaped::escaped;
use super::finding::Who;
use super::reader::{ProcessReader, tids};
use super::small;
use super::system::System;
use super::thread::{self, Earlier, SeenThread, Stat};
use crate::ExplainError;
use crate::graph::Activity;
use crate::runtime::Answer;

/// More processes than this are not looked at.
const MAX_PROCESSES: usize = 1_000;

/// A brief look follows a chain of waits no further than this.
const MAX_CHAIN: usize = 32;

/// So many threads are looked at in less time than a thread takes to start.
const MIN_PART: usize = 64;

/// Of a longer title, the rest is left out.
const MAX_TITLE: usize = 100;

/// A process as it was at one time.
#[derive(Clone, Debug)]
pub(super) struct SeenProcess {
    pub(super) pid: u32,
    pub(super) started: u64,
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) parent: u32,
    pub(super) zombie: bool,
    pub(super) threads: Vec<SeenThread>,
}

/// What one look has found. The first process is one of those that were asked for.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) processes: Vec<SeenProcess>,
    /// Whom somebody waits for and who is not among the processes.
    pub(super) left_out: Vec<u32>,
}

impl Snapshot {
    /// The second look has the first one as `before`. A process that has taken the pid of another one in between
    /// was not asked for.
    pub(super) fn take(
        asked: &[u32],
        descendants: bool,
        answer: Option<&Answer>,
        before: Option<&Self>,
    ) -> Result<Self, ExplainError> {
        let earlier = before.map(Self::threads);
        let system = System::new()?;
        let alive = asked.iter().filter(|pid| system.table().contains(**pid));
        let mut next: VecDeque<u32> = alive.copied().collect();
        if descendants {
            let trees = asked.iter().flat_map(|pid| system.table().tree(*pid));
            next.extend(trees);
        }
        let mut places = BTreeMap::new();
        let mut processes = Vec::new();
        let mut left_out = Vec::new();
        while let Some(pid) = next.pop_front() {
            if places.contains_key(&pid) {
                continue;
            }
            if processes.len() == MAX_PROCESSES {
                left_out.push(pid);
                continue;
            }
            let process = look(&system, pid, answer, earlier.as_ref());
            let is_asked = |process: &SeenProcess| {
                let is_another = before.is_some_and(|before| before.has_other(process));
                !asked.contains(&pid) || !is_another
            };
            if let Some(process) = process.filter(is_asked) {
                let awaited = process
                    .threads
                    .iter()
                    .flat_map(|thread| &thread.finding.awaits);
                next.extend(awaited.map(|who| who.pid()));
                places.insert(pid, processes.len());
                processes.push(process);
            }
        }
        let is_asked = |process: &SeenProcess| asked.contains(&process.pid);
        if !processes.first().is_some_and(is_asked) {
            return Err(ExplainError::NoSuchProcess(asked[0]));
        }
        Ok(Self {
            processes,
            left_out,
        })
    }

    /// Looks at one thread, and at those that it waits for, without all others. Nothing if it has ended.
    pub(super) fn of_thread(pid: u32, tid: u32, before: Option<&Self>) -> Option<Self> {
        let earlier = before.map(Self::threads);
        let system = System::brief();
        let mut brief = BriefLook {
            system: &system,
            earlier: earlier.as_ref(),
            readers: BTreeMap::new(),
            processes: Vec::new(),
        };
        let mut next = VecDeque::from([Who::Thread { pid, tid }]);
        let mut seen = BTreeSet::new();
        while let Some(who) = next.pop_front() {
            if seen.len() < MAX_CHAIN && seen.insert(who) {
                next.extend(brief.look(who));
            }
        }
        let first = brief.processes.first()?.threads.first()?;
        (first.tid == tid).then_some(Self {
            processes: brief.processes,
            left_out: Vec::new(),
        })
    }

    /// Returns the thread that was asked for.
    pub(super) fn first_thread(&self) -> Option<&SeenThread> {
        self.processes.first()?.threads.first()
    }

    pub(super) fn threads(&self) -> Earlier<'_> {
        let threads = self.processes.iter().flat_map(|process| {
            process
                .threads
                .iter()
                .map(move |thread| ((process.pid, thread.tid), thread))
        });
        threads.collect()
    }

    /// Whether it has seen another process with the same pid.
    fn has_other(&self, process: &SeenProcess) -> bool {
        let mut same_pid = self.processes.iter().filter(|seen| seen.pid == process.pid);
        same_pid.any(|seen| seen.started != process.started)
    }
}

fn look(
    system: &System,
    pid: u32,
    answer: Option<&Answer>,
    earlier: Option<&Earlier<'_>>,
) -> Option<SeenProcess> {
    let stat = Stat::read(&format!("/proc/{pid}/stat"))?;
    let tids = tids(pid);
    let reader = ProcessReader::new(system, pid, tids.clone());
    let mut threads = look_at_threads(&reader, &tids, earlier);
    if let Some(answer) = answer {
        answered::add(answer, &reader, &stat.name, &mut threads);
    }
    let lives = |thread: &SeenThread| thread.finding.activity != Activity::Ended;
    let zombie = stat.is_zombie() && !threads.iter().any(lives);
    Some(SeenProcess {
        pid,
        started: stat.started,
        title: title(pid, &stat.name),
        name: stat.name,
        parent: stat.parent,
        zombie,
        threads,
    })
}

/// A look at some threads of some processes.
struct BriefLook<'a> {
    system: &'a System,
    earlier: Option<&'a Earlier<'a>>,
    /// The processes, by pid, with their places in `processes`.
    readers: BTreeMap<u32, (usize, ProcessReader<'a>)>,
    processes: Vec<SeenProcess>,
}

impl BriefLook<'_> {
    /// Looks at a thread, or at all threads of a process. Returns whom they wait for.
    fn look(&mut self, who: Who) -> Vec<Who> {
        let pid = who.pid();
        if !self.readers.contains_key(&pid) {
            let Some(stat) = Stat::read(&format!("/proc/{pid}/stat")) else {
                return Vec::new();
            };
            let reader = ProcessReader::new(self.system, pid, tids(pid));
            self.readers.insert(pid, (self.processes.len(), reader));
            self.processes.push(SeenProcess {
                pid,
                started: stat.started,
                zombie: stat.is_zombie(),
                title: None,
                name: stat.name,
                parent: stat.parent,
                threads: Vec::new(),
            });
        }
        let (place, reader) = &self.readers[&pid];
        let threads = &mut self.processes[*place].threads;
        let sought = match who {
            Who::Thread { tid, .. } => vec![tid],
            Who::Process(_) => reader.tids().to_vec(),
        };
        let mut awaited = Vec::new();
        for tid in sought {
            if threads.iter().any(|thread| thread.tid == tid) {
                continue;
            }
            if let Some(thread) = thread_of(reader, tid, self.earlier) {
                awaited.extend(thread.finding.awaits.iter().copied());
                threads.push(thread);
            }
        }
        awaited
    }
}

fn thread_of(
    reader: &ProcessReader<'_>,
    tid: u32,
    earlier: Option<&Earlier<'_>>,
) -> Option<SeenThread> {
    match earlier {
        None => thread::first_look(reader, tid),
        Some(earlier) => thread::second_look(reader, tid, earlier),
    }
}

/// Looks at the threads of a process: at many on several processors side by side.
fn look_at_threads(
    reader: &ProcessReader<'_>,
    tids: &[u32],
    earlier: Option<&Earlier<'_>>,
) -> Vec<SeenThread> {
    let look = |tid: &u32| thread_of(reader, *tid, earlier);
    let look_at_part = |part: &[u32]| -> Vec<SeenThread> { part.iter().filter_map(look).collect() };
    let processors = available_parallelism().map_or(1, NonZeroUsize::get);
    let part = tids.len().div_ceil(processors).max(MIN_PART);
    let (own, others) = tids.split_at(part.min(tids.len()));
    scope(|scope| {
        let others = others.chunks(part).map(|part| {
            (
                part,
                Builder::new().spawn_scoped(scope, move || look_at_part(part)),
            )
        });
        let others: Vec<_> = others.collect();
        let mut threads = look_at_part(own);
        for (part, other) in others {
            threads.extend(match other {
                Ok(other) => other.join().unwrap_or_else(|panic| resume_unwind(panic)),
                // There is no thread for it.
                Err(_) => look_at_part(part),
            });
        }
        threads
    })
}

/// A process that writes over its command line begins with its name and a colon, as `setproctitle` does.
fn title(pid: u32, name: &str) -> Option<String> {
    let line = small::text(&format!("/proc/{pid}/cmdline"))?;
    let first = line.split('\0').next()?.trim_end();
    first.strip_prefix(name)?.strip_prefix(": ")?;
    let cut = first.char_indices().nth(MAX_TITLE);
    let title = cut.map_or_else(
        || first.to_owned(),
        |(end, _)| format!("{}…", &first[..end]),
    );
    Some(escaped(&title))
}
