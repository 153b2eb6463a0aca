//! Random programs of promises and their followers, compared with a reference model.
//!
//! The model has one sentence for each rule: a follower ends as its leader without a value, a function
//! that panics ends its task, `and_then` goes on with the task that its function returns, a task that
//! would follow itself panics, and a cancel goes to the leader. All tasks of all programs end.
//!
//! Each task with a mapped one has a callback, which runs before the function and joins the last of the
//! tasks that are mapped from each other. Each of these joins comes back.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use meanwhile_join::{AnyTask, JoinError, OwnedTask, Promise};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Kind {
    Source {
        sends: bool,
    },
    /// The numbers choose among the handles that are left.
    Map {
        leader: usize,
        panics: bool,
    },
    AndThen {
        leader: usize,
        next: usize,
    },
}

#[derive(Clone, Debug)]
enum Event {
    /// The source, by its number among the tasks, sends its value or is dropped.
    End(usize),
    Cancel(usize),
}

#[derive(Clone, Debug)]
struct Program {
    tasks: Vec<Kind>,
    /// Sources that are not in here end after them.
    events: Vec<Event>,
}

fn programs() -> impl Strategy<Value = Program> {
    let number = || 0..8_usize;
    let kind = prop_oneof![
        any::<bool>().prop_map(|sends| Kind::Source { sends }),
        (number(), prop::bool::weighted(0.2))
            .prop_map(|(leader, panics)| Kind::Map { leader, panics }),
        (number(), number()).prop_map(|(leader, next)| Kind::AndThen { leader, next }),
    ];
    let event = prop_oneof![
        3 => number().prop_map(Event::End),
        1 => number().prop_map(Event::Cancel),
    ];
    let tasks = prop::collection::vec(kind, 1..=8);
    (tasks, prop::collection::vec(event, 0..=8))
        .prop_map(|(tasks, events)| Program { tasks, events })
}

/// What a task is in the model, with the leaders that the choices gave it.
#[derive(Clone, Debug)]
enum Role {
    Source,
    Map {
        panics: bool,
    },
    /// `None` once it follows the task that its function returned.
    AndThen {
        next: Option<usize>,
    },
}

#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Value(usize),
    Cancelled,
    /// The task in whose function or ring the panic began.
    Panicked(usize),
}

#[derive(Default)]
struct Model {
    roles: Vec<Role>,
    leaders: Vec<Option<usize>>,
    outcomes: Vec<Option<Outcome>>,
}

impl Model {
    fn add(&mut self, role: Role, leader: Option<usize>) {
        self.roles.push(role);
        self.leaders.push(leader);
        self.outcomes.push(None);
    }

    fn end(&mut self, task: usize, outcome: Outcome) {
        if self.outcomes[task].is_some() {
            return;
        }
        self.outcomes[task] = Some(outcome);
        let follower = self.leaders.iter().position(|leader| *leader == Some(task));
        if let Some(follower) = follower {
            self.go_on(follower);
        }
    }

    /// The leader of a follower has ended.
    fn go_on(&mut self, follower: usize) {
        let leader = self.leaders[follower].expect("a follower has a leader");
        let Some(outcome) = self.outcomes[leader].clone() else {
            return;
        };
        let (Outcome::Value(value), None) = (&outcome, &self.outcomes[follower]) else {
            return self.end(follower, outcome);
        };
        match self.roles[follower] {
            Role::Source => unreachable!("it follows nothing"),
            Role::Map { panics: true } => self.end(follower, Outcome::Panicked(follower)),
            Role::Map { panics: false } => self.end(follower, Outcome::Value(value + 1)),
            Role::AndThen { next: None } => self.end(follower, outcome),
            Role::AndThen { next: Some(next) } => {
                if self.awaits(next, follower) {
                    return self.end(follower, Outcome::Panicked(follower));
                }
                self.roles[follower] = Role::AndThen { next: None };
                self.leaders[follower] = Some(next);
                self.go_on(follower);
            }
        }
    }

    /// Returns the last of the tasks that are mapped from each other, beginning with this one.
    fn last_mapped(&self, task: usize) -> Option<usize> {
        let is_mapped = |follower: &usize| {
            let is_map = matches!(self.roles[*follower], Role::Map { .. });
            is_map && self.leaders[*follower] == Some(task)
        };
        let mapped = (0..self.roles.len()).find(is_mapped)?;
        Some(self.last_mapped(mapped).unwrap_or(mapped))
    }

    /// Whether a task is or follows another one that has not ended.
    fn awaits(&self, task: usize, other: usize) -> bool {
        task == other
            || (self.outcomes[task].is_none()
                && self.leaders[task].is_some_and(|leader| self.awaits(leader, other)))
    }

    fn cancel(&mut self, task: usize) {
        if self.outcomes[task].is_none() {
            self.end(task, Outcome::Cancelled);
            if let Some(leader) = self.leaders[task] {
                self.cancel(leader);
            }
        }
    }
}

/// Where the function of `and_then` finds the task that it returns.
type Next = Arc<Mutex<Option<OwnedTask<usize>>>>;

/// The tasks of a program, and the model of them.
struct Run {
    model: Model,
    tasks: Vec<AnyTask>,
    promises: Vec<Option<(Promise<usize>, bool)>>,
    /// The number of joins in callbacks, and of those that came back after the end.
    joins: usize,
    joined: Arc<AtomicUsize>,
}

impl Run {
    fn new(program: &Program) -> Self {
        let kinds = &program.tasks;
        let mut run = Self {
            model: Model::default(),
            tasks: Vec::new(),
            promises: Vec::new(),
            joins: 0,
            joined: Arc::default(),
        };
        let mut joined_later = Vec::new();
        let mut handles: Vec<(usize, OwnedTask<usize>)> = Vec::new();
        let mut nexts = Vec::new();
        for (number, kind) in kinds.iter().enumerate() {
            let leader = match *kind {
                Kind::Source { .. } => None,
                Kind::Map { leader, .. } | Kind::AndThen { leader, .. } => {
                    take(&mut handles, leader)
                }
            };
            let mut promise = None;
            let task = match (kind, leader) {
                (Kind::Map { panics, .. }, Some((leader, handle))) => {
                    let panics = *panics;
                    run.model.add(Role::Map { panics }, Some(leader));
                    handle.map(move |value| {
                        assert!(!panics, "in {number}");
                        value + 1
                    })
                }
                (Kind::AndThen { next, .. }, Some((leader, handle))) => {
                    run.model.add(Role::AndThen { next: None }, Some(leader));
                    let slot = Next::default();
                    nexts.push((number, *next, slot.clone()));
                    handle.and_then(move |_| slot.lock().unwrap().take().expect("it was given"))
                }
                (kind, _) => {
                    let sends = !matches!(kind, Kind::Source { sends: false });
                    let (source, handle) = Promise::owned("source");
                    promise = Some((source, sends));
                    run.model.add(Role::Source, None);
                    handle
                }
            };
            joined_later.push(run.add_joining_callback(&task));
            run.tasks.push(task.any());
            run.promises.push(promise);
            handles.push((number, task));
        }
        for (task, target) in joined_later.into_iter().enumerate() {
            if let Some(last) = run.model.last_mapped(task) {
                run.joins += 1;
                target.set(run.tasks[last].clone()).expect("it is not set");
            }
        }
        for (task, choice, slot) in nexts {
            // Without a handle that is left, a task that has ended is returned.
            let (next, handle) = take(&mut handles, choice).unwrap_or_else(|| {
                let handle = OwnedTask::ready(0);
                run.tasks.push(handle.any());
                run.promises.push(None);
                run.model.add(Role::Source, None);
                run.model.end(run.tasks.len() - 1, Outcome::Value(0));
                (run.tasks.len() - 1, handle)
            });
            run.model.roles[task] = Role::AndThen { next: Some(next) };
            *slot.lock().unwrap() = Some(handle);
        }
        run
    }

    /// Adds a callback that joins the returned task, once it is set.
    fn add_joining_callback(&self, task: &OwnedTask<usize>) -> Arc<OnceLock<AnyTask>> {
        let target: Arc<OnceLock<AnyTask>> = Arc::default();
        task.on_finish({
            let (target, joined) = (target.clone(), self.joined.clone());
            move || {
                if let Some(target) = target.get() {
                    target.join().ok(); // an outcome without a value
                    joined.fetch_add(usize::from(target.is_finished()), Ordering::Relaxed);
                }
            }
        });
        target
    }

    fn end(&mut self, task: usize) {
        let Some((promise, sends)) = self.promises.get_mut(task).and_then(Option::take) else {
            return;
        };
        if sends {
            self.model.end(task, Outcome::Value(0));
            promise.send(0).ok(); // it may be cancelled
        } else {
            self.model.end(task, Outcome::Cancelled);
            drop(promise);
        }
    }

    fn cancel(&mut self, task: usize) {
        if let Some(task_handle) = self.tasks.get(task) {
            self.model.cancel(task);
            task_handle.cancel();
        }
    }

    fn assert_as_modelled(&self) {
        for (number, task) in self.tasks.iter().enumerate() {
            let expected = &self.model.outcomes[number];
            assert_eq!(task.is_finished(), expected.is_some(), "task {number}");
            let Some(expected) = expected else { continue };
            let is_expected = match (expected, task.join()) {
                (Outcome::Value(_), Ok(())) | (Outcome::Cancelled, Err(JoinError::Cancelled)) => {
                    true
                }
                (Outcome::Panicked(origin), Err(JoinError::Panicked(report))) => {
                    report.task() == self.tasks[*origin].id()
                }
                _ => false,
            };
            assert!(is_expected, "task {number} {task:?} must be {expected:?}");
        }
    }
}

/// Takes the handle that a number chooses.
fn take<T>(handles: &mut Vec<T>, choice: usize) -> Option<T> {
    let count = handles.len();
    (count > 0).then(|| handles.remove(choice % count))
}

#[test]
#[cfg_attr(miri, ignore = "takes long")]
fn t30_random_followers_end_as_the_model_says() {
    let config = ProptestConfig {
        cases: 20_000,
        failure_persistence: None,
        max_shrink_iters: 10_000,
        ..ProptestConfig::default()
    };
    proptest!(config, |(program in programs())| {
        let mut run = Run::new(&program);
        for event in &program.events {
            match *event {
                Event::End(task) => run.end(task),
                Event::Cancel(task) => run.cancel(task),
            }
            run.assert_as_modelled();
        }
        for task in 0..run.tasks.len() {
            run.end(task);
        }
        run.assert_as_modelled();
        assert!(run.tasks.iter().all(AnyTask::is_finished));
        assert_eq!(run.joined.load(Ordering::Relaxed), run.joins);
    });
}
