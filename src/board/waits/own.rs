//! The waits of this program: those that the join library knows, and those of the window.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::format;
use crate::join::{self, TaskId};
use crate::record::{Doing, JobId, JobRecord, Since, Until, WaitNode, WaitNodeId, Waits};

/// More targets of a wait are counted.
const MAX_NAMED: usize = 3;

/// The names of the tasks in the last waits. A task keeps its name, so the many that run are looked through only for a
/// wait that is new.
#[derive(Debug, Default)]
pub(super) struct TaskNames(BTreeMap<TaskId, String>);

impl TaskNames {
    fn update(&mut self, waits: &[join::WaitInfo]) {
        let tasks = waits.iter().flat_map(|wait| {
            let targets = wait.targets.iter().take(MAX_NAMED);
            wait.waiter.iter().chain(targets)
        });
        let mut missing: BTreeSet<_> = tasks.copied().collect();
        self.0.retain(|task, _| missing.remove(task));
        if missing.is_empty() {
            return;
        }
        for task in join::live_tasks() {
            if missing.remove(&task.id) {
                self.0.insert(task.id, task.name.to_string());
            }
        }
        // They have ended meanwhile.
        let others = missing.into_iter();
        self.0
            .extend(others.map(|task| (task, format!("task {}", task.get()))));
    }

    fn name(&self, task: TaskId) -> String {
        self.0.get(&task).cloned().unwrap_or_default()
    }
}

fn node(id: WaitNodeId, name: String, place: &str, short: &str) -> WaitNode {
    WaitNode {
        id,
        name,
        place: place.to_owned(),
        short: short.to_owned(),
        long: short.to_owned(),
        doing: Doing::NotKnown,
        since: Since::NotKnown,
        until: Until::NoDeadline,
        job: None,
    }
}

/// The node of a job. What it does is that of its items.
pub(super) fn job_node(job: &JobRecord) -> WaitNode {
    WaitNode {
        since: Since::At(job.started_at()),
        job: Some((job.id(), None)),
        ..node(WaitNodeId::Job(job.id()), job.title(), "", "runs")
    }
}

/// Adds the waits of the window for a job, which block no thread.
pub(super) fn add_joins(waits: &mut Waits, job: &JobRecord) {
    for join in job.active_joins() {
        let id = WaitNodeId::Join(job.id(), join.id);
        let waits_for = format!("waits for {} to end", job.title());
        let deadline = join
            .timeout
            .and_then(|timeout| join.started_at.checked_add(timeout));
        let from = waits.add(WaitNode {
            long: waits_for,
            doing: Doing::Waits,
            since: Since::At(join.started_at),
            until: deadline.map_or(Until::NoDeadline, Until::At),
            job: Some((job.id(), None)),
            ..node(
                id,
                "the window".to_owned(),
                "in the background",
                "joins a job",
            )
        });
        let to = waits.add(job_node(job));
        waits.connect(from, to, "joins");
    }
}

/// Adds the waits that the join library knows. Those for the process of a job, which `job_of` tells, are part of the
/// job: `add_job` adds its node.
pub(super) fn add_tasks(
    waits: &mut Waits,
    names: &mut TaskNames,
    time_of: impl Fn(Instant) -> Duration,
    job_of: impl Fn(u32) -> Option<JobId>,
) {
    let all = join::wait_graph().waits;
    names.update(&all);
    for wait in all {
        if wait.process.is_some_and(|pid| job_of(pid).is_some()) {
            continue;
        }
        let id = match wait.waiter {
            Some(task) => WaitNodeId::Task(task.get()),
            None => WaitNodeId::OwnThread(time_of(wait.since)),
        };
        let (name, place) = match (wait.waiter, &wait.thread_name) {
            (Some(task), _) => (names.name(task), "task"),
            (None, Some(thread)) => (thread.clone(), "thread of this program"),
            (None, None) => ("a thread without a name".to_owned(), "of this program"),
        };
        let targets = targets(&wait, &id, names);
        let texts: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        let waiter = WaitNode {
            long: format!("waits for {} to end", texts.join(", ")),
            doing: Doing::Waits,
            since: Since::At(time_of(wait.since)),
            until: wait
                .deadline
                .map_or(Until::NoDeadline, |at| Until::At(time_of(at))),
            ..node(id, name, place, "joins")
        };
        // It may be there as a target, of which less is known.
        let from = waits.add(waiter.clone());
        waits.nodes[from] = waiter;
        for target in targets {
            let to = waits.add(target);
            waits.connect(from, to, "joins");
        }
    }
}

/// The process or the first tasks that a wait is for, and how many more there are.
fn targets(wait: &join::WaitInfo, waiter: &WaitNodeId, names: &TaskNames) -> Vec<WaitNode> {
    if let Some(pid) = wait.process {
        let id = WaitNodeId::Process { pid, started: 0 };
        return vec![node(id, format!("process {pid}"), "", "")];
    }
    let named = wait.targets.iter().take(MAX_NAMED);
    let mut targets: Vec<WaitNode> = named
        .map(|task| {
            node(
                WaitNodeId::Task(task.get()),
                names.name(*task),
                "task",
                "runs",
            )
        })
        .collect();
    let more = wait.targets.len().saturating_sub(MAX_NAMED);
    if more > 0 {
        let id = WaitNodeId::More(Box::new(waiter.clone()));
        let name = format!("{} more", format::plural(more, "task", "tasks"));
        targets.push(node(id, name, "", "run"));
    }
    targets
}
