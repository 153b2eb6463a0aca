//! The lane of the thread that draws the window: when it was frozen, and why.

use crate::trace::{GroupId, LaneId, LaneKind, Span, SpanOutcome, SpanState, Trace};

/// The group of the window; those of jobs begin at 1.
const GROUP: GroupId = GroupId::new(0);
/// The freezes that are kept: more than a user looks at.
const MAX_FREEZES: usize = 10_000;

/// A lane that is there once it has a span.
#[derive(Debug, Default)]
pub(super) struct FreezeLane {
    lane: Option<LaneId>,
    count: usize,
}

impl FreezeLane {
    /// Adds a freeze that began after all others. Those beyond the limit are counted alone.
    pub(super) fn add(&mut self, began: u64, ended: u64, cause: &str, trace: &mut Trace) {
        if self.count == MAX_FREEZES {
            trace.note_dropped(1);
            return;
        }
        let lane = self.lane.or_else(|| {
            trace.add_group(GROUP, "This window");
            trace.add_lane(GROUP, "UI thread", LaneKind::Window)
        });
        let Some(lane) = lane else {
            return;
        };
        self.lane = Some(lane);
        let name = trace.add_text(cause);
        if trace.begin(lane, began, name, SpanState::Frozen).is_some() {
            trace.end(lane, ended, SpanOutcome::None);
            self.count += 1;
        }
    }

    /// Drops those that ended before `from`; all if that is `None`.
    pub(super) fn retain(&mut self, from: Option<u64>, trace: &mut Trace) {
        let Some(lane) = self.lane.take() else {
            return;
        };
        let spans: Vec<Span> = from.map_or_else(Vec::new, |from| {
            let rows = trace.lane(lane).map_or(&[][..], |lane| lane.rows());
            let spans = rows.iter().flat_map(|row| row.iter().copied());
            spans.filter(|span| span.ended_by(from) >= from).collect()
        });
        trace.remove_group(GROUP);
        self.count = 0;
        for span in spans {
            let cause = trace.name(GROUP, span.name).into_owned();
            self.add(span.began(), span.ended_by(span.began()), &cause, trace);
        }
    }
}
