//! Collects the events of a file by process and thread, and makes a trace of them.

use std::collections::{BTreeMap, HashMap};

use super::event::{Args, Event, FAR, Ident, Micros};
use super::lanes::{ItemRoom, LaneEvents, NO_ITEM, RawSpan, add_spans, in_order, name_items};
use super::rounding::fit_rounded;
use crate::trace::{
    Flow, FlowKind, Frame, FrameCause, GroupId, LaneId, LaneKind, MAX_LANES, MAX_SPANS, Mark,
    SpanName, SpanOutcome, SpanState, Trace,
};

/// After so many events that are none, a file is no trace.
const MAX_ODD: usize = 10_000;
/// The bytes of texts that each event may have without being counted.
pub(super) const SHORT_TEXT: usize = 256;
/// The bytes that all longer texts may have together. Equal names count once.
pub(super) const MAX_TEXT: usize = 32 << 20;
/// The name of the counter that has the frames of this program's window.
pub(super) const FRAME_TIME: &str = "frame time (ms)";

/// What is said of a flow that leads nowhere.
const FLOW_WITHOUT_END: &str = "flows without an end";
/// No frame takes longer, in milliseconds: eleven days. So much is exact in a floating-point number of nanoseconds.
const MAX_FRAME_MS: f64 = 1e9;

/// The events of a file.
#[derive(Default)]
pub(super) struct Collected {
    processes: BTreeMap<Ident, Process>,
    /// The lanes in the order in which they were first seen.
    lanes: Vec<LaneEvents>,
    /// The place of a lane in `lanes`.
    places: HashMap<LaneKey, usize>,
    /// It has the texts already.
    trace: Trace,
    flows: Vec<(FlowKind, Point, Point)>,
    open_flows: HashMap<String, OpenFlow>,
    marks: Vec<(usize, i64, SpanName)>,
    frames: Vec<(i64, u64, Option<FrameCause>)>,
    /// Until when spans went on that have no end.
    open_until: Option<i64>,
    left_out: BTreeMap<&'static str, usize>,
    count: usize,
    odd: usize,
    /// The bytes of the texts that are not short.
    text: usize,
}

/// The place of a lane, and a time there.
type Point = (usize, i64);

/// The last event of a flow that goes on.
struct OpenFlow {
    from: Point,
    /// Whether something leads to it, so it has not been for nothing.
    is_reached: bool,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct LaneKey {
    process: Ident,
    /// The thread, or what asynchronous events are called.
    lane: String,
    is_async: bool,
}

#[derive(Default)]
struct Process {
    name: Option<String>,
    sort_index: i64,
    lanes: Vec<usize>,
    /// The values of its counters, with their times.
    counters: BTreeMap<String, Vec<(i64, u64)>>,
}

impl Collected {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn has_left_out(&self) -> bool {
        !self.left_out.is_empty()
    }

    /// Whether there were many things and none was an event.
    pub(super) fn is_hopeless(&self) -> bool {
        self.count == 0 && self.odd >= MAX_ODD
    }

    pub(super) fn leave_out(&mut self, what: &'static str) {
        self.odd += 1;
        *self.left_out.entry(what).or_default() += 1;
    }

    pub(super) fn add(&mut self, event: &Event<'_>) {
        let at = event.ts.map(|Micros(at)| at);
        let name = event.name.as_deref().unwrap_or("");
        let new = |name: &str| {
            if self.trace.has_text(name) {
                0
            } else {
                name.len()
            }
        };
        let text = event.text_len() + new(name);
        if !self.has_room_for(text) {
            return;
        }
        match (&*event.ph, at) {
            ("M", _) => self.add_metadata(event),
            ("X", Some(at)) => self.add_complete(event, at),
            ("B", Some(at)) => self.begin(event, at, self_lane(event), String::new()),
            ("E", Some(at)) => self.end(event, at, self_lane(event), ""),
            ("b" | "S", Some(at)) => match event.key() {
                Some(key) => self.begin(event, at, async_lane(event), key),
                None => self.leave_out("asynchronous events without a number"),
            },
            ("e" | "F", Some(at)) => match event.key() {
                Some(key) => self.end(event, at, async_lane(event), &key),
                None => self.leave_out("asynchronous events without a number"),
            },
            ("s" | "t" | "f", Some(at)) => self.add_flow(event, at),
            ("i" | "I" | "R" | "n", Some(at)) => self.add_mark(event, at),
            ("C", Some(at)) if event.name.as_deref() == Some(FRAME_TIME) => {
                self.add_frame(event, at);
            }
            ("C", Some(at)) => self.add_count(event, at),
            ("C", _) => self.leave_out("counters"),
            ("P", _) => self.leave_out("samples"),
            ("N" | "O" | "D" | "v" | "V" | "c" | "(" | ")" | "T" | "p", _) => {
                self.leave_out("events about objects, memory and clocks");
            }
            (_, None) => self.leave_out("events without a time"),
            _ => self.leave_out("events of an unknown kind"),
        }
    }

    /// Whether there is room for what an event has in texts; says so if there is none.
    fn has_room_for(&mut self, text: usize) -> bool {
        if text > SHORT_TEXT {
            self.text = self.text.saturating_add(text);
            if self.text > MAX_TEXT {
                self.leave_out("events with long names that there is no room for");
                return false;
            }
        }
        true
    }

    fn add_metadata(&mut self, event: &Event<'_>) {
        self.count += 1;
        let args = event.args();
        let name = args.name.as_ref().map_or(0, |name| name.len());
        if !self.has_room_for(name) {
            return;
        }
        match event.name.as_deref() {
            Some("process_name") => {
                if let (Some(process), Some(name)) = (self.process(event), args.name) {
                    process.name = Some(name.into_owned());
                }
            }
            Some("process_sort_index") => {
                if let Some(process) = self.process(event) {
                    process.sort_index = args.sort_index.unwrap_or(0);
                }
            }
            Some("thread_name") => {
                let kind = args.kind.as_deref().and_then(LaneKind::from_label);
                if let (Some(lane), Some(name)) = (self.lane(self_lane(event)), args.name) {
                    lane.name = name.into_owned();
                    lane.kind = kind.unwrap_or(LaneKind::Thread);
                }
            }
            Some("thread_sort_index") => {
                if let Some(lane) = self.lane(self_lane(event)) {
                    lane.sort_index = args.sort_index.unwrap_or(0);
                }
            }
            _ => {}
        }
    }

    fn add_complete(&mut self, event: &Event<'_>, at: i64) {
        let args = event.args();
        if args.is_sum() {
            return self.leave_out("sums of times, which are no spans");
        }
        if event.bind_id.is_some() {
            self.leave_out("flows that are a part of a span");
        }
        let Some(place) = self.room(self_lane(event)) else {
            return;
        };
        let length = event.dur.map_or(0, |Micros(length)| length.max(0));
        let open = event.dur.is_none() || args.open;
        let until = at.saturating_add(length);
        if open {
            self.open_until = self.open_until.max(Some(until));
        }
        let ended = (!open).then_some(until);
        let span = self.span(event, &args, at);
        self.lanes[place].spans.push(RawSpan { ended, ..span });
    }

    fn begin(&mut self, event: &Event<'_>, at: i64, lane: LaneKey, key: String) {
        let Some(place) = self.room(lane) else {
            return;
        };
        let span = self.span(event, &event.args(), at);
        let lane = &mut self.lanes[place];
        lane.open.entry(key).or_default().push(lane.spans.len());
        lane.spans.push(span);
    }

    fn end(&mut self, event: &Event<'_>, at: i64, lane: LaneKey, key: &str) {
        self.count += 1;
        let outcome = event.args().outcome();
        let ended = self.lane(lane).and_then(|lane| {
            let place = lane.open.get_mut(key)?.pop()?;
            lane.spans.get_mut(place)
        });
        match ended {
            Some(span) => {
                span.ended = Some(at.max(span.began));
                span.outcome = outcome.unwrap_or(span.outcome);
            }
            None => self.leave_out("ends without a begin"),
        }
    }

    fn span(&mut self, event: &Event<'_>, args: &Args<'_>, at: i64) -> RawSpan {
        let state = args.state.as_deref().and_then(SpanState::from_label);
        let outcome = args.outcome();
        RawSpan {
            began: at,
            ended: None,
            name: self.trace.add_text(event.name.as_deref().unwrap_or("")),
            item: args.item.unwrap_or(NO_ITEM),
            state: state.unwrap_or(SpanState::Runs),
            outcome: outcome.unwrap_or(SpanOutcome::None),
        }
    }

    fn add_flow(&mut self, event: &Event<'_>, at: i64) {
        let Some(key) = event.key() else {
            return self.leave_out("flows without a number");
        };
        self.count += 1;
        let kind = match event.cat.as_deref() {
            Some("join") => FlowKind::Join,
            _ => FlowKind::Start,
        };
        let Some(place) = self.place(self_lane(event)) else {
            return;
        };
        let mut is_reached = false;
        if event.ph != "s" {
            match self.open_flows.remove(&key) {
                Some(_) if self.flows.len() == MAX_LANES => {
                    return self.leave_out("flows that there is no room for");
                }
                Some(OpenFlow { from, .. }) => {
                    self.flows.push((kind, from, (place, at)));
                    is_reached = true;
                }
                None if event.ph == "f" => self.leave_out("flows without a begin"),
                None => {}
            }
        }
        if event.ph != "f" {
            if self.open_flows.len() == MAX_LANES {
                return self.leave_out("flows that there is no room for");
            }
            let from = (place, at);
            let before = self.open_flows.insert(key, OpenFlow { from, is_reached });
            if before.is_some_and(|before| !before.is_reached) {
                self.leave_out(FLOW_WITHOUT_END);
            }
        }
    }

    /// Counts the flows that nothing has ended.
    fn leave_out_open_flows(&mut self) {
        let open = std::mem::take(&mut self.open_flows);
        for flow in open.into_values() {
            if !flow.is_reached {
                self.leave_out(FLOW_WITHOUT_END);
            }
        }
    }

    fn add_mark(&mut self, event: &Event<'_>, at: i64) {
        self.count += 1;
        if self.marks.len() == MAX_LANES {
            return self.leave_out("instants that there is no room for");
        }
        // Each has a copy of its name.
        let name = event.name.as_ref().map_or(0, |name| name.len());
        if !self.has_room_for(name) {
            return;
        }
        if let Some(place) = self.place(self_lane(event)) {
            let text = self.trace.add_text(event.name.as_deref().unwrap_or(""));
            self.marks.push((place, at, text));
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates"
    )]
    fn add_frame(&mut self, event: &Event<'_>, at: i64) {
        self.count += 1;
        let took = event.args().took.unwrap_or(0.0).min(MAX_FRAME_MS);
        // As many as a trace keeps come back; more are of another program.
        if self.frames.len() < MAX_LANES {
            let cause = event.frame_cause();
            let cause = cause.and_then(|cause| self.trace.add_frame_cause(&cause));
            self.frames.push((at, (took * 1e6).round() as u64, cause));
        }
    }

    /// Adds a value of a counter that has one.
    fn add_count(&mut self, event: &Event<'_>, at: i64) {
        let Some(value) = event.counter_value() else {
            return self.leave_out("counters");
        };
        self.count += 1;
        if self.count > MAX_SPANS {
            return self.leave_out("counters");
        }
        let name = event.name.as_deref().unwrap_or("").to_owned();
        if let Some(process) = self.process(event) {
            process.counters.entry(name).or_default().push((at, value));
        }
    }

    fn process(&mut self, event: &Event<'_>) -> Option<&mut Process> {
        let id = process_of(event);
        if self.processes.len() == MAX_LANES && !self.processes.contains_key(&id) {
            self.leave_out("processes that there is no room for");
            return None;
        }
        Some(self.processes.entry(id).or_default())
    }

    /// The place of a lane, with room for another span.
    fn room(&mut self, key: LaneKey) -> Option<usize> {
        if self.count >= MAX_SPANS {
            self.leave_out("spans that there is no room for");
            return None;
        }
        self.count += 1;
        self.place(key)
    }

    fn lane(&mut self, key: LaneKey) -> Option<&mut LaneEvents> {
        let place = self.place(key)?;
        self.lanes.get_mut(place)
    }

    fn place(&mut self, key: LaneKey) -> Option<usize> {
        if let Some(place) = self.places.get(&key) {
            return Some(*place);
        }
        if self.lanes.len() == MAX_LANES {
            self.leave_out("threads that there is no room for");
            return None;
        }
        // Each has copies of its name, which other lanes may have, too.
        if !self.has_room_for(key.lane.len()) {
            return None;
        }
        let place = self.lanes.len();
        self.lanes.push(LaneEvents {
            name: if key.is_async {
                key.lane.clone()
            } else {
                format!("Thread {}", key.lane)
            },
            kind: LaneKind::Thread,
            is_async: key.is_async,
            sort_index: 0,
            spans: Vec::new(),
            open: HashMap::new(),
        });
        let process = self.processes.entry(key.process.clone()).or_default();
        process.lanes.push(place);
        self.places.insert(key, place);
        Some(place)
    }

    /// Makes the trace. The times of a file of another program are counted from its first event.
    pub(super) fn into_trace(mut self, is_own: bool, notes: &mut Vec<String>) -> Trace {
        let begins = self
            .lanes
            .iter()
            .flat_map(|lane| &lane.spans)
            .map(|span| span.began);
        let marks = self.marks.iter().map(|(_, at, _)| *at);
        let origin = if is_own {
            0
        } else {
            begins.chain(marks).min().unwrap_or(0)
        };
        // No later than what can be read again.
        let relative = |at: i64| at.saturating_sub(origin).clamp(0, FAR);
        let since = |at: i64| relative(at).unsigned_abs();
        let mut trace = std::mem::take(&mut self.trace);
        let mut ids: HashMap<usize, LaneId> = HashMap::new();
        let mut room = ItemRoom::default();
        let mut processes: Vec<_> = std::mem::take(&mut self.processes).into_iter().collect();
        processes.sort_by_key(|(_, process)| process.sort_index);
        let (mut overlapping, mut rounded) = (0, 0);
        let mut free = 0;
        for (pid, mut process) in processes {
            let own = is_own.then(|| pid.0.parse().ok()).flatten();
            let group = new_group(own, &mut free, &trace);
            let name = process.name.unwrap_or_else(|| format!("Process {}", pid.0));
            trace.add_group(group, name);
            add_counters(
                std::mem::take(&mut process.counters),
                group,
                &since,
                &mut trace,
            );
            process
                .lanes
                .sort_by_key(|place| self.lanes[*place].sort_index);
            if is_own {
                name_items(
                    &mut self.lanes,
                    &process.lanes,
                    group,
                    &mut room,
                    &mut trace,
                );
            }
            for place in process.lanes {
                let lane = &mut self.lanes[place];
                let Some(id) = trace.add_lane(group, lane.name.as_str(), lane.kind) else {
                    continue;
                };
                ids.insert(place, id);
                lane.count_from(&relative);
                in_order(&mut lane.spans);
                if !is_own && !lane.is_async {
                    rounded += fit_rounded(&mut lane.spans);
                }
                overlapping += add_spans(lane, id, &mut trace);
            }
        }
        if let Some(until) = self.open_until {
            trace.note_time(since(until));
        }
        self.leave_out_open_flows();
        for (kind, from, to) in self.flows {
            if let (Some(a), Some(b)) = (ids.get(&from.0), ids.get(&to.0)) {
                let (from, to) = ((*a, since(from.1)), (*b, since(to.1)));
                trace.add_flow(Flow { kind, from, to });
            }
        }
        for (place, at, text) in self.marks {
            if let Some(lane) = ids.get(&place) {
                let text = trace.name(lane.group, text).into_owned();
                trace.add_mark(Mark {
                    at: since(at),
                    lane: *lane,
                    text,
                });
            }
        }
        self.frames.sort_by_key(|(at, ..)| *at);
        for (at, took, cause) in self.frames {
            trace.add_frame(Frame {
                at: since(at),
                took,
                cause,
            });
        }
        if overlapping > 0 {
            *self
                .left_out
                .entry("spans that overlap too many others")
                .or_default() += overlapping;
        }
        if rounded > 0 {
            notes.push(format!(
                "Times are rounded, so {rounded} spans were changed by up to 1 µs to lie in others or follow them."
            ));
        }
        let left_out = self.left_out.iter();
        notes.extend(left_out.map(|(what, count)| format!("Left out: {count} {what}.")));
        trace
    }
}

/// The group of a process: its own number, or from `free` on the first one that no other group has.
fn new_group(own: Option<u64>, free: &mut u64, trace: &Trace) -> GroupId {
    let is_free = |id: &GroupId| trace.group(*id).is_none();
    if let Some(own) = own.map(GroupId::new).filter(is_free) {
        return own;
    }
    while !is_free(&GroupId::new(*free)) {
        *free += 1;
    }
    GroupId::new(*free)
}

fn add_counters(
    counters: BTreeMap<String, Vec<(i64, u64)>>,
    group: GroupId,
    since: &dyn Fn(i64) -> u64,
    trace: &mut Trace,
) {
    for (name, mut values) in counters {
        let Some(counter) = trace.add_counter(group, name) else {
            continue;
        };
        // Of two at one time, the later one holds.
        values.sort_by_key(|(at, _)| *at);
        for (at, value) in values {
            trace.set_counter(counter, since(at), value);
        }
    }
}

fn process_of(event: &Event<'_>) -> Ident {
    event.pid.clone().unwrap_or_else(|| Ident(String::new()))
}

fn self_lane(event: &Event<'_>) -> LaneKey {
    LaneKey {
        process: process_of(event),
        lane: event
            .tid
            .as_ref()
            .map_or_else(String::new, |tid| tid.0.clone()),
        is_async: false,
    }
}

fn async_lane(event: &Event<'_>) -> LaneKey {
    LaneKey {
        process: process_of(event),
        lane: event
            .name
            .as_deref()
            .or(event.cat.as_deref())
            .unwrap_or("")
            .to_owned(),
        is_async: true,
    }
}
