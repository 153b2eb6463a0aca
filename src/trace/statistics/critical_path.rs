//! What the end of a group hung on.

use std::collections::HashMap;

use super::waits;
use crate::trace::{FlowKind, Group, GroupId, Lane, LaneId, LaneKind, Span, SpanId, Trace};

/// The steps that are kept at most.
const MAX_STEPS: usize = 10_000;
/// Spans within so many others count as part of the one around them.
const MAX_DEPTH: usize = 256;

/// The spans and waits that the end of a group hung on: had one of them been shorter, the end might have been earlier.
///
/// It is found from the end back, as tools for parallel programs do: C.-Q. Yang and B. P. Miller, "Critical Path Analysis
/// for the Execution of Parallel and Distributed Programs", ICDCS 1988; D. Böhme et al., "Scalable Critical-Path Based
/// Performance Analysis", IPDPS 2012. The rule:
///
/// 1. It begins with the lane whose span ended last.
/// 2. It goes back in that lane, over what the lane did, to the last flow into it that *binds*: one whose origin is no
///    earlier than the last begin or end in the lane before it arrived. Else something in the lane itself held it up.
/// 3. There it goes over to the lane that the flow came from, and on as before.
/// 4. Where a lane has no span, it is what the whole group did then, such as to look for items; else it is a wait.
///
/// So every moment of the group belongs to one step, and the steps add up to the elapsed time. Of spans within each other
/// the innermost one has the time. What a lane waits for without a flow is not known, and is a wait of that lane.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CriticalPath {
    /// In the order of their begins; of very many, the longest ones.
    pub steps: Vec<Step>,
    /// The time of all steps in which something ran, and of those that waited, in nanoseconds.
    pub busy: u64,
    pub waiting: u64,
    /// The number of shorter steps that were left out, and their time.
    pub left_out: usize,
    pub left_out_time: u64,
}

/// A part of a critical path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub lane: LaneId,
    /// `None` where the lane has none.
    pub span: Option<SpanId>,
    pub began: u64,
    pub ended: u64,
    /// Its time without that of spans within it.
    pub took: u64,
    pub waits: bool,
}

impl CriticalPath {
    pub(super) fn of(trace: &Trace, group: &Group, id: GroupId, within: (u64, u64)) -> Self {
        let mut walk = Walk {
            group,
            id,
            within,
            whole: group
                .lanes(id)
                .find(|(_, lane)| lane.kind == LaneKind::Whole),
            flows: flows_into(trace, id),
            steps: Vec::new(),
        };
        walk.run();
        Self::new(walk.steps)
    }

    fn new(mut steps: Vec<Step>) -> Self {
        let mut path = Self::default();
        steps.retain(|step| step.took > 0);
        for step in &steps {
            let part = if step.waits {
                &mut path.waiting
            } else {
                &mut path.busy
            };
            *part += step.took;
        }
        if steps.len() > MAX_STEPS {
            steps.select_nth_unstable_by_key(MAX_STEPS, |step| std::cmp::Reverse(step.took));
            let short = steps.split_off(MAX_STEPS);
            path.left_out = short.len();
            path.left_out_time = short.iter().map(|step| step.took).sum();
        }
        steps.sort_by_key(|step| (step.began, std::cmp::Reverse(step.ended)));
        path.steps = steps;
        path
    }

    /// The steps, the longest one first.
    pub fn longest_first(&self) -> Vec<Step> {
        let mut steps = self.steps.clone();
        steps.sort_by_key(|step| std::cmp::Reverse(step.took));
        steps
    }
}

/// A flow into a lane.
#[derive(Clone, Copy)]
struct Arrival {
    kind: FlowKind,
    at: u64,
    from: (LaneId, u64),
}

/// The flows within a group by the lane that they lead to, in the order of their times.
fn flows_into(trace: &Trace, id: GroupId) -> HashMap<LaneId, Vec<Arrival>> {
    let mut flows: HashMap<LaneId, Vec<Arrival>> = HashMap::new();
    for flow in trace.flows() {
        let is_within = flow.from.0.group == id && flow.to.0.group == id;
        // A clock that jumped can make a flow that goes back; nothing follows from that.
        if is_within && flow.from.1 <= flow.to.1 {
            flows.entry(flow.to.0).or_default().push(Arrival {
                kind: flow.kind,
                at: flow.to.1,
                from: flow.from,
            });
        }
    }
    #[expect(clippy::iter_over_hash_type, reason = "each is sorted on its own")]
    for arrivals in flows.values_mut() {
        arrivals.sort_by_key(|arrival| arrival.at);
    }
    flows
}

struct Walk<'a> {
    group: &'a Group,
    id: GroupId,
    within: (u64, u64),
    whole: Option<(LaneId, &'a Lane)>,
    flows: HashMap<LaneId, Vec<Arrival>>,
    steps: Vec<Step>,
}

impl<'a> Walk<'a> {
    fn run(&mut self) {
        let (began, mut until) = self.within;
        let Some(mut lane) = self.last_lane() else {
            return;
        };
        while until > began {
            let arrival = self.last_binding(lane, until);
            let from = arrival.map_or(began, |arrival| arrival.from.1.max(began));
            self.add_part(lane, from, until);
            let Some(arrival) = arrival else {
                return;
            };
            (lane, until) = (arrival.from.0, from);
        }
    }

    /// The lane whose span ended last, of those that do the work if there are any.
    fn last_lane(&self) -> Option<LaneId> {
        let now = self.within.1;
        let lanes = self
            .group
            .lanes(self.id)
            .filter(|(_, lane)| !lane.is_empty());
        let last = lanes.max_by_key(|(_, lane)| {
            let does_work = !matches!(lane.kind, LaneKind::Whole | LaneKind::Joins);
            (does_work, super::end_of(lane, now))
        });
        last.map(|(id, _)| id)
    }

    fn lane(&self, id: LaneId) -> Option<&'a Lane> {
        self.group.lanes.get(id.index)
    }

    /// Takes the last flow into a lane that binds.
    fn last_binding(&mut self, id: LaneId, until: u64) -> Option<Arrival> {
        let lane = self.lane(id)?;
        let arrivals = self.flows.get_mut(&id)?;
        // The path never comes back to a later time, so none is looked at twice.
        while let Some(arrival) = arrivals.pop() {
            if arrival.at <= until && arrival.from.1 >= last_change(lane, &arrival) {
                return Some(arrival);
            }
        }
        None
    }

    /// Adds what a lane did between two times.
    fn add_part(&mut self, id: LaneId, from: u64, until: u64) {
        if let Some(lane) = self.lane(id).filter(|lane| lane.kind != LaneKind::Whole) {
            let gaps = self.add_spans(id, lane, 0, (from, until));
            for (from, until) in gaps {
                self.add_gap(id, from, until);
            }
        } else {
            self.add_gap(id, from, until);
        }
    }

    /// Adds a time in which a lane has no span: what the whole group did then, and the rest as a wait.
    fn add_gap(&mut self, id: LaneId, from: u64, until: u64) {
        let gaps = match self.whole {
            // Its outermost span is the group itself.
            Some((whole, lane)) => self.add_spans(whole, lane, 1, (from, until)),
            None => vec![(from, until)],
        };
        for (began, ended) in gaps {
            self.steps.push(Step {
                lane: id,
                span: None,
                began,
                ended,
                took: ended - began,
                waits: true,
            });
        }
    }

    /// Adds the spans of a lane between two times, from this row down. Returns the times between those of that row.
    fn add_spans(
        &mut self,
        id: LaneId,
        lane: &Lane,
        first_row: usize,
        (from, until): (u64, u64),
    ) -> Vec<(u64, u64)> {
        let mut gaps = Vec::new();
        let mut free_from = from;
        // The steps of the row above.
        let mut above = self.steps.len()..self.steps.len();
        let rows = lane.rows().iter().enumerate();
        for (row, spans) in rows.skip(first_row).take(MAX_DEPTH) {
            let first_step = self.steps.len();
            let mut around = above.start;
            let first = spans.first_ending_after(from);
            for index in first..spans.len() {
                let Some(span) = spans.get(index).filter(|span| span.began() < until) else {
                    break;
                };
                let began = span.began().max(from);
                let ended = span.ended_by(until).min(until);
                if row == first_row {
                    if began > free_from {
                        gaps.push((free_from, began));
                    }
                    free_from = ended;
                }
                while above.contains(&around) && self.steps[around].ended < ended {
                    around += 1;
                }
                if above.contains(&around) {
                    self.steps[around].took -= ended - began;
                }
                let lane = id;
                self.steps.push(Step {
                    lane,
                    span: Some(SpanId { lane, row, index }),
                    began,
                    ended,
                    took: ended - began,
                    waits: waits(span.state),
                });
            }
            above = first_step..self.steps.len();
            if above.is_empty() {
                break;
            }
        }
        if until > free_from {
            gaps.push((free_from, until));
        }
        gaps
    }
}

/// The last time at which a span of a lane began or ended before a flow arrived there.
fn last_change(lane: &Lane, arrival: &Arrival) -> u64 {
    let mut last = 0;
    for row in lane.rows().iter().take(MAX_DEPTH) {
        // What is started begins at once when the one before has ended. The wait that a join ends does so with it.
        let after = match arrival.kind {
            FlowKind::Start => row.first_ending_after(arrival.at),
            FlowKind::Join => row.first_ending_after(arrival.at.saturating_sub(1)),
        };
        let before = after.checked_sub(1).and_then(|before| row.get(before));
        last = last.max(before.and_then(Span::ended).unwrap_or(0));
        match row.get(after).filter(|span| span.began() < arrival.at) {
            Some(around) => last = last.max(around.began()),
            None => break,
        }
    }
    last
}
