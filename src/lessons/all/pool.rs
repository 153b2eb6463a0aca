use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;

use anyhow::{bail, ensure};

use crate::jobs::checksum::{Algorithm, ChecksumError, digest_file};
use crate::join::{Builder, Context, Pool};
use crate::lessons::{RunLog, Trace};

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
    trace.print("everything is queued");

    let mut done: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for task in &tasks {
        match trace.wait(task.name(), || task.join())? {
            Ok(thread) => done.entry(thread).or_default().push(task.name()),
            Err(why) => bail!("{why}"),
        }
    }
    trace.print("everything is joined");
    trace.row(&[&"thread", &"files", &"which"]);
    for (thread, files) in done {
        trace.row(&[&thread, &files.len(), &files.join(", ")]);
    }
    Ok(())
}

/// The first file takes five times as long as any other. Gives the thread that did it.
fn work(trace: &Trace, context: &Context, n: u32, path: &Path) -> Result<String, ChecksumError> {
    let times = if n == 1 { 5 } else { 1 };
    trace.sleep(trace.duration("work") * times);
    let checksum = digest_file(path, Algorithm::Crc32, context)?;
    trace.print(format!("file {n}: {}", checksum.digest));
    Ok(thread::current().name().unwrap_or_default().to_owned())
}

fn verify(log: &RunLog) -> anyhow::Result<()> {
    let joined = log.time_of("main", "everything is joined")?;
    let lanes = log.timeline().lanes();
    let threads = lanes.iter().filter(|lane| lane.name != "main");
    let threads = threads.count();
    ensure!(
        threads <= log.count("threads"),
        "{threads} threads had a share"
    );
    for n in 1..=log.count("files") {
        let file = format!("file {n}: ");
        let done = log.messages().iter();
        let done: Vec<_> = done.filter(|said| said.text.starts_with(&file)).collect();
        ensure!(done.len() == 1, "{file} was done {} times", done.len());
        ensure!(done[0].at <= joined, "{file} was not waited for");
    }
    // Where a file takes no time, one thread may take all of them before another is awake.
    let is_long = log.seconds("work") >= 0.25;
    let is_shared = log.count("threads").min(log.count("files")) > 1;
    ensure!(
        !(is_long && is_shared) || threads > 1,
        "one thread did everything"
    );
    Ok(())
}

// About the lesson.

use crate::lessons::{Lesson, Level, Parameter, Question, Topic, WorkerKind};

pub(super) static LESSON: Lesson = Lesson {
    id: "pool",
    title: "Many files, a few threads",
    topic: Topic::Several,
    level: Level::Medium,
    question: Question {
        text: "Twelve files wait in the queue of a pool of three threads, and the first one takes \
               five times as long as any other. Which thread does which file?",
        choices: &[
            "Each thread gets four of them at the beginning",
            "They take turns: first, second, third, first, \u{2026}",
            "Whichever is free takes the next one",
        ],
        right: 2,
    },
    parameters: &[
        Parameter::secs("work", "A file takes (s)", 0.3),
        Parameter::count("files", "Files", 12, 1, 100),
        Parameter::count("threads", "Threads", 3, 1, 16),
    ],
    worker_kinds: &[WorkerKind::Task],
    main,
    roles: &[],
    verify,
    explanation: "A pool is a queue and a few threads that take from it. Queueing costs nearly \
                  nothing: main is through with all files before the first one is done. Whichever \
                  thread is free takes the next, so one that is held up by a long file does fewer, \
                  and the load spreads by itself: in the lanes no thread stands idle while there \
                  is something in the queue.\n\n\
                  What is joined is each task, not the threads: they live on and wait for more. \
                  The joins go through the files in their order, and most of them return at once, \
                  because the file was done while another was waited for. Python has this in \
                  `ThreadPoolExecutor`, whose futures are joined with `result()`; std has no pool, \
                  so a channel and a few threads are one. Threads are better capped: more of them \
                  than there are cores only take turns.",
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
    print("everything is queued")
    for task in tasks:
        print(*task.result())
print("everything is joined")
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
        worker.join().unwrap(); // each ends when the queue is empty
    }
    println!("everything is joined");
}
"#,
    related: &["strategies", "many", "queue", "thread-starvation"],
    source: include_str!("pool.rs"),
};
