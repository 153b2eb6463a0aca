//! What asks the program to end: Ctrl-C, and the signals of the system.

use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

#[cfg(unix)]
#[path = "interrupt/job_control.rs"]
mod job_control;
#[cfg(unix)]
#[path = "interrupt/unix.rs"]
mod system;
#[cfg(not(unix))]
#[path = "interrupt/windows.rs"]
mod system;

#[cfg(unix)]
pub(super) use self::system::{default_child_signal, listen_for_stop};
use super::ExitFn;
use crate::join::CancelToken;

/// A request to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndRequest {
    /// Ctrl-C, or `SIGINT`.
    Interrupt,
    /// `SIGTERM`, or its like on Windows.
    Terminate,
    /// The terminal is gone: `SIGHUP`.
    #[cfg_attr(not(unix), expect(dead_code, reason = "there is no such signal there"))]
    HangUp,
}

impl EndRequest {
    /// The exit code with which a shell shows that such a signal ended a program.
    fn code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::HangUp => 129,
        }
    }
}

/// The first request to end. A second Ctrl-C ends the program at once.
#[derive(Clone)]
pub(super) struct Interrupt {
    token: CancelToken,
    first: Arc<OnceLock<EndRequest>>,
}

impl Interrupt {
    /// Starts to listen. A signal that was ignored when the program began, as by `nohup`, stays ignored.
    ///
    /// # Errors
    /// The system refused, or the program listens already.
    pub(super) fn listen(leave: ExitFn) -> anyhow::Result<Self> {
        let interrupt = Self {
            token: CancelToken::new(),
            first: Arc::default(),
        };
        let listener = interrupt.clone();
        system::listen(move |request| {
            let is_first = listener.first.set(request).is_ok();
            if !is_first && request == EndRequest::Interrupt {
                system::die(request);
                leave(i32::from(request.code()));
            }
            listener.token.cancel();
        })?;
        Ok(interrupt)
    }

    /// Cancelled by the first request.
    pub(super) fn token(&self) -> &CancelToken {
        &self.token
    }

    /// The first request, if there was one.
    pub(super) fn request(&self) -> Option<EndRequest> {
        self.first.get().copied()
    }
}

/// Ends the program as such a request does: by the signal itself after Ctrl-C, so that a shell ends its
/// script, too. Otherwise returns the exit code.
pub(super) fn end(request: EndRequest) -> ExitCode {
    if request == EndRequest::Interrupt {
        system::die(request);
    }
    ExitCode::from(request.code())
}
