use std::io::{self, BufRead as _, BufReader, Write as _};

use anyhow::Context as _;
use crossbeam_channel::{Sender, bounded};

use crate::join::process::Process;
use crate::join::{self, Context};
use crate::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    match trace.worker_kind() {
        WorkerKind::Task => with_tasks(trace),
        WorkerKind::Process => with_processes(trace),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "both say that they have begun, or end"
)]
fn with_tasks(trace: &Trace) -> anyhow::Result<()> {
    let (begin, begun) = bounded(2);
    let act = {
        let begin = begin.clone();
        move |trace: &Trace, context: &Context| asks(trace, context, &begin)
    };
    let asks = join::spawn("asks", trace.task_with_context("asks", act))?;
    let deaf = join::spawn(
        "deaf",
        trace.task("deaf", move |trace| never_asks(trace, &begin)),
    )?;
    for _ in 0..2 {
        trace.wait("both to begin", || begun.recv())?;
    }
    trace.print("asking both to end");
    asks.cancel();
    deaf.cancel();
    match trace.wait("asks", || asks.join()) {
        Ok(()) => trace.result("asks", "it returned"),
        Err(error) => trace.result("asks", error),
    }
    let patience = trace.duration("patience");
    match trace.wait("deaf", || deaf.join_timeout(patience)) {
        Ok(()) => trace.result("deaf, asked", "it returned"),
        Err(error) => trace.result("deaf, asked", error),
    }
    trace.print("a thread can\u{2019}t be forced: waiting");
    trace.wait("deaf", || deaf.join())?;
    trace.result("deaf, at its end", "it returned");
    Ok(())
}

fn asks(trace: &Trace, context: &Context, begin: &Sender<()>) {
    begin.send(()).ok();
    loop {
        trace.sleep(trace.seconds(0.1));
        context.checkpoint();
    }
}

fn never_asks(trace: &Trace, begin: &Sender<()>) {
    begin.send(()).ok();
    trace.sleep(trace.duration("work"));
    trace.print("done, all of it");
}

fn with_processes(trace: &Trace) -> anyhow::Result<()> {
    let asks = start(trace, "asks")?;
    let deaf = start(trace, "deaf")?;
    trace.print("asking both to end");
    asks.terminate()?;
    deaf.terminate()?;
    let exit = trace.wait("asks", || asks.join())?;
    trace.result("asks", exit);
    let patience = trace.duration("patience");
    match trace.wait("deaf", || deaf.join_timeout(patience)) {
        Ok(exit) => trace.result("deaf, asked", exit),
        Err(error) => trace.result("deaf, asked", error),
    }
    trace.print("a process can be forced: killing it");
    deaf.kill()?;
    let exit = trace.wait("deaf", || deaf.join())?;
    trace.result("deaf, killed", exit);
    Ok(())
}

fn start(trace: &Trace, role: &str) -> anyhow::Result<Process> {
    let process = trace.spawn_process(trace.program(role).stdout_piped())?;
    let stdout = process.take_stdout().context("its stdout is ours")?;
    let mut ready = String::new();
    trace.wait(role, || BufReader::new(stdout).read_line(&mut ready))?;
    Ok(process)
}

#[expect(
    clippy::disallowed_methods,
    reason = "main asks it to end, or kills it"
)]
fn minds_a_signal(trace: &Trace) -> anyhow::Result<()> {
    let (ask, asked) = bounded(1);
    ctrlc::set_handler(move || {
        ask.try_send(()).ok();
    })?;
    writeln!(io::stdout(), "ready")?;
    trace.wait("a request", || asked.recv())?;
    trace.print("asked to end: tidied up");
    Ok(())
}

fn ignores_signals(trace: &Trace) -> anyhow::Result<()> {
    let hears = trace.clone();
    ctrlc::set_handler(move || hears.print("asked to end: going on"))?;
    writeln!(io::stdout(), "ready")?;
    loop {
        trace.sleep(trace.seconds(1.0));
    }
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let expected: &[_] = match log.worker_kind() {
        WorkerKind::Task => &[
            ("asks", "the task was cancelled"),
            ("deaf, at its end", "it returned"),
        ],
        WorkerKind::Process => &[
            ("asks", "exited with code 0"),
            ("deaf, asked", "it still runs: the join timed out"),
            ("deaf, killed", "killed by signal 9 (SIGKILL)"),
        ],
    };
    for &(name, value) in expected {
        let found = log.result(name).unwrap_or("nothing");
        ensure!(found == value, "{name}: {found}, not {value}");
    }
    match log.worker_kind() {
        WorkerKind::Task => {
            log.in_order(&[("deaf", "done, all of it"), ("main", "deaf, at its end")])
        }
        WorkerKind::Process => log.in_order(&[("asks", "tidied up"), ("main", "asks: exited")]),
    }
}

// About the lesson.

use anyhow::ensure;

use crate::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "cancel",
    title: "Ask to end, or force",
    topic: Topic::Ending,
    level: Level::Medium,
    question: Question {
        text: "Two workers are asked to end. One looks now and then whether it was asked, the other \
               never does. What becomes of the second?",
        choices: &[
            "It is ended at the next chance, whatever it does",
            "Nothing: as a thread it runs to its own end; only a process can be forced",
            "Nothing: neither a thread nor a process can be forced",
            "Asking it is an error",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("patience", "Main waits for the deaf one (s)", 1.0),
        Parameter::secs("work", "The deaf task works (s)", 3.0).only_with(WorkerKind::Task),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    main,
    roles: &[("asks", minds_a_signal), ("deaf", ignores_signals)],
    verify,
    explanation: "To cancel is to ask. A task that calls `checkpoint` ends there: it unwinds, its \
                  destructors run, and the join says `Cancelled`. One that never asks goes on; the \
                  join times out, and all that is left is to wait, because to tear a thread out of a \
                  program would leave its locks held and its data half changed. So no language at \
                  hand offers it: Python\u{2019}s `Thread` has neither cancel nor kill, std has not \
                  either, and there one passes a flag or an `Event` oneself. A process has its memory \
                  to itself, so it can be forced. `terminate` sends SIGTERM, which the program may \
                  use to tidy up, or ignore; `kill` sends SIGKILL, which it never sees. Ask, wait a \
                  moment, then kill: `Process::stop` does that for a process with all it has \
                  started. Python\u{2019}s `Process.terminate()` and `kill()` send the same signals.",
    python: r#"
import signal
from multiprocessing import Event, Process
from threading import Event as Flag, Thread
from time import sleep

def asks(cancelled):
    while not cancelled.wait(0.1):
        pass

def deaf(ready):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.set()
    while True:
        sleep(1)

if __name__ == "__main__":
    cancelled = Flag()
    thread = Thread(target=asks, args=(cancelled,))
    thread.start()
    cancelled.set()
    thread.join()
    print("the thread has ended: it asked")

    ready = Event()
    process = Process(target=deaf, args=(ready,))
    process.start()
    ready.wait()
    process.terminate()
    process.join(timeout=1)
    print("after terminate, alive:", process.is_alive())
    process.kill()
    process.join()
    print("after kill:", process.exitcode)
"#,
    plain_std: r#"
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

fn main() {
    let cancelled = Arc::new(AtomicBool::new(false));
    let worker = thread::spawn({
        let cancelled = cancelled.clone();
        move || {
            while !cancelled.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(100));
            }
        }
    });
    cancelled.store(true, Ordering::Relaxed);
    worker.join().unwrap();
    println!("the thread has ended: it asked");

    // std has no SIGTERM, only `kill`.
    let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();
    sleeper.kill().unwrap();
    println!("after kill: {}", sleeper.wait().unwrap());
}
"#,
    related: &["propagation", "daemon", "join-on-close"],
    source: include_str!("cancel.rs"),
};
