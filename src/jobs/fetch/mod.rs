//! The job `fetch`: fetches URLs, typed or from lists, and saves the responses or only measures them.
//!
//! A list has one URL a line and, if one is expected, a digest such as `sha256:…` after a space. A response
//! with another digest is an error, and never gets its name. Empty lines and lines that begin with `#` are ignored. Only `http` and
//! `https` URLs are fetched, also after a redirect; at most ten redirects are followed. The number of
//! workers is the number of parallel requests.
//!
//! Responses are saved as they were sent: the server is asked not to pack them, and nothing is unpacked.
//!
//! A response that breaks, or is cancelled, leaves its part in the folder of the results, as
//! `NAME.XXXXXXXX.part` and `….part.json`, if the server can send the rest later: the next attempt goes
//! on there, also in a later run. Where the server has another file by then, all of it is fetched.
//!
//! A file that has its name is whole, also after a power cut: it is synced to the disk before it gets the
//! name. Where `skip_existing` finds a file, it need not be fetched again.
//!
//! Transient failures are retried, after a pause that doubles each time and varies a little: a
//! connection that fails or breaks, a timeout, and the statuses 408, 425, 429 and 500 and above. A
//! `Retry-After`, in seconds or as a date, is honoured up to a minute; a longer one is final.
//!
//! The proxy comes from the environment (`https_proxy`, `NO_PROXY` and so on) as curl reads it, except for
//! this machine itself. One that can't be used is an error. Certificates are checked by the system.

mod args;
mod attempts;
mod behind;
mod client;
mod cookies;
mod digest;
mod disposition;
mod exchange;
mod forward;
mod interface;
mod list;
mod name;
mod part;
mod proxy;
mod range;
mod received;
mod request;
mod requester;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::cookies::Cookies;
pub use self::digest::Digest;
use super::checksum::has_digest;
use super::{Item, ItemError, Job, JobOutput, Output, Plan, Step, os_text};
use crate::format::bytes;
use crate::join::{Cancelled, Context};

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
    /// The longest time in seconds in which nothing arrives.
    pub timeout_secs: f64,
    /// The number of retries of a failed attempt.
    pub retries: u32,
    /// The pause before the first retry, in seconds; it doubles with each one, up to half a minute.
    pub pause_secs: f64,
    /// The largest response accepted, in MiB.
    pub limit_mib: u64,
    /// Leave out URLs whose file is there. Files then have the names of their URLs.
    pub skip_existing: bool,
    /// Save under the name that the server gives, in place of the end of the URL. A URL with a query has it
    /// anyway, because its path names a program of the server.
    pub server_names: bool,
    /// Those of the run.
    #[serde(skip)]
    pub cookies: Cookies,
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
            skip_existing: false,
            server_names: false,
            cookies: Cookies::default(),
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
    /// A file whose name only the server knows can't be looked for before it is asked.
    #[error(
        "The names of the server are not known before a URL is fetched, so existing files can't be skipped with them; choose one of the two."
    )]
    Names,
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
        if self.skip_existing && self.server_names {
            return Err(FetchOptionsError::Names);
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
        attempts::fetch(self, url, &Request::default(), context)
    }

    fn folder(&self) -> Option<&Path> {
        Some(&*self.to).filter(|to| !to.as_os_str().is_empty())
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

    fn items_are_files(&self, _has_inputs: bool) -> bool {
        false
    }

    /// The typed URLs come first, then the lists. The error of a line that is not a URL names its list
    /// and number.
    fn plan(
        &self,
        inputs: &[PathBuf],
        context: &Context,
        plan: &mut dyn Plan,
    ) -> Result<(), Cancelled> {
        list::plan(self, inputs, context, plan)
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        let url = item.input.to_string_lossy();
        let fetched = match &item.step {
            Step::Fail(error) => return Err(error.clone()),
            Step::Fetch(request) => attempts::fetch(self, &url, request, context),
            _ => self.fetch(&url, context),
        };
        fetched.map(Output::Fetched)
    }
}

/// What a list says about a URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The number of the URL among those with the same file name, from 1. The second one gets `name-2`.
    pub number: u32,
    /// The digest that the response must have.
    pub digest: Option<Digest>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            number: 1,
            digest: None,
        }
    }
}

/// The response of a URL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fetched {
    /// `None` if the server was not asked, because the file is there.
    pub status: Option<u16>,
    /// The length of the body.
    pub bytes: u64,
    /// The content type that the server sent.
    pub content_type: Option<String>,
    /// How the server has packed the body, although it was asked not to; the body is kept as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// The digest that was expected, and found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The duration of the successful attempt in seconds.
    pub secs: f64,
    /// The number of attempts.
    pub tries: u32,
    /// The number of bytes that the successful attempt found there, from an earlier one.
    #[serde(default)]
    pub resumed_from: u64,
    /// The number of bytes of an earlier attempt that were fetched again, because the server has another
    /// file now or sends no parts.
    #[serde(default)]
    pub discarded: u64,
    /// The final URL, if the server redirected.
    pub redirected_to: Option<String>,
    /// The file, if it was saved.
    #[serde(with = "os_text")]
    pub saved_to: Option<PathBuf>,
}

impl JobOutput for Fetched {
    fn file(&self) -> Option<&Path> {
        self.saved_to.as_deref()
    }

    fn digests(&self) -> Vec<(String, &str)> {
        let digest = self.digest.iter();
        digest
            .map(|digest| (digest.algorithm.algorithm().to_string(), &*digest.digits))
            .collect()
    }

    fn has_digest(&self, pasted: &str) -> Result<bool, String> {
        let digest = self.digest.as_ref().ok_or("This result has no digest.")?;
        has_digest(&[(digest.algorithm.algorithm(), &digest.digits)], pasted)
    }

    /// Such as `200  1256  0.12  text/html  https://example.com/  out/index.html`, with tabs.
    fn line(&self, url: &Path) -> Vec<u8> {
        let content_type = self.content_type.as_deref().unwrap_or("-");
        let status = self
            .status
            .map_or("-".to_owned(), |status| status.to_string());
        let (bytes, secs) = (self.bytes, self.secs);
        let url = url.display();
        let line = format!("{status}\t{bytes}\t{secs:.3}\t{content_type}\t{url}\t");
        let file = self.saved_to.as_deref().unwrap_or(Path::new("-"));
        let file = file.as_os_str().as_encoded_bytes();
        [line.as_bytes(), file, b"\n"].concat()
    }
}

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status}")?,
            None => f.write_str("already there")?,
        }
        write!(f, " · {}", bytes(self.bytes))?;
        if let Some(content_type) = &self.content_type {
            write!(f, " · {content_type}")?;
        }
        if let Some(content_encoding) = &self.content_encoding {
            write!(f, " · packed as {content_encoding}")?;
        }
        if self.tries > 1 {
            write!(f, " · {} attempts", self.tries)?;
        }
        if self.resumed_from > 0 {
            write!(f, " · went on at {}", bytes(self.resumed_from))?;
        }
        if self.discarded > 0 {
            write!(f, " · {} of before did not fit", bytes(self.discarded))?;
        }
        if let Some(digest) = &self.digest {
            write!(f, " · {} matches", digest.algorithm)?;
        }
        match &self.saved_to {
            Some(file) => write!(f, " → {}", file.display()),
            None => Ok(()),
        }
    }
}
