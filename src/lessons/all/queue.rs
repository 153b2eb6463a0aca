use std::io::{self, BufRead as _, BufReader, Write as _};

use anyhow::Context as _;
use crossbeam_channel::{Sender, bounded};

use crate::join;
use crate::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    match trace.worker_kind() {
        WorkerKind::Task => with_a_task(trace)?,
        WorkerKind::Process => with_a_process(trace)?,
    }
    trace.print("joined");
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the worker sends or ends, and either way this goes on"
)]
fn with_a_task(trace: &Trace) -> anyhow::Result<()> {
    let (results, queue) = bounded(1);
    let worker = trace.task("worker", move |trace| sends(trace, &results));
    let task = join::spawn("worker", worker)?;
    let value = trace.wait("the value", || queue.recv())?;
    trace.result("value", value);
    trace.result("the worker is alive", task.is_alive());
    trace.wait("the worker", || task.join())?;
    Ok(())
}

fn with_a_process(trace: &Trace) -> anyhow::Result<()> {
    let process = trace.spawn_process(trace.program("worker").stdout_piped())?;
    let stdout = process.take_stdout().context("its stdout is ours")?;
    let mut line = String::new();
    trace.wait("the value", || BufReader::new(stdout).read_line(&mut line))?;
    trace.result("value", line.trim());
    trace.result("the worker is alive", process.is_alive());
    trace.wait("the worker", || process.join())?;
    Ok(())
}

fn sends(trace: &Trace, results: &Sender<u32>) {
    trace.sleep(trace.duration("work"));
    trace.print("sending 42");
    // Nobody waits for it any more when main has ended.
    results.send(42).ok();
    trace.sleep(trace.duration("tidy"));
    trace.print("done");
}

fn prints(trace: &Trace) -> anyhow::Result<()> {
    trace.sleep(trace.duration("work"));
    trace.print("sending 42");
    writeln!(io::stdout(), "42")?;
    trace.sleep(trace.duration("tidy"));
    trace.print("done");
    Ok(())
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let value = log.number("value")?;
    ensure!(
        (value - 42.0).abs() < f64::EPSILON,
        "the value came as {value}"
    );
    log.in_order(&[
        ("worker", "sending"),
        ("main", "value: 42"),
        ("main", "joined"),
    ])?;
    log.in_order(&[("worker", "done"), ("main", "joined")])
}

// About the lesson.

use anyhow::ensure;

use crate::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "queue",
    title: "A result before the end",
    topic: Topic::Data,
    level: Level::Medium,
    question: Question {
        text: "The worker puts its result into a queue, then tidies up for a while, then ends. When \
               can main have the result?",
        choices: &[
            "Only when `join` has returned",
            "As soon as the worker has put it there, while the worker still runs",
            "Never: a result comes out of `join` alone",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("work", "Worker needs for the result (s)", 1.0),
        Parameter::secs("tidy", "Worker tidies up after it (s)", 1.0),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    main,
    roles: &[("worker", prints)],
    verify,
    explanation: "A join says that somebody has ended; a channel or a pipe carries values while they \
                  run. Main takes the value as soon as it is there, may use it at once, and joins \
                  afterwards to know that the tidying is done too. Take first, then join: that order \
                  also avoids the trap of the lesson `queue-deadlock`. Between threads a channel \
                  hands the value itself over. Between processes there are only bytes: the child \
                  prints a line, main reads and parses it. Python\u{2019}s `queue.Queue` and \
                  `multiprocessing.Queue` look alike, but the second one pickles into a pipe as \
                  well. Where one result at the end is all there is, no queue is needed in Rust: a \
                  join returns the worker\u{2019}s value, with us also to those who ask again. \
                  Python\u{2019}s `join()` returns nothing, so its programs need one even then.",
    python: r#"
from queue import Queue
from threading import Thread
from time import sleep

def worker(results):
    sleep(1)
    results.put(42)
    sleep(1)
    print("done")

results = Queue()
thread = Thread(target=worker, args=(results,))
thread.start()
print("value", results.get())
print("alive", thread.is_alive())
thread.join()
print("joined")
"#,
    plain_std: r#"
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn main() {
    let (results, queue) = mpsc::channel();
    let worker = thread::spawn(move || {
        thread::sleep(Duration::from_secs(1));
        results.send(42).unwrap();
        thread::sleep(Duration::from_secs(1));
        println!("done");
    });
    println!("value {}", queue.recv().unwrap());
    println!("alive {}", !worker.is_finished());
    worker.join().unwrap();
    println!("joined");
}
"#,
    related: &["queue-deadlock", "join", "recv-per-frame"],
    source: include_str!("queue.rs"),
};
