use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use meanwhile::join;
use meanwhile::lessons::{RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"when", &"first is alive", &"second is alive"]);
    let began = Instant::now();
    match trace.worker_kind() {
        WorkerKind::Task => {
            let work = |trace: &Trace| worker(trace, trace.duration("first"));
            let first = join::spawn("first", trace.task("first", work))?;
            let work = |trace: &Trace| worker(trace, trace.duration("second"));
            let second = join::spawn("second", trace.task("second", work))?;
            trace.row(&[
                &"both started",
                &!first.is_finished(),
                &!second.is_finished(),
            ]);
            trace.wait("the first", || first.join())?;
            trace.row(&[
                &"first joined",
                &!first.is_finished(),
                &!second.is_finished(),
            ]);
            trace.wait("the second", || second.join())?;
            trace.row(&[
                &"both joined",
                &!first.is_finished(),
                &!second.is_finished(),
            ]);
        }
        WorkerKind::Process => {
            let first = trace.spawn_role("first")?;
            let second = trace.spawn_role("second")?;
            trace.row(&[
                &"both started",
                &!first.is_finished(),
                &!second.is_finished(),
            ]);
            trace.wait("the first", || first.join())?;
            trace.row(&[
                &"first joined",
                &!first.is_finished(),
                &!second.is_finished(),
            ]);
            trace.wait("the second", || second.join())?;
            trace.row(&[
                &"both joined",
                &!first.is_finished(),
                &!second.is_finished(),
            ]);
        }
    }
    let seconds = format!("{:.2}", began.elapsed().as_secs_f64());
    trace.result("seconds in total", seconds);
    Ok(())
}

fn worker(trace: &Trace, time: Duration) {
    trace.sleep(time);
    trace.print("done");
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    log.in_order(&[("first", "done"), ("main", "first joined")])?;
    log.in_order(&[("second", "done"), ("main", "both joined")])?;
    let [_, _, first_joined, both_joined] = log.table() else {
        bail!("expected three rows");
    };
    ensure!(
        first_joined[1] == "false",
        "the first worker is joined and alive"
    );
    ensure!(
        both_joined[1..] == ["false", "false"],
        "both workers are joined, and one is alive"
    );

    let first = log.lane("first")?;
    let second = log.lane("second")?;
    let first = first.spans.first().and_then(|sleep| first.end_of(sleep));
    let second = second.spans.first().map(|sleep| sleep.began);
    let is_long = log.seconds("first") >= 0.5;
    ensure!(
        !is_long || second < first,
        "the second worker began after the end of the first"
    );
    Ok(())
}

// About the lesson.

use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "many",
    title: "Start two, join two",
    topic: Topic::Several,
    level: Level::Easy,
    question: Question {
        text: "Two workers are started, then main joins the first and after that the second. \
               How long does it take in total?",
        choices: &[
            "As long as both together",
            "As long as the longer one",
            "As long as the shorter one",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("first", "First sleeps (s)", 2.0),
        Parameter::secs("second", "Second sleeps (s)", 4.0),
    ],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 3,
    main,
    roles: &[
        ("first", |trace| {
            worker(trace, trace.duration("first"));
            Ok(())
        }),
        ("second", |trace| {
            worker(trace, trace.duration("second"));
            Ok(())
        }),
    ],
    verify,
    explanation: "Both workers run from the moment they are started; the joins only wait. While \
                  main waits for the first, the second runs on, so the second join waits only for \
                  the rest: four seconds in total, not six. The order of the joins does not matter \
                  either. Make the first worker the longer one, and the second join returns at \
                  once.\n\n\
                  The table shows the difference between two questions. `is_finished` returns at \
                  once, and its \u{201c}false\u{201d} may be out of date by the time you read it. \
                  `join` waits until the worker has ended, and that stays true. std has both, \
                  too; Python asks the opposite, `is_alive`. A loop that asks again and again \
                  keeps a core busy; `join` waits without using a core.",
    python: r#"
from threading import Thread
from time import monotonic, sleep

def worker(name, seconds):
    sleep(seconds)
    print(name, "done")

began = monotonic()
first = Thread(target=worker, args=("first", 2))
second = Thread(target=worker, args=("second", 4))
first.start()
second.start()
print("both started:", first.is_alive(), second.is_alive())
first.join()
print("first joined:", first.is_alive(), second.is_alive())
second.join()
print("both joined:", first.is_alive(), second.is_alive())
print(f"{monotonic() - began:.2f} s in total")
"#,
    plain_std: r#"
use std::thread;
use std::time::{Duration, Instant};

fn worker(name: &str, seconds: u64) {
    thread::sleep(Duration::from_secs(seconds));
    println!("{name} done");
}

fn main() {
    let began = Instant::now();
    let first = thread::spawn(|| worker("first", 2));
    let second = thread::spawn(|| worker("second", 4));
    println!("finished: {} {}", first.is_finished(), second.is_finished());
    first.join().unwrap();
    println!("first joined; second finished: {}", second.is_finished());
    second.join().unwrap();
    println!("{:.2} s in total", began.elapsed().as_secs_f64());
}
"#,
    related: &["join", "strategies", "enumerate", "thread-starvation"],
    source: include_str!("many.rs"),
};
