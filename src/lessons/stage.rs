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
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write as _};
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::lesson::Cast;
use crate::join::process::{Builder, Exit, LaunchOptions, Launcher, Process, SpawnError};
use crate::join::{self, Context, TaskId};
use crate::record::{Activity, LaneEnd, LaneId, LaneKind, TimelineKind};

/// In the environment of a child: the [`Script`], its lane, and the folder of the run.
const SCRIPT: &str = "MEANWHILE_LESSON";
const LANE: &str = "MEANWHILE_LESSON_LANE";
const FOLDER: &str = "MEANWHILE_LESSON_FOLDER";

/// The file of the run's folder in which children write what they do.
pub(super) const EVENTS: &str = "events";

/// Between two looks of the window, more events than this are not kept.
const INBOX: usize = 100_000;

/// Between two looks for tasks that are about to end.
const GLANCE: Duration = Duration::from_millis(1);

/// The lane of the main thread.
const MAIN: LaneId = LaneId(0);

/// Something that happened in a run, with the line of the lesson's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) at: Duration,
    pub(super) lane: LaneId,
    pub(super) line: u32,
    pub(super) act: Act,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Act {
    Timeline(TimelineKind),
    Noted(String, String),
    Row(Vec<String>),
    /// The process of this number has ended, with everybody in it.
    DidExit(u32),
}

/// What a run and all its processes know alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Script {
    pub(super) lesson: String,
    pub(super) cast: Cast,
    pub(super) speed: f64,
    pub(super) parameters: BTreeMap<String, f64>,
    /// What the system's steady clock said when the run began.
    pub(super) began: Duration,
}

/// A place from which a lesson's program speaks. Clones speak in the same lane.
#[derive(Clone)]
pub struct Stage {
    house: Arc<House>,
    lane: LaneId,
}

/// What all stages of one process share.
pub(super) struct House {
    script: Script,
    sink: Sink,
    folder: PathBuf,
    launcher: Launcher,
    lanes: AtomicU64,
    backstage: Mutex<Backstage>,
    did_change: Condvar,
}

enum Sink {
    /// The run itself looks here.
    Inbox(Mutex<Vec<Told>>, Box<dyn Fn() + Send + Sync>),
    /// A child writes for the run.
    File(Mutex<File>),
}

#[derive(Default)]
struct Backstage {
    /// Everybody is to end, because a person wants it or the main thread can't go on.
    is_stopped: bool,
    is_stopped_by_person: bool,
    /// How many tasks and processes have not ended.
    actors: usize,
    /// Those that have begun.
    tasks: Vec<TaskId>,
    processes: Vec<Process>,
    on_stop: Vec<Box<dyn FnOnce() + Send>>,
}

/// With which a thread unwinds that finds its run stopped.
struct Stopped;

impl Stage {
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
        self.tell(Act::Timeline(TimelineKind::Said { text }));
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
            house.backstage().tasks.push(context.task_id());
            let lane = LaneId(house.lanes.fetch_add(1, Ordering::Relaxed));
            let stage = Self { house, lane };
            stage.open(name, LaneKind::Task);
            let closing = ClosingTask(&stage, context);
            let returned = act(&stage, context);
            drop(closing);
            drop(playing);
            returned
        }
    }

    /// The body of a task on a pool. It acts in the lane of the thread that takes it, which is open
    /// until that thread ends with its pool.
    pub fn pooled<T, F>(&self, act: F) -> impl FnOnce(&Context) -> T + use<T, F>
    where
        F: FnOnce(&Self, &Context) -> T,
    {
        let playing = Playing::new(&self.house);
        move |context| {
            playing.0.backstage().tasks.push(context.task_id());
            let stage = LaneOfThread::stage(&playing.0);
            act(&stage, context)
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
        self.house.check();
        let lane = LaneId(self.house.lanes.fetch_add(1, Ordering::Relaxed));
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
        process.on_finish(move || {
            let how = ended.poll().map_or(LaneEnd::Returned, end_of);
            let closed = TimelineKind::DidClose { how };
            let now = child.house.now();
            child.tell_at(now, 0, Act::Timeline(closed));
            child.tell_at(now, 0, Act::DidExit(ended.pid()));
            drop(playing);
        });
        Ok(process)
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
        let mut backstage = self.house.backstage();
        if backstage.is_stopped {
            drop(backstage);
            stop();
        } else {
            backstage.on_stop.push(Box::new(stop));
        }
    }

    /// A folder for files of the run; it goes with the run.
    pub fn folder(&self) -> &Path {
        &self.house.folder
    }

    /// Opens the lane, acts, and closes it, in whatever way that ends.
    pub(super) fn perform<T>(
        &self,
        name: String,
        kind: LaneKind,
        act: impl FnOnce(&Self) -> T,
    ) -> T {
        self.open(name, kind);
        let closing = Closing(self);
        let returned = act(self);
        drop(closing);
        returned
    }

    fn open(&self, name: String, kind: LaneKind) {
        let opened = TimelineKind::DidOpen { name, kind };
        self.tell_at(self.house.now(), 0, Act::Timeline(opened));
    }

    /// `unwound` is how it ended if it did not return.
    fn close(&self, unwound: LaneEnd) {
        let how = if std::thread::panicking() {
            unwound
        } else {
            LaneEnd::Returned
        };
        let closed = TimelineKind::DidClose { how };
        self.tell_at(self.house.now(), 0, Act::Timeline(closed));
    }

    #[track_caller]
    fn begin(&self, activity: Activity, label: String) -> impl Drop {
        self.tell(Act::Timeline(TimelineKind::DidBegin { activity, label }));
        Doing(self.clone())
    }

    #[track_caller]
    fn tell(&self, act: Act) {
        self.house.check();
        self.tell_at(self.house.now(), Location::caller().line(), act);
    }

    fn tell_at(&self, at: Duration, line: u32, act: Act) {
        let lane = self.lane;
        self.house.tell(Told {
            at,
            lane,
            line,
            act,
        });
    }
}

/// One task or process of the run, until its lane was closed or it was dropped unrun.
struct Playing(Arc<House>);

impl Playing {
    fn new(house: &Arc<House>) -> Self {
        house.backstage().actors += 1;
        Self(house.clone())
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        self.0.backstage().actors -= 1;
        self.0.did_change.notify_all();
    }
}

/// Closes the lane when it is dropped.
struct Closing<'a>(&'a Stage);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close(LaneEnd::Panicked);
    }
}

/// The same for a task, which may have been cancelled.
struct ClosingTask<'a>(&'a Stage, &'a Context);

impl Drop for ClosingTask<'_> {
    fn drop(&mut self) {
        let unwound = if self.1.is_cancelled() {
            LaneEnd::Failed("cancelled".to_owned())
        } else {
            LaneEnd::Panicked
        };
        self.0.close(unwound);
    }
}

thread_local! {
    static OWN: RefCell<Option<LaneOfThread>> = const { RefCell::new(None) };
}

/// The lane of a thread to which many tasks come, until the thread ends.
struct LaneOfThread {
    stage: Stage,
    _playing: Playing,
}

impl LaneOfThread {
    /// Opens the lane of this thread, unless it is open.
    fn stage(house: &Arc<House>) -> Stage {
        OWN.with_borrow_mut(|own| {
            let open = own.take();
            let open = open.filter(|own| Arc::ptr_eq(&own.stage.house, house));
            let own = own.insert(open.unwrap_or_else(|| Self::open(house)));
            own.stage.clone()
        })
    }

    fn open(house: &Arc<House>) -> Self {
        let lane = LaneId(house.lanes.fetch_add(1, Ordering::Relaxed));
        let stage = Stage {
            house: house.clone(),
            lane,
        };
        let name = std::thread::current().name().unwrap_or("thread").to_owned();
        let kind = LaneKind::Task;
        stage.tell_at(
            house.now(),
            0,
            Act::Timeline(TimelineKind::DidOpen { name, kind }),
        );
        Self {
            stage,
            _playing: Playing::new(house),
        }
    }
}

impl Drop for LaneOfThread {
    fn drop(&mut self) {
        self.stage.close(LaneEnd::Panicked);
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

impl House {
    /// For a run of this process.
    pub(super) fn of_run(
        script: Script,
        folder: PathBuf,
        launcher: Launcher,
        wake: Box<dyn Fn() + Send + Sync>,
    ) -> Arc<Self> {
        let inbox = Sink::Inbox(Mutex::default(), wake);
        Arc::new(Self::new(script, inbox, folder, launcher, MAIN.0))
    }

    fn new(script: Script, sink: Sink, folder: PathBuf, launcher: Launcher, lane: u64) -> Self {
        Self {
            script,
            sink,
            folder,
            launcher,
            lanes: AtomicU64::new(lane + 1),
            backstage: Mutex::default(),
            did_change: Condvar::new(),
        }
    }

    /// The stage of the main thread.
    pub(super) fn main_stage(self: &Arc<Self>) -> Stage {
        Stage {
            house: self.clone(),
            lane: MAIN,
        }
    }

    /// In a child: the stage of its main thread, whose lane the run has opened.
    ///
    /// # Errors
    /// It was not started by a lesson.
    pub(super) fn of_child() -> io::Result<Stage> {
        let variable = |name: &str| -> io::Result<OsString> {
            let missing = || io::Error::other(format!("{name} is not set: a lesson starts this"));
            std::env::var_os(name).ok_or_else(missing)
        };
        let script = variable(SCRIPT)?.into_encoded_bytes();
        let lane = variable(LANE)?.to_string_lossy().parse();
        let lane: u64 = lane.map_err(io::Error::other)?;
        let folder = PathBuf::from(variable(FOLDER)?);
        let file = File::options().append(true).open(folder.join(EVENTS))?;
        let script: Script = serde_json::from_slice(&script)?;
        let no_launcher = || io::Error::other("this program has installed no launcher");
        let launcher = Launcher::installed().ok_or_else(no_launcher)?;
        let own = first_lane(std::process::id()).0;
        let sink = Sink::File(Mutex::new(file));
        let house = Arc::new(Self::new(script, sink, folder, launcher, own));
        let lane = LaneId(lane);
        Ok(Stage { house, lane })
    }

    /// How long the run has lasted, by the clock that all processes share.
    pub(super) fn now(&self) -> Duration {
        steady_clock().saturating_sub(self.script.began)
    }

    fn tell(&self, told: Told) {
        match &self.sink {
            Sink::Inbox(inbox, wake) => {
                let mut inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
                if inbox.len() < INBOX {
                    inbox.push(told);
                }
                if inbox.len() == 1 {
                    drop(inbox);
                    wake();
                }
            }
            Sink::File(file) => {
                let mut line = serde_json::to_vec(&told).unwrap_or_default();
                line.push(b'\n');
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                // Where the disk is full the transcript has a gap, and the lesson goes on.
                drop(file.write_all(&line));
            }
        }
    }

    /// What was told here since the last call.
    pub(super) fn take(&self) -> Vec<Told> {
        match &self.sink {
            Sink::Inbox(inbox, _) => {
                std::mem::take(&mut *inbox.lock().unwrap_or_else(PoisonError::into_inner))
            }
            Sink::File(_) => Vec::new(),
        }
    }

    /// Unwinds when the run was stopped.
    fn check(&self) {
        // One that unwinds already has only its end to tell.
        if self.is_stopped() && !std::thread::panicking() {
            std::panic::resume_unwind(Box::new(Stopped));
        }
    }

    fn is_stopped(&self) -> bool {
        self.backstage().is_stopped
    }

    pub(super) fn is_stopped_by_person(&self) -> bool {
        self.backstage().is_stopped_by_person
    }

    fn pause(&self, time: Duration) {
        let deadline = Instant::now().checked_add(time);
        let mut backstage = self.backstage();
        while !backstage.is_stopped {
            let left = deadline.map_or(Duration::MAX, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                return;
            }
            backstage = self.rest(backstage, left);
        }
        drop(backstage);
        self.check();
    }

    fn rest<'a>(
        &self,
        backstage: MutexGuard<'a, Backstage>,
        time: Duration,
    ) -> MutexGuard<'a, Backstage> {
        let waited = self.did_change.wait_timeout(backstage, time);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn keep(&self, process: &Process) {
        let mut backstage = self.backstage();
        backstage.processes.push(process.clone());
        if backstage.is_stopped {
            // One that took the rights of somebody else is found by the end of the run.
            drop(process.kill());
        }
    }

    /// A person wants it to end.
    pub(super) fn stop(&self) {
        self.backstage().is_stopped_by_person = true;
        self.give_up();
    }

    /// Ends every pause and every process, so that all threads come to their end.
    pub(super) fn give_up(&self) {
        let mut backstage = self.backstage();
        backstage.is_stopped = true;
        let stops = std::mem::take(&mut backstage.on_stop);
        for process in &backstage.processes {
            drop(process.kill());
        }
        drop(backstage);
        self.did_change.notify_all();
        for stop in stops {
            stop();
        }
    }

    /// Waits until all tasks and processes of the run have ended; what has not by then is stopped.
    pub(super) fn clear(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let left = || deadline.saturating_duration_since(Instant::now());
        let mut backstage = self.backstage();
        while backstage.actors > 0 && !left().is_zero() {
            backstage = self.rest(backstage, left());
        }
        // What has closed its lane is a task until its outcome is published.
        let tasks = std::mem::take(&mut backstage.tasks);
        let is_live = |tasks: &[TaskId]| {
            join::enumerate()
                .iter()
                .any(|task| tasks.contains(&task.id))
        };
        while is_live(&tasks) && !left().is_zero() {
            backstage = self.rest(backstage, left().min(GLANCE));
        }
        let processes = std::mem::take(&mut backstage.processes);
        let is_stopped = backstage.is_stopped;
        drop(backstage);
        for process in processes {
            if is_stopped || process.join_timeout(left()).is_err() {
                // Whoever escapes is no process of ours any more, and ends with the launcher.
                drop(process.stop(Duration::ZERO));
            }
        }
    }

    fn backstage(&self) -> MutexGuard<'_, Backstage> {
        self.backstage
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Before the first lane that a process opens: those of several have different numbers.
fn first_lane(process: u32) -> LaneId {
    LaneId(u64::from(process) << 32)
}

/// Whether a process itself has opened that lane.
pub(super) fn is_lane_of(lane: LaneId, process: u32) -> bool {
    lane.0 >> 32 == u64::from(process)
}

/// The time of the system's steady clock, which is the same in all processes.
pub(super) fn steady_clock() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    let secs = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(secs, nanos)
}

fn end_of(exit: Exit) -> LaneEnd {
    match exit {
        Exit::Code(0) => LaneEnd::Returned,
        Exit::Code(101) => LaneEnd::Panicked,
        exit => LaneEnd::Failed(exit.to_string()),
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
