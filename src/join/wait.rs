//! Blocking until one task or several have ended.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::current::{calling, is_any_held_up, is_held_up};
use super::error::JoinError;
use super::graph::{self, Graph, Intent, Need, Refusal, Wait};
use super::header::Header;
use super::id::TaskId;
use super::info::Placement;
use super::members::Members;
use super::sync::{comes_soon, current_thread, park_until};
use super::targets::{Group, Targets};
use super::waiters::{Batch, Waiter, Wake};
use super::workers;

/// The reason why a wait ended before its targets did.
#[derive(Debug)]
pub(crate) enum WaitFailure {
    TimedOut,
    CurrentThread,
    WouldDeadlock(Vec<TaskId>),
    NoThread,
}

impl From<Refusal> for WaitFailure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Cycle(cycle) => Self::WouldDeadlock(cycle),
            Refusal::NoThread => Self::NoThread,
        }
    }
}

impl From<WaitFailure> for JoinError {
    fn from(failure: WaitFailure) -> Self {
        match failure {
            WaitFailure::TimedOut => Self::TimedOut,
            WaitFailure::CurrentThread => Self::CurrentThread,
            WaitFailure::WouldDeadlock(cycle) => Self::WouldDeadlock { cycle },
            WaitFailure::NoThread => Self::NoThread,
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
    if is_held_up(target.id()) {
        return Err(WaitFailure::CurrentThread);
    }
    let can_help = workers::may_help().is_some_and(|pool| target.is_queued_on(pool));
    // The tasks of a pool are often short.
    let is_on_pool = matches!(target.placement(), Placement::Pool(_));
    if deadline.is_none() && !can_help && comes_soon(is_on_pool, || target.is_finished()) {
        return Ok(());
    }
    let wait = graph.enter(Intent {
        targets: Targets::One(target.clone()),
        need: Need::All,
        deadline,
    });
    if deadline.is_none() && can_help && help(&wait, target) {
        return Ok(());
    }
    wait.begin()?;
    target.park(deadline, || wait.is_broken());
    if target.is_finished() {
        Ok(())
    } else {
        Err(wait
            .broken()
            .map_or(WaitFailure::TimedOut, WaitFailure::from))
    }
}

/// Blocks until the callbacks of a task that has ended have run, which may hold handles to it. Returns at
/// once if they wait for this thread.
pub(crate) fn for_callbacks(graph: &Graph, task: &Arc<Header>) {
    let Some(calls) = task.calls().filter(|calls| !calls.are_over()) else {
        return;
    };
    if calling().contains(&task.id()) {
        return;
    }
    let wait = graph.enter(Intent {
        targets: Targets::Callbacks(calls.clone()),
        need: Need::All,
        deadline: None,
    });
    if wait.begin().is_ok() {
        calls.park(|| wait.is_broken());
    }
}

/// Runs a queued target inside of the wait. Returns false if another thread has begun it.
///
/// The wait must need the end of this target, or it would be late or in a cycle that is none.
fn help(wait: &Wait<'_>, target: &Arc<Header>) -> bool {
    workers::help(target, |running| wait.set_helping(running))
}

/// Blocks until all `targets` have ended or the deadline has passed.
pub(crate) fn for_all(
    graph: &Graph,
    targets: Vec<Arc<Header>>,
    deadline: Option<Instant>,
) -> Result<(), WaitFailure> {
    WaitSet::new(targets).block(graph, Need::All, deadline)
}

/// Blocks until one of the members has ended, or the deadline has passed. There must be one that
/// has not ended.
pub(crate) fn for_next(
    graph: &Graph,
    members: &Arc<Members>,
    deadline: Option<Instant>,
) -> Result<(), WaitFailure> {
    if members.wake_at_next_end() {
        return Ok(());
    }
    if members.only().is_some_and(is_held_up) {
        return Err(WaitFailure::CurrentThread);
    }
    let wait = graph.enter(Intent {
        targets: Targets::Members(members.clone()),
        need: Need::Any,
        deadline,
    });
    park(&wait, deadline, || members.wake_at_next_end())
}

/// Parks this thread until the wait is satisfied or the deadline has passed, if the graph allows the
/// wait. The condition must have this thread woken when it comes true.
fn park(
    wait: &Wait<'_>,
    deadline: Option<Instant>,
    is_satisfied: impl Fn() -> bool,
) -> Result<(), WaitFailure> {
    wait.begin()?;
    while !is_satisfied() {
        let in_time = park_until(deadline);
        if let Some(refusal) = wait.broken() {
            return Err(refusal.into());
        }
        if !in_time && !is_satisfied() {
            return Err(WaitFailure::TimedOut);
        }
    }
    Ok(())
}

/// Blocks until all `targets` have ended. Waits that would keep them from ending are broken.
pub(crate) fn for_all_breaking(targets: Vec<Arc<Header>>) {
    let set = WaitSet::new(targets);
    if !set.is_satisfied(Need::All) {
        set.block_breaking();
    }
}

/// A wait for several tasks, which returns them in the order in which they end.
pub(crate) struct WaitSet {
    group: Arc<Group>,
    /// For each target that is not finished, its ticket to leave the batch.
    tickets: Vec<Option<u64>>,
    batch: Arc<Batch>,
    ready: VecDeque<usize>,
    /// The number of targets that [`poll`](Self::poll) has not returned yet.
    left: usize,
}

impl WaitSet {
    pub(crate) fn new(targets: Vec<Arc<Header>>) -> Self {
        let batch = Arc::new(Batch::new(Wake::Unpark(current_thread()), targets.len()));
        let tickets: Vec<Option<u64>> = targets
            .iter()
            .enumerate()
            .map(|(index, target)| target.add_waiter(Waiter::Member(batch.clone(), index)))
            .collect();
        let mut ready: Vec<usize> = (0..targets.len())
            .filter(|index| tickets[*index].is_none())
            .collect();
        batch.had_ended(ready.len());
        ready.sort_by_key(|index| targets[*index].finished_at());
        Self {
            left: targets.len(),
            group: Arc::new(Group::new(targets, batch.clone())),
            tickets,
            batch,
            ready: ready.into(),
        }
    }

    /// Returns the number of targets that [`poll`](Self::poll) has not returned yet.
    pub(crate) fn unfinished(&self) -> usize {
        self.left
    }

    /// Returns the index of the next target that has ended, if there is one.
    pub(crate) fn poll(&mut self) -> Option<usize> {
        self.take_ended();
        let index = self.ready.pop_front()?;
        self.tickets[index] = None;
        self.left -= 1;
        Some(index)
    }

    /// Blocks until [`poll`](Self::poll) has a target to return, or all of them.
    pub(crate) fn block(
        &self,
        graph: &Graph,
        need: Need,
        deadline: Option<Instant>,
    ) -> Result<(), WaitFailure> {
        if self.is_satisfied(need) {
            return Ok(());
        }
        if self.waits_for_itself(need) {
            return Err(WaitFailure::CurrentThread);
        }
        let wait = graph.enter(self.intent(need, deadline));
        if need == Need::All && deadline.is_none() {
            self.help_all(&wait);
        }
        park(&wait, deadline, || self.is_satisfied(need))
    }

    /// Blocks until all targets have ended. Breaks waits that would keep them from ending.
    fn block_breaking(&self) {
        let wait = graph::global().enter_breaking(self.intent(Need::All, None));
        self.help_all(&wait);
        wait.begin_breaking();
        while !self.is_satisfied(Need::All) {
            park_until(None);
        }
    }

    /// Returns whether a wait for one target or for all can end, or has this thread woken when it
    /// can.
    pub(crate) fn is_satisfied(&self, need: Need) -> bool {
        match need {
            Need::All => self.batch.wake_at(0),
            Need::Any | Need::Nothing => {
                !self.ready.is_empty() || self.batch.wake_at(self.left.saturating_sub(1))
            }
        }
    }

    fn take_ended(&mut self) {
        self.ready.extend(self.batch.take());
    }

    pub(crate) fn intent(&self, need: Need, deadline: Option<Instant>) -> Intent {
        Intent {
            targets: Targets::Many(self.group.clone()),
            need,
            deadline,
        }
    }

    /// Returns whether only the end of the calling task itself could satisfy this wait.
    fn waits_for_itself(&self, need: Need) -> bool {
        let is_member = is_any_held_up(|task| self.group.contains(task));
        is_member && (need == Need::All || self.left == 1)
    }

    /// Runs the targets that are queued on this worker's own pool.
    fn help_all(&self, wait: &Wait<'_>) {
        while let Some(pool) = workers::may_help()
            && let Some(target) = self.group.next_queued_on(pool)
        {
            help(wait, target);
        }
    }
}

impl Drop for WaitSet {
    fn drop(&mut self) {
        for (target, ticket) in self.group.tasks().iter().zip(&self.tickets) {
            if let Some(ticket) = ticket {
                target.remove_waiter(*ticket);
            }
        }
    }
}
