use std::path::PathBuf;

use clap::{ArgMatches, Args as _, FromArgMatches as _};

use super::Options;
use crate::jobs::form::{Field, Form};
use crate::jobs::{Arguments, JobInterface};

/// Count the lines of files.
#[derive(Debug, clap::Args)]
struct LinesArgs {
    /// Leave out empty lines.
    #[arg(long)]
    skip_empty: bool,
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

impl JobInterface for Options {
    fn form(&mut self, _inputs: &[PathBuf], form: &mut dyn Form) {
        form.toggle(Field::named("Skip empty lines"), &mut self.skip_empty);
    }

    fn add_args(&self, command: clap::Command) -> clap::Command {
        LinesArgs::augment_args(command)
    }

    fn read_args(&mut self, matches: &ArgMatches) -> Result<Arguments, clap::Error> {
        let args = LinesArgs::from_arg_matches(matches)?;
        self.skip_empty = args.skip_empty;
        Ok(Arguments {
            inputs: args.files,
            output: None,
        })
    }
}
