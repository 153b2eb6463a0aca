//! Turns the lines of lists into items.

use std::collections::HashMap;
use std::fmt;
use std::fs::Metadata;
use std::hash::{BuildHasher as _, RandomState};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use url::Url;

use super::digest::{Digest, DigestError};
use super::{Options, Request, name};
use crate::jobs::checksum::{
    ChecksumError, MAX_LINE_LEN, Visitor, open_list, read_line, walk_files,
};
use crate::jobs::save::create_folder;
use crate::jobs::text::shown;
use crate::jobs::{Item, ItemError, Plan, Step};
use crate::join::{Cancelled, Context};

/// The reason that a text is not a URL that can be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum UrlError {
    #[error("it is not a URL: {0}")]
    NotAUrl(url::ParseError),
    #[error("it is not a URL; put https:// in front of it")]
    NoScheme,
    #[error("only http and https are supported, not {0}")]
    Scheme(String),
    #[error("it contains a user name or a password, which would be shown and saved; remove them")]
    Credentials,
    #[error("it is not UTF-8")]
    NotText,
    #[error("it is longer than a URL can be")]
    TooLong,
    #[error("{0}")]
    Digest(#[from] DigestError),
}

impl UrlError {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Scheme(_) => "scheme",
            Self::Credentials => "credentials",
            Self::Digest(_) => "bad_digest",
            Self::NotAUrl(_) | Self::NoScheme | Self::NotText | Self::TooLong => "no_url",
        }
    }
}

pub(super) fn plan(
    options: &Options,
    inputs: &[PathBuf],
    context: &Context,
    plan: &mut dyn Plan,
) -> Result<(), Cancelled> {
    if let Err(error) = options.check(!inputs.is_empty()) {
        plan.item(Item::failed("fetch".into(), error));
        return Ok(());
    }
    if let Some(folder) = options.folder()
        && let Err(error) = create_folder(folder)
    {
        plan.item(Item::failed(folder.to_owned(), error));
        return Ok(());
    }
    let mut names = Names::default();
    for (line, number) in options.urls.lines().zip(1..) {
        context.check()?;
        if let Some(item) = Position::typed(number).item(line.as_bytes(), &mut names) {
            plan.item(item);
        }
    }
    walk_files(
        inputs,
        context,
        &mut Lists {
            names,
            context,
            plan,
        },
    )
}

/// Reads the lists, and all files of folders as lists.
struct Lists<'a> {
    names: Names,
    context: &'a Context,
    plan: &'a mut dyn Plan,
}

impl Visitor for Lists<'_> {
    fn file(&mut self, item: Item, _metadata: &Metadata) {
        self.takes(&item.input);
    }

    fn takes(&mut self, list: &Path) -> bool {
        let read = read(list, &mut self.names, self.context, self.plan);
        if self.context.is_cancelled() {
            // The error may be the cancel.
            return true;
        }
        match read {
            Ok(true) => {}
            Ok(false) => {
                let note = format!("The list {} has no URLs.", shown(list));
                self.plan.note(note);
            }
            Err(error) => self.plan.item(Item::failed(list.to_owned(), error)),
        }
        true
    }

    fn plan(&mut self) -> &mut dyn Plan {
        self.plan
    }
}

/// Counts the URLs of each file name, by its hash: a list may have millions.
#[derive(Default)]
struct Names {
    hasher: RandomState,
    counts: HashMap<u64, u32>,
}

impl Names {
    /// The number of the URL among those with its file name, from 1.
    fn number(&mut self, url: &Url) -> u32 {
        let hash = self.hasher.hash_one(name::file_name(url));
        let count = self.counts.entry(hash).or_default();
        *count = count.saturating_add(1);
        *count
    }
}

/// Reads a list. Returns whether it has an item.
fn read(
    list: &Path,
    names: &mut Names,
    context: &Context,
    plan: &mut dyn Plan,
) -> Result<bool, ChecksumError> {
    let mut reader = BufReader::new(open_list(list, context)?);
    let mut has_item = false;
    let mut line = Vec::new();
    for number in 1.. {
        let is_line = read_line(&mut reader, &mut line)
            .map_err(|error| ChecksumError::from_io(list, error))?;
        if !is_line || context.is_cancelled() {
            break;
        }
        let position = Position {
            list: Some(list),
            number,
        };
        if line.len() > MAX_LINE_LEN + 1 {
            // The rest of the line follows, or this is not a list at all.
            plan.item(position.failed(&UrlError::TooLong));
            return Ok(true);
        }
        if let Some(item) = position.item(&line, names) {
            plan.item(item);
            has_item = true;
        }
    }
    Ok(has_item)
}

/// The position of a line; without a list, a line of the typed URLs.
struct Position<'a> {
    list: Option<&'a Path>,
    number: u64,
}

impl Position<'_> {
    fn typed(number: u64) -> Self {
        Self { list: None, number }
    }

    /// The item of the line; `None` if the line is empty or a comment.
    fn item(&self, line: &[u8], names: &mut Names) -> Option<Item> {
        let Ok(text) = std::str::from_utf8(line) else {
            return Some(self.failed(&UrlError::NotText));
        };
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        Some(match parse_line(text) {
            Ok((url, digest)) => Item {
                bytes: 0,
                step: Step::Fetch(Request {
                    number: names.number(&url),
                    digest,
                }),
                input: String::from(url).into(),
            },
            Err(error) => self.failed(&error),
        })
    }

    fn failed(&self, error: &UrlError) -> Item {
        let input = self.list.unwrap_or(Path::new("URLs")).to_owned();
        let message = format!("{self} was not fetched: {error}.");
        Item::failed(input, ItemError::new(error.kind(), message))
    }
}

impl fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list {
            Some(list) => write!(f, "Line {} of {}", self.number, shown(list)),
            None => write!(f, "Line {} of the URLs", self.number),
        }
    }
}

/// Parses a line: a URL and, after a space, the digest that is expected.
fn parse_line(text: &str) -> Result<(Url, Option<Digest>), UrlError> {
    let Some((start, word)) = text.rsplit_once(char::is_whitespace) else {
        return Ok((parse(text)?, None));
    };
    match Digest::parse(word) {
        Some(digest) => Ok((parse(start.trim_end())?, Some(digest?))),
        None => Ok((parse(text)?, None)),
    }
}

/// Parses a URL and checks whether it can be fetched.
pub(super) fn parse(text: &str) -> Result<Url, UrlError> {
    let parsed = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => UrlError::NoScheme,
        error => UrlError::NotAUrl(error),
    });
    let mut url = parsed?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(UrlError::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Credentials);
    }
    url.set_fragment(None);
    Ok(url)
}
