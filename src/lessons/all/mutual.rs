use crossbeam_channel::{Receiver, bounded};
use meanwhile::join::{self, JoinError, Task, TaskId};
use meanwhile::lessons::{RunLog, Trace};

const CYCLES: [&[&str]; 2] = [&["ping", "pong"], &["red", "green", "blue"]];

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"task", &"joins", &"result"]);
    for names in CYCLES {
        join_in_a_cycle(trace, names)?;
    }
    trace.print("no task is left waiting");
    Ok(())
}

fn join_in_a_cycle(trace: &Trace, names: &[&str]) -> anyhow::Result<()> {
    let mut tasks = Vec::new();
    let mut senders = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let (sender, receiver) = bounded(1);
        let worker = trace.task(name, move |trace| join_the_next(trace, index, &receiver));
        tasks.push(join::spawn(*name, worker)?);
        senders.push(sender);
    }
    for sender in senders {
        sender.send(tasks.clone())?;
    }
    for task in &tasks {
        trace.wait(task.name(), || task.join())?;
    }
    Ok(())
}

fn join_the_next(trace: &Trace, index: usize, receiver: &Receiver<Vec<Task<()>>>) {
    let Ok(tasks) = trace.wait("the handles", || receiver.recv()) else {
        return;
    };
    trace.sleep(trace.duration("work"));
    let next = &tasks[(index + 1) % tasks.len()];
    let result = match trace.wait(next.name(), || next.join()) {
        Ok(()) => "joined".to_owned(),
        Err(JoinError::WouldDeadlock { cycle }) => {
            format!("WouldDeadlock {}", path(&cycle, &tasks))
        }
        Err(error) => error.to_string(),
    };
    trace.row(&[&tasks[index].name(), &next.name(), &result]);
}

fn path(cycle: &[TaskId], tasks: &[Task<()>]) -> String {
    let name = |id: &TaskId| tasks.iter().find(|task| task.id() == *id).map(Task::name);
    let closed = cycle.iter().chain(cycle.first());
    let names: Vec<&str> = closed.filter_map(name).collect();
    names.join(" \u{2192} ")
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    for names in CYCLES {
        let rows = log.table().iter();
        let rows = rows.filter(|row| names.contains(&row[0].as_str()));
        let (joined, refused): (Vec<_>, Vec<_>) = rows.partition(|row| row[2] == "joined");
        ensure!(
            joined.len() + 1 == names.len() && refused.len() == 1,
            "of {} tasks in a cycle, {} joined the next and {} were refused",
            names.len(),
            joined.len(),
            refused.len()
        );
        let path = &refused[0][2];
        ensure!(
            path.starts_with("WouldDeadlock") && names.iter().all(|name| path.contains(name)),
            "the cycle is incomplete: {path}"
        );
    }
    log.time_of("main", "no task is left waiting")?;
    Ok(())
}

// About the lesson.

use anyhow::ensure;
use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic, WorkerKind};

pub(super) static LESSON: Lesson = Lesson {
    id: "mutual",
    title: "Join in a cycle",
    topic: Topic::Several,
    level: Level::Hard,
    question: Question {
        text: "Ping joins pong, and pong joins ping. How does it end here?",
        choices: &[
            "Never: each waits for the other",
            "One of them gets an error and continues, so the other\u{2019}s join returns",
            "Both get an error",
            "Both joins return as if the other had ended",
        ],
        right: 1,
    },
    parameters: &[Parameter::secs("work", "Time before each join (s)", 0.5)],
    worker_kinds: &[WorkerKind::Task],
    lanes: 6,
    main,
    roles: &[],
    verify,
    explanation: "Two tasks that join each other wait forever, and so does a longer cycle. The \
                  library keeps a graph of all waits. A join that would close a cycle is refused \
                  with `WouldDeadlock`, which contains the tasks of the cycle in their order; the \
                  table shows their names. The last one to join is refused, and only that one. It \
                  continues and ends, so the task that waits for it wakes up, then the next, back \
                  around the cycle. Main, which waits for all of them, notices nothing.\n\n\
                  Python and plain std hang here for good: CPython detects a thread that joins \
                  itself, but no cycle. Only a timeout helps there. Here, too, a join with a \
                  timeout may close a cycle: its deadline will end it. A cycle that goes through a \
                  channel or a lock can't be detected.",
    python: r#"
from threading import Barrier, Thread

def join(name, other):
    both_run.wait()
    # Without the timeout both would wait forever.
    threads[other].join(timeout=1)
    print(name, "found", other, "alive:", threads[other].is_alive())

both_run = Barrier(2)
threads = {
    "ping": Thread(target=join, args=("ping", "pong")),
    "pong": Thread(target=join, args=("pong", "ping")),
}
for thread in threads.values():
    thread.start()
for thread in threads.values():
    thread.join()
"#,
    plain_std: r#"
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

fn join(name: &str, receiver: Receiver<JoinHandle<()>>) {
    let other = receiver.recv().unwrap();
    // `other.join()` would wait forever, and there is no join with a timeout.
    let deadline = Instant::now() + Duration::from_secs(1);
    while !other.is_finished() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    println!("{name} found the other finished: {}", other.is_finished());
}

fn main() {
    let (to_ping, for_ping) = channel();
    let (to_pong, for_pong) = channel();
    let ping = thread::spawn(|| join("ping", for_ping));
    let pong = thread::spawn(|| join("pong", for_pong));
    to_ping.send(pong).unwrap();
    to_pong.send(ping).unwrap();
    // Main has given both handles away and can only sleep.
    thread::sleep(Duration::from_secs(2));
}
"#,
    related: &["join-current", "queue-deadlock", "join-timeout"],
    source: include_str!("mutual.rs"),
};
