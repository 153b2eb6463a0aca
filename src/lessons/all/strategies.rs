use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use meanwhile::join::{self, JoinError, Task, process::Process};
use meanwhile::lessons::{RunLog, Trace, WorkerKind};
use meanwhile::record::Lane;

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    let workers = trace.count("workers");
    trace.row(&[&"strategy", &"seconds", &"results"]);
    measure(trace, "one after another", |folder| {
        (1..=workers).try_for_each(|n| work(trace, &folder.join(n.to_string())))
    })?;
    measure(trace, "start, do not join", |folder| {
        (1..=workers).try_for_each(|n| start(trace, "not joined", n, folder).map(drop))
    })?;
    measure(trace, "start and join one by one", |folder| {
        for n in 1..=workers {
            let worker = start(trace, "one by one", n, folder)?;
            trace.wait("the worker", || worker.join())?;
        }
        Ok(())
    })?;
    measure(trace, "start all, then join all", |folder| {
        let started = (1..=workers).map(|n| start(trace, "all", n, folder));
        for worker in started.collect::<anyhow::Result<Vec<_>>>()? {
            trace.wait("a worker", || worker.join())?;
        }
        Ok(())
    })
}

fn measure(
    trace: &Trace,
    strategy: &str,
    run: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = trace.folder().join(strategy);
    fs::create_dir(&folder)?;
    let began = Instant::now();
    run(&folder)?;
    let seconds = format!("{:.2}", began.elapsed().as_secs_f64());
    let results = fs::read_dir(&folder)?.count();
    trace.row(&[&strategy, &seconds, &results]);
    Ok(())
}

fn start(trace: &Trace, name: &str, n: usize, folder: &Path) -> anyhow::Result<Worker> {
    let name = format!("{name} {n}");
    let file = folder.join(n.to_string());
    Ok(match trace.worker_kind() {
        WorkerKind::Task => {
            let work = trace.task(&name, move |trace| work(trace, &file));
            Worker::Task(join::spawn(name, work)?)
        }
        WorkerKind::Process => {
            let program = trace.program("worker").name(name).env("RESULT", file);
            Worker::Process(trace.spawn_process(program)?)
        }
    })
}

enum Worker {
    Task(Task<anyhow::Result<()>>),
    Process(Process),
}

impl Worker {
    fn join(&self) -> Result<(), JoinError> {
        match self {
            Self::Task(task) => task.join().map(drop),
            Self::Process(process) => process.join().map(drop),
        }
    }
}

fn work(trace: &Trace, result: &Path) -> anyhow::Result<()> {
    trace.sleep(trace.duration("work"));
    fs::write(result, "a result")?;
    trace.print("done");
    Ok(())
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let [_, in_turn, not_joined, one_by_one, all] = log.table() else {
        bail!("expected four strategies");
    };
    let workers = log.count("workers").to_string();
    for row in [in_turn, one_by_one, all] {
        ensure!(
            row[2] == workers,
            "{}: {} of {workers} results",
            row[0],
            row[2]
        );
    }
    let done = |lane: &Lane| log.time_of(&lane.name, "done");
    let mut before = Duration::ZERO;
    for lane in log.lanes_with_prefix("one by one") {
        let done = done(lane)?;
        ensure!(
            before <= lane.opened,
            "{} did not wait for the one before",
            lane.name
        );
        before = done;
    }
    for lane in log.lanes_with_prefix("all") {
        let row = log.time_of("main", "start all")?;
        ensure!(done(lane)? <= row, "{} was not joined", lane.name);
    }
    // Only work that takes time shows a difference.
    if log.seconds("work") >= 0.5 {
        ensure!(
            not_joined[2] != workers,
            "all results were there without a join"
        );
        let seconds = |row: &Vec<String>| row[1].parse::<f64>();
        ensure!(
            seconds(not_joined)?.max(seconds(all)?) < seconds(one_by_one)?,
            "the strategies took {}, {} and {} seconds",
            not_joined[1],
            all[1],
            one_by_one[1]
        );
    }
    Ok(())
}

// About the lesson.

use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "strategies",
    title: "Four ways to do the same work",
    topic: Topic::Several,
    level: Level::Medium,
    question: Question {
        text: "A program does the same work in four ways. Which is the fastest way that has all \
               results at the end?",
        choices: &[
            "One after another, without workers",
            "Start, do not join",
            "Start and join one by one",
            "Start all, then join all",
        ],
        right: 3,
    },
    parameters: &[
        Parameter::secs("work", "Each works (s)", 1.0),
        Parameter::count("workers", "Workers", 3, 2, 12),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 10,
    main,
    roles: &[("worker", |trace| {
        let result = std::env::var_os("RESULT").context("RESULT is not set")?;
        work(trace, Path::new(&result))
    })],
    verify,
    explanation: "`start` and `join` in the same loop body is the most common mistake with \
                  threads. Each worker is joined before the next one starts, so it takes as long \
                  as no workers at all, plus the time to start them. Two loops make the \
                  difference: the first starts all, the second joins all, and it takes as long as \
                  the slowest worker.\n\n\
                  Without a join it seems to be even faster, but it is not finished: main \
                  continues before anything has happened, and results are missing. Here its \
                  workers end later, as the timeline shows. At the end of a Rust program they \
                  would be cut off; Python waits for threads that are not daemons. Running side by \
                  side pays off if the work waits, as here, or if there are cores for it. Python's \
                  threads compute one at a time under its global lock; processes do not share one.",
    python: r#"
from threading import Thread
from time import monotonic, sleep

WORKERS = 3

def work(results):
    sleep(1)
    results.append("a result")

def one_after_another(results):
    for _ in range(WORKERS):
        work(results)

def not_joined(results):
    for _ in range(WORKERS):
        Thread(target=work, args=(results,)).start()

def one_by_one(results):
    for _ in range(WORKERS):
        thread = Thread(target=work, args=(results,))
        thread.start()
        thread.join()

def all_then_all(results):
    threads = [Thread(target=work, args=(results,)) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

for strategy in (one_after_another, not_joined, one_by_one, all_then_all):
    results, began = [], monotonic()
    strategy(results)
    print(f"{strategy.__name__}: {monotonic() - began:.2f} s, {len(results)} results")
"#,
    plain_std: r#"
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const WORKERS: usize = 3;

type Results = Arc<AtomicUsize>;

fn work(results: &Results) {
    thread::sleep(Duration::from_secs(1));
    results.fetch_add(1, Ordering::Relaxed);
}

fn start(results: &Results) -> JoinHandle<()> {
    let results = results.clone();
    thread::spawn(move || work(&results))
}

fn measure(strategy: &str, run: impl FnOnce(&Results)) {
    let (results, began) = (Results::default(), Instant::now());
    run(&results);
    let results = results.load(Ordering::Relaxed);
    println!("{strategy}: {:.2} s, {results} results", began.elapsed().as_secs_f64());
}

fn main() {
    measure("one after another", |results| {
        (0..WORKERS).for_each(|_| work(results));
    });
    measure("start, do not join", |results| {
        (0..WORKERS).for_each(|_| drop(start(results)));
    });
    measure("start and join one by one", |results| {
        (0..WORKERS).for_each(|_| start(results).join().unwrap());
    });
    measure("start all, then join all", |results| {
        let started: Vec<_> = (0..WORKERS).map(|_| start(results)).collect();
        started.into_iter().for_each(|worker| worker.join().unwrap());
    });
}
"#,
    related: &["many", "pool", "clients", "batch"],
    source: include_str!("strategies.rs"),
};
