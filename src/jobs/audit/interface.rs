use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args as _, FromArgMatches as _};

use super::args::AuditArgs;
use super::{Options, renewal};
use crate::jobs::checksum;
use crate::jobs::form::{Field, Form, Note, PathKind};
use crate::jobs::stdin::is_stdin;
use crate::jobs::{Arguments, JobInterface, Output};

impl JobInterface for Options {
    fn problem(&self, has_inputs: bool) -> Option<String> {
        if !has_inputs {
            Some("Add a folder first.".to_owned())
        } else if self.against.as_os_str().is_empty() && !self.renew {
            Some("Name the list to compare with, or make one.".to_owned())
        } else if self.renew && is_stdin(&self.against) {
            Some("A list from standard input can't be renewed; name its file.".to_owned())
        } else {
            None
        }
    }

    fn why_not_in_part(&self) -> Option<&'static str> {
        Some("An audit looks at all files of its folders. Run it again as a whole.")
    }

    fn form(&mut self, _inputs: &[PathBuf], form: &mut dyn Form) {
        let against = Field::new(
            "List",
            "The list of an earlier state. The files are compared with it.",
        );
        let placeholder = if self.renew {
            "none yet"
        } else {
            "Path of the list"
        };
        form.path(against, PathKind::File, placeholder, &mut self.against);
        let thorough = Field::new(
            "Read every file",
            "Finds rot, too: another content, though size and time are those in the list.",
        );
        form.toggle(thorough, &mut self.thorough);
        let renew = Field::new(
            "Make a list",
            "The list need not exist. Save it when the job has ended.",
        );
        form.toggle(renew, &mut self.renew);
        if self.renew {
            form.choose(Field::named("Algorithm"), &mut self.algorithm);
            let text = "Save the list when the job has ended; nothing is written before.";
            form.note(Note::Hint, text);
        }
    }

    fn places(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.against]
    }

    fn add_args(&self, command: clap::Command) -> clap::Command {
        AuditArgs::augment_args(command)
    }

    fn read_args(&mut self, matches: &ArgMatches) -> Result<Arguments, clap::Error> {
        let (options, arguments) = AuditArgs::from_arg_matches(matches)?.split();
        *self = options;
        Ok(arguments)
    }

    fn list_name(&self) -> Option<String> {
        Some(match self.against.file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => format!("checksums.{}", self.algorithm.id()),
        })
    }

    fn lists(
        &self,
        file: &Path,
        results: &mut dyn Iterator<Item = (&Path, &Output)>,
    ) -> Result<Vec<(PathBuf, Vec<u8>)>, String> {
        let list = renewal::renewed(self, file, results)?;
        Ok(vec![(file.to_owned(), list)])
    }

    fn may_replace(&self, input: &Path) -> bool {
        checksum::is_list(input)
    }

    fn own_list(&self) -> Option<PathBuf> {
        self.renew.then(|| self.against.clone())
    }
}
