//! Awaiting tasks and processes, without a runtime of this library.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::any_task::AnyTask;
use super::error::JoinError;
use super::header::Header;
use super::owned::OwnedTask;
use super::task::Task;
use super::waiters::{Awaited, Waiter};

/// The end of a task or process as a future, from `await` on a handle, or the next end in a
/// [`Group`](super::Group), from its [`next_ended`](super::Group::next_ended).
///
/// It runs on any executor. The thread that ends the task wakes it, after the threads that joined
/// earlier and before callbacks run. A future that is dropped leaves nothing behind, and the task runs
/// on. A poll after the outcome was returned returns [`JoinError::Taken`] for an owned task, and the
/// outcome again for a shared one.
///
/// Waiting does not block a thread, so no cycle of tasks is refused.
///
/// ```
/// use meanwhile_join::{self as join, Task};
///
/// async fn sum(a: &Task<u32>, b: &Task<u32>) -> Result<u32, join::JoinError> {
///     Ok(a.await? + b.await?)
/// }
///
/// let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
/// let (a, b) = (join::spawn("a", |_| 1)?, join::spawn("b", |_| 2)?);
/// assert_eq!(runtime.block_on(sum(&a, &b))?, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// An owned task gives its value away. Await `&mut task` to keep the handle when the future is
/// dropped, as after a timeout of the runtime:
///
/// ```
/// use meanwhile_join as join;
///
/// let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
/// let mut task = join::spawn_owned("text", |_| String::from("mine"))?;
/// let text: String = runtime.block_on(async { (&mut task).await })?;
/// assert_eq!(text, "mine");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a future does nothing unless it is awaited"]
pub struct JoinFuture<H> {
    handle: H,
    end: End,
}

impl<H> JoinFuture<H> {
    pub(crate) fn new(handle: H, source: Arc<dyn Awaited>) -> Self {
        let end = End {
            source,
            wakes: None,
        };
        Self { handle, end }
    }

    /// Waits for the end. Returns the handle, which has the outcome then.
    pub(crate) fn poll_end(&mut self, context: &Context<'_>) -> Poll<&mut H> {
        let Self { handle, end } = self;
        end.poll(context).map(|()| handle)
    }
}

impl<'a, T> IntoFuture for &'a Task<T> {
    type Output = Result<&'a T, JoinError>;
    type IntoFuture = JoinFuture<Self>;

    fn into_future(self) -> Self::IntoFuture {
        JoinFuture::new(self, self.header().clone())
    }
}

impl IntoFuture for &AnyTask {
    type Output = Result<(), JoinError>;
    type IntoFuture = JoinFuture<Self>;

    fn into_future(self) -> Self::IntoFuture {
        JoinFuture::new(self, self.header().clone())
    }
}

impl<T> IntoFuture for OwnedTask<T> {
    type Output = Result<T, JoinError>;
    type IntoFuture = JoinFuture<Self>;

    fn into_future(self) -> Self::IntoFuture {
        let header = self.header().clone();
        JoinFuture::new(self, header)
    }
}

impl<T> IntoFuture for &mut OwnedTask<T> {
    type Output = Result<T, JoinError>;
    type IntoFuture = JoinFuture<Self>;

    fn into_future(self) -> Self::IntoFuture {
        let header = self.header().clone();
        JoinFuture::new(self, header)
    }
}

impl<'a, T> Future for JoinFuture<&'a Task<T>> {
    type Output = Result<&'a T, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_end(context).map(|task| task.outcome())
    }
}

impl Future for JoinFuture<&AnyTask> {
    type Output = Result<(), JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_end(context).map(|task| task.outcome())
    }
}

impl<T> Future for JoinFuture<OwnedTask<T>> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_end(context).map(OwnedTask::outcome)
    }
}

impl<T> Future for JoinFuture<&mut OwnedTask<T>> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_end(context).map(|task| task.outcome())
    }
}

impl<H: fmt::Debug> fmt::Debug for JoinFuture<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinFuture").field(&self.handle).finish()
    }
}

impl Awaited for Header {
    fn is_ready(&self) -> bool {
        self.is_finished()
    }

    fn add_waiter(&self, waiter: Waiter) -> Option<u64> {
        self.add_waiter(waiter)
    }

    fn remove_waiter(&self, ticket: u64) {
        self.remove_waiter(ticket);
    }
}

/// The end of a task or process, for a future that waits for it.
struct End {
    source: Arc<dyn Awaited>,
    /// What the end wakes, with the ticket to take that back.
    wakes: Option<(u64, Waker)>,
}

impl End {
    fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        if self.source.is_ready() {
            // The source has forgotten the waker, and may be awaited again.
            self.take_back();
            return Poll::Ready(());
        }
        let waker = context.waker();
        if let Some((_, last)) = &self.wakes
            && last.will_wake(waker)
        {
            return Poll::Pending;
        }
        self.take_back();
        match self.source.add_waiter(Waiter::Future(waker.clone())) {
            Some(ticket) => {
                self.wakes = Some((ticket, waker.clone()));
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }

    fn take_back(&mut self) {
        if let Some((ticket, _)) = self.wakes.take() {
            self.source.remove_waiter(ticket);
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.take_back();
    }
}
