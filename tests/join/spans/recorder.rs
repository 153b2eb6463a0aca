//! What records the spans of instrumented code by task.

use std::thread;

use meanwhile_join::{self as join, RecordedSpans, SpanRecorder};
use tracing::{Dispatch, dispatcher, info_span};
use tracing_subscriber::prelude::*;

fn dispatch(recorders: [&SpanRecorder; 2]) -> Dispatch {
    let [first, second] = recorders.map(SpanRecorder::layer);
    let subscriber = tracing_subscriber::registry().with(first).with(second);
    Dispatch::new(subscriber)
}

/// A subscriber with one recorder, and another that nobody reads.
fn with_one(recorder: &SpanRecorder) -> Dispatch {
    dispatch([recorder, &SpanRecorder::new(0)])
}

/// The spans of the lanes: the task, the name and the depth of each.
fn names(recorded: &RecordedSpans) -> Vec<(Option<u64>, &'static str, usize)> {
    let lanes = recorded.lanes.iter();
    let spans = lanes.flat_map(|lane| {
        let task = lane.task.map(join::TaskId::get);
        lane.spans
            .iter()
            .map(move |span| (task, span.name, span.depth))
    });
    spans.collect()
}

/// Code that knows nothing of tasks.
fn instrumented() {
    let _outer = info_span!("outer").entered();
    drop(info_span!("first").entered());
    info_span!("second").in_scope(|| drop(info_span!("inner").entered()));
}

#[test]
fn spans_lie_in_the_lane_of_their_task() {
    let recorder = SpanRecorder::new(100);
    let dispatch = with_one(&recorder);
    let in_task = dispatch.clone();
    let task = join::spawn("with spans", move |_| {
        dispatcher::with_default(&in_task, instrumented);
    });
    let task = task.unwrap();
    task.join().unwrap();
    dispatcher::with_default(&dispatch, || drop(info_span!("outside").entered()));
    let recorded = recorder.take();
    let id = Some(task.id().get());
    assert_eq!(
        names(&recorded),
        [
            (id, "outer", 0),
            (id, "first", 1),
            (id, "second", 1),
            (id, "inner", 2),
            (None, "outside", 0),
        ]
    );
    for lane in &recorded.lanes {
        for pair in lane.spans.windows(2) {
            assert!(pair[0].began <= pair[1].began, "{lane:?}");
            assert!(
                pair[0].ended <= pair[1].began || pair[0].ended >= pair[1].ended,
                "{lane:?}"
            );
        }
    }
}

#[test]
fn full_recorder_counts_what_it_drops() {
    let recorder = SpanRecorder::new(3);
    dispatcher::with_default(&with_one(&recorder), || {
        instrumented();
        let recorded = recorder.take();
        let spans: usize = recorded.lanes.iter().map(|lane| lane.spans.len()).sum();
        assert_eq!((spans, recorded.dropped), (3, 1));
        drop(info_span!("again").entered());
    });
    let recorded = recorder.take();
    assert_eq!((names(&recorded).len(), recorded.dropped), (1, 0));
}

#[test]
fn span_in_two_threads_is_recorded_in_both() {
    let recorder = SpanRecorder::new(100);
    let dispatch = with_one(&recorder);
    let span = dispatcher::with_default(&dispatch, || info_span!("shared"));
    let both = std::sync::Barrier::new(2);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                dispatcher::with_default(&dispatch, || {
                    for _ in 0..2 {
                        span.in_scope(|| both.wait());
                    }
                });
            });
        }
    });
    let recorded = recorder.take();
    let spans: Vec<_> = recorded.lanes.iter().map(|lane| lane.spans.len()).collect();
    assert_eq!(spans, [2, 2]);
    assert!(
        names(&recorded)
            .iter()
            .all(|span| *span == (None, "shared", 0))
    );
}

#[test]
fn two_recorders_do_not_disturb_each_other() {
    let recorders = [SpanRecorder::new(100), SpanRecorder::new(2)];
    let dispatch = dispatch([&recorders[0], &recorders[1]]);
    dispatcher::with_default(&dispatch, instrumented);
    let [all, some] = recorders.map(|recorder| recorder.take());
    assert_eq!((names(&all).len(), all.dropped), (4, 0));
    assert_eq!((names(&some).len(), some.dropped), (2, 2));
}
