use std::io::{self, Write as _};

use crate::join;
use crate::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    let python = trace.python(LESSON.python, &[trace.duration("work")])?;
    match trace.worker_kind() {
        WorkerKind::Task => {
            let task = join::spawn("worker", trace.task("worker", worker))?;
            match trace.wait("the worker", || task.join()) {
                Ok(()) => trace.result("outcome", "it returned"),
                Err(error) => trace.result("outcome", error),
            }
        }
        WorkerKind::Process => {
            let process = trace.spawn_role("worker")?;
            let exit = trace.wait("the worker", || process.join())?;
            trace.result("outcome", exit);
            let stderr = process.output().stderr;
            let text = stderr.text();
            for line in text.lines().filter(|line| !line.is_empty()).take(2) {
                trace.print(format!("on its stderr: {line}"));
            }
        }
    }
    trace.print("continuing");
    let python = python.join(trace)?;
    trace.result("join in Python", python.value("join", 0));
    Ok(())
}

fn worker(trace: &Trace) {
    trace.sleep(trace.duration("work"));
    trace.print("this goes wrong");
    panic!("the disk is full");
}

/// With any code but that of a panic it ends by itself.
#[expect(clippy::exit, reason = "it has nothing to tidy up")]
fn process(trace: &Trace) -> anyhow::Result<()> {
    let code = trace.count("code");
    if code == 101 {
        worker(trace);
    }
    trace.sleep(trace.duration("work"));
    trace.print("this goes wrong");
    writeln!(io::stderr(), "the disk is full")?;
    std::process::exit(code.try_into()?)
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let (outcome, message) = match log.worker_kind() {
        WorkerKind::Task => (
            "outcome: task `worker` panicked at".to_owned(),
            "the disk is full",
        ),
        WorkerKind::Process => (
            format!("outcome: exited with code {}", log.count("code")),
            "on its stderr: the disk is full",
        ),
    };
    log.time_of("main", message)?;
    if log.has_python() {
        log.time_of("main", "join in Python: None")?;
        log.time_of("main", "on Python's stderr: OSError: the disk is full")?;
        log.time_of("Python", "continuing")?;
    }
    log.in_order(&[
        ("worker", "this goes wrong"),
        ("main", &outcome),
        ("main", "continuing"),
    ])
}

// About the lesson.

use crate::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "join-error",
    title: "Join a worker that fails",
    topic: Topic::Failing,
    level: Level::Easy,
    question: Question {
        text: "The worker panics while main waits for it in `join`. What becomes of main?",
        choices: &[
            "The panic goes on in main, out of `join`",
            "`join` never returns",
            "`join` returns a value that says what happened, and main goes on",
            "The whole program ends",
        ],
        right: 2,
    },
    parameters: &[
        Parameter::secs("work", "Worker works before it fails (s)", 1.0),
        Parameter::count("code", "Exit code of the process", 101, 1, 255)
            .only_with(WorkerKind::Process),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    main,
    roles: &[("worker", process)],
    verify,
    explanation: "A panic ends the worker and nobody else. The join that waited for it returns as \
                  from any other end, and main says \u{201c}continuing\u{201d}. How the worker \
                  ended is a value: here a `JoinError::Panicked` with message, place and \
                  backtrace, or of a process its exit code, 101 after a panic, and what it wrote \
                  to stderr. Tutorials often say that `join()` raises the worker\u{2019}s \
                  exception again in the caller. The run shows that it does not, here and in \
                  CPython beside it. Python\u{2019}s `Thread.join()` returns `None` whatever \
                  happened, and only `threading.excepthook` has printed the exception; a process \
                  leaves an `exitcode` of 1. In plain std `join()` returns an `Err`, which \
                  becomes a panic of main only where somebody calls `unwrap()` on it. So ask for \
                  the outcome: nobody else will.",
    python: r#"
from multiprocessing import Process
from sys import argv, stdout
from threading import Thread
from time import sleep

stdout.reconfigure(line_buffering=True)  # whole lines, at once

def work(seconds):
    sleep(seconds)
    print("this goes wrong")
    raise OSError("the disk is full")

if __name__ == "__main__":
    Worker = Process if "process" in argv else Thread
    seconds = float(argv[2]) if argv[2:] else 1
    worker = Worker(target=work, args=(seconds,))
    worker.start()
    print("join:", worker.join())  # None, and nothing was raised
    if Worker is Process:
        print("exitcode:", worker.exitcode)
    print("continuing")
"#,
    plain_std: r#"
use std::thread;
use std::time::Duration;

fn main() {
    let worker = thread::spawn(|| {
        thread::sleep(Duration::from_secs(1));
        println!("this goes wrong");
        panic!("the disk is full");
    });
    match worker.join() {
        Ok(()) => println!("it returned"),
        Err(payload) => println!("it panicked: {:?}", payload.downcast_ref::<&str>()),
    }
    println!("continuing");
}
"#,
    related: &["join", "propagation", "panic-unwrapped"],
    source: include_str!("join_error.rs"),
};
