use std::time::Instant;

use anyhow::{bail, ensure};
use meanwhile::join;
use meanwhile::lessons::{RunLog, Trace};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"click handler", &"frames due", &"drawn", &"missing"]);
    for (name, joins) in [("joins", true), ("polls", false)] {
        let lane = format!("window that {name}");
        let window = trace.task(&lane, move |trace| window(trace, joins));
        let window = join::spawn(lane, window)?;
        match trace.wait("the window", || window.join())? {
            Ok((due, drawn)) => trace.row(&[&name, due, drawn, &due.saturating_sub(*drawn)]),
            Err(why) => bail!("{why:#}"),
        }
    }
    Ok(())
}

/// Draws 60 frames a second. After a few of them there is a click.
fn window(trace: &Trace, joins: bool) -> anyhow::Result<(u128, u128)> {
    let frame = trace.seconds(0.016);
    for _ in 0..12 {
        trace.sleep(frame);
    }

    trace.print("click");
    let clicked = Instant::now();
    let worker = join::spawn("worker", trace.task("worker", worker))?;
    if joins {
        trace.wait("the worker, in the click handler", || worker.join())?;
    }

    let mut drawn = 0;
    while worker.poll().is_none() {
        trace.sleep(frame);
        drawn += 1;
    }
    let due = clicked.elapsed().as_nanos() / frame.as_nanos();
    trace.print("showing the result");
    Ok((due, drawn))
}

fn worker(trace: &Trace) {
    trace.sleep(trace.duration("work"));
    trace.print("done");
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let [_, joins, polls] = log.table() else {
        bail!("expected two windows");
    };
    ensure!(
        joins[2] == "0" && joins[3] == joins[1],
        "the window that joins has drawn {} frames",
        joins[2]
    );
    // If the work takes no time, there is none for a frame.
    let is_long = log.seconds("work") >= 0.5;
    ensure!(
        !is_long || polls[2] != "0",
        "the window that polls has drawn no frame"
    );
    log.in_order(&[
        ("window that joins", "click"),
        ("worker", "done"),
        ("window that joins", "showing"),
        ("window that polls", "click"),
        ("window that polls", "showing"),
    ])
}

// About the lesson.

use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic, WorkerKind};

pub(super) static LESSON: Lesson = Lesson {
    id: "gui",
    title: "Join in a window",
    topic: Topic::Work,
    level: Level::Medium,
    question: Question {
        text: "A window draws 60 frames a second. A click starts two seconds of work in a \
               thread, and the click handler joins that thread. How many frames are drawn in \
               these two seconds?",
        choices: &[
            "About 120: the work has a thread of its own",
            "None",
            "Fewer than usual, because the work needs processor time",
        ],
        right: 1,
    },
    parameters: &[Parameter::secs("work", "The work takes (s)", 2.0)],
    worker_kinds: &[WorkerKind::Task],
    lanes: 5,
    main,
    roles: &[],
    verify,
    explanation: "A single thread draws the window, frame after frame, and that thread also calls \
                  the click handler. While the handler waits in `join`, no frame is drawn and no \
                  key is handled. The window is frozen for as long as the work takes, and the \
                  extra thread gains nothing. A timeout only shortens the freeze.\n\n\
                  The second window keeps the handle and polls it once per frame: `poll` costs one \
                  atomic load and never waits. A loop that polls is usually wrong, but a window \
                  already has a loop that runs sixty times a second. Every toolkit works like \
                  this: Python's Tk polls in `after`, others send the window a message when the \
                  work is done. This library can also wake the window, so that it need not draw \
                  while nothing changes.\n\n\
                  The Freeze Lab shows both with a real window: the pattern `join-in-click`.",
    python: r#"
from threading import Thread
from time import monotonic, sleep

FRAME = 0.016

def window(joins):
    clicked = monotonic()
    worker = Thread(target=sleep, args=(2,))
    worker.start()
    if joins:
        worker.join()  # in the click handler: no frame until it returns
    drawn = 0
    while worker.is_alive():
        sleep(FRAME)  # a frame
        drawn += 1
    due = int((monotonic() - clicked) / FRAME)
    print(f"joins: {joins}, {due} frames due, {drawn} drawn")

window(joins=True)
window(joins=False)
"#,
    plain_std: r#"
use std::thread;
use std::time::{Duration, Instant};

const FRAME: Duration = Duration::from_millis(16);

fn window(joins: bool) {
    let clicked = Instant::now();
    let mut worker = Some(thread::spawn(|| thread::sleep(Duration::from_secs(2))));
    if joins && let Some(worker) = worker.take() {
        worker.join().unwrap(); // in the click handler: no frame until it returns
    }
    let mut drawn = 0;
    while worker.as_ref().is_some_and(|worker| !worker.is_finished()) {
        thread::sleep(FRAME); // a frame
        drawn += 1;
    }
    let due = clicked.elapsed().as_nanos() / FRAME.as_nanos();
    println!("joins: {joins}, {due} frames due, {drawn} drawn");
}

fn main() {
    window(true);
    window(false);
}
"#,
    related: &[
        "join-in-click",
        "join-timeout-in-click",
        "join-timeout-per-frame",
        "join",
    ],
    source: include_str!("gui.rs"),
};
