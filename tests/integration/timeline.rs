//! Lanes and what was said in them, built from events.

use std::time::Duration;

use meanwhile::record::{
    Activity, LaneEnd, LaneId, LaneKind, Timeline, TimelineEvent, TimelineKind,
};

/// More than a timeline keeps of anything.
const MANY: u64 = 200_001;

fn tell(timeline: &mut Timeline, at: u64, lane: u64, kind: TimelineKind) {
    timeline.apply(TimelineEvent {
        at: Duration::from_millis(at),
        lane: LaneId(lane),
        kind,
    });
}

fn opened(name: &str) -> TimelineKind {
    TimelineKind::DidOpen {
        name: name.to_owned(),
        kind: LaneKind::Process,
    }
}

fn begun(activity: Activity) -> TimelineKind {
    TimelineKind::DidBegin {
        activity,
        label: String::new(),
    }
}

fn said(text: &str) -> TimelineKind {
    TimelineKind::Said {
        text: text.to_owned(),
    }
}

#[test]
fn lanes_stand_in_the_order_of_their_times_and_keep_what_is_theirs() {
    let mut timeline = Timeline::default();
    for (at, lane, name) in [(20, 7, "second"), (30, 5, "third"), (10, 9, "first")] {
        tell(&mut timeline, at, lane, opened(name));
        tell(&mut timeline, at + 1, lane, begun(Activity::Sleeps));
    }
    tell(&mut timeline, 41, 7, TimelineKind::DidEnd);
    let how = LaneEnd::Panicked;
    tell(&mut timeline, 50, 5, TimelineKind::DidClose { how });

    let names = timeline.lanes().iter().map(|lane| lane.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["first", "second", "third"]);
    let [first, second, third] = timeline.lanes() else {
        panic!("three lanes were opened");
    };
    assert_eq!(first.end_of(&first.spans[0]), None);
    assert_eq!(second.time_in(Activity::Sleeps), Duration::from_millis(20));
    // The end of its lane ends what it did.
    assert_eq!(third.time_in(Activity::Sleeps), Duration::from_millis(19));
    assert_eq!(timeline.name(LaneId(9)), "first");
    assert!(timeline.has(LaneId(5)) && !timeline.has(LaneId(6)));
}

#[test]
fn what_is_begun_last_ends_first() {
    let mut timeline = Timeline::default();
    tell(&mut timeline, 0, 1, opened("worker"));
    tell(&mut timeline, 1, 1, begun(Activity::Waits));
    tell(&mut timeline, 2, 1, begun(Activity::Sleeps));
    tell(&mut timeline, 3, 1, TimelineKind::DidEnd);
    tell(&mut timeline, 5, 1, TimelineKind::DidEnd);
    // Nothing is left to end.
    tell(&mut timeline, 9, 1, TimelineKind::DidEnd);
    let lane = timeline.lane("worker").expect("it was opened");
    assert_eq!(lane.time_in(Activity::Sleeps), Duration::from_millis(1));
    assert_eq!(lane.time_in(Activity::Waits), Duration::from_millis(4));
}

#[test]
fn late_sayings_go_to_their_time_and_keep_the_number_of_their_coming() {
    let mut timeline = Timeline::default();
    tell(&mut timeline, 0, 1, opened("worker"));
    for (at, text) in [(10, "b"), (30, "d"), (5, "a"), (10, "c")] {
        tell(&mut timeline, at, 1, said(text));
    }
    let said = timeline
        .said()
        .iter()
        .map(|said| (said.number, &*said.text));
    assert_eq!(
        said.collect::<Vec<_>>(),
        [(2, "a"), (0, "b"), (3, "c"), (1, "d")]
    );
    assert_eq!(timeline.until(), Duration::from_millis(30));
}

#[test]
fn a_lane_opens_once() {
    let mut timeline = Timeline::default();
    for (at, lane, name) in [(10, 1, "first"), (10, 1, "again"), (5, 2, "earlier")] {
        tell(&mut timeline, at, lane, opened(name));
    }
    tell(&mut timeline, 11, 1, said("hello"));
    let names = timeline.lanes().iter().map(|lane| lane.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["earlier", "first"]);
    assert_eq!(timeline.name(timeline.said()[0].lane), "first");
}

#[test]
fn what_is_told_of_a_lane_that_never_opened_is_ignored() {
    let mut timeline = Timeline::default();
    for kind in [
        said("hello"),
        begun(Activity::Waits),
        TimelineKind::DidEnd,
        TimelineKind::DidClose {
            how: LaneEnd::Returned,
        },
    ] {
        tell(&mut timeline, 1, 1, kind);
    }
    assert!(timeline.lanes().is_empty() && timeline.said().is_empty());
}

/// The count of what was left out tells that it is not whole.
#[test]
fn a_timeline_does_not_grow_without_end() {
    let mut timeline = Timeline::default();
    for number in 0..MANY {
        tell(&mut timeline, number, number, opened("worker"));
        tell(&mut timeline, number, 0, said("hello"));
        tell(&mut timeline, number, 0, begun(Activity::Sleeps));
        tell(&mut timeline, number, 0, TimelineKind::DidEnd);
    }
    let kept = [
        timeline.lanes().len(),
        timeline.said().len(),
        timeline.lanes()[0].spans.len(),
    ];
    assert_eq!(kept, [200_000; 3]);
    assert_eq!(timeline.left_out(), 3);
}
