//! The report of a panic.

use std::any::Any;
use std::backtrace::Backtrace;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::join::id::{TaskId, TaskIdentity};

/// The report of a task's panic. Every joiner gets the same one.
///
/// ```
/// use meanwhile::join::{self, JoinError, PayloadKind};
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
    message: String,
    payload_kind: PayloadKind,
    location: Option<PanicLocation>,
    thread_name: String,
    task: TaskId,
    task_name: Arc<str>,
    backtrace: Option<Backtrace>,
    resolved: OnceLock<String>,
}

/// The type of a panic's payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// The record that the panic hook made of a panic.
pub(super) struct PanicCapture {
    pub(super) message: String,
    pub(super) location: Option<PanicLocation>,
    pub(super) backtrace: Backtrace,
}

impl PanicReport {
    pub(super) fn new(
        task: &TaskIdentity,
        message: String,
        payload_kind: PayloadKind,
        capture: Option<PanicCapture>,
    ) -> Self {
        let (location, backtrace) =
            capture.map_or((None, None), |it| (it.location, Some(it.backtrace)));
        Self {
            message,
            payload_kind,
            location,
            thread_name: std::thread::current()
                .name()
                .unwrap_or("unnamed")
                .to_owned(),
            task: task.id(),
            task_name: task.name().clone(),
            backtrace,
            resolved: OnceLock::new(),
        }
    }

    /// Returns the text of the panic, or `non-string payload`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the type of the panic's payload.
    pub fn payload_kind(&self) -> PayloadKind {
        self.payload_kind
    }

    /// Returns the place of the panic. Returns `None` if the program has replaced the library's
    /// panic hook, or if the panic was passed on with `resume_unwind`.
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
    /// use meanwhile::join::{self, JoinError};
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

/// Writes one sentence with the task, the location and the message.
impl fmt::Display for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task `{}` panicked", self.task_name)?;
        if let Some(location) = &self.location {
            write!(f, " at {location}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Leaves out the backtrace, which would have to be resolved.
impl fmt::Debug for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanicReport")
            .field("task", &self.task)
            .field("task_name", &self.task_name)
            .field("message", &self.message)
            .field("location", &self.location)
            .field("thread_name", &self.thread_name)
            .finish_non_exhaustive()
    }
}

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
