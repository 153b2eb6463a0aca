//! The edges of a graph as lines, to compare them with those that a program says of itself.

use std::collections::BTreeSet;

use meanwhile_explain::{Activity, Lock, Target, Thread, ThreadIndex, WaitGraph};

use super::program::{Waiting, look_until};

/// Looks at a program until it has these edges.
pub(crate) fn assert_edges(waiting: &Waiting, expected: &Edges) {
    let graph = look_until(waiting.pid(), |graph| {
        Edges::of(graph, expected) == *expected
    });
    assert_eq!(Edges::of(&graph, expected), *expected);
}

/// The waits of a program: of each thread the kind, and whom it awaits; and the rings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edges {
    pub(crate) waits: BTreeSet<(u32, String, Vec<u32>)>,
    pub(crate) rings: BTreeSet<BTreeSet<u32>>,
}

impl Edges {
    /// Reads the lines that `waits.c` has written.
    pub(crate) fn read(lines: &[String]) -> Self {
        let mut edges = Self::default();
        for line in lines {
            let mut words = line.split_whitespace();
            let first = words.next().expect("no line is empty");
            if first == "ring" {
                edges.rings.insert(words.map(id).collect());
            } else {
                let kind = words.next().expect("a line has a kind").to_owned();
                let mut targets: Vec<u32> = words.map(id).collect();
                targets.sort_unstable();
                edges.waits.insert((id(first), kind, targets));
            }
        }
        edges
    }

    /// Returns those of a graph: of the threads in `expected`, and of all others that await someone.
    pub(crate) fn of(graph: &WaitGraph, expected: &Self) -> Self {
        let is_expected = |tid: u32| expected.waits.iter().any(|(thread, ..)| *thread == tid);
        let waits = graph
            .threads
            .iter()
            .filter(|thread| is_expected(thread.tid) || !thread.awaits.is_empty())
            .map(|thread| (thread.tid, kind(thread).to_owned(), targets(graph, thread)))
            .collect();
        let tid = |thread: ThreadIndex| graph.thread(thread).tid;
        let rings = graph.rings().into_iter();
        let rings = rings
            .map(|ring| ring.into_iter().map(tid).collect())
            .collect();
        Self { waits, rings }
    }
}

fn id(word: &str) -> u32 {
    word.parse().expect("an id is a number")
}

fn targets(graph: &WaitGraph, thread: &Thread) -> Vec<u32> {
    let id = |target: &Target| match target {
        Target::Thread(thread) => graph.thread(*thread).tid,
        Target::Process(process) => graph.process(*process).pid,
    };
    let mut ids: Vec<u32> = thread.awaits.iter().map(id).collect();
    ids.sort_unstable();
    ids
}

fn kind(thread: &Thread) -> &'static str {
    match thread.activity {
        Activity::Computes => "computes",
        Activity::Starved => "starved",
        Activity::Joins => "joins",
        Activity::Locks(Lock::Mutex) => "mutex",
        Activity::Locks(Lock::PriorityMutex) => "priority",
        Activity::Locks(Lock::ReadWrite) => "rwlock",
        Activity::Locks(Lock::Stream) => "stream",
        Activity::Locks(Lock::File) => "file",
        Activity::Woken => "woken",
        Activity::Children(_) => "child",
        Activity::Reads(_) => "reads",
        Activity::Writes(_) => "writes",
        Activity::Accepts(_) => "accepts",
        Activity::Connects(_) => "connects",
        Activity::OpensFifo { .. } => "opens",
        Activity::Polls(_) => "polls",
        Activity::Sleeps => "sleeps",
        Activity::Signal => "signal",
        Activity::Stopped => "stopped",
        Activity::Ended => "ended",
        Activity::Vfork => "vfork",
        Activity::Traced => "traced",
        _ => "other",
    }
}
