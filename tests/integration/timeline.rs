//! Timelines, built from events.

use std::time::Duration;

use meanwhile::record::{
    Activity, LaneId, LaneKind, LaneOutcome, Timeline, TimelineEvent, TimelineKind,
};
use meanwhile::trace::{self, FlowKind, GroupId, Row, SpanOutcome, SpanState, Trace};

/// One more than a timeline keeps.
const MANY: u64 = 200_001;

fn apply(timeline: &mut Timeline, at: u64, lane: u64, kind: TimelineKind) {
    timeline.apply(TimelineEvent {
        at: Duration::from_millis(at),
        lane: LaneId::new(lane),
        kind,
    });
}

fn opened(name: &str) -> TimelineKind {
    TimelineKind::DidOpen {
        name: name.to_owned(),
        kind: LaneKind::Process,
        by: None,
    }
}

fn begun(activity: Activity) -> TimelineKind {
    TimelineKind::DidBegin {
        activity,
        label: String::new(),
    }
}

fn message(text: &str) -> TimelineKind {
    TimelineKind::Message {
        text: text.to_owned(),
    }
}

#[test]
fn lanes_are_in_order_of_time_and_keep_their_spans() {
    let mut timeline = Timeline::default();
    for (at, lane, name) in [(20, 7, "second"), (30, 5, "third"), (10, 9, "first")] {
        apply(&mut timeline, at, lane, opened(name));
        apply(&mut timeline, at + 1, lane, begun(Activity::Sleeps));
    }
    apply(&mut timeline, 41, 7, TimelineKind::DidEnd);
    let how = LaneOutcome::Panicked;
    apply(&mut timeline, 50, 5, TimelineKind::DidClose { how });

    let names = timeline.lanes().iter().map(|lane| lane.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["first", "second", "third"]);
    let [first, second, third] = timeline.lanes() else {
        panic!("three lanes were opened");
    };
    assert_eq!(first.end_of(&first.spans[0]), None);
    assert_eq!(second.time_in(Activity::Sleeps), Duration::from_millis(20));
    // The end of its lane ends the span.
    assert_eq!(third.time_in(Activity::Sleeps), Duration::from_millis(19));
    assert_eq!(timeline.name(LaneId::new(9)), "first");
    assert!(timeline.has(LaneId::new(5)) && !timeline.has(LaneId::new(6)));
}

#[test]
fn nested_spans_end_from_the_inside() {
    let mut timeline = Timeline::default();
    apply(&mut timeline, 0, 1, opened("worker"));
    apply(&mut timeline, 1, 1, begun(Activity::Waits));
    apply(&mut timeline, 2, 1, begun(Activity::Sleeps));
    apply(&mut timeline, 3, 1, TimelineKind::DidEnd);
    apply(&mut timeline, 5, 1, TimelineKind::DidEnd);
    // No span is open.
    apply(&mut timeline, 9, 1, TimelineKind::DidEnd);
    let lane = timeline.lane("worker").expect("it was opened");
    assert_eq!(lane.time_in(Activity::Sleeps), Duration::from_millis(1));
    assert_eq!(lane.time_in(Activity::Waits), Duration::from_millis(4));
}

#[test]
fn late_messages_are_sorted_and_keep_their_number() {
    let mut timeline = Timeline::default();
    apply(&mut timeline, 0, 1, opened("worker"));
    for (at, text) in [(10, "b"), (30, "d"), (5, "a"), (10, "c")] {
        apply(&mut timeline, at, 1, message(text));
    }
    let messages = timeline.messages().iter();
    let messages = messages.map(|message| (message.number, &*message.text));
    assert_eq!(
        messages.collect::<Vec<_>>(),
        [(2, "a"), (0, "b"), (3, "c"), (1, "d")]
    );
    assert_eq!(timeline.last_event_at(), Duration::from_millis(30));
}

#[test]
fn lane_opens_once() {
    let mut timeline = Timeline::default();
    for (at, lane, name) in [(10, 1, "first"), (10, 1, "again"), (5, 2, "earlier")] {
        apply(&mut timeline, at, lane, opened(name));
    }
    apply(&mut timeline, 11, 1, message("hello"));
    let names = timeline.lanes().iter().map(|lane| lane.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["earlier", "first"]);
    assert_eq!(timeline.name(timeline.messages()[0].lane), "first");
}

#[test]
fn events_of_an_unopened_lane_are_ignored() {
    let mut timeline = Timeline::default();
    for kind in [
        message("hello"),
        begun(Activity::Waits),
        TimelineKind::DidEnd,
        TimelineKind::DidClose {
            how: LaneOutcome::Returned,
        },
    ] {
        apply(&mut timeline, 1, 1, kind);
    }
    assert!(timeline.lanes().is_empty() && timeline.messages().is_empty());
}

#[test]
fn timeline_is_bounded_and_counts_what_it_drops() {
    let mut timeline = Timeline::default();
    for number in 0..MANY {
        apply(&mut timeline, number, number, opened("worker"));
        apply(&mut timeline, number, 0, message("hello"));
        apply(&mut timeline, number, 0, begun(Activity::Sleeps));
        apply(&mut timeline, number, 0, TimelineKind::DidEnd);
    }
    let kept = [
        timeline.lanes().len(),
        timeline.messages().len(),
        timeline.lanes()[0].spans.len(),
    ];
    assert_eq!(kept, [200_000; 3]);
    assert_eq!(timeline.dropped(), 3);
}

/// The spans of a lane of a trace: name, state, begin and end in milliseconds, outcome.
fn spans(trace: &Trace, lane: &str) -> Vec<(String, SpanState, u64, Option<u64>, SpanOutcome)> {
    let millis = |nanos| nanos / 1_000_000;
    let mut lanes = trace.lanes();
    let (id, lane) = lanes.find(|(_, it)| it.name == lane).expect("the lane");
    let rows = lane.rows().iter().flat_map(Row::iter);
    rows.map(|span| {
        let name = trace.name(id.group, span.name).into_owned();
        let (began, ended) = (millis(span.began()), span.ended().map(millis));
        (name, span.state, began, ended, span.outcome)
    })
    .collect()
}

#[test]
fn trace_has_what_a_lane_slept_and_waited() {
    let mut timeline = Timeline::default();
    let (task, label) = (LaneKind::Task, "the worker".to_owned());
    let name = "main".to_owned();
    apply(
        &mut timeline,
        0,
        1,
        TimelineKind::DidOpen {
            name,
            kind: task,
            by: None,
        },
    );
    let activity = Activity::Waits;
    apply(
        &mut timeline,
        10,
        1,
        TimelineKind::DidBegin { activity, label },
    );
    apply(&mut timeline, 20, 1, begun(Activity::Sleeps));
    apply(&mut timeline, 30, 1, TimelineKind::DidEnd);
    apply(&mut timeline, 40, 1, TimelineKind::DidEnd);
    apply(&mut timeline, 41, 1, message("all done"));
    let how = LaneOutcome::Failed("exited with code 3".to_owned());
    apply(&mut timeline, 50, 1, TimelineKind::DidClose { how });

    let mut trace = Trace::default();
    timeline.add_to(&mut trace, GroupId::new(1), "lesson");
    let none = SpanOutcome::None;
    let own = |name: &str| name.to_owned();
    assert_eq!(
        spans(&trace, "main"),
        [
            (
                own("main"),
                SpanState::Runs,
                0,
                Some(50),
                SpanOutcome::Failed
            ),
            (own("the worker"), SpanState::Waits, 10, Some(40), none),
            (own("sleeps"), SpanState::Sleeps, 20, Some(30), none),
        ]
    );
    let marks = trace.marks().iter().map(|mark| mark.text.as_str());
    assert_eq!(
        marks.collect::<Vec<_>>(),
        ["all done", "exited with code 3"]
    );
}

#[test]
fn trace_says_what_is_not_known_of_a_process() {
    let mut timeline = Timeline::default();
    apply(&mut timeline, 0, 1, opened("never tells"));
    apply(&mut timeline, 0, 2, opened("tells later"));
    apply(&mut timeline, 30, 2, TimelineKind::DidTell);
    apply(&mut timeline, 40, 2, begun(Activity::Sleeps));
    let how = LaneOutcome::Returned;
    apply(&mut timeline, 60, 1, TimelineKind::DidClose { how });

    let mut trace = Trace::default();
    timeline.add_to(&mut trace, GroupId::new(1), "lesson");
    let states = |lane| {
        let spans = spans(&trace, lane).into_iter();
        spans.map(|(_, state, ..)| state).collect::<Vec<_>>()
    };
    assert_eq!(states("never tells"), [SpanState::Unknown]);
    let known = [SpanState::Runs, SpanState::Unknown, SpanState::Sleeps];
    assert_eq!(states("tells later"), known);
    // They go on.
    let ends = spans(&trace, "tells later").into_iter();
    let ends: Vec<_> = ends.map(|(_, _, _, ended, _)| ended).collect();
    assert_eq!(ends, [None, Some(30), None]);
}

#[test]
fn trace_has_arrows_for_starts_and_joins() {
    let mut timeline = Timeline::default();
    let open = |name: &str, by: Option<u64>| TimelineKind::DidOpen {
        name: name.to_owned(),
        kind: LaneKind::Task,
        by: by.map(LaneId::new),
    };
    let wait = |label: &str| TimelineKind::DidBegin {
        activity: Activity::Waits,
        label: label.to_owned(),
    };
    let how = LaneOutcome::Returned;
    let close = TimelineKind::DidClose { how };
    apply(&mut timeline, 0, 1, open("main", None));
    apply(&mut timeline, 5, 2, open("worker", Some(1)));
    apply(&mut timeline, 6, 1, wait("waits for the worker"));
    apply(&mut timeline, 20, 2, close.clone());
    apply(&mut timeline, 21, 1, TimelineKind::DidEnd);
    // It has not ended when the wait does, as after a timeout; and a name that nobody has.
    apply(&mut timeline, 30, 3, open("slow", Some(1)));
    apply(&mut timeline, 31, 1, wait("waits for slow"));
    apply(&mut timeline, 40, 1, TimelineKind::DidEnd);
    apply(&mut timeline, 41, 1, wait("waits for a message"));
    apply(&mut timeline, 42, 1, TimelineKind::DidEnd);
    apply(&mut timeline, 50, 3, close);

    let mut trace = Trace::default();
    timeline.add_to(&mut trace, GroupId::new(1), "lesson");
    let place = |(lane, at): (trace::LaneId, u64)| {
        let lane = trace.lane(lane).expect("a lane");
        (lane.name.clone(), at / 1_000_000)
    };
    let flows = trace.flows().iter();
    let flows = flows.map(|flow| (flow.kind, place(flow.from), place(flow.to)));
    let flows: Vec<_> = flows.collect();
    let at = |name: &str, at: u64| (name.to_owned(), at);
    assert_eq!(
        flows,
        [
            (FlowKind::Join, at("worker", 20), at("main", 21)),
            (FlowKind::Start, at("main", 5), at("worker", 5)),
            (FlowKind::Start, at("main", 30), at("slow", 30)),
        ]
    );
}
