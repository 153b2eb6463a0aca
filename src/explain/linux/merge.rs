//! Makes one graph out of two looks.

use std::collections::BTreeMap;
use std::time::Duration;

use super::finding::{Finding, Who};
use super::snapshot::{SeenProcess, Snapshot};
use super::thread::{Schedule, SeenThread};
use crate::graph::{Activity, Process, ProcessIndex, Target, Thread, ThreadIndex, WaitGraph};

/// A thread that got less than this share of the time, and waited for a processor all along, is starved.
const STARVED_SHARE: f64 = 0.02;

/// A thread that used more than this share computes, whatever it did at the moment of the looks.
const BUSY_SHARE: f64 = 0.5;

/// The places of processes and threads in the graph, by the ids of the system.
#[derive(Default)]
struct Places {
    processes: BTreeMap<u32, ProcessIndex>,
    threads: BTreeMap<(u32, u32), ThreadIndex>,
}

pub(super) fn graph(before: &Snapshot, after: Snapshot, elapsed: Duration) -> WaitGraph {
    let earlier = before.threads();
    let places = places(&after);
    let mut graph = WaitGraph {
        processes: Vec::new(),
        threads: Vec::new(),
        notes: Vec::new(),
    };
    if !after.left_out.is_empty() {
        let count = after.left_out.len();
        graph.notes.push(format!(
            "{count} more processes are awaited, which were not looked at."
        ));
    }
    for (index, mut process) in after.processes.into_iter().enumerate() {
        let first = graph.threads.len();
        for thread in std::mem::take(&mut process.threads) {
            let before = earlier.get(&(process.pid, thread.tid)).copied();
            // An id may have got a new thread.
            let before = before.filter(|before| before.stat.started == thread.stat.started);
            let process = ProcessIndex(index);
            graph
                .threads
                .push(thread_of(thread, before, process, &places, elapsed));
        }
        let threads = (first..graph.threads.len()).map(ThreadIndex).collect();
        graph
            .processes
            .push(process_of(process, threads, &graph.threads[first..]));
    }
    graph
}

fn places(snapshot: &Snapshot) -> Places {
    let mut places = Places::default();
    for (index, process) in snapshot.processes.iter().enumerate() {
        places.processes.insert(process.pid, ProcessIndex(index));
        for thread in &process.threads {
            let next = ThreadIndex(places.threads.len());
            places.threads.insert((process.pid, thread.tid), next);
        }
    }
    places
}

fn process_of(seen: SeenProcess, threads: Vec<ThreadIndex>, own: &[Thread]) -> Process {
    let permitted = !own
        .iter()
        .any(|thread| thread.activity == Activity::NotPermitted);
    Process {
        pid: seen.pid,
        started: seen.started,
        name: seen.name,
        title: seen.title,
        parent: seen.parent,
        threads,
        permitted,
        zombie: seen.zombie,
    }
}

fn thread_of(
    seen: SeenThread,
    before: Option<&SeenThread>,
    process: ProcessIndex,
    places: &Places,
    elapsed: Duration,
) -> Thread {
    let ran = before.is_none_or(|before| {
        let has_run = before.schedule != seen.schedule && !seen.is_answered;
        has_run || !before.finding.is_same_wait(&seen.finding)
    });
    let share = before.map_or(0.0, |before| share(before.schedule, seen.schedule, elapsed));
    let finding = judged(seen.finding, before, share);
    Thread {
        tid: seen.tid,
        started: seen.stat.started,
        process,
        name: seen.stat.name,
        awaits: finding
            .awaits
            .iter()
            .filter_map(|who| places.target(*who))
            .collect(),
        activity: finding.activity,
        others_unseen: finding.is_shared_unseen,
        deadline: finding.deadline,
        processor_share: share,
        place: seen.place,
        ran,
        run_time: Duration::from_nanos(seen.schedule.run_time),
        runs: seen.schedule.runs,
    }
}

fn share(before: Schedule, after: Schedule, elapsed: Duration) -> f64 {
    let run = Duration::from_nanos(after.run_time.saturating_sub(before.run_time));
    (run.as_secs_f64() / elapsed.as_secs_f64()).min(1.0)
}

/// A moment may mislead: who used most of the time computes, and who seems to run and got no processor
/// starves.
fn judged(finding: Finding, before: Option<&SeenThread>, share: f64) -> Finding {
    let ran_both = before.is_some_and(|before| before.finding.activity == Activity::Computes);
    if finding.activity == Activity::Computes && ran_both && share < STARVED_SHARE {
        return Finding::new(Activity::Starved);
    }
    let waits_in_kernel = matches!(
        finding.activity,
        Activity::Ended | Activity::Stopped | Activity::StoppedByTerminal | Activity::Traced
    );
    if share > BUSY_SHARE && !waits_in_kernel {
        return Finding::new(Activity::Computes);
    }
    finding
}

impl Places {
    fn target(&self, who: Who) -> Option<Target> {
        match who {
            Who::Thread { pid, tid } => self.threads.get(&(pid, tid)).copied().map(Target::Thread),
            Who::Process(pid) => self.processes.get(&pid).copied().map(Target::Process),
        }
    }
}
