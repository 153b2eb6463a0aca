//! What the watchdog reports.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use super::cause::Cause;

/// A cause that was seen for less long is said without the time.
const MIN_SAID: Duration = Duration::from_millis(100);

/// A frame that took too long.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incident {
    /// The number of the incident, from 1. Both of its reports have the same number.
    pub number: u64,
    /// The time at which the frame started, by the system's clock.
    pub began: SystemTime,
    /// The duration of the frame so far, or in total if it has ended. A time in which the whole process stood
    /// still is left out.
    pub lasted: Duration,
    /// The label of the newest [`guard`](super::Watchdog::guard) that was held when the frame exceeded the
    /// limit, or else of the first operation in the frame that took longer than the limit. `None`
    /// if there is no such label.
    pub label: Option<String>,
    /// Why it is late, if that is known: what the UI thread did for most of the time in which the frame was
    /// late. Only a watchdog [with a cause](super::Watchdog::with_cause) knows it.
    pub cause: Option<Cause>,
    /// For how long that was seen.
    pub caused_for: Duration,
    /// Whether the frame has ended.
    pub has_ended: bool,
}

impl Incident {
    /// Says in a few words why the frame is late: "waits for task `decode` to end", "computed for 1.2 s in
    /// `saving settings`". `None` if the cause is not known.
    #[must_use]
    pub fn because(&self) -> Option<String> {
        let cause = self.cause.as_ref()?;
        if *cause != Cause::Computes {
            return Some(cause.to_string());
        }
        let mut text = if self.has_ended {
            "computed"
        } else {
            "computes"
        }
        .to_owned();
        if self.has_ended && self.caused_for >= MIN_SAID {
            let seconds = self.caused_for.as_secs_f64();
            // A string takes any text.
            write!(text, " for {seconds:.1} s").ok();
        }
        if let Some(label) = &self.label {
            write!(text, " in `{label}`").ok();
        }
        Some(text)
    }
}
