use std::io::{self, Write as _};
use std::process::ChildStdout;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender, bounded};
use meanwhile::join::process::Process;
use meanwhile::join::{self, JoinError, Task};
use meanwhile::lessons::{RunLog, Trace, WorkerKind};

/// The capacity of the channel.
const CAPACITY: usize = 10;
/// The output of a child process for each value.
const BYTES: usize = 64 * 1024;

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"payload", &"main first", &"received"]);
    match trace.worker_kind() {
        WorkerKind::Task => with_tasks(trace),
        WorkerKind::Process => with_processes(trace),
    }
}

fn with_tasks(trace: &Trace) -> anyhow::Result<()> {
    let (task, queue) = start_task(trace, "small", 1)?;
    trace.wait("small", || task.join())?;
    trace.row(&[&"small", &"joins: returned", &queue.iter().count()]);

    let count = trace.count("payload");
    let (task, queue) = start_task(trace, "large", count)?;
    let timeout = trace.duration("timeout");
    let joined = trace.wait("large", || task.join_timeout(timeout).copied());
    let drained = trace.wait("its values", || queue.iter().count());
    trace.wait("large", || task.join())?;
    trace.row(&[&"large", &describe(joined), &drained]);

    let (task, queue) = start_task(trace, "drained", count)?;
    let drained = trace.wait("its values", || queue.iter().count());
    trace.wait("drained", || task.join())?;
    trace.row(&[&"large", &"drains, then joins: returned", &drained]);
    Ok(())
}

fn start_task(
    trace: &Trace,
    name: &str,
    count: usize,
) -> anyhow::Result<(Task<()>, Receiver<usize>)> {
    let (values, queue) = bounded(CAPACITY);
    let stopped = queue.clone();
    trace.on_stop(move || {
        stopped.try_recv().ok();
    });
    let task = join::spawn(
        name,
        trace.task(name, move |trace| send(trace, &values, count)),
    )?;
    Ok((task, queue))
}

fn send(trace: &Trace, values: &Sender<usize>, count: usize) {
    for value in 0..count {
        let sent = trace.wait("space in the channel", || values.send(value));
        if sent.is_err() {
            return;
        }
    }
    trace.print("done");
}

fn with_processes(trace: &Trace) -> anyhow::Result<()> {
    let (process, stdout) = start_process(trace, "small")?;
    trace.wait("small", || process.join())?;
    trace.row(&[&"small", &"joins: returned", &drain(stdout)?]);

    let (process, stdout) = start_process(trace, "large")?;
    let timeout = trace.duration("timeout");
    let joined = trace.wait("large", || process.join_timeout(timeout).map(drop));
    let drained = trace.wait("its output", || drain(stdout))?;
    trace.wait("large", || process.join())?;
    trace.row(&[&"large", &describe(joined), &drained]);

    let (process, stdout) = start_process(trace, "drained")?;
    let drained = trace.wait("its output", || drain(stdout))?;
    trace.wait("drained", || process.join())?;
    trace.row(&[&"large", &"drains, then joins: returned", &drained]);
    Ok(())
}

fn start_process(trace: &Trace, role: &str) -> anyhow::Result<(Process, ChildStdout)> {
    let process = trace.spawn_process(trace.program(role).stdout_piped())?;
    let stdout = process.take_stdout().context("stdout is piped")?;
    Ok((process, stdout))
}

fn print(trace: &Trace, bytes: usize) -> anyhow::Result<()> {
    let payload = vec![b'.'; bytes];
    let mut stdout = io::stdout();
    trace.wait("space in the pipe", || stdout.write_all(&payload))?;
    stdout.flush()?;
    trace.print("done");
    Ok(())
}

fn drain(mut stdout: ChildStdout) -> io::Result<u64> {
    io::copy(&mut stdout, &mut io::sink())
}

fn describe(joined: Result<(), JoinError>) -> String {
    match joined {
        Ok(()) => "joins: returned".to_owned(),
        Err(error) => format!("joins: {error}"),
    }
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let [_, small, joined_first, drained_first] = log.table() else {
        bail!("expected three joins");
    };
    let payload = log.parameter("payload");
    let (one, many, capacity) = match log.worker_kind() {
        WorkerKind::Task => (1.0, payload, CAPACITY as f64),
        // A pipe holds 64 KiB, or 1 MiB if memory pages are large.
        WorkerKind::Process => (1.0, payload * BYTES as f64, 16.0),
    };
    ensure!(
        payload <= capacity || joined_first[1].contains("timed out"),
        "the join did not time out: main {}",
        joined_first[1]
    );
    for (row, expected) in [(small, one), (joined_first, many), (drained_first, many)] {
        let received: f64 = row[2].parse()?;
        ensure!(
            (received - expected).abs() < 0.5,
            "main {}, and received {received}, not {expected}",
            row[1]
        );
    }
    Ok(())
}

// About the lesson.

use anyhow::{bail, ensure};
use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "queue-deadlock",
    title: "Join before draining",
    topic: Topic::Data,
    level: Level::Hard,
    question: Question {
        text: "A worker puts far more into a channel or a pipe than that can hold. Main joins \
               the worker first and receives the values later. What happens?",
        choices: &[
            "The join returns, and all values are there",
            "The join returns, and the values that did not fit are lost",
            "Both wait forever: the worker for space, main for the worker",
            "The worker fails because the channel is full",
        ],
        right: 2,
    },
    parameters: &[
        Parameter::secs("timeout", "Timeout of the join (s)", 2.0),
        Parameter::count(
            "payload",
            "Large payload (values; 64 KiB each with processes)",
            50,
            1,
            200,
        ),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 4,
    main,
    roles: &[
        ("small", |trace| print(trace, 1)),
        ("large", |trace| {
            print(trace, trace.count("payload") * BYTES)
        }),
        ("drained", |trace| {
            print(trace, trace.count("payload") * BYTES)
        }),
    ],
    verify,
    explanation: "A channel for 10 values and a pipe of 64 KiB have space for a small payload: the \
                  worker stores it there and ends, and the join returns. A large payload does not \
                  fit. The worker waits for space, which only main could make, and main waits in \
                  `join` for the worker. Here a timeout ends that. The trap is that the code works \
                  as long as the data are small. No library can detect this deadlock, because half \
                  of it goes through the channel. The fix is the order: drain first, until the \
                  sender is gone, then join.\n\n\
                  Python has the same trap with a `multiprocessing.Queue`, whose feeder thread \
                  must write everything into the pipe before the process ends, and with \
                  `Popen.wait()` and `stdout=PIPE`. std has it with `Child::wait`. The processes \
                  of this library are drained automatically, unless you ask for `stdout_piped`.",
    python: r#"
from multiprocessing import Process, Queue

def worker(queue, payload):
    queue.put(payload)

if __name__ == "__main__":
    queue = Queue()
    for size in (1, 3_000_000):
        process = Process(target=worker, args=(queue, bytes(size)))
        process.start()
        process.join(timeout=2)
        print(size, "timed out" if process.is_alive() else "joined")
        print(len(queue.get()), "bytes received")
        process.join()
        print(size, "joined after draining")
"#,
    plain_std: r#"
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

fn main() {
    for count in [1, 50] {
        let (values, queue) = sync_channel(10);
        let worker = thread::spawn(move || {
            for value in 0..count {
                values.send(value).unwrap();
            }
        });
        // There is no join with a timeout: check the state instead.
        thread::sleep(Duration::from_secs(2));
        println!("{count}: finished {}", worker.is_finished());
        println!("{} received", queue.iter().count());
        worker.join().unwrap();
        println!("{count}: joined after draining");
    }
}
"#,
    related: &["queue", "mutual", "unbounded-drain"],
    source: include_str!("queue_deadlock.rs"),
};
