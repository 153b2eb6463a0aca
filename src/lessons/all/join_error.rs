use crate::join;
use crate::lessons::{Cast, Stage, Told};

pub(super) fn main(stage: &Stage) -> anyhow::Result<()> {
    match stage.cast() {
        Cast::Task => {
            let task = join::spawn("worker", stage.actor("worker", worker))?;
            match stage.waits("the worker", || task.join()) {
                Ok(()) => stage.note("outcome", "it returned"),
                Err(error) => stage.note("outcome", error),
            }
        }
        Cast::Process => {
            let process = stage.child("worker")?;
            let exit = stage.waits("the worker", || process.join())?;
            stage.note("outcome", exit);
            let stderr = process.output().stderr;
            let text = stderr.text();
            for line in text.lines().filter(|line| !line.is_empty()).take(2) {
                stage.say(format!("on its stderr: {line}"));
            }
        }
    }
    stage.say("continuing");
    Ok(())
}

fn worker(me: &Stage) {
    me.sleep(me.time("work"));
    me.say("this goes wrong");
    panic!("the disk is full");
}

fn holds(told: &Told) -> anyhow::Result<()> {
    let (outcome, message) = match told.cast() {
        Cast::Task => ("outcome: task `worker` panicked at", "the disk is full"),
        Cast::Process => (
            "outcome: exited with code 101",
            "on its stderr: the disk is full",
        ),
    };
    told.when("main", message)?;
    told.in_order(&[
        ("worker", "this goes wrong"),
        ("main", outcome),
        ("main", "continuing"),
    ])
}

// About the lesson.

use crate::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "join-error",
    title: "Join a worker that fails",
    topic: Topic::Failing,
    level: Level::First,
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
    parameters: &[Parameter::secs(
        "work",
        "Worker works before it fails (s)",
        1.0,
    )],
    cast: &[Cast::Task, Cast::Process],
    main,
    roles: &[("worker", |me| {
        worker(me);
        Ok(())
    })],
    holds,
    explanation: "A panic ends the worker and nobody else. The join that waited for it returns as \
                  from any other end, and main says \u{201c}continuing\u{201d}. How the worker ended is \
                  a value: here a `JoinError::Panicked` with message, place and backtrace, or of a \
                  process its exit code, 101 after a panic, and what it wrote to stderr. Tutorials \
                  often say that `join()` raises the worker\u{2019}s exception again in the caller. \
                  The run shows that it does not. Python\u{2019}s `Thread.join()` returns `None` \
                  whatever happened, and only `threading.excepthook` has printed the exception; a \
                  process leaves an `exitcode` of 1. In plain std `join()` returns an `Err`, which \
                  becomes a panic of main only where somebody calls `unwrap()` on it. So ask for \
                  the outcome: nobody else will.",
    python: r#"
from threading import Thread
from time import sleep

def worker():
    sleep(1)
    print("this goes wrong")
    raise OSError("the disk is full")

thread = Thread(target=worker)
thread.start()
print("join returned", thread.join())
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
