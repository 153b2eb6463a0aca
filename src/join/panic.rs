//! Panics as values.
//!
//! A panic tells its place only to the panic hook, and its payload only to `catch_unwind`. So one
//! hook is installed, the first time a task is spawned: on a thread that runs a task it notes place
//! and backtrace in silence, on every other thread it calls the hook that was there before.
//! [`catch`] is the one place of this module where unwinding ends; it joins both halves into a
//! [`PanicReport`].
//!
//! The backtrace is captured as bare addresses (some ten microseconds). Turning them into names
//! reads the program's debug information, 100 ms and more the first time in a process: that is
//! done when [`PanicReport::backtrace`] is first asked for, by the thread that asks.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, PanicHookInfo};
use std::sync::{Arc, Once, OnceLock};

use super::cell::Header;
use super::context;
use super::outcome::TaskId;

/// What is known of a task's panic: the same report for every joiner.
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

/// What a panic was raised with.
///
/// ```
/// use meanwhile::join::{self, JoinError, PayloadKind, Task};
///
/// fn kind(task: &Task<()>) -> Option<PayloadKind> {
///     match task.join() {
///         Err(JoinError::Panicked(report)) => Some(report.payload_kind()),
///         _ => None,
///     }
/// }
///
/// let missing = 3;
/// assert_eq!(kind(&join::spawn("a", |_| panic!("no disk"))?), Some(PayloadKind::Str));
/// assert_eq!(kind(&join::spawn("b", move |_| panic!("no disk {missing}"))?), Some(PayloadKind::String));
/// assert_eq!(kind(&join::spawn("c", |_| std::panic::panic_any(404))?), Some(PayloadKind::Other));
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadKind {
    /// A literal: `panic!("text")`.
    Str,
    /// A formatted text: `panic!("{n} texts")`.
    String,
    /// Something else, through `std::panic::panic_any`.
    Other,
}

/// Where a panic was raised.
///
/// ```
/// use meanwhile::join::{self, JoinError, PanicLocation};
///
/// let task = join::spawn("import", |_| panic!("the disk is full"))?;
/// let Err(JoinError::Panicked(report)) = task.join() else { unreachable!() };
/// let at: &PanicLocation = report.location().expect("nobody has replaced the panic hook");
/// assert!(at.line >= 1 && at.column >= 1);
/// assert_eq!(at.to_string(), format!("{}:{}:{}", at.file, at.line, at.column));
/// # Ok::<(), join::SpawnError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanicLocation {
    /// The source file as the compiler saw it.
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

impl PanicReport {
    /// The text of the panic, or `non-string payload`.
    ///
    /// ```
    /// use meanwhile::join::{self, JoinError};
    ///
    /// let task = join::spawn("import", |_| std::panic::panic_any(404))?;
    /// let Err(JoinError::Panicked(report)) = task.join() else { unreachable!() };
    /// assert_eq!(report.message(), "non-string payload");
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the panic was raised with.
    pub fn payload_kind(&self) -> PayloadKind {
        self.payload_kind
    }

    /// Where it was raised; `None` when another panic hook has replaced the one of this module, or
    /// the panic was passed on with `resume_unwind`.
    pub fn location(&self) -> Option<&PanicLocation> {
        self.location.as_ref()
    }

    /// The name of the thread on which the task ran.
    ///
    /// ```
    /// use meanwhile::join::{Builder, JoinError, Pool};
    ///
    /// let pool = Pool::builder().name("export").threads(1).build()?;
    /// let task = Builder::new("page 7").spawn_on(&pool, |_| panic!("no font"))?;
    /// let Err(JoinError::Panicked(report)) = task.join() else { unreachable!() };
    /// assert_eq!((report.task_name(), report.thread_name()), ("page 7", "export-1"));
    /// # Ok::<(), meanwhile::join::SpawnError>(())
    /// ```
    pub fn thread_name(&self) -> &str {
        &self.thread_name
    }

    /// The task that panicked.
    ///
    /// ```
    /// use meanwhile::join::{self, JoinError};
    ///
    /// let task = join::spawn("import", |_| panic!("the disk is full"))?;
    /// let Err(JoinError::Panicked(report)) = task.join() else { unreachable!() };
    /// assert_eq!(report.task(), task.id());
    /// # Ok::<(), join::SpawnError>(())
    /// ```
    pub fn task(&self) -> TaskId {
        self.task
    }

    /// The name of the task that panicked.
    pub fn task_name(&self) -> &str {
        &self.task_name
    }

    /// The frames, one or two lines each; empty where none was captured.
    ///
    /// The first call resolves the addresses and may take 100 ms and more, so a window asks from a
    /// task. Later calls cost nothing.
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

/// One sentence: which task, where, what.
impl fmt::Display for PanicReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task `{}` panicked", self.task_name)?;
        if let Some(location) = &self.location {
            write!(f, " at {location}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Without the backtrace, which would have to be resolved.
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

/// What unwinds out of a task that stops at a checkpoint.
pub(crate) struct CancelUnwind;

/// How a piece of foreign code left.
pub(crate) enum Caught<T> {
    Returned(T),
    Cancelled,
    Panicked(Arc<PanicReport>),
}

/// Runs the code of a task; whatever unwinds out of it ends here.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a task's unwinding ends"
)]
pub(crate) fn catch<T>(header: &Header, code: impl FnOnce() -> T) -> Caught<T> {
    match std::panic::catch_unwind(AssertUnwindSafe(code)) {
        Ok(value) => Caught::Returned(value),
        Err(payload) if payload.is::<CancelUnwind>() => Caught::Cancelled,
        Err(payload) => Caught::Panicked(Arc::new(report(header, payload))),
    }
}

/// Runs code whose panic, if any, is of no interest to anybody.
#[expect(
    clippy::disallowed_methods,
    reason = "a destructor or callback that panics must not take the thread along"
)]
pub(crate) fn contain(code: impl FnOnce()) {
    if let Err(payload) = std::panic::catch_unwind(AssertUnwindSafe(code)) {
        drop_contained(payload);
    }
}

/// Drops a value whose destructor may panic, with a payload whose destructor may panic.
pub(crate) fn drop_contained<T>(value: T) {
    const DEPTH: usize = 4;
    let Some(mut payload) = unwind_of(|| drop(value)) else {
        return;
    };
    for _ in 0..DEPTH {
        match unwind_of(|| drop(payload)) {
            Some(next) => payload = next,
            None => return,
        }
    }
    leak(payload);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a destructor that panics must not take the thread along"
)]
fn unwind_of(code: impl FnOnce()) -> Option<Box<dyn Any + Send>> {
    std::panic::catch_unwind(AssertUnwindSafe(code)).err()
}

#[expect(
    clippy::mem_forget,
    reason = "each destructor in turn panicked with a new payload; dropping has no end"
)]
fn leak(payload: Box<dyn Any + Send>) {
    std::mem::forget(payload);
}

/// A value whose destructor can't take anybody along.
pub(crate) struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }

    pub(crate) fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }

    pub(crate) fn into_inner(mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        if let Some(value) = self.0.take() {
            drop_contained(value);
        }
    }
}

struct Capture {
    message: String,
    location: Option<PanicLocation>,
    backtrace: Backtrace,
}

thread_local! {
    static LAST: RefCell<Option<Capture>> = const { RefCell::new(None) };
}

/// Installs the hook, once in the life of the process.
///
/// Not while this very thread unwinds, where std would refuse; the next spawn does it then.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    if std::thread::panicking() {
        return;
    }
    INSTALLED.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if context::current().is_some() {
                note(info);
            } else {
                previous(info);
            }
        }));
    });
}

fn note(info: &PanicHookInfo<'_>) {
    let capture = Capture {
        message: message_of(info.payload()).0,
        location: info.location().map(|at| PanicLocation {
            file: at.file().to_owned(),
            line: at.line(),
            column: at.column(),
        }),
        backtrace: Backtrace::force_capture(),
    };
    // A thread that is past its thread-locals runs no task, so nobody misses the capture.
    drop(LAST.try_with(|last| last.replace(Some(capture))));
}

fn report(header: &Header, payload: Box<dyn Any + Send>) -> PanicReport {
    let (message, payload_kind) = message_of(&*payload);
    drop_contained(payload);
    let capture = LAST
        .try_with(RefCell::take)
        .ok()
        .flatten()
        .filter(|capture| capture.message == message);
    let (location, backtrace) = match capture {
        Some(capture) => (capture.location, Some(capture.backtrace)),
        None => (None, None),
    };
    PanicReport {
        message,
        payload_kind,
        location,
        thread_name: std::thread::current()
            .name()
            .unwrap_or("unnamed")
            .to_owned(),
        task: header.id(),
        task_name: header.name().clone(),
        backtrace,
        resolved: OnceLock::new(),
    }
}

fn message_of(payload: &(dyn Any + Send)) -> (String, PayloadKind) {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        ((*text).to_owned(), PayloadKind::Str)
    } else if let Some(text) = payload.downcast_ref::<String>() {
        (text.clone(), PayloadKind::String)
    } else {
        ("non-string payload".to_owned(), PayloadKind::Other)
    }
}
