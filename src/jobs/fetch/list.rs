//! From lines to URLs.

use std::fmt;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use url::Url;

use super::Options;
use crate::jobs::checksum::{ChecksumError, MAX_LINE_LEN, open_regular, read_line, shown};
use crate::jobs::save::make_folder;
use crate::jobs::{Item, ItemError, Step};
use crate::join::Context;

/// Why a text is not fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("it is no URL: {0}")]
    NoUrl(url::ParseError),
    #[error("it is no URL; write https:// in front of it")]
    NoScheme,
    #[error("only http and https are fetched, not {0}")]
    Scheme(String),
    #[error("it carries a name or a password, which would be shown and saved; take them out")]
    Credentials,
    #[error("it is not UTF-8")]
    NotText,
    #[error("it is longer than a URL can be")]
    TooLong,
}

impl Refused {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Scheme(_) => "scheme",
            Self::Credentials => "credentials",
            Self::NoUrl(_) | Self::NoScheme | Self::NotText | Self::TooLong => "no_url",
        }
    }
}

pub(super) fn plan(
    options: &Options,
    inputs: &[PathBuf],
    context: &Context,
    found: &mut dyn FnMut(Item),
) {
    if let Err(problem) = options.check(!inputs.is_empty()) {
        return found(Item::failed("fetch".into(), problem));
    }
    if let Some(folder) = options.folder()
        && let Err(error) = make_folder(folder)
    {
        return found(Item::failed(folder.clone(), error));
    }
    for (line, number) in options.urls.lines().zip(1..) {
        context.checkpoint();
        if let Some(item) = Place::typed(number).item(line.as_bytes()) {
            found(item);
        }
    }
    for list in inputs {
        if let Err(error) = read(list, context, found) {
            found(Item::failed(list.clone(), error));
        }
    }
}

fn read(list: &Path, context: &Context, found: &mut dyn FnMut(Item)) -> Result<(), ChecksumError> {
    let (file, _) = open_regular(list)?;
    let mut reader = BufReader::new(&file);
    let mut line = Vec::new();
    for number in 1.. {
        context.checkpoint();
        let is_line = read_line(&mut reader, &mut line)
            .map_err(|error| ChecksumError::from_io(list, error))?;
        if !is_line {
            break;
        }
        let place = Place {
            list: Some(list),
            number,
        };
        if line.len() > MAX_LINE_LEN + 1 {
            // What follows is the rest of a line, or no list at all.
            found(place.refused(&Refused::TooLong));
            break;
        }
        if let Some(item) = place.item(&line) {
            found(item);
        }
    }
    Ok(())
}

/// Where a line is.
struct Place<'a> {
    list: Option<&'a Path>,
    number: u64,
}

impl Place<'_> {
    fn typed(number: u64) -> Self {
        Self { list: None, number }
    }

    /// What the line says; nothing where it is empty or a comment.
    fn item(&self, line: &[u8]) -> Option<Item> {
        let Ok(text) = std::str::from_utf8(line) else {
            return Some(self.refused(&Refused::NotText));
        };
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        Some(match parse(text) {
            Ok(url) => Item {
                input: String::from(url).into(),
                bytes: 0,
                step: Step::Run,
            },
            Err(refused) => self.refused(&refused),
        })
    }

    fn refused(&self, refused: &Refused) -> Item {
        let input = self.list.unwrap_or(Path::new("URLs")).to_owned();
        let error = ItemError {
            kind: refused.kind().to_owned(),
            message: format!("{self} is not fetched: {refused}."),
        };
        Item::failed(input, error)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list {
            Some(list) => write!(f, "Line {} of {}", self.number, shown(list)),
            None => write!(f, "Line {} of the URLs", self.number),
        }
    }
}

/// The URL that a text is, if it is one that may be fetched.
pub(super) fn parse(text: &str) -> Result<Url, Refused> {
    let parsed = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => Refused::NoScheme,
        error => Refused::NoUrl(error),
    });
    let mut url = parsed?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(Refused::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::Credentials);
    }
    url.set_fragment(None);
    Ok(url)
}
