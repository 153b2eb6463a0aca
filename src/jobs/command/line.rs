//! What a person wrote, made ready to run.

use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::template::Template;
use super::{CommandLine, Options};
use crate::jobs::ItemError;
use crate::jobs::os_text::os_string;

/// What is wrong with the options of a command, so that it can't be run at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no program.
    #[error("There is no command; say what to run.")]
    Empty,
    /// A text can't be split into words.
    #[error("A quote or a backslash at the end of `{text}` is open; close it.")]
    Open {
        /// The text.
        text: String,
    },
    /// A line of the environment sets nothing.
    #[error("`{text}` sets no variable; write NAME=VALUE.")]
    Variable {
        /// The line.
        text: String,
    },
    /// Something is no list of exit codes.
    #[error("`{text}` is no exit code; write codes from 0 to 255 such as `0, 2-4`, or `any`.")]
    Codes {
        /// The part that is none.
        text: String,
    },
    /// The command asks for a file, and there is none.
    #[error("`{word}` stands for a file, and there is none; add files.")]
    NoFiles {
        /// The word.
        word: String,
    },
}

impl From<Problem> for ItemError {
    fn from(problem: Problem) -> Self {
        let kind = match problem {
            Problem::NoFiles { .. } => "no_files",
            _ => "bad_command",
        };
        Self {
            kind: kind.to_owned(),
            message: problem.to_string(),
        }
    }
}

/// A command that can be run.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    prefix: Vec<OsString>,
    words: Vec<Template>,
    /// Whether files go to the end, because no word has a place for them.
    appends: bool,
    /// The variables that are set, in order.
    pub(super) env: Vec<(OsString, OsString)>,
    /// The exit codes that are no failure.
    pub(super) expected: Codes,
    /// What it is called in sentences: the program, or `sh`.
    pub(super) name: String,
}

impl Prepared {
    pub(super) fn new(options: &Options) -> Result<Self, Problem> {
        let words = words(&options.command, options.shell)?;
        let first = words.first().ok_or(Problem::Empty)?;
        let name = Path::new(first).file_name().unwrap_or(first);
        let name = name.to_string_lossy().into_owned();
        let words: Vec<Template> = if options.shell {
            words.into_iter().map(Template::literal).collect()
        } else {
            words.iter().map(|word| Template::new(word)).collect()
        };
        Ok(Self {
            prefix: split(&options.prefix)?,
            appends: !words.iter().any(Template::takes_file),
            words,
            env: variables(&options.env)?,
            expected: Codes::parse(&options.expected_codes)?,
            name,
        })
    }

    /// A word that can't be without a file, if there is one.
    pub(super) fn place(&self) -> Option<String> {
        let word = self.words.iter().find(|word| word.takes_file())?;
        Some(word.to_string())
    }

    /// The program and its arguments for these files: a word with a place for a file comes once for
    /// each. A path that could pass for a name in `PATH` is no program's.
    pub(super) fn words(&self, files: &[PathBuf]) -> Vec<OsString> {
        let mut words = Vec::new();
        for (index, word) in self.words.iter().enumerate() {
            if !word.takes_file() {
                words.push(word.fill(Path::new("")));
                continue;
            }
            let filled = files.iter().map(|file| word.fill(file));
            if index == 0 {
                words.extend(filled.map(as_program));
            } else {
                words.extend(filled);
            }
        }
        if self.appends {
            words.extend(files.iter().map(|file| file.as_os_str().to_owned()));
        }
        if passes_a_shell(&self.prefix) {
            words.iter_mut().for_each(quote);
        }
        self.prefix.iter().cloned().chain(words).collect()
    }
}

/// Whether the words behind this prefix are put together to a text that a shell takes apart again,
/// which is what `ssh` does with them on the other side.
fn passes_a_shell(prefix: &[OsString]) -> bool {
    let mut names = prefix.iter().map(|word| Path::new(word).file_name());
    names.any(|name| name == Some(OsStr::new("ssh")))
}

/// Makes a word come out of a shell as it is.
fn quote(word: &mut OsString) {
    let quoter = shlex::bytes::Quoter::new().allow_nul(true);
    if let Ok(quoted) = quoter.quote(word.as_encoded_bytes()) {
        *word = os_string(quoted.into_owned());
    }
}

/// How the words of a command were understood, quoted as a shell would need them.
pub(super) fn shown(options: &Options) -> Result<String, Problem> {
    let mut all = split(&options.prefix)?;
    all.extend(words(&options.command, options.shell)?);
    let quoted = all.iter().map(|word| {
        let word = word.to_string_lossy();
        match shlex::Quoter::new().allow_nul(true).quote(&word) {
            Ok(quoted) => quoted.into_owned(),
            Err(_) => word.into_owned(),
        }
    });
    Ok(quoted.collect::<Vec<_>>().join(" "))
}

/// A file that is run goes by its path, even if that has no folder in it.
fn as_program(file: OsString) -> OsString {
    if file.as_encoded_bytes().contains(&b'/') {
        return file;
    }
    Path::new(".").join(file).into_os_string()
}

fn words(command: &CommandLine, shell: bool) -> Result<Vec<OsString>, Problem> {
    let words = match command {
        CommandLine::Words(words) => words.clone(),
        CommandLine::Line(line) if shell && line.trim().is_empty() => Vec::new(),
        CommandLine::Line(line) if shell => vec![line.into()],
        CommandLine::Line(line) => split(line)?,
    };
    let Some((text, rest)) = words.split_first().filter(|_| shell) else {
        return Ok(words);
    };
    // The word after the text is what the shell calls itself in its messages.
    let shell = ["/bin/sh", "-c"].map(OsStr::new).into_iter();
    let all = shell.chain([text.as_os_str(), OsStr::new("sh")]);
    Ok(all
        .map(OsStr::to_owned)
        .chain(rest.iter().cloned())
        .collect())
}

/// The words of a line, as a shell splits them.
pub(super) fn split(line: &str) -> Result<Vec<OsString>, Problem> {
    let words = shlex::split(line).ok_or_else(|| Problem::Open {
        text: line.trim().to_owned(),
    })?;
    Ok(words.into_iter().map(OsString::from).collect())
}

fn variables(lines: &[OsString]) -> Result<Vec<(OsString, OsString)>, Problem> {
    let lines = lines.iter().map(|line| line.as_encoded_bytes());
    let lines = lines.filter(|line| !line.trim_ascii().is_empty());
    let variables = lines.map(|line| {
        let split = line.iter().position(|&byte| byte == b'=');
        let split = split
            .filter(|&at| at > 0)
            .ok_or_else(|| Problem::Variable {
                text: String::from_utf8_lossy(line).into_owned(),
            })?;
        let (name, value) = (&line[..split], &line[split + 1..]);
        Ok((os_string(name.to_vec()), os_string(value.to_vec())))
    });
    variables.collect()
}

/// A set of exit codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Codes(Vec<RangeInclusive<u8>>);

impl Codes {
    /// Reads codes and ranges such as `0, 2-4`; nothing is `0`, and `any` is all.
    fn parse(text: &str) -> Result<Self, Problem> {
        let parts = text.split([',', ' ', '\t']);
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return Ok(Self(vec![0..=0]));
        }
        let ranges = parts.into_iter().map(|part| {
            range(part).ok_or_else(|| Problem::Codes {
                text: part.to_owned(),
            })
        });
        Ok(Self(ranges.collect::<Result<_, _>>()?))
    }

    pub(super) fn contains(&self, code: i32) -> bool {
        let code = u8::try_from(code);
        code.is_ok_and(|code| self.0.iter().any(|range| range.contains(&code)))
    }
}

fn range(part: &str) -> Option<RangeInclusive<u8>> {
    if part == "any" {
        return Some(0..=u8::MAX);
    }
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(first..=last)
}

impl std::fmt::Display for Codes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ranges = self
            .0
            .iter()
            .map(|range| match (range.start(), range.end()) {
                (first, last) if first == last => first.to_string(),
                (first, last) => format!("{first} to {last}"),
            });
        f.write_str(&ranges.collect::<Vec<_>>().join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_single_ones_ranges_or_any() {
        for (text, inside, outside) in [
            ("", 0, 1),
            ("0", 0, 1),
            ("1, 3", 3, 2),
            ("2-4 9", 4, 5),
            ("7,", 7, 0),
        ] {
            let codes = Codes::parse(text).unwrap();
            assert!(codes.contains(inside), "{text}");
            assert!(!codes.contains(outside), "{text}");
        }
        let any = Codes::parse("any").unwrap();
        assert!((0..256).all(|code| any.contains(code)));
        for text in ["x", "256", "-1", "4-2", "1-", "0 no"] {
            assert!(Codes::parse(text).is_err(), "{text}");
        }
    }
}
