//! The report of a panic.

use std::any::Any;
use std::backtrace::Backtrace;
use std::fmt;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use super::super::id::{TaskId, TaskIdentity};
use super::super::sync::ignore_poison;
use super::contain::Contained;

/// The report of a task's panic. Every joiner gets the same one.
///
/// ```
/// use meanwhile_join::{self as join, JoinError, PayloadKind};
///
/// let task = join::spawn("divide", |_| panic!("no remainder"))?;
/// let Err(JoinError::Panicked(report)) = task.join() else { unreachable!() };
/// assert_eq!(report.message(), "no remainder");
/// assert_eq!(report.payload_kind(), PayloadKind::Str);
/// assert!(report.location().is_some());
/// assert_eq!(report.task_name(), "divide");
/// # Ok::<(), join::SpawnError>(())
/// ```
pub struct PanicReport {
    task: TaskId,
    task_name: Arc<str>,
    thread_name: String,
    message: String,
    payload_kind: PayloadKind,
    payload: Mutex<Option<Contained<Payload>>>,
    location: Option<PanicLocation>,
    backtrace: Option<Arc<Backtrace>>,
    resolved: OnceLock<String>,
    is_unrecorded: bool,
    is_outcome: bool,
    is_seen: AtomicBool,
}

type Payload = Box<dyn Any + Send>;

/// The type of a panic's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadKind {
    /// A literal, as in `panic!("text")`.
    Str,
    /// A formatted text, as in `panic!("{n} texts")`.
    String,
    /// Any other value, from `std::panic::panic_any`.
    Other,
}

/// The place in the source at which a panic was raised.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PanicLocation {
    /// The path of the source file as the compiler saw it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl fmt::Display for PanicLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl From<&Location<'_>> for PanicLocation {
    fn from(location: &Location<'_>) -> Self {
        Self {
            file: location.file().to_owned(),
            line: location.line(),
            column: location.column(),
        }
    }
}

/// The record that the panic hook made of a panic.
pub(super) struct PanicCapture {
    pub(super) message: String,
    pub(super) payload_kind: PayloadKind,
    pub(super) location: Option<PanicLocation>,
    pub(super) backtrace: Option<Arc<Backtrace>>,
    /// Whether the previous hook has reported it.
    pub(super) is_reported: bool,
    /// Whether no hook of the library seems to have been called.
    pub(super) is_unrecorded: bool,
}

impl PanicCapture {
    /// The record of a panic of which no hook was called.
    pub(super) fn unknown(message: String, payload_kind: PayloadKind) -> Self {
        Self {
            message,
            payload_kind,
            location: None,
            backtrace: None,
            is_reported: false,
            is_unrecorded: false,
        }
    }
}

impl PanicReport {
    /// The report of a panic on this thread: the outcome of the task, with its payload, or a panic
    /// that the task's code caught.
    pub(super) fn new(
        task: &TaskIdentity,
        capture: PanicCapture,
        payload: Option<Payload>,
    ) -> Self {
        let thread = std::thread::current();
        Self {
            task: task.id,
            task_name: task.name.clone(),
            thread_name: thread.name().unwrap_or("unnamed").to_owned(),
            message: capture.message,
            payload_kind: capture.payload_kind,
            is_outcome: payload.is_some(),
            payload: Mutex::new(payload.map(Contained::new)),
            location: capture.location,
            backtrace: capture.backtrace,
            resolved: OnceLock::new(),
            is_unrecorded: capture.is_unrecorded,
            is_seen: AtomicBool::new(capture.is_reported),
        }
    }

    /// The report of a task that ends as after `panic!` with this text at this place, although no code
    /// has panicked.
    pub(crate) fn of_text(task: &TaskIdentity, text: String, location: &Location<'_>) -> Self {
        let payload = Box::new(text.clone());
        let mut capture = PanicCapture::unknown(text, PayloadKind::String);
        capture.location = Some(location.into());
        Self::new(task, capture, Some(payload))
    }

    /// The record from which this report was made.
    pub(super) fn capture(&self) -> PanicCapture {
        PanicCapture {
            message: self.message.clone(),
            payload_kind: self.payload_kind,
            location: self.location.clone(),
            backtrace: self.backtrace.clone(),
            is_reported: false,
            is_unrecorded: self.is_unrecorded,
        }
    }

    /// Whether a caller has got the report.
    pub(crate) fn is_seen(&self) -> bool {
        self.is_seen.load(Ordering::Relaxed)
    }

    /// Must be called when a caller gets the report. Otherwise it is reported when the last handle
    /// is dropped, which orders the accesses.
    pub(crate) fn mark_seen(&self) {
        self.is_seen.store(true, Ordering::Relaxed);
    }

    /// Returns the text of the panic, or `non-string payload`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the type of the panic's payload.
    pub fn payload_kind(&self) -> PayloadKind {
        self.payload_kind
    }

    /// Takes the payload of the panic, such as the value given to `panic_any`. All joiners share one
    /// payload, so only the first caller gets it.
    ///
    /// ```
    /// use meanwhile_join::{self as join, JoinError};
    ///
    /// #[derive(Debug, PartialEq)]
    /// struct Exit(u8);
    ///
    /// let task = join::spawn("exits", |_| std::panic::panic_any(Exit(42)))?;
    /// let Err(JoinError::Panicked(report)) = task.join() else { unreachable!() };
    /// let payload = report.take_payload().expect("not taken before");
    /// assert_eq!(payload.downcast_ref(), Some(&Exit(42)));
    /// assert!(report.take_payload().is_none());
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    pub fn take_payload(&self) -> Option<Box<dyn Any + Send>> {
        let payload = ignore_poison(self.payload.lock()).take();
        payload.and_then(Contained::into_inner)
    }

    /// Returns whether this panic ended its task. If not, the task's own code has caught it, and
    /// only [`on_panic`](super::on_panic) has the report.
    pub fn is_outcome(&self) -> bool {
        self.is_outcome
    }

    /// Returns the place of the panic.
    ///
    /// Returns `None` if the library's panic hook did not see the panic on the task's thread:
    /// - The program has set a hook of its own after the first spawn, which replaced the library's.
    ///   Such a hook should call [`record_panic`](super::record_panic). The text of the report says so.
    /// - The panic was raised with `std::panic::resume_unwind`, which calls no hook. This is how
    ///   rayon passes on the panic of one of its threads. The hook was called on that thread.
    pub fn location(&self) -> Option<&PanicLocation> {
        self.location.as_ref()
    }

    /// Returns the name of the thread on which the task ran, or `unnamed`.
    pub fn thread_name(&self) -> &str {
        &self.thread_name
    }

    /// Returns the number of the task that panicked.
    pub fn task(&self) -> TaskId {
        self.task
    }

    /// Returns the name of the task that panicked.
    pub fn task_name(&self) -> &str {
        &self.task_name
    }

    /// Returns the stack frames, one or two lines each. The text is empty if none were captured.
    ///
    /// The first call resolves the addresses and may take 100 ms or more, so call it in a task, not
    /// on the UI thread. Later calls return the same text at once.
    ///
    /// ```
    /// use meanwhile_join::{self as join, JoinError};
    ///
    /// let task = join::spawn("import", |_| panic!("the disk is full"))?;
    /// let Err(JoinError::Panicked(report)) = task.join() else { unreachable!() };
    /// let frames = join::spawn("backtrace", move |_| report.backtrace().lines().count())?;
    /// assert!(*frames.join()? > 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn backtrace(&self) -> &str {
        self.resolved.get_or_init(|| {
            self.backtrace
                .as_ref()
                .map_or_else(String::new, ToString::to_string)
        })
    }
}

/// What a report says whose location a hook of the program may have taken away.
const UNRECORDED: &str = "(its location was not recorded: a panic hook that is set after the first spawn \
    should call `meanwhile_join::record_panic`)";

/// Writes one sentence with the task, the location and the message. A message of several lines, such
/// as that of `assert_eq!`, begins on a line of its own. If no panic hook has recorded the location, it says
/// so, and what the program should do.
impl fmt::Display for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task `{}` panicked", self.task_name)?;
        if let Some(location) = &self.location {
            write!(f, " at {location}")?;
        }
        let separator = if self.message.contains('\n') {
            '\n'
        } else {
            ' '
        };
        write!(f, ":{separator}{}", self.message)?;
        if self.is_unrecorded {
            write!(f, "{separator}{UNRECORDED}")?;
        }
        Ok(())
    }
}

/// Writes the same as `Display`, so that an unwrapped [`JoinError`](super::super::JoinError) can be read.
impl fmt::Debug for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for PanicReport {}

/// Returns the text of a panic's payload, and the type of the payload.
pub(super) fn message_of(payload: &(dyn Any + Send)) -> (String, PayloadKind) {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        ((*text).to_owned(), PayloadKind::Str)
    } else if let Some(text) = payload.downcast_ref::<String>() {
        (text.clone(), PayloadKind::String)
    } else {
        ("non-string payload".to_owned(), PayloadKind::Other)
    }
}
