//! Sends one request and follows its redirects. Says why one failed, and whether another attempt may succeed.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use percent_encoding::{AsciiSet, percent_encode};
use ureq::http::{HeaderMap, header};
use ureq::typestate::WithoutBody;
use ureq::{Agent, Body, Proxy, RequestBuilder};
use url::Url;

use super::client::Client;
use super::cookies::Cookies;
use super::proxy::proxy_for;
use super::range::Resume;
use super::{forward, list, range};
use crate::jobs::item::is_file_limit;

const MAX_REDIRECTS: usize = 10;

/// The [kind](Failure::kind) of a failure after which the whole is asked for.
pub(super) const STALE: &str = "stale_part";

#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: &'static str,
    /// The rest of a sentence that begins with the URL and a colon.
    pub(super) message: String,
    /// Whether another attempt may succeed.
    pub(super) is_transient: bool,
    /// The pause before the next attempt that the server requested.
    pub(super) retry_after: Option<Duration>,
    /// The file with what has arrived, from which the next attempt goes on, and its length.
    pub(super) kept: Option<(PathBuf, u64)>,
}

impl Failure {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            is_transient: false,
            retry_after: None,
            kept: None,
        }
    }

    pub(super) fn transient(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            is_transient: true,
            ..Self::new(kind, message)
        }
    }

    /// Names the proxy, if the connection leads through one.
    fn through(mut self, proxy: Option<&Proxy>) -> Self {
        if let Some(proxy) = proxy {
            let (host, port) = (proxy.host(), proxy.port());
            self.message = format!("through the proxy {host}:{port}: {}", self.message);
        }
        self
    }
}

/// The head of a response.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) url: Url,
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The length of the body, if the server sent it.
    pub(super) len: Option<u64>,
}

/// What to ask for.
pub(super) struct Question {
    pub(super) url: Url,
    /// The connection timeout.
    pub(super) connect: Duration,
    /// The longest wait for more of the response.
    pub(super) idle: Duration,
    /// The rest of a response to ask for, if the whole is not wanted.
    pub(super) rest: Option<Resume>,
    pub(super) cookies: Cookies,
}

/// Requests the URL, and those that the server redirects to.
pub(super) fn request(client: &Client, question: Question) -> Result<(Head, Body), Failure> {
    let Question {
        mut url,
        connect,
        rest,
        cookies,
        ..
    } = question;
    for _ in 0..=MAX_REDIRECTS {
        let proxy = proxy_for(&url, |name| std::env::var_os(name))
            .map_err(|error| Failure::new("proxy", error.to_string()))?;
        let send = |agent: &Agent| {
            let mut request = get(agent, &url, proxy.as_ref(), connect);
            if let Some(cookies) = cookies.header(&url) {
                request = request.header(header::COOKIE, cookies);
            }
            if let Some(rest) = &rest {
                request = request
                    .header(header::RANGE, format!("bytes={}-", rest.from))
                    .header(header::IF_RANGE, &rest.known.validator);
            }
            request.call()
        };
        let response = client
            .call(send)
            .map_err(|error| failure(error).through(proxy.as_ref()))?;
        let status = response.status();
        let (head, body) = response.into_parts();
        cookies.keep(&url, &head.headers);
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            url = redirected(&url, &head.headers)?;
            continue;
        }
        if rest.is_some() && status.as_u16() == 416 {
            return Err(Failure::new(STALE, "the server has no rest of it"));
        }
        if !status.is_success() {
            return Err(Failure {
                is_transient: matches!(status.as_u16(), 408 | 425 | 429 | 500..),
                retry_after: retry_after(&head.headers),
                ..Failure::new("status", format!("the server answered {status}"))
            });
        }
        let head = Head {
            url,
            status: status.as_u16(),
            len: body.content_length(),
            headers: head.headers,
        };
        return Ok((head, body));
    }
    let message = format!("redirected more than {MAX_REDIRECTS} times");
    Err(Failure::new("too_many_redirects", message))
}

fn get(
    agent: &Agent,
    url: &Url,
    proxy: Option<&Proxy>,
    connect: Duration,
) -> RequestBuilder<WithoutBody> {
    // The agent adds it to the time of its clock, and panics if that overflows.
    let has_end = Instant::now().checked_add(connect).is_some();
    let mut request = agent.get(url.as_str());
    if let Some(proxy) = proxy
        && forward::is_forwarded(Some(url.scheme()), proxy)
        && let Some(authorization) = forward::authorization(proxy)
    {
        request = request.header(header::PROXY_AUTHORIZATION, authorization);
    }
    request
        .config()
        .timeout_connect(has_end.then_some(connect))
        .proxy(proxy.cloned())
        .build()
}

fn redirected(url: &Url, headers: &HeaderMap) -> Result<Url, Failure> {
    let refused = |to: &str, why: &dyn std::fmt::Display| {
        Failure::new("redirect", format!("redirected to {to:?}, but {why}"))
    };
    let to = headers
        .get(header::LOCATION)
        .map(|value| encoded(value.as_bytes()));
    let to = to.unwrap_or_default();
    if to.is_empty() {
        return Err(Failure::new("redirect", "redirected without a location"));
    }
    let next = url.join(&to).map_err(|error| refused(&to, &error))?;
    list::parse(next.as_str()).map_err(|why| refused(&to, &why))
}

/// The bytes of a location, with those percent-encoded that are not ASCII, whatever their charset is.
fn encoded(location: &[u8]) -> String {
    percent_encode(location, &AsciiSet::EMPTY).to_string()
}

/// The value of a header, for display.
pub(super) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = headers.get(name)?.as_bytes();
    Some(String::from_utf8_lossy(value).into_owned())
}

/// The value in seconds, or the time until its date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let secs = text(headers, header::RETRY_AFTER)?.trim().parse();
    secs.map(Duration::from_secs).ok().or_else(|| {
        let date = range::date(headers, header::RETRY_AFTER)?;
        date.duration_since(SystemTime::now()).ok()
    })
}

pub(super) fn failure(error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Timeout(_) => Failure::transient("timed_out", "the connection timed out"),
        ureq::Error::HostNotFound => {
            Failure::transient("connection", "the host name could not be resolved")
        }
        ureq::Error::ConnectionFailed => Failure::transient("connection", "the connection failed"),
        ureq::Error::Io(error) if is_file_limit(&error) => {
            Failure::transient("too_many_open_files", format!("no connection: {error}"))
        }
        ureq::Error::Io(error) => match error.kind() {
            // An invalid certificate.
            std::io::ErrorKind::InvalidData => {
                Failure::new("protocol", format!("invalid response: {error}"))
            }
            std::io::ErrorKind::UnexpectedEof => {
                Failure::transient("cut_short", "the response ended early")
            }
            _ => Failure::transient("connection", format!("the connection failed: {error}")),
        },
        error => Failure::new("protocol", error.to_string()),
    }
}
