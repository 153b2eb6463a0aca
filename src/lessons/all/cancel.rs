use std::io::{self, BufRead as _, BufReader, Write as _};

use anyhow::Context as _;
use crossbeam_channel::{Sender, bounded};
use meanwhile::join::process::Process;
use meanwhile::join::{self, Cancelled, Context};
use meanwhile::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    match trace.worker_kind() {
        WorkerKind::Task => with_tasks(trace),
        WorkerKind::Process => with_processes(trace),
    }
}

fn with_tasks(trace: &Trace) -> anyhow::Result<()> {
    let (started, starts) = bounded(2);
    let body = {
        let started = started.clone();
        move |trace: &Trace, context: &Context| cooperate(trace, context, &started)
    };
    let cooperative = trace.cancellable_task("cooperative", body);
    let cooperative = join::spawn("cooperative", cooperative)?;
    let unresponsive = trace.task("unresponsive", move |trace| work_on(trace, &started));
    let unresponsive = join::spawn("unresponsive", unresponsive)?;
    for _ in 0..2 {
        trace.wait("both to start", || starts.recv())?;
    }
    trace.print("cancelling both");
    cooperative.cancel();
    unresponsive.cancel();
    match trace.wait("cooperative", || cooperative.join()) {
        Ok(_) => trace.result("cooperative", "returned"),
        Err(error) => trace.result("cooperative", error),
    }
    let timeout = trace.duration("patience");
    match trace.wait("unresponsive", || unresponsive.join_timeout(timeout)) {
        Ok(()) => trace.result("unresponsive, cancelled", "returned"),
        Err(error) => trace.result("unresponsive, cancelled", error),
    }
    trace.print("a thread can\u{2019}t be killed: waiting");
    trace.wait("unresponsive", || unresponsive.join())?;
    trace.result("unresponsive, joined", "returned");
    Ok(())
}

fn cooperate(trace: &Trace, context: &Context, started: &Sender<()>) -> Result<(), Cancelled> {
    started.send(()).ok();
    loop {
        trace.sleep(trace.seconds(0.1));
        context.check()?;
    }
}

fn work_on(trace: &Trace, started: &Sender<()>) {
    started.send(()).ok();
    trace.sleep(trace.duration("work"));
    trace.print("finished all work");
}

fn with_processes(trace: &Trace) -> anyhow::Result<()> {
    let cooperative = start(trace, "cooperative")?;
    let unresponsive = start(trace, "unresponsive")?;
    trace.print("cancelling both");
    cooperative.terminate()?;
    unresponsive.terminate()?;
    let exit = trace.wait("cooperative", || cooperative.join())?;
    trace.result("cooperative", exit);
    let timeout = trace.duration("patience");
    match trace.wait("unresponsive", || unresponsive.join_timeout(timeout)) {
        Ok(exit) => trace.result("unresponsive, cancelled", exit),
        Err(error) => trace.result("unresponsive, cancelled", error),
    }
    trace.print("a process can be killed: killing it");
    unresponsive.kill()?;
    let exit = trace.wait("unresponsive", || unresponsive.join())?;
    trace.result("unresponsive, killed", exit);
    Ok(())
}

fn start(trace: &Trace, role: &str) -> anyhow::Result<Process> {
    let process = trace.spawn_process(trace.program(role).stdout_piped())?;
    let stdout = process.take_stdout().context("stdout is piped")?;
    let mut ready = String::new();
    trace.wait(role, || BufReader::new(stdout).read_line(&mut ready))?;
    Ok(process)
}

fn end_at_signal(trace: &Trace) -> anyhow::Result<()> {
    let (signal, signals) = bounded(1);
    ctrlc::set_handler(move || {
        signal.try_send(()).ok();
    })?;
    writeln!(io::stdout(), "ready")?;
    trace.wait("a signal", || signals.recv())?;
    trace.print("SIGTERM: cleaned up");
    Ok(())
}

fn ignore_signals(trace: &Trace) -> anyhow::Result<()> {
    let handler = trace.clone();
    ctrlc::set_handler(move || handler.print("SIGTERM: ignored"))?;
    writeln!(io::stdout(), "ready")?;
    loop {
        trace.sleep(trace.seconds(1.0));
    }
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let expected = match log.worker_kind() {
        WorkerKind::Task => vec![
            ("cooperative", JoinError::Cancelled.to_string()),
            ("unresponsive, joined", "returned".to_owned()),
        ],
        WorkerKind::Process => vec![
            ("cooperative", "exited with code 0".to_owned()),
            ("unresponsive, cancelled", JoinError::TimedOut.to_string()),
            (
                "unresponsive, killed",
                "killed by signal 9 (SIGKILL)".to_owned(),
            ),
        ],
    };
    for (name, value) in expected {
        let found = log.result(name).unwrap_or("nothing");
        ensure!(found == value, "{name}: {found}, not {value}");
    }
    let [worker, main] = match log.worker_kind() {
        WorkerKind::Task => [
            ("unresponsive", "finished all work"),
            ("main", "unresponsive, joined"),
        ],
        WorkerKind::Process => [
            ("cooperative", "cleaned up"),
            ("main", "cooperative: exited"),
        ],
    };
    log.in_order(&[worker, main])
}

// About the lesson.

use anyhow::ensure;
use meanwhile::join::JoinError;
use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "cancel",
    title: "Cancel or kill",
    topic: Topic::Ending,
    level: Level::Medium,
    question: Question {
        text: "Two workers are cancelled. One checks now and then whether it was cancelled, \
               the other never does. What happens to the second one?",
        choices: &[
            "It ends at the next opportunity, whatever it does",
            "Nothing: a thread runs to its own end; only a process can be killed",
            "Nothing: neither a thread nor a process can be killed",
            "Cancelling it is an error",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("patience", "Timeout for the unresponsive worker (s)", 1.0),
        Parameter::secs("work", "The unresponsive task works (s)", 3.0).only_with(WorkerKind::Task),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 3,
    main,
    roles: &[
        ("cooperative", end_at_signal),
        ("unresponsive", ignore_signals),
    ],
    verify,
    explanation: "Cancelling is a request. A task that calls `check()?` returns there, and the \
                  join returns `Cancelled`. (`checkpoint` unwinds instead, for code that returns no \
                  `Result`.) A task that never checks \
                  runs on. The join times out, and main can only wait: killing a thread would \
                  leave its locks held and its data half changed. Neither Python's `Thread` nor a \
                  thread of std can be cancelled or killed; programs pass a flag or an `Event` \
                  themselves.\n\n\
                  A process has its own memory, so it can be killed. `terminate` sends SIGTERM, \
                  which the program can use to clean up, or ignore; `kill` sends SIGKILL, which it \
                  never sees. Terminate, wait a moment, then kill: `Process::stop` does that for a \
                  process and all its descendants. Python's `Process.terminate()` and `kill()` \
                  send the same signals.",
    python: r#"
import signal
from multiprocessing import Event, Process
from threading import Event as Flag, Thread
from time import sleep

def cooperative(cancelled):
    while not cancelled.wait(0.1):
        pass

def unresponsive(ready):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.set()
    while True:
        sleep(1)

if __name__ == "__main__":
    cancelled = Flag()
    thread = Thread(target=cooperative, args=(cancelled,))
    thread.start()
    cancelled.set()
    thread.join()
    print("the thread has ended: it checked the flag")

    ready = Event()
    process = Process(target=unresponsive, args=(ready,))
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
    println!("the thread has ended: it checked the flag");

    // std has no SIGTERM, only `kill`.
    let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();
    sleeper.kill().unwrap();
    println!("after kill: {}", sleeper.wait().unwrap());
}
"#,
    related: &["propagation", "daemon", "join-on-close"],
    source: include_str!("cancel.rs"),
};
