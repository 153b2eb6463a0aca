//! One attempt. The request runs on the second thread of the worker, which sends events through a channel and
//! also saves the body: bytes that one core has read cost another one much time to write.
//!
//! The lookup of a name and the connect cannot be interrupted, so the thread is a daemon that is not
//! joined until it is connected. A cancelled or timed-out item closes the connection, which ends the
//! thread, and returns; one that is still looking up or connecting returns at once. Both end by
//! themselves, a connect within its timeout.

use std::cell::Cell;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use ureq::Body;

use super::received::Received;
use super::request::{Failure, Head, Question, failure, request};
use super::requester::Requester;
use crate::format;
use crate::jobs::Stopwatch;
use crate::join::{Context, SelectError};

/// How long no look is taken at what has arrived, after one.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

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

/// A running or finished attempt.
pub(super) struct Exchange<'a> {
    context: &'a Context,
    /// `None` only while it is dropped.
    requester: Option<Requester>,
    events: Option<Receiver<ResponseEvent>>,
    places: Option<Sender<Place>>,
    grew: Receiver<()>,
    arrival: Arc<Arrival>,
    idle: Duration,
    is_connected: Cell<bool>,
    /// The thread has nothing to do any more, and may get another request.
    is_free: Cell<bool>,
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
        let requester = Requester::take()
            .map_err(|error| Failure::transient("no_thread", error.to_string()))?;
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
        requester.send(move |client, buffer| {
            let (result, received) = match request(client, question) {
                Ok((head, body)) => take_body(head, body, buffer, &ends),
                Err(failure) => (Err(failure.into()), None),
            };
            // The item may have ended already.
            let finished = ResponseEvent::Finished(result, received);
            ends.events.send(finished).ok();
        });
        Ok(Self {
            context,
            requester: Some(requester),
            events: Some(events),
            places: Some(places),
            grew,
            arrival,
            idle,
            is_connected: Cell::new(false),
            is_free: Cell::new(false),
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
        // A short body has arrived by then, and its end alone wakes this thread.
        let mut is_pausing = true;
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
        if let Some(requester) = &self.requester {
            requester.shut_down();
        }
        let woken = self.wait(false, self.idle);
        self.is_free.set(false);
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
                    self.is_free.set(is_finished);
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
        // The thread may wait for room in a channel, or for a place.
        self.events = None;
        self.places = None;
        let Some(requester) = self.requester.take() else {
            return;
        };
        if self.is_free.get() {
            return requester.keep();
        }
        requester.shut_down();
        if self.is_connected.get() {
            // It reported its outcome, or nobody needs that any more.
            requester.join();
        }
    }
}

pub(super) fn broken() -> Failure {
    Failure::new("broken", "the thread of the request ended early")
}

/// Sends the head, and puts the body where the item wants it.
fn take_body(
    head: Head,
    body: Body,
    buffer: &mut [u8],
    ends: &Ends,
) -> (Result<(), BodyError>, Option<Received>) {
    let is_wanted = ends.events.send(ResponseEvent::Head(head)).is_ok();
    #[expect(
        clippy::disallowed_methods,
        reason = "the item sends a place, or drops its end"
    )]
    let place = is_wanted.then(|| ends.places.recv().ok()).flatten();
    let Some(mut place) = place else {
        return (Ok(()), None);
    };
    let result = fill(&mut place, body, buffer, ends);
    (result, Some(place.received))
}

fn fill(place: &mut Place, body: Body, buffer: &mut [u8], ends: &Ends) -> Result<(), BodyError> {
    let Place { received, limit } = place;
    let arrival = &ends.arrival;
    let mut body = body.into_reader();
    loop {
        let len = body.read(buffer).map_err(|error| failure(error.into()))?;
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
