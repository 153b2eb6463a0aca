//! A watchdog for the UI thread: it detects a freeze, a frame that takes too long, while it lasts.
//!
//! The UI thread marks the start and the end of each frame, which costs a few atomic operations,
//! and labels slow operations, which costs a lock. The watchdog's own thread calls back as soon as
//! a frame exceeds the limit, and again with its whole duration when it has ended. While no frame
//! is drawn, the thread sleeps, so an idle window stays idle.
//!
//! ```
//! use meanwhile_join::watchdog::Watchdog;
//! use std::time::Duration;
//!
//! let (reports, incidents) = std::sync::mpsc::channel();
//! let watchdog = Watchdog::new(Duration::from_millis(20), move |incident| {
//!     drop(reports.send(incident)); // a log, a list on screen
//! })?;
//!
//! // In an egui program: at the start of `App::logic` and of `App::ui`.
//! let frame = watchdog.frame();
//! let saving = watchdog.guard("saving settings");
//! let ongoing = incidents.recv()?; // stands for a slow disk, until the frame is reported
//! assert!(!ongoing.has_ended && ongoing.lasted >= Duration::from_millis(20));
//! assert_eq!(ongoing.label.as_deref(), Some("saving settings"));
//! drop(saving);
//! drop(frame);
//! let ended = incidents.recv()?;
//! assert!(ended.has_ended && ended.number == ongoing.number);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![warn(missing_docs)]

mod cause;
mod incident;
mod shared;
mod stops;
mod watcher;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

pub use self::cause::{Cause, Look};
pub use self::incident::Incident;
use self::shared::{WatchdogShared, is_odd};
use self::watcher::OnLook;
use super::SpawnError;
use super::sync::lock;

/// A reporter of frames that take too long. Clones share one thread, which ends when the last of
/// them and the last guard are dropped.
#[derive(Clone)]
pub struct Watchdog(Arc<Owner>);

/// The value that all handles share. Its drop ends the watching thread.
struct Owner {
    shared: Arc<WatchdogShared>,
    thread: Thread,
}

impl Watchdog {
    /// Starts the watchdog's thread, and returns a handle. It reports frames longer than `limit`.
    ///
    /// `on_incident` is called on that thread, once while such a frame lasts and once when it has
    /// ended. A frame that ends just after the limit may be reported only when it has ended. If
    /// `on_incident` panics, the thread ends and reports no more frames.
    ///
    /// On Linux, a time in which the whole process stood still does not count: after SIGSTOP, in a debugger, while
    /// the machine slept. A frame in which that happens counts anew from its end.
    ///
    /// A window starts to feel slow at 100 ms (J. Nielsen, *Usability Engineering*, 1993).
    ///
    /// # Errors
    /// Fails if the system refuses the thread.
    pub fn new(
        limit: Duration,
        on_incident: impl Fn(Incident) + Send + 'static,
    ) -> Result<Self, SpawnError> {
        Self::start(limit, None, on_incident)
    }

    /// Like [`new`](Self::new), and its incidents have their [cause](Incident::cause).
    ///
    /// While a frame is late, `on_look` is called on the watchdog's thread: at once, twice more in the next 20 ms,
    /// and then every 100 ms. It returns what the thread that
    /// draws has done since the call before, and for how long; of the first look at a frame that is not asked for.
    /// The frame is reported after the third look. What the frame waits for through a join of this library is known
    /// without, and reported at once. No call is made while no frame is late.
    ///
    /// How to look is the caller's choice; on Linux, the crate `meanwhile-explain` can (`OwnThread`):
    ///
    /// ```
    /// # use meanwhile_join as join;
    /// use meanwhile_join::watchdog::{Cause, Watchdog};
    /// use std::time::Duration;
    ///
    /// let (reports, incidents) = std::sync::mpsc::channel();
    /// let decode = join::spawn("decode", |context| context.sleep_until(None))?;
    /// let looks_nowhere = |_look| None;
    /// let late = decode.clone();
    /// let report = move |incident| {
    ///     drop(reports.send(incident));
    ///     late.cancel(); // so that this example ends
    /// };
    /// let watchdog = Watchdog::with_cause(Duration::from_millis(20), looks_nowhere, report)?;
    ///
    /// let frame = watchdog.frame();
    /// decode.join().ok(); // in a click handler
    /// drop(frame);
    /// let incident = incidents.recv()?;
    /// assert_eq!(incident.because().as_deref(), Some("waits for task `decode` to end"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Fails if the system refuses the thread.
    pub fn with_cause(
        limit: Duration,
        on_look: impl FnMut(Look) -> Option<(Cause, Duration)> + Send + 'static,
        on_incident: impl Fn(Incident) + Send + 'static,
    ) -> Result<Self, SpawnError> {
        Self::start(limit, Some(Box::new(on_look)), on_incident)
    }

    fn start(
        limit: Duration,
        on_look: Option<OnLook>,
        on_incident: impl Fn(Incident) + Send + 'static,
    ) -> Result<Self, SpawnError> {
        let shared = Arc::new(WatchdogShared::new(limit));
        let name = "watchdog".to_owned();
        let watched = shared.clone();
        let spawned = thread::Builder::new()
            .name(name.clone())
            .spawn(move || watcher::watch(&watched, on_look, on_incident));
        match spawned {
            Ok(handle) => Ok(Self(Arc::new(Owner {
                shared,
                thread: handle.thread().clone(),
            }))),
            Err(cause) => Err(SpawnError::new(name, cause)),
        }
    }

    /// Starts a frame, which ends when the returned guard is dropped. Has no effect within another
    /// frame.
    pub fn frame(&self) -> FrameGuard {
        let shared = &self.0.shared;
        let is_outermost = !is_odd(shared.turns.load(Ordering::Relaxed));
        if is_outermost && shared.begin_frame() {
            self.0.thread.unpark();
        }
        FrameGuard {
            watchdog: self.clone(),
            is_outermost,
        }
    }

    /// Labels the current operation until the returned guard is dropped. The newest label that is
    /// held counts. Guards may be dropped in any order and on any thread. Each removes its own
    /// label.
    ///
    /// ```
    /// # use meanwhile_join::watchdog::Watchdog;
    /// # use std::time::Duration;
    /// # let (reports, incidents) = std::sync::mpsc::channel();
    /// # let report = move |incident| drop(reports.send(incident));
    /// # let watchdog = Watchdog::new(Duration::from_millis(20), report)?;
    /// let frame = watchdog.frame();
    /// let loading = watchdog.guard("loading");
    /// let saving = watchdog.guard("saving");
    /// drop(loading); // "saving" still counts
    /// assert_eq!(incidents.recv()?.label.as_deref(), Some("saving"));
    /// drop((saving, frame));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn guard(&self, label: impl Into<Cow<'static, str>>) -> LabelGuard {
        let text = label.into();
        let since = Instant::now();
        let key = lock(&self.0.shared.state).add_label(text, since);
        LabelGuard {
            watchdog: self.clone(),
            key,
        }
    }

    /// Lets no frame be late until the returned guard is dropped: for a modal dialog, which the user keeps open.
    /// The frame then counts anew. Works from any thread.
    ///
    /// ```
    /// # use meanwhile_join::watchdog::Watchdog;
    /// # use std::time::Duration;
    /// # let (reports, incidents) = std::sync::mpsc::channel::<meanwhile_join::watchdog::Incident>();
    /// # let watchdog = Watchdog::new(Duration::from_secs(60), move |incident| drop(reports.send(incident)))?;
    /// let frame = watchdog.frame();
    /// let asking = watchdog.pause();
    /// // Here the program asks the user, with a dialog that returns when it is closed.
    /// drop(asking);
    /// drop(frame);
    /// # drop(watchdog);
    /// # assert!(incidents.recv().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause(&self) -> PauseGuard {
        self.0.shared.pause();
        PauseGuard {
            watchdog: self.clone(),
        }
    }
}

impl fmt::Debug for Watchdog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchdog")
            .field("limit", &self.0.shared.limit)
            .finish_non_exhaustive()
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// The guard of a frame, which ends when this is dropped. [`Watchdog::frame`] returns it.
#[derive(Debug)]
#[must_use = "the frame ends when this is dropped"]
pub struct FrameGuard {
    watchdog: Watchdog,
    is_outermost: bool,
}

impl Drop for FrameGuard {
    fn drop(&mut self) {
        if !self.is_outermost {
            return;
        }
        if self.watchdog.0.shared.end_frame() {
            self.watchdog.0.thread.unpark();
        }
    }
}

/// The guard of a pause, which ends when this is dropped. [`Watchdog::pause`] returns it.
#[derive(Debug)]
#[must_use = "the pause ends when this is dropped"]
pub struct PauseGuard {
    watchdog: Watchdog,
}

impl Drop for PauseGuard {
    fn drop(&mut self) {
        self.watchdog.0.shared.end_pause();
        self.watchdog.0.thread.unpark();
    }
}

/// The guard of a label, which is removed when this is dropped. [`Watchdog::guard`] returns it.
#[derive(Debug)]
#[must_use = "the label holds until this is dropped"]
pub struct LabelGuard {
    watchdog: Watchdog,
    key: u64,
}

impl Drop for LabelGuard {
    fn drop(&mut self) {
        let shared = &self.watchdog.0.shared;
        let is_drawing = is_odd(shared.turns.load(Ordering::Relaxed));
        lock(&shared.state).remove_label(self.key, shared.limit, is_drawing);
    }
}
