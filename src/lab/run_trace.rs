//! The trace of runs: the frames of each window, what the UI thread waited for, the work and its result.

use std::collections::BTreeMap;

use super::fact::{Fact, LateCause, Stamped};
use super::figures::TwinOutcome;
use super::metric::Metric;
use crate::trace::{GroupId, LaneKind, Mark, Span, SpanName, SpanOutcome, SpanState, Trace};

/// The begin of a frame and that of a late one may be so far apart in the facts, though they are the same, in
/// nanoseconds.
const SAME_FRAME: u64 = 1_000_000;

/// Adds a run to a trace as a group, whose times begin with the twin:
///
/// | lane | spans |
/// |---|---|
/// | `Window` | from `Start` until the result is shown, and within that the time for which it was there, unseen |
/// | `UI thread` | the frames, and within a late one what the thread waited for; marks say why |
/// | `Work` | the work |
/// | `Because` | what [`because`](super::because()) says, if the frames do not show it |
pub fn add_run(
    trace: &mut Trace,
    (group, name): (GroupId, &str),
    metric: Metric,
    (facts, ending): (&[Stamped], &TwinOutcome),
    because: Option<&str>,
) {
    trace.add_group(group, name);
    let times = Times::of(facts);
    if let Some(started) = times.started {
        add_window(trace, group, started, &times, ending);
    }
    add_frames(trace, group, facts, ending);
    if let Some(started) = times.started {
        add_work(trace, group, started, &times);
    }
    let is_of_frames = matches!(
        metric,
        Metric::Frozen | Metric::FrameGaps | Metric::TimeToClose
    );
    if let Some(because) = because.filter(|_| !is_of_frames)
        && let Some((began, ended)) = times.of_misbehaviour(metric)
    {
        let (state, outcome) = match metric {
            Metric::TimeToResult => (SpanState::Waits, SpanOutcome::None),
            Metric::Survival => (SpanState::Runs, SpanOutcome::Panicked),
            _ => (SpanState::Runs, SpanOutcome::None),
        };
        let name = trace.add_text(because);
        let span = Span::open(began, name, state).until(ended, outcome);
        add_alone(trace, group, "Because", LaneKind::Whole, span);
    }
}

/// When what happened, in nanoseconds.
#[derive(Default)]
struct Times {
    started: Option<u64>,
    worked: Option<u64>,
    shown: Option<u64>,
    over: Option<u64>,
    last_frame: Option<u64>,
    last: u64,
}

impl Times {
    fn of(facts: &[Stamped]) -> Self {
        let mut times = Self::default();
        for fact in facts {
            let time = match fact.fact {
                Fact::DidStart => &mut times.started,
                Fact::DidEnd => &mut times.worked,
                Fact::DidShow => &mut times.shown,
                Fact::Over => &mut times.over,
                Fact::DidBegin { .. } => {
                    times.last_frame = Some(fact.at_ns);
                    continue;
                }
                _ => continue,
            };
            time.get_or_insert(fact.at_ns);
        }
        times.last = facts.last().map_or(0, |fact| fact.at_ns);
        times
    }

    /// When a window misbehaves that has a bad value of this metric.
    fn of_misbehaviour(&self, metric: Metric) -> Option<(u64, u64)> {
        let over = self.over.unwrap_or(self.last);
        let end = self.shown.unwrap_or(over);
        Some(match metric {
            Metric::TimeToResult => (self.worked?, end),
            Metric::StepTime => (self.started?, self.worked.unwrap_or(over)),
            Metric::Survival => (self.last_frame?, self.last),
            _ => (self.started?, over),
        })
    }
}

fn add_window(
    trace: &mut Trace,
    group: GroupId,
    started: u64,
    times: &Times,
    ending: &TwinOutcome,
) {
    let ended = times.shown.or(times.over).unwrap_or(times.last);
    let outcome = match ending {
        _ if times.shown.is_some() => SpanOutcome::Returned,
        TwinOutcome::Killed => SpanOutcome::TimedOut,
        TwinOutcome::Died(_) => SpanOutcome::Crashed,
        TwinOutcome::Stopped => SpanOutcome::Cancelled,
        TwinOutcome::Finished | TwinOutcome::Unseen => SpanOutcome::None,
    };
    let name = trace.add_text("from Start to the result");
    let whole = Span::open(started, name, SpanState::Runs).until(ended, outcome);
    let Some(lane) = add_alone(trace, group, "Window", LaneKind::Whole, whole) else {
        return;
    };
    if let Some(worked) = times.worked.filter(|worked| *worked < ended) {
        let name = trace.add_text("the result is there, and not shown");
        let unseen = Span::open(worked.max(started), name, SpanState::Waits);
        trace.add(lane, unseen.until(ended, SpanOutcome::None));
    }
}

fn add_work(trace: &mut Trace, group: GroupId, started: u64, times: &Times) {
    let name = trace.add_text("work");
    let span = Span::open(started, name, SpanState::Runs);
    let span = match times.worked {
        Some(worked) => span.until(worked, SpanOutcome::Returned),
        None => span.until(times.last, SpanOutcome::None),
    };
    add_alone(trace, group, "Work", LaneKind::Thread, span);
}

/// Adds a span in a lane of its own.
fn add_alone(
    trace: &mut Trace,
    group: GroupId,
    name: &str,
    kind: LaneKind,
    span: Span,
) -> Option<crate::trace::LaneId> {
    let lane = trace.add_lane(group, name, kind)?;
    trace.add(lane, span);
    Some(lane)
}

/// A frame, with its cause if it was late.
struct Frame<'a> {
    began: u64,
    ended: u64,
    late: Option<&'a LateCause>,
}

fn add_frames(trace: &mut Trace, group: GroupId, facts: &[Stamped], ending: &TwinOutcome) {
    let Some(lane) = trace.add_lane(group, "UI thread", LaneKind::Thread) else {
        return;
    };
    let frames = frames(facts);
    let died = matches!(ending, TwinOutcome::Died(_));
    let name = trace.add_text("frame");
    for (place, frame) in frames.iter().enumerate() {
        let is_last = place + 1 == frames.len();
        let outcome = if is_last && died {
            SpanOutcome::Crashed
        } else {
            SpanOutcome::None
        };
        let span = Span::open(frame.began, name, SpanState::Runs).until(frame.ended, outcome);
        trace.add(lane, span);
        if let Some(cause) = frame.late {
            let (name, state) = what(cause, trace);
            let span = Span::open(frame.began, name, state).until(frame.ended, SpanOutcome::None);
            trace.add(lane, span);
            let (at, text) = (frame.began, cause.because.clone());
            trace.add_mark(Mark { at, lane, text });
        }
    }
}

/// What the UI thread did in a late frame: the same name for the same, so without a time.
fn what(cause: &LateCause, trace: &mut Trace) -> (SpanName, SpanState) {
    let (name, state) = match cause.kind.as_str() {
        "computes" => {
            let place = cause.because.find(" in `").map(|at| &cause.because[at..]);
            let name = format!("computes{}", place.unwrap_or_default());
            return (trace.add_text(&name), SpanState::Runs);
        }
        "starved" => ("waits for a processor", SpanState::Queued),
        "sleeps" => ("sleeps", SpanState::Sleeps),
        other => (other, SpanState::Waits),
    };
    (trace.add_text(name), state)
}

/// The frames in the order of their begins, of which none begins before the one before it ends.
fn frames(facts: &[Stamped]) -> Vec<Frame<'_>> {
    let mut frames: Vec<Frame<'_>> = Vec::new();
    for fact in facts {
        let at = fact.at_ns;
        match fact.fact {
            Fact::DidBegin { .. } => frames.push(Frame {
                began: at,
                ended: at,
                late: None,
            }),
            Fact::DidDraw { .. } => {
                if let Some(frame) = frames.last_mut() {
                    frame.ended = at;
                }
            }
            _ => {}
        }
    }
    for (began, ended, cause) in late_frames(facts) {
        let next = frames.partition_point(|frame| frame.began <= began + SAME_FRAME);
        let is_same = |frame: &Frame<'_>| began <= frame.ended + SAME_FRAME;
        match next.checked_sub(1).map(|at| &mut frames[at]) {
            Some(frame) if is_same(frame) => {
                frame.ended = frame.ended.max(ended);
                frame.late = cause;
            }
            // One that has drawn nothing, such as at the end of the window.
            _ => frames.insert(
                next,
                Frame {
                    began,
                    ended,
                    late: cause,
                },
            ),
        }
    }
    for place in 1..frames.len() {
        let next = frames[place].began;
        let frame = &mut frames[place - 1];
        frame.ended = frame.ended.min(next);
    }
    frames
}

/// The begin, the end and the cause of each late frame. One that has not ended goes on until the last fact.
fn late_frames(facts: &[Stamped]) -> impl Iterator<Item = (u64, u64, Option<&LateCause>)> {
    let last = facts.last().map_or(0, |fact| fact.at_ns);
    let mut late = BTreeMap::new();
    for fact in facts {
        if let Fact::IsLate {
            number,
            lasted_ns,
            has_ended,
            cause,
        } = &fact.fact
        {
            let began = fact.at_ns.saturating_sub(*lasted_ns);
            let ended = if *has_ended { fact.at_ns } else { last };
            late.insert(*number, (began, ended, cause.as_ref()));
        }
    }
    late.into_values()
}
