//! Model checks: loom runs each of them through every interleaving of its threads. Models of three
//! threads are limited to interleavings with at most three preemptions.
//!
//! These models build their own headers and graphs, which makes them small; those of `handles` use the
//! public interface. `tests/all.sh` runs them:
//! `RUSTFLAGS="--cfg loom" cargo test --no-default-features --lib`.

mod handles;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use super::cancel_tree::{self, CancelNode, CancelTarget, Entry};
use super::changes::{Changes, Subscription};
use super::closure::body;
use super::context::Context;
use super::current;
use super::error::JoinError;
use super::graph::{Graph, Intent, Need};
use super::handle::Handle;
use super::header::{Header, Spec};
use super::id::TaskId;
use super::idle::wait_until_empty;
use super::info::{Placement, Progress};
use super::members::Members;
use super::owned::{OwnedSlot, OwnedTask, fill_owned};
use super::parking::{Parking, Unparker};
use super::priority::Priority;
use super::progress::Reports;
use super::queue::Queue;
use super::registry::{self, Registry};
use super::slot_run::Run;
use super::sync::{AtomicBool, AtomicUsize, CountedArc, Ordering, current_thread, park};
use super::targets::Targets;
use super::task::{SharedSlot, Task, fill};
use super::timer::Timers;
use super::wait::{self, WaitSet};
use super::workers::Workers;

fn task<T: Send + Sync + 'static>(
    id: u64,
    changes: Option<&Changes>,
    f: impl FnOnce() -> T + Send + 'static,
) -> Task<T> {
    placed(Placement::Thread, id, changes, f)
}

fn placed<T: Send + Sync + 'static>(
    placement: Placement,
    id: u64,
    changes: Option<&Changes>,
    f: impl FnOnce() -> T + Send + 'static,
) -> Task<T> {
    let slot: SharedSlot<T> = CountedArc::new(OnceLock::new());
    let body = body(fill(slot.clone()), move |_| f());
    let header = Header::new(spec(placement, id, changes), body);
    Task::new(Handle::new(Arc::new(header)), slot)
}

fn owned_task<T: Send + 'static>(
    id: u64,
    changes: Option<&Changes>,
    f: impl FnOnce() -> T + Send + 'static,
) -> OwnedTask<T> {
    let slot = OwnedSlot::default();
    let body = body(fill_owned(slot.clone()), move |_| f());
    let header = Header::new(spec(Placement::Thread, id, changes), body);
    OwnedTask::new(Handle::new(Arc::new(header)), slot)
}

fn spec(placement: Placement, id: u64, changes: Option<&Changes>) -> Spec {
    Spec {
        id: TaskId(id),
        name: None,
        daemon: false,
        placement,
        subscription: Subscription::new(changes),
    }
}

/// Loom recommends this bound for more than two threads: nearly all faults show with two or three
/// preemptions, and each further one multiplies the time.
fn three_threads(model: impl Fn() + Send + Sync + 'static) {
    preempted(3, model);
}

fn preempted(times: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(times);
    builder.max_branches = 10_000;
    builder.check(model);
}

fn run<T>(task: &Task<T>) {
    run_header(task.header());
}

fn run_header(task: &Arc<Header>) {
    if task.run() {
        task.settle();
    }
}

fn cancel<T>(task: &Task<T>) {
    registry::cancel(task.header());
}

fn join<T: Copy>(graph: &Graph, task: &Task<T>, deadline: Option<Instant>) -> Result<T, JoinError> {
    wait::for_one(graph, task.header(), deadline)?;
    task.poll()
        .expect("a join that returned has an outcome")
        .copied()
}

/// A deadline. Loom decides when it passes.
fn some_deadline() -> Option<Instant> {
    Some(Instant::now() + Duration::from_secs(1))
}

#[test]
fn join_racing_the_end_sees_the_value() {
    loom::model(|| {
        let task = task(1, None, || 7);
        let runner = loom::thread::spawn({
            let task = task.clone();
            move || run(&task)
        });
        assert_eq!(join(&Graph::new(), &task, None).expect("returned"), 7);
        runner.join().expect("the runner ends");
    });
}

#[test]
fn two_joins_racing_the_end_see_the_value() {
    three_threads(|| {
        let graph = Arc::new(Graph::new());
        let task = task(1, None, || 7);
        let joiner = loom::thread::spawn({
            let (graph, task) = (graph.clone(), task.clone());
            move || join(&graph, &task, None).expect("returned")
        });
        let runner = loom::thread::spawn({
            let task = task.clone();
            move || run(&task)
        });
        assert_eq!(join(&graph, &task, None).expect("returned"), 7);
        assert_eq!(joiner.join().expect("the joiner ends"), 7);
        runner.join().expect("the runner ends");
    });
}

#[test]
fn timed_join_racing_the_end_loses_no_value() {
    loom::model(|| {
        let graph = Graph::new();
        let task = task(1, None, || 7);
        let runner = loom::thread::spawn({
            let task = task.clone();
            move || run(&task)
        });
        match join(&graph, &task, some_deadline()) {
            Ok(value) => assert_eq!(value, 7),
            Err(error) => assert!(matches!(error, JoinError::TimedOut)),
        }
        assert_eq!(join(&graph, &task, None).expect("returned"), 7);
        assert!(graph.snapshot().waits.is_empty());
        runner.join().expect("the runner ends");
    });
}

#[test]
fn cancel_racing_the_start_wins_or_has_no_effect() {
    three_threads(|| {
        let ran = Arc::new(AtomicBool::new(false));
        let task = task(1, None, {
            let ran = ran.clone();
            move || ran.store(true, Ordering::Relaxed)
        });
        let runner = loom::thread::spawn({
            let task = task.clone();
            move || run(&task)
        });
        let canceller = loom::thread::spawn({
            let task = task.clone();
            move || cancel(&task)
        });
        let outcome = join(&Graph::new(), &task, None);
        assert_eq!(outcome.is_ok(), ran.load(Ordering::Relaxed));
        runner.join().expect("the runner ends");
        canceller.join().expect("the canceller ends");
    });
}

/// Fails when it is dropped twice.
struct DropCheck(Arc<AtomicBool>);

impl Drop for DropCheck {
    fn drop(&mut self) {
        assert!(!self.0.swap(true, Ordering::Relaxed), "dropped twice");
    }
}

#[test]
fn value_is_dropped_once_when_handles_race_the_end() {
    loom::model(|| {
        let dropped = Arc::new(AtomicBool::new(false));
        let task = task(1, None, {
            let value = DropCheck(dropped.clone());
            move || value
        });
        let header = task.header().clone();
        let runner = loom::thread::spawn(move || {
            if header.run() {
                header.settle();
            }
        });
        drop(task);
        runner.join().expect("the runner ends");
        assert!(dropped.load(Ordering::Relaxed));
    });
}

#[test]
fn last_handle_takes_the_value_after_the_end() {
    loom::model(|| {
        let task = task(1, None, || 7);
        let header = task.header().clone();
        let runner = loom::thread::spawn(move || {
            if header.run() {
                header.settle();
            }
        });
        wait::for_one(&Graph::new(), task.header(), None).expect("no cycle");
        assert_eq!(task.into_output().expect("the only handle"), 7);
        runner.join().expect("the runner ends");
    });
}

#[test]
fn group_wait_finds_the_task_that_ends() {
    loom::model(|| {
        let task = task(1, None, || 7);
        let members = Arc::new(Members::default());
        members.add(task.header());
        let runner = loom::thread::spawn(move || run(&task));
        wait::for_next(&Graph::new(), &members, None).expect("no cycle");
        assert_eq!(members.next_ended(), Some(TaskId(1)));
        runner.join().expect("the runner ends");
    });
}

#[test]
fn one_of_two_joins_closing_a_cycle_is_refused() {
    three_threads(|| {
        let graph = Arc::new(Graph::new());
        let tasks = [task(1, None, || ()), task(2, None, || ())];
        let refusals: Vec<_> = (0..2)
            .map(|index| {
                let graph = graph.clone();
                let (own, other) = (tasks[index].clone(), tasks[1 - index].clone());
                loom::thread::spawn(move || {
                    let current = current::enter(own.id());
                    let refused = match join(&graph, &other, None) {
                        Ok(()) => false,
                        Err(JoinError::WouldDeadlock { cycle }) => {
                            assert_eq!(cycle.len(), 2);
                            assert_eq!(cycle[0], own.id());
                            true
                        }
                        Err(error) => panic!("{error}"),
                    };
                    drop(current);
                    run(&own);
                    refused
                })
            })
            .collect();
        let refused = refusals
            .into_iter()
            .map(|thread| thread.join().expect("neither hangs"))
            .filter(|refused| *refused)
            .count();
        // No join is refused if one task had ended before the other joined it.
        assert!(refused <= 1);
        assert!(graph.snapshot().waits.is_empty());
    });
}

/// The wait that closes the cycle is in the graph for a moment before its check refuses it.
#[test]
fn wait_for_a_member_of_a_cycle_is_not_refused() {
    three_threads(|| {
        let graph = Arc::new(Graph::new());
        let tasks = [task(1, None, || ()), task(2, None, || ())];
        let members: Vec<_> = (0..2)
            .map(|index| {
                let graph = graph.clone();
                let (own, other) = (tasks[index].clone(), tasks[1 - index].clone());
                loom::thread::spawn(move || {
                    {
                        let _current = current::enter(own.id());
                        join(&graph, &other, None).ok();
                    }
                    run(&own);
                })
            })
            .collect();
        {
            let _current = current::enter(TaskId(3));
            let joined = join(&graph, &tasks[0], None);
            assert!(joined.is_ok(), "{joined:?}");
        }
        for member in members {
            member.join().expect("neither hangs");
        }
    });
}

#[test]
fn breaking_wait_ends_the_wait_that_blocks_it() {
    loom::model(|| {
        let graph = Arc::new(Graph::new());
        let parent = task(1, None, || ());
        let child = task(2, None, || ());
        let thread = loom::thread::spawn({
            let (graph, parent, child) = (graph.clone(), parent.clone(), child.clone());
            move || {
                let current = current::enter(child.id());
                let refused = join(&graph, &parent, None).is_err();
                drop(current);
                run(&child);
                refused
            }
        });
        {
            let _current = current::enter(parent.id());
            let wait = graph.enter_breaking(Intent {
                targets: Targets::One(child.header().clone()),
                need: Need::All,
                deadline: None,
            });
            child.header().park(None, || wait.is_broken());
        }
        assert!(child.is_finished());
        run(&parent);
        assert!(thread.join().expect("the child ends"));
    });
}

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
                while let Some(task) = queue.next(0) {
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
                while let Some(task) = queue.next(0) {
                    if task.run() {
                        registry.remove(&task);
                    }
                }
            }
        });
        let helper = loom::thread::spawn({
            let (registry, task) = (registry.clone(), task.header().clone());
            move || {
                if let Some(body) = registry.claim_queued(&task) {
                    task.run_claimed(body);
                    registry.remove(&task);
                    registry.count_ended(&task);
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
                while let Some(task) = queue.next(0) {
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

#[test]
fn changes_taken_during_the_end_miss_no_end() {
    loom::model(|| {
        let woken = Arc::new(AtomicBool::new(false));
        let changes = Changes::new({
            let woken = woken.clone();
            move || woken.store(true, Ordering::Release)
        });
        let task = task(1, Some(&changes), || ());
        let runner = loom::thread::spawn({
            let task = task.clone();
            move || {
                task.header().set_progress(1, 2);
                run(&task);
            }
        });
        let early = changes.take(usize::MAX);
        let seen_finished = !early.is_empty() && task.is_finished();
        runner.join().expect("the runner ends");
        assert!(woken.load(Ordering::Acquire));
        let late = changes.take(usize::MAX);
        assert!(seen_finished || late == [task.id()]);
    });
}

/// One report is made before the task is taken and one about then. The window that takes it sees the
/// second, now or after another wake.
#[test]
fn progress_before_a_pause_is_not_lost() {
    loom::model(|| {
        let wakes = Arc::new(AtomicUsize::new(0));
        let changes = Changes::new({
            let wakes = wakes.clone();
            move || {
                wakes.fetch_add(1, Ordering::Relaxed);
            }
        });
        let task = task(1, Some(&changes), || ());
        task.header().set_progress(1, 2);
        let runner = loom::thread::spawn({
            let task = task.clone();
            move || task.header().set_progress(2, 2)
        });
        assert_eq!(changes.take(usize::MAX), [task.id()]);
        let seen = task.progress().done;
        runner.join().expect("the runner ends");
        assert!(seen == 2 || changes.is_pending());
        assert_eq!(task.progress().done, 2);
    });
}

#[test]
fn both_numbers_of_a_progress_are_of_one_report() {
    loom::model(|| {
        let cell = Arc::new(Reports::new());
        let writer = loom::thread::spawn({
            let cell = cell.clone();
            move || (1..=3).for_each(|number| cell.set(number, number))
        });
        let Progress { done, total, .. } = cell.get();
        assert_eq!(done, total);
        writer.join().expect("it ends");
        assert_eq!(cell.get().done, 3);
    });
}

#[test]
fn progress_of_two_threads_is_that_of_the_last() {
    loom::model(|| {
        let cell = Arc::new(Reports::new());
        let other = loom::thread::spawn({
            let cell = cell.clone();
            move || cell.set(1, 1)
        });
        cell.set(2, 2);
        other.join().expect("it ends");
        let Progress { done, total, .. } = cell.get();
        assert!(done == total && done > 0);
    });
}

#[test]
fn progress_of_two_parts_at_once_is_their_sum() {
    loom::model(|| {
        let task = task(1, None, || ());
        let parts = Context::new(task.header().clone()).parts(3);
        let (one, two) = (parts.part(1), parts.part(2));
        let other = loom::thread::spawn(move || one.set_progress(5, 5));
        two.set_progress(7, 7);
        other.join().expect("it ends");
        let Progress { done, total, .. } = task.progress();
        assert_eq!((done, total), (3, 3));
    });
}

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

/// A target of cancels that is no task.
struct Cancelled(CancelNode, AtomicUsize);

impl CancelTarget for Cancelled {
    fn node(&self) -> &CancelNode {
        &self.0
    }

    fn did_cancel(self: Arc<Self>) {
        self.1.fetch_add(1, Ordering::Relaxed);
    }
}

fn cancelled() -> Arc<Cancelled> {
    Arc::new(Cancelled(CancelNode::new(), AtomicUsize::new(0)))
}

#[test]
fn cancel_racing_a_new_child_reaches_it() {
    loom::model(|| {
        let parent = cancelled();
        let canceller = loom::thread::spawn({
            let parent = parent.clone();
            move || cancel_tree::cancel(parent)
        });
        let child = cancelled();
        let target: Arc<dyn CancelTarget> = child.clone();
        let above: Arc<dyn CancelTarget> = parent;
        let is_linked = cancel_tree::link(&target, &above);
        canceller.join().expect("it ends");
        assert_eq!(is_linked, child.node().is_requested());
        assert_eq!(child.1.load(Ordering::Relaxed), usize::from(is_linked));
    });
}

#[test]
fn cancel_racing_a_dropped_child_leaves_nothing() {
    loom::model(|| {
        let parent = cancelled();
        let child = cancelled();
        let target: Arc<dyn CancelTarget> = child.clone();
        let above: Arc<dyn CancelTarget> = parent.clone();
        assert!(cancel_tree::link(&target, &above));
        let dropper = loom::thread::spawn(move || drop((target, child)));
        cancel_tree::cancel(above);
        dropper.join().expect("it ends");
        assert_eq!(Arc::strong_count(&parent), 1);
        assert_eq!(Arc::weak_count(&parent), 0);
    });
}

/// The parent is dropped while the grandparent is cancelled. The child is reached by the one way or the
/// other.
#[test]
fn cancel_racing_a_dropped_parent_reaches_its_child() {
    loom::model(|| {
        let [root, parent, child] = std::array::from_fn(|_| cancelled());
        let target = |node: &Arc<Cancelled>| -> Arc<dyn CancelTarget> { node.clone() };
        assert!(cancel_tree::link(&target(&parent), &target(&root)));
        assert!(cancel_tree::link(&target(&child), &target(&parent)));
        let dropper = loom::thread::spawn(move || drop(parent));
        cancel_tree::cancel(root);
        assert!(child.node().is_requested());
        assert_eq!(child.1.load(Ordering::Relaxed), 1);
        dropper.join().expect("it ends");
    });
}

/// Two nodes of a line are dropped at the same time. What is below them moves to the first.
#[test]
fn nodes_dropped_at_once_keep_the_line() {
    loom::model(|| {
        let [root, upper, lower, child] = std::array::from_fn(|_| cancelled());
        let target = |node: &Arc<Cancelled>| -> Arc<dyn CancelTarget> { node.clone() };
        assert!(cancel_tree::link(&target(&upper), &target(&root)));
        assert!(cancel_tree::link(&target(&lower), &target(&upper)));
        assert!(cancel_tree::link(&target(&child), &target(&lower)));
        let dropper = loom::thread::spawn(move || drop(upper));
        drop(lower);
        dropper.join().expect("it ends");
        cancel_tree::cancel(root);
        assert!(child.node().is_requested());
    });
}

#[test]
fn callback_racing_two_cancels_runs_once() {
    three_threads(|| {
        let target = cancelled();
        let ran = Arc::new(AtomicUsize::new(0));
        let cancellers: Vec<_> = (0..2)
            .map(|_| {
                let target = target.clone();
                loom::thread::spawn(move || cancel_tree::cancel(target))
            })
            .collect();
        let callback = Box::new({
            let ran = ran.clone();
            move || {
                ran.fetch_add(1, Ordering::Relaxed);
            }
        });
        let is_refused = target.node().add(Entry::Callback(callback)).is_err();
        for canceller in cancellers {
            canceller.join().expect("it ends");
        }
        assert_eq!(ran.load(Ordering::Relaxed), usize::from(!is_refused));
        assert_eq!(target.1.load(Ordering::Relaxed), 1);
    });
}

/// The second park ends with the cancel alone, and the first with whatever comes first.
#[test]
fn park_racing_an_unpark_and_a_cancel_ends() {
    three_threads(|| {
        let (target, parking) = (cancelled(), Arc::new(Parking::default()));
        let unparked = Arc::new(AtomicBool::new(false));
        let unpark = loom::thread::spawn({
            let (parking, unparked) = (parking.clone(), unparked.clone());
            move || {
                unparked.store(true, Ordering::Relaxed);
                Unparker::new(parking).unpark();
            }
        });
        let canceller = loom::thread::spawn({
            let target = target.clone();
            move || cancel_tree::cancel(target)
        });
        if parking.park(target.node(), None).is_ok() {
            assert!(unparked.load(Ordering::Relaxed));
            assert!(parking.park(target.node(), None).is_err());
        }
        assert!(target.node().is_requested());
        unpark.join().expect("it ends");
        canceller.join().expect("it ends");
    });
}

#[test]
fn delayed_call_racing_its_removal_goes_once() {
    loom::model(|| {
        let timers = Arc::new(Timers::new());
        let called = Arc::new(AtomicBool::new(false));
        let dropped = Arc::new(AtomicBool::new(false));
        let callback = {
            let (called, check) = (called.clone(), DropCheck(dropped.clone()));
            Box::new(move || {
                called.store(true, Ordering::Relaxed);
                drop(check);
            })
        };
        let now = Instant::now();
        let key = timers.insert(now, callback);
        let last = timers.insert(now, Box::new(|| ()));
        let remover = loom::thread::spawn({
            let timers = timers.clone();
            move || timers.remove(key)
        });
        timers.take_due()();
        remover.join().expect("it ends");
        timers.remove(last);
        assert!(dropped.load(Ordering::Relaxed));
    });
}

#[test]
fn call_added_while_the_timer_sleeps_wakes_it() {
    loom::model(|| {
        let timers = Arc::new(Timers::new());
        let adder = loom::thread::spawn({
            let timers = timers.clone();
            move || timers.insert(Instant::now(), Box::new(|| ()))
        });
        timers.take_due()();
        adder.join().expect("it ends");
    });
}

/// The timer starts the task of a slot that is being cleared.
#[test]
fn delayed_start_racing_a_cancel_is_cancelled() {
    loom::model(|| {
        let run = Run::waiting();
        let task = owned_task(1, None, || ());
        let header = Arc::clone(task.header());
        let timer = loom::thread::spawn({
            let run = run.clone();
            move || {
                let mut did_start = false;
                run.start(None, || {
                    did_start = true;
                    Ok(task)
                });
                did_start
            }
        });
        run.cancel();
        let did_start = timer.join().expect("it ends");
        assert_eq!(header.cancel().is_requested(), did_start);
        run.start(None, || panic!("nothing starts after a cancel"));
    });
}

/// A frame that finds the slot loading sleeps until it is woken.
#[test]
fn window_is_woken_for_the_end_of_a_delayed_start() {
    three_threads(|| {
        let window = current_thread();
        let changes = Changes::new(move || window.unpark());
        let run = Run::waiting();
        let timer = loom::thread::spawn({
            let (run, changes) = (run.clone(), changes.clone());
            move || {
                run.start(Some(&changes), || {
                    let task = owned_task(1, Some(&changes), || 7);
                    let header = Arc::clone(task.header());
                    loom::thread::spawn(move || {
                        if header.run() {
                            header.settle();
                        }
                    });
                    Ok(task)
                });
            }
        });
        let value = loop {
            changes.take(usize::MAX);
            let news = run.take_news();
            if !news.is_loading {
                break news.value;
            }
            park();
        };
        assert_eq!(value, Some(7));
        timer.join().expect("it ends");
    });
}

/// A task ends while a frame looks at its slot and the timer wants to start the next one.
#[test]
fn outcome_racing_the_next_start_is_not_lost() {
    three_threads(|| {
        let task = owned_task(1, None, || 7);
        let header = Arc::clone(task.header());
        let run = Run::of(task);
        let runner = loom::thread::spawn(move || {
            if header.run() {
                header.settle();
            }
        });
        let timer = loom::thread::spawn({
            let run = run.clone();
            move || run.start(None, || Ok(owned_task(2, None, || 8)))
        });
        let early = run.take_news();
        runner.join().expect("it ends");
        timer.join().expect("it ends");
        let late = run.take_news();
        assert!(early.is_loading || early.value.is_some());
        assert_eq!(early.value.or(late.value), Some(7));
    });
}
