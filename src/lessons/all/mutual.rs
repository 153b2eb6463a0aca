use crossbeam_channel::{Receiver, bounded};

use crate::join::{self, JoinError, Task, TaskId};
use crate::lessons::{RunLog, Trace};

const RINGS: [&[&str]; 2] = [&["ping", "pong"], &["red", "green", "blue"]];

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"who", &"joins", &"gets"]);
    for names in RINGS {
        join_in_a_ring(trace, names)?;
    }
    trace.print("nobody is left waiting");
    Ok(())
}

fn join_in_a_ring(trace: &Trace, names: &[&str]) -> anyhow::Result<()> {
    let mut ring = Vec::new();
    let mut hands = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let (hand_over, handed) = bounded(1);
        let worker = trace.task(name, move |trace| joins_the_next(trace, place, &handed));
        ring.push(join::spawn(*name, worker)?);
        hands.push(hand_over);
    }
    for hand_over in hands {
        hand_over.send(ring.clone())?;
    }
    for task in &ring {
        trace.wait(task.name(), || task.join())?;
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "main hands over or ends, and either way this goes on"
)]
fn joins_the_next(trace: &Trace, place: usize, handed: &Receiver<Vec<Task<()>>>) {
    let Ok(ring) = trace.wait("the handles", || handed.recv()) else {
        return;
    };
    trace.sleep(trace.duration("work"));
    let next = &ring[(place + 1) % ring.len()];
    let gets = match trace.wait(next.name(), || next.join()) {
        Ok(()) => "joined".to_owned(),
        Err(JoinError::WouldDeadlock { cycle }) => {
            format!("WouldDeadlock {}", drawn(&cycle, &ring))
        }
        Err(error) => error.to_string(),
    };
    trace.row(&[&ring[place].name(), &next.name(), &gets]);
}

fn drawn(cycle: &[TaskId], ring: &[Task<()>]) -> String {
    let name = |id: &TaskId| ring.iter().find(|task| task.id() == *id).map(Task::name);
    let around = cycle.iter().chain(cycle.first());
    let names: Vec<&str> = around.filter_map(name).collect();
    names.join(" \u{2192} ")
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    for names in RINGS {
        let rows = log.table().iter();
        let rows = rows.filter(|row| names.contains(&row[0].as_str()));
        let (joined, refused): (Vec<_>, Vec<_>) = rows.partition(|row| row[2] == "joined");
        ensure!(
            joined.len() + 1 == names.len() && refused.len() == 1,
            "of {} tasks in a ring, {} joined the next and {} were refused",
            names.len(),
            joined.len(),
            refused.len()
        );
        let drawn = &refused[0][2];
        ensure!(
            drawn.starts_with("WouldDeadlock") && names.iter().all(|name| drawn.contains(name)),
            "the ring is not all there: {drawn}"
        );
    }
    log.time_of("main", "nobody is left waiting")?;
    Ok(())
}

// About the lesson.

use anyhow::ensure;

use crate::lessons::{Lesson, Level, Parameter, Question, Topic, WorkerKind};

pub(super) static LESSON: Lesson = Lesson {
    id: "mutual",
    title: "Join in a ring",
    topic: Topic::Several,
    level: Level::Hard,
    question: Question {
        text: "Ping joins pong, and pong joins ping. How does it end here?",
        choices: &[
            "Never: each waits for the other",
            "One of them gets an error and goes on, and so the other\u{2019}s join returns",
            "Both get an error",
            "Both joins return as if the other had ended",
        ],
        right: 1,
    },
    parameters: &[Parameter::secs(
        "work",
        "Each works before it joins (s)",
        0.5,
    )],
    worker_kinds: &[WorkerKind::Task],
    main,
    roles: &[],
    verify,
    explanation: "Two that join each other wait for ever, and so does a ring of any length. The library \
                  keeps a graph of who waits for whom. A join that would close a ring is refused with \
                  `WouldDeadlock`, which holds the tasks of the ring in their order; the table shows \
                  it by name. Which of them is refused depends on who comes last. Only one is: it \
                  goes on and ends, so the one that waits for it wakes, and then the next, back \
                  around the ring. Main, which waits for all of them, notices nothing. Python and \
                  plain std hang here for good (CPython finds a thread that joins itself, but no \
                  ring), and there only a timeout helps. A join with a timeout is let into a ring \
                  with us too: its deadline will end it. A ring that goes through a channel or a \
                  lock is seen by nobody.",
    python: r#"
from threading import Barrier, Thread

def joins(name, other):
    both_run.wait()
    # Without the timeout both would wait for ever.
    threads[other].join(timeout=1)
    print(name, "found", other, "alive:", threads[other].is_alive())

both_run = Barrier(2)
threads = {
    "ping": Thread(target=joins, args=("ping", "pong")),
    "pong": Thread(target=joins, args=("pong", "ping")),
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

fn joins(name: &str, handed: Receiver<JoinHandle<()>>) {
    let other = handed.recv().unwrap();
    // `other.join()` would wait for ever, and there is no join with a timeout.
    let deadline = Instant::now() + Duration::from_secs(1);
    while !other.is_finished() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    println!("{name} found the other finished: {}", other.is_finished());
}

fn main() {
    let (to_ping, for_ping) = channel();
    let (to_pong, for_pong) = channel();
    let ping = thread::spawn(|| joins("ping", for_ping));
    let pong = thread::spawn(|| joins("pong", for_pong));
    to_ping.send(pong).unwrap();
    to_pong.send(ping).unwrap();
    // Both handles are gone: main can only wait.
    thread::sleep(Duration::from_secs(2));
}
"#,
    related: &["join-current", "queue-deadlock", "join-timeout"],
    source: include_str!("mutual.rs"),
};
