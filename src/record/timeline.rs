//! A timeline: what each task and process did, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The number of lanes, of spans and of messages that a timeline keeps. It counts those that it drops.
const MAX_KEPT: usize = 200_000;

/// Numbers the lanes of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LaneId(u64);

impl LaneId {
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Something that happened in a lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineEvent {
    /// The time since the timeline began.
    pub at: Duration,
    pub lane: LaneId,
    pub kind: TimelineKind,
}

/// An event in a lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimelineKind {
    /// The task or process started.
    DidOpen {
        name: String,
        kind: LaneKind,
        /// Which lane started it; `None` for the main thread, and where that is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<LaneId>,
    },
    /// From here on, the process tells what it does. A task does from its start.
    DidTell,
    /// A span began: an activity other than running.
    DidBegin { activity: Activity, label: String },
    /// The span that began last ended.
    DidEnd,
    /// The task or process reported a message.
    #[serde(rename = "said")]
    Message { text: String },
    /// The task or process ended.
    DidClose { how: LaneOutcome },
}

/// Whose lane it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneKind {
    /// A task, or the main thread.
    Task,
    Process,
}

/// An activity other than running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    Sleeps,
    /// Waiting for another task or process: a join, a receive, a lock.
    Waits,
}

/// How the task or process of a lane ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneOutcome {
    /// It returned, or exited with code 0.
    Returned,
    Panicked,
    /// Any other way, described: cancelled, an exit code, a signal.
    Failed(String),
}

/// Lanes with their spans and messages, built from [`TimelineEvent`]s.
///
/// The events of one lane are applied in order; those of different lanes may be out of order.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    lanes: Vec<Lane>,
    /// The index of each lane in `lanes`.
    indices: BTreeMap<LaneId, usize>,
    /// Which lane started another.
    started_by: BTreeMap<LaneId, LaneId>,
    messages: Vec<Message>,
    spans: usize,
    dropped: usize,
    last_event_at: Duration,
}

/// One task or process.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    pub id: LaneId,
    pub name: String,
    pub kind: LaneKind,
    pub opened: Duration,
    /// Since when it tells what it does; `None` for a process that never does. Before that nobody knows
    /// whether it runs or waits.
    pub known_from: Option<Duration>,
    /// When and how it ended.
    pub closed: Option<(Duration, LaneOutcome)>,
    /// Its spans, in the order in which they began. A nested span follows the one around it.
    pub spans: Vec<Span>,
    /// The spans that have not ended, as indices; `None` for a dropped one.
    open: Vec<Option<usize>>,
}

/// A time during which a task or process did not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub activity: Activity,
    pub label: String,
    pub began: Duration,
    pub ended: Option<Duration>,
}

/// A message of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The number of messages that were applied before it, which may have a later time.
    pub number: usize,
    pub at: Duration,
    /// The lane that reported it.
    pub lane: LaneId,
    pub text: String,
}

impl Timeline {
    /// Applies one event. Ignores events of a lane that has not opened, and opening one again.
    pub fn apply(&mut self, event: TimelineEvent) {
        self.last_event_at = self.last_event_at.max(event.at);
        if let TimelineKind::DidOpen { name, kind, by } = event.kind {
            if !self.has(event.lane) {
                self.open(event.lane, name, kind, event.at);
                self.started_by.extend(by.map(|by| (event.lane, by)));
            }
            return;
        }
        let Some(&index) = self.indices.get(&event.lane) else {
            return;
        };
        let lane = &mut self.lanes[index];
        match event.kind {
            TimelineKind::DidOpen { .. } => {}
            TimelineKind::DidTell => drop(lane.known_from.get_or_insert(event.at)),
            TimelineKind::DidBegin { activity, label } => {
                if self.spans == MAX_KEPT {
                    self.dropped += 1;
                    lane.open.push(None);
                } else {
                    self.spans += 1;
                    lane.begin(activity, label, event.at);
                }
            }
            TimelineKind::DidEnd => lane.end(event.at),
            TimelineKind::Message { text } => self.add_message(event.at, event.lane, text),
            TimelineKind::DidClose { how } => lane.closed = Some((event.at, how)),
        }
    }

    /// The lanes, in the order in which they opened.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// The first lane of that name.
    pub fn lane(&self, name: &str) -> Option<&Lane> {
        self.lanes.iter().find(|lane| lane.name == name)
    }

    /// Whether that lane has opened.
    pub fn has(&self, id: LaneId) -> bool {
        self.indices.contains_key(&id)
    }

    /// The name of that lane; empty if it has not opened.
    pub fn name(&self, id: LaneId) -> &str {
        let index = self.indices.get(&id);
        index.map_or("", |&index| &self.lanes[index].name)
    }

    /// The lane that started this one, if that is known.
    pub fn starter(&self, id: LaneId) -> Option<LaneId> {
        self.started_by.get(&id).copied()
    }

    /// The messages, in the order of their times.
    pub fn messages(&self) -> &[Message] {
        &self.messages
    }

    /// The latest time of any event.
    pub fn last_event_at(&self) -> Duration {
        self.last_event_at
    }

    /// The number of lanes, spans and messages that were dropped because of the limit.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    fn open(&mut self, id: LaneId, name: String, kind: LaneKind, at: Duration) {
        if self.lanes.len() == MAX_KEPT {
            self.dropped += 1;
            return;
        }
        let index = self.lanes.partition_point(|lane| lane.opened <= at);
        for moved in &self.lanes[index..] {
            self.indices.entry(moved.id).and_modify(|index| *index += 1);
        }
        self.indices.insert(id, index);
        self.lanes.insert(
            index,
            Lane {
                id,
                name,
                kind,
                opened: at,
                known_from: (kind == LaneKind::Task).then_some(at),
                closed: None,
                spans: Vec::new(),
                open: Vec::new(),
            },
        );
    }

    fn add_message(&mut self, at: Duration, lane: LaneId, text: String) {
        if self.messages.len() == MAX_KEPT {
            self.dropped += 1;
            return;
        }
        let index = self.messages.partition_point(|message| message.at <= at);
        let message = Message {
            number: self.messages.len(),
            at,
            lane,
            text,
        };
        self.messages.insert(index, message);
    }
}

impl Lane {
    fn begin(&mut self, activity: Activity, label: String, at: Duration) {
        self.open.push(Some(self.spans.len()));
        self.spans.push(Span {
            activity,
            label,
            began: at,
            ended: None,
        });
    }

    fn end(&mut self, at: Duration) {
        if let Some(Some(open)) = self.open.pop() {
            self.spans[open].ended = Some(at);
        }
    }

    /// When a span ended, at the latest with its lane; `None` while both go on.
    pub fn end_of(&self, span: &Span) -> Option<Duration> {
        let closed = self.closed.as_ref().map(|(at, _)| *at);
        span.ended.or(closed)
    }

    /// The total time of an activity, without spans that have not ended.
    pub fn time_in(&self, activity: Activity) -> Duration {
        let spans = self.spans.iter().filter(|span| span.activity == activity);
        spans
            .filter_map(|span| Some(self.end_of(span)?.saturating_sub(span.began)))
            .fold(Duration::ZERO, Duration::saturating_add)
    }
}
