//! Spare threads for tasks that wait inside each other.

use std::sync::Arc;

use super::changes::Subscription;
use super::code::{ClosureOutcome, code};
use super::current;
use super::graph::{Graph, Need, Wait, visits};
use super::header::{Header, Spec};
use super::id::TaskId;
use super::info::Placement;
use super::innermost::InnermostTask;
use super::priority::Priority;
use super::wait::WaitSet;
use super::workers::Workers;

pub(crate) fn queued_task(id: u64) -> Arc<Header> {
    let spec = Spec {
        id: TaskId::new(id),
        name: None,
        daemon: false,
        placement: Placement::Pool(1),
        subscription: Subscription::new(None),
    };
    Arc::new(Header::new(spec, code(|_| ClosureOutcome::Returned)))
}

/// A pool of one thread, each of whose tasks waits for the first of two new ones.
struct Nested<'g> {
    graph: &'g Graph,
    workers: Arc<Workers>,
    next_id: u64,
    /// The tasks that wait, and their threads.
    waiting: Vec<(Arc<Header>, InnermostTask, WaitSet, Wait<'g>)>,
}

impl<'g> Nested<'g> {
    fn new(graph: &'g Graph) -> Self {
        let workers = Workers::new(1, String::new(), 1, Priority::Normal, |_| None);
        let workers = Arc::new(workers);
        graph.add_pool(workers.clone());
        Self {
            graph,
            workers,
            next_id: 1,
            waiting: Vec::new(),
        }
    }

    fn new_task(&mut self) -> Arc<Header> {
        self.next_id += 1;
        queued_task(self.next_id)
    }

    /// Has a task wait for the first of two new ones. Returns the one that a new spare thread begins.
    fn descend(
        &mut self,
        task: Arc<Header>,
        running: InnermostTask,
    ) -> (Arc<Header>, InnermostTask) {
        drop(task.begin().expect("it was queued"));
        running.replace(Some(task.id()));
        let set = WaitSet::new(vec![self.new_task(), self.new_task()]);
        assert!(!set.is_satisfied(Need::Any));
        let (graph, workers) = (self.graph, self.workers.clone());
        let (wait, shortages) = workers.while_entered(&running, || {
            let _current = current::enter(task.id());
            let wait = graph.enter(set.intent(Need::Any, None));
            let shortages = wait.check().expect("it closes no cycle");
            (wait, shortages)
        });
        self.waiting.push((task, running, set, wait));
        let [short] = <[_; 1]>::try_from(shortages.0)
            .ok()
            .expect("the pool is short");
        let needs_thread = workers.add_shortages(short.waits, &short.stuck);
        assert!(needs_thread, "all spare threads wait");
        let (_, running) = workers.add_spare();
        let next = workers.next_of_shortages(&mut Vec::new());
        (next.expect("two are queued"), running)
    }

    /// Ends a task, then the one that waits for its end, and so on. Each thread asks for another task.
    fn ascend(mut self, last: &Arc<Header>) {
        let end = |task: &Arc<Header>, running: &InnermostTask| {
            task.publish(ClosureOutcome::Returned);
            task.settle();
            running.replace(None);
            let next = self.graph.next_for_spare(1, &InnermostTask::default());
            assert!(next.is_none(), "the one that waited for this can go on");
        };
        drop(last.begin().expect("it was queued"));
        end(last, &InnermostTask::default());
        while let Some(index) = self
            .waiting
            .iter()
            .position(|it| it.2.is_satisfied(Need::Any))
        {
            let (task, running, set, wait) = self.waiting.remove(index);
            drop((set, wait));
            if task.id() == TaskId::new(1) {
                return;
            }
            end(&task, &running);
        }
    }
}

/// Returns how many nodes the searches look at for tasks that wait inside each other, this many deep.
fn visits_of(depth: usize) -> usize {
    let graph = Graph::new();
    visits::during(|| {
        let mut nested = Nested::new(&graph);
        let mut next = (queued_task(1), nested.workers.running_on(0));
        for _ in 0..depth {
            next = nested.descend(next.0, next.1);
        }
        next.1.replace(None);
        nested.ascend(&next.0);
    })
}

#[test]
fn search_for_nested_waits_takes_linear_work() {
    let (once, twice) = (visits_of(200), visits_of(400));
    assert!(twice <= once * 5 / 2, "{once} nodes, then {twice}");
}
