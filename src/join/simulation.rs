//! Random programs of tasks on simulated threads: the wait graph is compared with a reference model.
//!
//! The reference model is what the words say: a task can end unless it waits, without a deadline,
//! for tasks that can't. It knows no pools, because a pool never starves, and looks at all tasks
//! again for each question. A follower can end if its leader can, and if its function can then return.
//! A callback holds up what runs below it on its thread, and nothing else. After each step of each
//! program:
//! - A wait is refused if and only if it can't end by the reference model.
//! - A follower that would wait for itself ends without a value, unless a wait of the ring is refused.
//! - When a spare thread is started, no thread of its pool can go on.
//! - When a spare thread begins a task, fewer threads of its pool can go on than the pool has.
//! - Some thread can go on, or all tasks have ended. Deadlines pass only when nothing else happens,
//!   and first those without which a wait could not end. There is always one of them.
//! - Each task has returned, or follows one that has not, or closed a ring.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::changes::Subscription;
use super::current;
use super::graph::{Following, Graph, Need, Shortages, Wait};
use super::header::{ClosureOutcome, Header, Spec};
use super::id::TaskId;
use super::info::{Placement, TaskState};
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
    /// It runs elsewhere if it follows another task.
    follows: Option<FollowPlan>,
    waits: Vec<WaitPlan>,
    /// The waits of each of its callbacks.
    callbacks: Vec<Vec<WaitPlan>>,
}

/// How a task follows another one. The numbers choose among the tasks that nothing follows.
#[derive(Clone, Debug)]
struct FollowPlan {
    leader: usize,
    /// What it follows after its function has returned, as with `and_then`.
    next: Option<usize>,
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
    let waits = move |tasks, most| prop::collection::vec(wait(tasks), 0..=most);
    let follow = (any::<usize>(), prop::option::of(any::<usize>()))
        .prop_map(|(leader, next)| FollowPlan { leader, next });
    let task = move |tasks: usize, pools: usize| {
        (
            prop::option::weighted(0.7, 0..pools),
            prop::option::weighted(0.3, follow.clone()),
            waits(tasks, 2),
            prop::collection::vec(waits(tasks, 1), 0..=1),
        )
            .prop_map(|(pool, follows, waits, callbacks)| TaskPlan {
                pool,
                follows,
                waits,
                callbacks,
            })
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
        self.has_timed_out || self.set.is_satisfied(self.need()) || self.entry.is_broken()
    }
}

/// What a simulated thread runs.
#[derive(Clone, Copy)]
enum Code {
    /// The closure of a task or of a mapped one.
    Task(usize),
    /// The function of `and_then` of this task, which then follows the other one.
    AndThen(usize, usize),
    Callback,
    /// The callbacks of a task that has ended.
    Callbacks,
}

/// A function that a simulated thread has begun.
struct Frame<'g> {
    code: Code,
    waits: VecDeque<WaitPlan>,
    waiting: Option<Waiting<'g>>,
    /// Whether the thread notes that it runs this, and what it ran before.
    is_noted: bool,
    before: Option<TaskId>,
}

impl Frame<'_> {
    /// The task whose function this is.
    fn task(&self) -> Option<usize> {
        match self.code {
            Code::Task(task) | Code::AndThen(task, _) => Some(task),
            Code::Callback | Code::Callbacks => None,
        }
    }
}

/// What happens at the end of a task.
enum Callback {
    Waits(Vec<WaitPlan>),
    /// This task begins its function.
    Begin(usize),
    /// This task ends as the one that ends.
    End(usize),
}

/// The state of a follower, whose wait is in the graph until its closure begins or it ends.
struct Follower<'g> {
    leader: usize,
    next: Option<usize>,
    wait: Following<'g>,
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
    /// The callbacks of each task whose callbacks run here, the innermost last.
    due: Vec<VecDeque<Callback>>,
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
    /// By the task.
    followers: Vec<Option<Follower<'g>>>,
    callbacks: Vec<Vec<Callback>>,
    has_value: Vec<bool>,
}

impl<'g> World<'g> {
    fn new(graph: &'g Graph, program: &Program) -> Self {
        let chosen = choose_leaders(&program.tasks);
        let task = |(index, plan): (usize, &TaskPlan)| {
            let placement = match plan.pool {
                _ if chosen[index].is_some() => Placement::Elsewhere,
                Some(pool) => Placement::Pool(number(pool)),
                None => Placement::Thread,
            };
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
            followers: Vec::new(),
            callbacks: Vec::new(),
            has_value: vec![false; program.tasks.len()],
        };
        for (index, plan) in program.tasks.iter().enumerate() {
            let callbacks = plan.callbacks.iter().cloned().map(Callback::Waits);
            world.callbacks.push(callbacks.collect());
            let follower = chosen[index].map(|(leader, next)| Follower {
                leader,
                next,
                wait: graph.enter_new_follower(id(index), world.tasks[leader].clone()),
            });
            if let Some(Follower { leader, .. }) = follower {
                world.callbacks[leader].push(Callback::Begin(index));
            }
            world.followers.push(follower);
        }
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
                _ if chosen[index].is_some() => {}
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
            due: Vec::new(),
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
        self.tasks[task].state() == TaskState::Queued
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
        let (code, begins_wait) = (frame.code, !frame.waits.is_empty());
        match code {
            // A wait runs what is due on its thread first.
            _ if begins_wait => match self.next_due(thread) {
                Some(callback) => self.call(thread, callback),
                None => self.begin_wait(thread),
            },
            Code::Task(task) => self.end(thread, task, true),
            Code::AndThen(task, next) => self.follow(thread, task, next),
            Code::Callback => self.pop(thread),
            Code::Callbacks => {
                let due = self.threads[thread].due.last_mut().expect("it was added");
                if let Some(callback) = due.pop_front() {
                    self.call(thread, callback);
                } else {
                    self.threads[thread].due.pop();
                    self.pop(thread);
                }
            }
        }
    }

    /// Takes the callback that is due first on this thread.
    fn next_due(&mut self, thread: usize) -> Option<Callback> {
        let due = &mut self.threads[thread].due;
        due.iter_mut().find_map(VecDeque::pop_front)
    }

    fn call(&mut self, thread: usize, callback: Callback) {
        match callback {
            Callback::Waits(waits) => self.push(thread, Code::Callback, waits),
            Callback::Begin(task) => self.begin_follower(thread, task),
            Callback::End(task) => {
                let follower = self.followers[task].take().expect("it follows");
                let has_value = self.has_value[follower.leader];
                drop(follower);
                self.end_follower(thread, task, has_value);
            }
        }
    }

    /// Begins the function of a follower, whose leader has ended.
    fn begin_follower(&mut self, thread: usize, task: usize) {
        let follower = self.followers[task].as_ref().expect("it follows");
        let (has_value, next) = (self.has_value[follower.leader], follower.next);
        let waits = self.plans[task].waits.clone();
        if let Some(next) = next.filter(|_| has_value) {
            return self.push(thread, Code::AndThen(task, next), waits);
        }
        self.followers[task] = None;
        if has_value {
            drop(self.tasks[task].begin().expect("it was not begun"));
            self.push(thread, Code::Task(task), waits);
        } else {
            self.end_follower(thread, task, false);
        }
    }

    /// Ends a follower whose function has not begun or has returned another task.
    fn end_follower(&mut self, thread: usize, task: usize, has_value: bool) {
        drop(self.tasks[task].begin().expect("it was not begun"));
        self.push(thread, Code::Task(task), Vec::new());
        self.end(thread, task, has_value);
    }

    /// Has a follower follow the task that its function has returned.
    fn follow(&mut self, thread: usize, task: usize, next: usize) {
        self.threads[thread].frames.pop();
        let mut follower = self.followers[task].take().expect("it follows");
        let before: Vec<_> = self.broken_waits().collect();
        follower.leader = next;
        follower.next = None;
        self.followers[task] = Some(follower);
        let (able, can_end) = (self.can_end(true), self.can_end(true).contains(&task));
        let leader = self.tasks[next].clone();
        let follower = self.followers[task].as_mut().expect("it follows");
        let followed = follower.wait.replace(leader);
        let broken: Vec<_> = self
            .broken_waits()
            .filter(|it| !before.contains(it))
            .collect();
        assert_eq!(
            followed.is_ok() && broken.is_empty(),
            can_end,
            "of task {task}"
        );
        for (thread, depth) in broken {
            // It is broken now, so only its targets count.
            assert!(
                !self.targets_can_end(thread, depth, &able),
                "a wait is refused"
            );
        }
        match followed {
            Ok(shortages) => {
                assert!(self.can_end(true).contains(&task), "task {task} must end");
                self.serve(shortages);
                if self.tasks[next].is_finished() {
                    self.call(thread, Callback::End(task));
                } else {
                    self.callbacks[next].push(Callback::End(task));
                    self.resume(thread);
                }
            }
            Err(ring) => {
                let waits = self.threads.iter().flat_map(|thread| &thread.frames);
                let mut waiting = waits.filter(|frame| frame.waiting.is_some());
                let in_ring = |frame: &Frame<'_>| {
                    let task = frame.task();
                    task.is_some_and(|task| ring.contains(&id(task)))
                };
                assert!(!waiting.any(in_ring), "a wait of {ring:?} may fail");
                self.followers[task] = None;
                self.end_follower(thread, task, false);
            }
        }
    }

    /// The waits that were refused after they had begun, by thread and depth.
    fn broken_waits(&self) -> impl Iterator<Item = (usize, usize)> {
        let is_broken = |frame: &Frame<'_>| {
            let waiting = frame.waiting.as_ref();
            waiting.is_some_and(|waiting| waiting.entry.is_broken())
        };
        let frames = self.threads.iter().enumerate().flat_map(|(thread, it)| {
            let frames = it.frames.iter().enumerate();
            frames.map(move |(depth, frame)| ((thread, depth), frame))
        });
        frames.filter_map(move |(at, frame)| is_broken(frame).then_some(at))
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
        let waits = self.plans[task].waits.clone();
        self.push(thread, Code::Task(task), waits);
        let thread = &mut self.threads[thread];
        let frame = thread.frames.last_mut().expect("it was added");
        frame.is_noted = true;
        frame.before = thread.running.replace(Some(id(task)));
    }

    fn push(&mut self, thread: usize, code: Code, waits: Vec<WaitPlan>) {
        self.threads[thread].frames.push(Frame {
            code,
            waits: waits.into(),
            waiting: None,
            is_noted: false,
            before: None,
        });
    }

    /// Returns from the innermost frame.
    fn pop(&mut self, thread: usize) {
        let frame = self.threads[thread].frames.pop().expect("it runs");
        if frame.is_noted {
            self.threads[thread].running.replace(frame.before);
        }
        self.resume(thread);
    }

    /// Goes on with what was below.
    fn resume(&mut self, thread: usize) {
        let below = self.threads[thread].frames.last();
        let waiting = below.and_then(|frame| frame.waiting.as_ref());
        if waiting.is_some_and(|waiting| !waiting.can_return()) {
            self.help_or_park(thread);
        }
    }

    /// Ends the task of the innermost frame, which then calls the callbacks.
    fn end(&mut self, thread: usize, task: usize, has_value: bool) {
        self.has_value[task] = has_value;
        self.tasks[task].publish(if has_value {
            ClosureOutcome::Returned
        } else {
            ClosureOutcome::Cancelled
        });
        self.tasks[task].settle();
        let callbacks = std::mem::take(&mut self.callbacks[task]);
        let thread = &mut self.threads[thread];
        thread.due.push(callbacks.into());
        thread.frames.last_mut().expect("it runs").code = Code::Callbacks;
    }

    fn begin_wait(&mut self, thread: usize) {
        let frames = &mut self.threads[thread].frames;
        let frame = frames.last_mut().expect("it runs");
        let task = frame.task();
        let mut plan = frame.waits.pop_front().expect("it has a wait");
        plan.targets.retain(|target| Some(*target) != task);
        let targets: Vec<_> = plan
            .targets
            .iter()
            .map(|it| self.tasks[*it].clone())
            .collect();
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
        let entry = {
            let tasks = self.threads[thread].frames.iter().filter_map(Frame::task);
            let mut current: Vec<_> = tasks.map(|task| current::enter(id(task))).collect();
            let entry = self.as_thread(thread, |graph| graph.enter(intent));
            // They restore what was there before them, so the innermost goes first.
            while current.pop().is_some() {}
            entry
        };
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
        let depth = self.threads[thread].frames.len() - 1;
        let frame = self.threads[thread].frames.last_mut().expect("it waits");
        frame.waiting.as_mut().expect("it waits").is_checked = true;
        let frame = self.threads[thread].frames.last().expect("it waits");
        let entry = &frame.waiting.as_ref().expect("it waits").entry;
        let can_return = self.can_return(thread, depth, &self.can_end(true), true);
        match self.as_thread(thread, |_| entry.check()) {
            Ok(shortages) => {
                assert!(can_return, "the wait of thread {thread} must be refused");
                self.serve(shortages);
            }
            Err(cycle) => {
                assert!(!can_return, "thread {thread} is refused: {cycle:?}");
                assert!(!cycle.is_empty());
                let frame = self.threads[thread].frames.last_mut();
                frame.expect("it waits").waiting = None;
            }
        }
    }

    fn serve(&mut self, shortages: Shortages) {
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

    fn target_to_help(&self, thread: usize) -> Option<usize> {
        let thread = &self.threads[thread];
        let pool = thread.pool().filter(|_| thread.frames.len() <= MAX_DEPTH)?;
        let frame = thread.frames.last()?;
        let waiting = frame.waiting.as_ref()?;
        if waiting.plan.has_deadline || waiting.need() != Need::All {
            return None;
        }
        let mut targets = waiting.plan.targets.iter().copied();
        targets.find(|target| self.tasks[*target].is_queued_on(number(pool)))
    }

    /// The reference model: the tasks that can end, without those that have.
    fn can_end(&self, deadlines_count: bool) -> BTreeSet<usize> {
        let mut able = BTreeSet::new();
        loop {
            let is_able = |task: &usize| match (self.frame_of(*task), &self.followers[*task]) {
                (Some((thread, depth)), _) => {
                    self.can_return(thread, depth, &able, deadlines_count)
                }
                (None, Some(Follower { leader, .. })) => self.ends(*leader, &able),
                (None, None) => true,
            };
            let more: Vec<usize> = (0..self.tasks.len())
                .filter(|task| !able.contains(task) && is_able(task))
                .collect();
            if more.is_empty() {
                return able;
            }
            able.extend(more);
        }
    }

    fn ends(&self, task: usize, able: &BTreeSet<usize>) -> bool {
        self.tasks[task].is_finished() || able.contains(&task)
    }

    /// Where the function of this task runs.
    fn frame_of(&self, task: usize) -> Option<(usize, usize)> {
        self.threads.iter().enumerate().find_map(|(thread, it)| {
            let depth = it
                .frames
                .iter()
                .position(|frame| frame.task() == Some(task))?;
            Some((thread, depth))
        })
    }

    /// Whether this frame and all above it can return, if these tasks can end.
    fn can_return(
        &self,
        thread: usize,
        depth: usize,
        able: &BTreeSet<usize>,
        deadlines_count: bool,
    ) -> bool {
        (depth..self.threads[thread].frames.len()).all(|depth| {
            let Some(waiting) = &self.threads[thread].frames[depth].waiting else {
                return true;
            };
            // A wait that is not checked yet is refused if it closes a cycle.
            waiting.can_return()
                || !waiting.is_checked
                || (deadlines_count && waiting.plan.has_deadline)
                || self.targets_can_end(thread, depth, able)
        })
    }

    fn targets_can_end(&self, thread: usize, depth: usize, able: &BTreeSet<usize>) -> bool {
        let waiting = &self.threads[thread].frames[depth].waiting;
        let waiting = waiting.as_ref().expect("it waits");
        let mut targets = waiting.plan.targets.iter();
        match waiting.need() {
            Need::All => targets.all(|target| self.ends(*target, able)),
            Need::Any | Need::Nothing => targets.any(|target| self.ends(*target, able)),
        }
    }

    /// Lets the deadline of a wait pass that could not end without it. Returns false if no thread
    /// waits with one.
    fn time_out(&mut self) -> bool {
        let able = self.can_end(false);
        let mut has_deadline = false;
        for thread in 0..self.threads.len() {
            for depth in 0..self.threads[thread].frames.len() {
                let waiting = &self.threads[thread].frames[depth].waiting;
                if waiting.as_ref().is_some_and(|it| it.plan.has_deadline) {
                    has_deadline = true;
                    if !self.can_return(thread, depth, &able, false) {
                        let waiting = &mut self.threads[thread].frames[depth].waiting;
                        waiting.as_mut().expect("it waits").has_timed_out = true;
                        return true;
                    }
                }
            }
        }
        assert!(!has_deadline, "a wait is starved until its deadline");
        false
    }

    /// Each task has ended, and without a value only if it follows such a task or closed a ring.
    fn assert_ended(&self) {
        let unfinished = self.tasks.iter().filter(|it| !it.is_finished()).count();
        assert_eq!(unfinished, 0, "tasks hang");
        for (task, header) in self.tasks.iter().enumerate() {
            let returned = header.state() == TaskState::Returned;
            assert_eq!(returned, self.has_value[task], "task {task}");
        }
        assert!(
            self.callbacks.iter().all(Vec::is_empty),
            "a callback is left"
        );
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
                return self.assert_ended();
            }
        }
        panic!("the program does not end");
    }
}

/// Returns what each task follows: its leader and what comes next. Nothing is followed by two.
fn choose_leaders(plans: &[TaskPlan]) -> Vec<Option<(usize, Option<usize>)>> {
    let mut free = Vec::new();
    let mut chosen = Vec::new();
    for (task, plan) in plans.iter().enumerate() {
        let leader = plan
            .follows
            .as_ref()
            .and_then(|it| take(&mut free, it.leader));
        chosen.push(leader.map(|leader| (leader, None)));
        free.push(task);
    }
    for (plan, chosen) in plans.iter().zip(&mut chosen) {
        if let (Some(follows), Some((_, next))) = (&plan.follows, chosen) {
            *next = follows.next.and_then(|choice| take(&mut free, choice));
        }
    }
    chosen
}

/// Takes the element that a number chooses.
fn take(from: &mut Vec<usize>, choice: usize) -> Option<usize> {
    let count = from.len();
    (count > 0).then(|| from.remove(choice % count))
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
