//! Who did what, when: lanes of spans along the time.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// More lanes, spans or sayings than this in one timeline are counted and not kept.
const KEPT: usize = 200_000;

/// Numbers the lanes of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LaneId(pub u64);

/// Something that happened in a lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineEvent {
    /// When, since the timeline began.
    pub at: Duration,
    /// In which lane.
    pub lane: LaneId,
    /// What.
    pub kind: TimelineKind,
}

/// What can happen in a lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimelineKind {
    /// Somebody began to run.
    DidOpen {
        /// Who.
        name: String,
        /// What they are.
        kind: LaneKind,
    },
    /// They began to do something else than running.
    DidBegin {
        /// What.
        activity: Activity,
        /// In words.
        label: String,
    },
    /// They ended what they had begun last.
    DidEnd,
    /// They said something.
    Said {
        /// What.
        text: String,
    },
    /// They ended.
    DidClose {
        /// How.
        how: LaneEnd,
    },
}

/// What a lane is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneKind {
    /// A task, or the thread that it all began on.
    Task,
    /// A child process.
    Process,
}

/// What is done instead of running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// Nothing, on purpose.
    Sleeps,
    /// Nothing, until somebody else has come so far: a join, a receive, a lock.
    Waits,
}

/// How the owner of a lane ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneEnd {
    /// As it was meant to.
    Returned,
    /// It panicked.
    Panicked,
    /// Otherwise: cancelled, with an exit code that says so, or by a signal.
    Failed(String),
}

/// Lanes and what was said in them, built from [`TimelineEvent`]s.
///
/// Events of one lane come in their order; those of several may come late.
///
/// ```
/// use meanwhile::record::{Activity, LaneEnd, LaneId, LaneKind, Timeline, TimelineEvent, TimelineKind};
/// use std::time::Duration;
///
/// let mut timeline = Timeline::default();
/// let mut tell = |millis, kind| {
///     let at = Duration::from_millis(millis);
///     timeline.apply(TimelineEvent { at, lane: LaneId(7), kind });
/// };
/// tell(10, TimelineKind::DidOpen { name: "worker".to_owned(), kind: LaneKind::Task });
/// tell(20, TimelineKind::DidBegin { activity: Activity::Sleeps, label: "1 s".to_owned() });
/// tell(90, TimelineKind::DidEnd);
/// tell(95, TimelineKind::Said { text: "done".to_owned() });
/// tell(99, TimelineKind::DidClose { how: LaneEnd::Returned });
///
/// let lane = timeline.lane("worker").unwrap();
/// assert_eq!(lane.time_in(Activity::Sleeps), Duration::from_millis(70));
/// assert_eq!(timeline.said()[0].text, "done");
/// assert_eq!(timeline.until(), Duration::from_millis(99));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    lanes: Vec<Lane>,
    places: BTreeMap<LaneId, usize>,
    said: Vec<Said>,
    spans: usize,
    left_out: usize,
    until: Duration,
}

/// One who runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// Its number.
    pub id: LaneId,
    /// Who.
    pub name: String,
    /// What it is of.
    pub kind: LaneKind,
    /// When they began.
    pub opened: Duration,
    /// When and how they ended.
    pub closed: Option<(Duration, LaneEnd)>,
    /// What they did instead of running, in the order of its begin. What was begun inside of
    /// something else follows it.
    pub spans: Vec<Span>,
    /// The spans that have not ended; `None` for one that was not kept.
    open: Vec<Option<usize>>,
}

/// A time in which a lane did not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What was done.
    pub activity: Activity,
    /// In words.
    pub label: String,
    /// From when.
    pub began: Duration,
    /// Until when, if it has ended.
    pub ended: Option<Duration>,
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// How many sayings had come here before it; those of other processes may come late.
    pub number: usize,
    /// When.
    pub at: Duration,
    /// By whom.
    pub lane: LaneId,
    /// What.
    pub text: String,
}

impl Timeline {
    /// Adds what one event says. What is said of a lane that never opened is ignored, and so is the
    /// second opening of one.
    pub fn apply(&mut self, event: TimelineEvent) {
        self.until = self.until.max(event.at);
        if let TimelineKind::DidOpen { name, kind } = event.kind {
            if !self.has(event.lane) {
                self.open(event.lane, name, kind, event.at);
            }
            return;
        }
        let Some(&place) = self.places.get(&event.lane) else {
            return;
        };
        let lane = &mut self.lanes[place];
        match event.kind {
            TimelineKind::DidOpen { .. } => {}
            TimelineKind::DidBegin { activity, label } => {
                if self.spans == KEPT {
                    self.left_out += 1;
                    lane.open.push(None);
                } else {
                    self.spans += 1;
                    lane.begin(activity, label, event.at);
                }
            }
            TimelineKind::DidEnd => lane.end(event.at),
            TimelineKind::Said { text } => self.say(event.at, event.lane, text),
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

    /// Whether that lane has ever opened.
    pub fn has(&self, id: LaneId) -> bool {
        self.places.contains_key(&id)
    }

    /// Whose lane it is.
    pub fn name(&self, id: LaneId) -> &str {
        self.places
            .get(&id)
            .map_or("", |&place| &self.lanes[place].name)
    }

    /// What was said, in the order of its time.
    pub fn said(&self) -> &[Said] {
        &self.said
    }

    /// The time of the last event.
    pub fn until(&self) -> Duration {
        self.until
    }

    /// How many lanes, spans and sayings were too many to be kept.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    fn open(&mut self, id: LaneId, name: String, kind: LaneKind, at: Duration) {
        if self.lanes.len() == KEPT {
            self.left_out += 1;
            return;
        }
        let place = self.lanes.partition_point(|lane| lane.opened <= at);
        for moved in &self.lanes[place..] {
            self.places.entry(moved.id).and_modify(|place| *place += 1);
        }
        self.places.insert(id, place);
        self.lanes.insert(
            place,
            Lane {
                id,
                name,
                kind,
                opened: at,
                closed: None,
                spans: Vec::new(),
                open: Vec::new(),
            },
        );
    }

    fn say(&mut self, at: Duration, lane: LaneId, text: String) {
        if self.said.len() == KEPT {
            self.left_out += 1;
            return;
        }
        let number = self.said.len();
        let place = self.said.partition_point(|said| said.at <= at);
        let said = Said {
            number,
            at,
            lane,
            text,
        };
        self.said.insert(place, said);
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

    /// When a span ended; the end of its lane ends it too.
    pub fn end_of(&self, span: &Span) -> Option<Duration> {
        let closed = self.closed.as_ref().map(|(at, _)| *at);
        span.ended.or(closed)
    }

    /// How long it was at this in all; what has not ended does not count.
    pub fn time_in(&self, activity: Activity) -> Duration {
        let spans = self.spans.iter().filter(|span| span.activity == activity);
        spans
            .filter_map(|span| Some(self.end_of(span)?.saturating_sub(span.began)))
            .sum()
    }
}
