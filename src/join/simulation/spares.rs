//! The spare threads of pools, and what a thread runs itself if the system refuses one.

use super::super::graph::Shortages;
use super::threads::{
    AfterServing, Callback, Code, Frame, Serving, Source, Spare, Thread, Waiting,
};
use super::world::{World, id, number};

/// How many tasks a simulated thread runs inside of each other.
const MAX_DEPTH: usize = 2;

impl<'g> World<'g> {
    /// Has spare threads serve shortages, or this thread, in steps, once the system refuses one.
    pub(super) fn serve(&mut self, thread: usize, shortages: Shortages, next: AfterServing) {
        let short = shortages.0.into_iter().filter_map(|short| {
            let are_stuck = short.workers.add_shortages(short.waits, &short.stuck);
            are_stuck.then(|| self.pool_of(&short.workers))
        });
        let mut serving = Serving {
            short: short.collect(),
            refused: None,
            has_run: false,
            not_served: Vec::new(),
            next,
        };
        while serving.refused.is_none()
            && let Some(pool) = serving.short.pop_front()
        {
            let able = self.able_threads(pool);
            assert_eq!(able, 0, "no spare thread is needed");
            serving.refused = self.add_spare(pool);
        }
        if serving.refused.is_none() {
            return self.end_serving(thread, &serving);
        }
        self.threads[thread].serving.push(serving);
        self.push(thread, Code::Serving(next), Vec::new());
    }

    /// Has a pool get a spare thread. Returns it if the system refuses it.
    fn add_spare(&mut self, pool: usize) -> Option<Spare> {
        let (number, running) = self.pools[pool].add_spare();
        let is_spare =
            |thread: &&Thread<'_>| matches!(thread.source, Source::Shortages(of) if of == pool);
        let spares = self.threads.iter().filter(is_spare).count();
        if spares < self.most_spares[pool] {
            self.add_thread(Source::Shortages(pool), running);
            return None;
        }
        Some(Spare {
            pool,
            number,
            running,
        })
    }

    /// Makes one step of what a thread does because a spare thread was refused.
    pub(super) fn step_serving(&mut self, thread: usize) {
        let mut serving = self.threads[thread].serving.pop().expect("it serves");
        let mut task = None;
        if let Some(spare) = serving.refused.take() {
            if self.may_go_deeper(thread) {
                task = self.next_instead_of(&spare);
            } else {
                self.pools[spare.pool].remove_spare(spare.number);
                serving.not_served.push(number(spare.pool));
                self.is_unserved = true;
            }
            if task.is_some() {
                let running = spare.running.clone();
                match serving.next {
                    AfterServing::Wait => {
                        let waiting = self.wait_below(thread);
                        waiting.entry.set_helping(running);
                        waiting.is_checked = false;
                    }
                    AfterServing::Follow(task, _) => {
                        let follower = self.followers[task].as_ref();
                        follower.expect("it follows").wait.set_helping(running);
                    }
                }
                serving.has_run = true;
                serving.refused = Some(spare);
            }
        } else if let Some(pool) = serving.short.pop_front() {
            serving.refused = self.add_spare(pool);
        } else {
            self.threads[thread].frames.pop();
            return self.end_serving(thread, &serving);
        }
        self.threads[thread].serving.push(serving);
        if let Some(task) = task {
            self.begin(thread, task);
        }
    }

    /// Returns the next task that a thread runs in the place of a spare one, which is none any more if there
    /// is no such task.
    fn next_instead_of(&self, spare: &Spare) -> Option<usize> {
        spare.running.replace(None);
        let able = self.able_threads(spare.pool);
        let workers = &self.pools[spare.pool];
        let next = workers.next_or_leave(spare.number, &spare.running, None)?;
        assert!(able < workers.threads(), "{able} threads run");
        Some(self.index_of(&next))
    }

    /// The wait inside of which a thread serves shortages.
    fn wait_below(&mut self, thread: usize) -> &mut Waiting<'g> {
        let mut frames = self.threads[thread].frames.iter_mut().rev();
        let waiting = frames.find_map(|frame| frame.waiting.as_mut());
        waiting.expect("it waits")
    }

    fn end_serving(&mut self, thread: usize, serving: &Serving) {
        match serving.next {
            AfterServing::Wait => {
                let waiting = self.wait_below(thread);
                if !serving.not_served.is_empty() {
                    waiting.entry.break_starving(&serving.not_served);
                }
                if serving.has_run && !waiting.can_return() {
                    self.check(thread);
                }
            }
            AfterServing::Follow(task, next) => {
                if !serving.not_served.is_empty() {
                    self.graph.break_starving(id(task), &serving.not_served);
                }
                if serving.has_run {
                    let follower = self.followers[task].as_ref().expect("it follows");
                    let shortages = follower.wait.shortages();
                    self.serve(thread, shortages, serving.next);
                } else if self.tasks[next].is_finished() {
                    self.call(thread, Callback::End(task));
                } else {
                    self.callbacks[next].push(Callback::End(task));
                    self.resume(thread);
                }
            }
        }
    }

    /// Whether a thread may run one more task inside of those that it runs.
    pub(super) fn may_go_deeper(&self, thread: usize) -> bool {
        let is_function = |frame: &&Frame<'_>| !matches!(frame.code, Code::Serving(_));
        let frames = self.threads[thread].frames.iter();
        frames.filter(is_function).count() <= MAX_DEPTH
    }
}
