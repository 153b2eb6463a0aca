//! Makes nodes out of what was seen of processes.
//!
//! A process is one node, which does what the thread does that tells most about it. Another thread of it has a node
//! if somebody waits for just that thread, if it is in a ring, or if it waits for another process.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::explain::{
    Activity, Deadline, INTERVAL, ProcessIndex, Target, Thread, ThreadIndex, WaitGraph, Words,
};
use crate::record::{Doing, ItemId, JobId, Since, Until, WaitNode, WaitNodeId, Waits};

/// What one look has found, and since when that has been so.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub waits: Waits,
    threads: BTreeMap<ThreadKey, Unchanged>,
}

/// A process of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    pub job: JobId,
    pub item: ItemId,
    pub pid: u32,
}

/// The thread id, and when the thread and its process were started.
type ThreadKey = (u32, u64, u64);

/// What a thread has done in all looks since the first of these.
#[derive(Clone, Copy, Debug)]
struct Unchanged {
    at_latest: Duration,
    /// How often and how long it had run by then.
    runs: u64,
    run_time: Duration,
    computes: bool,
}

impl Seen {
    /// Makes nodes out of a look that began `at` this time, on the clock of the board. `own` is the id of this program.
    pub fn new(
        graph: &WaitGraph,
        roots: &[Root],
        own: u32,
        at: Duration,
        earlier: Option<&Self>,
    ) -> Self {
        let rings = graph.rings();
        let mut sight = Sight {
            graph,
            words: graph.words(),
            roots: graph
                .processes
                .iter()
                .map(|process| root_of(process.pid, graph, roots))
                .collect(),
            next_in_ring: BTreeMap::new(),
            own,
            at,
            earlier,
            seen: Self::default(),
        };
        for ring in &rings {
            let nexts = ring.iter().skip(1).chain(ring.first()).copied();
            sight.next_in_ring.extend(ring.iter().copied().zip(nexts));
        }
        sight.add_all();
        let mut seen = sight.seen;
        let places = |ring: &Vec<ThreadIndex>| {
            let ids = ring.iter().map(|thread| id_of(*thread, graph));
            ids.map(|id| seen.waits.place(&id)).collect()
        };
        let rings: Option<Vec<Vec<usize>>> = rings.iter().map(places).collect();
        seen.waits.rings = rings.unwrap_or_default();
        seen.waits.notes.clone_from(&graph.notes);
        seen
    }
}

/// Returns the item to whose process a process belongs.
fn root_of(pid: u32, graph: &WaitGraph, roots: &[Root]) -> Option<Root> {
    let mut pid = pid;
    // No chain of parents is longer, even where a pid was used again meanwhile.
    for _ in 0..=graph.processes.len() {
        if let Some(root) = roots.iter().find(|root| root.pid == pid) {
            return Some(*root);
        }
        let mut processes = graph.processes.iter();
        pid = processes.find(|process| process.pid == pid)?.parent;
    }
    None
}

/// The thread that stands for its process, unless that has none: one that computes, or the first.
fn main_thread(process: ProcessIndex, graph: &WaitGraph) -> Option<ThreadIndex> {
    let threads = &graph.process(process).threads;
    let computes = |index: &&ThreadIndex| graph.thread(**index).activity == Activity::Computes;
    let computing = threads.iter().find(computes).copied();
    computing.or_else(|| graph.first_thread(process))
}

fn id_of(thread: ThreadIndex, graph: &WaitGraph) -> WaitNodeId {
    let seen = graph.thread(thread);
    let process = graph.process(seen.process);
    if main_thread(seen.process, graph) == Some(thread) {
        WaitNodeId::Process {
            pid: process.pid,
            started: process.started,
        }
    } else {
        WaitNodeId::Thread {
            tid: seen.tid,
            started: seen.started,
        }
    }
}

struct Sight<'a> {
    graph: &'a WaitGraph,
    words: Words<'a>,
    /// The item of each process, if it belongs to one.
    roots: Vec<Option<Root>>,
    next_in_ring: BTreeMap<ThreadIndex, ThreadIndex>,
    own: u32,
    at: Duration,
    earlier: Option<&'a Seen>,
    seen: Seen,
}

impl Sight<'_> {
    /// Adds the threads of all items that matter, and all whom they wait for.
    fn add_all(&mut self) {
        let mut next = VecDeque::new();
        let mut added = BTreeSet::new();
        let items = (0..self.roots.len()).filter(|index| self.roots[*index].is_some());
        for process in items.map(ProcessIndex) {
            next.extend(main_thread(process, self.graph));
            let others = self.graph.process(process).threads.iter().copied();
            next.extend(others.filter(|thread| self.waits_outside(*thread)));
        }
        next.extend(self.next_in_ring.keys());
        while let Some(thread) = next.pop_front() {
            if !added.insert(thread) {
                continue;
            }
            let from = self.add(thread);
            for target in self.targets(thread) {
                let to = self.add(target);
                let link = self.graph.thread(thread).activity.link();
                self.seen.waits.connect(from, to, link);
                next.push_back(target);
            }
        }
    }

    /// Whether a thread waits for a process other than its own.
    fn waits_outside(&self, thread: ThreadIndex) -> bool {
        let own = self.graph.thread(thread).process;
        let mut targets = self.targets(thread).into_iter();
        targets.any(|target| self.graph.thread(target).process != own)
    }

    /// The threads that stand for those whom a thread waits for.
    fn targets(&self, thread: ThreadIndex) -> Vec<ThreadIndex> {
        let seen = self.graph.thread(thread);
        let next = self.next_in_ring.get(&thread).copied();
        // It waits for the ends of all commands, and for the desktop.
        if self.graph.process(seen.process).pid == self.own && next.is_none() {
            return Vec::new();
        }
        let one = |target: &Target| {
            let covers_next = next.filter(|next| match *target {
                Target::Thread(thread) => thread == *next,
                Target::Process(process) => self.graph.thread(*next).process == process,
            });
            covers_next.or(match *target {
                Target::Thread(thread) => Some(thread),
                // Its own threads too have the other end, which says nothing.
                Target::Process(process) if process == seen.process => None,
                Target::Process(process) => main_thread(process, self.graph),
            })
        };
        seen.awaits.iter().filter_map(one).collect()
    }

    fn add(&mut self, index: ThreadIndex) -> usize {
        let id = id_of(index, self.graph);
        if let Some(place) = self.seen.waits.place(&id) {
            return place;
        }
        let thread = self.graph.thread(index);
        let process = self.graph.process(thread.process);
        let threads = process.threads.len();
        let (name, place) = match &id {
            _ if process.pid == self.own => (
                "Meanwhile".to_owned(),
                format!("pid {}, this program", self.own),
            ),
            WaitNodeId::Thread { tid, .. } => (
                thread.name.clone(),
                format!("thread {tid} of {}, pid {}", process.name, process.pid),
            ),
            _ if threads > 1 => (
                process.title_or_name().to_owned(),
                format!("pid {}, {threads} threads", process.pid),
            ),
            _ => (
                process.title_or_name().to_owned(),
                format!("pid {}", process.pid),
            ),
        };
        let unchanged = self.unchanged(thread);
        let root = self.roots[thread.process.0];
        let (short, long) = self.phrases(index, unchanged);
        self.seen.waits.add(WaitNode {
            id,
            name,
            place,
            short,
            long,
            doing: doing(&thread.activity),
            since: unchanged.map_or(Since::NotKnown, |it| Since::AtLatest(it.at_latest)),
            until: until(thread.deadline, self.at),
            job: root.map(|root| (root.job, Some(root.item))),
        })
    }

    /// What a thread does, in few words and in more.
    fn phrases(&self, index: ThreadIndex, unchanged: Option<Unchanged>) -> (String, String) {
        let thread = self.graph.thread(index);
        let short = thread.activity.short();
        let Some(first) = unchanged.filter(|first| first.computes) else {
            return (short, self.words.activity(index));
        };
        let time = self.at.saturating_sub(first.at_latest);
        let run = thread.run_time.saturating_sub(first.run_time);
        // The time of a single look is too short for a share of it.
        let share = if time > INTERVAL {
            (run.as_secs_f64() / time.as_secs_f64()).min(1.0)
        } else {
            thread.processor_share
        };
        let percent = format!("{:.0} %", share * 100.0);
        (
            format!("{short}, {percent}"),
            format!("{short} ({percent} of one processor)"),
        )
    }

    /// Since when a thread has done what it does, as far as that was seen. Notes it for the next look.
    fn unchanged(&mut self, thread: &Thread) -> Option<Unchanged> {
        let process = self.graph.process(thread.process);
        let key = (thread.tid, thread.started, process.started);
        let computes = thread.activity == Activity::Computes;
        if thread.runs == 0 || (thread.ran && !computes) {
            return None;
        }
        let earlier = self.earlier.and_then(|earlier| earlier.threads.get(&key));
        // Who has not run since has not left its wait. Who computes may have done other things in between, and the
        // share says so.
        let lasts = |first: &&Unchanged| {
            first.computes == computes && (computes || first.runs == thread.runs)
        };
        let unchanged = earlier.filter(lasts).copied().unwrap_or(Unchanged {
            at_latest: self.at,
            runs: thread.runs,
            run_time: thread.run_time,
            computes,
        });
        self.seen.threads.insert(key, unchanged);
        Some(unchanged)
    }
}

fn doing(activity: &Activity) -> Doing {
    match activity {
        Activity::Computes | Activity::Starved => Doing::Computes,
        Activity::Stopped | Activity::StoppedByTerminal | Activity::Traced | Activity::Frozen => {
            Doing::Stopped
        }
        Activity::Ended => Doing::Ended,
        Activity::NotPermitted => Doing::NotKnown,
        _ => Doing::Waits,
    }
}

fn until(deadline: Option<Deadline>, at: Duration) -> Until {
    match deadline {
        None => Until::NoDeadline,
        Some(Deadline::In(time)) => Until::At((at + INTERVAL).saturating_add(time)),
        Some(Deadline::Of(time)) => Until::Lasts(time),
        Some(_) => Until::Sometime,
    }
}
