//! Models of the queues of pools, and of a shutdown.

use std::sync::Arc;

use super::super::graph::Graph;
use super::super::idle::wait_until_empty;
use super::super::info::Placement;
use super::super::queue::{Next, Queue};
use super::super::registry::Registry;
use super::super::sync::{AtomicUsize, Ordering};
use super::super::task::Task;
use super::{join, placed, preempted, run, run_header, task, three_threads};

/// It takes many locks, so its preemptions have a bound too.
#[test]
fn shutdown_racing_a_spawn_waits_for_the_child() {
    preempted(3, || {
        let registry = Arc::new(Registry::new());
        let child = task(2, None, || ());
        let parent = task(1, None, {
            let (registry, child) = (registry.clone(), child.clone());
            move || registry.add(child.header().clone())
        });
        registry.add(parent.header().clone());
        let runner = loom::thread::spawn({
            let (registry, child) = (registry.clone(), child.clone());
            move || {
                run(&parent);
                registry.remove(parent.header());
                run(&child);
                registry.remove(child.header());
            }
        });
        assert!(wait_until_empty(&registry, &Graph::new(), |_| true, None).is_ok());
        assert!(child.is_finished());
        runner.join().expect("the runner ends");
    });
}

#[test]
fn shutdown_racing_a_queued_task_waits_for_the_child() {
    preempted(2, || {
        let registry = Arc::new(Registry::new());
        let queue = Arc::new(Queue::new(1));
        registry.add_queue(1, queue.clone());
        let child = on_pool(2, || ());
        let parent = on_pool(1, {
            let (queue, child) = (queue.clone(), child.clone());
            move || push(&queue, &child)
        });
        push(&queue, &parent);
        let worker = loom::thread::spawn({
            let (registry, queue) = (registry.clone(), queue.clone());
            move || {
                while let Some(Next { task, .. }) = queue.next(0) {
                    assert!(task.run());
                    registry.remove(&task);
                    task.settle();
                }
            }
        });
        assert!(wait_until_empty(&registry, &Graph::new(), |_| true, None).is_ok());
        assert!(child.is_finished());
        queue.close();
        worker.join().expect("the worker ends");
    });
}

#[test]
fn queued_task_claimed_elsewhere_stays_listed() {
    preempted(2, || {
        let registry = Arc::new(Registry::new());
        let queue = Arc::new(Queue::new(1));
        registry.add_queue(1, queue.clone());
        let task = on_pool(1, || ());
        push(&queue, &task);
        queue.close();
        let worker = loom::thread::spawn({
            let (registry, queue) = (registry.clone(), queue.clone());
            move || {
                while let Some(Next { task, .. }) = queue.next(0) {
                    if task.run() {
                        registry.remove(&task);
                    }
                }
            }
        });
        let helper = loom::thread::spawn({
            let (registry, task) = (registry.clone(), task.header().clone());
            move || {
                if let Some(body) = registry.claim_queued(&task, None) {
                    task.run_claimed(body);
                    registry.remove(&task);
                    registry.count_ended(1);
                }
            }
        });
        let listed = registry.listed();
        assert!(listed.len() == 1 || task.is_finished());
        worker.join().expect("the worker ends");
        helper.join().expect("the helper ends");
        assert!(registry.listed().is_empty());
    });
}

#[test]
fn tasks_pushed_to_sleeping_threads_are_taken() {
    three_threads(|| {
        let queue = Arc::new(Queue::new(2));
        let taken = Arc::new(AtomicUsize::new(0));
        let workers = [0, 1].map(|index| {
            let (queue, taken) = (queue.clone(), taken.clone());
            loom::thread::spawn(move || {
                while queue.next(index).is_some() {
                    taken.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        push(&queue, &on_pool(1, || ()));
        push(&queue, &on_pool(2, || ()));
        queue.close();
        for worker in workers {
            worker.join().expect("a worker ends");
        }
        assert_eq!(taken.load(Ordering::Relaxed), 2);
    });
}

/// The one thread sleeps or is about to when the second task comes: nothing else wakes it.
#[test]
fn second_task_of_a_queue_wakes_its_thread_again() {
    preempted(2, || {
        let queue = Arc::new(Queue::new(1));
        let worker = loom::thread::spawn({
            let queue = queue.clone();
            move || {
                while let Some(Next { task, .. }) = queue.next(0) {
                    run_header(&task);
                }
            }
        });
        let tasks = [1, 2].map(|id| on_pool(id, || ()));
        for task in &tasks {
            push(&queue, task);
            join(&Graph::new(), task, None).expect("returned");
        }
        queue.close();
        worker.join().expect("the worker ends");
    });
}

fn on_pool(id: u64, f: impl FnOnce() + Send + 'static) -> Task<()> {
    placed(Placement::Pool(1), id, None, f)
}

fn push(queue: &Queue, task: &Task<()>) {
    task.header().set_listed(true);
    queue.push(task.header().clone());
}
