//! What all stages of one process share: what was told, who plays, and whether it was stopped.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::lesson::Cast;
use crate::join::process::{Launcher, Process};
use crate::join::{self, TaskId};
use crate::record::{LaneId, TimelineKind};

/// In the environment of a child: the [`Script`], its lane, and the folder of the run.
pub(super) const SCRIPT: &str = "MEANWHILE_LESSON";
pub(super) const LANE: &str = "MEANWHILE_LESSON_LANE";
pub(super) const FOLDER: &str = "MEANWHILE_LESSON_FOLDER";

/// The file of the run's folder in which children write what they do.
pub(super) const EVENTS: &str = "events";

/// Between two looks of the window, more events than this are not kept.
const INBOX: usize = 100_000;

/// Between two looks for tasks that are about to end.
const GLANCE: Duration = Duration::from_millis(1);

/// The lane of the main thread.
pub(super) const MAIN: LaneId = LaneId(0);

/// Something that happened in a run, with the line of the lesson's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Event {
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

/// What all stages of one process share.
pub(super) struct House {
    pub(super) script: Script,
    sink: Sink,
    pub(super) folder: PathBuf,
    pub(super) launcher: Launcher,
    lanes: AtomicU64,
    /// How many events came between two looks and were too many.
    lost: AtomicU64,
    backstage: Mutex<Backstage>,
    did_change: Condvar,
}

enum Sink {
    /// The run itself looks here.
    Inbox(Mutex<Vec<Event>>, Box<dyn Fn() + Send + Sync>),
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

/// One task or process of the run, until its lane was closed or it was dropped unrun.
pub(super) struct Playing(pub(super) Arc<House>);

impl Playing {
    pub(super) fn new(house: &Arc<House>) -> Self {
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
            lost: AtomicU64::new(0),
            backstage: Mutex::default(),
            did_change: Condvar::new(),
        }
    }

    /// In a child: what its stages share, and the lane of its main thread.
    ///
    /// # Errors
    /// It was not started by a lesson.
    pub(super) fn of_child() -> io::Result<(Arc<Self>, LaneId)> {
        let variable = |name: &str| -> io::Result<OsString> {
            let missing = || io::Error::other(format!("{name} is not set: a lesson starts this"));
            std::env::var_os(name).ok_or_else(missing)
        };
        let script = variable(SCRIPT)?.into_encoded_bytes();
        let lane = variable(LANE)?.to_string_lossy().parse();
        let lane = lane.map(LaneId).map_err(io::Error::other)?;
        let folder = PathBuf::from(variable(FOLDER)?);
        let file = File::options().append(true).open(folder.join(EVENTS))?;
        let script: Script = serde_json::from_slice(&script)?;
        let no_launcher = || io::Error::other("this program has installed no launcher");
        let launcher = Launcher::installed().ok_or_else(no_launcher)?;
        let own = first_lane(std::process::id()).0;
        let sink = Sink::File(Mutex::new(file));
        Ok((
            Arc::new(Self::new(script, sink, folder, launcher, own)),
            lane,
        ))
    }

    /// A lane that nobody has had.
    pub(super) fn new_lane(&self) -> LaneId {
        LaneId(self.lanes.fetch_add(1, Ordering::Relaxed))
    }

    /// Notes a task that has begun.
    pub(super) fn did_begin(&self, task: TaskId) {
        self.backstage().tasks.push(task);
    }

    /// Keeps what is to run when somebody stops the run; gives it back if they have.
    pub(super) fn on_stop(
        &self,
        stop: Box<dyn FnOnce() + Send>,
    ) -> Result<(), Box<dyn FnOnce() + Send>> {
        let mut backstage = self.backstage();
        if backstage.is_stopped {
            return Err(stop);
        }
        backstage.on_stop.push(stop);
        Ok(())
    }

    /// How long the run has lasted, by the clock that all processes share.
    pub(super) fn now(&self) -> Duration {
        steady_clock().saturating_sub(self.script.began)
    }

    pub(super) fn tell(&self, event: Event) {
        match &self.sink {
            Sink::Inbox(inbox, wake) => {
                let mut inbox = inbox.lock().unwrap_or_else(PoisonError::into_inner);
                if inbox.len() < INBOX {
                    inbox.push(event);
                } else {
                    self.lost.fetch_add(1, Ordering::Relaxed);
                }
                if inbox.len() == 1 {
                    drop(inbox);
                    wake();
                }
            }
            Sink::File(file) => {
                let mut line = serde_json::to_vec(&event).unwrap_or_default();
                line.push(b'\n');
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                // Where the disk is full the transcript has a gap, and the lesson goes on.
                drop(file.write_all(&line));
            }
        }
    }

    /// What was told here since the last call.
    pub(super) fn take(&self) -> Vec<Event> {
        match &self.sink {
            Sink::Inbox(inbox, _) => {
                std::mem::take(&mut *inbox.lock().unwrap_or_else(PoisonError::into_inner))
            }
            Sink::File(_) => Vec::new(),
        }
    }

    /// How many events nobody will take.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Unwinds when the run was stopped.
    pub(super) fn check(&self) {
        // One that unwinds already has only its end to tell.
        if self.is_stopped() && !std::thread::panicking() {
            std::panic::resume_unwind(Box::new(Stopped));
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.backstage().is_stopped
    }

    pub(super) fn is_stopped_by_person(&self) -> bool {
        self.backstage().is_stopped_by_person
    }

    pub(super) fn pause(&self, time: Duration) {
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

    pub(super) fn keep(&self, process: &Process) {
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
        self.rest_while(deadline, |backstage| {
            backstage.actors > 0 && !backstage.is_stopped
        });
        if self.is_stopped() {
            // Somebody may wait for what a process has started, which goes on without it.
            self.stop_processes();
        }
        self.rest_while(deadline, |backstage| backstage.actors > 0);
        // What has closed its lane is a task until its outcome is published.
        let mut backstage = self.backstage();
        let tasks = std::mem::take(&mut backstage.tasks);
        let is_live = |tasks: &[TaskId]| {
            join::enumerate()
                .iter()
                .any(|task| tasks.contains(&task.id))
        };
        while is_live(&tasks) && !left().is_zero() {
            backstage = self.rest(backstage, left().min(GLANCE));
        }
        let is_stopped = backstage.is_stopped;
        let processes = backstage.processes.clone();
        drop(backstage);
        if is_stopped
            || processes
                .iter()
                .any(|process| process.join_timeout(left()).is_err())
        {
            self.stop_processes();
        }
    }

    /// Waits until it is no longer so, or the deadline.
    fn rest_while(&self, deadline: Instant, is_so: impl Fn(&Backstage) -> bool) {
        let mut backstage = self.backstage();
        while is_so(&backstage) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            backstage = self.rest(backstage, left);
        }
    }

    /// Ends every process with everything it has started.
    fn stop_processes(&self) {
        let processes = std::mem::take(&mut self.backstage().processes);
        for process in processes {
            // Whoever escapes is no process of ours any more, and ends with the launcher.
            drop(process.stop(Duration::ZERO));
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
