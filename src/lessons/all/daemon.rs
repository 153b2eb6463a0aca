use crate::join::{self, Builder};
use crate::lessons::{Cast, Stage, Told};

pub(super) fn main(stage: &Stage) -> anyhow::Result<()> {
    let program = stage.child("program")?;
    let exit = stage.waits("the program", || program.join())?;
    stage.note("the program", exit);
    Ok(())
}

fn program(me: &Stage) -> anyhow::Result<()> {
    match me.cast() {
        Cast::Task => {
            Builder::new("saver").spawn(me.actor("saver", saver))?;
            let watcher = Builder::new("watcher").daemon(true);
            watcher.spawn(me.actor("watcher", watches))?;
        }
        Cast::Process => {
            me.spawn(me.program("saver"))?;
            me.spawn(me.program("watcher").daemon(true))?;
        }
    }
    me.say("nothing more to do");
    let report = me.waits("who is no daemon", || join::shutdown(None));
    me.note("all are done who had to be", report.is_complete());
    Ok(())
}

fn saver(me: &Stage) {
    me.sleep(me.time("work"));
    me.say("saved");
}

fn watches(me: &Stage) {
    loop {
        me.say("watching");
        me.sleep(me.secs(0.25));
    }
}

fn holds(told: &Told) -> anyhow::Result<()> {
    told.in_order(&[
        ("program", "nothing more to do"),
        ("program", "all are done who had to be: true"),
        ("main", "the program: exited with code 0"),
    ])?;
    told.in_order(&[
        ("saver", "saved"),
        ("program", "all are done who had to be: true"),
    ])?;
    let ended = told.when("main", "the program")?;
    let of_watcher = |said: &&Message| told.timeline().name(said.lane) == "watcher";
    let last = told.said().iter().rfind(of_watcher);
    ensure!(
        last.is_none_or(|said| said.at <= ended),
        "the watcher went on when the program had ended"
    );
    Ok(())
}

// About the lesson.

use anyhow::ensure;

use crate::lessons::{Lesson, Level, Parameter, Question, Topic};
use crate::record::Message;

pub(super) static LESSON: Lesson = Lesson {
    id: "daemon",
    title: "Daemons and the end of a program",
    topic: Topic::Ending,
    level: Level::Second,
    question: Question {
        text: "A program has started a saver and, as a daemon, a watcher that never ends. It comes \
               to its end while both run, and calls `join::shutdown`. What happens?",
        choices: &[
            "It waits for both, and so for ever",
            "It waits for the saver; the watcher is cut off",
            "Both are cut off at once",
            "It waits for the watcher, and cuts the saver off",
        ],
        right: 1,
    },
    parameters: &[Parameter::secs("work", "Saver works (s)", 1.0)],
    cast: &[Cast::Task, Cast::Process],
    main,
    roles: &[
        ("program", program),
        ("saver", |me| {
            saver(me);
            Ok(())
        }),
        ("watcher", |me| {
            watches(me);
            Ok(())
        }),
    ],
    holds,
    explanation: "A daemon is a worker that nobody needs to wait for. `join::shutdown` waits for every \
                  task and process that is none, also those that are started meanwhile, and then \
                  asks the daemon processes to end and kills them if they don\u{2019}t. Daemon tasks \
                  end with the program, in the middle of whatever they do: no destructor runs, and a \
                  file may be left half written. So a daemon must have nothing to lose. In Python \
                  the interpreter does the same by itself at its end: it joins threads and \
                  processes that are not `daemon=True`, abandons daemon threads and terminates \
                  daemon processes. In Rust nothing does: when `main` returns, all other threads are \
                  cut off, daemons or not, and child processes run on as orphans. That is why the \
                  end is a call here that one can see, give a timeout, and ask who is left.",
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
print("nothing more to do")
# Here the interpreter joins the saver and then ends.
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
    println!("nothing more to do");
    // Without this the saver would be cut off as well.
    saver.join().unwrap();
}
"#,
    related: &["enumerate", "cancel", "join-on-close"],
    source: include_str!("daemon.rs"),
};
