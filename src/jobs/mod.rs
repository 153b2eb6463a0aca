//! What can be run: the [`Job`] trait and the catalogue, one file per job.
//!
//! A job is data ([`JobSpec`]: which job, its options, its inputs, where it runs) and two small
//! functions: [`Job::plan`] turns inputs into items, [`Job::run_item`] does one of them. Everything
//! around that (threads, cancelling, joining, catching panics) belongs to [`crate::board`], so a
//! job is ordinary sequential code. Jobs know no window.
//!
//! Adding a job is one file here plus one line in [`catalogue`] and one variant of [`Options`].

pub mod checksum;
pub mod command;
pub mod fetch;
pub(crate) mod hex;
pub mod images;
pub mod misbehave;
mod os_text;
pub mod save;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

#[cfg(unix)]
use crate::join::process::Process;
use crate::join::{self, Context};

/// Everything that is needed to start a job, and to start the same job again.
///
/// ```
/// use meanwhile::jobs::{JobSpec, Options, RunOn, checksum};
///
/// let spec = JobSpec {
///     options: Options::Checksum(checksum::Options::default()),
///     inputs: vec!["Downloads".into()],
///     run_on: RunOn::Pool,
///     workers: 4,
///     priority: Default::default(),
/// };
/// let kept = serde_json::to_string(&spec)?;
/// assert_eq!(serde_json::from_str::<JobSpec>(&kept)?, spec);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Which job, with its options.
    pub options: Options,
    /// The files and folders a person picked, in their order.
    pub inputs: Vec<PathBuf>,
    /// Where the items run.
    pub run_on: RunOn,
    /// How many items run at once, at least 1.
    pub workers: usize,
    /// How urgently they run.
    pub priority: Priority,
}

impl JobSpec {
    /// A job without inputs: on the pool, one worker a core, in the background.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            inputs: Vec::new(),
            run_on: RunOn::default(),
            workers: cores(),
            priority: Priority::default(),
        }
    }
}

/// How many cores the system lets us use: how many workers a job has by default.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Where the items of a job run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOn {
    /// On a pool of `workers` threads that lives as long as the job.
    #[default]
    Pool,
    /// Each item on a thread of its own, at most `workers` at a time.
    Thread,
    /// On `workers` isolated processes, each doing one item after the other: what no thread survives
    /// costs one item. Not on Windows.
    Process,
}

/// How urgently the items of a job run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Only when nothing else wants to run: the window and other programs stay quick, and on a
    /// busy machine the job crawls.
    #[default]
    Background,
    /// Like any other program.
    Normal,
}

impl Priority {
    /// Both, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Background, Self::Normal];

    /// The name on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Normal => "Normal",
        }
    }
}

impl From<Priority> for join::Priority {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Background => Self::Background,
            Priority::Normal => Self::Normal,
        }
    }
}

/// The options of each job of the catalogue; the variant is the choice of the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case")]
pub enum Options {
    /// Compute or verify checksums.
    Checksum(checksum::Options),
    /// Run a program, once or once for each file.
    Command(command::Options),
    /// Fetch URLs.
    Fetch(fetch::Options),
    /// Edit images and save them to another folder.
    Images(images::Options),
    /// End in the way one chooses, on the item one chooses.
    Misbehave(misbehave::Options),
}

impl Options {
    /// The job that these options configure.
    ///
    /// ```
    /// use meanwhile::jobs::{Options, checksum};
    ///
    /// let options = Options::Checksum(checksum::Options::default());
    /// assert_eq!(options.job().id(), "checksum");
    /// assert_eq!(options.job().title(), "Checksums");
    /// ```
    pub fn job(&self) -> &dyn Job {
        match self {
            Self::Checksum(options) => options,
            Self::Command(options) => options,
            Self::Fetch(options) => options,
            Self::Images(options) => options,
            Self::Misbehave(options) => options,
        }
    }
}

/// The default options of every job, in the order in which a person is offered them.
///
/// ```
/// let jobs = meanwhile::jobs::catalogue();
/// let ids: Vec<_> = jobs.iter().map(|options| options.job().id()).collect();
/// assert_eq!(ids, ["checksum", "command", "fetch", "images", "misbehave"]);
/// ```
pub fn catalogue() -> Vec<Options> {
    vec![
        Options::Checksum(checksum::Options::default()),
        Options::Command(command::Options::default()),
        Options::Fetch(fetch::Options::default()),
        Options::Images(images::Options::default()),
        Options::Misbehave(misbehave::Options::default()),
    ]
}

/// A configured job. The options are the fields of the implementor.
///
/// A job of its own, here run without a board:
///
/// ```
/// use meanwhile::jobs::{Item, ItemError, Job, Output, Step};
/// use meanwhile::join::{self, Context};
/// use std::path::PathBuf;
///
/// struct Lengths;
///
/// impl Job for Lengths {
///     fn id(&self) -> &'static str {
///         "lengths"
///     }
///
///     fn title(&self) -> &'static str {
///         "Lengths of names"
///     }
///
///     fn plan(&self, inputs: &[PathBuf], context: &Context, found: &mut dyn FnMut(Item)) {
///         for input in inputs {
///             context.checkpoint();
///             found(Item { input: input.clone(), bytes: 0, step: Step::Run });
///         }
///     }
///
///     fn run_item(&self, item: &Item, _context: &Context) -> Result<Output, ItemError> {
///         let text = format!("{} bytes", item.input.as_os_str().len());
///         Ok(Output::Text { text })
///     }
/// }
///
/// let task = join::spawn("lengths", |context| {
///     let mut texts = Vec::new();
///     Lengths.plan(&["a.txt".into(), "notes.txt".into()], context, &mut |item| {
///         texts.push(Lengths.run_item(&item, context).map(|output| output.to_string()));
///     });
///     texts.into_iter().collect::<Result<Vec<_>, _>>()
/// })?;
/// assert_eq!(task.join()?.as_deref(), Ok(&["5 bytes".to_owned(), "9 bytes".to_owned()][..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Job: Send + Sync {
    /// The name on the command line and in files, such as `checksum`.
    fn id(&self) -> &'static str;

    /// The name on screen, such as `Checksums`.
    fn title(&self) -> &'static str;

    /// Walks the inputs and hands each item to `found`, in a stable order.
    ///
    /// What can't be an item (an unreadable folder, a malformed line) is found too, as
    /// [`Step::Fail`]: it ends as that item's error and the rest goes on. Calls
    /// [`Context::checkpoint`] at least every 100 ms, so that planning a million files can be
    /// cancelled. `found` may wait while the workers are behind.
    fn plan(&self, inputs: &[PathBuf], context: &Context, found: &mut dyn FnMut(Item));

    /// Does one item, whatever its step is; only [`Step::Fail`] never gets here.
    ///
    /// Progress is reported in bytes through `context`, which is also asked for a cancel at least
    /// every 100 ms.
    ///
    /// # Errors
    /// Whatever keeps this one item from being done. A panic is caught, and ends this item only.
    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError>;

    /// Does one item in an isolated worker, which alone ends if the item takes its process along.
    /// Everything else is as in [`run_item`](Self::run_item), which this calls unless the job says
    /// otherwise.
    ///
    /// # Errors
    /// As `run_item`.
    fn run_isolated(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        self.run_item(item, context)
    }

    /// Does one item on a thread of `host`, which a job that has processes of its own tells of
    /// them. Everything else is as in [`run_item`](Self::run_item), which this calls unless the job
    /// says otherwise.
    ///
    /// # Errors
    /// As `run_item`.
    fn run_item_on(
        &self,
        item: &Item,
        context: &Context,
        _host: &dyn Host,
    ) -> Result<Output, ItemError> {
        self.run_item(item, context)
    }

    /// Whether each item is a process of its own. Then its thread only waits: it is no worker that
    /// could be in anybody's way, and isolating it would isolate nothing.
    fn has_processes(&self) -> bool {
        false
    }

    /// The most address space that an isolated worker may use for this job, in bytes; `None` for
    /// no limit.
    fn address_space_limit(&self) -> Option<u64> {
        None
    }

    /// How long an item that is cancelled may take to stop, beyond what any item may. Default: no
    /// longer.
    fn stop_time(&self) -> Duration {
        Duration::ZERO
    }
}

/// Who runs the items of a job, and wants to see their processes.
pub trait Host {
    /// How urgently the items are to run.
    fn priority(&self) -> Priority;

    /// The item has started this process.
    #[cfg(unix)]
    fn did_run(&self, process: &Process);

    /// It has ended like that; the item ends soon.
    fn did_end(&self, ran: &Arc<command::Ran>);
}

/// Nobody in particular, who wants to see nothing.
impl Host for () {
    fn priority(&self) -> Priority {
        Priority::Normal
    }

    #[cfg(unix)]
    fn did_run(&self, _process: &Process) {}

    fn did_end(&self, _ran: &Arc<command::Ran>) {}
}

/// One input of a job as the job sees it, mostly a file.
///
/// ```
/// use meanwhile::jobs::{Item, Step};
///
/// let items = [("a.txt", 4_096), ("b.txt", 512)].map(|(input, bytes)| Item {
///     input: input.into(),
///     bytes,
///     step: Step::Run,
/// });
/// assert_eq!(items.iter().map(|item| item.bytes).sum::<u64>(), 4_608);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The path as it will be opened and shown.
    pub input: PathBuf,
    /// The expected amount of work in bytes; 0 where it is not known.
    pub bytes: u64,
    /// What is to be done.
    pub step: Step,
}

impl Item {
    /// An input with which nothing can be done, and why.
    ///
    /// ```
    /// use meanwhile::jobs::checksum::ChecksumError;
    /// use meanwhile::jobs::{Item, Step};
    ///
    /// let gone = ChecksumError::Missing { path: "a.txt".into() };
    /// let item = Item::failed("a.txt".into(), gone);
    /// let Step::Fail(error) = item.step else { unreachable!("it was made to fail") };
    /// assert_eq!(error.to_string(), "a.txt is not there.");
    /// ```
    pub fn failed(input: PathBuf, error: impl Into<ItemError>) -> Self {
        Self {
            input,
            bytes: 0,
            step: Step::Fail(error.into()),
        }
    }
}

/// What is to be done with an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Run the job on the input.
    Run,
    /// Compare the input's checksum with this one.
    Verify(checksum::Expected),
    /// Run the command once, with all these files.
    Command {
        /// The files; none for a command that takes none.
        files: Vec<PathBuf>,
    },
    /// Save what comes of the input under this name.
    SaveAs {
        /// The name in the folder that the options say.
        name: OsString,
    },
    /// Nothing can be done: the item ends with this error.
    Fail(ItemError),
    /// End the way the options of [`misbehave`] say.
    Misbehave,
}

/// What an item came back with.
///
/// ```
/// use meanwhile::jobs::Output;
///
/// let output = Output::Text { text: "42 lines".to_owned() };
/// assert_eq!(output.to_string(), "42 lines");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Output {
    /// A checksum, computed or verified.
    Checksum(checksum::Checksum),
    /// The run of a command.
    Command(Arc<command::Ran>),
    /// What came back from a URL.
    Fetched(fetch::Fetched),
    /// An image that was saved.
    Image(images::Saved),
    /// A sentence.
    Text {
        /// The sentence.
        text: String,
    },
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Checksum(checksum) => f.write_str(&checksum.digest),
            Self::Command(ran) => ran.fmt(f),
            Self::Fetched(fetched) => fetched.fmt(f),
            Self::Image(saved) => saved.fmt(f),
            Self::Text { text } => f.write_str(text),
        }
    }
}

/// Why an item failed: one sentence for a person, and a word for programs.
///
/// Plain data, because it is kept in the record, written to files and sent between processes.
///
/// ```
/// use meanwhile::jobs::ItemError;
///
/// let error = ItemError {
///     kind: "too_long".to_owned(),
///     message: "a.txt has more lines than fit; split it and run again.".to_owned(),
/// };
/// assert_eq!(error.to_string(), error.message);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct ItemError {
    /// A stable snake-case word, such as `special_file` or `mismatch`.
    pub kind: String,
    /// What happened, to what, what to do.
    pub message: String,
}
