//! The job `fetch`: fetches URLs, typed or from lists, and saves the responses or only measures them.
//!
//! A list has one URL a line; empty lines and lines that begin with `#` are ignored. Only `http` and
//! `https` URLs are fetched, also after a redirect; at most ten redirects are followed. The number of
//! workers is the number of parallel requests.
//!
//! Transient failures are retried, after a pause that doubles each time and varies a little: a
//! connection that fails or breaks, a timeout, and the statuses 408, 425, 429 and 500 and above. A
//! `Retry-After` in seconds is honoured up to a minute; a longer one is final.
//!
//! The proxy comes from the environment (`HTTPS_PROXY`, `NO_PROXY` and so on), except for this
//! machine itself. Certificates are checked by the system.

mod args;
mod attempts;
mod exchange;
mod interface;
mod list;
mod name;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Item, ItemError, Job, JobOutput, Output, Plan, Step, os_text};
use crate::format::bytes;
use crate::join::Context;

/// The URLs besides those in the lists, the folder for the results, and the limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// URLs, one a line, as in a list.
    pub urls: String,
    /// The folder to save the results in, created if missing; if empty, nothing is saved.
    #[serde(with = "os_text")]
    pub to: PathBuf,
    /// The connection timeout in seconds.
    pub connect_secs: f64,
    /// The timeout of each attempt, from start to end, in seconds.
    pub timeout_secs: f64,
    /// The number of retries of a failed attempt.
    pub retries: u32,
    /// The pause before the first retry, in seconds; it doubles with each one, up to half a minute.
    pub pause_secs: f64,
    /// The largest response accepted, in MiB after decompression.
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

/// A problem with the options.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchOptionsError {
    /// There is nothing to fetch.
    #[error("Type a URL, or add a list of them.")]
    NoUrls,
    /// A timeout is not a positive duration.
    #[error("Timeouts must be longer than 0 seconds.")]
    Time,
}

impl From<FetchOptionsError> for ItemError {
    fn from(error: FetchOptionsError) -> Self {
        Self::new("bad_options", error.to_string())
    }
}

impl Options {
    /// Checks whether the job can run, with lists or without.
    ///
    /// # Errors
    /// The first problem that the user has to correct.
    pub fn check(&self, has_lists: bool) -> Result<(), FetchOptionsError> {
        if !has_lists && self.urls.trim().is_empty() {
            return Err(FetchOptionsError::NoUrls);
        }
        for secs in [self.connect_secs, self.timeout_secs] {
            let time = Duration::try_from_secs_f64(secs).ok();
            time.filter(|time| !time.is_zero())
                .ok_or(FetchOptionsError::Time)?;
        }
        Ok(())
    }

    /// Fetches one URL within these limits, and saves the response in the folder
    /// [`to`](Self::to).
    ///
    /// Blocks until then. A cancel of the task of `context` unwinds, as at any checkpoint.
    ///
    /// # Errors
    /// `url` is not allowed, the last attempt failed, or the response could not be saved.
    pub fn fetch(&self, url: &str, context: &Context) -> Result<Fetched, ItemError> {
        attempts::fetch(self, url, context)
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

    /// The typed URLs come first, then the lists. The error of a line that is not a URL names its list
    /// and number.
    fn plan(&self, inputs: &[PathBuf], context: &Context, plan: &mut dyn Plan) {
        list::plan(self, inputs, context, plan);
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        if let Step::Fail(error) = &item.step {
            return Err(error.clone());
        }
        let fetched = self.fetch(&item.input.to_string_lossy(), context);
        fetched.map(Output::Fetched)
    }
}

/// The response of a URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fetched {
    pub status: u16,
    /// The length of the body after decompression.
    pub bytes: u64,
    /// The content type that the server sent.
    pub content_type: Option<String>,
    /// The duration of the successful attempt in seconds.
    pub secs: f64,
    pub tries: u32,
    /// The final URL, if the server redirected.
    pub redirected_to: Option<String>,
    /// The file, if it was saved.
    #[serde(with = "os_text")]
    pub saved_to: Option<PathBuf>,
}

impl JobOutput for Fetched {
    /// Such as `200  1256  0.12  text/html  https://example.com/  out/index.html`, with tabs.
    fn line(&self, url: &Path) -> Vec<u8> {
        let content_type = self.content_type.as_deref().unwrap_or("-");
        let (status, bytes, secs) = (self.status, self.bytes, self.secs);
        let url = url.display();
        let line = format!("{status}\t{bytes}\t{secs:.3}\t{content_type}\t{url}\t");
        let file = self.saved_to.as_deref().unwrap_or(Path::new("-"));
        let file = file.as_os_str().as_encoded_bytes();
        [line.as_bytes(), file, b"\n"].concat()
    }
}

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} · {}", self.status, bytes(self.bytes))?;
        if let Some(content_type) = &self.content_type {
            write!(f, " · {content_type}")?;
        }
        if self.tries > 1 {
            write!(f, " · {} attempts", self.tries)?;
        }
        match &self.saved_to {
            Some(file) => write!(f, " → {}", file.display()),
            None => Ok(()),
        }
    }
}
