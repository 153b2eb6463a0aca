//! Starts of the program itself that the system refuses as long as other programs run.

use anyhow::bail;

use super::print_message;
use crate::jobs::retry::{Refusals, Shortage, given_up_text, waiting_text};
use crate::join::SpawnError;

/// Starts something, again and again for a while as long as the system refuses it a thread, and says so.
///
/// # Errors
/// Another error, a refusal once the program is asked to end, or that the time is over.
pub(super) fn patiently<T>(
    wants_end: impl Fn() -> bool,
    mut start: impl FnMut() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let mut refusals = Refusals::NONE;
    let mut is_said = false;
    loop {
        let refusal = match start() {
            Ok(started) => return Ok(started),
            Err(refusal) if refusal.is::<SpawnError>() => refusal,
            Err(error) => return Err(error),
        };
        if wants_end() {
            return Err(refusal);
        }
        let Some(attempt) = refusals.next(Shortage::Processes) else {
            bail!(given_up_text());
        };
        if attempt.is_long && !is_said {
            print_message(&waiting_text());
            is_said = true;
        }
        std::thread::park_timeout(attempt.after);
    }
}
