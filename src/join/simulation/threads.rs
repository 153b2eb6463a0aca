//! A simulated thread, and what it runs.

use std::collections::VecDeque;

use super::super::graph::{Need, Wait};
use super::super::id::TaskId;
use super::super::innermost::InnermostTask;
use super::super::wait::WaitSet;
use super::programs::WaitPlan;

pub(super) struct Thread<'g> {
    pub(super) source: Source,
    pub(super) running: InnermostTask,
    pub(super) frames: Vec<Frame<'g>>,
    /// The callbacks of each task whose callbacks run here, the innermost last.
    pub(super) due: Vec<VecDeque<Callback>>,
    /// The shortages that it serves, the innermost last.
    pub(super) serving: Vec<Serving>,
}

impl Thread<'_> {
    pub(super) fn pool(&self) -> Option<usize> {
        match self.source {
            Source::Task(_) => None,
            Source::Queue(pool) | Source::Shortages(pool) => Some(pool),
        }
    }

    /// The pool of which it is a thread now, and where it notes what it runs.
    pub(super) fn worker(&self) -> Option<(usize, &InnermostTask)> {
        self.workers().last()
    }

    /// The pools of which it is a thread, the innermost last, and where it notes what it runs.
    pub(super) fn workers(&self) -> impl Iterator<Item = (usize, &InnermostTask)> {
        let own = self.pool().map(|pool| (pool, &self.running));
        own.into_iter()
            .chain(self.serving.iter().filter_map(Serving::worker))
    }
}

pub(super) enum Source {
    /// Runs this task alone.
    Task(usize),
    /// Takes tasks from the queue of this pool.
    Queue(usize),
    /// Takes tasks that the waits of this pool are short of.
    Shortages(usize),
}

/// A function that a simulated thread has begun.
pub(super) struct Frame<'g> {
    pub(super) code: Code,
    pub(super) waits: VecDeque<WaitPlan>,
    pub(super) waiting: Option<Waiting<'g>>,
    /// Where the thread notes that it runs this, and what it ran before.
    pub(super) noted: Option<(InnermostTask, Option<TaskId>)>,
}

impl Frame<'_> {
    /// The task whose function this is.
    pub(super) fn task(&self) -> Option<usize> {
        match self.code {
            Code::Task(task) | Code::AndThen(task, _) => Some(task),
            Code::Callback | Code::Callbacks | Code::Serving(_) => None,
        }
    }

    /// The task that can't end before this frame returns.
    pub(super) fn held_up(&self) -> Option<usize> {
        match self.code {
            Code::Serving(AfterServing::Follow(task, _)) => Some(task),
            _ => self.task(),
        }
    }
}

/// What a simulated thread runs.
#[derive(Clone, Copy)]
pub(super) enum Code {
    /// The closure of a task or of a mapped one.
    Task(usize),
    /// The function of `and_then` of this task, which then follows the other one.
    AndThen(usize, usize),
    Callback,
    /// The callbacks of a task that has ended.
    Callbacks,
    /// What a pool is short of, because the system refuses a spare thread.
    Serving(AfterServing),
}

/// A wait of a simulated thread.
pub(super) struct Waiting<'g> {
    pub(super) set: WaitSet,
    pub(super) plan: WaitPlan,
    pub(super) entry: Wait<'g>,
    /// Whether the graph has let it park. Until then it may still be refused.
    pub(super) is_checked: bool,
    pub(super) has_timed_out: bool,
}

impl Waiting<'_> {
    pub(super) fn need(&self) -> Need {
        self.plan.need()
    }

    pub(super) fn can_return(&self) -> bool {
        self.has_timed_out || self.set.is_satisfied(self.need()) || self.entry.is_broken()
    }
}

/// What happens at the end of a task.
pub(super) enum Callback {
    Waits(Vec<WaitPlan>),
    /// This task begins its function.
    Begin(usize),
    /// This task ends as the one that ends.
    End(usize),
}

/// The shortages that a thread has met.
pub(super) struct Serving {
    /// The pools that are to get a spare thread.
    pub(super) short: VecDeque<usize>,
    /// The spare thread that the system refuses.
    pub(super) refused: Option<Spare>,
    pub(super) has_run: bool,
    /// The numbers of the pools whose tasks no thread can run.
    pub(super) not_served: Vec<u64>,
    pub(super) next: AfterServing,
}

pub(super) struct Spare {
    pub(super) pool: usize,
    pub(super) number: u64,
    pub(super) running: InnermostTask,
}

/// What comes when shortages are served.
#[derive(Clone, Copy)]
pub(super) enum AfterServing {
    /// The wait that met them.
    Wait,
    /// The rest of the step by which this task follows the other one.
    Follow(usize, usize),
}

impl Serving {
    /// The pool of the spare thread in whose place this one runs tasks, and where that notes them.
    pub(super) fn worker(&self) -> Option<(usize, &InnermostTask)> {
        let spare = self.refused.as_ref()?;
        Some((spare.pool, &spare.running))
    }
}
