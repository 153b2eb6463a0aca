//! A job that runs any program, once or once for each file.
//!
//! A file takes the place of `{}` in the command, or stands at its end where no word has a place
//! for it, as with `xargs`; [`Template`] has the other places. No shell sees the command, so a file
//! may be called anything. With [`Options::shell`] the command is a text for `/bin/sh`, and the
//! files are its parameters: nothing is put into the text, which reads them as `"$1"` and `"$@"`.
//!
//! A file whose name begins with `-` looks like an option to many programs. Files that a person
//! picks have absolute paths; write `./-name` for one on the command line.

#[cfg_attr(not(unix), expect(dead_code, reason = "nothing runs commands there"))]
mod line;
mod os_string_serde;
mod ran;
#[cfg(unix)]
mod run;
mod template;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use line::Prepared;
pub use line::Problem;
pub use ran::{End, Printed, Ran, Stopped};
pub use template::Template;

use super::{Host, Item, ItemError, Job, Output, Step};
use crate::join::Context;

/// What is run, on what, with which limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The program and its arguments.
    pub command: CommandLine,
    /// Whether the command is a text for `/bin/sh -c`. Then `{}` means itself, and the files are
    /// the parameters of the shell, after those that the command has.
    pub shell: bool,
    /// How many files one run gets.
    pub files: Files,
    /// Words before the command, split as a shell splits them, such as `nice -n 19`,
    /// `ssh -o BatchMode=yes host` or `srun -N1`. What they run is joined like any command. Behind
    /// `ssh`, which has a shell take its words apart on the other side, each word of the command is
    /// quoted for that.
    pub prefix: String,
    /// The folder it runs in; where it is empty, this program's. Files that are given by relative
    /// paths are given to the command by absolute ones where it is not.
    pub dir: PathBuf,
    /// Variables of its environment, each `NAME=VALUE`, beside those of this program.
    #[serde(with = "os_string_serde")]
    pub env: Vec<OsString>,
    /// How long one run may take, in seconds; 0, and what is no time, is no limit.
    pub timeout_secs: f64,
    /// How long the processes of a run that is cancelled or out of time may take to end before they
    /// are killed, in seconds. What is no time counts as none.
    pub grace_secs: f64,
    /// The exit codes that are no failure, such as `0`, `0, 2-4` or `any`.
    pub expected_codes: String,
    /// The most memory one process may address, in MiB; 0 is no limit.
    pub memory_mib: u64,
    /// The most CPU time one process may use, in seconds; 0 is no limit.
    pub cpu_secs: u64,
    /// How many of the last bytes of each stream are kept while it runs.
    pub output_limit: usize,
    /// How much of that is kept when it has ended.
    pub keep: Keep,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            command: CommandLine::Line(String::new()),
            shell: false,
            files: Files::default(),
            prefix: String::new(),
            dir: PathBuf::new(),
            env: Vec::new(),
            timeout_secs: 0.0,
            grace_secs: 5.0,
            expected_codes: "0".to_owned(),
            memory_mib: 0,
            cpu_secs: 0,
            output_limit: 1024 * 1024,
            keep: Keep::default(),
        }
    }
}

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandLine {
    /// In one line, which is split as a shell splits words; a text for the shell is not split.
    Line(String),
    /// Word by word. A text for the shell is the first word, the others are its parameters.
    #[serde(with = "os_string_serde")]
    Words(Vec<OsString>),
}

/// How many files one run gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Files {
    /// One: the command runs once for each file, and once if there is none.
    #[default]
    One,
    /// All: the command runs once, and each word with a place for a file comes once for each.
    All,
}

/// How much of what a run printed is kept when it has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The last 8 KiB of each stream.
    #[default]
    Tail,
    /// Everything that was kept while it ran.
    All,
}

impl Options {
    /// What keeps this from being run, with files or without.
    ///
    /// # Errors
    /// The first problem that a person has to settle.
    pub fn check(&self, has_files: bool) -> Result<(), Problem> {
        let prepared = Prepared::new(self)?;
        match prepared.place() {
            Some(word) if !has_files => Err(Problem::NoFiles { word }),
            _ => Ok(()),
        }
    }

    /// The words that are run, for a person who wants to see how a line was split: each quoted as
    /// a shell would need it, with the places for files as they were written.
    ///
    /// # Errors
    /// The line can't be split.
    pub fn words_text(&self) -> Result<String, Problem> {
        line::shown(self)
    }

    fn grace(&self) -> Duration {
        Duration::try_from_secs_f64(self.grace_secs).unwrap_or_default()
    }

    #[cfg(unix)]
    fn timeout(&self) -> Option<Duration> {
        let timeout = Duration::try_from_secs_f64(self.timeout_secs).ok();
        timeout.filter(|timeout| !timeout.is_zero())
    }

    /// What an item is called that has no file.
    fn title_of_run(&self) -> PathBuf {
        self.words_text().unwrap_or_default().into()
    }
}

impl Job for Options {
    fn id(&self) -> &'static str {
        "command"
    }

    fn title(&self) -> &'static str {
        "Command"
    }

    /// Each input is a file, whatever it is: a folder is given to the command like a file.
    fn plan(&self, inputs: &[PathBuf], context: &Context, found: &mut dyn FnMut(Item)) {
        if let Err(problem) = self.check(!inputs.is_empty()) {
            return found(Item::failed(self.title_of_run(), problem));
        }
        if inputs.is_empty() || self.files == Files::All {
            let files = inputs.to_vec();
            return found(Item {
                input: self.title_of_run(),
                bytes: 0,
                step: Step::Command { files },
            });
        }
        for input in inputs {
            context.checkpoint();
            found(Item {
                input: input.clone(),
                bytes: 0,
                step: Step::Run,
            });
        }
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        self.run_item_on(item, context, &())
    }

    #[cfg(unix)]
    fn run_item_on(
        &self,
        item: &Item,
        context: &Context,
        host: &dyn Host,
    ) -> Result<Output, ItemError> {
        run::run(self, item, context, host)
    }

    #[cfg(not(unix))]
    fn run_item_on(
        &self,
        _item: &Item,
        _context: &Context,
        _host: &dyn Host,
    ) -> Result<Output, ItemError> {
        Err(ItemError {
            kind: "unsupported".to_owned(),
            message: "Commands can't be run on this system.".to_owned(),
        })
    }

    fn has_processes(&self) -> bool {
        true
    }

    fn stop_time(&self) -> Duration {
        self.grace()
    }
}
