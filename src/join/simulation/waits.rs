//! The waits of a program, each compared with the reference model.

use std::time::{Duration, Instant};

use super::super::current;
use super::super::graph::{Graph, Need};
use super::super::innermost::InnermostTask;
use super::super::targets::Targets;
use super::super::wait::WaitSet;
use super::threads::{AfterServing, Frame, Waiting};
use super::world::{World, id, number};

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
            let (_, running) = it.worker().expect("it is of a pool");
            waiting
                .expect("it waits")
                .entry
                .set_helping(running.clone());
            self.begin(thread, target);
            return self.note(thread, target);
        }
        self.check(thread);
    }

    pub(super) fn check(&mut self, thread: usize) {
        let depth = self.threads[thread].frames.len() - 1;
        let frame = self.threads[thread].frames.last_mut().expect("it waits");
        frame.waiting.as_mut().expect("it waits").is_checked = true;
        let frame = self.threads[thread].frames.last().expect("it waits");
        let entry = &frame.waiting.as_ref().expect("it waits").entry;
        let can_return = self.can_return(thread, depth, &self.can_end(true), true);
        match self.as_thread(thread, |_| entry.check()) {
            Ok(shortages) => {
                assert!(can_return, "the wait of thread {thread} must be refused");
                self.serve(thread, shortages, AfterServing::Wait);
            }
            Err(cycle) => {
                assert!(!can_return, "thread {thread} is refused: {cycle:?}");
                assert!(!cycle.is_empty());
                let frame = self.threads[thread].frames.last_mut();
                frame.expect("it waits").waiting = None;
            }
        }
    }

    fn target_to_help(&self, at: usize) -> Option<usize> {
        let thread = &self.threads[at];
        let (pool, _) = thread.worker().filter(|_| self.may_go_deeper(at))?;
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
        let workers: Vec<_> = self.threads[thread].workers().collect();
        let (mut code, mut value) = (Some(code), None);
        self.act_as(&workers, &mut || {
            value = code.take().map(|code| code(self.graph));
        });
        value.expect("it has run")
    }

    fn act_as(&self, workers: &[(usize, &InnermostTask)], code: &mut dyn FnMut()) {
        match workers {
            [] => code(),
            [(pool, running), inner @ ..] => {
                self.pools[*pool].while_entered(running, || self.act_as(inner, code));
            }
        }
    }
}
