//! The run of a program, one step of one of its threads after another.

use std::collections::VecDeque;

use super::super::code::ClosureOutcome;
use super::super::graph::Need;
use super::super::info::TaskState;
use super::super::innermost::InnermostTask;
use super::programs::WaitPlan;
use super::threads::{Callback, Code, Frame, Source, Thread, Waiting};
use super::world::{World, id, number};

/// More than any of the programs takes.
const MAX_STEPS: usize = 10_000;

impl World<'_> {
    pub(super) fn run(mut self, mut seed: u64) {
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
            self.begin(thread, task);
            return self.note(thread, task);
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
            Code::Serving(_) => self.step_serving(thread),
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

    /// Takes the callback that is due first on this thread.
    fn next_due(&mut self, thread: usize) -> Option<Callback> {
        let due = &mut self.threads[thread].due;
        due.iter_mut().find_map(VecDeque::pop_front)
    }

    pub(super) fn call(&mut self, thread: usize, callback: Callback) {
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

    pub(super) fn begin(&mut self, thread: usize, task: usize) {
        drop(self.tasks[task].begin().expect("it was queued"));
        let waits = self.plans[task].waits.clone();
        self.push(thread, Code::Task(task), waits);
    }

    /// Has a worker note the task that it has begun.
    pub(super) fn note(&mut self, thread: usize, task: usize) {
        let thread = &mut self.threads[thread];
        let running = thread
            .worker()
            .map_or(&thread.running, |(_, running)| running);
        let running = running.clone();
        let before = running.replace(Some(id(task)));
        let frame = thread.frames.last_mut().expect("it was added");
        frame.noted = Some((running, before));
    }

    pub(super) fn push(&mut self, thread: usize, code: Code, waits: Vec<WaitPlan>) {
        self.threads[thread].frames.push(Frame {
            code,
            waits: waits.into(),
            waiting: None,
            noted: None,
        });
    }

    /// Returns from the innermost frame.
    fn pop(&mut self, thread: usize) {
        let frame = self.threads[thread].frames.pop().expect("it runs");
        if let Some((running, before)) = frame.noted {
            running.replace(before);
        }
        self.resume(thread);
    }

    /// Goes on with what was below.
    pub(super) fn resume(&mut self, thread: usize) {
        let below = self.threads[thread].frames.last();
        let waiting = below.and_then(|frame| frame.waiting.as_ref());
        if waiting.is_some_and(|waiting| !waiting.can_return()) {
            self.help_or_park(thread);
        }
    }

    /// Ends the task of the innermost frame, which then calls the callbacks.
    pub(super) fn end(&mut self, thread: usize, task: usize, has_value: bool) {
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

    /// Lets the deadline of a wait pass that could not end without it. Returns false if no thread
    /// waits with one.
    ///
    /// A pool that got no thread starves, and then a wait that something else can end is not refused: it ends by
    /// that or by its deadline.
    fn time_out(&mut self) -> bool {
        let able = self.can_end(false);
        let mut timed = Vec::new();
        for thread in 0..self.threads.len() {
            for depth in 0..self.threads[thread].frames.len() {
                let waiting = self.threads[thread].frames[depth].waiting.as_ref();
                let is_timed = |it: &&Waiting<'_>| it.plan.has_deadline && !it.can_return();
                if let Some(waiting) = waiting.filter(is_timed) {
                    let needs_deadline = !self.can_return(thread, depth, &able, false);
                    timed.push((thread, depth, needs_deadline, waiting.need()));
                }
            }
        }
        let mut needy = timed.iter().filter(|(_, _, needs_it, _)| *needs_it);
        let mut otherwise = timed.iter().filter(|(.., need)| *need == Need::Nothing);
        let unserved = otherwise.next().filter(|_| self.is_unserved);
        let Some(&(thread, depth, ..)) = needy.next().or(unserved) else {
            assert!(timed.is_empty(), "a wait is starved until its deadline");
            return false;
        };
        let waiting = &mut self.threads[thread].frames[depth].waiting;
        waiting.as_mut().expect("it waits").has_timed_out = true;
        true
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
}
