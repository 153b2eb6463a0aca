use meanwhile::join;
use meanwhile::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    match trace.worker_kind() {
        WorkerKind::Task => {
            let task = join::spawn("worker", trace.task("worker", worker))?;
            trace.print("waiting for the worker");
            trace.wait("the worker", || task.join())?;
        }
        WorkerKind::Process => {
            let process = trace.spawn_role("worker")?;
            trace.print("waiting for the worker");
            trace.wait("the worker", || process.join())?;
        }
    }
    trace.print("continuing");
    Ok(())
}

fn worker(trace: &Trace) {
    trace.sleep(trace.duration("work"));
    trace.print("done");
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    log.in_order(&[
        ("main", "waiting for the worker"),
        ("worker", "done"),
        ("main", "continuing"),
    ])
}

// About the lesson.

use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "join",
    title: "Wait for a worker",
    topic: Topic::Joining,
    level: Level::Easy,
    question: Question {
        text: "The worker sleeps for a second and prints \u{201c}done\u{201d}. Main starts it, prints \
               \u{201c}waiting\u{201d}, joins it and prints \u{201c}continuing\u{201d}. In which order \
               do the three lines appear?",
        choices: &[
            "waiting, continuing, done",
            "waiting, done, continuing",
            "done, waiting, continuing",
        ],
        right: 1,
    },
    parameters: &[Parameter::secs("work", "Worker sleeps (s)", 1.0)],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 2,
    main,
    roles: &[("worker", |trace| {
        worker(trace);
        Ok(())
    })],
    verify,
    explanation: "Starting a worker takes almost no time, so main continues and prints \
                  \u{201c}waiting\u{201d} first. `join` returns when the worker has ended. \
                  Everything that the worker did has happened by then, and main can rely on it.\n\n\
                  Meanwhile main does nothing: in the timeline it waits exactly as long as the \
                  worker sleeps. In a program with a window, that is a frozen window.",
    python: r#"
from threading import Thread
from time import sleep

def worker():
    sleep(1)
    print("done")

thread = Thread(target=worker)
thread.start()
print("waiting for the worker")
thread.join()
print("continuing")
"#,
    plain_std: r#"
use std::thread;
use std::time::Duration;

fn main() {
    let worker = thread::spawn(|| {
        thread::sleep(Duration::from_secs(1));
        println!("done");
    });
    println!("waiting for the worker");
    worker.join().unwrap();
    println!("continuing");
}
"#,
    related: &["join-timeout", "join-finished", "join-in-click"],
    source: include_str!("join.rs"),
};
