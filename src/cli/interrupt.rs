//! Ctrl-C: the first cancels the job, the second leaves at once.

use super::{ExitFn, INTERRUPTED};
use crate::join::CancelToken;

/// Starts to listen for Ctrl-C and for the signals with which a system ends a program. The first cancels
/// the token.
///
/// # Errors
/// The system refused, or the program listens already.
pub(super) fn listen(leave: ExitFn) -> Result<CancelToken, ctrlc::Error> {
    let interrupt = CancelToken::new();
    let first = interrupt.clone();
    ctrlc::set_handler(move || {
        if first.is_cancelled() {
            leave(i32::from(INTERRUPTED));
        }
        first.cancel();
    })?;
    Ok(interrupt)
}
