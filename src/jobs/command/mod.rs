//! The job `command`: runs any program, once or once for each file.
//!
//! The path of the file replaces `{}` in the command, or is its last argument if the command has no
//! placeholder, as with `xargs`; [`Template`] has the other placeholders. The command does not pass
//! through a shell, so a file may have any name. With [`Options::shell`] the command is a script for
//! `/bin/sh` with the files as its parameters: nothing in it is replaced, it reads them as `"$1"`
//! and `"$@"`.
//!
//! Many programs take a file whose name begins with `-` for an option. Files that the user picks in
//! the window have absolute paths; in a shell, write `./-name`.

#[cfg(unix)]
mod adopt;
mod args;
#[cfg(unix)]
mod forward;
#[cfg(unix)]
mod helpers;
mod interface;
mod os_string_serde;
mod plan;
mod prepared;
#[cfg(unix)]
mod run;
mod template;
#[cfg(unix)]
mod terminal;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::prepared::CommandOptionsError;
use self::prepared::Prepared;
pub use self::template::Template;
use super::{DEFAULT_OUTPUT_LIMIT, Item, ItemError, Job, Output, Plan, ProcessObserver};
use crate::choice::choices;
#[cfg(unix)]
use crate::join::process::RunningProcess;
use crate::join::{Cancelled, Context};

/// The command, its files and its limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The program and its arguments.
    pub command: CommandLine,
    /// Whether the command is a script for `/bin/sh -c`. Then `{}` means itself, and the files are
    /// parameters of the script, after those in the command.
    pub shell: bool,
    /// The files of each run.
    pub files: Files,
    /// Whether a folder is passed to the command like a file. Otherwise it stands for the files below it.
    pub whole_folders: bool,
    /// Words before the command, split as in a shell, such as `nice -n 19`,
    /// `ssh -o BatchMode=yes host` or `srun -N1`. After `ssh`, whose arguments a remote shell splits
    /// again, each word of the command is quoted.
    pub prefix: String,
    /// The working directory; empty for that of this program. If it is not empty, relative paths of
    /// files are made absolute.
    pub dir: PathBuf,
    /// Environment variables, each `NAME=VALUE`, in addition to those of this program.
    #[serde(with = "os_string_serde")]
    pub env: Vec<OsString>,
    /// The timeout of each run in seconds; 0 and invalid values are no limit.
    pub timeout_secs: f64,
    /// The seconds that the processes of a run that was cancelled or timed out have to end before
    /// they are killed. Invalid values count as 0.
    pub grace_secs: f64,
    /// The exit codes that mean success, such as `0`, `0, 2-4` or `any`.
    pub expected_codes: String,
    /// The most memory that each process may address, in MiB; 0 is no limit.
    pub memory_mib: u64,
    /// The most CPU time that each process may use, in seconds; 0 is no limit.
    pub cpu_secs: u64,
    /// What happens to processes that a run has left running.
    pub leave: Leave,
    /// Whether a run has the terminal of this program, one at a time: its streams lead there, and its output
    /// is not in the result. Otherwise a command has no terminal.
    pub tty: bool,
    /// The number of the last bytes of each stream that are kept while the command runs.
    pub output_limit: usize,
    /// The part of them that is kept after it ended.
    pub keep: Keep,
    /// The process to be waited for instead, which something else has started.
    #[cfg(unix)]
    #[serde(skip)]
    pub adopted: Option<RunningProcess>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            command: CommandLine::Line(String::new()),
            shell: false,
            files: Files::default(),
            whole_folders: false,
            prefix: String::new(),
            dir: PathBuf::new(),
            env: Vec::new(),
            timeout_secs: 0.0,
            grace_secs: 5.0,
            expected_codes: "0".to_owned(),
            memory_mib: 0,
            cpu_secs: 0,
            leave: Leave::default(),
            tty: false,
            output_limit: DEFAULT_OUTPUT_LIMIT,
            keep: Keep::default(),
            #[cfg(unix)]
            adopted: None,
        }
    }
}

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandLine {
    /// In one line, which is split into words as in a shell; a script is not split.
    Line(String),
    /// Word by word. A script is the first word, the others are its parameters.
    #[serde(with = "os_string_serde")]
    Words(Vec<OsString>),
}

/// The files of each run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Files {
    /// One: the command runs once for each file, or once without any.
    #[default]
    One,
    /// All: the command runs once, and each word with a placeholder is repeated for each file.
    All,
}

choices!(pub Files {
    One => "Once for each file",
    All => "Once for all files",
});

/// What happens to the processes that a command has started and not ended, when it has ended itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Leave {
    /// They go on, and the run names them.
    #[default]
    Name,
    /// They are stopped.
    Stop,
}

choices!(pub Leave {
    Name => "Name it",
    Stop => "Stop it",
});

/// The length of each stream that an ended run keeps with [`Keep::Tail`].
#[cfg(unix)]
const MAX_TAIL_BYTES: usize = 8 * 1024;

/// The part of the output of a run that is kept after it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The last 8 KiB of each stream.
    #[default]
    Tail,
    /// Everything that was kept while it ran.
    All,
}

impl Keep {
    /// The bytes of each stream that are kept; `None` for all.
    #[cfg(unix)]
    fn limit(self) -> Option<usize> {
        match self {
            Self::Tail => Some(MAX_TAIL_BYTES),
            Self::All => None,
        }
    }
}

impl Options {
    /// Checks whether the command can run, with files or without.
    ///
    /// # Errors
    /// The first problem that the user has to correct.
    pub fn check(&self, has_files: bool) -> Result<(), CommandOptionsError> {
        let prepared = Prepared::new(self)?;
        match prepared.placeholder() {
            Some(word) if !has_files => Err(CommandOptionsError::NoFiles { word }),
            _ => Ok(()),
        }
    }

    /// The words of the command, each quoted as for a shell, with the placeholders for files. Shows
    /// how the line was split.
    ///
    /// # Errors
    /// The line can't be split.
    pub fn words_text(&self) -> Result<String, CommandOptionsError> {
        prepared::shown(self)
    }

    /// The words of the command for these files, each quoted as for a shell, in one line.
    ///
    /// # Errors
    /// The command can't be run.
    pub fn filled_text(&self, files: &[PathBuf]) -> Result<String, CommandOptionsError> {
        prepared::filled(self, files)
    }

    /// Whether the job waits for a process that something else has started.
    fn adopts(&self) -> bool {
        #[cfg(unix)]
        let adopts = self.adopted.is_some();
        #[cfg(not(unix))]
        let adopts = false;
        adopts
    }

    fn grace(&self) -> Duration {
        Duration::try_from_secs_f64(self.grace_secs).unwrap_or_default()
    }

    #[cfg(unix)]
    fn timeout(&self) -> Option<Duration> {
        let timeout = Duration::try_from_secs_f64(self.timeout_secs).ok();
        timeout.filter(|timeout| !timeout.is_zero())
    }

    /// The name of an item without a file.
    fn run_title(&self) -> PathBuf {
        self.words_text().unwrap_or_default().into()
    }
}

impl Job for Options {
    fn id(&self) -> &'static str {
        "command"
    }

    fn title(&self) -> &'static str {
        if self.adopts() {
            "Running process"
        } else {
            "Command"
        }
    }

    /// Each input is one item, and so is each file of a folder, unless folders are passed on as they are.
    fn plan(
        &self,
        inputs: &[PathBuf],
        context: &Context,
        plan: &mut dyn Plan,
    ) -> Result<(), Cancelled> {
        #[cfg(unix)]
        if let Some(running) = &self.adopted {
            plan.item(adopt::item(running));
            return Ok(());
        }
        plan::plan(self, inputs, context, plan)
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        self.run_item_on(item, context, &())
    }

    #[cfg(unix)]
    fn run_item_on(
        &self,
        item: &Item,
        context: &Context,
        observer: &dyn ProcessObserver,
    ) -> Result<Output, ItemError> {
        match &self.adopted {
            Some(running) => adopt::run(running, context, observer),
            None => run::run(self, item, context, observer),
        }
    }

    #[cfg(not(unix))]
    fn run_item_on(
        &self,
        _item: &Item,
        _context: &Context,
        _observer: &dyn ProcessObserver,
    ) -> Result<Output, ItemError> {
        let message = "Commands can't be run on this system.";
        Err(ItemError::new("unsupported", message))
    }

    fn has_processes(&self) -> bool {
        true
    }

    fn leaves_processes(&self) -> bool {
        self.adopts()
    }

    fn names_are_paths(&self, has_inputs: bool) -> bool {
        has_inputs && self.files == Files::One
    }

    fn uses_terminal(&self) -> bool {
        self.tty
    }

    fn stop_time(&self) -> Duration {
        self.grace()
    }
}
