//! Models of waits on the threads of a pool.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock, Weak};

use super::super::current;
use super::super::error::JoinError;
use super::super::graph::{Graph, Need};
use super::super::info::Placement;
use super::super::priority::Priority;
use super::super::queue::Queue;
use super::super::targets::Targets;
use super::super::task::Task;
use super::super::wait::WaitSet;
use super::super::workers::{Shortage, StuckSpares, Workers};
use super::{join, placed, preempted, run, task, three_threads};

/// A pool of one thread, which is the thread of the model that calls [`run`](Self::run).
struct OneThread {
    graph: Arc<Graph>,
    workers: Arc<Workers>,
}

impl OneThread {
    fn new() -> Self {
        let graph = Arc::new(Graph::new());
        let of_spare = Arc::downgrade(&graph);
        let next_for_spare = move |running: &_| of_spare.upgrade()?.next_for_spare(1, running);
        let workers = Workers::new(1, String::new(), 1, Priority::Normal, next_for_spare);
        let workers = Arc::new(workers);
        graph.add_pool(workers.clone());
        Self { graph, workers }
    }

    fn task<T: Send + Sync + 'static>(
        &self,
        id: u64,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> Task<T> {
        placed(Placement::Pool(1), id, None, f)
    }

    fn run<T>(&self, tasks: &[&Task<T>]) {
        let queue = Queue::new(1);
        for task in tasks {
            queue.push(task.header().clone());
        }
        queue.close();
        self.workers.run_all(0, &queue);
    }
}

#[test]
fn first_of_a_queued_and_a_running_task_ends() {
    three_threads(|| {
        let pool = OneThread::new();
        let queued = pool.task(2, || true);
        let running = task(3, None, || true);
        let waiter = pool.task(1, {
            let graph = pool.graph.clone();
            let targets = vec![queued.header().clone(), running.header().clone()];
            move || WaitSet::new(targets).block(&graph, Need::Any, None).is_ok()
        });
        loom::thread::spawn(move || run(&running));
        pool.run(&[&waiter, &queued]);
        assert!(matches!(waiter.poll(), Some(Ok(true))));
    });
}

/// The end of a member can end the wait for the first, so the join that leads back to it is no deadlock.
#[test]
fn join_of_a_wait_whose_member_ends_is_allowed() {
    three_threads(|| {
        let graph = Arc::new(Graph::new());
        let waiter = task(1, None, || ());
        let member = task(2, None, || ());
        let ending = task(3, None, || ());
        let joins = loom::thread::spawn({
            let (graph, waiter, member) = (graph.clone(), waiter.clone(), member.clone());
            move || {
                let current = current::enter(member.id());
                let joined = join(&graph, &waiter, None);
                drop(current);
                run(&member);
                joined.is_ok()
            }
        });
        let targets = vec![member.header().clone(), ending.header().clone()];
        let ends = loom::thread::spawn(move || run(&ending));
        {
            let _current = current::enter(waiter.id());
            let waited = WaitSet::new(targets).block(&graph, Need::Any, None);
            assert!(waited.is_ok());
        }
        run(&waiter);
        assert!(
            joins.join().expect("it does not hang"),
            "the join was refused"
        );
        ends.join().expect("it does not hang");
    });
}

#[test]
fn first_of_two_queued_tasks_ends() {
    three_threads(|| {
        let pool = OneThread::new();
        let queued = [pool.task(2, || true), pool.task(3, || true)];
        let waiter = pool.task(1, {
            let graph = pool.graph.clone();
            let targets = queued.iter().map(|task| task.header().clone()).collect();
            move || WaitSet::new(targets).block(&graph, Need::Any, None).is_ok()
        });
        pool.run(&[&waiter, &queued[0], &queued[1]]);
        assert!(matches!(waiter.poll(), Some(Ok(true))));
    });
}

/// The second wait may begin while the spare thread of the first is about to end.
#[test]
fn worker_waiting_through_a_thread_is_never_starved() {
    preempted(2, || {
        let pool = OneThread::new();
        let queued = [pool.task(3, || true), pool.task(4, || true)];
        let between = task(2, None, {
            let (graph, queued) = (pool.graph.clone(), queued.clone());
            move || {
                let mut ended = queued.iter().map(|task| join(&graph, task, None));
                ended.all(|value| matches!(value, Ok(true)))
            }
        });
        let outer = pool.task(1, {
            let (graph, between) = (pool.graph.clone(), between.clone());
            move || join(&graph, &between, None).is_ok_and(|value| value)
        });
        loom::thread::spawn(move || run(&between));
        pool.run(&[&outer, &queued[0], &queued[1]]);
        assert!(matches!(outer.poll(), Some(Ok(true))));
    });
}

#[test]
fn helped_task_joining_its_waiter_is_refused() {
    three_threads(|| {
        let pool = OneThread::new();
        let own: Arc<OnceLock<Task<bool>>> = Arc::default();
        let queued = pool.task(2, {
            let (graph, own) = (pool.graph.clone(), own.clone());
            move || {
                let waiter = own.get().expect("set before it runs");
                matches!(
                    join(&graph, waiter, None),
                    Err(JoinError::WouldDeadlock { .. })
                )
            }
        });
        let waiter = pool.task(1, {
            let (graph, queued) = (pool.graph.clone(), queued.clone());
            move || join(&graph, &queued, None).is_ok_and(|refused| refused)
        });
        assert!(own.set(waiter.clone()).is_ok());
        pool.run(&[&waiter, &queued]);
        assert!(matches!(waiter.poll(), Some(Ok(true))));
    });
}

#[test]
fn shortage_counts_on_no_spare_thread_that_leaves() {
    loom::model(|| {
        let workers = Arc::new_cyclic(|own: &Weak<Workers>| {
            let own = own.clone();
            let next = move |_: &_| own.upgrade()?.next_of_shortages(&mut Vec::new());
            Workers::new(1, String::new(), 1, Priority::Normal, next)
        });
        let (number, running) = workers.add_spare();
        let spare = loom::thread::spawn({
            let workers = workers.clone();
            move || workers.next_or_leave(number, &running, None).is_some()
        });
        let queued = placed(Placement::Pool(1), 1, None, || ());
        let wait = Arc::default();
        let shortage = Shortage::new(Targets::One(queued.header().clone()), &wait);
        let stuck = StuckSpares::These(BTreeSet::new());
        let needs_another = workers.add_shortages(vec![shortage], &stuck);
        assert!(spare.join().expect("no panic") || needs_another);
    });
}
