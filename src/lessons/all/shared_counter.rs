use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, bounded};
use meanwhile::join::{self, SpawnError, Task};
use meanwhile::lessons::{RunLog, Trace};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"how", &"counted", &"lost", &"seconds"]);
    side_by_side(trace, "unprotected", add)?;
    in_turn(trace, "joined")?;
    let lock = Mutex::new(());
    side_by_side(trace, "locked", move |trace, counter| {
        let _held = trace.wait("the lock", || lock.lock());
        add(trace, counter);
    })?;
    let semaphore = Semaphore::new(1);
    side_by_side(trace, "permitted", move |trace, counter| {
        let _permit = trace.wait("a permit", || semaphore.acquire());
        add(trace, counter);
    })
}

fn add(trace: &Trace, counter: &AtomicU64) {
    let seen = counter.load(Ordering::Relaxed);
    trace.sleep(trace.duration("pause"));
    counter.store(seen + 1, Ordering::Relaxed);
}

fn side_by_side(
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
    report(trace, how, &counter, began);
    Ok(())
}

fn in_turn(trace: &Trace, how: &str) -> anyhow::Result<()> {
    let (counter, add, began) = (Arc::default(), Arc::new(add), Instant::now());
    for number in 1..=trace.count("tasks") {
        let task = start(trace, &format!("{how} {number}"), &counter, &add)?;
        trace.wait(task.name(), || task.join())?;
    }
    report(trace, how, &counter, began);
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
    let body = move |trace: &Trace| {
        for _ in 0..trace.count("rounds") {
            add(trace, &counter);
        }
    };
    join::spawn(name, trace.task(name, body))
}

fn report(trace: &Trace, how: &str, counter: &AtomicU64, began: Instant) {
    let counted = counter.load(Ordering::Relaxed);
    let added = (trace.count("tasks") * trace.count("rounds")) as u64;
    let seconds = format!("{:.2}", began.elapsed().as_secs_f64());
    trace.row(&[&how, &counted, &added.saturating_sub(counted), &seconds]);
}

/// A channel as a semaphore: a permit is a value in the channel.
struct Semaphore(Sender<()>, Receiver<()>);

struct Permit<'a>(&'a Receiver<()>);

impl Semaphore {
    fn new(permits: usize) -> Self {
        let (sender, receiver) = bounded(permits);
        Self(sender, receiver)
    }

    fn acquire(&self) -> Permit<'_> {
        // The receiver lives as long as the sender, so this can only wait.
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
        let row = row.with_context(|| format!("no row {how}"))?;
        Ok(added - row[1].parse::<f64>()?)
    };
    for fix in ["joined", "locked", "permitted"] {
        let lost = lost(fix)?;
        ensure!(lost.abs() < 0.5, "{fix}: {lost} updates were lost");
    }
    ensure!(
        lost("unprotected")? > 0.5 || !any_overlap(log),
        "two tasks read before either wrote, but no update was lost"
    );
    Ok(())
}

/// Whether two unprotected tasks were between their read and their write at the same time: then the
/// second write overwrites the first.
fn any_overlap(log: &RunLog) -> bool {
    let mut pauses: Vec<_> = log
        .lanes_with_prefix("unprotected")
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
use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic, WorkerKind};
use meanwhile::record::Activity;

pub(super) static LESSON: Lesson = Lesson {
    id: "shared-counter",
    title: "Lost updates",
    topic: Topic::Data,
    level: Level::Hard,
    question: Question {
        text: "Several tasks add to one atomic counter: each reads it, pauses, and writes \
               back one more. All are started, then all are joined. What is the value of the \
               counter?",
        choices: &[
            "The number of additions: main has joined every task",
            "The number of additions: the counter is atomic",
            "Less: a task that writes back an old value overwrites what others have added",
            "More, because some are counted twice",
        ],
        right: 2,
    },
    parameters: &[
        Parameter::count("tasks", "Tasks", 4, 2, 16),
        Parameter::count("rounds", "Additions by each task", 5, 1, 50),
        Parameter::secs("pause", "Time between read and write (s)", 0.05),
    ],
    worker_kinds: &[WorkerKind::Task],
    lanes: 17,
    main,
    roles: &[],
    verify,
    explanation: "An atomic makes one read or one write indivisible, not the two together. Between \
                  them, other tasks read the same number, and each writes back the same number \
                  plus one: all but one update is lost. Joining them at the end does not help, \
                  because a join only shows that they have ended, not in which order they reached \
                  the counter.\n\n\
                  The table shows three fixes: join each task before the next one starts; a lock \
                  around read and write; a semaphore with one permit, which is a lock by another \
                  name. All three count correctly, and all three take as long as running one after \
                  another, since the pause itself is protected. The real fix here is a single \
                  step: `fetch_add`. Python has the same problem in spite of its global lock, \
                  which `sleep` releases and any call may release. A bare `counter += 1` has no \
                  call between read and write and mostly works, but that is not guaranteed. Rust \
                  rejects a plain `u64`, but not this mistake.",
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
