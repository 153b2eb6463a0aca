use crate::join;
use crate::lessons::{Cast, Stage, Told};

pub(super) fn main(stage: &Stage) -> anyhow::Result<()> {
    match stage.cast() {
        Cast::Task => {
            let task = join::spawn("worker", stage.actor("worker", worker))?;
            stage.say("waiting for the worker");
            stage.waits("the worker", || task.join())?;
        }
        Cast::Process => {
            let process = stage.child("worker")?;
            stage.say("waiting for the worker");
            stage.waits("the worker", || process.join())?;
        }
    }
    stage.say("continuing");
    Ok(())
}

fn worker(me: &Stage) {
    me.sleep(me.time("work"));
    me.say("done");
}

fn holds(told: &Told) -> anyhow::Result<()> {
    told.in_order(&[
        ("main", "waiting for the worker"),
        ("worker", "done"),
        ("main", "continuing"),
    ])
}

// About the lesson.

use crate::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "join",
    title: "Wait for a worker",
    topic: Topic::Joining,
    level: Level::First,
    question: Question {
        text: "The worker sleeps for a second and says \u{201c}done\u{201d}. Main starts it, says \
               \u{201c}waiting\u{201d}, joins it and says \u{201c}continuing\u{201d}. In which order \
               are the three said?",
        choices: &[
            "waiting, continuing, done",
            "waiting, done, continuing",
            "done, waiting, continuing",
        ],
        right: 1,
    },
    parameters: &[Parameter::secs("work", "Worker sleeps (s)", 1.0)],
    cast: &[Cast::Task, Cast::Process],
    main,
    roles: &[("worker", |me| {
        worker(me);
        Ok(())
    })],
    holds,
    explanation: "To start a worker takes no longer than to ask the system for it: main goes on \
                  beside it and says \u{201c}waiting\u{201d} first. `join` returns only when the \
                  worker has ended, so everything the worker did has happened by then, and main can \
                  rely on it. Meanwhile main does nothing at all: in the lanes it waits for as long \
                  as the worker sleeps. In a window that would be a frozen window.",
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
