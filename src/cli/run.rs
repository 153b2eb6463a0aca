//! `meanwhile run`: starts a job on a board, follows it, and shows what came back.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender};

use super::interrupt::Interrupts;
use super::progress::Progress;
use super::{FAILED, Format, INTERRUPTED, Leave, TIMED_OUT, Then, output};
use crate::board::JobBoard;
use crate::jobs::JobSpec;
use crate::record::{Event, EventKind, JobId, JobRecord, JobState, JoinOutcome, Record};

/// How many events are handled between two looks at the clock.
const POLL_BUDGET: usize = 4_096;

/// How long a job that was cancelled because its time was up may take to stop, beyond what it says
/// itself.
const GRACE: Duration = Duration::from_secs(2);

/// What the command line asks for.
pub(super) struct Run {
    pub(super) spec: JobSpec,
    pub(super) join_timeout: Option<Duration>,
    pub(super) then: Then,
    pub(super) format: Format,
    pub(super) output: Option<PathBuf>,
}

/// Runs the job and shows its result. Returns the exit code that its end stands for.
///
/// # Errors
/// The job could not be started, or its result not be written.
pub(super) fn run(run: Run, leave: Leave) -> anyhow::Result<ExitCode> {
    let (wake, woken) = crossbeam_channel::bounded(1);
    let interrupts =
        Interrupts::listen(leave, waker(wake.clone())).context("Ctrl-C can't be listened for")?;
    let mut board = JobBoard::new(waker(wake));
    let grace = GRACE + run.spec.options.job().stop_time();
    let job = board.start(run.spec)?;
    if let Some(timeout) = run.join_timeout {
        board.join(job, Some(timeout));
    }
    let mut follower = Follower {
        board,
        job,
        record: Record::default(),
        woken,
        then: run.then,
        interrupts,
        progress: Progress::new(),
        grace,
        gives_up_at: None,
    };
    follower.follow();
    let Follower {
        mut board,
        record,
        progress,
        interrupts,
        ..
    } = follower;
    progress.finish();
    // What was cancelled has had its time.
    board.shutdown(Duration::ZERO);
    let record = record.job(job).context("the job left no record")?;
    output::show(record, board.now(), run.format, run.output.as_deref())?;
    Ok(exit_code(record, &interrupts))
}

fn waker(wake: Sender<()>) -> impl Fn() + Send + Sync + 'static {
    move || {
        // A full channel wakes as well.
        let _already_awake = wake.try_send(());
    }
}

fn exit_code(job: &JobRecord, interrupts: &Interrupts) -> ExitCode {
    match job.state() {
        _ if interrupts.any() => ExitCode::from(INTERRUPTED),
        JobState::TimedOut => ExitCode::from(TIMED_OUT),
        JobState::Returned => ExitCode::SUCCESS,
        _ => ExitCode::from(FAILED),
    }
}

/// Follows one job to its end.
struct Follower {
    board: JobBoard,
    job: JobId,
    record: Record,
    woken: Receiver<()>,
    then: Then,
    interrupts: Interrupts,
    progress: Progress,
    grace: Duration,
    gives_up_at: Option<Duration>,
}

impl Follower {
    fn follow(&mut self) {
        while !self.has_ended() {
            self.wait();
            if self.interrupts.any() {
                self.interrupt();
            }
            for event in self.board.poll(POLL_BUDGET) {
                self.handle(event);
            }
            if let Some(job) = self.record.job(self.job) {
                self.progress.show(job, self.board.now());
            }
            self.give_up_in_time();
        }
    }

    fn has_ended(&self) -> bool {
        let job = self.record.job(self.job);
        job.is_some_and(|job| job.state().is_ended())
    }

    /// Waits for a wake-up, or until the board wants to be polled.
    fn wait(&self) {
        let due = self.board.wants_poll_in().unwrap_or(GRACE);
        // The time being up is as good a reason to go on as a wake-up.
        let _either = self.woken.recv_timeout(due);
    }

    fn interrupt(&mut self) {
        let job = self.record.job(self.job);
        if job.is_some_and(|job| job.cancel_requested_at().is_none()) {
            self.progress.say("cancelling; Ctrl-C again leaves at once");
        }
        self.board.cancel(self.job);
    }

    fn handle(&mut self, event: Event) {
        let timed_out = matches!(
            event.kind,
            EventKind::JoinDidEnd {
                outcome: JoinOutcome::TimedOut,
                ..
            }
        );
        self.record.apply(event);
        if timed_out {
            self.time_out();
        }
    }

    fn time_out(&mut self) {
        let waited = self.record.job(self.job).map_or(Duration::ZERO, |job| {
            let join = job.joins().last();
            join.map_or(Duration::ZERO, |join| join.waited(self.board.now()))
        });
        let waited = format!("still running after {:.1} s", waited.as_secs_f64());
        match self.then {
            Then::Wait => self.progress.say(&waited),
            Then::Cancel => {
                self.progress.say(&format!("{waited}; cancelling"));
                self.board.time_out(self.job);
                self.gives_up_at = Some(self.board.now() + self.grace);
            }
        }
    }

    /// Leaves a job behind that ignores for too long that its time was up.
    fn give_up_in_time(&mut self) {
        let now = self.board.now();
        if self.has_ended() || self.gives_up_at.is_none_or(|at| now < at) {
            return;
        }
        let running = self
            .record
            .job(self.job)
            .map_or(0, |job| job.counts().running);
        self.progress.say(&format!(
            "left behind what ignores the cancel: {running} running"
        ));
        self.record.apply(Event {
            job: self.job,
            at: now,
            kind: EventKind::JobDidFinish {
                state: JobState::TimedOut,
            },
        });
    }
}
