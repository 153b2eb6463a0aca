//! `meanwhile run`: starts a job on a board, follows it, and shows the result.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, Sender};

use super::interrupt::{EndRequest, Interrupt};
use super::ordered_output::{OrderedOutput, OutputOrder};
use super::patience::patiently;
use super::paused::Paused;
use super::progress::Progress;
use super::run_args::{Format, OnTimeout};
use super::{ExitFn, FAILED, RunArgs, STDOUT_CLOSED, TIMED_OUT, interrupt, output, waker};
use crate::board::JobBoard;
use crate::desktop::Awake;
use crate::format;
use crate::jobs::{self, JobSpec, OutputStream};
#[cfg(unix)]
use crate::join::process::Launcher;
use crate::record::{
    EventKind, ItemId, JobEvent, JobId, JobRecord, JobState, JobTrace, JoinOutcome, Record,
};

/// The number of events that are handled before the clock is checked again.
const MAX_EVENTS_PER_POLL: usize = 4_096;

/// The time beyond its own stop time that a job has to stop after its join timed out.
const STOP_TIMEOUT_MARGIN: Duration = Duration::from_secs(2);

/// Runs the job and shows its result. Returns the exit code.
///
/// # Errors
/// The job could not be started, or its result could not be written.
pub(super) fn run(args: RunArgs, leave: ExitFn) -> anyhow::Result<ExitCode> {
    let (join_timeout, on_timeout) = (args.join_timeout(), args.on_timeout());
    let (format, order) = (args.format(), args.output_order());
    let (stays_awake, is_verbose) = (args.stay_awake(), args.is_verbose());
    let trace_args = args.trace();
    jobs::set_patience(args.patience());
    let (spec, file) = args.into_job();
    #[cfg(unix)]
    if spec.options.job().has_processes() {
        super::limits::check_for_a_command()?;
        adopt_orphans();
    }
    let (wake, woken) = crossbeam_channel::bounded(1);
    let interrupt = patiently(|| false, || Interrupt::listen(leave));
    let interrupt = interrupt.context("could not listen for Ctrl-C")?;
    interrupt.token().on_cancel(waker(wake.clone())).keep();
    let progress = Progress::new(spec.options.job().uses_terminal());
    let order = (format == Format::Text).then_some(order);
    let grace = STOP_TIMEOUT_MARGIN.saturating_add(spec.options.job().stop_time());
    let begun = begin(&spec, order, &progress, &interrupt, &wake);
    let Begun {
        mut board,
        job,
        text,
    } = match (begun, interrupt.request()) {
        (Err(_refusal), Some(request)) => return Ok(interrupt::end(request)),
        (begun, _) => begun?,
    };
    let goes_to_sleep = Arc::new(AtomicBool::new(false));
    let _awake = stays_awake.then(|| stay_awake(goes_to_sleep.clone(), wake));
    if let Some(timeout) = join_timeout {
        board.join(job, Some(timeout));
    }
    let mut follower = Follower {
        board,
        job,
        record: Record::default(),
        trace: trace_args.file.is_some().then(JobTrace::default),
        woken,
        on_timeout,
        interrupt,
        progress,
        text,
        saves_lines: file.is_some(),
        is_verbose,
        grace,
        gives_up: None,
        paused: Paused::default(),
        goes_to_sleep,
    };
    follower.follow();
    let Follower {
        mut board,
        record,
        trace,
        progress,
        interrupt,
        text,
        ..
    } = follower;
    // The job has ended, or was cancelled and has used up its grace period.
    board.shutdown(Duration::ZERO);
    let job = record.job(job).context("the job left no record")?;
    // A user can press Ctrl-C again; the system gets an end in time.
    let timeout = match interrupt.request() {
        None | Some(EndRequest::Interrupt) => Duration::MAX,
        Some(EndRequest::Terminate | EndRequest::HangUp) => STOP_TIMEOUT_MARGIN,
    };
    let written = text.map_or(Ok(()), |text| {
        text.finish(&output::job_failure(job), timeout)
    });
    progress.finish(job);
    let own_list = job.spec().options.job().own_list();
    let has_ended = matches!(job.state(), JobState::Returned | JobState::Failed);
    if let Some(list) = own_list.filter(|_| has_ended) {
        output::save_lines(job, &list)?;
    }
    if let Some(file) = &file {
        output::check_replaceable(job, file)?;
    }
    match (format, &file) {
        (Format::Json, file) => output::show_json(job, board.now(), file.as_deref())?,
        (Format::Text, Some(file)) => output::save_lines(job, file)?,
        (Format::Text, None) => {}
    }
    if let (Some(trace), Some(file)) = (trace, &trace_args.file) {
        output::check_replaceable(job, file)?;
        trace_args.save(trace.trace())?;
    }
    match written {
        Err(error) if error.is_closed() => Ok(ExitCode::from(STDOUT_CLOSED)),
        written => {
            written?;
            Ok(match interrupt.request() {
                Some(request) => interrupt::end(request),
                None => exit_code(job),
            })
        }
    }
}

/// Keeps the machine awake. Sets `refused` and wakes if nothing does that.
fn stay_awake(refused: Arc<AtomicBool>, wake: Sender<()>) -> Awake {
    let wake = Arc::new(waker(wake));
    Awake::after(Duration::ZERO, move || {
        refused.store(true, Ordering::Release);
        wake();
    })
}

/// Has the program adopt what hides from its commands, so that it is named. The window does not: its file
/// dialogs may be children that the launcher has not started.
#[cfg(unix)]
fn adopt_orphans() {
    // Where the system does not do that, the marks of commands remain.
    Launcher::installed().map(|launcher| launcher.adopt_orphans().ok());
}

/// A job that has begun.
struct Begun {
    board: JobBoard,
    job: JobId,
    /// Takes the results and failures of items as text.
    text: Option<OrderedOutput>,
}

/// Begins a job. Its output goes to stdout in this order, unless that is `None`.
fn begin(
    spec: &JobSpec,
    order: Option<OutputOrder>,
    progress: &Progress,
    interrupt: &Interrupt,
    wake: &Sender<()>,
) -> anyhow::Result<Begun> {
    let wants_end = || interrupt.request().is_some();
    let mut board = JobBoard::new(waker(wake.clone()));
    let text = order.map(|order| {
        let start = || OrderedOutput::start(order, progress.bar(), waker(wake.clone()));
        patiently(wants_end, || Ok(start()?))
    });
    let text = text.transpose()?;
    if let Some(text) = &text {
        board = board.with_output(text.sink());
    }
    let job = patiently(wants_end, || Ok(board.start(spec.clone())?))?;
    Ok(Begun { board, job, text })
}

fn exit_code(job: &JobRecord) -> ExitCode {
    match job.state() {
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
    trace: Option<JobTrace>,
    woken: Receiver<()>,
    on_timeout: OnTimeout,
    interrupt: Interrupt,
    progress: Progress,
    /// Takes the results and failures of items as text.
    text: Option<OrderedOutput>,
    /// Whether the lines of the items go to a file, once all have ended.
    saves_lines: bool,
    /// Whether panics are printed with their details.
    is_verbose: bool,
    grace: Duration,
    /// When it no longer waits for a job that ignores its cancel, and how that job then ends.
    gives_up: Option<(Duration, JobState)>,
    paused: Paused,
    /// Whether nothing keeps the machine awake, although it was asked for.
    goes_to_sleep: Arc<AtomicBool>,
}

impl Follower {
    fn follow(&mut self) {
        while !self.has_ended() {
            self.wait();
            if let Some(request) = self.interrupt.request() {
                self.interrupt(request);
            }
            if self.text.as_ref().is_some_and(OrderedOutput::has_failed) {
                self.board.cancel(self.job);
            }
            for event in self.board.poll(MAX_EVENTS_PER_POLL) {
                self.handle(event);
            }
            if let Some(text) = &self.text {
                text.write_now();
            }
            self.name_what_stands_still();
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

    /// Cancels the job. Only a user can say that it takes too long; the system gets an end in time.
    fn interrupt(&mut self, request: EndRequest) {
        let job = self.record.job(self.job);
        if job.is_some_and(|job| job.cancel_requested_at().is_none()) {
            self.progress.print(match request {
                EndRequest::Interrupt => "cancelling; press Ctrl-C again to leave at once",
                EndRequest::Terminate => "asked to end; cancelling",
                EndRequest::HangUp => "the terminal was closed; cancelling",
            });
            if request != EndRequest::Interrupt {
                self.give_up_later(JobState::Cancelled);
            }
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
        let ended = match &event.kind {
            EventKind::ItemDidFinish { item, .. } => Some(*item),
            _ => None,
        };
        if let EventKind::PlanDidNote { note } = &event.kind
            && self.prints_problems()
        {
            self.progress.print(note);
        }
        self.paused.note(&event);
        if let Some(trace) = &mut self.trace {
            trace.apply(&event);
        }
        self.record.apply(event);
        if timed_out {
            self.time_out();
        }
        if let Some(item) = ended {
            self.show_end(item);
        }
    }

    fn prints_problems(&self) -> bool {
        let job = self.record.job(self.job);
        self.text.is_some() && job.is_none_or(|job| job.spec().options.job().prints(true))
    }

    /// Shows the result or the failure of an item.
    fn show_end(&self, item: ItemId) {
        let job = self.record.job(self.job);
        let record = job.and_then(|job| Some((job, job.item(item)?)));
        let (Some(text), Some((job, record))) = (&self.text, record) else {
            return;
        };
        if !output::prints(job, record) {
            return text.end(item);
        }
        if let Some(line) = output::line(job, record).filter(|_| !self.saves_lines) {
            text.push(item, OutputStream::Stdout, &line);
        }
        let messages = [
            output::open_output(record),
            output::left_running(record),
            output::stopped(record),
            output::remark(record),
            output::failure(record),
        ];
        for message in messages.into_iter().flatten() {
            text.push(item, OutputStream::Stderr, message.as_bytes());
        }
        if self.is_verbose
            && let Some(details) = output::details(record)
        {
            text.push(item, OutputStream::Stderr, details.as_bytes());
        }
        text.end(item);
    }

    fn time_out(&mut self) {
        let waited = self.record.job(self.job).map_or(Duration::ZERO, |job| {
            let join = job.joins().last();
            join.map_or(Duration::ZERO, |join| join.waited(self.board.now()))
        });
        let waited = format!("still running after {}", format::duration(waited));
        match self.on_timeout {
            OnTimeout::Wait => {
                self.progress.print(&waited);
                self.print_causes();
            }
            OnTimeout::Cancel => {
                self.progress.print(&format!("{waited}; cancelling"));
                self.print_causes();
                self.board.time_out(self.job);
                self.give_up_later(JobState::TimedOut);
            }
        }
    }

    /// Says what the processes of the job wait for.
    fn print_causes(&self) {
        #[cfg(target_os = "linux")]
        for cause in self.board.wait_causes(self.job) {
            let job = self.record.job(self.job);
            if let Some(item) = job.and_then(|job| job.item(cause.item)) {
                let name = item.input.display();
                self.progress.print(&format!("{name}: {}", cause.sentence));
            }
        }
    }

    /// Has the job end in this state if it does not react to its cancel in time.
    fn give_up_later(&mut self, state: JobState) {
        let at = self.board.now().checked_add(self.grace);
        self.gives_up = self.gives_up.take().or(at.map(|at| (at, state)));
    }

    /// Says what makes the job stand still, or lets it: processes that are stopped, and a machine that
    /// goes to sleep.
    fn name_what_stands_still(&mut self) {
        if self.goes_to_sleep.swap(false, Ordering::Acquire) {
            self.progress.print(
                "the machine may go to sleep: neither the desktop nor systemd offers to keep it awake",
            );
        }
        for item in self.paused.take_due(self.board.now()) {
            let job = self.record.job(self.job);
            let item = job.and_then(|job| job.item(item));
            if let Some(item) = item
                && let Some(pid) = self.pid_of(item.id)
            {
                let name = item.input.display();
                self.progress.print(&format!(
                    "{name}: a signal has stopped its process {pid}; kill -CONT {pid} continues it"
                ));
            }
        }
    }

    /// The process of an item that runs, or its isolated worker.
    #[cfg(unix)]
    fn pid_of(&self, item: ItemId) -> Option<u32> {
        let process = self.board.running_process(self.job, item);
        process.map(|process| process.pid())
    }

    #[cfg(not(unix))]
    #[expect(clippy::unused_self, reason = "elsewhere it asks the board")]
    fn pid_of(&self, _item: ItemId) -> Option<u32> {
        None
    }

    /// Stops waiting for a job that ignores its cancel for too long.
    fn abandon_unresponsive_job(&mut self) {
        let now = self.board.now();
        if self.has_ended() {
            return;
        }
        let Some((_, state)) = self.gives_up.clone().filter(|(at, _)| *at <= now) else {
            return;
        };
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
            kind: EventKind::JobDidFinish { state },
        });
    }
}
