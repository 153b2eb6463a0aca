use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use crate::join;
use crate::lessons::{Cast, Stage, Told};

pub(super) fn main(stage: &Stage) -> anyhow::Result<()> {
    stage.row(&[&"when", &"first is_alive", &"second is_alive"]);
    let began = Instant::now();
    match stage.cast() {
        Cast::Task => {
            let work = |me: &Stage| worker(me, me.time("first"));
            let first = join::spawn("first", stage.actor("first", work))?;
            let work = |me: &Stage| worker(me, me.time("second"));
            let second = join::spawn("second", stage.actor("second", work))?;
            stage.row(&[&"both started", &first.is_alive(), &second.is_alive()]);
            stage.waits("the first", || first.join())?;
            stage.row(&[&"first joined", &first.is_alive(), &second.is_alive()]);
            stage.waits("the second", || second.join())?;
            stage.row(&[&"both joined", &first.is_alive(), &second.is_alive()]);
        }
        Cast::Process => {
            let first = stage.child("first")?;
            let second = stage.child("second")?;
            stage.row(&[&"both started", &first.is_alive(), &second.is_alive()]);
            stage.waits("the first", || first.join())?;
            stage.row(&[&"first joined", &first.is_alive(), &second.is_alive()]);
            stage.waits("the second", || second.join())?;
            stage.row(&[&"both joined", &first.is_alive(), &second.is_alive()]);
        }
    }
    stage.note(
        "seconds in all",
        format!("{:.2}", began.elapsed().as_secs_f64()),
    );
    Ok(())
}

fn worker(me: &Stage, time: Duration) {
    me.sleep(time);
    me.say("done");
}

fn holds(told: &Told) -> anyhow::Result<()> {
    told.in_order(&[("first", "done"), ("main", "first joined")])?;
    told.in_order(&[("second", "done"), ("main", "both joined")])?;
    let [_, _, first_joined, both_joined] = told.table() else {
        bail!("main did not look three times");
    };
    ensure!(first_joined[1] == "false", "the first is joined and alive");
    ensure!(
        both_joined[1..] == ["false", "false"],
        "both are joined and alive"
    );

    let first = told.lane("first")?;
    let second = told.lane("second")?;
    let first = first.spans.first().and_then(|sleep| first.end_of(sleep));
    let second = second.spans.first().map(|sleep| sleep.began);
    let is_long = told.parameter("first") / told.speed() >= 0.5;
    ensure!(
        !is_long || second < first,
        "the second began when the first had ended: they did not run side by side"
    );
    Ok(())
}

// About the lesson.

use crate::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "many",
    title: "Start two, join two",
    topic: Topic::Several,
    level: Level::First,
    question: Question {
        text: "Two workers are started, then main joins the first and after it the second. How long \
               does all of it take?",
        choices: &[
            "As long as both of them together",
            "As long as the longer of them",
            "As long as the shorter of them",
        ],
        right: 1,
    },
    parameters: &[
        Parameter::secs("first", "First sleeps (s)", 2.0),
        Parameter::secs("second", "Second sleeps (s)", 4.0),
    ],
    cast: &[Cast::Task, Cast::Process],
    main,
    roles: &[
        ("first", |me| {
            worker(me, me.time("first"));
            Ok(())
        }),
        ("second", |me| {
            worker(me, me.time("second"));
            Ok(())
        }),
    ],
    holds,
    explanation: "Both run from the moment when they were started; the joins only wait. While main \
                  waits for the first, the second runs on, so the second join has only the rest to \
                  wait for: four seconds in all, not six. The order of the joins does not matter \
                  either. Make the first the longer one, and the second join returns at once.\n\n\
                  The table shows the difference between two questions. `is_alive` asks and returns \
                  at once, and its \u{201c}true\u{201d} may be old by the time it is read. `join` \
                  waits until the answer is \u{201c}no\u{201d}, and that stays so. It is the same in \
                  Python; std's handles have `is_finished`, the opposite. Whoever polls `is_alive` in \
                  a loop burns a core to do what `join` does asleep.",
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
print(f"{monotonic() - began:.2f} s in all")
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
    println!("{:.2} s in all", began.elapsed().as_secs_f64());
}
"#,
    related: &["join", "strategies", "enumerate", "thread-starvation"],
    source: include_str!("many.rs"),
};
