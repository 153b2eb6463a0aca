//! The error of a process that failed.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::exit::Exit;
use super::output::Captured;

/// The number of lines that the error shows.
const MAX_LINES: usize = 3;

/// The length of the text that the error shows, in bytes.
const MAX_TEXT_BYTES: usize = 500;

/// A process did not exit with code 0. Returned by [`Exit::check`] and
/// [`Process::join_checked`](super::Process::join_checked).
///
/// Its text is one sentence. That of `join_checked` has the process's name and the last lines of its
/// stderr.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitError {
    name: Option<Arc<str>>,
    exit: Exit,
    last_words: String,
}

impl ExitError {
    /// The error of a process whose last words are in `printed`.
    pub(super) fn new(name: Arc<str>, exit: Exit, printed: &Captured) -> Self {
        Self {
            name: Some(name),
            exit,
            last_words: last_words(&printed.text()),
        }
    }

    /// Returns how the process ended.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for ExitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "`{name}` ")?;
        }
        write!(f, "{}", self.exit)?;
        if !self.last_words.is_empty() {
            write!(f, ": {}", self.last_words)?;
        }
        Ok(())
    }
}

impl Error for ExitError {}

// It is here because the module `exit` does not depend on its error.
impl Exit {
    /// Returns an error unless the process exited with code 0, so that `process.join()?.check()?`
    /// goes on after a success alone.
    ///
    /// ```
    /// use meanwhile_join::process::Builder;
    ///
    /// let exit = Builder::new("sh").args(["-c", "exit 2"]).spawn()?.join()?;
    /// assert_eq!(exit.check().unwrap_err().to_string(), "exited with code 2");
    /// Builder::new("true").spawn()?.join()?.check()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ExitError`] with this exit.
    pub fn check(self) -> Result<(), ExitError> {
        if self.is_success() {
            return Ok(());
        }
        Err(ExitError {
            name: None,
            exit: self,
            last_words: String::new(),
        })
    }
}

/// Returns the last lines that are not empty, without control characters, in one line.
fn last_words(text: &str) -> String {
    let newest_first = text.lines().rev().map(printable);
    let newest_first = newest_first.filter(|line| !line.is_empty());
    let mut lines: Vec<String> = newest_first.take(MAX_LINES).collect();
    lines.reverse();
    let text = lines.join("; ");
    let excess = text.len().saturating_sub(MAX_TEXT_BYTES);
    let mut characters = text.char_indices();
    let cut = characters.find(|(index, _)| *index >= excess);
    cut.map_or_else(String::new, |(index, _)| text[index..].to_owned())
}

fn printable(line: &str) -> String {
    let line = line.replace('\t', " ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    line.trim().to_owned()
}
