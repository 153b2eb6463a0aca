//! One run of a lesson: its program on a thread of its own, and what it has told so far.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::house::{EVENTS, Event, House, Script, steady_clock};
use super::lesson::{Cast, LessonId};
use super::stage::Stage;
use super::told::Told;
use crate::join::process::Launcher;
use crate::join::{self, JoinError, Task};
use crate::record::LaneKind;

/// How long after its main thread a run may last: a lesson that joins nobody leaves some behind.
const CLEAR_WITHIN: Duration = Duration::from_mins(2);

/// How much a look takes in of what children have written; more comes with the next.
const READ_AT_ONCE: u64 = 256 * 1024;

/// What a run is asked to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Which lesson.
    pub lesson: LessonId,
    /// With what.
    pub cast: Cast,
    /// By how much every pause is shortened, more than 0.
    pub speed: f64,
    /// The parameters that are not at their default.
    pub parameters: BTreeMap<String, f64>,
}

impl Choice {
    /// As the lesson itself would have it.
    pub fn of(lesson: LessonId) -> Self {
        Self {
            lesson,
            cast: lesson.lesson().cast[0],
            speed: 1.0,
            parameters: BTreeMap::new(),
        }
    }

    pub(super) fn values(&self) -> BTreeMap<String, f64> {
        let parameters = self.lesson.lesson().parameters_of(self.cast);
        let values = parameters.map(|parameter| {
            let chosen = self.parameters.get(parameter.id).copied();
            let value = parameter.nearest(chosen.unwrap_or(parameter.default));
            (parameter.id.to_owned(), value)
        });
        values.collect()
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// What happened is what the lesson is about.
    Held,
    /// Something else happened: what.
    NotHeld(String),
    /// Its program could not go on: why.
    Failed(String),
    /// Somebody stopped it.
    Stopped,
}

impl Ending {
    /// Whether the lesson itself came to its end, in whatever way.
    pub fn is_own(&self) -> bool {
        matches!(self, Self::Held | Self::NotHeld(_))
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held => f.write_str("it went as the lesson says"),
            Self::NotHeld(why) => write!(f, "it did not go as the lesson says: {why}"),
            Self::Failed(why) => write!(f, "the lesson could not go on: {why}"),
            Self::Stopped => f.write_str("it was stopped"),
        }
    }
}

/// A lesson that runs, or has ended. Dropped while it runs, it is stopped.
///
/// ```no_run
/// use meanwhile::join::process::Launcher;
/// use meanwhile::lessons::{Choice, Ending, LessonId, Run};
/// use std::time::Duration;
///
/// let mut choice = Choice::of("join".parse::<LessonId>()?);
/// choice.speed = 10.0;
/// let mut run = Run::start(choice, Launcher::install(), || {})?;
/// while run.ending().is_none() {
///     run.rest(Duration::from_millis(50)); // a window does something else
///     run.poll();
/// }
/// assert_eq!(run.ending(), Some(&Ending::Held));
/// # Ok::<(), anyhow::Error>(())
/// ```
pub struct Run {
    choice: Choice,
    house: Arc<House>,
    main: Task<Result<(), String>>,
    children: Children,
    /// What children said of lanes that were not open yet.
    early: Vec<Event>,
    told: Told,
    ending: Option<Ending>,
}

impl Run {
    /// Starts a lesson. `launcher` starts its child processes, so that they end with this program;
    /// `wake` is called when there is something new to [`poll`](Self::poll), on other threads.
    ///
    /// # Errors
    /// There is no room for its files, or the system refused a thread.
    pub fn start(
        choice: Choice,
        launcher: Launcher,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("meanwhile-lesson-")
            .tempdir()?;
        File::create(folder.path().join(EVENTS))?;
        let values = choice.values();
        let script = Script {
            lesson: choice.lesson.to_string(),
            cast: choice.cast,
            speed: choice.speed,
            parameters: values.clone(),
            began: steady_clock(),
        };
        let wake = Arc::new(wake);
        let told = wake.clone();
        let path = folder.path().to_owned();
        let children = Children::new(path.join(EVENTS))?;
        let house = House::of_run(script, path, launcher, Box::new(move || told()));
        let main = {
            let (house, lesson) = (house.clone(), choice.lesson);
            join::Builder::new(format!("lesson {lesson}"))
                .daemon(true)
                .spawn(move |_| play(lesson, &house, folder))
                .map_err(io::Error::other)?
        };
        main.on_finish(move || wake());
        Ok(Self {
            told: Told::new(choice.cast, choice.speed, values),
            choice,
            house,
            main,
            children,
            early: Vec::new(),
            ending: None,
        })
    }

    /// What was asked for.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// Takes in what was told since the last call. Never waits.
    pub fn poll(&mut self) {
        if self.ending.is_some() {
            return;
        }
        let ended = self.main.poll();
        // What a child wrote before somebody here spoke of it is in its file by now.
        let mut events = std::mem::take(&mut self.early);
        events.extend(self.house.take());
        events.extend(self.children.read());
        events.sort_by_key(|event| event.at);
        for event in events {
            // Nor does a child wait until it is announced here.
            if self.told.is_announced(&event) {
                self.told.take(event);
            } else {
                self.early.push(event);
            }
        }
        if let Some(ended) = ended.filter(|_| !self.children.has_more) {
            self.ending = Some(self.ending_of(ended));
        }
    }

    /// What was told so far.
    pub fn told(&self) -> &Told {
        &self.told
    }

    /// How it ended, if it has.
    pub fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    /// How long it has lasted.
    pub fn elapsed(&self) -> Duration {
        self.house.now()
    }

    /// Ends everything that it has started. It is over when there is an [`ending`](Self::ending).
    pub fn stop(&self) {
        if self.ending.is_none() {
            self.house.stop();
        }
    }

    /// Waits until it is over, at most so long: for programs without a window.
    pub fn rest(&self, time: Duration) {
        // Either way there may be news.
        drop(self.main.join_timeout(time));
    }

    fn ending_of(&self, ended: Result<&Result<(), String>, JoinError>) -> Ending {
        if self.house.is_stopped_by_person() {
            return Ending::Stopped;
        }
        let lost = self.house.lost();
        if lost > 0 {
            return Ending::Failed(format!("{lost} events came faster than they were taken in"));
        }
        match ended {
            Ok(Ok(())) => match (self.choice.lesson.lesson().holds)(&self.told) {
                Ok(()) => Ending::Held,
                Err(why) => Ending::NotHeld(format!("{why:#}")),
            },
            Ok(Err(why)) => Ending::Failed(why.clone()),
            Err(error) => Ending::Failed(error.to_string()),
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The main thread of a lesson, until everything it has started is gone.
fn play(lesson: LessonId, house: &Arc<House>, folder: TempDir) -> Result<(), String> {
    let clearing = Clearing {
        house,
        _folder: folder,
    };
    let stage = Stage::of_main(house);
    let main = lesson.lesson().main;
    let played = stage.perform("main".to_owned(), LaneKind::Task, main);
    if played.is_err() {
        house.give_up();
    }
    drop(clearing);
    played.map_err(|error| format!("{error:#}"))
}

/// Leaves nothing of a run behind, in whatever way its main thread ends. The folder goes last.
struct Clearing<'a> {
    house: &'a House,
    _folder: TempDir,
}

impl Drop for Clearing<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.house.give_up();
        }
        self.house.clear(CLEAR_WITHIN);
    }
}

/// What the children of a run write, line by line.
struct Children {
    file: File,
    /// The beginning of a line that is not whole yet.
    rest: Vec<u8>,
    /// Whether the last look left something over.
    has_more: bool,
}

impl Children {
    /// The file is open before anybody writes, and can be read when its folder is gone.
    fn new(path: PathBuf) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self {
            file,
            rest: Vec::new(),
            has_more: false,
        })
    }

    fn read(&mut self) -> Vec<Event> {
        let mut limited = (&self.file).take(READ_AT_ONCE);
        // What was read before an error counts; the next look tries again.
        let _tried_again = limited.read_to_end(&mut self.rest);
        self.has_more = limited.limit() == 0;
        let whole = self.rest.iter().rposition(|&byte| byte == b'\n');
        let Some(whole) = whole else {
            return Vec::new();
        };
        let lines: Vec<u8> = self.rest.drain(..=whole).collect();
        let lines = lines.split(|&byte| byte == b'\n');
        // A line that is no event was written by no child of the lesson.
        lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect()
    }
}
