//! Awaiting processes and pipelines, without a runtime of this library.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::super::{JoinError, JoinFuture};
use super::all_ends::AllEnds;
use super::exit::Exit;
use super::handle::Process;
use super::pipeline::{Pipeline, shared};

/// Awaits the end; see [`JoinFuture`].
///
/// ```
/// use meanwhile_join::process::{Builder, Exit};
///
/// # #[cfg(not(other_unix))]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
/// let process = Builder::new("true").spawn()?;
/// assert_eq!(runtime.block_on(async { (&process).await })?, Exit::Code(0));
/// # Ok(())
/// # }
/// # #[cfg(other_unix)] // It is tested without tokio.
/// # fn main() {}
/// ```
impl IntoFuture for &Process {
    type Output = Result<Exit, JoinError>;
    type IntoFuture = JoinFuture<Self>;

    fn into_future(self) -> Self::IntoFuture {
        JoinFuture::new(self, self.shared().clone())
    }
}

impl Future for JoinFuture<&Process> {
    type Output = Result<Exit, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // It has ended then, so the join returns at once.
        self.get_mut()
            .poll_end(context)
            .map(|process| process.join())
    }
}

/// Awaits the ends of all processes; see [`JoinFuture`].
///
/// ```
/// use meanwhile_join::process::{Builder, Exit};
///
/// # #[cfg(not(other_unix))]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
/// let pipeline = Builder::new("seq").arg("3").pipe_to(Builder::new("cat")).spawn()?;
/// let exits = runtime.block_on(async { (&pipeline).await })?;
/// assert_eq!(exits, [Exit::Code(0); 2]);
/// # Ok(())
/// # }
/// # #[cfg(other_unix)] // It is tested without tokio.
/// # fn main() {}
/// ```
impl IntoFuture for &Pipeline {
    type Output = Result<Vec<Exit>, JoinError>;
    type IntoFuture = JoinFuture<Self>;

    fn into_future(self) -> Self::IntoFuture {
        JoinFuture::new(self, AllEnds::of(shared(self.processes())))
    }
}

impl Future for JoinFuture<&Pipeline> {
    type Output = Result<Vec<Exit>, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // They have ended then, so the join returns at once.
        self.get_mut()
            .poll_end(context)
            .map(|pipeline| pipeline.join())
    }
}
