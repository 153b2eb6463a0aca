use crossbeam_channel::{Receiver, bounded};
use meanwhile::join::process::{self, Builder};
use meanwhile::join::{self, Task};
use meanwhile::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    let python = trace.python(LESSON.python, &[])?;
    match trace.worker_kind() {
        WorkerKind::Task => {
            let (sender, receiver) = bounded(1);
            let worker = trace.task("worker", move |trace| join_itself(trace, &receiver));
            let task = join::spawn("worker", worker)?;
            sender.send(task.clone())?;
            trace.wait("the worker", || task.join())?;
        }
        WorkerKind::Process => {
            let process = trace.spawn_role("worker")?;
            trace.wait("the worker", || process.join())?;
            let shell = Builder::new("sh").args(["-c", "wait $$"]).name("shell");
            let shell = trace.spawn_process(shell)?;
            let exit = trace.wait("the shell", || shell.join())?;
            trace.result("shell that waits for itself", exit);
        }
    }
    trace.print("continuing");
    let python = python.join(trace)?;
    trace.result("join in Python", python.value("join", 0));
    Ok(())
}

fn join_itself(trace: &Trace, receiver: &Receiver<Task<()>>) {
    let Ok(own) = trace.wait("its own handle", || receiver.recv()) else {
        return;
    };
    if let Err(error) = trace.wait("itself", || own.join()) {
        trace.result("join", error);
    }
    let timeout = trace.duration("timeout");
    if let Err(error) = trace.wait("itself, with a timeout", || own.join_timeout(timeout)) {
        trace.result("join with a timeout", error);
    }
    trace.print("continuing after the error");
}

fn look_for_itself(trace: &Trace) {
    let own = std::process::id();
    let children = process::live_processes();
    let handles = children.iter().filter(|child| child.pid == own).count();
    trace.result("handles to itself", handles);
    trace.print("continuing after the error");
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
                ("handles to itself", "0"),
                ("shell that waits for itself", "exited with code 127"),
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
    log.in_order(&[("worker", "continuing after"), ("main", "continuing")])
}

// About the lesson.

use anyhow::ensure;
use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "join-current",
    title: "Join yourself",
    topic: Topic::Joining,
    level: Level::Medium,
    question: Question {
        text: "A worker has a handle to itself, and joins itself. What happens?",
        choices: &[
            "It waits forever: it can\u{2019}t end while it waits for its own end",
            "`join` returns an error at once, and the worker continues",
            "`join` returns at once, as if the worker had ended",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("timeout", "Timeout of the second join (s)", 5.0)
            .only_with(WorkerKind::Task),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 4,
    main,
    roles: &[("worker", |trace| {
        look_for_itself(trace);
        Ok(())
    })],
    verify,
    explanation: "A task that waits for its own end would wait forever. So `join` returns the \
                  error `cannot join current thread` at once, even with a timeout; other tasks can \
                  still join it. CPython raises a `RuntimeError` with the same words. std has no \
                  such check. POSIX allows the system to return `EDEADLK`, on which std panics, or \
                  to hang.\n\n\
                  A process can't even try. A `Process` comes from `Builder::spawn` alone, so it \
                  never stands for the current process, and `live_processes` lists only children. \
                  CPython has an object for the current process; its `join()` fails with `can only \
                  join a child process`. A shell that waits for its own process id gets the exit \
                  code 127: not a child of this shell. None of them hangs.",
    python: r#"
from multiprocessing import Process, current_process
from sys import argv, stdout
from threading import Thread, current_thread

stdout.reconfigure(line_buffering=True)  # print whole lines at once
is_process = "process" in argv
Worker, current = (Process, current_process) if is_process else (Thread, current_thread)

def join_itself():
    try:
        print("join:", current().join())
    except (RuntimeError, AssertionError) as error:
        print("join:", error)
    print("continuing after the error")

if __name__ == "__main__":
    worker = Worker(target=join_itself)
    worker.start()
    worker.join()
    print("continuing")
"#,
    plain_std: r#"
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

fn main() {
    let (sender, receiver) = mpsc::channel::<JoinHandle<()>>();
    let worker = thread::spawn(move || {
        let own = receiver.recv().unwrap();
        // `own.join()` would panic or hang: check first.
        if own.thread().id() == thread::current().id() {
            println!("this is my own handle");
        }
        println!("continuing");
    });
    // This is the only handle: now main can't join the worker.
    sender.send(worker).unwrap();
    thread::sleep(std::time::Duration::from_millis(100));
    println!("continuing");
}
"#,
    related: &["mutual", "join", "enumerate"],
    source: include_str!("join_current.rs"),
};
