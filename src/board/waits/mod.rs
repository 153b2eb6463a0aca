//! Who waits for whom: the window, tasks, jobs, and the processes of jobs with all whom those wait for.

mod own;
mod seen;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::JobBoard;
use crate::explain;
use crate::format;
use crate::join::{self, Task};
use crate::record::{
    Doing, ItemId, JobId, JobRecord, Record, Since, Until, WaitNode, WaitNodeId, Waits,
};
use own::TaskNames;
pub use seen::{Root, Seen};

/// The time from one look at the processes to the next.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// At most so many processes of jobs are looked at, with all whom they wait for.
const MAX_LOOKED_AT: usize = 64;

/// What waits, as far as it is known. Processes are looked at only while somebody asks.
#[derive(Debug, Default)]
pub struct WaitLooks {
    names: TaskNames,
    task: Option<Task<Option<Arc<Seen>>>>,
    seen: Option<Arc<Seen>>,
    /// When the last look began.
    began: Option<Duration>,
    /// When the last look began that has ended.
    looked_at: Option<Duration>,
}

impl WaitLooks {
    /// Everything that is known now. Begins another look at the processes if some run and the last one is a second
    /// old. Never waits, and is cheap enough for every frame that shows it. `wake` is called when a look has ended.
    pub fn waits(
        &mut self,
        board: &JobBoard,
        record: &Record,
        wake: impl Fn() + Send + 'static,
    ) -> Waits {
        let roots = Arc::new(roots(board));
        self.take();
        if roots.is_empty() {
            self.seen = None;
        } else {
            self.look(&roots, board.now(), wake);
        }
        let mut waits = self
            .seen
            .as_ref()
            .map_or_else(Waits::default, |seen| seen.waits.clone());
        let by_pid: BTreeMap<u32, Root> = roots.iter().map(|root| (root.pid, *root)).collect();
        let job_of = |pid: u32| by_pid.get(&pid).map(|root| root.job);
        let time_of = |instant| board.signal.time_of(instant);
        own::add_tasks(&mut waits, &mut self.names, time_of, job_of);
        add_processes(&mut waits, &roots, record, board);
        for job in record.jobs() {
            own::add_joins(&mut waits, job);
        }
        if let Some(more) = roots
            .len()
            .checked_sub(MAX_LOOKED_AT)
            .filter(|more| *more > 0)
        {
            let more = format::plural(more, "process", "processes");
            waits
                .notes
                .push(format!("What {more} of jobs wait for was not looked at."));
        }
        waits
    }

    /// The time from which what is known of processes is; `None` if they were not looked at.
    pub fn looked_at(&self) -> Option<Duration> {
        self.looked_at
    }

    /// Begins a look, unless one is in progress or the last one is not old enough.
    fn look(&mut self, roots: &Arc<Vec<Root>>, now: Duration, wake: impl Fn() + Send + 'static) {
        let is_due = self.began.is_none_or(|began| now >= began + LOOK_INTERVAL);
        if self.task.is_some() || !is_due {
            return;
        }
        self.began = Some(now);
        let (roots, earlier) = (roots.clone(), self.seen.clone());
        let looking = join::Builder::new("look at waits").daemon(true);
        // Without a thread, the next look may have one.
        let task = looking.spawn(move |_| look(&roots, now, earlier.as_deref()));
        self.task = task.ok();
        if let Some(task) = &self.task {
            task.on_finish(wake);
        }
    }

    fn take(&mut self) {
        let Some(ended) = self.task.as_ref().and_then(Task::poll) else {
            return;
        };
        if let Ok(seen) = ended {
            self.seen.clone_from(seen);
        }
        self.looked_at = self.began;
        self.task = None;
    }
}

/// Ties the processes of items to their jobs.
fn add_processes(waits: &mut Waits, roots: &[Root], record: &Record, board: &JobBoard) {
    let seen: BTreeMap<u32, usize> = (0..)
        .zip(&waits.nodes)
        .filter_map(|(place, node)| match node.id {
            WaitNodeId::Process { pid, .. } => Some((pid, place)),
            _ => None,
        })
        .collect();
    for root in roots {
        let Some(job) = record.job(root.job) else {
            continue;
        };
        let from = waits.add(own::job_node(job));
        let to = seen.get(&root.pid).copied();
        let to = to.unwrap_or_else(|| waits.add(unseen(*root, job, board)));
        waits.connect(from, to, "runs");
    }
    let jobs: Vec<usize> = record
        .jobs()
        .filter_map(|job| waits.place(&WaitNodeId::Job(job.id())))
        .collect();
    for job in jobs {
        let processes = waits.targets(job).count();
        let runs = format!("runs {}", format::plural(processes, "process", "processes"));
        waits.nodes[job].short.clone_from(&runs);
        waits.nodes[job].long = runs;
        waits.nodes[job].doing = Doing::Waits;
    }
}

/// The node of a process that was not looked at yet.
fn unseen(root: Root, job: &JobRecord, board: &JobBoard) -> WaitNode {
    let started_at = job.item(root.item).and_then(|item| item.started_at);
    WaitNode {
        id: WaitNodeId::Process {
            pid: root.pid,
            started: 0,
        },
        name: name_of(root.job, root.item, board),
        place: format!("pid {}", root.pid),
        short: "runs".to_owned(),
        long: "runs".to_owned(),
        doing: Doing::NotKnown,
        since: started_at.map_or(Since::NotKnown, Since::At),
        until: Until::NoDeadline,
        job: Some((root.job, Some(root.item))),
    }
}

#[cfg(unix)]
fn name_of(job: JobId, item: ItemId, board: &JobBoard) -> String {
    let process = board.running_process(job, item);
    process.map_or_else(String::new, |process| process.name().to_owned())
}

#[cfg(not(unix))]
fn name_of(_: JobId, _: ItemId, _: &JobBoard) -> String {
    String::new()
}

/// The running processes of all items.
#[cfg(unix)]
fn roots(board: &JobBoard) -> Vec<Root> {
    let of_job = |job: JobId| {
        let processes = board.running_processes(job).into_iter();
        processes.map(move |(item, process)| Root {
            job,
            item,
            pid: process.pid(),
        })
    };
    board.active_jobs().flat_map(of_job).collect()
}

#[cfg(not(unix))]
fn roots(_: &JobBoard) -> Vec<Root> {
    Vec::new()
}

/// Looks at the processes. Nothing is returned if they have ended, or can't be looked at on this system.
fn look(roots: &[Root], at: Duration, earlier: Option<&Seen>) -> Option<Arc<Seen>> {
    let looked_at = roots.iter().take(MAX_LOOKED_AT);
    let pids: Vec<u32> = looked_at.map(|root| root.pid).collect();
    let graph = explain::trees(&pids).ok()?;
    let seen = Seen::new(&graph, roots, std::process::id(), at, earlier);
    Some(Arc::new(seen))
}
