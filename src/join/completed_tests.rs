//! The work of a task that takes others in the order in which they end.

use std::sync::Arc;

use super::changes::Subscription;
use super::code::{ClosureOutcome, code};
use super::current;
use super::graph::{Graph, Need, visits};
use super::header::{Header, Spec};
use super::id::TaskId;
use super::info::Placement;
use super::wait::WaitSet;

fn running_task(id: u64) -> Arc<Header> {
    let spec = Spec {
        id: TaskId::new(id),
        name: None,
        daemon: false,
        placement: Placement::Thread,
        subscription: Subscription::new(None),
    };
    let task = Arc::new(Header::new(spec, code(|_| ClosureOutcome::Returned)));
    drop(task.begin().expect("it was queued"));
    task
}

/// Returns how many tasks the searches look at for a wait that takes this many tasks, each of which ends
/// while it is waited for. The last that ends is the first in the list.
fn visits_of(count: u64, is_in_a_task: bool) -> usize {
    let graph = Graph::new();
    visits::during(|| {
        let tasks: Vec<_> = (0..count).map(|n| running_task(n + 2)).collect();
        let mut set = WaitSet::new(tasks.clone());
        let _current = is_in_a_task.then(|| current::enter(TaskId::new(1)));
        for task in tasks.iter().rev() {
            assert!(!set.is_satisfied(Need::Any));
            let wait = graph.enter(set.intent(Need::Any, None));
            drop(wait.check().expect("it closes no cycle"));
            task.publish(ClosureOutcome::Returned);
            task.settle();
            assert!(set.is_satisfied(Need::Any));
            drop(wait);
            assert!(set.poll().is_some());
        }
        assert_eq!(set.unfinished(), 0);
    })
}

#[test]
fn tasks_as_they_complete_take_linear_work_in_a_task() {
    let (once, twice) = (visits_of(500, true), visits_of(1_000, true));
    assert!(once <= 500 * 8, "{once} tasks");
    assert!(twice <= once * 5 / 2, "{once} tasks, then {twice}");
}

#[test]
fn tasks_as_they_complete_take_no_search_on_a_thread() {
    assert_eq!(visits_of(500, false), 0);
}
