use std::path::PathBuf;

use clap::{ArgMatches, Args as _, FromArgMatches as _};

use super::Options;
use super::args::MisbehaveArgs;
use crate::jobs::form::{Field, Form, Note};
use crate::jobs::{Arguments, JobInterface};

impl JobInterface for Options {
    fn is_demonstration(&self) -> bool {
        true
    }

    fn form(&mut self, _inputs: &[PathBuf], form: &mut dyn Form) {
        form.choose(Field::named("Ends by"), &mut self.end);
        let item = Field::new("On item", "The first item is 1; 0 is every item.");
        form.number(item, &mut self.item, 0..=1_000_000);
        let count = Field::new("Items", "How many items to make up if there are no inputs.");
        form.number(count, &mut self.count, 1..=1_000_000);
        let after = Field::new("Seconds each", "How long each item works before it ends.");
        form.seconds(after, &mut self.after);
        let note = "Items that go wrong on purpose, to see what the program makes of it.";
        form.note(Note::Hint, note);
    }

    fn add_args(&self, command: clap::Command) -> clap::Command {
        MisbehaveArgs::augment_args(command)
    }

    fn read_args(&mut self, matches: &ArgMatches) -> Result<Arguments, clap::Error> {
        let (options, arguments) = MisbehaveArgs::from_arg_matches(matches)?.split();
        *self = options;
        Ok(arguments)
    }
}
