//! Tasks without a closure: a promise, and a value that is there already.

use std::fmt;
use std::sync::Arc;

use super::builder::Builder;
use super::callback_guard::CallbackGuard;
use super::code::{ClosureOutcome, code};
use super::handle::Handle;
use super::header::{Header, TaskCode};
use super::id::TaskId;
use super::info::Placement;
use super::owned::OwnedTask;
use super::owned_slot;
use super::panic::Contained;
use super::registry;
use super::shared_slot;
use super::task::Task;
use super::token::CancelToken;

/// The sending half of a task without a closure. [`send`](Self::send) gives the task its value.
///
/// It turns a callback of another library into a task, without a thread that waits for it. Dropping it
/// without a value ends the task as [`Cancelled`](super::JoinError::Cancelled), so no joiner waits for
/// ever.
///
/// A cancel ends the task at once. The sender sees it in [`is_cancelled`](Self::is_cancelled), or when
/// `send` returns the value; [`on_cancel`](Self::on_cancel) tells it.
///
/// The wait graph does not know who sends. A joiner that waits for a promise whose sender waits for the
/// joiner is not refused, and a pool whose threads all wait for promises has no spare thread.
///
/// ```
/// use meanwhile_join::Promise;
///
/// /// Stands for a library with callbacks.
/// fn fetch(url: &str, on_done: impl FnOnce(String) + Send + 'static) {
///     let page = format!("the page {url}");
///     std::thread::spawn(move || on_done(page));
/// }
///
/// let (promise, page) = Promise::new("fetch");
/// fetch("example.org", move |text| {
///     promise.send(text).ok(); // not needed after a cancel
/// });
/// assert_eq!(page.join()?, "the page example.org");
/// # Ok::<(), meanwhile_join::JoinError>(())
/// ```
#[must_use = "dropping it ends the task as cancelled"]
pub struct Promise<T> {
    header: Arc<Header>,
    store: Option<Box<dyn FnOnce(Contained<T>) + Send>>,
}

impl<T> Promise<T> {
    /// Returns a promise and its task, which lends the value.
    pub fn new(name: impl Into<String>) -> (Self, Task<T>)
    where
        T: Send + Sync + 'static,
    {
        Builder::new(name).promise()
    }

    /// Returns a promise and its task, which gives the value away.
    ///
    /// ```
    /// use meanwhile_join::{JoinError, Promise};
    ///
    /// let (promise, kept) = Promise::owned("kept");
    /// promise.send(String::from("mine")).expect("the task was not cancelled");
    /// assert_eq!(kept.join_into()?, "mine");
    ///
    /// let (promise, broken) = Promise::<u32>::owned("broken");
    /// drop(promise);
    /// assert!(matches!(broken.join_into(), Err(JoinError::Cancelled)));
    /// # Ok::<(), JoinError>(())
    /// ```
    pub fn owned(name: impl Into<String>) -> (Self, OwnedTask<T>)
    where
        T: Send + 'static,
    {
        Builder::new(name).promise_owned()
    }

    fn of(handle: &Handle, store: impl FnOnce(Contained<T>) + Send + 'static) -> Self {
        Self {
            header: Arc::clone(handle),
            store: Some(Box::new(store)),
        }
    }

    /// Ends the task with this value. Joiners are woken and callbacks run on this thread.
    ///
    /// # Errors
    /// Returns the value if the task was cancelled before.
    pub fn send(mut self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        let store = self.store.take();
        registry::run_code(&self.header, || {
            if let (Some(store), Some(value)) = (store, value.take()) {
                store(Contained::new(value));
            }
            ClosureOutcome::Returned
        });
        value.map_or(Ok(()), Err)
    }

    /// Returns whether the task was cancelled, so that no value is needed.
    pub fn is_cancelled(&self) -> bool {
        self.header.is_finished()
    }

    /// Runs `callback` when the task is cancelled, or now if it is cancelled already: to stop the work
    /// whose value is not needed any more. A cancel after the end of the task does not run it. Dropping
    /// the guard takes the callback back; [`CallbackGuard::keep`] leaves it.
    ///
    /// It runs on the thread that cancels, so it must not block. The task has ended by then. No lock is
    /// held meanwhile. If the callback panics, the panic is ignored.
    ///
    /// ```
    /// use meanwhile_join::Promise;
    /// use std::net::{Shutdown, TcpListener, TcpStream};
    ///
    /// let server = TcpListener::bind("127.0.0.1:0")?;
    /// let connection = TcpStream::connect(server.local_addr()?)?;
    /// let (promise, page) = Promise::<String>::new("fetch");
    /// promise.on_cancel(move || connection.shutdown(Shutdown::Both).unwrap_or_default()).keep();
    /// let (mut client, _) = server.accept()?;
    /// page.cancel();
    /// assert_eq!(std::io::Read::read(&mut client, &mut [0; 16])?, 0); // the connection is closed
    /// # drop(promise);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_cancel(&self, callback: impl FnOnce() + Send + 'static) -> CallbackGuard {
        let task = Arc::downgrade(&self.header);
        CancelToken::of(self.header.clone()).on_cancel(move || {
            // Without a task there is no promise any more.
            let task = task.upgrade();
            if task.is_some_and(|task| task.cancel_requested_at().is_some()) {
                callback();
            }
        })
    }

    /// Returns the number of the task.
    pub fn task_id(&self) -> TaskId {
        self.header.id()
    }

    /// Reports the progress of the task; see [`Context::set_progress`](super::Context::set_progress).
    pub fn set_progress(&self, done: u64, total: u64) {
        self.header.set_progress(done, total);
    }

    /// Sets the message of the task's [`Progress`](super::Progress); see
    /// [`Context::set_message`](super::Context::set_message).
    pub fn set_message(&self, text: impl Into<String>) {
        self.header.set_message(text.into().into());
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        registry::discard(&self.header);
    }
}

impl<T> fmt::Debug for Promise<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise")
            .field("task_id", &self.task_id())
            .field("is_cancelled", &self.is_cancelled())
            .finish()
    }
}

impl Builder {
    /// Returns a [`Promise`] with these settings and its task, which lends the value. The settings of
    /// a thread have no effect.
    pub fn promise<T: Send + Sync + 'static>(self) -> (Promise<T>, Task<T>) {
        let (store, slot) = shared_slot::alone();
        let handle = self.add(Placement::Elsewhere, no_closure());
        let promise = Promise::of(&handle, store);
        (promise, Task::new(handle, slot))
    }

    /// Returns a [`Promise`] with these settings and its task, which gives the value away. The
    /// settings of a thread have no effect.
    pub fn promise_owned<T: Send + 'static>(self) -> (Promise<T>, OwnedTask<T>) {
        let (store, slot) = owned_slot::alone();
        let handle = self.add(Placement::Elsewhere, no_closure());
        let promise = Promise::of(&handle, store);
        (promise, OwnedTask::new(handle, slot))
    }
}

impl<T> Task<T> {
    /// Returns a task that has returned this value already. It was never among the
    /// [live](super::live_tasks) ones.
    ///
    /// ```
    /// use meanwhile_join::{self as join, Task};
    ///
    /// fn page(cached: Option<String>) -> Result<Task<String>, join::SpawnError> {
    ///     match cached {
    ///         Some(page) => Ok(Task::ready(page)),
    ///         None => join::spawn("fetch", |_| String::from("a new page")),
    ///     }
    /// }
    ///
    /// assert_eq!(page(Some("an old page".to_owned()))?.join()?, "an old page");
    /// assert_eq!(page(None)?.join()?, "a new page");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ready(value: T) -> Self {
        let (store, slot) = shared_slot::alone();
        let handle = returned(|| store(Contained::new(value)));
        Self::new(handle, slot)
    }
}

impl<T> OwnedTask<T> {
    /// Returns a task that has returned this value already; see [`Task::ready`].
    ///
    /// ```
    /// let task = meanwhile_join::OwnedTask::ready(7);
    /// assert_eq!(task.join_into()?, 7);
    /// # Ok::<(), meanwhile_join::JoinError>(())
    /// ```
    pub fn ready(value: T) -> Self {
        let (store, slot) = owned_slot::alone();
        let handle = returned(|| store(Contained::new(value)));
        Self::new(handle, slot)
    }
}

/// Returns a task that has ended, whose value `store` has stored.
fn returned(store: impl FnOnce()) -> Handle {
    let handle = Handle::first(Builder::default().header(Placement::Elsewhere, no_closure()));
    registry::run_code(&handle, || {
        store();
        ClosureOutcome::Returned
    });
    handle
}

/// The code of a task that is ended from elsewhere. It only says who ends it.
fn no_closure() -> TaskCode {
    code(|_| ClosureOutcome::Cancelled)
}
