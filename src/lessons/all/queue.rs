use std::io::{self, BufRead as _, BufReader, Write as _};

use anyhow::Context as _;
use crossbeam_channel::{Sender, bounded};
use meanwhile::join;
use meanwhile::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    match trace.worker_kind() {
        WorkerKind::Task => with_task(trace)?,
        WorkerKind::Process => with_process(trace)?,
    }
    trace.print("joined");
    Ok(())
}

fn with_task(trace: &Trace) -> anyhow::Result<()> {
    let (results, queue) = bounded(1);
    let worker = trace.task("worker", move |trace| send(trace, &results));
    let task = join::spawn("worker", worker)?;
    let value = trace.wait("the value", || queue.recv())?;
    trace.result("value", value);
    trace.result("worker is alive", !task.is_finished());
    trace.wait("the worker", || task.join())?;
    Ok(())
}

fn with_process(trace: &Trace) -> anyhow::Result<()> {
    let process = trace.spawn_process(trace.program("worker").stdout_piped())?;
    let stdout = process.take_stdout().context("stdout is piped")?;
    let mut line = String::new();
    trace.wait("the value", || BufReader::new(stdout).read_line(&mut line))?;
    trace.result("value", line.trim());
    trace.result("worker is alive", !process.is_finished());
    trace.wait("the worker", || process.join())?;
    Ok(())
}

fn send(trace: &Trace, results: &Sender<u32>) {
    trace.sleep(trace.duration("work"));
    trace.print("sending 42");
    // An error means that main has ended.
    results.send(42).ok();
    trace.sleep(trace.duration("tidy"));
    trace.print("done");
}

fn print(trace: &Trace) -> anyhow::Result<()> {
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
        "the value arrived as {value}"
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
use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "queue",
    title: "A result before the end",
    topic: Topic::Data,
    level: Level::Medium,
    question: Question {
        text: "The worker puts its result into a queue, cleans up for a while, and then ends. \
               When can main get the result?",
        choices: &[
            "Only after `join` has returned",
            "As soon as the result is in the queue, while the worker still runs",
            "Never: only `join` returns a result",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("work", "Time until the result (s)", 1.0),
        Parameter::secs("tidy", "Time to clean up after it (s)", 1.0),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 2,
    main,
    roles: &[("worker", print)],
    verify,
    explanation: "A join tells you that a worker has ended; a channel or a pipe carries values \
                  while it runs. Main gets the value as soon as it is there and can use it at \
                  once. It joins later, to know that the clean-up is done, too. Receive first, \
                  then join: this order also avoids the trap of the lesson `queue-deadlock`.\n\n\
                  Between threads, a channel passes the value itself. Between processes there are \
                  only bytes: the child prints a line, and main reads and parses it. Python's \
                  `queue.Queue` and `multiprocessing.Queue` look alike, but the second one pickles \
                  the value into a pipe. If there is only one result at the end, Rust needs no \
                  queue: a join returns the worker's value, here to every caller. Python's \
                  `join()` returns nothing, so its programs need a queue even then.",
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
