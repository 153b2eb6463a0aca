//! The trace of jobs, built from events.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use meanwhile::jobs::{JobSpec, Options, Output, misbehave};
use meanwhile::record::{
    EventKind, FoundItem, IncidentRecord, ItemId, ItemState, JobEvent, JobId, JobState, JobTrace,
    ThreadNumber,
};
use meanwhile::trace::{Counter, CounterId, Frame, Group, GroupId, SpanId, SpanState, Trace};

const JOB: JobId = JobId::new(1);

/// Builds a trace step by step.
#[derive(Default)]
struct Replay(JobTrace);

impl Replay {
    fn apply(&mut self, job: JobId, millis: u64, kind: EventKind) {
        let at = Duration::from_millis(millis);
        self.0.apply(&JobEvent { job, at, kind });
    }

    fn start(&mut self, job: JobId, millis: u64) {
        let options = Options::Misbehave(misbehave::Options::default());
        let spec = Arc::new(JobSpec::new(options));
        self.apply(job, millis, EventKind::JobDidStart { spec });
    }

    fn finish(&mut self, job: JobId, millis: u64) {
        let state = JobState::Returned;
        self.apply(job, millis, EventKind::JobDidFinish { state });
    }

    fn freeze(&mut self, began: u64, lasted: u64, because: &str) {
        let incident = IncidentRecord {
            began: SystemTime::UNIX_EPOCH,
            lasted: Duration::from_millis(lasted),
            label: Some("drawing".to_owned()),
            because: Some(because.to_owned()),
        };
        self.0.add_freeze(Duration::from_millis(began), &incident);
    }

    /// The causes of all freezes.
    fn causes(&self) -> Vec<String> {
        let trace = self.0.trace();
        let Some((lane, row)) = trace.freezes() else {
            return Vec::new();
        };
        assert!(row.iter().all(|span| span.state == SpanState::Frozen));
        let names = row.iter().map(|span| trace.name(lane.group, span.name));
        names.map(Into::into).collect()
    }
}

#[test]
fn freeze_beside_a_job_has_its_cause() {
    let mut replay = Replay::default();
    replay.start(JOB, 100);
    replay.freeze(200, 150, "waits for task `job` to end");
    replay.freeze(400, 150, "computed in `drawing`");
    assert_eq!(
        replay.causes(),
        [
            "drawing: waits for task `job` to end",
            "computed in `drawing`"
        ]
    );
    let (_, row) = replay.0.trace().freezes().expect("a lane");
    let first = row.get(0).expect("a freeze");
    assert_eq!((first.began(), first.length()), (200_000_000, 150_000_000));
}

#[test]
fn freeze_whose_report_is_late_is_in_its_frame() {
    let mut replay = Replay::default();
    replay.start(JOB, 100);
    for (at, took) in [(150, 10), (200, 151), (360, 10)] {
        let millis = |millis: u64| millis * 1_000_000;
        let (at, took) = (millis(at), millis(took));
        replay.0.trace_mut().add_frame(Frame {
            at,
            took,
            cause: None,
        });
    }
    replay.freeze(230, 150, "computed");
    let (_, row) = replay.0.trace().freezes().expect("a lane");
    let first = row.get(0).expect("a freeze");
    assert_eq!((first.began(), first.length()), (201_000_000, 150_000_000));
}

#[test]
fn idle_window_that_freezes_has_no_trace() {
    let mut replay = Replay::default();
    replay.freeze(0, 150, "before all jobs");
    assert!(replay.0.trace().is_empty());
    replay.start(JOB, 1_000);
    replay.freeze(10, 150, "before the job");
    replay.finish(JOB, 2_000);
    replay.freeze(2_500, 150, "just after it");
    replay.freeze(60_000, 150, "long after it");
    assert_eq!(replay.causes(), ["drawing: just after it"]);
}

#[test]
fn freezes_go_with_the_jobs_that_ran_beside() {
    let mut replay = Replay::default();
    let second = JobId::new(2);
    replay.start(JOB, 0);
    replay.freeze(100, 150, "first");
    replay.finish(JOB, 1_000);
    replay.start(second, 5_000);
    replay.freeze(5_100, 150, "second");
    replay.finish(second, 6_000);
    replay.0.remove(JOB);
    assert_eq!(replay.causes(), ["drawing: second"]);
    replay.0.remove(second);
    assert!(replay.0.trace().is_empty());
    assert_eq!(replay.0.trace().last_at(), 0);
}

#[test]
fn freezes_without_end_are_bounded() {
    let mut replay = Replay::default();
    replay.start(JOB, 0);
    for number in 0..20_000 {
        replay.freeze(number * 200, 150, &format!("cause {number}"));
    }
    assert_eq!(replay.causes().len(), 10_000);
    assert_eq!(
        replay.0.trace().group(GroupId::new(0)).map(Group::len),
        Some(10_000)
    );
}

#[test]
fn queue_of_many_items_is_a_counter_not_lanes() {
    let mut replay = Replay::default();
    replay.start(JOB, 0);
    for number in 0..100_000 {
        let item = FoundItem {
            input: format!("item {number}").into(),
            bytes: 0,
            fails: false,
        };
        replay.apply(JOB, number / 1_000, EventKind::ItemDidAppear { item });
    }
    let thread = ThreadNumber::new(1);
    let item = ItemId::new(7);
    replay.apply(JOB, 1_500, EventKind::ItemDidStart { item, thread });
    let trace = replay.0.trace();
    let group = JobTrace::group_of(JOB);
    let lanes = trace.lanes().filter(|(_, lane)| !lane.is_empty());
    assert_eq!(lanes.count(), 2);
    let counters: Vec<_> = trace
        .group(group)
        .expect("the job")
        .counters(group)
        .collect();
    let (_, waiting) = counters[0];
    assert_eq!(waiting.name, "Waiting items");
    assert_eq!((waiting.peak(), waiting.value()), (100_000, 99_999));
    let spans = trace.lanes().flat_map(|(lane, it)| {
        let rows = it.rows().iter().enumerate();
        rows.flat_map(move |(row, spans)| {
            (0..spans.len()).map(move |index| SpanId { lane, row, index })
        })
    });
    let waits: Vec<_> = spans.filter_map(|span| trace.waited(span)).collect();
    assert_eq!(waits, [1_500_000_000]);
    replay.finish(JOB, 2_000);
    let trace = replay.0.trace();
    assert_eq!(counter(trace, 0).value(), 0);
}

#[test]
fn items_that_end_without_a_begin_wait_no_more() {
    let mut replay = Replay::default();
    replay.start(JOB, 0);
    for number in 0..20 {
        let item = FoundItem {
            input: "item".into(),
            bytes: 0,
            fails: true,
        };
        replay.apply(JOB, 1, EventKind::ItemDidAppear { item });
        let (item, state) = (ItemId::new(number), ItemState::Cancelled);
        replay.apply(JOB, 2, EventKind::ItemDidFinish { item, state });
    }
    let trace = replay.0.trace();
    assert_eq!(
        (counter(trace, 0).value(), counter(trace, 1).value()),
        (0, 20)
    );
    assert!(!counter(trace, 0).is_shown() && counter(trace, 1).is_shown());
}

#[test]
fn bytes_of_items_are_counted_as_they_get_on() {
    const MIB: u64 = 1 << 20;
    let mut replay = Replay::default();
    replay.start(JOB, 0);
    for _ in 0..2 {
        let item = FoundItem {
            input: "item".into(),
            bytes: 20 * MIB,
            fails: false,
        };
        replay.apply(JOB, 0, EventKind::ItemDidAppear { item });
    }
    let (large, small) = (ItemId::new(0), ItemId::new(1));
    for (item, thread) in [(large, 1), (small, 2)] {
        let thread = ThreadNumber::new(thread);
        replay.apply(JOB, 1, EventKind::ItemDidStart { item, thread });
    }
    let progress = |done| EventKind::ItemDidProgress {
        item: large,
        done,
        total: 30 * MIB,
    };
    assert_eq!(replay.0.progress(JOB, large), None);
    replay.apply(JOB, 200, progress(5 * MIB));
    // It does not get on.
    replay.apply(JOB, 400, progress(5 * MIB));
    let seen = replay.0.progress(JOB, large).expect("it runs");
    let expected = (5 * MIB, 30 * MIB, 200_000_000);
    assert_eq!((seen.done, seen.total, seen.at), expected);
    assert_eq!(counter(replay.0.trace(), 2).value(), 5);

    // It ended before it was asked how far it is.
    let end = |item| EventKind::ItemDidFinish {
        item,
        state: ItemState::Returned(Output::Text {
            text: String::new(),
        }),
    };
    replay.apply(JOB, 500, end(small));
    assert_eq!(counter(replay.0.trace(), 2).value(), 25);
    replay.apply(JOB, 600, end(large));
    let (trace, mib) = (replay.0.trace(), counter(replay.0.trace(), 2));
    assert_eq!((mib.name.as_str(), mib.value()), ("MiB done", 50));
    assert!(!trace.is_empty() && replay.0.progress(JOB, large).is_none());
}

fn counter(trace: &Trace, index: usize) -> &Counter {
    let group = JobTrace::group_of(JOB);
    trace
        .counter(CounterId { group, index })
        .expect("a counter")
}
