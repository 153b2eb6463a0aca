//! The work of a task that takes others in the order in which they end.

use std::sync::Arc;

use super::changes::Subscription;
use super::code::{ClosureOutcome, code};
use super::current;
use super::graph::{Graph, Intent, Need, visits};
use super::header::{Header, Spec};
use super::id::TaskId;
use super::info::Placement;
use super::targets::Targets;
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

/// Who takes the tasks, and what these do.
#[derive(Clone, Copy)]
struct Case {
    is_in_a_task: bool,
    /// Whether each of the tasks waits for another one, which waits for none.
    do_wait: bool,
    /// Whether the first in the list ends first, and not last.
    in_order: bool,
}

const IN_A_TASK: Case = Case {
    is_in_a_task: true,
    do_wait: false,
    in_order: false,
};

/// Returns how many tasks the searches look at for a wait that takes this many tasks, each of which ends
/// while it is waited for.
fn visits_of(count: u64, case: Case) -> usize {
    let graph = Graph::new();
    let tasks: Vec<_> = (0..count).map(|n| running_task(n + 2)).collect();
    let last = running_task(count + 2);
    let waits = tasks.iter().filter(|_| case.do_wait).map(|task| {
        let _current = current::enter(task.id());
        let wait = graph.enter(Intent {
            targets: Targets::One(last.clone()),
            need: Need::All,
            deadline: None,
        });
        drop(wait.check().expect("it closes no cycle"));
        wait
    });
    let mut waits: Vec<_> = waits.map(Some).collect();
    let mut order: Vec<_> = (0..tasks.len()).collect();
    if !case.in_order {
        order.reverse();
    }
    visits::during(|| {
        let mut set = WaitSet::new(tasks.clone());
        let _current = case.is_in_a_task.then(|| current::enter(TaskId::new(1)));
        for at in order {
            let task = &tasks[at];
            assert!(!set.is_satisfied(Need::Any));
            let wait = graph.enter(set.intent(Need::Any, None));
            drop(wait.check().expect("it closes no cycle"));
            drop(waits.get_mut(at).and_then(Option::take));
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
    for (do_wait, in_order) in [(false, false), (false, true), (true, false), (true, true)] {
        let case = Case {
            do_wait,
            in_order,
            ..IN_A_TASK
        };
        let (once, twice) = (visits_of(500, case), visits_of(1_000, case));
        assert!(once <= 500 * 8, "{once} tasks");
        assert!(twice <= once * 5 / 2, "{once} tasks, then {twice}");
    }
}

#[test]
fn tasks_as_they_complete_take_no_search_on_a_thread() {
    for do_wait in [false, true] {
        let case = Case {
            is_in_a_task: false,
            do_wait,
            ..IN_A_TASK
        };
        assert_eq!(visits_of(500, case), 0);
    }
}
