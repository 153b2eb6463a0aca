use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args as _, FromArgMatches as _};

use super::args::ChecksumArgs;
use super::{Options, list};
use crate::jobs::form::{Field, Form, Note};
use crate::jobs::{Arguments, JobInterface};

/// A user picks a checksum list or two; the names of more inputs than this are not checked.
const MAX_LIKELY_LISTS: usize = 16;

impl JobInterface for Options {
    fn problem(&self, has_inputs: bool) -> Option<String> {
        (!has_inputs).then(|| "Add a file or a folder first.".to_owned())
    }

    fn form(&mut self, inputs: &[PathBuf], form: &mut dyn Form) {
        form.choose(Field::named("Algorithm"), &mut self.algorithm);
        let verify = Field::new(
            "Verify a list",
            "The inputs are lists as sha256sum and b3sum write them. Each line is compared with its \
             file.",
        );
        form.toggle(verify, &mut self.verify);
        let mut inputs = inputs.iter().take(MAX_LIKELY_LISTS);
        if !self.verify
            && let Some(list) = inputs.find(|input| list::is_likely(input))
        {
            let name = list.file_name().unwrap_or_default().display();
            let text = format!("{name} looks like a list: tick this to verify it.");
            form.note(Note::Hint, &text);
        }
    }

    fn add_args(&self, command: clap::Command) -> clap::Command {
        ChecksumArgs::augment_args(command)
    }

    fn read_args(&mut self, matches: &ArgMatches) -> Result<Arguments, clap::Error> {
        let (options, arguments) = ChecksumArgs::from_arg_matches(matches)?
            .split()
            .map_err(|error| clap::Error::raw(ErrorKind::ValueValidation, format!("{error}\n")))?;
        *self = options;
        Ok(arguments)
    }

    fn list_name(&self) -> Option<String> {
        (!self.verify).then(|| format!("checksums.{}", self.algorithm.id()))
    }
}
