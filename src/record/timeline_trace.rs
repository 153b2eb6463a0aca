//! The trace of a timeline: of the tasks and processes of a lesson.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::job_trace::nanos;
use super::timeline::{Activity, Lane, LaneId, LaneKind, LaneOutcome, Span, Timeline};
use crate::trace::{self, Flow, FlowKind, GroupId, Mark, SpanOutcome, SpanState, Trace};

/// Where each lane of a timeline is in the trace.
type Places = BTreeMap<LaneId, trace::LaneId>;

/// When the lanes of a name ended.
type Ends<'a> = HashMap<&'a str, Vec<(Duration, LaneId)>>;

impl Timeline {
    /// Adds this timeline to a trace, as a group: a lane for each task and process, with a span from its begin to its
    /// end, and within that what it slept and waited. Until a process tells what it does, that is unknown. Messages are
    /// marks. Arrows lead from a lane to those that it started, and from the end of a lane to the end of a wait that names
    /// it.
    pub fn add_to(&self, trace: &mut Trace, group: GroupId, name: &str) {
        trace.add_group(group, name);
        let mut places = Places::new();
        let mut marks = Vec::new();
        for lane in self.lanes() {
            if let Some(place) = add_lane(lane, group, trace, &mut marks) {
                places.insert(lane.id, place);
            }
        }
        for message in self.messages() {
            if let Some(&lane) = places.get(&message.lane) {
                let (at, text) = (nanos(message.at), message.text.clone());
                marks.push(Mark { at, lane, text });
            }
        }
        let ends = self.ends();
        for lane in self.lanes() {
            self.add_flows(lane, &places, &ends, trace);
        }
        marks.sort_by_key(|mark| mark.at);
        for mark in marks {
            trace.add_mark(mark);
        }
        trace.note_dropped(self.dropped() as u64);
    }

    /// Adds the start of a lane, and the ends of its waits for others.
    fn add_flows(&self, lane: &Lane, places: &Places, ends: &Ends<'_>, trace: &mut Trace) {
        let Some(&place) = places.get(&lane.id) else {
            return;
        };
        let starter = self.starter(lane.id);
        if let Some(&starter) = starter.and_then(|starter| places.get(&starter)) {
            let opened = nanos(lane.opened);
            trace.add_flow(Flow {
                kind: FlowKind::Start,
                from: (starter, opened),
                to: (place, opened),
            });
        }
        let waits = lane
            .spans
            .iter()
            .filter(|it| it.activity == Activity::Waits);
        for wait in waits {
            if let Some(ended) = wait.ended
                && let Some((closed, awaited)) = awaited(wait, ended, ends)
                && let Some(&awaited) = places.get(&awaited)
            {
                trace.add_flow(Flow {
                    kind: FlowKind::Join,
                    from: (awaited, nanos(closed)),
                    to: (place, nanos(ended)),
                });
            }
        }
    }

    /// The ends of all lanes by name, in the order of their times.
    fn ends(&self) -> Ends<'_> {
        let closed = |lane: &Lane| lane.closed.as_ref().map(|(at, _)| *at);
        let lanes = self.lanes().iter();
        let mut ended: Vec<_> = lanes
            .filter_map(|lane| Some((closed(lane)?, lane.id, lane.name.as_str())))
            .collect();
        ended.sort_unstable();
        let mut ends = Ends::new();
        for (at, id, name) in ended {
            ends.entry(name).or_default().push((at, id));
        }
        ends
    }
}

/// The end of the lane that a wait names, such as `waits for the worker`: of that name the last one that had ended when the
/// wait did.
fn awaited(wait: &Span, ended: Duration, ends: &Ends<'_>) -> Option<(Duration, LaneId)> {
    let target = wait.label.strip_prefix("waits for ")?;
    let name = target.strip_prefix("the ").unwrap_or(target);
    let ends = ends.get(name)?;
    let before = ends.partition_point(|(at, _)| *at <= ended);
    ends[..before].last().copied()
}

fn add_lane(
    lane: &Lane,
    group: GroupId,
    trace: &mut Trace,
    marks: &mut Vec<Mark>,
) -> Option<trace::LaneId> {
    let kind = match lane.kind {
        LaneKind::Task => trace::LaneKind::Thread,
        LaneKind::Process => trace::LaneKind::Process,
    };
    let place = trace.add_lane(group, lane.name.as_str(), kind)?;
    let opened = nanos(lane.opened);
    let name = trace.add_text(&lane.name);
    let state = match lane.known_from {
        Some(_) => SpanState::Runs,
        None => SpanState::Unknown,
    };
    trace.begin(place, opened, name, state);
    if let Some(known_from) = lane.known_from.map(nanos).filter(|from| *from > opened) {
        let name = trace.add_text("starts");
        trace.begin(place, opened, name, SpanState::Unknown);
        trace.end(place, known_from, SpanOutcome::None);
    }
    add_spans(lane, place, trace);
    if let Some((at, how)) = &lane.closed {
        let at = nanos(*at);
        trace.end(place, at, outcome(how));
        if let LaneOutcome::Failed(why) = how {
            let (lane, text) = (place, why.clone());
            marks.push(Mark { at, lane, text });
        }
    }
    Some(place)
}

/// Adds what a lane slept and waited, within the span that is open there.
fn add_spans(lane: &Lane, place: trace::LaneId, trace: &mut Trace) {
    // The ends of those that are open, outermost first; `None` for one that goes on.
    let mut open: Vec<Option<u64>> = Vec::new();
    for span in &lane.spans {
        let began = nanos(span.began);
        while let Some(&Some(ended)) = open.last()
            && ended <= began
        {
            trace.end(place, ended, SpanOutcome::None);
            open.pop();
        }
        let state = match span.activity {
            Activity::Sleeps => SpanState::Sleeps,
            Activity::Waits => SpanState::Waits,
        };
        let name = match span.label.as_str() {
            "" => state.title(),
            label => label,
        };
        let name = trace.add_text(name);
        trace.begin(place, began, name, state);
        open.push(lane.end_of(span).map(nanos));
    }
    while let Some(Some(ended)) = open.pop() {
        trace.end(place, ended, SpanOutcome::None);
    }
}

fn outcome(how: &LaneOutcome) -> SpanOutcome {
    match how {
        LaneOutcome::Returned => SpanOutcome::Returned,
        LaneOutcome::Panicked => SpanOutcome::Panicked,
        LaneOutcome::Failed(why) if why == "cancelled" || why == "stopped" => {
            SpanOutcome::Cancelled
        }
        LaneOutcome::Failed(_) => SpanOutcome::Failed,
    }
}
