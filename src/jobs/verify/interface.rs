use std::path::{Path, PathBuf};

use clap::{ArgMatches, Args as _, FromArgMatches as _};

use super::args::VerifyArgs;
use super::{Options, Says};
use crate::jobs::checksum::{Algorithm, is_likely_list, read};
use crate::jobs::form::{Field, Form, PathKind};
use crate::jobs::text::shown;
use crate::jobs::{Arguments, ItemError, JobInterface, Verdict};

/// The sentence for a text that is no digest.
const NO_DIGEST: &str = "The digest has not the length of one in hexadecimal digits or base64.";

/// The errors that the window counts.
const VERDICTS: [Verdict; 3] = [
    Verdict::new("mismatch", "differ"),
    Verdict::new("missing", "missing"),
    Verdict::new("not_listed", "not in the list"),
];

impl JobInterface for Options {
    fn problem(&self, has_inputs: bool) -> Option<String> {
        let is_digest =
            self.digest.trim().is_empty() || read::digest_from_text(&self.digest).is_some();
        if !is_digest {
            return Some(NO_DIGEST.to_owned());
        }
        (!has_inputs).then(|| "Add a checksum list first.".to_owned())
    }

    fn opens(&self, files: &[PathBuf]) -> bool {
        !files.is_empty() && files.iter().all(|file| is_likely_list(file))
    }

    fn form(&mut self, _inputs: &[PathBuf], form: &mut dyn Form) {
        let digest = Field::new(
            "Digest",
            "If it is given, the inputs are files that must have this digest, and no lists.",
        );
        form.text(digest, "the inputs are lists", &mut self.digest);
        let base = Field::new(
            "Names begin in",
            "The folder in which the names of a list begin. If it is empty, that of the list, or else \
             the current one.",
        );
        form.path(base, PathKind::Folder, "beside the list", &mut self.base);
        let missing = Field::new(
            "Leave out what is missing",
            "A list may name more files than were downloaded.",
        );
        form.toggle(missing, &mut self.ignore_missing);
        let extra = Field::new(
            "Find files that are in no list",
            "Of an input that is a folder: each file that its lists don't name is a failed item.",
        );
        form.toggle(extra, &mut self.extra);
    }

    fn more_title(&self) -> Option<&'static str> {
        Some("More options")
    }

    fn more_form(&mut self, form: &mut dyn Form) {
        let algorithm = Field::new(
            "Algorithm",
            "Of digests that fit several, where neither the line nor the name of the list names it.",
        );
        let titles = Algorithm::ALL.map(|algorithm| (algorithm.title(), ""));
        let choices = [&[("As the list says", "")], &titles[..]].concat();
        let position = |chosen| Algorithm::ALL.iter().position(|&one| one == chosen);
        let mut chosen = self.algorithm.and_then(position).map_or(0, |at| at + 1);
        form.choice(algorithm, &choices, &mut chosen);
        self.algorithm = chosen.checked_sub(1).map(|at| Algorithm::ALL[at]);
        let strict = Field::new("Strict", "A line that is no checksum is an error.");
        form.toggle(strict, &mut self.strict);
    }

    fn places(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.base]
    }

    fn add_args(&self, command: clap::Command) -> clap::Command {
        VerifyArgs::augment_args(command)
    }

    fn read_args(&mut self, matches: &ArgMatches) -> Result<Arguments, clap::Error> {
        let (options, arguments) = VerifyArgs::from_arg_matches(matches)?.split();
        *self = options;
        Ok(arguments)
    }

    fn verdicts(&self) -> &'static [Verdict] {
        &VERDICTS
    }

    fn advice(&self, errors: &dyn Fn(&str) -> usize, items: usize) -> Option<&'static str> {
        let all_differ = items > 1 && errors("mismatch") == items;
        all_differ.then_some("none matches, so the list may be of another algorithm")
    }

    /// As `sha256sum -c` prints it.
    fn failure_line(&self, input: &Path, error: &ItemError) -> Vec<u8> {
        let word = match error.kind.as_str() {
            "mismatch" => "FAILED",
            _ => "FAILED open or read",
        };
        format!("{}: {word}\n", shown(input)).into_bytes()
    }

    fn saves_all_lines(&self) -> bool {
        true
    }

    fn prints(&self, is_failure: bool) -> bool {
        match self.says {
            Says::All => true,
            Says::Problems => is_failure,
            Says::Nothing => false,
        }
    }
}
