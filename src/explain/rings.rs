//! Which threads can never go on, because they wait for each other.

use std::collections::BTreeSet;

use crate::graph::{Activity, ProcessIndex, Target, Thread, ThreadIndex, WaitGraph};

/// Threads that wait for each other: each for the next one, and the last for the first.
pub type Ring = Vec<ThreadIndex>;

impl WaitGraph {
    /// Returns the rings: threads that wait for each other, so that only a signal can end their waits.
    ///
    /// A thread counts only if it has a wait without a deadline, did not run while it was looked at,
    /// and all who can end its wait are known and can't go on either. A ring may lead through several
    /// processes. Each thread is in one ring at most.
    #[must_use]
    pub fn rings(&self) -> Vec<Ring> {
        self.rings_among(&self.stuck())
    }

    /// Returns the threads at the ends of all chains of waits that begin with a thread: those that wait for nobody who
    /// is known, and those of the rings into which a chain leads. It is the thread itself if it waits for nobody.
    ///
    /// # Panics
    /// `of` is of another graph.
    #[must_use]
    pub fn root_causes(&self, of: ThreadIndex) -> Vec<ThreadIndex> {
        let stuck = self.stuck();
        let mut causes = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next = vec![of];
        while let Some(thread) = next.pop() {
            if !seen.insert(thread) {
                continue;
            }
            let awaited = match self.stuck_target(thread, &stuck) {
                Some(target) if stuck.contains(&thread) => vec![target],
                _ => self.awaited_threads(thread),
            };
            if awaited.is_empty() {
                causes.push(thread);
            }
            next.extend(awaited);
        }
        let rings = self.rings_among(&stuck).into_iter().flatten();
        causes.extend(rings.filter(|thread| seen.contains(thread)));
        causes
    }

    /// Returns the threads that a thread waits for: of a process, the one that tells most about it.
    pub(crate) fn awaited_threads(&self, thread: ThreadIndex) -> Vec<ThreadIndex> {
        let thread = self.thread(thread);
        let one = |target: &Target| match *target {
            Target::Thread(thread) => Some(thread),
            // Its own threads too have the other end, which says nothing.
            Target::Process(process) if process == thread.process => None,
            Target::Process(process) => self.representative(process),
        };
        thread.awaits.iter().filter_map(one).collect()
    }

    /// Returns the thread of a process that tells most about it: one that computes, or the first.
    pub(crate) fn representative(&self, process: ProcessIndex) -> Option<ThreadIndex> {
        let threads = &self.process(process).threads;
        let computes = |index: &&ThreadIndex| self.thread(**index).activity == Activity::Computes;
        let computing = threads.iter().find(computes).copied();
        computing.or_else(|| self.first_thread(process))
    }

    /// Returns the rings, where it is known who can never go on.
    pub(crate) fn rings_among(&self, stuck: &BTreeSet<ThreadIndex>) -> Vec<Ring> {
        let mut seen = BTreeSet::new();
        let mut rings = Vec::new();
        for &start in stuck {
            let mut path = Vec::new();
            let mut next = Some(start);
            while let Some(thread) = next.filter(|thread| seen.insert(*thread)) {
                path.push(thread);
                next = self.stuck_target(thread, stuck);
            }
            // It closes a ring only with threads of this path: those of an earlier one have theirs.
            if let Some(begin) = path.iter().position(|thread| Some(*thread) == next) {
                rings.push(path.split_off(begin));
            }
        }
        rings
    }

    /// Returns all threads that can never go on: those of rings, and those that wait for them.
    pub(crate) fn stuck(&self) -> BTreeSet<ThreadIndex> {
        let mut stuck: BTreeSet<ThreadIndex> = (0..self.threads.len())
            .map(ThreadIndex)
            .filter(|index| waits_for_known(self.thread(*index)))
            .collect();
        loop {
            let free: Vec<ThreadIndex> = stuck
                .iter()
                .copied()
                .filter(|index| {
                    let mut awaits = self.thread(*index).awaits.iter();
                    awaits.any(|target| !self.is_stuck(*target, &stuck))
                })
                .collect();
            if free.is_empty() {
                return stuck;
            }
            for index in free {
                stuck.remove(&index);
            }
        }
    }

    fn is_stuck(&self, target: Target, stuck: &BTreeSet<ThreadIndex>) -> bool {
        match target {
            Target::Thread(thread) => stuck.contains(&thread),
            Target::Process(process) => self.is_process_stuck(process, stuck),
        }
    }

    /// None of its threads can go on: each is stuck, has ended, or waits to be woken by another thread,
    /// of which none can.
    fn is_process_stuck(&self, process: ProcessIndex, stuck: &BTreeSet<ThreadIndex>) -> bool {
        let threads = &self.process(process).threads;
        let can_go_on = |index: &ThreadIndex| {
            let thread = self.thread(*index);
            let sleeps = matches!(thread.activity, Activity::Woken | Activity::Ended);
            !stuck.contains(index) && (!sleeps || thread.deadline.is_some() || thread.ran)
        };
        threads.iter().any(|index| stuck.contains(index)) && !threads.iter().any(can_go_on)
    }

    /// Returns a stuck thread that `thread` waits for: of another process if there is one, because a process that has
    /// both ends of a pipe tells less.
    pub(crate) fn stuck_target(
        &self,
        thread: ThreadIndex,
        stuck: &BTreeSet<ThreadIndex>,
    ) -> Option<ThreadIndex> {
        let own = self.thread(thread).process;
        let threads = |target| match target {
            &Target::Thread(thread) => vec![thread],
            Target::Process(process) => self.process(*process).threads.clone(),
        };
        let awaited = self.thread(thread).awaits.iter().flat_map(threads);
        let awaited: Vec<ThreadIndex> = awaited.filter(|index| stuck.contains(index)).collect();
        let is_other = |index: &&ThreadIndex| self.thread(**index).process != own;
        awaited.iter().find(is_other).or(awaited.first()).copied()
    }
}

/// It waits, and only those whom it is known to await can end that.
fn waits_for_known(thread: &Thread) -> bool {
    let waits = matches!(
        thread.activity,
        Activity::Joins
            | Activity::Locks(_)
            | Activity::Children(_)
            | Activity::Reads(_)
            | Activity::Writes(_)
            | Activity::Accepts(_)
            | Activity::Connects(_)
            | Activity::OpensFifo { .. }
            | Activity::Polls(_)
            | Activity::Vfork
    );
    let is_known = !thread.awaits.is_empty() && !thread.others_unseen;
    waits && thread.deadline.is_none() && !thread.ran && is_known
}
