//! What a command has started that prints its last lines after it, as in `| sed`, `tee >(…)` or
//! `exec > >(…)`.

use std::time::{Duration, Instant};

use crate::join::process::Process;

/// The time after the end of a command in which its output is still awaited, whatever holds it open.
pub(super) const LAST_OUTPUT_TIME: Duration = Duration::from_millis(100);

/// The time in which it is awaited from what works and does not wait: on a busy machine, a helper at background
/// priority gets no processor for a second (`benches/README.md`). What runs on is said to hold the output open.
const MAX_TIME: Duration = Duration::from_secs(5);

/// The descendants that a command has left.
pub(super) struct Helpers<'a> {
    process: &'a Process,
    until: Option<Instant>,
}

impl<'a> Helpers<'a> {
    /// Those of a process that has ended just now.
    pub(super) fn of(process: &'a Process) -> Self {
        Self {
            process,
            until: Instant::now().checked_add(MAX_TIME),
        }
    }

    /// Whether one of them works or waits for a processor, so that it may be about to end. A daemon waits
    /// for something else.
    pub(super) fn are_busy(&self) -> bool {
        let is_early = self.until.is_some_and(|until| Instant::now() < until);
        // If the system does not say, nobody is.
        let left = || self.process.descendants().unwrap_or_default();
        is_early && left().iter().any(|member| is_busy(member.pid))
    }
}

/// Whether a process works, waits for a processor or for a disk. Only Linux tells.
fn is_busy(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before the state may have any character.
    let state = stat.rsplit_once(") ").map(|(_, fields)| fields);
    state.is_some_and(|state| state.starts_with(['R', 'D']))
}
