//! The tasks that follow others.

use super::threads::{AfterServing, Code, Frame};
use super::world::{World, id};

impl World<'_> {
    /// Begins the function of a follower, whose leader has ended.
    pub(super) fn begin_follower(&mut self, thread: usize, task: usize) {
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
    pub(super) fn end_follower(&mut self, thread: usize, task: usize, has_value: bool) {
        drop(self.tasks[task].begin().expect("it was not begun"));
        self.push(thread, Code::Task(task), Vec::new());
        self.end(thread, task, has_value);
    }

    /// Has a follower follow the task that its function has returned.
    pub(super) fn follow(&mut self, thread: usize, task: usize, next: usize) {
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
                self.serve(thread, shortages, AfterServing::Follow(task, next));
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
}
