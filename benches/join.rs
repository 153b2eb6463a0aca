//! The join library compared with its alternatives, all measured in the same run.
//!
//! The medians are compared, and for overshoot the 95th percentiles.
//!
//! `cargo bench -p meanwhile-join --bench join`

mod harness;

use std::hint::black_box;
use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use harness::{Bench, at_quantile, timed};
use meanwhile_join::{Builder, Changes, Pool, Priority, Task};
use poll_promise::Promise;
use rayon::prelude::*;

fn main() -> std::io::Result<()> {
    let bench = Bench::from_args();
    memory()?;
    spawn_and_join(&bench)?;
    pool(&bench)?;
    polling(&bench)?;
    some_changed(&bench)?;
    wake_up(&bench)?;
    cancel(&bench)?;
    overshoot(&bench)?;
    progress(&bench)?;
    panics(&bench)
}

fn spawn_and_join(bench: &Bench) -> std::io::Result<()> {
    bench.compare(
        "spawn and join a thread",
        5_000,
        0.5,
        1.0,
        vec![
            (
                "meanwhile",
                Box::new(|| {
                    timed(|| {
                        let task = Builder::new("bench")
                            .spawn(|_| black_box(1))
                            .expect("a thread");
                        black_box(*task.join().expect("returned"));
                    })
                }),
            ),
            (
                "std::thread",
                Box::new(|| {
                    timed(|| {
                        let thread = std::thread::Builder::new()
                            .name("bench".to_owned())
                            .spawn(|| black_box(1))
                            .expect("a thread");
                        black_box(std_join(thread));
                    })
                }),
            ),
            (
                "poll-promise",
                Box::new(|| {
                    timed(|| {
                        let promise = Promise::spawn_thread("bench", || black_box(1));
                        black_box(*promise.block_until_ready());
                    })
                }),
            ),
        ],
    )
}

#[expect(clippy::too_many_lines, reason = "five contenders, each shown whole")]
fn pool(bench: &Bench) -> std::io::Result<()> {
    const TASKS: u32 = 1_000;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = Pool::builder()
        .threads(threads)
        .priority(Priority::Normal)
        .build()
        .expect("threads");
    let rayon = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("threads");
    let tokio = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .build()
        .expect("threads");
    bench.compare(
        "a task on a pool, one of 1 000 spawned and then joined",
        1_000,
        0.5,
        f64::from(TASKS),
        vec![
            (
                "meanwhile",
                Box::new(|| {
                    timed(|| {
                        let tasks: Vec<Task<u32>> = (0..TASKS)
                            .map(|n| {
                                Builder::default()
                                    .spawn_on(&pool, move |_| work(n))
                                    .expect("queued")
                            })
                            .collect();
                        for task in tasks {
                            black_box(*task.join().expect("returned"));
                        }
                    })
                }),
            ),
            (
                "rayon + oneshot",
                Box::new(|| {
                    timed(|| {
                        let receivers: Vec<_> = (0..TASKS)
                            .map(|n| {
                                let (send, receive) = tokio::sync::oneshot::channel();
                                rayon.spawn(move || send.send(work(n)).expect("awaited"));
                                receive
                            })
                            .collect();
                        for receive in receivers {
                            black_box(receive.blocking_recv().expect("sent"));
                        }
                    })
                }),
            ),
            (
                "rayon parallel iterator",
                Box::new(|| {
                    timed(|| {
                        let sums: Vec<u32> = rayon.install(|| {
                            (0..TASKS)
                                .into_par_iter()
                                .with_max_len(1)
                                .map(work)
                                .collect()
                        });
                        black_box(sums);
                    })
                }),
            ),
            (
                "tokio spawn",
                Box::new(|| {
                    timed(|| {
                        tokio.block_on(async {
                            let tasks: Vec<_> = (0..TASKS)
                                .map(|n| tokio.spawn(async move { work(n) }))
                                .collect();
                            for task in tasks {
                                black_box(task.await.expect("returned"));
                            }
                        });
                    })
                }),
            ),
            (
                "tokio spawn_blocking",
                Box::new(|| {
                    timed(|| {
                        tokio.block_on(async {
                            let tasks: Vec<_> = (0..TASKS)
                                .map(|n| tokio.spawn_blocking(move || work(n)))
                                .collect();
                            for task in tasks {
                                black_box(task.await.expect("returned"));
                            }
                        });
                    })
                }),
            ),
        ],
    )
}

fn polling(bench: &Bench) -> std::io::Result<()> {
    let queue = Queue::new(100_000);
    let (_senders, promises): (Vec<_>, Vec<_>) =
        (0..100_000).map(|_| Promise::<u32>::new()).unzip();
    bench.compare(
        "one frame over 100 000 running tasks of which none has changed",
        300,
        0.5,
        1.0,
        vec![
            (
                "meanwhile, what changed",
                Box::new(|| {
                    timed(|| {
                        black_box(queue.changes.take(usize::MAX));
                    })
                }),
            ),
            (
                "meanwhile, each task",
                Box::new(|| {
                    timed(|| {
                        black_box(
                            queue
                                .tasks
                                .iter()
                                .filter(|task| task.poll().is_some())
                                .count(),
                        );
                    })
                }),
            ),
            (
                "poll-promise, each",
                Box::new(|| {
                    timed(|| {
                        black_box(
                            promises
                                .iter()
                                .filter(|promise| promise.ready().is_some())
                                .count(),
                        );
                    })
                }),
            ),
        ],
    )
}

fn some_changed(bench: &Bench) -> std::io::Result<()> {
    const CHANGED: usize = 1_000;
    let queue = Queue::new(100_000);
    let pool = Pool::builder().build().expect("threads");
    bench.compare(
        "one frame over 100 000 tasks of which 1 000 have changed, per change",
        300,
        0.5,
        CHANGED as f64,
        vec![(
            "meanwhile, what changed",
            Box::new(|| {
                for _ in 0..CHANGED {
                    let task = Builder::default()
                        .report_to(&queue.changes)
                        .spawn_on(&pool, |_| ());
                    task.expect("queued").join().expect("returned");
                }
                timed(|| drop(black_box(queue.changes.take(usize::MAX))))
            }),
        )],
    )
}

fn wake_up(bench: &Bench) -> std::io::Result<()> {
    bench.compare(
        "from the end of a task to its joiner running again",
        3_000,
        0.5,
        1.0,
        vec![
            (
                "meanwhile",
                Box::new(|| {
                    let task = Builder::new("bench").spawn(|_| settle()).expect("a thread");
                    task.join().expect("returned").elapsed()
                }),
            ),
            (
                "Condvar",
                Box::new(|| {
                    let shared = Arc::new((Mutex::new(None), Condvar::new()));
                    let thread = {
                        let shared = shared.clone();
                        std::thread::Builder::new().spawn(move || {
                            let ended = settle();
                            *shared.0.lock().expect("never poisoned") = Some(ended);
                            shared.1.notify_one();
                        })
                    };
                    let guard = shared.0.lock().expect("never poisoned");
                    let ended = shared
                        .1
                        .wait_while(guard, |ended| ended.is_none())
                        .expect("never poisoned");
                    let waited = ended.expect("set").elapsed();
                    drop(ended);
                    std_join(thread.expect("a thread"));
                    waited
                }),
            ),
            (
                "std::thread",
                Box::new(|| {
                    std_join(std::thread::Builder::new().spawn(settle).expect("a thread")).elapsed()
                }),
            ),
            (
                "poll-promise",
                Box::new(|| {
                    let promise = Promise::spawn_thread("bench", settle);
                    promise.block_until_ready().elapsed()
                }),
            ),
        ],
    )
}

/// How long a cancelled task that waits takes to end, beside a thread that waits for a message to stop.
fn cancel(bench: &Bench) -> std::io::Result<()> {
    bench.compare(
        "from the cancel of a waiting task to its end, 95th percentile",
        3_000,
        0.95,
        1.0,
        vec![
            (
                "meanwhile",
                Box::new(|| {
                    let (send, begun) = mpsc::channel();
                    let task = Builder::new("bench").spawn(move |context| {
                        send.send(()).expect("awaited");
                        context.sleep_until(None).expect_err("cancelled");
                        Instant::now()
                    });
                    let task = task.expect("a thread");
                    receive(&begun);
                    settle();
                    let cancelled = Instant::now();
                    task.cancel();
                    task.join().expect("returned").duration_since(cancelled)
                }),
            ),
            (
                "a channel",
                Box::new(|| {
                    let (send, begun) = mpsc::channel();
                    let (stop, stopped) = mpsc::channel();
                    let thread = std::thread::Builder::new().spawn(move || {
                        send.send(()).expect("awaited");
                        receive(&stopped);
                        Instant::now()
                    });
                    receive(&begun);
                    settle();
                    let cancelled = Instant::now();
                    stop.send(()).expect("it waits");
                    std_join(thread.expect("a thread")).duration_since(cancelled)
                }),
            ),
        ],
    )
}

fn overshoot(bench: &Bench) -> std::io::Result<()> {
    let never = Queue::new(1);
    let (_send, receive) = crossbeam_channel::bounded::<()>(0);
    let pair = (Mutex::new(()), Condvar::new());
    for (millis, rounds) in [(1, 1_000), (10, 200), (100, 30)] {
        let timeout = Duration::from_millis(millis);
        bench.compare(
            &format!("overshoot of a timeout of {millis} ms, 95th percentile"),
            rounds,
            0.95,
            1.0,
            vec![
                (
                    "meanwhile",
                    Box::new(|| {
                        late(timeout, || {
                            assert!(never.tasks[0].join_timeout(timeout).is_err());
                        })
                    }),
                ),
                (
                    "Condvar",
                    Box::new(|| {
                        late(timeout, || {
                            let guard = pair.0.lock().expect("never poisoned");
                            let waited = pair.1.wait_timeout_while(guard, timeout, |()| true);
                            drop(waited.expect("never poisoned"));
                        })
                    }),
                ),
                (
                    "crossbeam recv_timeout",
                    Box::new(|| {
                        late(timeout, || {
                            assert!(receive.recv_timeout(timeout).is_err());
                        })
                    }),
                ),
            ],
        )?;
    }
    Ok(())
}

fn progress(bench: &Bench) -> std::io::Result<()> {
    const UPDATES: u64 = 1_000_000;
    let changes = Changes::new(|| ());
    let task = Builder::new("progress").report_to(&changes).spawn({
        let rounds = bench.many(50);
        move |context| {
            let mut times: Vec<Duration> = (0..rounds)
                .map(|_| {
                    timed(|| {
                        (0..UPDATES).for_each(|n| context.set_progress(black_box(n), UPDATES));
                    })
                })
                .collect();
            at_quantile(&mut times, 0.5) / UPDATES as f64
        }
    });
    let each = *task.expect("a thread").join().expect("returned");
    writeln!(
        std::io::stdout(),
        "a progress update\n    {:<28} {:>9.2} ns",
        "meanwhile",
        each * 1e9
    )
}

fn panics(bench: &Bench) -> std::io::Result<()> {
    let pool = Pool::builder()
        .threads(1)
        .priority(Priority::Normal)
        .build()
        .expect("threads");
    let end = |panics: bool| {
        timed(|| {
            let task = Builder::new("bench").spawn_on(&pool, move |_| {
                assert!(!black_box(panics), "the task under test panics");
            });
            assert_eq!(task.expect("queued").join().is_err(), panics);
        })
    };
    bench.compare(
        "a pool task that ends, from spawn to outcome",
        3_000,
        0.5,
        1.0,
        vec![
            ("by a captured panic", Box::new(|| end(true))),
            ("by returning", Box::new(|| end(false))),
        ],
    )
}

/// Prints the memory of queued tasks. It runs first, while the process is small. The allocator
/// decides when it returns the memory of ended tasks to the system. The second round shows that it
/// is used again.
fn memory() -> std::io::Result<()> {
    const TASKS: usize = 100_000;
    let before = resident_bytes()?;
    let queue = Queue::new(TASKS);
    let queued = resident_bytes()?;
    drop(queue);
    let ended = resident_bytes()?;
    let queue = Queue::new(TASKS);
    let again = resident_bytes()?;
    drop(queue);
    let each = queued.saturating_sub(before) / TASKS;
    let [before, queued, ended, again] = [before, queued, ended, again].map(|bytes| bytes >> 20);
    writeln!(
        std::io::stdout(),
        "resident memory of 100 000 queued pool tasks\n    \
         {each} bytes each, handle included; {before} MiB before, {queued} queued, {ended} ended, {again} queued again"
    )
}

/// Tasks that stay queued behind a blocked one until this is dropped.
struct Queue {
    changes: Changes,
    tasks: Vec<Task<()>>,
    release: crossbeam_channel::Sender<()>,
}

impl Queue {
    fn new(count: usize) -> Self {
        let changes = Changes::new(|| ());
        let pool = Pool::builder().threads(1).build().expect("a thread");
        let (release, released) = crossbeam_channel::bounded::<()>(1);
        let blocker = Builder::new("blocker").spawn_on(&pool, move |_| released.iter().next());
        drop(blocker.expect("queued"));
        let tasks = (0..count)
            .map(|_| {
                Builder::default()
                    .report_to(&changes)
                    .spawn_on(&pool, |_| ())
            })
            .map(|task| task.expect("queued"))
            .collect();
        Self {
            changes,
            tasks,
            release,
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.release.send(()).expect("the blocker receives");
        for task in &self.tasks {
            task.join().expect("returned");
        }
    }
}

fn work(n: u32) -> u32 {
    black_box(n).wrapping_mul(2_654_435_761)
}

/// Spins until a joiner has surely parked, and returns the time at the end.
fn settle() -> Instant {
    let end = Instant::now() + Duration::from_micros(200);
    while Instant::now() < end {
        std::hint::spin_loop();
    }
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "this contender is measured")]
fn receive(messages: &mpsc::Receiver<()>) {
    messages.recv().expect("sent");
}

#[expect(clippy::disallowed_methods, reason = "this contender is measured")]
fn std_join<T>(thread: std::thread::JoinHandle<T>) -> T {
    thread.join().expect("returned")
}

/// The time by which a wait took longer than `timeout`. Panics if it was shorter.
fn late(timeout: Duration, wait: impl FnOnce()) -> Duration {
    timed(wait).checked_sub(timeout).expect("never early")
}

fn resident_bytes() -> std::io::Result<usize> {
    const PAGE: usize = 4096;
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages = statm
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<usize>().ok());
    Ok(pages.unwrap_or(0) * PAGE)
}
