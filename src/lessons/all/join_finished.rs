use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use crate::join;
use crate::lessons::{RunLog, Trace, WorkerKind};
use crate::record::Activity;

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"join", &"gives", &"seconds"]);
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
        bail!("there were not three joins");
    };
    ensure!(
        first[1] == second[1] && second[1] == third[1],
        "the joins did not give the same"
    );
    log.in_order(&[("worker", "done"), ("main", "first"), ("main", "third")])?;

    let main = log.lane("main")?;
    let waits = main
        .spans
        .iter()
        .filter(|span| span.activity == Activity::Waits);
    let took = waits.filter_map(|wait| Some(main.end_of(wait)?.saturating_sub(wait.began)));
    let quickest = took.min().context("main never waited")?;
    ensure!(
        quickest < Duration::from_millis(250),
        "no join of what had ended returned at once: the quickest took {quickest:?}"
    );
    Ok(())
}

// About the lesson.

use crate::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "join-finished",
    title: "Join what has ended",
    topic: Topic::Joining,
    level: Level::Easy,
    question: Question {
        text: "The worker has ended long ago. Now main joins it, and then again. What happens?",
        choices: &[
            "The first join returns at once, the second is an error",
            "The first join returns at once, the second waits for ever",
            "Both return at once and give the same result",
        ],
        right: 2,
    },
    parameters: &[
        Parameter::secs("work", "Worker sleeps (s)", 1.0),
        Parameter::secs("late", "Main sleeps before it joins (s)", 2.0),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    main,
    roles: &[("worker", |trace| {
        worker(trace);
        Ok(())
    })],
    verify,
    explanation: "A join waits for a state, not for an event: \u{201c}until it has ended\u{201d} is \
                  true already, so there is nothing to wait for. One who joins late misses nothing, \
                  because the outcome is kept; that is also why joining needs no care about who \
                  comes first.\n\n\
                  And it may be repeated. Here every `join` gives the same outcome, to everybody \
                  who holds a handle: the task's value, or the exit of the process. Python's \
                  `join()` can be called again as well, but returns `None` each time. Rust's own \
                  `JoinHandle::join` takes the handle away, so that a second join does not compile; \
                  the value can be had once. For a child process the system itself keeps the exit \
                  status only until somebody has asked for it: a second `waitpid` fails, so std's \
                  `Child` and this library remember it.",
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
    let result = worker.join().unwrap(); // at once; the handle is gone now
    println!("joined: {result}");
}
"#,
    related: &["join", "join-timeout", "join-error"],
    source: include_str!("join_finished.rs"),
};
