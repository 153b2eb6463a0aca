use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use meanwhile::join;
use meanwhile::lessons::{RunLog, Trace, WorkerKind};
use meanwhile::record::Activity;

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"join", &"returns", &"seconds"]);
    match trace.worker_kind() {
        WorkerKind::Task => {
            let task = join::spawn("worker", trace.task("worker", worker))?;
            trace.sleep(trace.duration("late"));
            for join in ["first", "second", "third"] {
                let began = Instant::now();
                let result = trace.wait("the worker", || task.join())?;
                let seconds = format!("{:.3}", began.elapsed().as_secs_f64());
                trace.row(&[&join, result, &seconds]);
            }
        }
        WorkerKind::Process => {
            let process = trace.spawn_role("worker")?;
            trace.sleep(trace.duration("late"));
            for join in ["first", "second", "third"] {
                let began = Instant::now();
                let exit = trace.wait("the worker", || process.join())?;
                let seconds = format!("{:.3}", began.elapsed().as_secs_f64());
                trace.row(&[&join, &exit, &seconds]);
            }
        }
    }
    trace.print("joined three times");
    Ok(())
}

fn worker(trace: &Trace) -> &'static str {
    trace.sleep(trace.duration("work"));
    trace.print("done");
    "a result"
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let [_, first, second, third] = log.table() else {
        bail!("expected three joins");
    };
    ensure!(
        first[1] == second[1] && second[1] == third[1],
        "the joins returned different values"
    );
    log.in_order(&[("worker", "done"), ("main", "first"), ("main", "third")])?;

    let main = log.lane("main")?;
    let waits = main
        .spans
        .iter()
        .filter(|span| span.activity == Activity::Waits);
    let took = waits.filter_map(|wait| Some(main.end_of(wait)?.saturating_sub(wait.began)));
    let shortest = took.min().context("main did not wait")?;
    ensure!(
        shortest < Duration::from_millis(250),
        "no join of the finished worker returned at once: the shortest took {shortest:?}"
    );
    Ok(())
}

// About the lesson.

use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "join-finished",
    title: "Join a finished worker",
    topic: Topic::Joining,
    level: Level::Easy,
    question: Question {
        text: "The worker ended long ago. Now main joins it, and then joins it again. What happens?",
        choices: &[
            "The first join returns at once, the second returns an error",
            "The first join returns at once, the second waits forever",
            "Both return at once, with the same result",
        ],
        right: 2,
    },
    parameters: &[
        Parameter::secs("work", "Worker sleeps (s)", 1.0),
        Parameter::secs("late", "Main sleeps before joining (s)", 2.0),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 2,
    main,
    roles: &[("worker", |trace| {
        worker(trace);
        Ok(())
    })],
    verify,
    explanation: "A join waits for a state, not for an event: \u{201c}it has ended\u{201d} is \
                  already true, so there is nothing to wait for. Joining late loses nothing, \
                  because the outcome is kept. It never matters which is first, the end of the \
                  worker or the join.\n\n\
                  A join can also be repeated. Here each `join` returns the same outcome to every \
                  holder of a handle: the value of the task, or the exit of the process. Python's \
                  `join()` can be called again, but returns `None` each time. Rust's \
                  `JoinHandle::join` consumes the handle, so a second join does not compile. For a \
                  child process, the system keeps the exit status only until it is read: a second \
                  `waitpid` fails, so std's `Child` and this library remember it.",
    python: r#"
from threading import Thread
from time import sleep

def worker():
    sleep(1)
    print("done")

thread = Thread(target=worker)
thread.start()
sleep(2)
for _ in range(3):
    thread.join()  # returns at once, each time
    print("joined, is_alive:", thread.is_alive())
"#,
    plain_std: r#"
use std::thread;
use std::time::Duration;

fn main() {
    let worker = thread::spawn(|| {
        thread::sleep(Duration::from_secs(1));
        println!("done");
        "a result"
    });
    thread::sleep(Duration::from_secs(2));
    println!("is_finished: {}", worker.is_finished());
    let result = worker.join().unwrap(); // at once; this consumes the handle
    println!("joined: {result}");
}
"#,
    related: &["join", "join-timeout", "join-error"],
    source: include_str!("join_finished.rs"),
};
