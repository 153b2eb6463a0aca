//! All combinations of end, cancel, join and drop, at each point of a task's life.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use meanwhile_join::{Builder, JoinError, Pool, Task, TaskState};

use super::held_pool::HeldPool;
use crate::util::gate::Gate;

/// The points of a task's life at which the test acts on it.
#[derive(Clone, Copy, PartialEq)]
enum When {
    Queued,
    Running,
    Ended,
    Joined,
    Never,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Returns,
    Panics,
    PanicsInDrop,
}

/// Counts its drops. Its drop may panic.
struct Counted {
    drops: Arc<AtomicUsize>,
    panics: bool,
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Ordering::SeqCst);
        assert!(!self.panics, "a destructor that panics");
    }
}

struct Case {
    on_pool: bool,
    end: End,
    drop_handle: When,
    cancel: When,
    join: bool,
}

#[test]
fn captures_and_result_are_dropped_exactly_once() {
    use When::{Ended, Joined, Never, Queued, Running};
    for on_pool in [false, true] {
        for end in [End::Returns, End::Panics, End::PanicsInDrop] {
            for drop_handle in [Queued, Running, Ended, Joined] {
                for cancel in [Queued, Running, Ended, Joined, Never] {
                    for join in [false, true] {
                        Case {
                            on_pool,
                            end,
                            drop_handle,
                            cancel,
                            join,
                        }
                        .check();
                    }
                }
            }
        }
    }
}

impl Case {
    fn check(&self) {
        let held = HeldPool::new();
        let captures = Arc::new(AtomicUsize::new(0));
        let results = Arc::new(AtomicUsize::new(0));
        let made = Arc::new(AtomicUsize::new(0));
        let (running, go_on, ended) = (Gate::new(), Gate::new(), Gate::new());
        let mut handle =
            Some(self.spawn(&held.pool, &captures, [&made, &results], &running, &go_on));
        let watcher = handle.clone().unwrap();
        watcher.on_finish({
            let ended = ended.clone();
            move || ended.open()
        });
        let mut watcher = Some(watcher);
        let mut step = |when: When, handle: &mut Option<Task<Counted>>| {
            if self.cancel == when
                && let Some(task) = handle.as_ref().or(watcher.as_ref())
            {
                task.cancel();
            }
            if self.drop_handle == when {
                *handle = None;
                watcher = None;
            }
        };
        step(When::Queued, &mut handle);
        held.release();
        // Cancelled while queued, a task on a pool never runs; one on a thread may.
        if self.cancel != When::Queued {
            running.pass();
        }
        step(When::Running, &mut handle);
        go_on.open();
        ended.pass();
        step(When::Ended, &mut handle);
        if self.join
            && let Some(task) = &handle
        {
            self.check_outcome(task);
        }
        step(When::Joined, &mut handle);
        drop(handle);
        drop(watcher);
        while captures.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        assert_eq!(captures.load(Ordering::SeqCst), 1);
        let made = made.load(Ordering::SeqCst);
        while results.load(Ordering::SeqCst) < made {
            std::thread::yield_now();
        }
        assert_eq!(results.load(Ordering::SeqCst), made);
    }

    fn spawn(
        &self,
        pool: &Pool,
        captures: &Arc<AtomicUsize>,
        [made, results]: [&Arc<AtomicUsize>; 2],
        running: &Gate,
        go_on: &Gate,
    ) -> Task<Counted> {
        let end = self.end;
        let capture = Counted {
            drops: captures.clone(),
            panics: false,
        };
        let (made, results) = (made.clone(), results.clone());
        let (running, go_on) = (running.clone(), go_on.clone());
        let work = move |_: &meanwhile_join::Context| {
            let _capture = capture;
            running.open();
            go_on.pass();
            if !matches!(end, End::Panics) {
                made.fetch_add(1, Ordering::SeqCst);
            }
            match end {
                End::Returns => Counted {
                    drops: results,
                    panics: false,
                },
                End::Panics => panic!("the task panics"),
                End::PanicsInDrop => Counted {
                    drops: results,
                    panics: true,
                },
            }
        };
        let builder = Builder::new("case");
        if self.on_pool {
            builder.spawn_on(pool, work).unwrap()
        } else {
            builder.spawn(work).unwrap()
        }
    }

    fn check_outcome(&self, task: &Task<Counted>) {
        for _ in 0..2 {
            match (task.join(), task.state()) {
                (Ok(_), TaskState::Returned) => {
                    assert!(matches!(self.end, End::Returns | End::PanicsInDrop));
                }
                (Err(JoinError::Panicked(_)), TaskState::Panicked) => {
                    assert!(matches!(self.end, End::Panics));
                }
                (Err(JoinError::Cancelled), TaskState::Cancelled) => {
                    assert!(self.cancel == When::Queued);
                }
                (outcome, state) => panic!("{outcome:?} and {state:?}"),
            }
        }
    }
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counted")
    }
}
