use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{ArgMatches, Args as _, FromArgMatches as _};

use super::args::ChecksumArgs;
use super::{Algorithm, DigestKind, Options, is_likely_list, list, own_lists, written};
use crate::jobs::form::{Field, Form, Note};
use crate::jobs::{Arguments, JobInterface, Options as JobOptions, Output};

/// The longest digest that the form offers, in bytes.
const MAX_FORM_LEN: usize = 128;

/// The labels of the choices of further algorithms; one more appears when all shown are in use.
const MORE_LABELS: [&str; 3] = ["Second algorithm", "Third algorithm", "Fourth algorithm"];

impl Options {
    fn length_form(&mut self, form: &mut dyn Form) {
        let usual = self.algorithm.usual_len();
        let longest = self.algorithm.longest().min(MAX_FORM_LEN);
        let mut bytes = self.length.unwrap_or(usual).min(longest);
        let field = Field::new("Bytes of a digest", "Twice as many digits are shown.");
        form.number(field, &mut bytes, 1..=longest as u64);
        self.length = Some(bytes).filter(|&bytes| bytes != usual);
    }
}

fn choose_kind(label: &'static str, kind: &mut Option<DigestKind>, form: &mut dyn Form) {
    let field = Field::new(label, "Computed while each file is read once.");
    let titles = Algorithm::ALL.map(|algorithm| (algorithm.title(), ""));
    let choices = [&[("None", "")], &titles[..]].concat();
    let is_chosen = |algorithm: &Algorithm| Some(*algorithm) == kind.map(DigestKind::algorithm);
    let before = Algorithm::ALL
        .iter()
        .position(is_chosen)
        .map_or(0, |at| at + 1);
    let mut chosen = before;
    form.choice(field, &choices, &mut chosen);
    if chosen != before {
        *kind = chosen.checked_sub(1).map(|at| Algorithm::ALL[at].into());
    }
}

impl JobInterface for Options {
    fn problem(&self, has_inputs: bool) -> Option<String> {
        (!has_inputs).then(|| "Add a file or a folder first.".to_owned())
    }

    fn form(&mut self, inputs: &[PathBuf], form: &mut dyn Form) {
        form.choose(Field::named("Algorithm"), &mut self.algorithm);
        if let Some(list) = inputs.iter().find(|input| is_likely_list(input)) {
            let name = list.file_name().unwrap_or_default().display();
            let text = format!("{name} looks like a list: the job Verify compares files with it.");
            form.note(Note::Hint, &text);
        }
    }

    fn more_title(&self) -> Option<&'static str> {
        Some("More digests")
    }

    fn more_form(&mut self, form: &mut dyn Form) {
        if self.algorithm.has_any_length() {
            self.length_form(form);
        }
        for (index, label) in MORE_LABELS.into_iter().enumerate() {
            let mut kind = self.also.get(index).copied();
            choose_kind(label, &mut kind, form);
            match (kind, self.also.get_mut(index)) {
                (Some(kind), Some(also)) => *also = kind,
                (Some(kind), None) => self.also.push(kind),
                (None, Some(_)) => drop(self.also.remove(index)),
                (None, None) => break,
            }
        }
        let tag = Field::new(
            "Name the algorithm",
            "Each line of a saved list names it: SHA256 (name) = … So do lists of several algorithms.",
        );
        form.toggle(tag, &mut self.form.tag);
    }

    fn add_args(&self, command: clap::Command) -> clap::Command {
        let flags = ["base", "ignore_missing", "strict", "quiet", "status"];
        let command = ChecksumArgs::augment_args(command);
        flags.into_iter().fold(command, |command, flag| {
            command.mut_arg(flag, |arg| arg.requires("check"))
        })
    }

    fn read_args(&mut self, matches: &ArgMatches) -> Result<Arguments, clap::Error> {
        let (options, arguments) = ChecksumArgs::from_arg_matches(matches)?
            .split()
            .map_err(|error| clap::Error::raw(ErrorKind::ValueValidation, format!("{error}\n")))?;
        *self = options;
        Ok(arguments)
    }

    fn line(&self, input: &Path, output: &Output) -> Vec<u8> {
        match output {
            Output::Checksum(checksum) if !checksum.verified => {
                list::line(checksum, input, self.form)
            }
            other => other.line(input),
        }
    }

    fn lists(
        &self,
        file: &Path,
        results: &mut dyn Iterator<Item = (&Path, &Output)>,
    ) -> Result<Vec<(PathBuf, Vec<u8>)>, String> {
        written::lists(self, file, results)
    }

    fn may_replace(&self, input: &Path) -> bool {
        own_lists::is_list(input)
    }

    fn instead(&self, matches: &ArgMatches) -> Option<JobOptions> {
        ChecksumArgs::from_arg_matches(matches).ok()?.instead()
    }

    fn list_name(&self) -> Option<String> {
        Some(format!("checksums.{}", self.algorithm.id()))
    }
}
