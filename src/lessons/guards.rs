//! Guards that end a span or a lane even when the thread unwinds.

use super::trace::Trace;
use crate::join::Context;
use crate::record::{Activity, LaneOutcome, TimelineKind};

/// Ends a span when dropped.
pub(super) struct SpanGuard(Trace);

impl SpanGuard {
    pub(super) fn begin(trace: &Trace, line: u32, activity: Activity, label: String) -> Self {
        trace.record(line, TimelineKind::DidBegin { activity, label });
        Self(trace.clone())
    }
}

impl Drop for SpanGuard {
    fn drop(&mut self) {
        self.0.record(0, TimelineKind::DidEnd);
    }
}

/// Closes a lane when dropped.
pub(super) struct LaneGuard<'a> {
    trace: &'a Trace,
    /// The context of a task, which may have been cancelled.
    context: Option<&'a Context>,
    end: Option<LaneOutcome>,
}

impl<'a> LaneGuard<'a> {
    pub(super) fn new(trace: &'a Trace, context: Option<&'a Context>) -> Self {
        Self {
            trace,
            context,
            end: None,
        }
    }

    pub(super) fn close(mut self, end: LaneOutcome) {
        self.end = Some(end);
    }
}

impl Drop for LaneGuard<'_> {
    fn drop(&mut self) {
        let end = self.end.take().unwrap_or_else(|| match self.context {
            Some(context) if context.is_cancelled() => LaneOutcome::Failed("cancelled".to_owned()),
            _ => LaneOutcome::Panicked,
        });
        self.trace.record_close(end);
    }
}
