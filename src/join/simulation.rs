//! Random programs of tasks on simulated threads: the wait graph is compared with a reference model.
//!
//! The reference model is what the words say: a task can end unless it waits, without a deadline,
//! for tasks that can't. It knows no pools, because a pool never starves, and looks at all tasks
//! again for each question. After each step of each program:
//! - A wait is refused if and only if it can't end by the reference model.
//! - When a spare thread is started, no thread of its pool can go on.
//! - When a spare thread begins a task, fewer threads of its pool can go on than the pool has.
//! - Some thread can go on, or all tasks have ended. Deadlines pass only when nothing else happens,
//!   and first those without which a wait could not end. There is always one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::changes::Subscription;
use super::current;
use super::graph::{Graph, Need, Wait};
use super::header::{ClosureOutcome, Header, Spec};
use super::id::TaskId;
use super::info::Placement;
use super::priority::Priority;
use super::targets::Targets;
use super::wait::WaitSet;
use super::workers::{InnermostTask, Workers};

/// How many tasks a simulated thread runs inside of each other.
const MAX_DEPTH: usize = 2;
/// More than any of the programs takes.
const MAX_STEPS: usize = 10_000;

/// One wait of a task. The targets are indices of tasks; the task itself is left out.
#[derive(Clone, Debug)]
struct WaitPlan {
    targets: BTreeSet<usize>,
    need_all: bool,
    /// It ends by its deadline, or by what ends it otherwise, when nothing else happens.
    has_deadline: bool,
    /// Something else than a target ends it, such as a channel, and it has no deadline.
    ends_otherwise: bool,
}

impl WaitPlan {
    fn need(&self) -> Need {
        match (self.need_all, self.ends_otherwise) {
            (true, _) => Need::All,
            (false, false) => Need::Any,
            (false, true) => Need::Nothing,
        }
    }
}

/// A task: the pool that runs it, or a thread of its own, and its waits one after another.
#[derive(Clone, Debug)]
struct TaskPlan {
    pool: Option<usize>,
    waits: Vec<WaitPlan>,
}

#[derive(Clone, Debug)]
struct Program {
    /// The number of threads of each pool.
    pools: Vec<usize>,
    tasks: Vec<TaskPlan>,
    /// Decides which thread makes the next step.
    seed: u64,
}

fn programs() -> impl Strategy<Value = Program> {
    let wait = |tasks: usize| {
        let targets = prop::collection::btree_set(0..tasks, 1..=3);
        let seldom = || prop::bool::weighted(0.2);
        (targets, prop::bool::ANY, seldom(), seldom()).prop_map(
            |(targets, need_all, has_deadline, ends_otherwise)| WaitPlan {
                targets,
                need_all,
                has_deadline: has_deadline || (ends_otherwise && !need_all),
                ends_otherwise: ends_otherwise && !need_all,
            },
        )
    };
    let task = move |tasks: usize, pools: usize| {
        let pool = prop::option::weighted(0.7, 0..pools);
        (pool, prop::collection::vec(wait(tasks), 0..=2))
            .prop_map(|(pool, waits)| TaskPlan { pool, waits })
    };
    (
        3..=8_usize,
        prop::collection::vec(1..=3_usize, 1..=2),
        any::<u64>(),
    )
        .prop_flat_map(move |(count, pools, seed)| {
            prop::collection::vec(task(count, pools.len()), count).prop_map(move |tasks| Program {
                pools: pools.clone(),
                tasks,
                seed,
            })
        })
}

/// A wait of a simulated thread.
struct Waiting<'g> {
    set: WaitSet,
    plan: WaitPlan,
    entry: Wait<'g>,
    /// Whether the graph has let it park. Until then it may still be refused.
    is_checked: bool,
    has_timed_out: bool,
}

impl Waiting<'_> {
    fn need(&self) -> Need {
        self.plan.need()
    }

    fn can_return(&self) -> bool {
        self.has_timed_out || self.set.is_satisfied(self.need())
    }
}

/// A task that a simulated thread has begun.
struct Frame<'g> {
    task: usize,
    next_wait: usize,
    waiting: Option<Waiting<'g>>,
}

enum Source {
    /// Runs this task alone.
    Task(usize),
    /// Takes tasks from the queue of this pool.
    Queue(usize),
    /// Takes tasks that the waits of this pool are short of.
    Shortages(usize),
}

struct Thread<'g> {
    source: Source,
    running: InnermostTask,
    frames: Vec<Frame<'g>>,
}

impl Thread<'_> {
    fn pool(&self) -> Option<usize> {
        match self.source {
            Source::Task(_) => None,
            Source::Queue(pool) | Source::Shortages(pool) => Some(pool),
        }
    }
}

struct World<'g> {
    graph: &'g Graph,
    plans: Vec<TaskPlan>,
    tasks: Vec<Arc<Header>>,
    pools: Vec<Arc<Workers>>,
    queues: Vec<Vec<usize>>,
    threads: Vec<Thread<'g>>,
}

impl<'g> World<'g> {
    fn new(graph: &'g Graph, program: &Program) -> Self {
        let task = |(index, plan): (usize, &TaskPlan)| {
            let placement = plan
                .pool
                .map_or(Placement::Thread, |pool| Placement::Pool(number(pool)));
            let spec = Spec {
                id: id(index),
                name: None,
                daemon: false,
                placement,
                subscription: Subscription::new(None),
            };
            Arc::new(Header::new(spec, Box::new(|_| ClosureOutcome::Returned)))
        };
        let mut world = Self {
            graph,
            plans: program.tasks.clone(),
            tasks: program.tasks.iter().enumerate().map(task).collect(),
            pools: Vec::new(),
            queues: vec![Vec::new(); program.pools.len()],
            threads: Vec::new(),
        };
        for (pool, threads) in program.pools.iter().enumerate() {
            let name = String::new();
            // The simulation asks the graph itself.
            let workers = Workers::new(number(pool), name, *threads, Priority::Normal, |_| None);
            let workers = Arc::new(workers);
            graph.add_pool(workers.clone());
            for thread in 0..*threads {
                world.add_thread(Source::Queue(pool), workers.running_on(thread));
            }
            world.pools.push(workers);
        }
        for (index, plan) in program.tasks.iter().enumerate() {
            match plan.pool {
                Some(pool) => world.queues[pool].push(index),
                None => world.add_thread(Source::Task(index), InnermostTask::default()),
            }
        }
        world
    }

    fn add_thread(&mut self, source: Source, running: InnermostTask) {
        self.threads.push(Thread {
            source,
            running,
            frames: Vec::new(),
        });
    }

    fn index_of(&self, task: &Header) -> usize {
        let found = self.tasks.iter().position(|it| it.id() == task.id());
        found.expect("a task of this program")
    }

    /// Returns the task that an idle thread could begin.
    fn next_task(&self, thread: &Thread<'_>) -> Option<usize> {
        match thread.source {
            Source::Task(task) => Some(task).filter(|task| self.is_queued(*task)),
            Source::Queue(pool) => self.queues[pool]
                .iter()
                .copied()
                .find(|task| self.is_queued(*task)),
            Source::Shortages(pool) => {
                let nowhere = InnermostTask::default();
                let next = self.graph.next_for_spare(number(pool), &nowhere);
                next.map(|task| self.index_of(&task))
            }
        }
    }

    fn is_queued(&self, task: usize) -> bool {
        self.tasks[task].state() == super::info::TaskState::Queued
    }

    fn can_step(&self, thread: usize) -> bool {
        let thread = &self.threads[thread];
        match thread.frames.last() {
            Some(frame) => frame.waiting.as_ref().is_none_or(Waiting::can_return),
            None => self.next_task(thread).is_some(),
        }
    }

    fn step(&mut self, thread: usize) {
        let Some(frame) = self.threads[thread].frames.last_mut() else {
            let task = self.next_task(&self.threads[thread]).expect("it can step");
            if let Source::Shortages(pool) = self.threads[thread].source {
                let able = self.able_threads(pool);
                assert!(able < self.pools[pool].threads(), "{able} threads run");
            }
            return self.begin(thread, task);
        };
        if frame.waiting.take().is_some() {
            return;
        }
        let plans = &self.plans[frame.task].waits;
        match plans.get(frame.next_wait).cloned() {
            Some(plan) => {
                frame.next_wait += 1;
                self.begin_wait(thread, plan);
            }
            None => self.end(thread),
        }
    }

    /// The number of threads of this pool, and of its spare threads, whose task can go on.
    fn able_threads(&self, pool: usize) -> usize {
        let of_pool = self.threads.iter().filter(|it| it.pool() == Some(pool));
        let frames = of_pool.filter_map(|thread| thread.frames.last());
        let able = |frame: &&Frame<'_>| frame.waiting.as_ref().is_none_or(Waiting::can_return);
        frames.filter(able).count()
    }

    fn begin(&mut self, thread: usize, task: usize) {
        drop(self.tasks[task].begin().expect("it was queued"));
        let thread = &mut self.threads[thread];
        thread.running.replace(Some(id(task)));
        thread.frames.push(Frame {
            task,
            next_wait: 0,
            waiting: None,
        });
    }

    fn end(&mut self, thread: usize) {
        let frame = self.threads[thread].frames.pop().expect("it runs");
        let task = &self.tasks[frame.task];
        task.publish(ClosureOutcome::Returned);
        task.settle();
        let below = self.threads[thread]
            .frames
            .last()
            .map(|frame| id(frame.task));
        self.threads[thread].running.replace(below);
        let still_waits = |frame: &mut Frame<'_>| {
            let waiting = frame.waiting.as_ref();
            waiting.is_some_and(|waiting| !waiting.can_return())
        };
        if self.threads[thread]
            .frames
            .last_mut()
            .is_some_and(still_waits)
        {
            self.help_or_park(thread);
        }
    }

    fn begin_wait(&mut self, thread: usize, plan: WaitPlan) {
        let task = self.threads[thread].frames.last().expect("it runs").task;
        let others = plan.targets.iter().filter(|target| **target != task);
        let targets: Vec<_> = others.map(|target| self.tasks[*target].clone()).collect();
        let need = plan.need();
        let single = (targets.len() == 1).then(|| targets[0].clone());
        let set = WaitSet::new(targets);
        if set.is_satisfied(need) {
            return;
        }
        let deadline = (plan.has_deadline && !plan.ends_otherwise)
            .then(|| Instant::now() + Duration::from_secs(3600));
        let mut intent = set.intent(need, deadline);
        if let Some(target) = single {
            intent.targets = Targets::One(target);
        }
        let _current = current::enter(id(task));
        let entry = self.as_thread(thread, |graph| graph.enter(intent));
        self.threads[thread]
            .frames
            .last_mut()
            .expect("it runs")
            .waiting = Some(Waiting {
            set,
            plan,
            entry,
            is_checked: false,
            has_timed_out: false,
        });
        self.help_or_park(thread);
    }

    /// Has the thread of this test act as a simulated one.
    fn as_thread<T>(&self, thread: usize, code: impl FnOnce(&'g Graph) -> T) -> T {
        let thread = &self.threads[thread];
        match thread.pool() {
            Some(pool) => self.pools[pool].act(&thread.running, || code(self.graph)),
            None => code(self.graph),
        }
    }

    /// What a thread does when its wait can't return.
    fn help_or_park(&mut self, thread: usize) {
        if let Some(target) = self.target_to_help(thread) {
            let it = &self.threads[thread];
            let waiting = it.frames.last().and_then(|frame| frame.waiting.as_ref());
            waiting
                .expect("it waits")
                .entry
                .set_helping(it.running.clone());
            return self.begin(thread, target);
        }
        let frame = self.threads[thread].frames.last_mut().expect("it waits");
        let waiter = frame.task;
        frame.waiting.as_mut().expect("it waits").is_checked = true;
        let frame = self.threads[thread].frames.last().expect("it waits");
        let entry = &frame.waiting.as_ref().expect("it waits").entry;
        match self.as_thread(thread, |_| entry.check()) {
            Ok(shortages) => {
                assert!(
                    self.can_end(true).contains(&waiter),
                    "task {waiter} must be refused"
                );
                for short in shortages.0 {
                    let number = short.workers.pool();
                    if short.workers.add_shortages(short.waits, &short.stuck) {
                        let pool = (0..self.pools.len()).find(|pool| self::number(*pool) == number);
                        let pool = pool.expect("a pool");
                        assert_eq!(self.able_threads(pool), 0, "no spare thread is needed");
                        let (_, running) = short.workers.add_spare();
                        self.add_thread(Source::Shortages(pool), running);
                    }
                }
            }
            Err(cycle) => {
                assert!(
                    !self.can_end(true).contains(&waiter),
                    "task {waiter} is refused: {cycle:?}"
                );
                assert!(!cycle.is_empty());
                self.threads[thread]
                    .frames
                    .last_mut()
                    .expect("it waits")
                    .waiting = None;
            }
        }
    }

    fn target_to_help(&self, thread: usize) -> Option<usize> {
        let thread = &self.threads[thread];
        let pool = thread.pool().filter(|_| thread.frames.len() <= MAX_DEPTH)?;
        let frame = thread.frames.last()?;
        let waiting = frame.waiting.as_ref()?;
        if waiting.plan.has_deadline || waiting.need() != Need::All {
            return None;
        }
        let mut targets = waiting.plan.targets.iter().copied();
        targets
            .find(|target| *target != frame.task && self.tasks[*target].is_queued_on(number(pool)))
    }

    /// The reference model: the tasks that can end.
    fn can_end(&self, deadlines_count: bool) -> BTreeSet<usize> {
        let mut waits = BTreeMap::new();
        for thread in &self.threads {
            for (depth, frame) in thread.frames.iter().enumerate() {
                if let Some(waiting) = &frame.waiting {
                    waits.insert(frame.task, (waiting, thread.frames.get(depth + 1)));
                }
            }
        }
        let mut able = BTreeSet::new();
        loop {
            let is_able = |task: &usize, able: &BTreeSet<usize>| {
                let Some((waiting, above)) = waits.get(task) else {
                    return true;
                };
                let can_end =
                    |target: &usize| self.tasks[*target].is_finished() || able.contains(target);
                let mut targets = waiting.plan.targets.iter().filter(|target| *target != task);
                // A wait that is not checked yet is refused if it closes a cycle.
                let returns = waiting.can_return()
                    || !waiting.is_checked
                    || (deadlines_count && waiting.plan.has_deadline)
                    || match waiting.need() {
                        Need::All => targets.all(can_end),
                        Need::Any | Need::Nothing => targets.any(can_end),
                    };
                returns && above.is_none_or(|frame| can_end(&frame.task))
            };
            let more: Vec<usize> = (0..self.tasks.len())
                .filter(|task| !able.contains(task) && is_able(task, &able))
                .collect();
            if more.is_empty() {
                return able;
            }
            able.extend(more);
        }
    }

    /// Lets the deadline of a wait pass that could not end without it. Returns false if no thread
    /// waits with one.
    fn time_out(&mut self) -> bool {
        let able = self.can_end(false);
        let waiting = self
            .threads
            .iter_mut()
            .flat_map(|thread| &mut thread.frames);
        let mut timed = waiting.filter_map(|frame| {
            let waiting = frame.waiting.as_mut()?;
            waiting.plan.has_deadline.then_some((frame.task, waiting))
        });
        let Some(first) = timed.next() else {
            return false;
        };
        let mut all = std::iter::once(first).chain(timed);
        let unable = all.find(|(task, _)| !able.contains(task));
        let (_, waiting) = unable.expect("a wait is starved until its deadline");
        waiting.has_timed_out = true;
        true
    }

    fn run(mut self, mut seed: u64) {
        for _ in 0..MAX_STEPS {
            let able: Vec<usize> = (0..self.threads.len())
                .filter(|it| self.can_step(*it))
                .collect();
            if let Some(count) = u64::try_from(able.len()).ok().filter(|count| *count > 0) {
                // Knuth's linear congruential generator; its high bits are the random ones.
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let choice = usize::try_from((seed >> 33) % count).expect("it is small");
                self.step(able[choice]);
            } else if !self.time_out() {
                let unfinished: Vec<_> = self.tasks.iter().filter(|it| !it.is_finished()).collect();
                assert!(unfinished.is_empty(), "{} tasks hang", unfinished.len());
                return;
            }
        }
        panic!("the program does not end");
    }
}

fn id(task: usize) -> TaskId {
    TaskId(task as u64 + 1)
}

fn number(pool: usize) -> u64 {
    pool as u64 + 1
}

#[test]
fn waits_of_random_programs_end_or_are_refused() {
    let cases = 100_000;
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 10_000,
        ..ProptestConfig::default()
    };
    proptest!(config, |(program in programs())| {
        let graph = Graph::new();
        World::new(&graph, &program).run(program.seed);
    });
}
