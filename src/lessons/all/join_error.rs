use std::io::{self, Write as _};

use meanwhile::join;
use meanwhile::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    let python = trace.python(LESSON.python, &[trace.duration("work")])?;
    match trace.worker_kind() {
        WorkerKind::Task => {
            let task = join::spawn("worker", trace.task("worker", worker))?;
            match trace.wait("the worker", || task.join()) {
                Ok(()) => trace.result("outcome", "returned"),
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
                trace.print(format!("stderr: {line}"));
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
    trace.print("about to fail");
    panic!("the disk is full");
}

/// Exits with the chosen code; 101 is the code of a panic.
fn process(trace: &Trace) -> anyhow::Result<()> {
    let code = trace.count("code");
    if code == 101 {
        worker(trace);
    }
    trace.sleep(trace.duration("work"));
    trace.print("about to fail");
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
            "stderr: the disk is full",
        ),
    };
    log.time_of("main", message)?;
    if log.has_python() {
        log.time_of("main", "join in Python: None")?;
        log.time_of("main", "Python's stderr: OSError: the disk is full")?;
        log.time_of("Python", "continuing")?;
    }
    log.in_order(&[
        ("worker", "about to fail"),
        ("main", &outcome),
        ("main", "continuing"),
    ])
}

// About the lesson.

use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "join-error",
    title: "Join a worker that fails",
    topic: Topic::Failing,
    level: Level::Easy,
    question: Question {
        text: "The worker panics while main waits for it in `join`. What happens to main?",
        choices: &[
            "`join` panics in main, too",
            "`join` never returns",
            "`join` returns an error that says what happened, and main continues",
            "The whole program ends",
        ],
        right: 2,
    },
    parameters: &[
        Parameter::secs("work", "Time until the worker fails (s)", 1.0),
        Parameter::count("code", "Exit code of the process", 101, 1, 255)
            .only_with(WorkerKind::Process),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 3,
    main,
    roles: &[("worker", process)],
    verify,
    explanation: "A panic ends the worker and nothing else. The join returns as usual, and main \
                  prints \u{201c}continuing\u{201d}. The outcome is a value: for a task, a \
                  `JoinError::Panicked` with the message, the location and a backtrace; for a \
                  process, its exit code, which is 101 after a panic, and its stderr.\n\n\
                  Some tutorials say that Python's `join()` raises the worker's exception again. \
                  The run shows that it does not: `Thread.join()` returns `None` in any case, and \
                  only `threading.excepthook` prints the exception. A Python process leaves an \
                  `exitcode` of 1. In std, `join()` returns an `Err`, and only `unwrap()` turns \
                  that into a panic of main. So always check the outcome of a join.",
    python: r#"
from multiprocessing import Process
from sys import argv, stdout
from threading import Thread
from time import sleep

stdout.reconfigure(line_buffering=True)  # print whole lines at once

def work(seconds):
    sleep(seconds)
    print("about to fail")
    raise OSError("the disk is full")

if __name__ == "__main__":
    Worker = Process if "process" in argv else Thread
    seconds = float(argv[2]) if argv[2:] else 1
    worker = Worker(target=work, args=(seconds,))
    worker.start()
    print("join:", worker.join())  # prints None: nothing is raised
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
        println!("about to fail");
        panic!("the disk is full");
    });
    match worker.join() {
        Ok(()) => println!("the worker returned"),
        Err(payload) => println!("the worker panicked: {:?}", payload.downcast_ref::<&str>()),
    }
    println!("continuing");
}
"#,
    related: &["join", "propagation", "panic-unwrapped"],
    source: include_str!("join_error.rs"),
};
