use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::{CommandLine, Files, Keep, Leave, Options};
use crate::jobs::args::whole_seconds;
use crate::jobs::{Arguments, duration};

/// Run a program, once or once for each file.
#[derive(Debug, clap::Args)]
#[command(after_help = PLACEHOLDERS)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command line"
)]
pub(super) struct CommandArgs {
    /// Run the command once for all FILES instead of once for each.
    #[arg(long)]
    once: bool,
    /// Pass a folder to the command as it is, in the place of the files below it.
    #[arg(long)]
    whole_folders: bool,
    /// Take the command as a script for /bin/sh, with FILES as its parameters: "$1", "$@".
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
    /// The working directory.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Set an environment variable; may be given more than once.
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<OsString>,
    /// How long each run may take, such as `90` (seconds), `5m` or `1h30m` [default: no limit].
    #[arg(long, value_name = "TIME", value_parser = duration)]
    timeout: Option<Duration>,
    /// How long the processes of a stopped run may take to end before they are killed.
    #[arg(long, value_name = "TIME", default_value = "5", value_parser = duration)]
    grace: Duration,
    /// The exit codes that mean success, such as `0,2-4` or `any`.
    #[arg(long, value_name = "CODES", default_value = "0")]
    expect: String,
    /// The most memory that each process may address [default: no limit].
    #[arg(
        long,
        value_name = "MIB",
        default_value_t = 0,
        hide_default_value = true
    )]
    memory: u64,
    /// The most CPU time that each process may use [default: no limit].
    #[arg(
        long,
        value_name = "TIME",
        value_parser = whole_seconds,
        default_value = "0",
        hide_default_value = true
    )]
    cpu: u64,
    /// What to do with processes that a run has left running when it ended: name them on stderr, or stop them.
    #[arg(long, value_enum, default_value_t)]
    leave: Leave,
    /// Lend the terminal to one run at a time, which reads and prints there itself. Without it a command
    /// has no terminal, and one that asks for a password fails at once.
    #[arg(long)]
    tty: bool,
    /// How many of the last bytes of each stream of each run a JSON document has. As text, all come out.
    #[arg(long, value_name = "BYTES", default_value_t = Options::default().output_limit)]
    output_limit: usize,
    /// The files, and folders with files in them; without any, the command runs once.
    files: Vec<PathBuf>,
    /// The program and its arguments, after `--`.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

const PLACEHOLDERS: &str = "\
In the command, `{}` stands for the path of the file, `{name}` for its last part, `{stem}` for the
name without its extension, `{dir}` for its folder; `{{}}` is the text `{}`. A command without any of
them gets the file as its last argument. Each is one argument, whatever the file is called: no shell
is started unless --shell is given. A script gets the file as \"$1\", and nothing in it is replaced.

The stdout of each run goes to stdout, and its stderr to stderr, in the order of FILES, as soon as those of
all runs before it have. --output-order end does not wait for them. What waits for its turn is lost if this
program is killed (`kill -9`).";

impl CommandArgs {
    pub(super) fn split(self) -> (Options, Arguments) {
        let options = Options {
            command: CommandLine::Words(self.command),
            shell: self.shell,
            files: if self.once { Files::All } else { Files::One },
            whole_folders: self.whole_folders,
            prefix: self.prefix,
            dir: self.dir.unwrap_or_default(),
            env: self.env,
            timeout_secs: self.timeout.map_or(0.0, |timeout| timeout.as_secs_f64()),
            grace_secs: self.grace.as_secs_f64(),
            expected_codes: self.expect,
            memory_mib: self.memory,
            cpu_secs: self.cpu,
            leave: self.leave,
            tty: self.tty,
            output_limit: self.output_limit,
            keep: Keep::All,
            #[cfg(unix)]
            adopted: None,
        };
        let arguments = Arguments {
            inputs: self.files,
            output: None,
        };
        (options, arguments)
    }
}
