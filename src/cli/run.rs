//! `meanwhile run`: starts a job on a board, follows it, and shows the result.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::Receiver;

use super::progress::Progress;
use super::run_args::OnTimeout;
use super::{ExitFn, FAILED, INTERRUPTED, RunArgs, TIMED_OUT, interrupt, output, waker};
use crate::board::JobBoard;
use crate::format;
use crate::join::CancelToken;
use crate::record::{EventKind, JobEvent, JobId, JobRecord, JobState, JoinOutcome, Record};

/// The number of events that are handled before the clock is checked again.
const MAX_EVENTS_PER_POLL: usize = 4_096;

/// The time beyond its own stop time that a job has to stop after its join timed out.
const STOP_TIMEOUT_MARGIN: Duration = Duration::from_secs(2);

/// Runs the job and shows its result. Returns the exit code.
///
/// # Errors
/// The job could not be started, or its result could not be written.
pub(super) fn run(args: RunArgs, leave: ExitFn) -> anyhow::Result<ExitCode> {
    let (wake, woken) = crossbeam_channel::bounded(1);
    let interrupt = interrupt::listen(leave).context("could not listen for Ctrl-C")?;
    interrupt.on_cancel(waker(wake.clone())).keep();
    let mut board = JobBoard::new(waker(wake));
    let (join_timeout, on_timeout) = (args.join_timeout(), args.on_timeout());
    let format = args.format();
    let (spec, file) = args.into_job();
    let grace = STOP_TIMEOUT_MARGIN.saturating_add(spec.options.job().stop_time());
    let job = board.start(spec)?;
    if let Some(timeout) = join_timeout {
        board.join(job, Some(timeout));
    }
    let mut follower = Follower {
        board,
        job,
        record: Record::default(),
        woken,
        on_timeout,
        interrupt,
        progress: Progress::new(),
        grace,
        gives_up_at: None,
    };
    follower.follow();
    let Follower {
        mut board,
        record,
        progress,
        interrupt,
        ..
    } = follower;
    progress.finish();
    // The job has ended, or was cancelled and has used up its grace period.
    board.shutdown(Duration::ZERO);
    let record = record.job(job).context("the job left no record")?;
    output::show(record, board.now(), format, file.as_deref())?;
    Ok(exit_code(record, &interrupt))
}

fn exit_code(job: &JobRecord, interrupt: &CancelToken) -> ExitCode {
    match job.state() {
        _ if interrupt.is_cancelled() => ExitCode::from(INTERRUPTED),
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
    on_timeout: OnTimeout,
    interrupt: CancelToken,
    progress: Progress,
    grace: Duration,
    gives_up_at: Option<Duration>,
}

impl Follower {
    fn follow(&mut self) {
        while !self.has_ended() {
            self.wait();
            if self.interrupt.is_cancelled() {
                self.interrupt();
            }
            for event in self.board.poll(MAX_EVENTS_PER_POLL) {
                self.handle(event);
            }
            if let Some(job) = self.record.job(self.job) {
                self.progress.show(job, self.board.now());
            }
            self.abandon_unresponsive_job();
        }
    }

    fn has_ended(&self) -> bool {
        let job = self.record.job(self.job);
        job.is_some_and(|job| job.state().is_ended())
    }

    /// Waits for a wake-up, or until the board wants to be polled.
    fn wait(&self) {
        let due = self.board.wants_poll_in().unwrap_or(STOP_TIMEOUT_MARGIN);
        // A timeout is as good as a wake-up.
        self.woken.recv_timeout(due).ok();
    }

    fn interrupt(&mut self) {
        let job = self.record.job(self.job);
        if job.is_some_and(|job| job.cancel_requested_at().is_none()) {
            self.progress
                .print("cancelling; press Ctrl-C again to leave at once");
        }
        self.board.cancel(self.job);
    }

    fn handle(&mut self, event: JobEvent) {
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
        let waited = format!("still running after {}", format::duration(waited));
        match self.on_timeout {
            OnTimeout::Wait => self.progress.print(&waited),
            OnTimeout::Cancel => {
                self.progress.print(&format!("{waited}; cancelling"));
                self.board.time_out(self.job);
                self.gives_up_at = self.board.now().checked_add(self.grace);
            }
        }
    }

    /// Stops waiting for a job that ignores its cancel for too long.
    fn abandon_unresponsive_job(&mut self) {
        let now = self.board.now();
        if self.has_ended() || self.gives_up_at.is_none_or(|at| now < at) {
            return;
        }
        let running = self
            .record
            .job(self.job)
            .map_or(0, |job| job.counts().running);
        let items = format::plural(running, "item has", "items have");
        self.progress
            .print(&format!("{items} ignored the cancel; no longer waiting"));
        self.record.apply(JobEvent {
            job: self.job,
            at: now,
            kind: EventKind::JobDidFinish {
                state: JobState::TimedOut,
            },
        });
    }
}
