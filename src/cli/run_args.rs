//! The arguments of `meanwhile run`: those of each job of the catalogue, and those that all share.

use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, FromArgMatches, Subcommand, ValueEnum};

use super::duration;
use super::exit_codes;
use super::ordered_output::OutputOrder;
use super::trace::TraceArgs;
use crate::jobs::identity::is_same_file;
use crate::jobs::{self, Arguments, JobSpec, Options, Priority, RunOn};

/// `meanwhile run JOB …`
#[derive(Debug)]
pub(super) struct RunArgs {
    options: Options,
    arguments: Arguments,
    common: CommonArgs,
}

// No doc comment: it would become the help of each job.
#[derive(Debug, Args)]
struct CommonArgs {
    /// Where the items run.
    #[arg(long, value_enum, default_value_t)]
    on: RunOn,
    /// How many items run at once [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    /// How urgently they run.
    #[arg(long, value_enum, default_value_t)]
    priority: Priority,
    /// How long to wait for the job, such as `90` (seconds), `5m` or `1h30m`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    join_timeout: Option<Duration>,
    /// What to do when that time is up.
    #[arg(long, value_enum, default_value_t)]
    then: OnTimeout,
    /// How long items wait for processes and threads of other programs, if the system has none left for them.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30")]
    patience: Duration,
    /// Print all of what is known of a panic or of another failure.
    #[arg(long, short)]
    verbose: bool,
    /// Keep the machine from going to sleep while the job runs, where the desktop or systemd offers it.
    #[arg(long)]
    stay_awake: bool,
    /// The format of the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The order of the result, as text. In that of the files, the result of an item waits for those before
    /// it, and is lost if this program is killed (`kill -9`) meanwhile.
    #[arg(long, value_enum, default_value_t)]
    output_order: OutputOrder,
    #[command(flatten)]
    trace: TraceArgs,
}

/// The reaction to a join that timed out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum OnTimeout {
    /// Cancel the job and show what is done.
    #[default]
    Cancel,
    /// Print a message and keep waiting.
    Wait,
}

/// The format of the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Lines of text, as `sha256sum -c` and similar tools read them.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

impl Subcommand for RunArgs {
    fn augment_subcommands(command: clap::Command) -> clap::Command {
        command.subcommands(jobs::catalogue().iter().map(|options| {
            let job = options.job();
            let command = job.add_args(clap::Command::new(job.id()));
            CommonArgs::augment_args(with_inputs_help(command))
        }))
    }

    fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        find_job(name).is_some()
    }
}

impl FromArgMatches for RunArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let subcommand = matches.subcommand();
        let (name, matches) =
            subcommand.ok_or_else(|| clap::Error::new(ErrorKind::MissingSubcommand))?;
        let options = find_job(name);
        let mut options = options.ok_or_else(|| clap::Error::new(ErrorKind::InvalidSubcommand))?;
        let arguments = options.job_mut().read_args(matches)?;
        let options = options.job().instead(matches).unwrap_or(options);
        Ok(Self {
            options,
            arguments,
            common: CommonArgs::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What files, folders and patterns mean in every job.
const INPUTS: &str = "\
A folder stands for all files below it, hidden ones too. Links to files count; links to folders are followed,
but no folder is entered twice.

FILES may be patterns, in quotes: '*.wav', 'img-[0-9]?.{jpg,png}', 'music/**/*.flac'. A file that has this
name comes first. As in a shell, a pattern matches names with a dot in front only if it has the dot, too; **
stands for any number of folders, without hidden ones and links. One with more than a million matches fails.";

/// Adds it to the help that the job has.
fn with_inputs_help(command: clap::Command) -> clap::Command {
    let help = match command.get_after_help() {
        Some(own) => format!("{own}\n\n{INPUTS}"),
        None => INPUTS.to_owned(),
    };
    let long_help = format!("{help}\n\n{}", exit_codes::OF_RUN);
    command.after_help(help).after_long_help(long_help)
}

fn find_job(name: &str) -> Option<Options> {
    let mut jobs = jobs::catalogue().into_iter();
    jobs.find(|options| options.job().id() == name)
}

impl RunArgs {
    /// The reason that the job can't run with these options.
    pub(super) fn problem(&self) -> Option<String> {
        if let (Some(result), Some(trace)) = (&self.arguments.output, &self.common.trace.file)
            && (result == trace || is_same_file(result, trace))
        {
            let file = trace.display();
            return Some(format!(
                "{file} can't have both the result and the trace; choose another name for one of them"
            ));
        }
        let has_inputs = !self.arguments.inputs.is_empty();
        self.options.job().problem(has_inputs)
    }

    pub(super) fn join_timeout(&self) -> Option<Duration> {
        self.common.join_timeout
    }

    pub(super) fn patience(&self) -> Duration {
        self.common.patience
    }

    pub(super) fn on_timeout(&self) -> OnTimeout {
        self.common.then
    }

    pub(super) fn is_verbose(&self) -> bool {
        self.common.verbose
    }

    pub(super) fn stay_awake(&self) -> bool {
        self.common.stay_awake
    }

    pub(super) fn trace(&self) -> TraceArgs {
        self.common.trace.clone()
    }

    pub(super) fn format(&self) -> Format {
        self.common.format
    }

    pub(super) fn output_order(&self) -> OutputOrder {
        self.common.output_order
    }

    /// The job, and the file that the result is written to.
    pub(super) fn into_job(self) -> (JobSpec, Option<PathBuf>) {
        let spec = JobSpec {
            options: self.options,
            inputs: self.arguments.inputs.into(),
            run_on: self.common.on,
            workers: self.common.workers.map_or_else(jobs::cores, usize::from),
            priority: self.common.priority,
        };
        (spec, self.arguments.output)
    }
}
