//! Writes a trace.

use std::io::{self, Write};

use serde::Serialize;

use super::VERSION;
use super::collect::FRAME_TIME;
use crate::trace::{FlowKind, GroupId, Lane, LaneId, Span, SpanName, SpanOutcome, Trace};

/// Writes a trace as one JSON object:
///
/// | field | value |
/// |---|---|
/// | `meanwhile` | `version`: 1 |
/// | `dropped` | the number of spans, lanes, flows and marks that there was no room for |
/// | `displayTimeUnit` | `ms` |
/// | `traceEvents` | the events, one a line |
///
/// A group is a process there, and a lane a thread whose number is its place among all lanes, from 1. A span is a
/// complete event (`X`), with its state, its outcome and the number of its item in `args`. Spans of a lane lie in each
/// other or follow each other, so no reader has to leave one out. A span that goes on ends with the trace and has
/// `open` in `args`. Flows are events `s` and `f`, marks are instants (`i`), and the times of frames a counter (`C`)
/// like those of groups, of whose values those are left out that are too close to others.
/// Begins are microseconds with three decimals, hence exact. Lengths are shorter by a fraction of a nanosecond, so that
/// no rounding makes spans overlap, and spans that take no time are longer by such a fraction, so that they have an end
/// after their begin.
///
/// # Errors
/// Those of `out`.
pub fn write_chrome(trace: &Trace, mut out: impl Write) -> io::Result<()> {
    let dropped = trace.dropped();
    writeln!(
        out,
        r#"{{"meanwhile":{{"version":{VERSION}}},"dropped":{dropped},"displayTimeUnit":"ms","traceEvents":["#
    )?;
    let mut events = Events {
        out: &mut out,
        is_first: true,
    };
    for (place, (id, group)) in trace.groups().enumerate() {
        let about = |args| Event {
            args: Some(args),
            ..Event::new("M", id, 0)
        };
        events.write(&Event {
            name: "process_name".into(),
            ..about(Args::name(&group.name))
        })?;
        events.write(&Event {
            name: "process_sort_index".into(),
            ..about(Args::sort_index(place))
        })?;
    }
    for (number, (id, lane)) in (1..).zip(trace.lanes()) {
        write_lane(trace, id, lane, number, &mut events)?;
    }
    write_flows(trace, &mut events)?;
    for mark in trace.marks() {
        events.write(&Event {
            name: mark.text.as_str().into(),
            ts: Some(Micros(mark.at)),
            s: Some("t"),
            ..Event::new("i", mark.lane.group, number_of(trace, mark.lane))
        })?;
    }
    let window = GroupId::new(0);
    for frame in trace.frames().iter() {
        events.write(&Event {
            name: FRAME_TIME.into(),
            ts: Some(Micros(frame.at)),
            args: Some(Args {
                took: Some(frame.took as f64 / 1e6),
                ..Args::default()
            }),
            // The arguments of a counter are numbers.
            cause: trace.frames().cause(frame),
            ..Event::new("C", window, 0)
        })?;
    }
    write_counters(trace, &mut events)?;
    out.write_all(b"\n]}\n")
}

struct Events<'a, W> {
    out: &'a mut W,
    is_first: bool,
}

impl<W: Write> Events<'_, W> {
    fn write(&mut self, event: &Event<'_>) -> io::Result<()> {
        if !std::mem::take(&mut self.is_first) {
            self.out.write_all(b",\n")?;
        }
        serde_json::to_writer(&mut *self.out, event)?;
        Ok(())
    }
}

/// One event. The names of its fields are those of the format.
#[derive(Serialize)]
struct Event<'a> {
    ph: &'static str,
    pid: u64,
    tid: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<Micros>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<Length>,
    name: std::borrow::Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    /// Of the end of a flow: it is that of the span around its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'static str>,
    /// Of an instant: what it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    /// Of a frame: what asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Args<'a>>,
}

#[derive(Default, Serialize)]
struct Args<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    took: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<u64>,
}

impl<'a> Args<'a> {
    fn name(name: &'a str) -> Self {
        Self {
            name: Some(name),
            ..Self::default()
        }
    }

    fn sort_index(place: usize) -> Self {
        Self {
            sort_index: Some(place),
            ..Self::default()
        }
    }
}

impl Event<'_> {
    fn new(ph: &'static str, group: GroupId, tid: usize) -> Self {
        Self {
            ph,
            pid: group.get(),
            tid,
            ts: None,
            dur: None,
            name: "".into(),
            cat: None,
            id: None,
            bp: None,
            s: None,
            cause: None,
            args: None,
        }
    }
}

/// By how many picoseconds spans are written shorter or longer at most: less than half a nanosecond, so that they are
/// read as they were.
///
/// Other programs add the begin and the length as floating-point numbers. The sum may be a little after the begin of the
/// next span or the end of the one around, and then speedscope takes one for the inside of the other
/// (`findings/speedscope-touching-events.sh`). Those of a lower row are shorter by more.
///
/// Of a span that takes no time and begins with another one, speedscope looks for the end before it has begun
/// (`findings/speedscope-empty-event.sh`), so such a span takes a moment.
const MAX_EARLY_PICOS: usize = 400;

/// A length as microseconds.
struct Length {
    nanos: u64,
    /// By how many picoseconds it is written shorter, less than the most. That of no time is longer by the rest.
    early: u64,
}

impl Serialize for Length {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let whole = match self.nanos {
            0 => MAX_EARLY_PICOS as u128,
            nanos => u128::from(nanos) * 1_000,
        };
        let picos = whole - u128::from(self.early);
        decimal(
            &format!("{}.{:06}", picos / 1_000_000, picos % 1_000_000),
            serializer,
        )
    }
}

/// A time as microseconds.
struct Micros(u64);

impl Serialize for Micros {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format!("{}.{:03}", self.0 / 1_000, self.0 % 1_000);
        decimal(&text, serializer)
    }
}

/// Writes a number with just these digits.
fn decimal<S: serde::Serializer>(digits: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let number = serde_json::value::RawValue::from_string(digits.to_owned());
    number
        .map_err(serde::ser::Error::custom)?
        .serialize(serializer)
}

fn write_lane<W: Write>(
    trace: &Trace,
    id: LaneId,
    lane: &Lane,
    number: usize,
    events: &mut Events<'_, W>,
) -> io::Result<()> {
    events.write(&Event {
        name: "thread_name".into(),
        args: Some(Args {
            kind: Some(lane.kind.label()),
            ..Args::name(&lane.name)
        }),
        ..Event::new("M", id.group, number)
    })?;
    events.write(&Event {
        name: "thread_sort_index".into(),
        args: Some(Args::sort_index(id.index)),
        ..Event::new("M", id.group, number)
    })?;
    let rows = lane.rows().len();
    for (depth, row) in (1..).zip(lane.rows()) {
        for span in row.iter() {
            let early = MAX_EARLY_PICOS * depth / (rows + 1);
            write_span(trace, id.group, number, span, early as u64, events)?;
        }
    }
    Ok(())
}

fn write_span<W: Write>(
    trace: &Trace,
    group: GroupId,
    lane: usize,
    span: &Span,
    early: u64,
    events: &mut Events<'_, W>,
) -> io::Result<()> {
    let ended = span.ended_by(trace.last_at());
    let item = match span.name {
        SpanName::Item(number) => Some(number),
        SpanName::Text(_) => None,
    };
    events.write(&Event {
        name: trace.name(group, span.name),
        ts: Some(Micros(span.began())),
        dur: Some(Length {
            nanos: ended - span.began(),
            early,
        }),
        cat: Some(if item.is_some() { "item" } else { "span" }),
        args: Some(Args {
            state: Some(span.state.label()),
            outcome: (span.outcome != SpanOutcome::None).then(|| span.outcome.label()),
            item,
            open: span.ended().is_none().then_some(true),
            ..Args::default()
        }),
        ..Event::new("X", group, lane)
    })
}

/// Writes the values of counters, as far as they are kept.
fn write_counters<W: Write>(trace: &Trace, events: &mut Events<'_, W>) -> io::Result<()> {
    for (id, group) in trace.groups() {
        for (_, counter) in group.counters(id) {
            for point in counter.points() {
                events.write(&Event {
                    name: counter.name.as_str().into(),
                    ts: Some(Micros(point.at)),
                    args: Some(Args {
                        value: Some(point.value),
                        ..Args::default()
                    }),
                    ..Event::new("C", id, 0)
                })?;
            }
        }
    }
    Ok(())
}

fn write_flows<W: Write>(trace: &Trace, events: &mut Events<'_, W>) -> io::Result<()> {
    for (id, flow) in trace.flows().iter().enumerate() {
        let (name, cat) = match flow.kind {
            FlowKind::Start => ("start", "start"),
            FlowKind::Join => ("join", "join"),
        };
        for (ph, (lane, at), bp) in [("s", flow.from, None), ("f", flow.to, Some("e"))] {
            events.write(&Event {
                name: name.into(),
                ts: Some(Micros(at)),
                cat: Some(cat),
                id: Some(id),
                bp,
                ..Event::new(ph, lane.group, number_of(trace, lane))
            })?;
        }
    }
    Ok(())
}

/// The place of a lane among all, from 1; 0 if there is no such lane.
fn number_of(trace: &Trace, id: LaneId) -> usize {
    let before = trace.groups().take_while(|(group, _)| *group < id.group);
    let before: usize = before.map(|(_, group)| group.lane_count()).sum();
    trace.lane(id).map_or(0, |_| before + id.index + 1)
}
