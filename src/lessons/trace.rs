//! A lesson's access to its run: its parameters, and methods that record what it does.
//!
//! A [`Trace`] belongs to one lane: that of the main thread, of a task ([`Trace::task`]) or of a child
//! process ([`Trace::spawn_process`]). Each event is recorded with its time and with the line in the
//! lesson's source file. Child processes write their events to a file of the run, with times of the
//! clock that all processes share.
//!
//! When a run is stopped, every sleep ends, and the next use of a trace unwinds its thread. Lessons
//! therefore need no code for being stopped.

use std::fmt::Display;
use std::panic::Location;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::child;
use super::guards::{LaneGuard, SpanGuard};
use super::lesson::WorkerKind;
use super::lifecycle::ActiveGuard;
use super::pool_lane;
use super::shared::{Event, EventBody, MAIN, RunShared};
use crate::format;
use crate::join::process::{Builder, Exit, LaunchOptions, Process, ProcessGroup, SpawnError};
use crate::join::{Context, cancellable};
use crate::record::{Activity, LaneId, LaneKind, LaneOutcome, TimelineKind};

/// Records what one thread or process of a lesson does. Clones record to the same lane.
#[derive(Clone)]
pub struct Trace {
    pub(super) shared: Arc<RunShared>,
    pub(super) lane: LaneId,
}

impl Trace {
    /// The trace of the main thread.
    pub(super) fn of_main(shared: &Arc<RunShared>) -> Self {
        Self {
            shared: shared.clone(),
            lane: MAIN,
        }
    }

    /// Whether the lesson uses tasks or processes.
    pub fn worker_kind(&self) -> WorkerKind {
        self.shared.settings.worker_kind
    }

    /// A parameter as a time, divided by the speed of the run.
    ///
    /// # Panics
    /// If the lesson has no such parameter.
    pub fn duration(&self, parameter: &str) -> Duration {
        self.seconds(self.parameter(parameter))
    }

    /// This many seconds, divided by the speed of the run.
    pub fn seconds(&self, secs: f64) -> Duration {
        Duration::try_from_secs_f64(secs / self.shared.settings.speed).unwrap_or(Duration::MAX)
    }

    /// A parameter as a count.
    ///
    /// # Panics
    /// If the lesson has no such parameter.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count is whole and within the range of its parameter"
    )]
    pub fn count(&self, parameter: &str) -> usize {
        self.parameter(parameter) as usize
    }

    fn parameter(&self, id: &str) -> f64 {
        let value = self.shared.settings.parameters.get(id).copied();
        value.unwrap_or_else(|| panic!("the lesson has no parameter `{id}`"))
    }

    /// A folder for the files of the run, deleted at its end.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// Prints a line to the transcript.
    #[track_caller]
    pub fn print(&self, text: impl Into<String>) {
        let text = text.into();
        self.record_here(EventBody::Timeline(TimelineKind::Message { text }));
    }

    /// Prints a line of another program, for which no source line is known.
    pub(super) fn forward(&self, text: impl Into<String>) {
        self.shared.lifecycle.check();
        let text = text.into();
        self.record(0, TimelineKind::Message { text });
    }

    /// Prints a result, and keeps it under its name.
    #[track_caller]
    pub fn result(&self, name: &str, value: impl Display) {
        self.record_here(EventBody::Result(name.to_owned(), value.to_string()));
    }

    /// Adds a row to the table of the run. The first row is the header.
    #[track_caller]
    pub fn row(&self, cells: &[&dyn Display]) {
        let cells = cells.iter().map(ToString::to_string);
        self.record_here(EventBody::Row(cells.collect()));
    }

    /// Sleeps. The time is not divided by the speed again.
    #[track_caller]
    pub fn sleep(&self, time: Duration) {
        let label = format!("sleeps {}", format::duration(time));
        let _span = self.begin(Activity::Sleeps, label);
        self.shared.lifecycle.sleep(time);
    }

    /// Calls a function that waits, and records that time as a wait. `target` names what it waits
    /// for.
    #[track_caller]
    pub fn wait<T>(&self, target: &str, wait: impl FnOnce() -> T) -> T {
        let _span = self.begin(Activity::Waits, format!("waits for {target}"));
        wait()
    }

    /// Wraps the body of a task, to be passed to `join::spawn`. It gets a lane of its own.
    pub fn task<T, F>(&self, name: &str, body: F) -> impl FnOnce(&Context) -> T + use<T, F>
    where
        F: FnOnce(&Self) -> T,
    {
        self.task_with_context(name, |trace, _| body(trace))
    }

    /// Like [`task`](Self::task), for a body that uses its context.
    pub fn task_with_context<T, F>(
        &self,
        name: &str,
        body: F,
    ) -> impl FnOnce(&Context) -> T + use<T, F>
    where
        F: FnOnce(&Self, &Context) -> T,
    {
        self.traced(name, body, |_, _| LaneOutcome::Returned)
    }

    /// Like [`task_with_context`](Self::task_with_context), for a body that returns its cancel, which is
    /// then the outcome of the task.
    pub fn cancellable_task<T, E, F>(
        &self,
        name: &str,
        body: F,
    ) -> impl FnOnce(&Context) -> Result<T, E> + use<T, E, F>
    where
        F: FnOnce(&Self, &Context) -> Result<T, E>,
    {
        let outcome = |result: &Result<T, E>, context: &Context| match result {
            Err(_) if context.is_cancelled() => LaneOutcome::Failed("cancelled".to_owned()),
            _ => LaneOutcome::Returned,
        };
        cancellable(self.traced(name, body, outcome))
    }

    /// Wraps the body of a task, whose lane ends as `outcome` says.
    fn traced<T, F, O>(
        &self,
        name: &str,
        body: F,
        outcome: O,
    ) -> impl FnOnce(&Context) -> T + use<T, F, O>
    where
        F: FnOnce(&Self, &Context) -> T,
        O: FnOnce(&T, &Context) -> LaneOutcome,
    {
        let (name, shared, by) = (name.to_owned(), self.shared.clone(), self.lane);
        let active = ActiveGuard::new(&shared.lifecycle);
        move |context| {
            shared.lifecycle.add_task(context.task_id());
            let trace = Self::open(&shared, name, LaneKind::Task, Some(by));
            let lane = LaneGuard::new(&trace, Some(context));
            let value = body(&trace, context);
            lane.close(outcome(&value, context));
            drop(active);
            value
        }
    }

    /// Wraps the body of a task for a pool. It records to the lane of the pool's thread, which is
    /// open until the thread ends and waits between its tasks.
    pub fn pool_task<T, F>(&self, body: F) -> impl FnOnce(&Context) -> T + use<T, F>
    where
        F: FnOnce(&Self, &Context) -> T,
    {
        let shared = self.shared.clone();
        let active = ActiveGuard::new(&shared.lifecycle);
        move |context| {
            let _active = active;
            shared.lifecycle.add_task(context.task_id());
            pool_lane::with_lane(&shared, |trace| body(trace, context))
        }
    }

    /// Wraps the body of a task without a lane.
    pub(super) fn untraced_task<T, F>(&self, body: F) -> impl FnOnce(&Context) -> T + use<T, F>
    where
        F: FnOnce() -> T,
    {
        let lifecycle = self.shared.lifecycle.clone();
        let active = ActiveGuard::new(&lifecycle);
        move |context| {
            let _active = active;
            lifecycle.add_task(context.task_id());
            body()
        }
    }

    /// This program as a child process that runs a [`Role`](super::Role) of the lesson.
    pub fn program(&self, role: &str) -> Builder {
        let launcher = &self.shared.launcher;
        let program = launcher.itself(LaunchOptions::default());
        child::set_arguments(program, &self.shared.settings.lesson, role)
    }

    /// Starts a child process in a lane of its own. It is killed at the end of the run, if it still
    /// runs.
    ///
    /// # Errors
    /// As [`Builder::spawn`].
    #[track_caller]
    pub fn spawn_process(&self, builder: Builder) -> Result<Process, SpawnError> {
        self.spawn_traced(builder).map(|(process, _)| process)
    }

    /// Starts this program as a child process that runs a [`Role`](super::Role) of the lesson.
    ///
    /// # Errors
    /// As [`Builder::spawn`].
    #[track_caller]
    pub fn spawn_role(&self, role: &str) -> Result<Process, SpawnError> {
        self.spawn_process(self.program(role))
    }

    /// Like [`spawn_process`](Self::spawn_process), with the trace of the process's lane.
    pub(super) fn spawn_traced(&self, builder: Builder) -> Result<(Process, Self), SpawnError> {
        self.shared.lifecycle.check();
        let trace = Self {
            lane: self.shared.new_lane(),
            shared: self.shared.clone(),
        };
        let builder = child::set_environment(builder, &trace);
        let began = self.shared.now();
        let process = builder.group(ProcessGroup::Own).spawn()?;
        let opened = TimelineKind::DidOpen {
            name: process.name().to_owned(),
            kind: LaneKind::Process,
            by: Some(self.lane),
        };
        trace.record_at(began, 0, EventBody::Timeline(opened));
        self.shared.lifecycle.add_process(&process);
        let active = ActiveGuard::new(&self.shared.lifecycle);
        let (exited, lane) = (process.clone(), trace.clone());
        process.on_finish(move || {
            let how = exited.poll().map_or(LaneOutcome::Returned, end_of);
            lane.record(0, TimelineKind::DidClose { how });
            lane.record_at(lane.shared.now(), 0, EventBody::DidExit(exited.pid()));
            drop(active);
        });
        Ok((process, trace))
    }

    /// Calls `stop` when the run is stopped, to end a wait that is neither a sleep nor for a process.
    /// `stop` must not block.
    pub fn on_stop(&self, stop: impl FnOnce() + Send + 'static) {
        self.shared.lifecycle.on_stop(stop);
    }

    /// Opens the lane, runs the body, and closes the lane.
    pub(super) fn run(
        &self,
        name: &str,
        body: impl FnOnce(&Self) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.record_open(name.to_owned(), LaneKind::Task, None);
        let lane = LaneGuard::new(self, None);
        let result = body(self);
        lane.close(match &result {
            Ok(()) => LaneOutcome::Returned,
            Err(error) => LaneOutcome::Failed(format!("{error:#}")),
        });
        result
    }

    /// Opens a new lane. `by` is the one that started it, if that is known.
    pub(super) fn open(
        shared: &Arc<RunShared>,
        name: String,
        kind: LaneKind,
        by: Option<LaneId>,
    ) -> Self {
        let trace = Self {
            lane: shared.new_lane(),
            shared: shared.clone(),
        };
        trace.record_open(name, kind, by);
        trace
    }

    fn record_open(&self, name: String, kind: LaneKind, by: Option<LaneId>) {
        self.record(0, TimelineKind::DidOpen { name, kind, by });
    }

    pub(super) fn record_close(&self, how: LaneOutcome) {
        let how = if how != LaneOutcome::Returned && self.shared.lifecycle.is_stopped() {
            LaneOutcome::Failed("stopped".to_owned())
        } else {
            how
        };
        self.record(0, TimelineKind::DidClose { how });
    }

    #[track_caller]
    fn begin(&self, activity: Activity, label: String) -> SpanGuard {
        self.shared.lifecycle.check();
        SpanGuard::begin(self, Location::caller().line(), activity, label)
    }

    /// Records an event at the caller's line.
    #[track_caller]
    fn record_here(&self, body: EventBody) {
        self.shared.lifecycle.check();
        self.record_at(self.shared.now(), Location::caller().line(), body);
    }

    pub(super) fn record(&self, line: u32, kind: TimelineKind) {
        self.record_at(self.shared.now(), line, EventBody::Timeline(kind));
    }

    fn record_at(&self, at: Duration, line: u32, body: EventBody) {
        let lane = self.lane;
        self.shared.send(Event {
            at,
            lane,
            line,
            body,
        });
    }
}

fn end_of(exit: Exit) -> LaneOutcome {
    match exit {
        Exit::Code(0) => LaneOutcome::Returned,
        Exit::Code(101) => LaneOutcome::Panicked,
        exit => LaneOutcome::Failed(exit.to_string()),
    }
}
