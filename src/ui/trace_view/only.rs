//! Which spans stand out: all, or those of one kind.

use crate::choice::choices;
use crate::trace::{Lane, Piece, Seen, SpanOutcome, SpanState};

/// The spans that stand out. Lanes without one are not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Only {
    #[default]
    All,
    Running,
    Waiting,
    Failed,
    TimedOut,
    Cancelled,
    Paused,
    Frozen,
}

choices!(pub Only {
    All => "All",
    Running => "Running", "What goes on now.",
    Waiting => "Waiting", "Waits in a join, or for something else.",
    Failed => "Failed", "Failed, panicked or crashed.",
    TimedOut => "Timed out",
    Cancelled => "Cancelled",
    Paused => "Paused",
    Frozen => "Frozen", "Times in which the window was frozen.",
});

impl Only {
    /// Whether one of the spans of a piece is of this kind.
    pub(super) fn has(self, piece: &Piece) -> bool {
        match self {
            Self::Running => piece.ended.is_none(),
            _ => self.is_in(piece.seen),
        }
    }

    /// Whether a lane is shown. `goes_on` tells whether its group does.
    pub(super) fn has_lane(self, lane: &Lane, goes_on: bool) -> bool {
        match self {
            // A thread that has nothing to do for a moment stays in sight.
            Self::Running => goes_on || lane.is_open(),
            _ => self.is_in(lane.seen()),
        }
    }

    fn is_in(self, seen: Seen) -> bool {
        let states = |states: &[SpanState]| states.iter().any(|state| seen.has_state(*state));
        let outcomes = |outcomes: &[SpanOutcome]| outcomes.iter().any(|it| seen.has_outcome(*it));
        match self {
            Self::All | Self::Running => true,
            Self::Waiting => states(&[
                SpanState::Queued,
                SpanState::WaitsInJoin,
                SpanState::WaitsUntilDeadline,
                SpanState::Waits,
            ]),
            Self::Failed => outcomes(&[
                SpanOutcome::Failed,
                SpanOutcome::Panicked,
                SpanOutcome::Crashed,
            ]),
            Self::TimedOut => outcomes(&[SpanOutcome::TimedOut]),
            Self::Cancelled => outcomes(&[SpanOutcome::Cancelled]),
            Self::Paused => states(&[SpanState::Stopped]),
            Self::Frozen => states(&[SpanState::Frozen]),
        }
    }
}
