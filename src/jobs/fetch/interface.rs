use std::path::PathBuf;

use clap::{ArgMatches, Args as _, FromArgMatches as _};

use super::Options;
use super::args::FetchArgs;
use crate::jobs::form::{Field, Form, PathKind};
use crate::jobs::{Arguments, JobInterface, place};

impl JobInterface for Options {
    fn problem(&self, has_inputs: bool) -> Option<String> {
        let error = self.check(has_inputs).err()?;
        Some(error.to_string())
    }

    fn form(&mut self, _inputs: &[PathBuf], form: &mut dyn Form) {
        let urls = Field::new(
            "URLs",
            "One a line, with its digest after a space if it must match, as in https://… sha256:…. Files that are inputs are lists of them.",
        );
        form.lines(urls, "https://…", 3, &mut self.urls);
        form.path(
            Field::named("Save to"),
            PathKind::Folder,
            "do not save",
            &mut self.to,
        );
        place::note(&self.to, form);
        let skip = Field::new("Skip existing", "Leave out URLs whose file is there.");
        form.toggle(skip, &mut self.skip_existing);
    }

    fn places(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.to]
    }

    fn more_title(&self) -> Option<&'static str> {
        Some("More options")
    }

    fn more_form(&mut self, form: &mut dyn Form) {
        let names = Field::new(
            "Server names",
            "Save under the name that the server gives, in place of the end of the URL. URLs with a ? have it \
             anyway.",
        );
        form.toggle(names, &mut self.server_names);
        let connect = Field::new("Connect (s)", "Connection timeout.");
        form.seconds(connect, &mut self.connect_secs);
        let timeout = Field::new(
            "Idle limit (s)",
            "The longest time in which nothing arrives.",
        );
        form.seconds(timeout, &mut self.timeout_secs);
        let retries = Field::new("Retries", "How often a failed attempt is retried.");
        form.number(retries, &mut self.retries, 0..=100);
        let pause = Field::new(
            "Pause (s)",
            "Before the first retry; it doubles with each one.",
        );
        form.seconds(pause, &mut self.pause_secs);
        let limit = Field::new("Size limit (MiB)", "Largest response accepted.");
        form.number(limit, &mut self.limit_mib, 1..=1 << 30);
    }

    fn add_args(&self, command: clap::Command) -> clap::Command {
        FetchArgs::augment_args(command)
    }

    fn read_args(&mut self, matches: &ArgMatches) -> Result<Arguments, clap::Error> {
        let (options, arguments) = FetchArgs::from_arg_matches(matches)?.split();
        *self = options;
        Ok(arguments)
    }
}
