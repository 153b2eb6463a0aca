use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, Args as _, FromArgMatches as _};

use super::args::CommandArgs;
use super::{CommandLine, CommandOptionsError, Files, Options};
use crate::format;
#[cfg(unix)]
use crate::jobs;
use crate::jobs::form::{Field, Form, Note, PathKind};
use crate::jobs::{Arguments, JobInterface, place};
#[cfg(unix)]
use crate::join::process::RunningProcess;

impl JobInterface for Options {
    fn problem(&self, has_inputs: bool) -> Option<String> {
        let error = self.check(has_inputs).err()?;
        Some(error.to_string())
    }

    #[cfg(unix)]
    fn adopting(&self, running: &RunningProcess) -> Option<jobs::Options> {
        Some(jobs::Options::Command(Self {
            adopted: Some(running.clone()),
            ..Self::default()
        }))
    }

    fn form(&mut self, inputs: &[PathBuf], form: &mut dyn Form) {
        self.command_form(form);
        match self.check(true).and_then(|()| self.preview(inputs)) {
            Ok(words) => {
                form.note(Note::Code, &words);
                form.note(
                    Note::Hint,
                    &format!("Working directory: {}", self.folder_text()),
                );
            }
            Err(error) => form.note(Note::Problem, &error.to_string()),
        }
        let shell = Field::new(
            "Through /bin/sh",
            "The line is a script for the shell, which reads the files as \"$1\" and \"$@\". Nothing \
             in it is replaced.",
        );
        form.toggle(shell, &mut self.shell);
        form.choose(Field::named("Runs"), &mut self.files);
        let whole = Field::new(
            "Whole folders",
            "A folder is one argument. Otherwise it stands for the files below it.",
        );
        form.toggle(whole, &mut self.whole_folders);
    }

    fn places(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.dir]
    }

    fn more_title(&self) -> Option<&'static str> {
        Some("More options")
    }

    fn more_form(&mut self, form: &mut dyn Form) {
        let prefix = Field::new(
            "Before it",
            "Words before the command: ssh host, srun -N1, nice, docker run …",
        );
        form.text(prefix, "nice -n 19", &mut self.prefix);
        let folder = Field::new("Folder", "The working directory of the command.");
        form.path(folder, PathKind::Folder, "this program's", &mut self.dir);
        self.environment_form(form);
        self.limits_form(form);
    }

    fn add_args(&self, command: clap::Command) -> clap::Command {
        CommandArgs::augment_args(command)
    }

    fn read_args(&mut self, matches: &ArgMatches) -> Result<Arguments, clap::Error> {
        let (options, arguments) = CommandArgs::from_arg_matches(matches)?.split();
        *self = options;
        Ok(arguments)
    }

    fn output_limit(&self) -> usize {
        self.output_limit
    }
}

impl Options {
    /// The command as it will be run for the first of these files, or for all if that is one run.
    fn preview(&self, inputs: &[PathBuf]) -> Result<String, CommandOptionsError> {
        match (inputs, self.files) {
            ([], _) => self.words_text(),
            ([first, ..], Files::One) => self.filled_text(std::slice::from_ref(first)),
            (all, Files::All) => self.filled_text(all),
        }
    }

    /// The working directory of the command.
    fn folder_text(&self) -> String {
        let dir = if self.dir.as_os_str().is_empty() {
            std::env::current_dir().unwrap_or_default()
        } else {
            place::full(&self.dir)
        };
        format::path(&dir)
    }

    fn command_form(&mut self, form: &mut dyn Form) {
        let mut line = match &self.command {
            CommandLine::Line(line) => line.clone(),
            CommandLine::Words(_) => self.words_text().unwrap_or_default(),
        };
        let placeholder = if self.shell {
            "wc -l < \"$1\""
        } else {
            "convert {} {dir}/{stem}.webp"
        };
        let field = Field::new(
            "Command line",
            "{} is the path of the file, {name} its last part, {stem} the name without its \
             extension, {dir} its folder. A command without any of them gets the file as its last \
             argument.",
        );
        if form.text(field, placeholder, &mut line) {
            self.command = CommandLine::Line(line);
        }
    }

    /// One variable a line.
    fn environment_form(&mut self, form: &mut dyn Form) {
        let lines: Vec<_> = self.env.iter().map(|line| line.to_string_lossy()).collect();
        let mut text = lines.join("\n");
        if form.lines(Field::named("Environment"), "NAME=VALUE", 2, &mut text) {
            let lines = text.split('\n').filter(|_| !text.is_empty());
            self.env = lines.map(OsString::from).collect();
        }
    }

    fn limits_form(&mut self, form: &mut dyn Form) {
        let timeout = Field::new(
            "Time limit (s)",
            "How long one run may take; 0 is no limit.",
        );
        form.seconds(timeout, &mut self.timeout_secs);
        let grace = Field::new(
            "Time to stop (s)",
            "How long a stopped run may take to end by itself before it is killed with everything \
             that it started.",
        );
        form.seconds(grace, &mut self.grace_secs);
        let leave = Field::new(
            "What is left running",
            "Processes that a run has started and that go on when it has ended, such as daemons.",
        );
        form.choose(leave, &mut self.leave);
        let codes = Field::new(
            "Exit codes",
            "Those that mean success: 0, or 0, 2-4, or any.",
        );
        form.text(codes, "0", &mut self.expected_codes);
        let memory = Field::new(
            "Memory (MiB)",
            "The most that one process may address; 0 is no limit.",
        );
        form.number(memory, &mut self.memory_mib, 0..=1 << 40);
        let cpu = Field::new(
            "CPU time (s)",
            "The most that one process may use; 0 is no limit.",
        );
        form.number(cpu, &mut self.cpu_secs, 0..=1 << 30);
    }
}
