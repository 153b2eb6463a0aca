use anyhow::{Context as _, bail, ensure};

use crate::join::{self, JoinError};
use crate::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    let (work, timeout) = (trace.duration("work"), trace.duration("timeout"));
    let python = trace.python(LESSON.python, &[work, timeout])?;
    let [first, second] = match trace.worker_kind() {
        WorkerKind::Task => {
            let task = join::spawn("worker", trace.task("worker", worker))?;
            let first = trace.wait("the worker or the time", || task.join_timeout(timeout));
            let first = tell(trace, first.err(), task.is_alive());
            let second = trace.wait("the worker", || task.join());
            [first, tell(trace, second.err(), task.is_alive())]
        }
        WorkerKind::Process => {
            let process = trace.spawn_role("worker")?;
            let first = trace.wait("the worker or the time", || process.join_timeout(timeout));
            let first = tell(trace, first.err(), process.is_alive());
            let second = trace.wait("the worker", || process.join());
            [first, tell(trace, second.err(), process.is_alive())]
        }
    };
    trace.print("nothing runs any more");

    let python = python.join(trace)?;
    trace.row(&[&"join", &"gives", &"is_alive", &"in Python", &"is_alive"]);
    let joins = [("with a timeout", first), ("without", second)];
    for (n, (join, [given, is_alive])) in joins.iter().enumerate() {
        let [joined, lives] = ["join", "is_alive"].map(|name| python.value(name, n));
        trace.row(&[join, given, is_alive, &joined, &lives]);
    }
    Ok(())
}

/// What the join gave, and whether the worker lives all the same.
fn tell(trace: &Trace, error: Option<JoinError>, is_alive: bool) -> [String; 2] {
    trace.print(if is_alive {
        "the worker is still running"
    } else {
        "the worker has ended"
    });
    let given = error.map_or("Ok".to_owned(), |error| format!("Err({error:?})"));
    [given, is_alive.to_string()]
}

fn worker(trace: &Trace) {
    trace.sleep(trace.duration("work"));
    trace.print("done");
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let [_, first, second] = log.table() else {
        bail!("there were not two joins");
    };
    ensure!(second[1..3] == ["Ok", "false"], "{second:?}");
    if log.has_python() {
        holds_in_python(log, [&first[3], &second[3]], [&first[4], &second[4]])?;
    }
    log.in_order(&[("worker", "done"), ("main", "nothing runs any more")])?;

    let main = log.lane("main")?;
    let wait = main.spans.first().context("main never waited")?;
    let returned = main.end_of(wait).context("the first wait has no end")?;
    let done = log.time_of("worker", "done")?;
    let is_in_time = first[1] == "Ok";
    if is_in_time {
        ensure!(
            done <= returned,
            "the join returned before the worker was done"
        );
        ensure!(first[2] == "false", "a worker that was joined is alive");
    }

    let seconds = |parameter| log.seconds(parameter);
    let waited = returned.saturating_sub(wait.began).as_secs_f64();
    ensure!(
        is_in_time || waited >= seconds("timeout"),
        "the join gave up before its time"
    );
    let ahead = wait.began.as_secs_f64() + seconds("timeout") - done.as_secs_f64();
    ensure!(
        ahead.abs() < margin(log) || is_in_time == (ahead > 0.0),
        "the timeout ended {ahead:.2} s after the worker, and the join gave {}",
        first[1]
    );
    Ok(())
}

/// Its joins give nothing, whether the time was up or not; whether the worker lives tells.
fn holds_in_python(log: &RunLog, given: [&str; 2], lives: [&str; 2]) -> anyhow::Result<()> {
    ensure!(given == ["None"; 2], "in Python the joins gave {given:?}");
    ensure!(lives[1] == "False", "in Python a joined worker lives");
    let left = (log.parameter("work") - log.parameter("timeout")) / log.speed();
    ensure!(
        left < margin(log) || lives[0] == "True",
        "in Python the worker had ended {left:.2} s too early"
    );
    Ok(())
}

/// Where both end within so many seconds, either may be the first.
fn margin(log: &RunLog) -> f64 {
    let longer = log.parameter("timeout").max(log.parameter("work"));
    0.2 + longer / log.speed() / 4.0
}

// About the lesson.

use crate::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "join-timeout",
    title: "Wait, but not for ever",
    topic: Topic::Joining,
    level: Level::Easy,
    question: Question {
        text: "A join with a timeout returns because the time is up. What has become of the worker?",
        choices: &[
            "It was stopped when the time was up",
            "It goes on, and can be joined again",
            "It goes on, but can never be joined again",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("work", "Worker sleeps (s)", 5.0),
        Parameter::secs("timeout", "Timeout of the join (s)", 2.0),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    main,
    roles: &[("worker", |trace| {
        worker(trace);
        Ok(())
    })],
    verify,
    explanation: "A timeout limits the wait, not the worker: when the time is up the join returns, \
                  and the worker knows nothing of it. It can be joined again, as it is here. When \
                  the worker ends first, the join returns at once and the rest of the timeout is \
                  not waited for.\n\n\
                  How does one tell the two apart? Some tutorials say that Python's \
                  `join(timeout)` raises when the time is up. It does not: CPython runs the same \
                  beside this, and returns `None` in both cases, so the return alone tells \
                  nothing and one has to ask `is_alive()` afterwards. Here `join_timeout` returns \
                  a `Result`: `Ok` when the worker has ended, `Err(TimedOut)` when it still runs. \
                  It can't be overlooked, and nothing can change between the answer and the \
                  question. Rust's own `JoinHandle` has no timeout at all; there a channel has to \
                  stand in.",
    python: r#"
from multiprocessing import Process
from sys import argv, stdout
from threading import Thread
from time import sleep

stdout.reconfigure(line_buffering=True)  # whole lines, at once

def work(seconds):
    sleep(seconds)
    print("done")

if __name__ == "__main__":
    Worker = Process if "process" in argv else Thread
    seconds, timeout = map(float, argv[2:] or (5, 2))
    worker = Worker(target=work, args=(seconds,))
    worker.start()
    print("join:", worker.join(timeout))  # None, and nothing was raised
    print("is_alive:", worker.is_alive())
    print("join:", worker.join())  # None as well
    print("is_alive:", worker.is_alive())
"#,
    plain_std: r#"
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

fn main() {
    let (ended, end) = mpsc::channel::<()>();
    let worker = thread::spawn(move || {
        let _ended = ended; // dropped at the end, in whatever way the thread ends
        thread::sleep(Duration::from_secs(5));
        println!("done");
    });
    match end.recv_timeout(Duration::from_secs(2)) {
        Err(RecvTimeoutError::Timeout) => println!("still running"),
        _ => println!("it has ended"),
    }
    worker.join().unwrap();
    println!("it has ended");
}
"#,
    related: &["join", "join-finished", "cancel", "join-timeout-in-click"],
    source: include_str!("join_timeout.rs"),
};
