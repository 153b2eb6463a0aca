//! Traces as this program makes its own: by calls, in any order.

use arbitrary::Arbitrary;

use crate::trace::{
    CounterId, Flow, FlowKind, Frame, GroupId, LaneId, LaneKind, Mark, Row, Span, SpanId, SpanName,
    SpanOutcome, SpanState, Trace,
};

/// A call. Groups, lanes, spans and names are among those that there are, by numbers that may be too high.
#[derive(Arbitrary, Debug)]
pub enum Op {
    Group(u8, u8),
    Lane(u8, u8),
    Item(u8, u8),
    Counter(u8, u8),
    Begin(u8, At, u8, u8),
    End(u8, At, u8),
    Conclude(u8, At, u8),
    Add(u8, At, u16, u8, u8),
    Flow(u8, At, u8, At),
    Mark(u8, At, u8),
    Frame(At, u32),
    Count(u8, At, u8),
    Remove(u8),
}

/// A time: most are near each other.
#[derive(Arbitrary, Debug, Clone, Copy)]
pub enum At {
    Near(u8),
    Far(u32),
    /// In seconds: up to a hundred years.
    Seconds(u32),
}

impl At {
    fn nanos(self) -> u64 {
        match self {
            Self::Near(at) => at.into(),
            Self::Far(at) => at.into(),
            Self::Seconds(at) => u64::from(at % 3_000_000_000) * 1_000_000_000 + 1,
        }
    }
}

const NAMES: [&str; 6] = ["", "a", "b", "=1+\"x\"", "Ä\n\u{1f600}", "#1 c"];

fn text(number: u8) -> &'static str {
    NAMES[usize::from(number) % NAMES.len()]
}

#[derive(Default)]
struct Maker {
    trace: Trace,
    lanes: Vec<LaneId>,
    spans: Vec<SpanId>,
    counters: Vec<CounterId>,
}

/// The trace that these calls make.
pub fn made(ops: &[Op]) -> Trace {
    let mut maker = Maker::default();
    for op in ops {
        maker.call(op);
    }
    maker.trace
}

fn group(number: u8) -> GroupId {
    GroupId::new((number % 4).into())
}

fn outcome(number: u8) -> SpanOutcome {
    SpanOutcome::ALL[usize::from(number) % SpanOutcome::ALL.len()]
}

impl Maker {
    fn lane(&self, number: u8) -> LaneId {
        let none = LaneId {
            group: group(3),
            index: 9,
        };
        let place = usize::from(number) % self.lanes.len().max(1);
        self.lanes.get(place).copied().unwrap_or(none)
    }

    /// The name and the state of a span.
    fn named(&mut self, name: u8, state: u8) -> (SpanName, SpanState) {
        let state = SpanState::ALL[usize::from(state) % SpanState::ALL.len()];
        let name = if name > 127 {
            SpanName::Item(u32::from(name % 8))
        } else {
            self.trace.add_text(text(name))
        };
        (name, state)
    }

    fn call(&mut self, op: &Op) {
        match *op {
            Op::Group(id, name) => self.trace.add_group(group(id), text(name)),
            Op::Lane(id, kind) => {
                let kind = LaneKind::ALL[usize::from(kind) % LaneKind::ALL.len()];
                self.lanes
                    .extend(self.trace.add_lane(group(id), text(kind as u8), kind));
            }
            Op::Item(id, name) => self.trace.add_item(group(id), text(name)),
            Op::Counter(id, _) if self.counters.len() > 20 => drop(self.trace.group(group(id))),
            Op::Counter(id, name) => {
                // Two of one name would be one in a file.
                let name = format!("{} {}", text(name), self.counters.len());
                self.counters
                    .extend(self.trace.add_counter(group(id), name));
            }
            Op::Begin(lane, at, name, state) => {
                let (name, state) = self.named(name, state);
                let span = self.trace.begin(self.lane(lane), at.nanos(), name, state);
                self.spans.extend(span);
            }
            Op::End(lane, at, how) => {
                self.trace.end(self.lane(lane), at.nanos(), outcome(how));
            }
            Op::Conclude(span, at, how) => {
                let place = usize::from(span) % self.spans.len().max(1);
                if let Some(span) = self.spans.get(place) {
                    self.trace.conclude(*span, at.nanos(), outcome(how));
                }
            }
            Op::Add(lane, at, length, name, state) => {
                let lane = self.lane(lane);
                // They come in the order of their begins.
                let rows = self.trace.lane(lane).map_or(&[][..], |lane| lane.rows());
                let lasts = rows.iter().filter_map(Row::last);
                let at = lasts.map(Span::began).fold(at.nanos(), u64::max);
                let ended = at + u64::from(length);
                let (name, state) = self.named(name, state);
                let span =
                    Span::open(at, name, state).until(ended, outcome(length.to_le_bytes()[1]));
                self.spans.extend(self.trace.add(lane, span));
            }
            Op::Flow(from, at, to, until) => self.add_flow((from, at), (to, until)),
            Op::Mark(lane, at, name) => {
                let lane = self.lane(lane);
                if self.trace.lane(lane).is_some() {
                    let (at, text) = (at.nanos(), text(name).to_owned());
                    self.trace.add_mark(Mark { at, lane, text });
                }
            }
            Op::Frame(at, took) => {
                // They come one after the other.
                let last = self.trace.frames().iter().last().map_or(0, |last| last.at);
                let cause = (took % 2 == 1).then(|| text(took.to_le_bytes()[1]));
                let cause = cause.and_then(|cause| self.trace.add_frame_cause(cause));
                self.trace.add_frame(Frame {
                    at: last.max(at.nanos()),
                    took: took.into(),
                    cause,
                });
            }
            Op::Count(counter, at, value) => {
                let place = usize::from(counter) % self.counters.len().max(1);
                if let Some(counter) = self.counters.get(place) {
                    self.trace.set_counter(*counter, at.nanos(), value.into());
                }
            }
            Op::Remove(id) => drop(self.trace.remove_group(group(id))),
        }
    }

    fn add_flow(&mut self, (from, at): (u8, At), (to, until): (u8, At)) {
        let (a, b) = (self.lane(from), self.lane(to));
        if self.trace.lane(a).is_some() && self.trace.lane(b).is_some() {
            let kinds = [FlowKind::Start, FlowKind::Join];
            self.trace.add_flow(Flow {
                kind: kinds[usize::from(from ^ to) % 2],
                from: (a, at.nanos()),
                to: (b, until.nanos()),
            });
        }
    }
}
