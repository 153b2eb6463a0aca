//! One try: asked on a thread of its own, which may block as it likes; what it learns comes through
//! a channel.
//!
//! The system looks a name up and connects without being interruptible, and so does whoever has
//! asked it to. Hence that thread is one that nobody waits for: the item leaves at once when it is
//! cancelled or out of time, and closes the connection behind it, which ends the thread unless it is
//! still looking up or connecting. These end by themselves, the latter within its own limit.

use std::io::Read as _;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use ureq::http::{HeaderMap, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};
use url::{Host, Url};

use super::list;
use crate::join::{Builder, Context};

/// How long an item waits for news without asking whether it was cancelled.
const SLICE: Duration = Duration::from_millis(50);

/// How much is read at once, and how many of these may wait to be written.
const CHUNK_LEN: usize = 64 * 1024;
const CHUNKS: usize = 4;

const MAX_REDIRECTS: usize = 10;

/// Tells the server who asks.
const USER_AGENT: &str = concat!("Meanwhile/", env!("CARGO_PKG_VERSION"));

/// Why a try came to nothing.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: &'static str,
    /// The end of a sentence that begins with the URL.
    pub(super) message: String,
    /// Whether another try may fare better.
    pub(super) may_pass: bool,
    /// When the server wants to be asked again.
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            may_pass: false,
            retry_after: None,
        }
    }

    fn passing(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            may_pass: true,
            ..Self::new(kind, message)
        }
    }
}

/// How an answer begins.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) url: Url,
    pub(super) status: u16,
    pub(super) content_type: Option<String>,
    /// How long it is, where the server says so and the answer is as the server sends it.
    pub(super) len: Option<u64>,
}

enum News {
    Head(Head),
    Chunk(Vec<u8>),
    Ended(Result<(), Failure>),
}

/// A try that runs, or has ended.
pub(super) struct Exchange<'a> {
    context: &'a Context,
    agent: Agent,
    news: Receiver<News>,
    timeout: Duration,
    deadline: Option<Instant>,
}

impl<'a> Exchange<'a> {
    pub(super) fn start(
        url: Url,
        connect: Duration,
        timeout: Duration,
        context: &'a Context,
    ) -> Result<Self, Failure> {
        let agent = agent(connect);
        let (tell, news) = crossbeam_channel::bounded(CHUNKS);
        let asking = agent.clone();
        Builder::new(format!("GET {url}"))
            .daemon(true)
            .spawn(move |_| {
                let ended = ask(&asking, url, &tell);
                // Nobody may be interested any more.
                drop(tell.send(News::Ended(ended)));
            })
            .map_err(|error| Failure::passing("no_thread", format!("could not begin: {error}")))?;
        Ok(Self {
            context,
            agent,
            news,
            timeout,
            deadline: Instant::now().checked_add(timeout),
        })
    }

    /// Waits for the head of the answer.
    pub(super) fn head(&self) -> Result<Head, Failure> {
        match self.next()? {
            News::Head(head) => Ok(head),
            News::Ended(Err(failure)) => Err(failure),
            News::Chunk(_) | News::Ended(Ok(())) => Err(broken()),
        }
    }

    /// Waits for the next part of the body; `None` at its end.
    pub(super) fn chunk(&self) -> Result<Option<Vec<u8>>, Failure> {
        match self.next()? {
            News::Chunk(bytes) => Ok(Some(bytes)),
            News::Ended(ended) => ended.map(|()| None),
            News::Head(_) => Err(broken()),
        }
    }

    fn next(&self) -> Result<News, Failure> {
        loop {
            self.context.checkpoint();
            let left = self
                .deadline
                .map(|at| at.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                let secs = self.timeout.as_secs_f64();
                let message = format!("did not come within {secs} s");
                return Err(Failure::passing("timed_out", message));
            }
            match self.news.recv_timeout(left.unwrap_or(SLICE).min(SLICE)) {
                Ok(news) => return Ok(news),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(broken()),
            }
        }
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        self.agent.clone().shutdown();
    }
}

fn broken() -> Failure {
    Failure::new(
        "broken",
        "could not be asked: the thread for it ended early",
    )
}

fn agent(connect: Duration) -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .user_agent(USER_AGENT)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(connect))
        .build()
        .new_agent()
}

/// Asks for the URL, and for those that the server sends one to.
fn ask(agent: &Agent, mut url: Url, tell: &Sender<News>) -> Result<(), Failure> {
    for _ in 0..=MAX_REDIRECTS {
        let mut request = agent.get(url.as_str());
        if is_here(&url) {
            request = request.config().proxy(None).build();
        }
        let response = request.call().map_err(failure)?;
        let status = response.status();
        let (head, body) = response.into_parts();
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            url = redirected(&url, &head.headers)?;
            continue;
        }
        if !status.is_success() {
            return Err(Failure {
                may_pass: matches!(status.as_u16(), 408 | 425 | 429 | 500..),
                retry_after: retry_after(&head.headers),
                ..Failure::new("status", format!("answered {status}"))
            });
        }
        let head = Head {
            url,
            status: status.as_u16(),
            content_type: text(&head.headers, header::CONTENT_TYPE),
            len: body.content_length(),
        };
        return pass_on(head, body, tell);
    }
    let message = format!("redirects more than {MAX_REDIRECTS} times");
    Err(Failure::new("too_many_redirects", message))
}

fn pass_on(head: Head, body: Body, tell: &Sender<News>) -> Result<(), Failure> {
    let mut wanted = tell.send(News::Head(head)).is_ok();
    let mut body = body.into_reader();
    while wanted {
        let mut chunk = vec![0; CHUNK_LEN];
        let len = body
            .read(&mut chunk)
            .map_err(|error| failure(error.into()))?;
        if len == 0 {
            break;
        }
        chunk.truncate(len);
        wanted = tell.send(News::Chunk(chunk)).is_ok();
    }
    Ok(())
}

fn redirected(url: &Url, headers: &HeaderMap) -> Result<Url, Failure> {
    let refused = |to: &str, why: &dyn std::fmt::Display| {
        Failure::new("redirect", format!("redirects to {to:?}, and {why}"))
    };
    let to = text(headers, header::LOCATION).unwrap_or_default();
    if to.is_empty() {
        return Err(Failure::new("redirect", "redirects to nowhere"));
    }
    let next = url.join(&to).map_err(|error| refused(&to, &error))?;
    list::parse(next.as_str()).map_err(|why| refused(&to, &why))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = headers.get(name)?.as_bytes();
    Some(String::from_utf8_lossy(value).into_owned())
}

/// Only in seconds: as a date it is as good as not said.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let secs = text(headers, header::RETRY_AFTER)?.trim().parse().ok()?;
    Some(Duration::from_secs(secs))
}

/// Whether the URL is of this machine, which no proxy can reach.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn failure(error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Timeout(_) => {
            Failure::passing("timed_out", "could not be connected to in time")
        }
        ureq::Error::HostNotFound => Failure::passing("connection", "has a host nobody knows"),
        ureq::Error::ConnectionFailed => Failure::passing("connection", "can't be connected to"),
        ureq::Error::Io(error) => match error.kind() {
            // A certificate that is not good, or an answer that can't be decompressed.
            std::io::ErrorKind::InvalidData => {
                Failure::new("protocol", format!("answered wrongly: {error}"))
            }
            std::io::ErrorKind::UnexpectedEof => {
                Failure::passing("cut_short", "ended before all of it had come")
            }
            _ => Failure::passing("connection", format!("has no connection: {error}")),
        },
        error => Failure::new("protocol", format!("could not be fetched: {error}")),
    }
}
