//! A board with a record that follows it, as in a window.

use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;
use std::time::Instant;

use crossbeam_channel::Receiver;
use meanwhile::board::JobBoard;
use meanwhile::jobs::misbehave::{self, Misbehaviour};
use meanwhile::jobs::{JobSpec, Options, Priority, RunOn};
use meanwhile::join::process::Launcher;
use meanwhile::record::{JobId, JobRecord, Record};

use super::gate::TIMEOUT;

/// All ways to run a job.
pub(crate) const PLACES: [RunOn; 3] = [RunOn::Pool, RunOn::Thread, RunOn::Process];

/// A time in seconds. No test waits for its end.
pub(crate) const FOREVER: f64 = 100_000.0;

/// A board, its record, and its wake-ups. It derefs to the board.
pub(crate) struct TestBoard {
    pub(crate) board: JobBoard,
    pub(crate) record: Record,
    pub(crate) woken: Receiver<()>,
}

impl TestBoard {
    /// A board that starts commands and isolated workers as the built program does.
    pub(crate) fn new() -> Self {
        static LAUNCHER: LazyLock<Launcher> =
            LazyLock::new(|| Launcher::of_program(env!("CARGO_BIN_EXE_meanwhile")));
        Self::with(|board| board.with_launcher(LAUNCHER.clone()))
    }

    /// A board that starts commands without a launcher, and no isolated workers.
    pub(crate) fn unlaunched() -> Self {
        Self::with(|board| board)
    }

    /// A board that `configure` has changed.
    pub(crate) fn with(configure: impl FnOnce(JobBoard) -> JobBoard) -> Self {
        let (wake, woken) = crossbeam_channel::bounded(1);
        let wake = move || {
            // Fails when a wake-up is pending, or when the test is over.
            wake.try_send(()).ok();
        };
        Self {
            board: configure(JobBoard::new(wake)),
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

    /// Applies the events since the last poll to the record, and returns their number.
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
            .expect("the record has every started job")
    }

    /// Polls when woken or due, until `done` holds.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&Record) -> bool) {
        let start = Instant::now();
        while !done(&self.record) {
            assert!(
                start.elapsed() < TIMEOUT,
                "timed out waiting until {what}\n{:?}",
                self.record
            );
            let due = self.board.wants_poll_in().unwrap_or(TIMEOUT);
            // It fails when the poll is due.
            self.woken.recv_timeout(due).ok();
            self.poll();
        }
    }

    /// Waits for each next item as long as for a whole job, which may have any number of them.
    #[track_caller]
    pub(crate) fn until_ended(&mut self, job: JobId) {
        while !self.job(job).state().is_ended() {
            let ended = self.job(job).counts().ended();
            self.until("the job or its next item ends", |record| {
                let job = record.job(job);
                job.is_some_and(|job| job.state().is_ended() || job.counts().ended() > ended)
            });
        }
    }

    /// The labels of the states of a job's items.
    pub(crate) fn labels(&self, job: JobId) -> Vec<&'static str> {
        let items = self.job(job).items();
        items.iter().map(|item| item.state.label()).collect()
    }
}

impl Deref for TestBoard {
    type Target = JobBoard;

    fn deref(&self) -> &JobBoard {
        &self.board
    }
}

impl DerefMut for TestBoard {
    fn deref_mut(&mut self) -> &mut JobBoard {
        &mut self.board
    }
}

/// Options for `count` items, of which `item` (from 1; 0 for all) ends as `end`.
pub(crate) fn misbehave(end: Misbehaviour, item: usize, count: usize) -> misbehave::Options {
    misbehave::Options {
        end,
        item,
        count,
        ..misbehave::Options::default()
    }
}

/// A job with those options and two workers.
pub(crate) fn spec(run_on: RunOn, options: misbehave::Options) -> JobSpec {
    JobSpec {
        run_on,
        workers: 2,
        // At background priority a test would wait for everything else that the machine does.
        priority: Priority::Normal,
        ..JobSpec::new(Options::Misbehave(options))
    }
}

/// A job of `count` items, of which the first sleeps until it is cancelled.
pub(crate) fn sleeping_job(run_on: RunOn, count: usize) -> JobSpec {
    let options = misbehave::Options {
        after: FOREVER,
        ..misbehave(Misbehaviour::Sleep, 1, count)
    };
    spec(run_on, options)
}
