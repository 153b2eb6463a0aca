use std::collections::BTreeMap;

use meanwhile::join::process::{self, Process};
use meanwhile::join::{self, Task, TaskId};
use meanwhile::lessons::{RunLog, Trace, WorkerKind};

const WORKERS: [(&str, f64); 3] = [("alpha", 1.0), ("beta", 2.0), ("gamma", 3.0)];

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"when", &"live"]);
    match trace.worker_kind() {
        WorkerKind::Task => with_tasks(trace),
        WorkerKind::Process => with_processes(trace),
    }
}

fn with_tasks(trace: &Trace) -> anyhow::Result<()> {
    let mut tasks = BTreeMap::new();
    trace.row(&[&"before", &live_tasks(&tasks)]);
    for (name, steps) in WORKERS {
        let task = join::spawn(name, trace.task(name, move |trace| worker(trace, steps)))?;
        tasks.insert(task.id(), task);
    }
    trace.row(&[&"all started", &live_tasks(&tasks)]);
    let live = join::live_tasks().into_iter();
    let mut ours = live.filter_map(|info| tasks.get(&info.id));
    if let Some(beta) = ours.find(|task| task.name() == "beta") {
        trace.wait("beta", || beta.join())?;
    }
    trace.row(&[&"beta joined", &live_tasks(&tasks)]);
    for info in join::live_tasks() {
        if Some(info.id) == join::current() {
            trace.print(format!("leaving out `{}`: the current task", info.name));
        } else if let Some(task) = tasks.get(&info.id) {
            trace.wait(&info.name, || task.join())?;
        }
    }
    trace.row(&[&"all joined", &live_tasks(&tasks)]);
    Ok(())
}

fn with_processes(trace: &Trace) -> anyhow::Result<()> {
    let mut processes = BTreeMap::new();
    trace.row(&[&"before", &live_processes(&processes)]);
    for (name, _) in WORKERS {
        let process = trace.spawn_role(name)?;
        processes.insert(process.pid(), process);
    }
    trace.row(&[&"all started", &live_processes(&processes)]);
    let live = process::live_processes().into_iter();
    let mut ours = live.filter_map(|info| processes.get(&info.pid));
    if let Some(beta) = ours.find(|process| process.name() == "beta") {
        trace.wait("beta", || beta.join())?;
    }
    trace.row(&[&"beta joined", &live_processes(&processes)]);
    for info in process::live_processes() {
        if let Some(process) = processes.get(&info.pid) {
            trace.wait(&info.name, || process.join())?;
        }
    }
    trace.row(&[&"all joined", &live_processes(&processes)]);
    Ok(())
}

fn live_tasks(tasks: &BTreeMap<TaskId, Task<()>>) -> String {
    let mut live = join::live_tasks();
    live.retain(|info| tasks.contains_key(&info.id) || Some(info.id) == join::current());
    let names: Vec<&str> = live.iter().map(|info| &*info.name).collect();
    names.join(", ")
}

fn live_processes(processes: &BTreeMap<u32, Process>) -> String {
    let mut live = process::live_processes();
    live.retain(|info| processes.contains_key(&info.pid));
    let names: Vec<&str> = live.iter().map(|info| &*info.name).collect();
    names.join(", ")
}

fn worker(trace: &Trace, steps: f64) {
    trace.sleep(trace.duration("step").mul_f64(steps));
    trace.print("done");
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let is_listed = |when: &str, name: &str| {
        let row = log.table().iter().find(|row| row[0] == when);
        row.is_some_and(|row| row[1].split(", ").any(|listed| listed == name))
    };
    for (name, _) in WORKERS {
        let done = log.time_of(name, "done")?;
        for when in ["all started", "beta joined"] {
            let had_ended = done <= log.time_of("main", when)?;
            ensure!(
                had_ended || is_listed(when, name),
                "{when}: {name} is alive but not listed"
            );
        }
        for when in ["before", "all joined"] {
            ensure!(!is_listed(when, name), "{when}: {name} is listed");
        }
    }
    ensure!(
        !is_listed("beta joined", "beta"),
        "beta is joined, but listed"
    );
    Ok(())
}

// About the lesson.

use anyhow::ensure;
use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "enumerate",
    title: "List what is alive",
    topic: Topic::Several,
    level: Level::Medium,
    question: Question {
        text: "Main lists all live workers and joins each one in the list. Which one must it \
               leave out?",
        choices: &[
            "None: every one in the list can be joined",
            "Itself, if the list contains it: a list of tasks does, a list of child processes does not",
            "Those that have ended: they stay in the list until the program ends",
        ],
        right: 1,
    },
    parameters: &[Parameter::secs(
        "step",
        "Alpha works (s); beta twice, gamma three times as long",
        1.0,
    )],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 4,
    main,
    roles: &[
        ("alpha", |trace| {
            worker(trace, 1.0);
            Ok(())
        }),
        ("beta", |trace| {
            worker(trace, 2.0);
            Ok(())
        }),
        ("gamma", |trace| {
            worker(trace, 3.0);
            Ok(())
        }),
    ],
    verify,
    explanation: "`join::live_tasks()` lists every live task of the program, and \
                  `live_processes()` every live child process; joined ones are in neither list. \
                  The lists contain facts, not handles: id, name, state. Main finds its handle by \
                  the id, because names need not be unique. A list is soon out of date. A worker \
                  that ends a moment later is joined at once, which does no harm.\n\n\
                  The caller is a task, too, so it is in the list. It can't join itself and leaves \
                  itself out, as in Python with `threading.enumerate()`, which returns the threads \
                  themselves. If you forget that, `join` says `cannot join current thread` in \
                  both. `multiprocessing.active_children()` never lists the caller, and neither \
                  does `live_processes()` here. std has no such list: a program keeps its own.",
    python: r#"
import threading
from time import sleep

def live():
    return [thread.name for thread in threading.enumerate()]

print("before", live())
for steps, name in enumerate(["alpha", "beta", "gamma"], start=1):
    threading.Thread(target=sleep, args=(steps,), name=name).start()
print("all started", live())
for thread in threading.enumerate():
    if thread.name == "beta":
        thread.join()
print("beta joined", live())
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
print("all joined", live())
"#,
    plain_std: r#"
use std::thread::{self, JoinHandle};
use std::time::Duration;

fn live(workers: &[(&'static str, JoinHandle<()>)]) -> Vec<&'static str> {
    let live = workers.iter().filter(|(_, worker)| !worker.is_finished());
    live.map(|(name, _)| *name).collect()
}

fn main() {
    let mut workers = Vec::new();
    println!("before {:?}", live(&workers));
    for (steps, name) in [(1, "alpha"), (2, "beta"), (3, "gamma")] {
        let sleep = move || thread::sleep(Duration::from_secs(steps));
        workers.push((name, thread::spawn(sleep)));
    }
    println!("all started {:?}", live(&workers));
    let beta = workers.iter().position(|(name, _)| *name == "beta").unwrap();
    workers.remove(beta).1.join().unwrap();
    println!("beta joined {:?}", live(&workers));
    for (_, worker) in workers.drain(..) {
        worker.join().unwrap();
    }
    println!("all joined {:?}", live(&workers));
}
"#,
    related: &["join-current", "many", "daemon"],
    source: include_str!("enumerate.rs"),
};
