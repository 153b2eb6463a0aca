//! A run of a lesson: its program on a thread of its own, and the events recorded so far.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::child::{EVENTS_FILE, WAKE_SOCKET};
use super::lesson::{LessonId, WorkerKind};
use super::run_log::RunLog;
use super::shared::{Event, EventSink, MAIN, RunSettings, RunShared, steady_clock};
use super::trace::Trace;
use crate::join::process::Launcher;
use crate::join::{self, JoinError, Task};
use crate::record::LaneId;
use crate::trace::{self, GroupId};

/// The time that tasks may go on after the main thread of a lesson that has not joined them.
const FINISH_TIMEOUT: Duration = Duration::from_mins(2);

/// The maximum read from the file of events in one poll.
const MAX_READ_BYTES: u64 = 256 * 1024;

#[derive(Clone, Debug, PartialEq)]
pub struct LessonRunOptions {
    pub lesson: LessonId,
    /// One of the lesson's kinds of worker.
    pub worker_kind: WorkerKind,
    /// The factor by which every sleep is shortened; more than 0.
    pub speed: f64,
    /// The parameters that differ from their defaults.
    pub parameters: BTreeMap<String, f64>,
}

impl LessonRunOptions {
    /// The defaults of a lesson.
    pub fn of(lesson: LessonId) -> Self {
        Self {
            lesson,
            worker_kind: lesson.lesson().worker_kinds[0],
            speed: 1.0,
            parameters: BTreeMap::new(),
        }
    }

    /// All parameters, within their ranges.
    pub(super) fn values(&self) -> BTreeMap<String, f64> {
        let parameters = self.lesson.lesson().parameters_of(self.worker_kind);
        let values = parameters.map(|parameter| {
            let chosen = self.parameters.get(parameter.id).copied();
            let value = parameter.nearest(chosen.unwrap_or(parameter.default));
            (parameter.id.to_owned(), value)
        });
        values.collect()
    }
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LessonOutcome {
    /// The lesson has verified the log.
    AsExpected,
    /// The log is not what the lesson expects; the text says why.
    Unexpected(String),
    /// The lesson's program failed; the text says why.
    Failed(String),
    /// The user has stopped the run.
    Stopped,
}

impl LessonOutcome {
    /// Whether the lesson's program ran to its end.
    pub fn is_complete(&self) -> bool {
        matches!(self, Self::AsExpected | Self::Unexpected(_))
    }
}

impl fmt::Display for LessonOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AsExpected => f.write_str("as expected"),
            Self::Unexpected(why) => write!(f, "unexpected: {why}"),
            Self::Failed(why) => write!(f, "the lesson failed: {why}"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

/// A running or finished lesson. Dropping it stops it.
pub struct LessonRun {
    options: LessonRunOptions,
    shared: Arc<RunShared>,
    main: Task<Result<(), String>>,
    child_events: EventReader,
    wake: Arc<dyn Fn() + Send + Sync>,
    /// Events of lanes that are not open yet.
    early: Vec<Event>,
    log: RunLog,
    outcome: Option<LessonOutcome>,
}

impl LessonRun {
    /// Starts a lesson. `launcher` starts its child processes. `wake` is called on other threads when
    /// there is something new to [`poll`](Self::poll).
    ///
    /// # Errors
    /// If the files of the run can't be created, or if the system refuses a thread.
    pub fn start(
        options: LessonRunOptions,
        launcher: Launcher,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("meanwhile-lesson-")
            .tempdir()?;
        let child_events = EventReader::create(&folder.path().join(EVENTS_FILE))?;
        let values = options.values();
        let settings = RunSettings {
            lesson: options.lesson.to_string(),
            worker_kind: options.worker_kind,
            speed: options.speed,
            parameters: values.clone(),
            began: steady_clock(),
        };
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(wake);
        let end_of_children = wake_for_children(&folder.path().join(WAKE_SOCKET), wake.clone())?;
        let queue = {
            let wake = wake.clone();
            EventSink::Queue(Mutex::default(), Box::new(move || wake()))
        };
        let path = folder.path().to_owned();
        let first_lane = LaneId::new(MAIN.get() + 1);
        let shared = RunShared::new(settings, queue, path, launcher, first_lane);
        let main = {
            let (shared, lesson) = (shared.clone(), options.lesson);
            join::Builder::new(format!("lesson {lesson}"))
                .daemon(true)
                .spawn(move |_| run_main(lesson, &shared, folder))
                .map_err(io::Error::other)?
        };
        main.on_finish({
            let wake = wake.clone();
            move || {
                drop(end_of_children);
                wake();
            }
        });
        Ok(Self {
            wake,
            log: RunLog::new(options.worker_kind, options.speed, values),
            options,
            shared,
            main,
            child_events,
            early: Vec::new(),
            outcome: None,
        })
    }

    /// The options that it was started with.
    pub fn options(&self) -> &LessonRunOptions {
        &self.options
    }

    /// Applies all events since the last call to the log. Never waits.
    pub fn poll(&mut self) {
        if self.outcome.is_some() {
            return;
        }
        // In this order: what a child wrote before an event here, or before the end, is in its file.
        let ended = self.main.poll();
        let mut events = std::mem::take(&mut self.early);
        events.extend(self.shared.take_events());
        events.extend(self.child_events.read());
        events.sort_by_key(|event| event.at);
        for event in events {
            // A child may write before its parent has recorded that its lane is open.
            if self.log.knows_lane_of(&event) {
                self.log.apply(event);
            } else {
                self.early.push(event);
            }
        }
        if self.child_events.has_more {
            (self.wake)();
        } else if let Some(ended) = ended {
            self.outcome = Some(self.outcome_of(ended));
        }
    }

    /// Adds what ran, slept and waited to a trace, as a group whose name has the settings of the run.
    pub fn add_to(&self, trace: &mut trace::Trace, group: GroupId) {
        let title = self.options.lesson.lesson().title;
        let name = format!("{title}: {}", self.log.settings_text());
        self.log.timeline().add_to(trace, group, &name);
    }

    pub fn log(&self) -> &RunLog {
        &self.log
    }

    /// How the run ended; `None` while it runs.
    pub fn outcome(&self) -> Option<&LessonOutcome> {
        self.outcome.as_ref()
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.shared.now()
    }

    /// Stops all tasks and processes of the run. [`outcome`](Self::outcome) is set when that is done.
    pub fn stop(&self) {
        if self.outcome.is_none() {
            self.shared.lifecycle.stop();
        }
    }

    /// Waits for the end of the run, at most this long. For programs without a window.
    pub fn wait(&self, timeout: Duration) {
        // The caller polls in any case, so the result does not matter.
        self.main.join_timeout(timeout).ok();
    }

    fn outcome_of(&self, ended: Result<&Result<(), String>, JoinError>) -> LessonOutcome {
        if self.shared.lifecycle.is_stopped_by_user() {
            return LessonOutcome::Stopped;
        }
        let dropped = self.shared.dropped_events();
        if dropped > 0 {
            return LessonOutcome::Failed(format!("{dropped} events dropped"));
        }
        match ended {
            Ok(Ok(())) => match (self.options.lesson.lesson().verify)(&self.log) {
                Ok(()) => LessonOutcome::AsExpected,
                Err(why) => LessonOutcome::Unexpected(format!("{why:#}")),
            },
            Ok(Err(why)) => LessonOutcome::Failed(why.clone()),
            Err(error) => LessonOutcome::Failed(error.to_string()),
        }
    }
}

impl Drop for LessonRun {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Calls `wake` whenever a child process has written events, until the returned value is dropped.
fn wake_for_children(
    path: &Path,
    wake: Arc<dyn Fn() + Send + Sync>,
) -> io::Result<impl Drop + use<>> {
    let socket = UnixDatagram::bind(path)?;
    let end = UnixDatagram::unbound()?;
    end.connect(path)?;
    join::Builder::new("lesson events")
        .daemon(true)
        .spawn(move |_| {
            // A child has nothing to say but that there are events.
            while let Ok(0) = socket.recv(&mut [0]) {
                wake();
            }
        })
        .map_err(io::Error::other)?;
    Ok(OnDrop(move || drop(end.send(&[1]))))
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Runs the main thread of a lesson, and waits until everything that it has started is gone.
fn run_main(lesson: LessonId, shared: &Arc<RunShared>, folder: TempDir) -> Result<(), String> {
    let cleanup = Cleanup {
        shared,
        _folder: folder,
    };
    let result = Trace::of_main(shared).run("main", lesson.lesson().main);
    if result.is_err() {
        shared.lifecycle.abort();
    }
    drop(cleanup);
    result.map_err(|error| format!("{error:#}"))
}

/// Waits for all tasks and processes of a run, then deletes its folder. A panic of the main thread
/// stops them.
struct Cleanup<'a> {
    shared: &'a RunShared,
    _folder: TempDir,
}

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.lifecycle.abort();
        }
        self.shared.lifecycle.finish(FINISH_TIMEOUT);
    }
}

/// Reads the events that child processes append to a file, one per line.
struct EventReader {
    file: File,
    /// The beginning of a line that is not complete yet.
    partial: Vec<u8>,
    /// Whether the last read has left something over.
    has_more: bool,
}

impl EventReader {
    /// Creates the file. It stays readable when its folder is deleted.
    fn create(path: &Path) -> io::Result<Self> {
        File::create(path)?;
        Ok(Self {
            file: File::open(path)?,
            partial: Vec::new(),
            has_more: false,
        })
    }

    fn read(&mut self) -> Vec<Event> {
        let mut limited = (&self.file).take(MAX_READ_BYTES);
        // Uses the bytes before an error; the next call tries again.
        limited.read_to_end(&mut self.partial).ok();
        self.has_more = limited.limit() == 0;
        let end = self.partial.iter().rposition(|&byte| byte == b'\n');
        let Some(end) = end else {
            return Vec::new();
        };
        let lines: Vec<u8> = self.partial.drain(..=end).collect();
        let lines = lines.split(|&byte| byte == b'\n');
        // Lines that are not events do not come from a lesson.
        lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect()
    }
}
