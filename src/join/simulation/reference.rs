//! The reference model: what can end, by the words alone.

use std::collections::BTreeSet;

use super::super::graph::Need;
use super::threads::{Code, Frame, Waiting};
use super::world::World;

impl World<'_> {
    /// Returns the tasks that can end, without those that have.
    pub(super) fn can_end(&self, deadlines_count: bool) -> BTreeSet<usize> {
        let mut able = BTreeSet::new();
        loop {
            let is_able = |task: &usize| {
                let follows = self.followers[*task].as_ref();
                self.frame_of(*task).is_none_or(|(thread, depth)| {
                    self.can_return(thread, depth, &able, deadlines_count)
                }) && follows.is_none_or(|it| self.ends(it.leader, &able))
            };
            let more: Vec<usize> = (0..self.tasks.len())
                .filter(|task| !able.contains(task) && is_able(task))
                .collect();
            if more.is_empty() {
                return able;
            }
            able.extend(more);
        }
    }

    /// Whether this frame and all above it can return, if these tasks can end.
    pub(super) fn can_return(
        &self,
        thread: usize,
        depth: usize,
        able: &BTreeSet<usize>,
        deadlines_count: bool,
    ) -> bool {
        (depth..self.threads[thread].frames.len()).all(|depth| {
            let Some(waiting) = &self.threads[thread].frames[depth].waiting else {
                return true;
            };
            // A wait that is not checked yet is refused if it closes a cycle.
            waiting.can_return()
                || !waiting.is_checked
                || (deadlines_count && waiting.plan.has_deadline)
                || self.targets_can_end(thread, depth, able)
        })
    }

    pub(super) fn targets_can_end(
        &self,
        thread: usize,
        depth: usize,
        able: &BTreeSet<usize>,
    ) -> bool {
        let waiting = &self.threads[thread].frames[depth].waiting;
        let waiting = waiting.as_ref().expect("it waits");
        let mut targets = waiting.plan.targets.iter();
        match waiting.need() {
            Need::All => targets.all(|target| self.ends(*target, able)),
            Need::Any | Need::Nothing => targets.any(|target| self.ends(*target, able)),
        }
    }

    /// The number of threads of this pool, and of its spare threads, whose task can go on.
    pub(super) fn able_threads(&self, pool: usize) -> usize {
        let of_pool = self.threads.iter().filter(|it| it.pool() == Some(pool));
        let frames = of_pool.filter_map(|thread| thread.frames.last());
        let able = |frame: &&Frame<'_>| {
            // It may find nothing to run.
            let is_serving = matches!(frame.code, Code::Serving(_));
            // The graph learns that a deadline has passed when the thread goes on.
            let can_return = |it: &Waiting<'_>| !it.has_timed_out && it.can_return();
            !is_serving && frame.waiting.as_ref().is_none_or(can_return)
        };
        frames.filter(able).count()
    }

    fn ends(&self, task: usize, able: &BTreeSet<usize>) -> bool {
        self.tasks[task].is_finished() || able.contains(&task)
    }

    /// Where a frame holds up this task.
    fn frame_of(&self, task: usize) -> Option<(usize, usize)> {
        self.threads.iter().enumerate().find_map(|(thread, it)| {
            let depth = it
                .frames
                .iter()
                .position(|frame| frame.held_up() == Some(task))?;
            Some((thread, depth))
        })
    }
}
