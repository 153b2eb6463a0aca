//! One attempt. The request runs on a thread of its own, which sends events through a channel and also saves
//! the body: bytes that one core has read cost another one much time to write.
//!
//! The lookup of a name and the connect cannot be interrupted, so the thread is a daemon that is not
//! joined until it is connected. A cancelled or timed-out item closes the connection, which ends the
//! thread, and returns; one that is still looking up or connecting returns at once. Both end by
//! themselves, a connect within its timeout.

use std::cell::Cell;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use percent_encoding::{AsciiSet, percent_encode};
use ureq::http::{HeaderMap, header};
use ureq::typestate::WithoutBody;
use ureq::{Agent, Body, Proxy, RequestBuilder};
use url::Url;

use super::client::{Client, READ_BYTES};
use super::cookies::Cookies;
use super::proxy::proxy_for;
use super::range::Resume;
use super::received::Received;
use super::{forward, list, range};
use crate::format;
use crate::jobs::Stopwatch;
use crate::jobs::item::is_file_limit;
use crate::join::{Builder, Context, SelectError, Task};

/// How long no look is taken at what has arrived, after one.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

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

/// The reason why a body was not taken.
#[derive(Debug)]
pub(super) enum BodyError {
    /// It did not arrive.
    Failed(Failure),
    /// It is longer than the limit.
    TooLarge,
    /// It could not be written.
    NotSaved(io::Error),
}

impl From<Failure> for BodyError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What the thread sends.
enum ResponseEvent {
    /// A body follows, for which it waits to get a place.
    Head(Head),
    /// It ends, and gives the place back.
    Finished(Result<(), BodyError>, Option<Received>),
}

/// Where a body goes.
struct Place {
    received: Received,
    /// The most bytes that it may have.
    limit: u64,
}

/// What the thread tells while a body arrives.
#[derive(Debug, Default)]
struct Arrival {
    len: AtomicU64,
    /// The disk is waited for, not the server.
    is_saving: AtomicBool,
}

/// The thread's ends of the channels.
struct Ends {
    events: Sender<ResponseEvent>,
    places: Receiver<Place>,
    /// More has arrived.
    grew: Sender<()>,
    arrival: Arc<Arrival>,
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
    client: Client,
    task: Task<()>,
    events: Option<Receiver<ResponseEvent>>,
    places: Option<Sender<Place>>,
    grew: Receiver<()>,
    arrival: Arc<Arrival>,
    idle: Duration,
    is_connected: Cell<bool>,
    /// The client has no request any more, and may send another.
    is_client_free: Cell<bool>,
}

/// What ended a wait.
#[expect(clippy::large_enum_variant, reason = "one at a time is on the stack")]
enum Woken {
    Event(ResponseEvent),
    Grew,
    Late,
}

impl<'a> Exchange<'a> {
    pub(super) fn start(question: Question, context: &'a Context) -> Result<Self, Failure> {
        let idle = question.idle;
        let client = Client::take();
        let (sender, events) = crossbeam_channel::bounded(1);
        let (places, place) = crossbeam_channel::bounded(1);
        let (growing, grew) = crossbeam_channel::bounded(1);
        let arrival = Arc::<Arrival>::default();
        let ends = Ends {
            events: sender,
            places: place,
            grew: growing,
            arrival: Arc::clone(&arrival),
        };
        let requesting = client.clone();
        let task = Builder::new(format!("GET {}", question.url))
            .daemon(true)
            .spawn(move |_| {
                let (result, received) = match request(&requesting, question) {
                    Ok((head, body)) => take_body(head, body, &ends),
                    Err(failure) => (Err(failure.into()), None),
                };
                // The item may have ended already.
                let finished = ResponseEvent::Finished(result, received);
                ends.events.send(finished).ok();
            })
            .map_err(|error| Failure::transient("no_thread", error.to_string()))?;
        Ok(Self {
            context,
            client,
            task,
            events: Some(events),
            places: Some(places),
            grew,
            arrival,
            idle,
            is_connected: Cell::new(false),
            is_client_free: Cell::new(false),
        })
    }

    /// Waits for the head of the response.
    pub(super) fn head(&self) -> Result<Head, Failure> {
        match self.wait(false, self.idle)? {
            Woken::Event(ResponseEvent::Head(head)) => Ok(head),
            Woken::Event(ResponseEvent::Finished(Err(BodyError::Failed(failure)), _)) => {
                Err(failure)
            }
            Woken::Late => Err(self.silent()),
            Woken::Event(ResponseEvent::Finished(..)) | Woken::Grew => Err(broken()),
        }
    }

    /// Waits until `received` has the body, of at most `limit` bytes with those that are there. Meanwhile
    /// `progress` gets the number of bytes.
    ///
    /// Returns `received`, unless the thread has lost it.
    pub(super) fn body(
        &self,
        received: Received,
        limit: u64,
        progress: impl Fn(u64),
    ) -> (Result<(), BodyError>, Option<Received>) {
        let place = Place { received, limit };
        let Some(places) = &self.places else {
            return (Err(broken().into()), Some(place.received));
        };
        if let Err(unsent) = places.send(place) {
            return (Err(broken().into()), Some(unsent.into_inner().received));
        }
        let mut is_pausing = false;
        loop {
            let time = if is_pausing { LOOK_INTERVAL } else { self.idle };
            match self.wait(!is_pausing, time) {
                Ok(Woken::Event(ResponseEvent::Finished(result, received))) => {
                    return (result, received);
                }
                Ok(Woken::Grew) => {
                    progress(self.arrival.len.load(Ordering::Relaxed));
                    is_pausing = true;
                }
                Ok(Woken::Late) if is_pausing || self.arrival.is_saving.load(Ordering::Relaxed) => {
                    is_pausing = false;
                }
                Ok(Woken::Late) => return (Err(self.silent().into()), self.take_back()),
                Ok(Woken::Event(ResponseEvent::Head(_))) => return (Err(broken().into()), None),
                Err(failure) => return (Err(failure.into()), None),
            }
        }
    }

    /// Ends the thread, which returns what has been received.
    fn take_back(&self) -> Option<Received> {
        self.client.clone().shut_down();
        let woken = self.wait(false, self.idle);
        self.is_client_free.set(false);
        match woken {
            Ok(Woken::Event(ResponseEvent::Finished(_, received))) => received,
            _ => None,
        }
    }

    fn silent(&self) -> Failure {
        let idle = format::duration(self.idle);
        Failure::transient("timed_out", format!("nothing arrived for {idle}"))
    }

    /// Waits so long for an event or, if `is_growth_seen`, for more of the body.
    fn wait(&self, is_growth_seen: bool, time: Duration) -> Result<Woken, Failure> {
        let Some(events) = &self.events else {
            return Err(broken());
        };
        let clock = Stopwatch::start();
        loop {
            match events.try_recv() {
                Ok(event) => {
                    self.is_connected.set(true);
                    let is_finished = matches!(event, ResponseEvent::Finished(..));
                    self.is_client_free.set(is_finished);
                    return Ok(Woken::Event(event));
                }
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Err(broken()),
            }
            if is_growth_seen && self.grew.try_recv().is_ok() {
                return Ok(Woken::Grew);
            }
            let left = time.saturating_sub(clock.elapsed());
            if left.is_zero() {
                return Ok(Woken::Late);
            }
            let mut select = self.context.select().receiver(events);
            if is_growth_seen {
                select = select.receiver(&self.grew);
            }
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
        if self.is_client_free.get() {
            self.client.clone().keep();
        } else {
            self.client.clone().shut_down();
        }
        // The thread may wait for room in a channel, or for a place.
        self.events = None;
        self.places = None;
        if self.is_connected.get() {
            // It reported its outcome, or nobody needs that any more.
            self.task.join().ok();
        }
    }
}

pub(super) fn broken() -> Failure {
    Failure::new("broken", "the thread of the request ended early")
}

/// Requests the URL, and those that the server redirects to.
fn request(client: &Client, question: Question) -> Result<(Head, Body), Failure> {
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

/// Sends the head, and puts the body where the item wants it.
fn take_body(head: Head, body: Body, ends: &Ends) -> (Result<(), BodyError>, Option<Received>) {
    let is_wanted = ends.events.send(ResponseEvent::Head(head)).is_ok();
    #[expect(
        clippy::disallowed_methods,
        reason = "the item sends a place, or drops its end"
    )]
    let place = is_wanted.then(|| ends.places.recv().ok()).flatten();
    let Some(mut place) = place else {
        return (Ok(()), None);
    };
    let result = fill(&mut place, body, ends);
    (result, Some(place.received))
}

fn fill(place: &mut Place, body: Body, ends: &Ends) -> Result<(), BodyError> {
    let Place { received, limit } = place;
    let arrival = &ends.arrival;
    let mut body = body.into_reader();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let len = body
            .read(&mut buffer)
            .map_err(|error| failure(error.into()))?;
        if len == 0 {
            return Ok(());
        }
        if received.len() + len as u64 > *limit {
            return Err(BodyError::TooLarge);
        }
        arrival.is_saving.store(true, Ordering::Relaxed);
        let taken = received.take(&buffer[..len]);
        arrival.is_saving.store(false, Ordering::Relaxed);
        taken.map_err(BodyError::NotSaved)?;
        arrival.len.store(received.len(), Ordering::Relaxed);
        // Full means that nobody has looked since the last time.
        ends.grew.try_send(()).ok();
    }
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
