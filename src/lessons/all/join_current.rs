use crossbeam_channel::{Receiver, bounded};

use crate::join::process::{self, Builder};
use crate::join::{self, Task};
use crate::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    let python = trace.python(LESSON.python, &[])?;
    match trace.worker_kind() {
        WorkerKind::Task => {
            let (hand_over, own) = bounded(1);
            let worker = trace.task("worker", move |trace| joins_itself(trace, &own));
            let task = join::spawn("worker", worker)?;
            hand_over.send(task.clone())?;
            trace.wait("the worker", || task.join())?;
        }
        WorkerKind::Process => {
            let process = trace.spawn_role("worker")?;
            trace.wait("the worker", || process.join())?;
            let waits_for_itself = Builder::new("sh").args(["-c", "wait $$"]).name("shell");
            let shell = trace.spawn_process(waits_for_itself)?;
            let exit = trace.wait("the shell", || shell.join())?;
            trace.result("a shell that waits for itself", exit);
        }
    }
    trace.print("continuing");
    let python = python.join(trace)?;
    trace.result("join in Python", python.value("join", 0));
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "main hands over or ends, and either way this goes on"
)]
fn joins_itself(trace: &Trace, own: &Receiver<Task<()>>) {
    let Ok(own) = trace.wait("its own handle", || own.recv()) else {
        return;
    };
    if let Err(error) = trace.wait("itself", || own.join()) {
        trace.result("join", error);
    }
    let timeout = trace.duration("timeout");
    if let Err(error) = trace.wait("itself, with a timeout", || own.join_timeout(timeout)) {
        trace.result("join with a timeout", error);
    }
    trace.print("going on all the same");
}

fn looks_for_itself(trace: &Trace) {
    let own = std::process::id();
    let children = process::active_children();
    let handles = children.iter().filter(|child| child.pid == own).count();
    trace.result("handles of itself", handles);
    trace.print("going on all the same");
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let (mut expected, in_python) = match log.worker_kind() {
        WorkerKind::Task => (
            vec![
                ("join", "cannot join current thread"),
                ("join with a timeout", "cannot join current thread"),
            ],
            "cannot join current thread",
        ),
        WorkerKind::Process => (
            vec![
                ("handles of itself", "0"),
                ("a shell that waits for itself", "exited with code 127"),
            ],
            "can only join a child process",
        ),
    };
    if log.has_python() {
        expected.push(("join in Python", in_python));
    }
    for (name, value) in expected {
        let found = log.result(name).unwrap_or("nothing");
        ensure!(found == value, "{name}: {found}, not {value}");
    }
    log.in_order(&[("worker", "going on"), ("main", "continuing")])
}

// About the lesson.

use anyhow::ensure;

use crate::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "join-current",
    title: "Join oneself",
    topic: Topic::Joining,
    level: Level::Medium,
    question: Question {
        text: "A worker gets hold of its own handle and joins itself. What happens?",
        choices: &[
            "It waits for ever: it can\u{2019}t end while it waits for its end",
            "`join` returns an error at once, and the worker goes on",
            "`join` returns at once, as if the worker had ended",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("timeout", "A task joins itself for at most (s)", 5.0)
            .only_with(WorkerKind::Task),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    main,
    roles: &[("worker", |trace| {
        looks_for_itself(trace);
        Ok(())
    })],
    verify,
    explanation: "Whoever waits for their own end never comes to it. So a task that joins itself gets \
                  the error `cannot join current thread` at once, even with a timeout, and goes on; \
                  everybody else may still join it. CPython raises a `RuntimeError` with the same \
                  words. Plain std has no such check: POSIX lets the system answer `EDEADLK`, on \
                  which std panics, or hang. A process can\u{2019}t even try. A `Process` comes from \
                  `Builder::spawn` alone, so it always stands for somebody else, and \
                  `active_children` lists children only. CPython does have an object for the current \
                  process; its `join()` fails with `can only join a child process`. A shell that \
                  waits for its own number is told the same by the exit code 127: that is no child \
                  of mine. None of them hangs.",
    python: r#"
from multiprocessing import Process, current_process
from sys import argv, stdout
from threading import Thread, current_thread

stdout.reconfigure(line_buffering=True)  # whole lines, at once
is_process = "process" in argv
Worker, current = (Process, current_process) if is_process else (Thread, current_thread)

def joins_itself():
    try:
        print("join:", current().join())
    except (RuntimeError, AssertionError) as error:
        print("join:", error)
    print("going on all the same")

if __name__ == "__main__":
    worker = Worker(target=joins_itself)
    worker.start()
    worker.join()
    print("continuing")
"#,
    plain_std: r#"
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

fn main() {
    let (hand_over, own) = mpsc::channel::<JoinHandle<()>>();
    let worker = thread::spawn(move || {
        let own = own.recv().unwrap();
        // `own.join()` would panic or hang: one has to ask first.
        if own.thread().id() == thread::current().id() {
            println!("that is me");
        }
        println!("going on all the same");
    });
    // The only handle: main can't join the worker any more.
    hand_over.send(worker).unwrap();
    thread::sleep(std::time::Duration::from_millis(100));
    println!("continuing");
}
"#,
    related: &["mutual", "join", "enumerate"],
    source: include_str!("join_current.rs"),
};
