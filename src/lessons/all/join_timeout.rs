use anyhow::{Context as _, bail, ensure};
use meanwhile::join::{self, JoinError};
use meanwhile::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    let (work, timeout) = (trace.duration("work"), trace.duration("timeout"));
    let python = trace.python(LESSON.python, &[work, timeout])?;
    let [first, second] = match trace.worker_kind() {
        WorkerKind::Task => {
            let task = join::spawn("worker", trace.task("worker", worker))?;
            let first = trace.wait("the worker or the timeout", || task.join_timeout(timeout));
            let first = report(trace, first.err(), !task.is_finished());
            let second = trace.wait("the worker", || task.join());
            [first, report(trace, second.err(), !task.is_finished())]
        }
        WorkerKind::Process => {
            let process = trace.spawn_role("worker")?;
            let first = trace.wait("the worker or the timeout", || {
                process.join_timeout(timeout)
            });
            let first = report(trace, first.err(), !process.is_finished());
            let second = trace.wait("the worker", || process.join());
            [first, report(trace, second.err(), !process.is_finished())]
        }
    };
    trace.print("everything has ended");

    let python = python.join(trace)?;
    trace.row(&[&"join", &"returns", &"is alive", &"in Python", &"is_alive"]);
    let joins = [("with timeout", first), ("without", second)];
    for (n, (join, [returned, is_alive])) in joins.iter().enumerate() {
        let [joined, lived] = ["join", "is_alive"].map(|name| python.value(name, n));
        trace.row(&[join, returned, is_alive, &joined, &lived]);
    }
    Ok(())
}

/// The row of a join: its result, and whether the worker is still alive.
fn report(trace: &Trace, error: Option<JoinError>, is_alive: bool) -> [String; 2] {
    trace.print(if is_alive {
        "the worker is still running"
    } else {
        "the worker has ended"
    });
    let returned = error.map_or("Ok".to_owned(), |error| format!("Err({error:?})"));
    [returned, is_alive.to_string()]
}

fn worker(trace: &Trace) {
    trace.sleep(trace.duration("work"));
    trace.print("done");
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let [_, first, second] = log.table() else {
        bail!("expected two joins");
    };
    ensure!(second[1..3] == ["Ok", "false"], "{second:?}");
    if log.has_python() {
        verify_python(log, [&first[3], &second[3]], [&first[4], &second[4]])?;
    }
    log.in_order(&[("worker", "done"), ("main", "everything has ended")])?;

    let main = log.lane("main")?;
    let wait = main.spans.first().context("main did not wait")?;
    let returned = main.end_of(wait).context("the first wait has no end")?;
    let done = log.time_of("worker", "done")?;
    let is_in_time = first[1] == "Ok";
    if is_in_time {
        ensure!(
            done <= returned,
            "the join returned before the worker had ended"
        );
        ensure!(first[2] == "false", "a joined worker is alive");
    }

    let waited = returned.saturating_sub(wait.began).as_secs_f64();
    ensure!(
        is_in_time || waited >= log.seconds("timeout"),
        "the join timed out too early"
    );
    let spare = wait.began.as_secs_f64() + log.seconds("timeout") - done.as_secs_f64();
    ensure!(
        spare.abs() < margin(log) || is_in_time == (spare > 0.0),
        "the worker ended {spare:.2} s before the timeout, and the join returned {}",
        first[1]
    );
    Ok(())
}

/// In Python, only `is_alive` tells a timeout from the end of the worker.
fn verify_python(log: &RunLog, returned: [&str; 2], lived: [&str; 2]) -> anyhow::Result<()> {
    ensure!(
        returned == ["None"; 2],
        "in Python the joins returned {returned:?}"
    );
    ensure!(lived[1] == "False", "in Python a joined worker is alive");
    let left = log.seconds("work") - log.seconds("timeout");
    ensure!(
        left < margin(log) || lived[0] == "True",
        "in Python the worker ended {left:.2} s too early"
    );
    Ok(())
}

/// If both end within this many seconds, either may be first.
fn margin(log: &RunLog) -> f64 {
    0.2 + log.seconds("timeout").max(log.seconds("work")) / 4.0
}

// About the lesson.

use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "join-timeout",
    title: "Join with a timeout",
    topic: Topic::Joining,
    level: Level::Easy,
    question: Question {
        text: "A join with a timeout times out. What happens to the worker?",
        choices: &[
            "It is stopped at the timeout",
            "It continues, and can be joined again",
            "It continues, but can never be joined again",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("work", "Worker sleeps (s)", 5.0),
        Parameter::secs("timeout", "Timeout of the join (s)", 2.0),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 3,
    main,
    roles: &[("worker", |trace| {
        worker(trace);
        Ok(())
    })],
    verify,
    explanation: "A timeout limits the wait, not the worker. When it expires, the join returns, \
                  the worker notices nothing, and it can be joined again. If the worker ends \
                  first, the join returns at once.\n\n\
                  How do you tell the two cases apart? Some tutorials say that Python's \
                  `join(timeout)` raises an exception when it times out. The run beside this one \
                  shows that CPython returns `None` in both cases: you have to call `is_alive()` \
                  after it. Here `join_timeout` returns a `Result`: `Ok` when the worker has \
                  ended, `Err(TimedOut)` when it still runs. You can't overlook it, and the answer \
                  can't change between the join and a second call. Rust's `JoinHandle` has no \
                  timeout at all; use a channel instead.",
    python: r#"
from multiprocessing import Process
from sys import argv, stdout
from threading import Thread
from time import sleep

stdout.reconfigure(line_buffering=True)  # print whole lines at once

def work(seconds):
    sleep(seconds)
    print("done")

if __name__ == "__main__":
    Worker = Process if "process" in argv else Thread
    seconds, timeout = map(float, argv[2:] or (5, 2))
    worker = Worker(target=work, args=(seconds,))
    worker.start()
    print("join:", worker.join(timeout))  # prints None: nothing is raised
    print("is_alive:", worker.is_alive())
    print("join:", worker.join())  # None again
    print("is_alive:", worker.is_alive())
"#,
    plain_std: r#"
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

fn main() {
    let (ended, end) = mpsc::channel::<()>();
    let worker = thread::spawn(move || {
        let _ended = ended; // dropped when the thread ends, even by a panic
        thread::sleep(Duration::from_secs(5));
        println!("done");
    });
    match end.recv_timeout(Duration::from_secs(2)) {
        Err(RecvTimeoutError::Timeout) => println!("still running"),
        _ => println!("ended"),
    }
    worker.join().unwrap();
    println!("ended");
}
"#,
    related: &["join", "join-finished", "cancel", "join-timeout-in-click"],
    source: include_str!("join_timeout.rs"),
};
