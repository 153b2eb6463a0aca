//! A board with somebody who follows it, as a window does.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use meanwhile::board::JobBoard;
use meanwhile::jobs::misbehave::{self, End};
use meanwhile::jobs::{JobSpec, Options, Priority, RunOn};
use meanwhile::join::process::Launcher;
use meanwhile::record::{JobId, JobRecord, Record};

/// Far beyond anything a test waits for; reached only when something hangs.
const LIMIT: Duration = Duration::from_mins(1);

/// Where a job may run: what holds for one holds for the others.
pub(crate) const PLACES: [RunOn; 3] = [RunOn::Pool, RunOn::Thread, RunOn::Process];

/// A time that no test waits for.
pub(crate) const FOR_EVER: f64 = 100_000.0;

/// A board, its record, and the wake-ups that came.
pub(crate) struct Desk {
    pub(crate) board: JobBoard,
    pub(crate) record: Record,
    pub(crate) woken: Receiver<()>,
}

impl Desk {
    /// A board whose isolated workers are the built program.
    pub(crate) fn new() -> Self {
        static LAUNCHER: LazyLock<Launcher> =
            LazyLock::new(|| Launcher::of_program(env!("CARGO_BIN_EXE_meanwhile")));
        Self::with(|board| board.with_launcher(LAUNCHER.clone()))
    }

    /// A board that `prepare` has had in hands.
    pub(crate) fn with(prepare: impl FnOnce(JobBoard) -> JobBoard) -> Self {
        let (wake, woken) = crossbeam_channel::bounded(1);
        let wake = move || {
            // Full: a wake-up is there already. Disconnected: the test is over.
            let _unneeded = wake.try_send(());
        };
        Self {
            board: prepare(JobBoard::new(wake)),
            record: Record::default(),
            woken,
        }
    }

    pub(crate) fn start(&mut self, spec: JobSpec) -> JobId {
        let job = self
            .board
            .start(spec)
            .expect("the system has a thread left");
        self.poll();
        job
    }

    pub(crate) fn poll(&mut self) -> usize {
        let events = self.board.poll(10_000);
        let count = events.len();
        for event in events {
            self.record.apply(event);
        }
        count
    }

    pub(crate) fn job(&self, job: JobId) -> &JobRecord {
        self.record
            .job(job)
            .expect("the record has every job that was started")
    }

    /// Polls when woken or due until `done` holds.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&Record) -> bool) {
        let start = Instant::now();
        while !done(&self.record) {
            assert!(
                start.elapsed() < LIMIT,
                "waited in vain: {what}\n{:?}",
                self.record
            );
            let due = self.board.wants_poll_in().unwrap_or(LIMIT);
            let _woken_or_due = self.woken.recv_timeout(due);
            self.poll();
        }
    }

    #[track_caller]
    pub(crate) fn until_ended(&mut self, job: JobId) {
        self.until("the job ends", |record| {
            record.job(job).is_some_and(|job| job.state().is_ended())
        });
    }

    /// The words for the states of a job's items.
    pub(crate) fn words(&self, job: JobId) -> Vec<&'static str> {
        let items = self.job(job).items();
        items.iter().map(|item| item.state.word()).collect()
    }
}

/// The job that misbehaves: `count` items, of which `item` (from 1; 0 for all) ends like that.
pub(crate) fn misbehave(end: End, item: usize, count: usize) -> misbehave::Options {
    misbehave::Options {
        end,
        item,
        count,
        ..misbehave::Options::default()
    }
}

/// That job on two workers.
pub(crate) fn spec(run_on: RunOn, options: misbehave::Options) -> JobSpec {
    JobSpec {
        options: Options::Misbehave(options),
        inputs: Vec::<PathBuf>::new(),
        run_on,
        workers: 2,
        // At background priority a test would wait for all that the machine does beside.
        priority: Priority::Normal,
    }
}

/// A job with one item that sleeps until it is cancelled.
pub(crate) fn sleeper(run_on: RunOn, count: usize) -> JobSpec {
    let options = misbehave::Options {
        after: FOR_EVER,
        ..misbehave(End::Sleep, 1, count)
    };
    spec(run_on, options)
}
