//! Blocking until one task or several have ended.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::current::current;
use super::error::JoinError;
use super::graph::{self, Graph, Intent, Need, Targets};
use super::header::Header;
use super::id::TaskId;
use super::sync::{current_thread, park_until};
use super::waiters::Batch;
use super::{pool, registry};

/// The reason why a wait ended before its targets did.
#[derive(Debug)]
pub(crate) enum WaitFailure {
    TimedOut,
    CurrentThread,
    WouldDeadlock(Vec<TaskId>),
}

impl From<WaitFailure> for JoinError {
    fn from(failure: WaitFailure) -> Self {
        match failure {
            WaitFailure::TimedOut => Self::TimedOut,
            WaitFailure::CurrentThread => Self::CurrentThread,
            WaitFailure::WouldDeadlock(cycle) => Self::WouldDeadlock { cycle },
        }
    }
}

/// Returns the time at which a timeout expires. Returns `None` without a timeout, and for one that
/// is too long for the clock.
pub(crate) fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(timeout?)
}

/// Blocks until `target` has ended or the deadline has passed.
pub(crate) fn for_one(
    graph: &Graph,
    target: &Arc<Header>,
    deadline: Option<Instant>,
) -> Result<(), WaitFailure> {
    if target.is_finished() {
        return Ok(());
    }
    if is_current(target) {
        return Err(WaitFailure::CurrentThread);
    }
    let wait = graph
        .enter(Intent {
            targets: Targets::One(target.clone()),
            need: Need::All,
            deadline,
        })
        .map_err(WaitFailure::WouldDeadlock)?;
    if deadline.is_none() && run_if_queued_here(target) {
        return Ok(());
    }
    target.park(deadline, || wait.is_broken());
    if target.is_finished() {
        Ok(())
    } else {
        Err(wait
            .broken()
            .map_or(WaitFailure::TimedOut, WaitFailure::WouldDeadlock))
    }
}

fn is_current(target: &Header) -> bool {
    current() == Some(target.id())
}

/// Runs a task that is queued on the pool of which this thread is a worker. Returns false if it was
/// not queued there.
fn run_if_queued_here(target: &Arc<Header>) -> bool {
    pool::is_worker_of(target.placement()) && registry::run(target)
}

/// Blocks until all `targets` have ended or the deadline has passed.
pub(crate) fn for_all(
    graph: &Graph,
    targets: Vec<Arc<Header>>,
    deadline: Option<Instant>,
) -> Result<(), WaitFailure> {
    let mut set = WaitSet::new(targets);
    while set.unfinished() > 0 {
        set.block(graph, Need::All, deadline)?;
        while set.poll().is_some() {}
    }
    Ok(())
}

/// Blocks until all `targets` have ended. Waits that would keep them from ending are broken.
pub(crate) fn for_all_breaking(targets: Vec<Arc<Header>>) {
    let mut set = WaitSet::new(targets);
    while set.unfinished() > 0 {
        if set.poll().is_none() {
            set.block_breaking();
        }
    }
}

/// A wait for several tasks, which returns them in the order in which they end.
pub(crate) struct WaitSet {
    targets: Arc<[Arc<Header>]>,
    /// For each target that is not finished, its ticket to leave the batch.
    tickets: Vec<Option<u64>>,
    batch: Arc<Batch>,
    ready: VecDeque<usize>,
    /// The number of targets that [`poll`](Self::poll) has returned.
    given: usize,
    /// The first target that this thread has not tried to run.
    next_to_run: usize,
}

impl WaitSet {
    pub(crate) fn new(targets: Vec<Arc<Header>>) -> Self {
        let batch = Arc::new(Batch::new(current_thread()));
        let tickets: Vec<Option<u64>> = targets
            .iter()
            .enumerate()
            .map(|(index, target)| target.join_batch(batch.clone(), index))
            .collect();
        let mut ready: Vec<usize> = (0..targets.len())
            .filter(|index| tickets[*index].is_none())
            .collect();
        ready.sort_by_key(|index| targets[*index].finished_at());
        Self {
            targets: targets.into(),
            tickets,
            batch,
            ready: ready.into(),
            given: 0,
            next_to_run: 0,
        }
    }

    /// Returns the number of targets that [`poll`](Self::poll) has not returned yet.
    pub(crate) fn unfinished(&self) -> usize {
        self.targets.len() - self.given
    }

    /// Returns the index of the next target that has ended, if there is one.
    pub(crate) fn poll(&mut self) -> Option<usize> {
        if !self.has_ready() {
            return None;
        }
        let index = self.ready.pop_front()?;
        self.tickets[index] = None;
        self.given += 1;
        Some(index)
    }

    /// Blocks until [`poll`](Self::poll) has a target to return.
    pub(crate) fn block(
        &mut self,
        graph: &Graph,
        need: Need,
        deadline: Option<Instant>,
    ) -> Result<(), WaitFailure> {
        while !self.has_ready() {
            if self.waits_for_itself(need) {
                return Err(WaitFailure::CurrentThread);
            }
            let wait = graph
                .enter(self.intent(need, deadline))
                .map_err(WaitFailure::WouldDeadlock)?;
            if deadline.is_none() && self.run_one() {
                continue;
            }
            let in_time = self.has_ready() || park_until(deadline);
            if let Some(cycle) = wait.broken() {
                return Err(WaitFailure::WouldDeadlock(cycle));
            }
            if !in_time && !self.has_ready() {
                return Err(WaitFailure::TimedOut);
            }
        }
        Ok(())
    }

    /// Blocks until this thread is woken, possibly without a reason. Breaks waits that would keep
    /// the targets from ending.
    fn block_breaking(&mut self) {
        let _wait = graph::global().enter_breaking(self.intent(Need::All, None));
        if !self.run_one() && !self.has_ready() {
            park_until(None);
        }
    }

    fn has_ready(&mut self) -> bool {
        self.ready.extend(self.batch.take());
        !self.ready.is_empty()
    }

    fn intent(&self, need: Need, deadline: Option<Instant>) -> Intent {
        Intent {
            targets: Targets::Many(self.targets.clone()),
            need,
            deadline,
        }
    }

    /// Returns whether only the end of the calling task itself could satisfy this wait.
    fn waits_for_itself(&self, need: Need) -> bool {
        let is_member = self.targets.iter().any(|target| is_current(target));
        is_member && (need == Need::All || self.unfinished() == 1)
    }

    /// Runs one target that is queued on this worker's own pool. Returns false if there is none.
    fn run_one(&mut self) -> bool {
        while let Some(target) = self.targets.get(self.next_to_run) {
            self.next_to_run += 1;
            if run_if_queued_here(target) {
                return true;
            }
        }
        false
    }
}

impl Drop for WaitSet {
    fn drop(&mut self) {
        for (target, ticket) in self.targets.iter().zip(&self.tickets) {
            if let Some(ticket) = ticket {
                target.leave_batch(*ticket);
            }
        }
    }
}
