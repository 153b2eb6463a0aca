//! Model checks of the process half: loom runs each of them through every interleaving of its
//! threads. See the models of tasks.

use std::sync::Arc;
use std::time::Instant;

use super::sync::{AtomicBool, AtomicUsize, Ordering};

#[path = "end.rs"]
mod end;
#[path = "last_use.rs"]
mod last_use;
#[path = "turns.rs"]
mod turns;

use end::End;
use last_use::LastUse;
use turns::Turns;

const EXIT: i32 = 3;

/// With the bound on preemptions of the models of tasks.
fn three_threads(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

#[test]
fn end_and_last_handle_never_miss_each_other() {
    loom::model(|| {
        let last_use = Arc::new(LastUse::new());
        let handle = {
            let last_use = last_use.clone();
            loom::thread::spawn(move || last_use.note_abandoned())
        };
        let reaper_saw_it = last_use.note_end();
        let handle_saw_it = handle.join().unwrap();
        assert!(reaper_saw_it != handle_saw_it, "exactly one comes second");
        assert!(last_use.is_over());
    });
}

/// A process that ends: as the reaper does it, the callbacks run after the exit is published.
fn end_process(end: &End<i32>) {
    for callback in end.publish(EXIT) {
        callback();
    }
}

#[test]
fn end_wakes_each_thread_that_waits() {
    three_threads(|| {
        let end = Arc::new(End::new());
        let joiners = [(); 2].map(|()| {
            let end = end.clone();
            loom::thread::spawn(move || end.wait(None))
        });
        end_process(&end);
        for joiner in joiners {
            assert_eq!(joiner.join().unwrap(), Some(EXIT));
        }
    });
}

#[test]
fn timed_wait_for_the_end_is_not_final() {
    loom::model(|| {
        let end = Arc::new(End::new());
        let joiner = {
            let end = end.clone();
            loom::thread::spawn(move || {
                let early = end.wait(Some(Instant::now()));
                assert!(early.is_none_or(|exit| exit == EXIT));
                end.wait(None)
            })
        };
        end_process(&end);
        assert_eq!(joiner.join().unwrap(), Some(EXIT));
    });
}

#[test]
fn callback_runs_once_and_after_the_end() {
    loom::model(|| {
        let end = Arc::new(End::new());
        let calls = Arc::new(AtomicUsize::new(0));
        let adder = {
            let (end, calls) = (end.clone(), calls.clone());
            loom::thread::spawn(move || {
                let seen = end.clone();
                let late = end.add_callback(Box::new(move || {
                    assert_eq!(seen.exit(), Some(EXIT));
                    // A join in a callback returns at once.
                    assert_eq!(seen.wait(None), Some(EXIT));
                    calls.fetch_add(1, Ordering::Relaxed);
                }));
                if let Err(late) = late {
                    late();
                }
            })
        };
        end_process(&end);
        adder.join().unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    });
}

/// Lines that the reaper makes and one thread at a time gives to a function.
struct Followed {
    turns: Turns,
    made: AtomicUsize,
    given: AtomicUsize,
    is_giving: AtomicBool,
}

impl Followed {
    fn make_line(self: &Arc<Self>) -> Option<loom::thread::JoinHandle<()>> {
        self.made.fetch_add(1, Ordering::Relaxed);
        self.turns.ask().then(|| {
            let followed = self.clone();
            loom::thread::spawn(move || followed.give())
        })
    }

    fn give(&self) {
        loop {
            assert!(!self.is_giving.swap(true, Ordering::Relaxed), "two at once");
            let made = self.made.load(Ordering::Relaxed);
            assert!(made >= self.given.load(Ordering::Relaxed));
            self.given.store(made, Ordering::Relaxed);
            self.is_giving.store(false, Ordering::Relaxed);
            if !self.turns.end() {
                return;
            }
        }
    }
}

#[test]
fn each_line_is_given_and_by_one_thread() {
    three_threads(|| {
        let followed = Arc::new(Followed {
            turns: Turns::new(),
            made: AtomicUsize::new(0),
            given: AtomicUsize::new(0),
            is_giving: AtomicBool::new(false),
        });
        let threads = [(); 3].map(|()| followed.make_line());
        for thread in threads.into_iter().flatten() {
            thread.join().unwrap();
        }
        assert_eq!(followed.given.load(Ordering::Relaxed), 3);
    });
}
