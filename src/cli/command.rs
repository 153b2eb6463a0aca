//! The arguments of `meanwhile run command`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{CommonArgs, seconds};
use crate::jobs::command::{CommandLine, Files, Keep, Options};

/// How a command is told apart from the files: it stands behind `--`.
#[derive(Debug, Args)]
#[command(after_help = PLACES)]
pub(super) struct CommandArgs {
    /// Run the command once for all FILES instead of once for each.
    #[arg(long)]
    once: bool,
    /// Take the command as a text for /bin/sh, with FILES as its parameters: "$1", "$@".
    #[arg(long)]
    shell: bool,
    /// Words before the command, such as `nice -n 19`, `ssh host` or `srun -N1`.
    #[arg(
        long,
        value_name = "WORDS",
        default_value = "",
        hide_default_value = true
    )]
    prefix: String,
    /// The folder it runs in.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Set a variable of its environment; may be given more than once.
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<OsString>,
    /// How long each run may take [default: no limit].
    #[arg(long, value_name = "SECS", value_parser = seconds)]
    timeout: Option<Duration>,
    /// How long the processes of a stopped run may take to end before they are killed.
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = seconds)]
    grace: Duration,
    /// The exit codes that are no failure: such as `0,2-4`, or `any`.
    #[arg(long, value_name = "CODES", default_value = "0")]
    expect: String,
    /// The most memory each process may address [default: no limit].
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 0,
        hide_default_value = true
    )]
    memory: u64,
    /// The most CPU time each process may use [default: no limit].
    #[arg(
        long,
        value_name = "SECS",
        default_value_t = 0,
        hide_default_value = true
    )]
    cpu: u64,
    /// How many of the last bytes of each stream of each run are kept.
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().output_limit)]
    output_limit: usize,
    #[command(flatten)]
    pub(super) common: CommonArgs,
    /// The files; none runs the command once.
    pub(super) files: Vec<PathBuf>,
    /// The program and its arguments, behind `--`.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

const PLACES: &str = "\
In the command, `{}` stands for the file, `{name}` for its last part, `{stem}` for that without its
extension, `{dir}` for its folder; `{{}}` is the text `{}`. A file goes to the end where none of
them is. Each is one argument, whatever the file is called: no shell sees it, and none is started
unless --shell says so. Then nothing is put into the text: it reads the file as \"$1\".

What the runs print on stdout goes to stdout, in the order of FILES, when all have ended; what they
print on stderr goes to stderr.";

impl CommandArgs {
    pub(super) fn options(&self) -> Options {
        Options {
            command: CommandLine::Words(self.command.clone()),
            shell: self.shell,
            files: if self.once { Files::All } else { Files::One },
            prefix: self.prefix.clone(),
            dir: self.dir.clone().unwrap_or_default(),
            env: self.env.clone(),
            timeout_secs: self.timeout.map_or(0.0, |timeout| timeout.as_secs_f64()),
            grace_secs: self.grace.as_secs_f64(),
            expected_codes: self.expect.clone(),
            memory_mib: self.memory,
            cpu_secs: self.cpu,
            output_limit: self.output_limit,
            keep: Keep::All,
        }
    }
}
