//! What a lesson's program has to do with: its parameters, and a way to say what it does.
//!
//! A [`Stage`] belongs to one lane: that of the main thread, of a task ([`Stage::actor`]) or of a
//! child process ([`Stage::spawn`]). Everything said on it becomes an event with its time and with
//! the line of the lesson's file that said it. A child process writes its events to a file of the
//! run, in which they keep the time of the clock that all processes share.
//!
//! When a run is stopped, every pause ends and whoever uses their stage next unwinds: so a lesson is
//! written without a thought of being stopped.

use std::cell::RefCell;
use std::fmt::Display;
use std::io;
use std::panic::Location;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::house::{Act, Event, FOLDER, House, LANE, MAIN, Playing, SCRIPT};
use super::lesson::Cast;
use crate::join::Context;
use crate::join::process::{Builder, Exit, LaunchOptions, Process, SpawnError};
use crate::record::{Activity, LaneId, LaneKind, LaneOutcome, TimelineKind};

/// A place from which a lesson's program speaks. Clones speak in the same lane.
#[derive(Clone)]
pub struct Stage {
    house: Arc<House>,
    lane: LaneId,
}

impl Stage {
    /// The stage of the main thread.
    pub(super) fn of_main(house: &Arc<House>) -> Self {
        Self {
            house: house.clone(),
            lane: MAIN,
        }
    }

    /// In a child: the stage of its main thread, whose lane the run has opened.
    ///
    /// # Errors
    /// It was not started by a lesson.
    pub(super) fn of_child() -> io::Result<Self> {
        let (house, lane) = House::of_child()?;
        Ok(Self { house, lane })
    }

    /// With what the lesson runs.
    pub fn cast(&self) -> Cast {
        self.house.script.cast
    }

    /// A parameter as a time, shortened by the speed of the run.
    ///
    /// # Panics
    /// The lesson has no such parameter.
    pub fn time(&self, parameter: &str) -> Duration {
        self.secs(self.parameter(parameter))
    }

    /// So many seconds, shortened by the speed of the run.
    pub fn secs(&self, secs: f64) -> Duration {
        Duration::try_from_secs_f64(secs / self.house.script.speed).unwrap_or(Duration::MAX)
    }

    /// A parameter as a count.
    ///
    /// # Panics
    /// The lesson has no such parameter.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count is whole and within the range of its parameter"
    )]
    pub fn count(&self, parameter: &str) -> usize {
        self.parameter(parameter) as usize
    }

    fn parameter(&self, id: &str) -> f64 {
        let value = self.house.script.parameters.get(id).copied();
        value.unwrap_or_else(|| panic!("the lesson has no parameter `{id}`"))
    }

    /// Says something in the transcript.
    #[track_caller]
    pub fn say(&self, text: impl Into<String>) {
        let text = text.into();
        self.tell(Act::Timeline(TimelineKind::Message { text }));
    }

    /// Says what somebody else has said, of whom no line is known.
    pub(super) fn echo(&self, text: impl Into<String>) {
        self.house.check();
        let said = TimelineKind::Message { text: text.into() };
        self.tell_at(self.house.now(), 0, Act::Timeline(said));
    }

    /// Says what was found out, and keeps it under that name.
    #[track_caller]
    pub fn note(&self, name: &str, value: impl Display) {
        self.tell(Act::Noted(name.to_owned(), value.to_string()));
    }

    /// Adds a row to the table of the run; the first is its header.
    #[track_caller]
    pub fn row(&self, cells: &[&dyn Display]) {
        let cells = cells.iter().map(ToString::to_string);
        self.tell(Act::Row(cells.collect()));
    }

    /// Sleeps for a time that was shortened already.
    #[track_caller]
    pub fn sleep(&self, time: Duration) {
        let _sleeping = self.begin(Activity::Sleeps, format!("sleeps {}", seconds(time)));
        self.house.pause(time);
    }

    /// Calls something that waits, and shows that time as a wait.
    ///
    /// `for_what` is what it waits for, in a word or two.
    #[track_caller]
    pub fn waits<T>(&self, for_what: &str, wait: impl FnOnce() -> T) -> T {
        let waiting = self.begin(Activity::Waits, format!("waits for {for_what}"));
        let waited = wait();
        drop(waiting);
        waited
    }

    /// The body of a task that has a lane of its own: what `join::spawn` is given.
    pub fn actor<T, F>(&self, name: &str, act: F) -> impl FnOnce(&Context) -> T + use<T, F>
    where
        F: FnOnce(&Self) -> T,
    {
        self.actor_with(name, |stage, _| act(stage))
    }

    /// Like [`actor`](Self::actor), for one who minds a cancel.
    pub fn actor_with<T, F>(&self, name: &str, act: F) -> impl FnOnce(&Context) -> T + use<T, F>
    where
        F: FnOnce(&Self, &Context) -> T,
    {
        let name = name.to_owned();
        let playing = Playing::new(&self.house);
        move |context| {
            let house = playing.0.clone();
            house.did_begin(context.task_id());
            let lane = house.new_lane();
            let stage = Self { house, lane };
            stage.open(name, LaneKind::Task);
            let closing = Closing::of(&stage, Some(context));
            let returned = act(&stage, context);
            closing.returned(LaneOutcome::Returned);
            drop(playing);
            returned
        }
    }

    /// The body of a task on a pool. It acts in the lane of the thread that takes it, which is open
    /// until that thread ends with its pool, and waits between its tasks.
    pub fn pooled<T, F>(&self, act: F) -> impl FnOnce(&Context) -> T + use<T, F>
    where
        F: FnOnce(&Self, &Context) -> T,
    {
        let playing = Playing::new(&self.house);
        move |context| {
            playing.0.did_begin(context.task_id());
            let stage = LaneOfThread::stage(&playing.0);
            let _then = Rest;
            act(&stage, context)
        }
    }

    /// The body of a task without a lane.
    pub(super) fn unseen<T, F>(&self, act: F) -> impl FnOnce(&Context) -> T + use<T, F>
    where
        F: FnOnce() -> T,
    {
        let playing = Playing::new(&self.house);
        move |context| {
            playing.0.did_begin(context.task_id());
            act()
        }
    }

    /// This program, to be started as a child that plays `role` of the lesson.
    pub fn program(&self, role: &str) -> Builder {
        self.house
            .launcher
            .itself(LaunchOptions::default())
            .args(["act", &self.house.script.lesson, role])
            .name(role)
    }

    /// Starts a child process in a lane of its own; what was not stopped before ends with the run.
    ///
    /// # Errors
    /// As [`Builder::spawn`].
    #[track_caller]
    pub fn spawn(&self, builder: Builder) -> Result<Process, SpawnError> {
        self.launch(builder).map(|(process, _)| process)
    }

    /// As [`spawn`](Self::spawn), with the stage of the process's lane.
    pub(super) fn launch(&self, builder: Builder) -> Result<(Process, Self), SpawnError> {
        self.house.check();
        let lane = self.house.new_lane();
        let builder = builder
            .env(
                SCRIPT,
                serde_json::to_string(&self.house.script).unwrap_or_default(),
            )
            .env(LANE, lane.0.to_string())
            .env(FOLDER, &self.house.folder)
            .launched_by(&self.house.launcher, LaunchOptions::default());
        let began = self.house.now();
        let process = builder.spawn()?;
        let child = Self {
            house: self.house.clone(),
            lane,
        };
        let opened = TimelineKind::DidOpen {
            name: process.name().to_owned(),
            kind: LaneKind::Process,
        };
        child.tell_at(began, 0, Act::Timeline(opened));
        self.house.keep(&process);
        let (ended, playing) = (process.clone(), Playing::new(&self.house));
        let lane = child.clone();
        process.on_finish(move || {
            let how = ended.poll().map_or(LaneOutcome::Returned, end_of);
            let closed = TimelineKind::DidClose { how };
            let now = lane.house.now();
            lane.tell_at(now, 0, Act::Timeline(closed));
            lane.tell_at(now, 0, Act::DidExit(ended.pid()));
            drop(playing);
        });
        Ok((process, child))
    }

    /// Starts this program as a child that plays `role`: [`program`](Self::program), then
    /// [`spawn`](Self::spawn).
    ///
    /// # Errors
    /// As [`Builder::spawn`].
    #[track_caller]
    pub fn child(&self, role: &str) -> Result<Process, SpawnError> {
        self.spawn(self.program(role))
    }

    /// Runs when somebody stops the run, or now if they have: what ends a wait that no pause and no
    /// process is behind. It must not block.
    pub fn on_stop(&self, stop: impl FnOnce() + Send + 'static) {
        if let Err(stop) = self.house.on_stop(Box::new(stop)) {
            stop();
        }
    }

    /// A folder for files of the run; it goes with the run.
    pub fn folder(&self) -> &Path {
        &self.house.folder
    }

    /// Opens the lane, acts, and closes it, in whatever way that ends.
    pub(super) fn perform(
        &self,
        name: String,
        kind: LaneKind,
        act: impl FnOnce(&Self) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.open(name, kind);
        let closing = Closing::of(self, None);
        let played = act(self);
        closing.returned(match &played {
            Ok(()) => LaneOutcome::Returned,
            Err(error) => LaneOutcome::Failed(format!("{error:#}")),
        });
        played
    }

    fn open(&self, name: String, kind: LaneKind) {
        let opened = TimelineKind::DidOpen { name, kind };
        self.tell_at(self.house.now(), 0, Act::Timeline(opened));
    }

    fn close(&self, how: LaneOutcome) {
        let how = if how != LaneOutcome::Returned && self.house.is_stopped() {
            LaneOutcome::Failed("stopped".to_owned())
        } else {
            how
        };
        let closed = TimelineKind::DidClose { how };
        self.tell_at(self.house.now(), 0, Act::Timeline(closed));
    }

    #[track_caller]
    fn begin(&self, activity: Activity, label: String) -> Doing {
        self.house.check();
        self.begin_at(Location::caller().line(), activity, label)
    }

    fn begin_at(&self, line: u32, activity: Activity, label: String) -> Doing {
        let begun = TimelineKind::DidBegin { activity, label };
        self.tell_at(self.house.now(), line, Act::Timeline(begun));
        Doing(self.clone())
    }

    #[track_caller]
    fn tell(&self, act: Act) {
        self.house.check();
        self.tell_at(self.house.now(), Location::caller().line(), act);
    }

    fn tell_at(&self, at: Duration, line: u32, act: Act) {
        let lane = self.lane;
        self.house.tell(Event {
            at,
            lane,
            line,
            act,
        });
    }
}

/// Closes the lane when it is dropped.
struct Closing<'a> {
    stage: &'a Stage,
    /// Of a task, which may have been cancelled.
    context: Option<&'a Context>,
    returned: Option<LaneOutcome>,
}

impl<'a> Closing<'a> {
    fn of(stage: &'a Stage, context: Option<&'a Context>) -> Self {
        Self {
            stage,
            context,
            returned: None,
        }
    }

    fn returned(mut self, how: LaneOutcome) {
        self.returned = Some(how);
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let unwound = match self.context {
            Some(context) if context.is_cancelled() => LaneOutcome::Failed("cancelled".to_owned()),
            _ => LaneOutcome::Panicked,
        };
        self.stage.close(self.returned.take().unwrap_or(unwound));
    }
}

thread_local! {
    static OWN: RefCell<Option<LaneOfThread>> = const { RefCell::new(None) };
}

/// The lane of a thread to which many tasks come, until the thread ends.
struct LaneOfThread {
    stage: Stage,
    /// It has no task.
    idle: Option<Doing>,
    _playing: Playing,
}

impl LaneOfThread {
    /// Opens the lane of this thread, unless it is open.
    fn stage(house: &Arc<House>) -> Stage {
        OWN.with_borrow_mut(|own| {
            let open = own.take();
            let open = open.filter(|own| Arc::ptr_eq(&own.stage.house, house));
            let own = own.insert(open.unwrap_or_else(|| Self::open(house)));
            own.idle = None;
            own.stage.clone()
        })
    }

    fn open(house: &Arc<House>) -> Self {
        let lane = house.new_lane();
        let stage = Stage {
            house: house.clone(),
            lane,
        };
        let name = std::thread::current().name().unwrap_or("thread").to_owned();
        stage.open(name, LaneKind::Task);
        Self {
            stage,
            idle: None,
            _playing: Playing::new(house),
        }
    }
}

impl Drop for LaneOfThread {
    fn drop(&mut self) {
        self.idle = None;
        let how = if self.stage.house.is_stopped() {
            LaneOutcome::Failed("stopped".to_owned())
        } else {
            LaneOutcome::Returned
        };
        self.stage.close(how);
    }
}

/// From when it is dropped until its next task, this thread waits.
struct Rest;

impl Drop for Rest {
    fn drop(&mut self) {
        OWN.with_borrow_mut(|own| {
            if let Some(own) = own {
                let label = "waits for work".to_owned();
                own.idle = Some(own.stage.begin_at(0, Activity::Waits, label));
            }
        });
    }
}

/// Ends an activity when it is dropped.
struct Doing(Stage);

impl Drop for Doing {
    fn drop(&mut self) {
        let at = self.0.house.now();
        self.0.tell_at(at, 0, Act::Timeline(TimelineKind::DidEnd));
    }
}

fn end_of(exit: Exit) -> LaneOutcome {
    match exit {
        Exit::Code(0) => LaneOutcome::Returned,
        Exit::Code(101) => LaneOutcome::Panicked,
        exit => LaneOutcome::Failed(exit.to_string()),
    }
}

/// A time in seconds, with as many places as it needs.
fn seconds(time: Duration) -> String {
    let millis = time.as_millis();
    if millis.is_multiple_of(1_000) {
        format!("{} s", millis / 1_000)
    } else if millis < 100 {
        format!("{millis} ms")
    } else {
        format!("{:.2} s", time.as_secs_f64())
    }
}
