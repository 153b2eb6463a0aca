//! Starting tasks.

use std::io;
use std::sync::Arc;

use super::cancel_tree::{self, CancelTarget};
use super::changes::{Changes, Subscription};
use super::context::Context;
use super::error::SpawnError;
use super::handle::Handle;
use super::header::{Header, Spec, TaskCode};
use super::id::TaskId;
use super::info::Placement;
use super::panic::install_hook;
use super::pool::Pool;
use super::priority::{Priority, spawn_thread};
use super::registry;
use super::shared_job::shared;
use super::task::Task;
use super::token::CancelToken;
use super::traced::traced;

/// The settings of a new task. Those of a process are [`process::Builder`](super::process::Builder), which
/// shows how a program names both.
///
/// ```
/// use meanwhile_join::{Builder, Priority};
///
/// let task = Builder::new("hash")
///     .priority(Priority::Background)
///     .stack_size(256 * 1024)
///     .spawn(|_| 42)?;
/// assert_eq!(*task.join()?, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Builder {
    name: Option<String>,
    daemon: bool,
    stack_size: Option<usize>,
    priority: Priority,
    changes: Option<Changes>,
    cancel_token: Option<CancelToken>,
}

impl Builder {
    /// Returns the default settings for a task with this name.
    ///
    /// Any text is allowed, and names need not be unique. A NUL, which a thread name can't contain,
    /// becomes U+FFFD. An empty name becomes `task-N`, where N is the task's number.
    ///
    /// ```
    /// use meanwhile_join::Builder;
    ///
    /// let named = Builder::new("count words").spawn(|_| ())?;
    /// let unnamed = Builder::new("").spawn(|_| ())?;
    /// assert_eq!(named.name(), "count words");
    /// assert_eq!(unnamed.name(), format!("task-{}", unnamed.id().get()));
    /// # Ok::<(), meanwhile_join::SpawnError>(())
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()).filter(|name| !name.is_empty()),
            ..Self::default()
        }
    }

    /// Sets whether the task is a daemon: [`shutdown`](super::shutdown) does not wait for it.
    /// Default: false.
    pub fn daemon(mut self, daemon: bool) -> Self {
        self.daemon = daemon;
        self
    }

    /// Sets the stack size of the task's own thread, in bytes. Default: that of std. Has no effect
    /// on a pool.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Sets the priority of the task's own thread. Default: [`Priority::Normal`]. Has no effect on
    /// a pool.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Queues the task in `changes` when it reports progress and when it ends. A second call replaces the
    /// first: a task reports to one queue.
    ///
    /// ```
    /// use meanwhile_join::{Builder, Changes};
    ///
    /// let (wake, woken) = std::sync::mpsc::sync_channel(1);
    /// let changes = Changes::new(move || drop(wake.try_send(())));
    /// let task = Builder::new("index").report_to(&changes).spawn(|_| ())?;
    /// woken.recv()?;
    /// assert_eq!(changes.take(usize::MAX), [task.id()]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn report_to(mut self, changes: &Changes) -> Self {
        self.changes = Some(changes.clone());
        self
    }

    pub(crate) fn changes(&self) -> Option<&Changes> {
        self.changes.as_ref()
    }

    /// Has the task cancelled when the token is. If it is cancelled already, the task never runs and is
    /// [`Cancelled`](super::TaskState::Cancelled) at once. A cancel of the task alone does not cancel
    /// the token.
    ///
    /// ```
    /// use meanwhile_join::{Builder, CancelToken, JoinError};
    ///
    /// let token = CancelToken::new();
    /// let task = Builder::new("index").cancel_token(&token).spawn(|context| loop {
    ///     if context.sleep(std::time::Duration::from_secs(60)).is_err() {
    ///         break "stopped";
    ///     }
    /// })?;
    /// # while task.state() == meanwhile_join::TaskState::Queued { std::thread::yield_now(); }
    /// token.cancel();
    /// assert_eq!(*task.join()?, "stopped");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel_token(mut self, token: &CancelToken) -> Self {
        self.cancel_token = Some(token.clone());
        self
    }

    /// Starts the task on a thread of its own, and returns its handle.
    ///
    /// The value is lent to any thread, so it must be [`Sync`]. For one that is not, such as a
    /// [`Receiver`](std::sync::mpsc::Receiver), the compiler says that it "cannot be shared between
    /// threads": there [`spawn_owned`](Self::spawn_owned) is the way out. For a closure that borrows
    /// local variables, see [`scope`](super::scope()).
    ///
    /// # Errors
    /// Fails if the system refuses the thread. Then nothing was started and `f` is dropped. A later
    /// spawn may succeed.
    pub fn spawn<T, F>(self, f: F) -> Result<Task<T>, SpawnError>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + Sync + 'static,
    {
        let (code, slot) = shared(f);
        let handle = self.start(code)?;
        Ok(Task::new(handle, slot))
    }

    /// Queues the task on a pool, and returns its handle. The task runs with the stack and priority
    /// of the pool's threads.
    ///
    /// ```
    /// use meanwhile_join::{Builder, Pool};
    ///
    /// let pool = Pool::builder().threads(2).build()?;
    /// let task = Builder::new("page 7").spawn_on(&pool, |_| "seven")?;
    /// assert_eq!(*task.join()?, "seven");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Never fails today. It has the signature of [`spawn`](Self::spawn), so that one can replace
    /// the other.
    pub fn spawn_on<T, F>(self, pool: &Pool, f: F) -> Result<Task<T>, SpawnError>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + Sync + 'static,
    {
        Ok(self.queue_shared(pool, f))
    }

    fn queue_shared<T, F>(self, pool: &Pool, f: F) -> Task<T>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + Sync + 'static,
    {
        let (code, slot) = shared(f);
        let handle = self.queue(pool, code);
        Task::new(handle, slot)
    }

    /// Starts a task with this code on a thread of its own.
    pub(crate) fn start(self, code: TaskCode) -> Result<Handle, SpawnError> {
        self.start_by(code, |thread, priority, header| {
            spawn_thread(thread, priority, move || {
                registry::run(&header);
            })
        })
    }

    /// Starts a task with this code on the thread that `spawn` starts.
    pub(crate) fn start_by(
        self,
        code: TaskCode,
        spawn: impl FnOnce(std::thread::Builder, Priority, Arc<Header>) -> io::Result<()>,
    ) -> Result<Handle, SpawnError> {
        let mut thread = std::thread::Builder::new();
        if let Some(bytes) = self.stack_size {
            thread = thread.stack_size(bytes);
        }
        let (priority, stack_size) = (self.priority, self.stack_size);
        let handle = self.add(Placement::Thread, code);
        let thread = thread.name(handle.name().to_string());
        match spawn(thread, priority, Arc::clone(&handle)) {
            Ok(()) => Ok(handle),
            Err(cause) => {
                registry::discard(&handle);
                Err(SpawnError {
                    stack_size,
                    ..SpawnError::new(&**handle.name(), cause)
                })
            }
        }
    }

    /// Queues a task with this code on a pool.
    pub(crate) fn queue(self, pool: &Pool, code: TaskCode) -> Handle {
        let handle = self.add(pool.placement(), code);
        pool.push(Arc::clone(&handle));
        handle
    }

    /// Adds a task with this code to the list of live tasks. The caller must have it run.
    pub(crate) fn add(self, placement: Placement, code: TaskCode) -> Handle {
        self.add_after(|_| (), placement, code).0
    }

    /// Like [`add`](Self::add), but calls `before` with the task before others can find it.
    pub(crate) fn add_after<T>(
        self,
        before: impl FnOnce(&Arc<Header>) -> T,
        placement: Placement,
        code: TaskCode,
    ) -> (Handle, T) {
        install_hook();
        let token = self.cancel_token.clone();
        let header = self.header(placement, code);
        let done = before(&header);
        match placement {
            // The queue of the pool lists it.
            Placement::Pool(_) => header.set_listed(true),
            Placement::Thread | Placement::Elsewhere => registry::global().add(header.clone()),
        }
        if let Some(token) = token {
            let target: Arc<dyn CancelTarget> = header.clone();
            if !cancel_tree::link(&target, token.target()) {
                registry::cancel(&header);
            }
        }
        (Handle::first(header), done)
    }

    /// Returns a task with this code that is not listed. The caller makes its first handle.
    pub(crate) fn header(self, placement: Placement, code: TaskCode) -> Arc<Header> {
        let spec = Spec {
            id: TaskId::next(),
            name: self.name.map(|name| name.replace('\0', "\u{fffd}").into()),
            daemon: self.daemon,
            placement,
            subscription: Subscription::new(self.changes.as_ref()),
        };
        Arc::new(Header::new(spec, traced(code)))
    }
}

impl Pool {
    /// Queues a task, and returns its handle. For a value that is not [`Sync`], see
    /// [`spawn_owned`](Self::spawn_owned). The task is named `task-N`, where N is its number; for
    /// other settings see [`Builder::spawn_on`].
    ///
    /// ```
    /// use meanwhile_join::Pool;
    ///
    /// let pool = Pool::new(2)?;
    /// let page = pool.spawn(|_| "seven");
    /// assert_eq!(*page.join()?, "seven");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spawn<T, F>(&self, f: F) -> Task<T>
    where
        F: FnOnce(&Context) -> T + Send + 'static,
        T: Send + Sync + 'static,
    {
        Builder::default().queue_shared(self, f)
    }
}

/// Starts a task on a thread of its own: `Builder::new(name).spawn(f)`. For a value that is not [`Sync`],
/// see [`spawn_owned`](super::spawn_owned).
///
/// ```
/// let task = meanwhile_join::spawn("greet", |_| "hello")?;
/// assert_eq!(*task.join()?, "hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Fails as [`Builder::spawn`] does.
pub fn spawn<T, F>(name: impl Into<String>, f: F) -> Result<Task<T>, SpawnError>
where
    F: FnOnce(&Context) -> T + Send + 'static,
    T: Send + Sync + 'static,
{
    Builder::new(name).spawn(f)
}
