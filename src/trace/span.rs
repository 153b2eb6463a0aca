//! A span: one activity, from its begin to its end.

/// The end of a span that has not ended.
pub(super) const OPEN: u64 = u64::MAX;

/// An activity in a lane. Times are nanoseconds since the trace began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    began: u64,
    ended: u64,
    /// What it is called.
    pub name: SpanName,
    pub state: SpanState,
    pub outcome: SpanOutcome,
}

/// The name of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanName {
    /// A text of the trace, by its number.
    Text(u32),
    /// The item of its group with this number, from 0.
    Item(u32),
}

/// What the one whose lane it is does during a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SpanState {
    Runs,
    /// It is to begin once there is room.
    Queued,
    /// It waits for another task or process, as long as that takes.
    WaitsInJoin,
    /// It waits for another task or process until a deadline.
    WaitsUntilDeadline,
    /// It waits for something else, such as a lock or a message.
    Waits,
    Sleeps,
    /// It is paused by a signal such as `SIGSTOP`.
    Stopped,
    /// It is the thread that draws a window, and no frame comes.
    Frozen,
    /// It runs or waits, which nobody knows.
    Unknown,
}

/// How a span ended. The later one is the worse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SpanOutcome {
    /// It has not ended, or that is not known.
    None,
    Returned,
    Cancelled,
    TimedOut,
    Failed,
    Panicked,
    /// Its process died.
    Crashed,
}

impl SpanState {
    /// Every state, in the order of the legend.
    pub const ALL: [Self; 9] = [
        Self::Runs,
        Self::Queued,
        Self::WaitsInJoin,
        Self::WaitsUntilDeadline,
        Self::Waits,
        Self::Sleeps,
        Self::Stopped,
        Self::Frozen,
        Self::Unknown,
    ];

    /// The words on screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Queued => "queued",
            Self::WaitsInJoin => "waits in a join",
            Self::WaitsUntilDeadline => "waits in a join with a timeout",
            Self::Waits => "waits for something else",
            Self::Sleeps => "sleeps",
            Self::Stopped => "paused",
            Self::Frozen => "froze the window",
            Self::Unknown => "runs or waits, which is not known",
        }
    }

    /// The word in files.
    pub fn label(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Queued => "queued",
            Self::WaitsInJoin => "waits_in_join",
            Self::WaitsUntilDeadline => "waits_until_deadline",
            Self::Waits => "waits",
            Self::Sleeps => "sleeps",
            Self::Stopped => "stopped",
            Self::Frozen => "frozen",
            Self::Unknown => "unknown",
        }
    }

    pub(super) fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.label() == label)
    }
}

impl SpanOutcome {
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Returned,
        Self::Cancelled,
        Self::TimedOut,
        Self::Failed,
        Self::Panicked,
        Self::Crashed,
    ];

    /// The word on screen; empty if there is nothing to say.
    pub fn title(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Returned => "done",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed out",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::Crashed => "crashed",
        }
    }

    /// The word in files; empty if there is nothing to say.
    pub fn label(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::TimedOut => "timed_out",
            _ => self.title(),
        }
    }

    pub(super) fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.label() == label)
    }

    /// Whether something went wrong.
    pub fn is_failure(self) -> bool {
        self >= Self::TimedOut
    }
}

impl Span {
    /// A span that has not ended.
    pub fn open(began: u64, name: SpanName, state: SpanState) -> Self {
        Self {
            began,
            ended: OPEN,
            name,
            state,
            outcome: SpanOutcome::None,
        }
    }

    /// It ends then, or at its begin if that is later.
    #[must_use]
    pub fn until(mut self, ended: u64, outcome: SpanOutcome) -> Self {
        self.ended = ended.clamp(self.began, OPEN - 1);
        self.outcome = outcome;
        self
    }

    pub fn began(&self) -> u64 {
        self.began
    }

    /// When it ended; `None` while it goes on.
    pub fn ended(&self) -> Option<u64> {
        (self.ended != OPEN).then_some(self.ended)
    }

    /// When it ended, or `now` while it goes on.
    pub fn ended_by(&self, now: u64) -> u64 {
        self.ended().unwrap_or(now).max(self.began)
    }

    pub(super) fn begin_not_before(&mut self, earliest: u64) {
        self.began = self.began.max(earliest);
        self.ended = self.ended.max(self.began);
    }

    /// The end as a number, which is above all others for an open span.
    pub(super) fn raw_end(&self) -> u64 {
        self.ended
    }

    pub(super) fn is_open(&self) -> bool {
        self.ended == OPEN
    }

    /// How long it took; 0 while it goes on.
    pub fn length(&self) -> u64 {
        self.ended().map_or(0, |ended| ended - self.began)
    }
}

/// By how much a span stands out among others: the worst one first, then the longest.
pub(super) fn weight(outcome: SpanOutcome, length: u64) -> (SpanOutcome, u64) {
    let worst = if outcome.is_failure() {
        outcome
    } else {
        SpanOutcome::None
    };
    (worst, length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_of_a_trace_has_32_bytes() {
        assert!(size_of::<Span>() <= 32);
    }
}
