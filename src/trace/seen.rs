use super::span::{Span, SpanOutcome, SpanState};

/// The states and outcomes that are somewhere in some spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen(u16);

const STATES: usize = SpanState::ALL.len();
const _: () = assert!(STATES + SpanOutcome::ALL.len() <= 16, "each has a bit");

impl Seen {
    pub(super) fn of(span: &Span) -> Self {
        Self(state(span.state) | outcome(span.outcome))
    }

    pub fn has_state(self, one: SpanState) -> bool {
        self.0 & state(one) != 0
    }

    pub fn has_outcome(self, one: SpanOutcome) -> bool {
        self.0 & outcome(one) != 0
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

fn state(state: SpanState) -> u16 {
    1 << state as u16
}

fn outcome(outcome: SpanOutcome) -> u16 {
    1 << (STATES as u16 + outcome as u16)
}
