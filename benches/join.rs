//! The join library compared with its alternatives, all measured in the same run.
//!
//! The medians are compared, and for overshoot the 95th percentiles.
//!
//! `cargo bench -p meanwhile-join --bench join`, or with `-- pool wake` these parts alone.

mod harness;

use std::hint::black_box;
use std::io::Write as _;
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::{Duration, Instant};

use harness::{Bench, at_quantile, timed};
use meanwhile_join::{Builder, Changes, Pool, Priority, Task, as_completed};
use poll_promise::Promise;
use rayon::prelude::*;

fn main() -> std::io::Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some(MEMORY_OF_OURS) => return print_bytes_each(queued_tasks),
        Some(MEMORY_OF_RAYON) => return print_bytes_each(queued_rayon_jobs),
        _ => {}
    }
    let bench = Bench::from_args();
    let named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    for (name, measure) in PARTS {
        if named.is_empty() || named.iter().any(|it| it == name) {
            measure(&bench)?;
        }
    }
    Ok(())
}

type Measure = fn(&Bench) -> std::io::Result<()>;

const PARTS: [(&str, Measure); 12] = [
    ("memory", memory),
    ("thread", spawn_and_join),
    ("pool", pool),
    ("blocking", blocking_pool),
    ("completed", completed),
    ("polling", polling),
    ("changed", some_changed),
    ("wake", wake_up),
    ("cancel", cancel),
    ("overshoot", overshoot),
    ("progress", progress),
    ("panics", panics),
];

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

/// The tasks of a round of [`pool`] and [`blocking_pool`].
const TASKS: u32 = 1_000;

fn pool(bench: &Bench) -> std::io::Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = normal_pool(threads);
    let rayon = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .expect("threads");
    let tokio = tokio_runtime(threads);
    bench.compare(
        "a task on a pool, one of 1 000 spawned and then joined",
        1_000,
        0.5,
        f64::from(TASKS),
        vec![
            ("meanwhile", Box::new(|| pool_tasks(&pool))),
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
        ],
    )
}

/// Apart from [`pool`]: the hundreds of threads that `spawn_blocking` starts still go to sleep while the
/// next contender runs, and that was always the same one.
fn blocking_pool(bench: &Bench) -> std::io::Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = normal_pool(threads);
    let tokio = tokio_runtime(threads);
    bench.compare(
        "a task on a pool, beside one on a thread of hundreds",
        1_000,
        0.5,
        f64::from(TASKS),
        vec![
            ("meanwhile", Box::new(|| pool_tasks(&pool))),
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

/// The time of [`TASKS`] that are spawned and then joined.
fn pool_tasks(pool: &Pool) -> Duration {
    timed(|| {
        let tasks: Vec<Task<u32>> = (0..TASKS)
            .map(|n| {
                Builder::default()
                    .spawn_on(pool, move |_| work(n))
                    .expect("queued")
            })
            .collect();
        for task in tasks {
            black_box(*task.join().expect("returned"));
        }
    })
}

fn normal_pool(threads: usize) -> Pool {
    Pool::builder()
        .threads(threads)
        .priority(Priority::Normal)
        .build()
        .expect("threads")
}

fn tokio_runtime(threads: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .build()
        .expect("threads")
}

/// Tasks that end while they are awaited, taken by a task and by a thread that runs none: only the
/// waits of tasks are checked for deadlock cycles.
fn completed(bench: &Bench) -> std::io::Result<()> {
    let tasks = bench.many(100_000);
    let take_all = move || {
        let queue = Queue::new(tasks);
        let completed = as_completed(queue.tasks.clone());
        timed(|| {
            queue.release();
            assert_eq!(completed.flatten().count(), tasks);
        })
    };
    bench.compare(
        "a task out of 100 000 from as_completed, while they run",
        20,
        0.5,
        tasks as f64,
        vec![
            (
                "by a task",
                Box::new(move || {
                    let taker = Builder::new("bench").spawn(move |_| take_all());
                    *taker.expect("a thread").join().expect("returned")
                }),
            ),
            (
                "by a thread",
                Box::new(move || {
                    std_join(
                        std::thread::Builder::new()
                            .spawn(take_all)
                            .expect("a thread"),
                    )
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

/// The joiner and the threads that end are kept on a core each. Otherwise the system decides whether they
/// share one, differently for each contender, and then no other core has to be woken.
fn wake_up(bench: &Bench) -> std::io::Result<()> {
    let mut compared = Ok(());
    std::thread::scope(|scope| {
        scope.spawn(|| compared = wake_up_across_cores(bench));
    });
    compared
}

fn wake_up_across_cores(bench: &Bench) -> std::io::Result<()> {
    keep_on_core(0);
    bench.compare(
        "from the end of a task to its joiner running again",
        3_000,
        0.5,
        1.0,
        vec![
            (
                "meanwhile",
                Box::new(|| {
                    let task = Builder::new("bench")
                        .spawn(|_| settle_elsewhere())
                        .expect("a thread");
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
                            let ended = settle_elsewhere();
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
                    std_join(
                        std::thread::Builder::new()
                            .spawn(settle_elsewhere)
                            .expect("a thread"),
                    )
                    .elapsed()
                }),
            ),
            (
                "poll-promise",
                Box::new(|| {
                    let promise = Promise::spawn_thread("bench", settle_elsewhere);
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

/// Prints the memory of queued tasks, each kind in a process of its own. Then that of many tasks
/// twice: the allocator decides when it returns the memory of ended tasks to the system, and the
/// second round shows that it is used again.
fn memory(_bench: &Bench) -> std::io::Result<()> {
    let before = resident_bytes()?;
    let queue = Queue::new(QUEUED);
    let queued = resident_bytes()?;
    drop(queue);
    let ended = resident_bytes()?;
    let queue = Queue::new(QUEUED);
    let again = resident_bytes()?;
    drop(queue);
    let ours = bytes_each(MEMORY_OF_OURS)?;
    let rayon = bytes_each(MEMORY_OF_RAYON)?;
    let [before, queued, ended, again] = [before, queued, ended, again].map(|bytes| bytes >> 20);
    writeln!(
        std::io::stdout(),
        "resident memory of 100 000 queued pool tasks, each with its handle\n    \
         {:<28} {ours:>10.0} B\n    {:<28} {rayon:>10.0} B   ours / this {:.2}\n    \
         those that report changes: {before} MiB before, {queued} queued, {ended} ended, {again} queued again",
        "meanwhile",
        "rayon + oneshot",
        ours / rayon
    )
}

const QUEUED: usize = 100_000;
const MEMORY_OF_OURS: &str = "memory-of-ours";
const MEMORY_OF_RAYON: &str = "memory-of-rayon";

/// Returns what this program prints when it is started to measure one kind.
fn bytes_each(kind: &str) -> std::io::Result<f64> {
    let program = std::env::current_exe()?;
    let output = std::process::Command::new(program).arg(kind).output()?;
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .map_err(std::io::Error::other)
}

/// Prints the growth of this process by `fill`, for each of the queued. The code that is loaded and the
/// first thread, which one task needs too, do not count.
fn print_bytes_each<T>(fill: fn(usize) -> T) -> std::io::Result<()> {
    drop(fill(1));
    let before = resident_bytes()?;
    let filled = fill(QUEUED);
    let bytes = resident_bytes()?.saturating_sub(before);
    drop(filled);
    writeln!(std::io::stdout(), "{}", bytes / QUEUED)
}

fn queued_tasks(count: usize) -> Queue {
    Queue::spawn(|pool| {
        let tasks = (0..count).map(|_| pool.spawn(|_| ()));
        tasks.collect()
    })
}

fn queued_rayon_jobs(count: usize) -> impl Sized {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.expect("a thread");
    let (release, released) = mpsc::channel::<()>();
    pool.spawn(move || {
        released.iter().next();
    });
    let receivers = (0..count).map(|_| {
        let (send, receive) = tokio::sync::oneshot::channel();
        pool.spawn(move || {
            send.send(()).ok();
        });
        receive
    });
    let receivers: Vec<_> = receivers.collect();
    (release, pool, receivers)
}

/// Tasks that stay queued behind a blocked one until this is dropped.
struct Queue {
    changes: Changes,
    tasks: Vec<Task<()>>,
    release: crossbeam_channel::Sender<()>,
}

impl Queue {
    /// Tasks that report to `changes`.
    fn new(count: usize) -> Self {
        let changes = Changes::new(|| ());
        let mut queue = Self::spawn(|pool| {
            let task = || {
                Builder::default()
                    .report_to(&changes)
                    .spawn_on(pool, |_| ())
            };
            (0..count).map(|_| task().expect("queued")).collect()
        });
        queue.changes = changes;
        queue
    }

    fn spawn(spawn: impl FnOnce(&Pool) -> Vec<Task<()>>) -> Self {
        let pool = Pool::builder().threads(1).priority(Priority::Normal);
        let pool = pool.build().expect("a thread");
        let (release, released) = crossbeam_channel::bounded::<()>(1);
        let blocker = Builder::new("blocker").spawn_on(&pool, move |_| released.iter().next());
        drop(blocker.expect("queued"));
        Self {
            changes: Changes::new(|| ()),
            tasks: spawn(&pool),
            release,
        }
    }

    /// Lets the tasks run.
    fn release(&self) {
        // If it is full, they run already.
        self.release.try_send(()).ok();
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.release();
        for task in &self.tasks {
            task.join().expect("returned");
        }
    }
}

fn work(n: u32) -> u32 {
    black_box(n).wrapping_mul(2_654_435_761)
}

fn settle_elsewhere() -> Instant {
    keep_on_core(1);
    settle()
}

/// Keeps this thread on one core. A system that refuses it measures without.
fn keep_on_core(core: usize) {
    #[cfg(target_os = "linux")]
    {
        let mut cores = rustix::thread::CpuSet::new();
        cores.set(core);
        rustix::thread::sched_setaffinity(None, &cores).ok();
    }
    #[cfg(not(target_os = "linux"))]
    let _ = core;
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
