use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::join::{self, SpawnError, Task};
use crate::lessons::{RunLog, Trace};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"how", &"counted", &"lost", &"seconds"]);
    together(trace, "unprotected", add)?;
    one_by_one(trace, "joined")?;
    let lock = Mutex::new(());
    together(trace, "locked", move |trace, counter| {
        let _held = trace.wait("the lock", || lock.lock());
        add(trace, counter);
    })?;
    let semaphore = Semaphore::new(1);
    together(trace, "permitted", move |trace, counter| {
        let _permit = trace.wait("a permit", || semaphore.acquire());
        add(trace, counter);
    })
}

fn add(trace: &Trace, counter: &AtomicU64) {
    let seen = counter.load(Ordering::Relaxed);
    trace.sleep(trace.duration("pause"));
    counter.store(seen + 1, Ordering::Relaxed);
}

fn together(
    trace: &Trace,
    how: &str,
    add: impl Fn(&Trace, &AtomicU64) + Send + Sync + 'static,
) -> anyhow::Result<()> {
    let (counter, add, began) = (Arc::default(), Arc::new(add), Instant::now());
    let mut tasks = Vec::new();
    for number in 1..=trace.count("tasks") {
        tasks.push(start(trace, &format!("{how} {number}"), &counter, &add)?);
    }
    for task in &tasks {
        trace.wait(task.name(), || task.join())?;
    }
    tell(trace, how, &counter, began);
    Ok(())
}

fn one_by_one(trace: &Trace, how: &str) -> anyhow::Result<()> {
    let (counter, add, began) = (Arc::default(), Arc::new(add), Instant::now());
    for number in 1..=trace.count("tasks") {
        let task = start(trace, &format!("{how} {number}"), &counter, &add)?;
        trace.wait(task.name(), || task.join())?;
    }
    tell(trace, how, &counter, began);
    Ok(())
}

fn start<F>(
    trace: &Trace,
    name: &str,
    counter: &Arc<AtomicU64>,
    add: &Arc<F>,
) -> Result<Task<()>, SpawnError>
where
    F: Fn(&Trace, &AtomicU64) + Send + Sync + 'static,
{
    let (counter, add) = (counter.clone(), add.clone());
    let adds = move |trace: &Trace| {
        for _ in 0..trace.count("rounds") {
            add(trace, &counter);
        }
    };
    join::spawn(name, trace.task(name, adds))
}

fn tell(trace: &Trace, how: &str, counter: &AtomicU64, began: Instant) {
    let counted = counter.load(Ordering::Relaxed);
    let added = (trace.count("tasks") * trace.count("rounds")) as u64;
    let seconds = format!("{:.2}", began.elapsed().as_secs_f64());
    trace.row(&[&how, &counted, &added.saturating_sub(counted), &seconds]);
}

/// A channel with so much room: who is in has put something there, and takes it away again.
struct Semaphore(Sender<()>, Receiver<()>);

struct Permit<'a>(&'a Receiver<()>);

impl Semaphore {
    fn new(permits: usize) -> Self {
        let (enter, leave) = bounded(permits);
        Self(enter, leave)
    }

    fn acquire(&self) -> Permit<'_> {
        // The other end is here too, so this only waits.
        self.0.send(()).ok();
        Permit(&self.1)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.try_recv().ok();
    }
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let added = log.parameter("tasks") * log.parameter("rounds");
    let lost = |how: &str| -> anyhow::Result<f64> {
        let row = log.table().iter().find(|row| row[0] == how);
        let row = row.with_context(|| format!("nothing was counted {how}"))?;
        Ok(added - row[1].parse::<f64>()?)
    };
    for cure in ["joined", "locked", "permitted"] {
        let lost = lost(cure)?;
        ensure!(lost.abs() < 0.5, "{cure}: {lost} updates were lost");
    }
    ensure!(
        lost("unprotected")? > 0.5 || !any_two_at_once(log),
        "two had read before either wrote, and no update was lost"
    );
    Ok(())
}

/// Whether two of the unprotected were between their read and their write at one moment: then the
/// second write does not know of the first.
fn any_two_at_once(log: &RunLog) -> bool {
    let lanes = log.timeline().lanes().iter();
    let mut pauses: Vec<_> = lanes
        .filter(|lane| lane.name.starts_with("unprotected"))
        .flat_map(|lane| &lane.spans)
        .filter(|span| span.activity == Activity::Sleeps)
        .collect();
    pauses.sort_by_key(|span| span.began);
    pauses
        .windows(2)
        .any(|pair| pair[0].ended.is_some_and(|ended| pair[1].began < ended))
}

// About the lesson.

use anyhow::{Context as _, ensure};

use crate::lessons::{Lesson, Level, Parameter, Question, Topic, WorkerKind};
use crate::record::Activity;

pub(super) static LESSON: Lesson = Lesson {
    id: "shared-counter",
    title: "Lost updates",
    topic: Topic::Data,
    level: Level::Hard,
    question: Question {
        text: "Several tasks add to one atomic counter: each reads it, pauses, and writes back one \
               more. All are started, then all are joined. What does the counter say?",
        choices: &[
            "What all have added: main has joined every one of them",
            "What all have added: the counter is atomic",
            "Less: who writes back what was read too early wipes out what others have added",
            "More, because some are counted twice",
        ],
        right: 2,
    },
    parameters: &[
        Parameter::count("tasks", "Tasks", 4, 2, 16),
        Parameter::count("rounds", "Each adds so many times", 5, 1, 50),
        Parameter::secs("pause", "Between reading and writing (s)", 0.05),
    ],
    worker_kinds: &[WorkerKind::Task],
    main,
    roles: &[],
    verify,
    explanation: "An atomic makes one read or one write whole, not the two together. Between them \
                  others read the same number, and everybody writes the same one more: all but one \
                  update is lost. Joining all of them at the end does not help, because a join tells \
                  when they have ended, not in which order they got at the counter. Three cures: to \
                  join each before the next starts, which leaves one at a time; a lock around read \
                  and write; a semaphore with one permit, which is a lock by another name. All three \
                  count right, and all three take as long as one after another, since the pause \
                  itself is protected. Here the real cure is one step: `fetch_add`. Python has the \
                  same trouble in spite of its global lock, which is let go by a `sleep` and may be \
                  at every call. A bare `counter += 1` has no call between reading and writing and \
                  mostly comes out right, which nobody promises. Rust refuses the plain `u64`, but \
                  not the mistake.",
    python: r#"
from threading import Lock, Semaphore, Thread
from contextlib import nullcontext
from time import sleep

def count(guard):
    counter = 0

    def worker():
        nonlocal counter
        for _ in range(5):
            with guard:
                seen = counter
                sleep(0.05)
                counter = seen + 1

    threads = [Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counter

print("unprotected", count(nullcontext()))
print("locked", count(Lock()))
print("permitted", count(Semaphore(1)))
"#,
    plain_std: r#"
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

fn count(lock: Option<&Mutex<()>>) -> u64 {
    let counter = AtomicU64::new(0);
    // A scope joins all its threads at its end.
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5 {
                    let _held = lock.map(|lock| lock.lock().unwrap());
                    let seen = counter.load(Ordering::Relaxed);
                    thread::sleep(Duration::from_millis(50));
                    counter.store(seen + 1, Ordering::Relaxed);
                }
            });
        }
    });
    counter.into_inner()
}

fn main() {
    println!("unprotected {}", count(None));
    println!("locked {}", count(Some(&Mutex::new(()))));
}
"#,
    related: &["queue", "strategies", "lock-held-by-worker"],
    source: include_str!("shared_counter.rs"),
};
