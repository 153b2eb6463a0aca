use meanwhile::join::{self, Builder};
use meanwhile::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    let program = trace.spawn_role("program")?;
    let exit = trace.wait("the program", || program.join())?;
    trace.result("the program", exit);
    Ok(())
}

fn program(trace: &Trace) -> anyhow::Result<()> {
    match trace.worker_kind() {
        WorkerKind::Task => {
            Builder::new("saver").spawn(trace.task("saver", saver))?;
            let daemon = Builder::new("watcher").daemon(true);
            daemon.spawn(trace.task("watcher", watcher))?;
        }
        WorkerKind::Process => {
            drop(trace.spawn_process(trace.program("saver"))?);
            drop(trace.spawn_process(trace.program("watcher").daemon(true))?);
        }
    }
    trace.print("end of the program");
    let report = trace.wait("all but daemons", join::shutdown);
    trace.result("shutdown complete", report.is_complete());
    Ok(())
}

fn saver(trace: &Trace) {
    trace.sleep(trace.duration("work"));
    trace.print("saved");
}

fn watcher(trace: &Trace) {
    loop {
        trace.print("watching");
        trace.sleep(trace.seconds(0.25));
    }
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    log.in_order(&[
        ("program", "end of the program"),
        ("program", "shutdown complete: true"),
        ("main", "the program: exited with code 0"),
    ])?;
    log.in_order(&[("saver", "saved"), ("program", "shutdown complete: true")])?;
    let ended = log.time_of("main", "the program")?;
    let is_from_watcher = |said: &&Message| log.timeline().name(said.lane) == "watcher";
    let last = log.messages().iter().rfind(is_from_watcher);
    ensure!(
        last.is_none_or(|said| said.at <= ended),
        "the watcher outlived the program"
    );
    Ok(())
}

// About the lesson.

use anyhow::ensure;
use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};
use meanwhile::record::Message;

pub(super) static LESSON: Lesson = Lesson {
    id: "daemon",
    title: "Daemons and the end of a program",
    topic: Topic::Ending,
    level: Level::Medium,
    question: Question {
        text: "A program has started a saver and, as a daemon, a watcher that never ends. \
               While both run, the program reaches its end and calls `join::shutdown`. What \
               happens?",
        choices: &[
            "It waits for both, and never ends",
            "It waits for the saver; the watcher is cut off",
            "Both are cut off at once",
            "It waits for the watcher; the saver is cut off",
        ],
        right: 1,
    },
    parameters: &[Parameter::secs("work", "Saver works (s)", 1.0)],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 4,
    main,
    roles: &[
        ("program", program),
        ("saver", |trace| {
            saver(trace);
            Ok(())
        }),
        ("watcher", |trace| {
            watcher(trace);
            Ok(())
        }),
    ],
    verify,
    explanation: "A daemon is a worker for which the end of the program does not wait. \
                  `join::shutdown` waits for every other task and process, including those started \
                  meanwhile. Then it asks daemon processes to end, and kills those that do not. \
                  Daemon tasks end with the program, in the middle of their work: no destructor \
                  runs, and a file may be left half-written. So a daemon must have nothing to \
                  lose.\n\n\
                  In Python, the interpreter does the same at its end: it joins threads and \
                  processes that are not `daemon=True`, abandons daemon threads and terminates \
                  daemon processes. Rust does nothing of the kind: when `main` returns, all other \
                  threads are cut off, and child processes run on as orphans. That is why shutdown \
                  is an explicit call here, with a timeout and a report of what still runs.",
    python: r#"
from threading import Thread
from time import sleep

def saver():
    sleep(1)
    print("saved")

def watcher():
    while True:
        print("watching")
        sleep(0.25)

Thread(target=saver).start()
Thread(target=watcher, daemon=True).start()
print("end of the program")
# At its end the interpreter joins the saver.
"#,
    plain_std: r#"
use std::thread;
use std::time::Duration;

fn main() {
    let saver = thread::spawn(|| {
        thread::sleep(Duration::from_secs(1));
        println!("saved");
    });
    thread::spawn(|| {
        loop {
            println!("watching");
            thread::sleep(Duration::from_millis(250));
        }
    });
    println!("end of the program");
    // Without this join the saver would be cut off, too.
    saver.join().unwrap();
}
"#,
    related: &["enumerate", "cancel", "join-on-close"],
    source: include_str!("daemon.rs"),
};
