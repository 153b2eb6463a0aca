use std::fmt::Debug;
use std::hint::black_box;
use std::io::{self, Write as _};
use std::panic::panic_any;

use anyhow::bail;
use meanwhile::join::{self, JoinError};
use meanwhile::lessons::{Role, RunLog, Trace, WorkerKind};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    trace.row(&[&"worker does", &"as", &"join returns", &"printed"]);
    let mut as_processes = ROLES;
    if trace.worker_kind() == WorkerKind::Task {
        task(trace, "value", |_| 42)?;
        task(trace, "error", |_| Err::<u32, _>("no such file"))?;
        task(trace, "panic", |_| -> u32 { panic!("the disk is full") })?;
        task(trace, "payload", |_| -> u32 { panic_any(404) })?;
        // The others would end this program.
        as_processes = &ROLES[4..];
    }
    for (role, _) in as_processes {
        process(trace, role)?;
    }
    Ok(())
}

fn task<T>(trace: &Trace, name: &str, body: fn(&Trace) -> T) -> anyhow::Result<()>
where
    T: Debug + Send + Sync + 'static,
{
    let task = join::spawn(name, trace.task(name, body))?;
    let returns = match trace.wait(name, || task.join()) {
        Ok(value) => format!("Ok({value:?})"),
        Err(JoinError::Panicked(report)) => format!("Err(Panicked: {})", report.message()),
        Err(error) => format!("Err({error})"),
    };
    trace.row(&[&name, &"task", &returns, &"-"]);
    Ok(())
}

fn process(trace: &Trace, role: &str) -> anyhow::Result<()> {
    let program = trace.program(role).current_dir(trace.folder());
    let process = trace.spawn_process(program)?;
    if role == "signal" {
        process.kill()?;
    }
    let exit = trace.wait(role, || process.join())?;
    let output = process.output();
    let printed = format!("{}{}", output.stdout.text(), output.stderr.text());
    let lines = printed.lines().filter(|line| !line.is_empty()).take(2);
    let lines: Vec<&str> = lines.collect();
    trace.row(&[&role, &"process", &exit, &lines.join(" / ")]);
    Ok(())
}

const ROLES: &[(&str, Role)] = &[
    ("value", |_| Ok(writeln!(io::stdout(), "42")?)),
    ("error", |_| bail!("no such file")),
    ("panic", |_| panic!("the disk is full")),
    ("payload", |_| panic_any(404)),
    ("code", |_| std::process::exit(7)),
    ("signal", |trace| {
        trace.sleep(trace.seconds(3600.0));
        Ok(())
    }),
    ("abort", |_| std::process::abort()),
    ("overflow", |_| {
        join::spawn("deep", |_| overflow(0))?.join()?;
        Ok(())
    }),
];

fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if depth == u64::MAX {
        return depth;
    }
    overflow(depth + 1).wrapping_add(frame[63])
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let outcomes = [
        ("value", "Ok(42)", "-"),
        ("error", "Ok(Err(\"no such file\"))", "-"),
        ("panic", "Err(Panicked: the disk is full)", "-"),
        ("payload", "Err(Panicked: non-string payload)", "-"),
    ];
    let mut expected = [
        ("value", "exited with code 0", "42"),
        ("error", "exited with code 1", "no such file"),
        ("panic", "exited with code 101", "the disk is full"),
        ("payload", "exited with code 101", "panicked"),
        ("code", "exited with code 7", ""),
        ("signal", "killed by signal 9 (SIGKILL)", ""),
        ("abort", "killed by signal 6 (SIGABRT)", ""),
        ("overflow", "killed by signal 6 (SIGABRT)", "stack"),
    ];
    if log.worker_kind() == WorkerKind::Task {
        expected[..4].copy_from_slice(&outcomes);
    }
    for (name, returns, printed) in expected {
        let row = log.table().iter().find(|row| row[0] == name);
        let row = row.with_context(|| format!("there is no row {name}"))?;
        ensure!(
            row[2] == returns && row[3].contains(printed),
            "{name}: {}, printed: {}",
            row[2],
            row[3]
        );
    }
    Ok(())
}

// About the lesson.

use anyhow::{Context as _, ensure};
use meanwhile::lessons::{Lesson, Level, Question, Topic};

pub(super) static LESSON: Lesson = Lesson {
    id: "propagation",
    title: "What crosses a join",
    topic: Topic::Failing,
    level: Level::Hard,
    question: Question {
        text: "A worker is a thread of your program, and its stack overflows. What does its \
               join return?",
        choices: &[
            "An error, as after a panic",
            "Nothing: the whole program ends",
            "The value that it had computed so far",
        ],
        right: 1,
    },
    parameters: &[],
    worker_kinds: &[WorkerKind::Task, WorkerKind::Process],
    lanes: 9,
    main,
    roles: ROLES,
    verify,
    explanation: "A task passes on a value of any type, so a returned `Err` is a value like any \
                  other. A panic arrives as a report with its message, if that is text; std keeps \
                  the payload itself in a `Box<dyn Any>`. `exit`, `abort`, a stack overflow and a \
                  fatal signal end the process with all its threads, and with it the caller of \
                  `join`. That is why they always run as processes here.\n\n\
                  A join of a process returns a code or a signal and nothing else. A panic is code \
                  101, an error of `main` is code 1, and the message is on stderr. If a stack \
                  overflows, Rust ends the process by SIGABRT on purpose. In Python, \
                  `Thread.join()` returns no value at all; `concurrent.futures` passes on the \
                  value and the exception. A Python `Process` has an `exitcode`, in which a signal \
                  is a negative number: SIGKILL is -9.",
    python: r#"
import os, signal, sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Process

def value():
    return 42

def error():
    raise OSError("the disk is full")

def code():
    sys.exit(7)

def killed():
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    with ThreadPoolExecutor() as pool:
        print(pool.submit(value).result())
        print(repr(pool.submit(error).exception()))
    for work in (value, error, code, killed, os.abort):
        process = Process(target=work)
        process.start()
        process.join()
        print(work.__name__, process.exitcode)
"#,
    plain_std: r#"
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::thread;

fn main() {
    println!("{:?}", thread::spawn(|| 42).join());
    println!("{:?}", thread::spawn(|| "x".parse::<u32>()).join());
    let text = thread::spawn(|| panic!("the disk is full")).join();
    println!("{:?}", text.unwrap_err().downcast_ref::<&str>());
    let number = thread::spawn(|| std::panic::panic_any(404)).join();
    println!("{:?}", number.unwrap_err().downcast_ref::<i32>());
    for script in ["exit 7", "kill -KILL $$", "kill -ABRT $$"] {
        let status = Command::new("sh").args(["-c", script]).status().unwrap();
        println!("{script}: {:?} {:?}", status.code(), status.signal());
    }
}
"#,
    related: &["join-error", "cancel", "panic-unwrapped"],
    source: include_str!("propagation.rs"),
};
