//! One attempt. The request runs on a thread of its own, which sends events through a channel.
//!
//! The lookup of a name and the connect cannot be interrupted, so the thread is a daemon that is not
//! joined until it is connected. A cancelled or timed-out item closes the connection, which ends the
//! thread, and returns; one that is still looking up or connecting returns at once. Both end by
//! themselves, a connect within its timeout.

use std::cell::Cell;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use percent_encoding::{AsciiSet, percent_encode};
use ureq::http::{HeaderMap, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::typestate::WithoutBody;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    ConnectProxyConnector, Connector as _, RustlsConnector, SocksConnector, TcpConnector,
};
use ureq::{Agent, Body, Proxy, RequestBuilder};
use url::Url;

use super::cookies::Cookies;
use super::forward::ForwardConnector;
use super::proxy::proxy_for;
use super::range::Resume;
use super::{forward, list, range};
use crate::format;
use crate::jobs::Stopwatch;
use crate::jobs::item::is_file_limit;
use crate::join::{Builder, Context, SelectError, Task};

/// The bytes of one read, and the reads that may be queued.
const READ_BYTES: usize = 64 * 1024;
const MAX_CHUNKS: usize = 4;

const MAX_REDIRECTS: usize = 10;

/// The [kind](Failure::kind) of a failure after which the whole is asked for.
pub(super) const STALE: &str = "stale_part";

/// Identifies this program to the server.
const USER_AGENT: &str = concat!("Meanwhile/", env!("CARGO_PKG_VERSION"));

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

enum ResponseEvent {
    Head(Head),
    Chunk(Vec<u8>),
    Finished(Result<(), Failure>),
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

/// A running or finished attempt.
pub(super) struct Exchange<'a> {
    context: &'a Context,
    agent: Agent,
    task: Task<()>,
    events: Option<Receiver<ResponseEvent>>,
    idle: Duration,
    is_connected: Cell<bool>,
}

impl<'a> Exchange<'a> {
    pub(super) fn start(question: Question, context: &'a Context) -> Result<Self, Failure> {
        let idle = question.idle;
        let agent = agent(question.connect);
        let (sender, events) = crossbeam_channel::bounded(MAX_CHUNKS);
        let requesting = agent.clone();
        let task = Builder::new(format!("GET {}", question.url))
            .daemon(true)
            .spawn(move |_| {
                let finished = request(&requesting, question, &sender);
                // The item may have ended already.
                sender.send(ResponseEvent::Finished(finished)).ok();
            })
            .map_err(|error| Failure::transient("no_thread", error.to_string()))?;
        Ok(Self {
            context,
            agent,
            task,
            events: Some(events),
            idle,
            is_connected: Cell::new(false),
        })
    }

    /// Waits for the head of the response.
    pub(super) fn head(&self) -> Result<Head, Failure> {
        match self.next()? {
            ResponseEvent::Head(head) => Ok(head),
            ResponseEvent::Finished(Err(failure)) => Err(failure),
            ResponseEvent::Chunk(_) | ResponseEvent::Finished(Ok(())) => Err(broken()),
        }
    }

    /// Waits for the next chunk of the body; `None` at its end.
    pub(super) fn chunk(&self) -> Result<Option<Vec<u8>>, Failure> {
        match self.next()? {
            ResponseEvent::Chunk(bytes) => Ok(Some(bytes)),
            ResponseEvent::Finished(result) => result.map(|()| None),
            ResponseEvent::Head(_) => Err(broken()),
        }
    }

    fn next(&self) -> Result<ResponseEvent, Failure> {
        let Some(events) = &self.events else {
            return Err(broken());
        };
        let clock = Stopwatch::start();
        loop {
            match events.try_recv() {
                Ok(event) => {
                    self.is_connected.set(true);
                    return Ok(event);
                }
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Err(broken()),
            }
            let left = self.idle.saturating_sub(clock.elapsed());
            if left.is_zero() {
                let idle = format::duration(self.idle);
                let message = format!("nothing arrived for {idle}");
                return Err(Failure::transient("timed_out", message));
            }
            let select = self.context.select().receiver(events);
            let woken = select.deadline(Instant::now().checked_add(left)).wait();
            if let Err(SelectError::Cancelled) = woken {
                self.context.checkpoint();
                return Err(Failure::new("cancelled", "it was cancelled"));
            }
        }
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        self.agent.clone().shutdown();
        // The thread may wait for room in the channel.
        self.events = None;
        if self.is_connected.get() {
            // It reported its outcome, or nobody needs that any more.
            self.task.join().ok();
        }
    }
}

fn broken() -> Failure {
    Failure::new("broken", "the thread of the request ended early")
}

fn agent(connect: Duration) -> Agent {
    // The agent adds it to the time of its clock, and panics if that overflows.
    let has_end = Instant::now().checked_add(connect).is_some();
    let connect = has_end.then_some(connect);
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .user_agent(USER_AGENT)
        // What is saved is what was sent: the checksum that was published of it must fit.
        .accept_encoding("identity")
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(connect)
        .proxy(None)
        .build();
    let forward = ForwardConnector {
        direct: config.clone(),
    };
    let connector =
        ().chain(forward)
            .chain(SocksConnector::default())
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(RustlsConnector::default());
    Agent::with_parts(config, connector, DefaultResolver::default())
}

/// Requests the URL, and those that the server redirects to.
fn request(
    agent: &Agent,
    question: Question,
    sender: &Sender<ResponseEvent>,
) -> Result<(), Failure> {
    let Question {
        mut url,
        rest,
        cookies,
        ..
    } = question;
    for _ in 0..=MAX_REDIRECTS {
        let proxy = proxy_for(&url, |name| std::env::var_os(name))
            .map_err(|error| Failure::new("proxy", error.to_string()))?;
        let mut request = get(agent, &url, proxy.as_ref());
        if let Some(cookies) = cookies.header(&url) {
            request = request.header(header::COOKIE, cookies);
        }
        if let Some(rest) = &rest {
            request = request
                .header(header::RANGE, format!("bytes={}-", rest.from))
                .header(header::IF_RANGE, &rest.known.validator);
        }
        let response = request
            .call()
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
        return send_body(head, body, sender);
    }
    let message = format!("redirected more than {MAX_REDIRECTS} times");
    Err(Failure::new("too_many_redirects", message))
}

fn get(agent: &Agent, url: &Url, proxy: Option<&Proxy>) -> RequestBuilder<WithoutBody> {
    let mut request = agent.get(url.as_str());
    let Some(proxy) = proxy else {
        return request;
    };
    if forward::is_forwarded(Some(url.scheme()), proxy)
        && let Some(authorization) = forward::authorization(proxy)
    {
        request = request.header(header::PROXY_AUTHORIZATION, authorization);
    }
    request.config().proxy(Some(proxy.clone())).build()
}

fn send_body(head: Head, body: Body, sender: &Sender<ResponseEvent>) -> Result<(), Failure> {
    let mut is_wanted = sender.send(ResponseEvent::Head(head)).is_ok();
    let mut body = body.into_reader();
    while is_wanted {
        let mut chunk = vec![0; READ_BYTES];
        let len = body
            .read(&mut chunk)
            .map_err(|error| failure(error.into()))?;
        if len == 0 {
            break;
        }
        chunk.truncate(len);
        is_wanted = sender.send(ResponseEvent::Chunk(chunk)).is_ok();
    }
    Ok(())
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

fn failure(error: ureq::Error) -> Failure {
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
