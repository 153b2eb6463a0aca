use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;

use anyhow::{bail, ensure};
use meanwhile::jobs::checksum::{Algorithm, ChecksumError, digest_file};
use meanwhile::join::{Builder, Context, Pool};
use meanwhile::lessons::{RunLog, Trace};

pub(super) fn main(trace: &Trace) -> anyhow::Result<()> {
    let threads = trace.count("threads");
    let pool = Pool::builder().name("worker").threads(threads).build()?;
    let mut tasks = Vec::new();
    for n in (1_u32..).take(trace.count("files")) {
        let path = trace.folder().join(format!("file {n}"));
        fs::write(&path, format!("This is file {n}."))?;
        let work = trace.pool_task(move |trace, context| work(trace, context, n, &path));
        tasks.push(Builder::new(format!("file {n}")).spawn_on(&pool, work)?);
    }
    trace.print("all files are queued");

    let mut done: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for task in &tasks {
        match trace.wait(task.name(), || task.join())? {
            Ok(thread) => done.entry(thread).or_default().push(task.name()),
            Err(why) => bail!("{why}"),
        }
    }
    trace.print("all files are done");
    trace.row(&[&"thread", &"files", &"names"]);
    for (thread, files) in done {
        trace.row(&[&thread, &files.len(), &files.join(", ")]);
    }
    Ok(())
}

/// Computes a checksum and returns the name of the thread. The first file takes five times as long.
fn work(trace: &Trace, context: &Context, n: u32, path: &Path) -> Result<String, ChecksumError> {
    let times = if n == 1 { 5 } else { 1 };
    trace.sleep(trace.duration("work") * times);
    let checksum = digest_file(path, Algorithm::Crc32, context)?;
    trace.print(format!("file {n}: {}", checksum.digest));
    Ok(thread::current().name().unwrap_or_default().to_owned())
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let joined = log.time_of("main", "all files are done")?;
    let threads = log.timeline().lanes().len() - 1;
    ensure!(
        threads <= log.count("threads"),
        "{threads} threads did the work"
    );
    for n in 1..=log.count("files") {
        let file = format!("file {n}: ");
        let done = log.messages().iter();
        let done: Vec<_> = done.filter(|said| said.text.starts_with(&file)).collect();
        ensure!(done.len() == 1, "{file}done {} times", done.len());
        ensure!(done[0].at <= joined, "{file}done after the joins");
    }
    // If the files take no time, one thread may do all of them.
    let is_long = log.seconds("work") >= 0.25;
    let can_share = log.count("threads").min(log.count("files")) > 1;
    ensure!(
        !(is_long && can_share) || threads > 1,
        "one thread did all the work"
    );
    Ok(())
}

// About the lesson.

use meanwhile::lessons::{Lesson, Level, Parameter, Question, Topic, WorkerKind};

pub(super) static LESSON: Lesson = Lesson {
    id: "pool",
    title: "Many files, a few threads",
    topic: Topic::Several,
    level: Level::Medium,
    question: Question {
        text: "Twelve files wait in the queue of a pool of three threads, and the first one \
               takes five times as long as any other. Which thread gets which file?",
        choices: &[
            "Each thread gets four of them at the beginning",
            "They take turns: first, second, third, first, \u{2026}",
            "Any free thread takes the next file",
        ],
        right: 2,
    },
    parameters: &[
        Parameter::secs("work", "A file takes (s)", 0.3),
        Parameter::count("files", "Files", 12, 1, 100),
        Parameter::count("threads", "Threads", 3, 1, 16),
    ],
    worker_kinds: &[WorkerKind::Task],
    lanes: 4,
    main,
    roles: &[],
    verify,
    explanation: "A pool is a queue, and a few threads that take tasks from it. Queueing is almost \
                  free: main has queued all files before the first one is done. A free thread \
                  takes the next file, so a thread with a long file does fewer of them, and the \
                  load balances itself. In the timeline, no thread is idle while files are queued.\n\n\
                  Main joins the tasks, not the threads, which wait for more work. The joins go \
                  through the files in order. Most of them return at once, because the file was \
                  done while main waited for another. Python has this in `ThreadPoolExecutor`, \
                  where `result()` joins. std has no pool, but a queue and a few threads make one. \
                  A limit on threads helps: more threads than cores only take turns.",
    python: r#"
from concurrent.futures import ThreadPoolExecutor
from threading import current_thread
from time import sleep
from zlib import crc32

def work(n):
    sleep(1.5 if n == 1 else 0.3)
    checksum = crc32(f"This is file {n}.".encode())
    return n, f"{checksum:08x}", current_thread().name

with ThreadPoolExecutor(max_workers=3, thread_name_prefix="worker") as pool:
    tasks = [pool.submit(work, n) for n in range(1, 13)]
    print("all files are queued")
    for task in tasks:
        print(*task.result())
print("all files are done")
"#,
    plain_std: r#"
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

fn work(n: u64) -> u32 {
    let millis = if n == 1 { 1_500 } else { 300 };
    thread::sleep(Duration::from_millis(millis));
    crc32(format!("This is file {n}.").as_bytes())
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    !crc
}

fn main() {
    let queue: VecDeque<u64> = (1..=12).collect();
    let queue = Arc::new(Mutex::new(queue));
    let workers: Vec<_> = (1..=3)
        .map(|worker| {
            let queue = queue.clone();
            thread::spawn(move || {
                let next = || queue.lock().unwrap().pop_front();
                while let Some(n) = next() {
                    println!("worker {worker}, file {n}: {:08x}", work(n));
                }
            })
        })
        .collect();
    for worker in workers {
        worker.join().unwrap(); // it ends when the queue is empty
    }
    println!("all files are done");
}
"#,
    related: &["strategies", "many", "queue", "thread-starvation"],
    source: include_str!("pool.rs"),
};
