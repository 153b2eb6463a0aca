//! A job that fetches URLs, from lists or as they are typed, and saves what comes or only measures
//! it.
//!
//! A list has one URL a line; empty lines and lines that begin with `#` say nothing. Only `http` and
//! `https` are spoken, also where a server sends one elsewhere, which is followed ten times at most.
//! As many URLs are fetched at once as there are workers.
//!
//! What may pass by itself is tried again, after a pause that doubles each time and differs a
//! little: no connection, or one that breaks; no end in time; the statuses 408, 425, 429 and those
//! from 500 on. A server that says in how many seconds to come back (`Retry-After`) is obeyed up to
//! a minute, and left alone where it asks for more.
//!
//! The proxy is that of the environment (`HTTPS_PROXY`, `NO_PROXY` and the like), but for this very
//! machine. Certificates are checked as the system does it.

mod exchange;
mod list;
mod name;
mod tries;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Item, ItemError, Job, Output, Step, os_text};
use crate::join::Context;

/// What is fetched besides the lists, where it goes, and how much patience there is.
///
/// ```
/// use meanwhile::jobs::fetch::Options;
///
/// let options = Options { urls: "https://example.com/".to_owned(), ..Options::default() };
/// assert!(options.check(false).is_ok());
/// assert!(Options::default().check(false).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// URLs, one a line, as in a list.
    pub urls: String,
    /// The folder that the results are saved in, made where it is not there; where this is empty
    /// nothing is saved.
    #[serde(with = "os_text")]
    pub to: PathBuf,
    /// How long a connection may take to come about, in seconds.
    pub connect_secs: f64,
    /// How long one try may take from beginning to end, in seconds.
    pub timeout_secs: f64,
    /// How often a try that failed is repeated.
    pub retries: u32,
    /// The pause before the first repetition, in seconds; it doubles with each one, up to half a
    /// minute.
    pub pause_secs: f64,
    /// The most bytes of one answer, in MiB, as they are after decompression.
    pub limit_mib: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            urls: String::new(),
            to: PathBuf::new(),
            connect_secs: 10.0,
            timeout_secs: 120.0,
            retries: 3,
            pause_secs: 0.5,
            limit_mib: 100,
        }
    }
}

/// What a person has to settle before the job can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is nothing to fetch.
    #[error("Type a URL, or add a list of them.")]
    NoUrls,
    /// A time is none that one could wait for.
    #[error("The times have to be more than 0 seconds; choose others.")]
    Time,
}

impl From<Problem> for ItemError {
    fn from(problem: Problem) -> Self {
        Self {
            kind: "bad_options".to_owned(),
            message: problem.to_string(),
        }
    }
}

impl Options {
    /// What keeps this from being run, with lists or without.
    ///
    /// # Errors
    /// The first problem that a person has to settle.
    pub fn check(&self, has_lists: bool) -> Result<(), Problem> {
        if !has_lists && self.urls.trim().is_empty() {
            return Err(Problem::NoUrls);
        }
        for secs in [self.connect_secs, self.timeout_secs] {
            let time = Duration::try_from_secs_f64(secs).ok();
            time.filter(|time| !time.is_zero()).ok_or(Problem::Time)?;
        }
        Ok(())
    }

    /// Fetches one URL with this patience, and saves what comes where [`to`](Self::to) says.
    ///
    /// Blocks until then. A cancel of the task of `context` unwinds, as at any checkpoint.
    ///
    /// # Errors
    /// `url` is none that is fetched, the last try failed, or what came could not be saved.
    pub fn fetch(&self, url: &str, context: &Context) -> Result<Fetched, ItemError> {
        tries::fetch(self, url, context)
    }

    fn folder(&self) -> Option<&PathBuf> {
        Some(&self.to).filter(|to| !to.as_os_str().is_empty())
    }

    fn limit(&self) -> u64 {
        self.limit_mib.saturating_mul(1 << 20)
    }
}

impl Job for Options {
    fn id(&self) -> &'static str {
        "fetch"
    }

    fn title(&self) -> &'static str {
        "Fetch URLs"
    }

    /// What was typed comes first, then the lists. A line that is no URL is an error that names its
    /// list and its number.
    fn plan(&self, inputs: &[PathBuf], context: &Context, found: &mut dyn FnMut(Item)) {
        list::plan(self, inputs, context, found);
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        if let Step::Fail(error) = &item.step {
            return Err(error.clone());
        }
        let fetched = self.fetch(&item.input.to_string_lossy(), context);
        fetched.map(Output::Fetched)
    }
}

/// What came back from a URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fetched {
    /// The status of the answer.
    pub status: u16,
    /// How much came, after decompression.
    pub bytes: u64,
    /// What the server calls it.
    pub content_type: Option<String>,
    /// How long the try took that succeeded.
    pub secs: f64,
    /// How many tries it took.
    pub tries: u32,
    /// Where it came from in the end, if the server sent one elsewhere.
    pub redirected_to: Option<String>,
    /// The file, where it was saved.
    #[serde(with = "os_text")]
    pub saved_to: Option<PathBuf>,
}

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} · {} bytes", self.status, self.bytes)?;
        if let Some(content_type) = &self.content_type {
            write!(f, " · {content_type}")?;
        }
        if self.tries > 1 {
            write!(f, " · {} tries", self.tries)?;
        }
        match &self.saved_to {
            Some(file) => write!(f, " → {}", file.display()),
            None => Ok(()),
        }
    }
}
