//! The waits of a program, each compared with the reference model.

use std::time::{Duration, Instant};

use super::super::current;
use super::super::graph::{Graph, Need, Shortages};
use super::super::targets::Targets;
use super::super::wait::WaitSet;
use super::threads::{Frame, Source, Waiting};
use super::world::{World, id, number};

/// How many tasks a simulated thread runs inside of each other.
const MAX_DEPTH: usize = 2;

impl<'g> World<'g> {
    pub(super) fn begin_wait(&mut self, thread: usize) {
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

    /// What a thread does when its wait can't return.
    pub(super) fn help_or_park(&mut self, thread: usize) {
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

    pub(super) fn serve(&mut self, shortages: Shortages) {
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

    /// Has the thread of this test act as a simulated one.
    fn as_thread<T>(&self, thread: usize, code: impl FnOnce(&'g Graph) -> T) -> T {
        let thread = &self.threads[thread];
        match thread.pool() {
            Some(pool) => self.pools[pool].act(&thread.running, || code(self.graph)),
            None => code(self.graph),
        }
    }
}
