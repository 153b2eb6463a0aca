//! The user interface of a job: its form, its arguments, the names of its results.

use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::form::Form;
use super::{ItemError, Job, Options, Output};
#[cfg(unix)]
use crate::join::process::RunningProcess;

/// The default number of the last bytes of each stream of a process that are kept.
pub(crate) const DEFAULT_OUTPUT_LIMIT: usize = 1024 * 1024;

/// A job for the window and the command line. Implemented by the options of each.
pub trait JobInterface: Job {
    /// The sentence that says why the job can't be started with these options; `None` if it can.
    fn problem(&self, _has_inputs: bool) -> Option<String> {
        None
    }

    /// Why the job can't be run again for some of its items alone; `None` if it can.
    fn why_not_in_part(&self) -> Option<&'static str> {
        None
    }

    /// The options with which this job waits for a process that something else has started; `None` if it
    /// does not do that.
    #[cfg(unix)]
    fn adopting(&self, _running: &RunningProcess) -> Option<Options> {
        None
    }

    /// Whether the job is the one for these files when the program is opened with them.
    fn opens(&self, _files: &[PathBuf]) -> bool {
        false
    }

    /// Whether the job shows something and does no work of the user's.
    fn is_demonstration(&self) -> bool {
        false
    }

    /// Adds the rows of the options that most users set. `inputs` are the first of those of the next job.
    fn form(&mut self, inputs: &[PathBuf], form: &mut dyn Form);

    /// The paths among the options that may be relative. The window makes them full when the job starts, so that
    /// it shows where everything is.
    fn places(&mut self) -> Vec<&mut PathBuf> {
        Vec::new()
    }

    /// The heading of the options that rarely change; `None` if there are none.
    fn more_title(&self) -> Option<&'static str> {
        None
    }

    /// Adds the rows below that heading.
    fn more_form(&mut self, _form: &mut dyn Form) {}

    /// Adds the arguments of the job, and what it does, to its subcommand of `meanwhile run`.
    fn add_args(&self, command: clap::Command) -> clap::Command;

    /// Sets the options to the parsed arguments of that subcommand.
    ///
    /// # Errors
    /// The arguments are not those of [`add_args`](Self::add_args).
    fn read_args(&mut self, matches: &ArgMatches) -> Result<Arguments, clap::Error>;

    /// The job that the parsed arguments mean in the place of this one, with its options; `None` for this.
    fn instead(&self, _matches: &ArgMatches) -> Option<Options> {
        None
    }

    /// The suggested name of the file that a list of all results is saved to, such as
    /// `checksums.sha256`; `None` if the job has no such list.
    fn list_name(&self) -> Option<String> {
        None
    }

    /// The errors of items whose numbers are shown while the job runs, in their order; none for a job whose
    /// items are no verdicts.
    fn verdicts(&self) -> &'static [Verdict] {
        &[]
    }

    /// What the number of errors of each kind, of so many items, means for the whole job; `None` for
    /// nothing.
    fn advice(&self, _errors: &dyn Fn(&str) -> usize, _items: usize) -> Option<&'static str> {
        None
    }

    /// Whether the result of an item, or its failure, is printed as text.
    fn prints(&self, _is_failure: bool) -> bool {
        true
    }

    /// The line that stands for the item of `input` in the list of results on stdout, with its line end.
    fn line(&self, input: &Path, output: &Output) -> Vec<u8> {
        output.line(input)
    }

    /// The line on stdout of an item that was processed and failed, with its line end; empty for none. What
    /// failed before, such as a list that can't be read, has no line.
    fn failure_line(&self, _input: &Path, _error: &ItemError) -> Vec<u8> {
        Vec::new()
    }

    /// Whether the file that the user names gets the lines that would go to stdout, those of failed items,
    /// too, in the place of [`lists`](Self::lists).
    fn saves_all_lines(&self) -> bool {
        false
    }

    /// The lists of results to be written when the user names `file`: the path of each and its contents.
    /// `results` has the input and the result of each item.
    ///
    /// # Errors
    /// A sentence that says why one can't be written.
    fn lists(
        &self,
        file: &Path,
        results: &mut dyn Iterator<Item = (&Path, &Output)>,
    ) -> Result<Vec<(PathBuf, Vec<u8>)>, String> {
        let lines = results.flat_map(|(input, output)| output.line(input));
        Ok(vec![(file.to_owned(), lines.collect())])
    }

    /// Whether a file that the job has read may be replaced by the list of its results, and is left out of
    /// that list.
    fn may_replace(&self, _input: &Path) -> bool {
        false
    }

    /// The list that the job itself keeps, to be written with [`lists`](Self::lists) when all items have
    /// ended, besides what goes to stdout; `None` if it keeps none.
    fn own_list(&self) -> Option<PathBuf> {
        None
    }

    /// The number of the last bytes of each stream of an item's process that are kept.
    fn output_limit(&self) -> usize {
        DEFAULT_OUTPUT_LIMIT
    }
}

/// A kind of error that is an answer, such as that a file differs from its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// As in [`ItemError::kind`].
    pub kind: &'static str,
    /// The word after the number of items.
    pub word: &'static str,
}

impl Verdict {
    pub(super) const fn new(kind: &'static str, word: &'static str) -> Self {
        Self { kind, word }
    }
}

/// The arguments of a job that are not its options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// The inputs of the job.
    pub inputs: Vec<PathBuf>,
    /// The file that the result is written to; `None` for stdout.
    pub output: Option<PathBuf>,
}
