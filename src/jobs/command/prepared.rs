//! A command that was parsed and checked, ready to run.

use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::template::Template;
use super::{CommandLine, Options};
use crate::format;
use crate::jobs::ItemError;
use crate::jobs::os_text::os_string;

/// A problem with the options.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandOptionsError {
    /// There is no program.
    #[error("There is no command; say what to run.")]
    Empty,
    /// A text can't be split into words.
    #[error("`{text}` has an open quote or ends with a backslash; close it.")]
    Unclosed { text: String },
    /// A line of the environment is not an assignment.
    #[error("`{text}` does not set a variable; write NAME=VALUE.")]
    Variable { text: String },
    /// The exit codes are invalid.
    #[error("`{text}` is not an exit code; write codes from 0 to 255 such as `0, 2-4`, or `any`.")]
    Codes { text: String },
    /// The command has a placeholder for a file, but there are no files.
    #[error("`{word}` stands for a file, but there is none; add files.")]
    NoFiles { word: String },
}

impl From<CommandOptionsError> for ItemError {
    fn from(error: CommandOptionsError) -> Self {
        let kind = match error {
            CommandOptionsError::NoFiles { .. } => "no_files",
            _ => "bad_command",
        };
        Self::new(kind, error.to_string())
    }
}

/// A command that can be run.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    prefix: Vec<OsString>,
    words: Vec<Template>,
    /// Whether files go to the end, because no word has a placeholder.
    appends_files: bool,
    /// The environment variables to set, in order.
    pub(super) env: Vec<(OsString, OsString)>,
    /// The exit codes that mean success.
    pub(super) expected: Codes,
    /// Its name in sentences: the program, or `sh`.
    pub(super) name: String,
}

impl Prepared {
    pub(super) fn new(options: &Options) -> Result<Self, CommandOptionsError> {
        let words = words(&options.command, options.shell)?;
        let first = words.first().ok_or(CommandOptionsError::Empty)?;
        let name = Path::new(first).file_name().unwrap_or(first);
        let name = name.to_string_lossy().into_owned();
        let words: Vec<Template> = if options.shell {
            words.into_iter().map(Template::literal).collect()
        } else {
            words.iter().map(|word| Template::new(word)).collect()
        };
        Ok(Self {
            prefix: split(&options.prefix)?,
            appends_files: !words.iter().any(Template::takes_file),
            words,
            env: variables(&options.env)?,
            expected: Codes::parse(&options.expected_codes)?,
            name,
        })
    }

    /// The first word with a placeholder for a file.
    pub(super) fn placeholder(&self) -> Option<String> {
        let word = self.words.iter().find(|word| word.takes_file())?;
        Some(word.to_string())
    }

    /// The program and its arguments for these files: a word with a placeholder is repeated for each
    /// file. A file as the program is never looked up in `PATH`.
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
        if self.appends_files {
            words.extend(files.iter().map(|file| file.as_os_str().to_owned()));
        }
        if is_split_again(&self.prefix) {
            words.iter_mut().for_each(quote);
        }
        self.prefix.iter().cloned().chain(words).collect()
    }
}

/// Whether the prefix joins the words after it to a line that a shell splits again, as `ssh` does on
/// the remote side.
fn is_split_again(prefix: &[OsString]) -> bool {
    let mut names = prefix.iter().map(|word| Path::new(word).file_name());
    names.any(|name| name == Some(OsStr::new("ssh")))
}

/// Quotes a word so that a shell does not change it.
fn quote(word: &mut OsString) {
    let quoter = shlex::bytes::Quoter::new().allow_nul(true);
    if let Ok(quoted) = quoter.quote(word.as_encoded_bytes()) {
        *word = os_string(quoted.into_owned());
    }
}

/// The words of a command, quoted as for a shell.
pub(super) fn shown(options: &Options) -> Result<String, CommandOptionsError> {
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

/// The words of a command for these files, quoted as for a shell, in one line.
pub(super) fn filled(options: &Options, files: &[PathBuf]) -> Result<String, CommandOptionsError> {
    let mut words = Prepared::new(options)?.words(files);
    words.iter_mut().for_each(quote);
    let words = words.join(OsStr::new(" "));
    Ok(format::path(Path::new(&words)))
}

/// Adds `./` to a path without a folder, so that it is not looked up in `PATH`.
fn as_program(file: OsString) -> OsString {
    if file.as_encoded_bytes().contains(&b'/') {
        return file;
    }
    Path::new(".").join(file).into_os_string()
}

fn words(command: &CommandLine, shell: bool) -> Result<Vec<OsString>, CommandOptionsError> {
    let words = match command {
        CommandLine::Words(words) => words.clone(),
        CommandLine::Line(line) if shell && line.trim().is_empty() => Vec::new(),
        CommandLine::Line(line) if shell => vec![line.into()],
        CommandLine::Line(line) => split(line)?,
    };
    let Some((text, rest)) = words.split_first().filter(|_| shell) else {
        return Ok(words);
    };
    // The word after the script is `$0`, which the shell puts into its messages.
    let shell = ["/bin/sh", "-c"].map(OsStr::new).into_iter();
    let all = shell.chain([text.as_os_str(), OsStr::new("sh")]);
    Ok(all
        .map(OsStr::to_owned)
        .chain(rest.iter().cloned())
        .collect())
}

/// Splits a line into words, as a shell does.
pub(super) fn split(line: &str) -> Result<Vec<OsString>, CommandOptionsError> {
    let words = shlex::split(line).ok_or_else(|| CommandOptionsError::Unclosed {
        text: line.trim().to_owned(),
    })?;
    Ok(words.into_iter().map(OsString::from).collect())
}

fn variables(lines: &[OsString]) -> Result<Vec<(OsString, OsString)>, CommandOptionsError> {
    let lines = lines.iter().map(|line| line.as_encoded_bytes());
    let lines = lines.filter(|line| !line.trim_ascii().is_empty());
    let variables = lines.map(|line| {
        let split = line.iter().position(|&byte| byte == b'=');
        let split = split
            .filter(|&at| at > 0)
            .ok_or_else(|| CommandOptionsError::Variable {
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
    /// Parses codes and ranges such as `0, 2-4`; an empty text means `0`, and `any` means all.
    fn parse(text: &str) -> Result<Self, CommandOptionsError> {
        let parts = text.split([',', ' ', '\t']);
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return Ok(Self(vec![0..=0]));
        }
        let ranges = parts.into_iter().map(|part| {
            range(part).ok_or_else(|| CommandOptionsError::Codes {
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
    fn codes_are_numbers_ranges_or_any() {
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
