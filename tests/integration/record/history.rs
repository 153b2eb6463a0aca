//! Jobs, items and joins, as events change them.

use std::sync::Arc;
use std::time::Duration;

use meanwhile::record::{
    Backtrace, Counts, EventKind, ItemId, ItemState, Items, JobEvent, JobId, JobState, JoinId,
    JoinOutcome, PanicKey, Record,
};

use super::{JOB, Replay, crash, failed, panic, text};

#[test]
fn items_are_counted_by_state() {
    let replay = Replay::new();
    let replay = ["a", "b", "c", "d", "e", "f", "g"]
        .iter()
        .fold(replay, |replay, name| replay.item(*name, 0));
    let replay = replay
        .start(1)
        .start(2)
        .end(2, text("fine"))
        .end(3, failed("no"))
        .end(4, ItemState::Panicked(panic("oh")))
        .end(5, ItemState::Cancelled)
        .end(6, crash());
    let expected = Counts {
        waiting: 1,
        running: 1,
        returned: 1,
        failed: 1,
        panicked: 1,
        crashed: 1,
        cancelled: 1,
    };
    assert_eq!(replay.job().counts(), expected);
    assert_eq!((expected.total(), expected.ended()), (7, 5));
    let items = replay.job().items().iter();
    let ended = items.filter(|item| item.state.is_ended());
    assert_eq!(ended.count(), 5);
}

#[test]
fn bytes_are_summed_while_items_run_and_end() {
    let replay = Replay::new()
        .item("a", 100)
        .item("b", 200)
        .start(0)
        .progress(0, 40, 100);
    assert_eq!(
        (replay.job().done_bytes(), replay.job().total_bytes()),
        (40, 300)
    );
    let replay = replay.end(0, text("fine")).start(1).progress(1, 50, 0);
    assert_eq!(
        (replay.job().done_bytes(), replay.job().total_bytes()),
        (150, 300)
    );
    let replay = replay.end(1, failed("no"));
    assert_eq!(
        (replay.job().done_bytes(), replay.job().total_bytes()),
        (150, 150)
    );
}

#[test]
fn done_bytes_never_exceed_total_bytes() {
    let replay = Replay::new().item("a", 10).start(0).progress(0, 25, 0);
    assert_eq!(
        (replay.job().done_bytes(), replay.job().total_bytes()),
        (25, 25)
    );
}

#[test]
fn events_of_ended_or_unknown_items_are_ignored() {
    let replay = Replay::new().item("a", 10).start(0).end(0, text("fine"));
    let before = replay.job().counts();
    let replay = replay
        .progress(0, 3, 99)
        .end(0, ItemState::Panicked(panic("late")))
        .start(5)
        .end(5, ItemState::Cancelled);
    assert_eq!(replay.job().counts(), before);
    assert_eq!(replay.job().done_bytes(), 10);
    assert_eq!(replay.job().panics().count(), 0);
}

#[test]
fn events_of_an_unknown_job_are_ignored() {
    let mut record = Record::default();
    record.apply(JobEvent {
        job: JobId::new(9),
        at: Duration::ZERO,
        kind: EventKind::PlanDidFinish,
    });
    assert_eq!(record.jobs().count(), 0);
}

#[test]
fn rate_covers_the_last_five_seconds() {
    let mut replay = Replay::new()
        .item("a", 100_000)
        .apply(EventKind::PlanDidFinish)
        .start(0);
    for second in 1..=10 {
        let done = if second <= 5 {
            second * 1_000
        } else {
            5_000 + (second - 5) * 100
        };
        replay = replay.at(second * 1_000).progress(0, done, 100_000);
    }
    let rate = replay.job().rate(Duration::from_secs(10));
    assert!((rate.bytes_per_sec - 100.0).abs() < 1.0, "{rate:?}");
    let left = rate.time_left.unwrap().as_secs_f64();
    assert!((left - 945.0).abs() < 10.0, "{left}");
    let stalled = replay.job().rate(Duration::from_secs(20));
    assert!(stalled.bytes_per_sec < 1.0, "{stalled:?}");
}

#[test]
fn time_left_is_unknown_while_planning_or_stalled() {
    let replay = Replay::new()
        .item("a", 100)
        .start(0)
        .at(1_000)
        .progress(0, 50, 100);
    assert_eq!(replay.job().rate(replay.at).time_left, None);
    let replay = replay.apply(EventKind::PlanDidFinish);
    assert_eq!(
        replay.job().rate(replay.at).time_left,
        Some(Duration::from_secs(1))
    );
    let stalled = Replay::new()
        .item("a", 100)
        .apply(EventKind::PlanDidFinish)
        .at(1_000);
    assert_eq!(stalled.job().rate(stalled.at).time_left, None);
}

#[test]
fn ended_job_has_the_rate_of_its_whole_time() {
    let replay = Replay::new()
        .item("a", 100)
        .start(0)
        .at(2_000)
        .end(0, text("fine"));
    let replay = replay.finish(JobState::Returned);
    let rate = replay.job().rate(Duration::from_mins(1));
    assert!((rate.bytes_per_sec - 50.0).abs() < 0.01);
    assert_eq!(
        replay.job().elapsed(Duration::from_mins(1)),
        Duration::from_secs(2)
    );
}

#[test]
fn items_snapshot_stays_as_it_was() {
    let replay = Replay::new().item("a", 10).start(0);
    let snapshot = replay.job().items().clone();
    let replay = replay.end(0, text("fine"));
    assert_eq!(snapshot[0].state, ItemState::Running);
    assert_eq!(replay.job().items()[0].state, text("fine"));
}

#[test]
fn change_after_a_snapshot_copies_one_block() {
    const COUNT: usize = 5_000;
    let mut replay = Replay::new();
    for _ in 0..COUNT {
        replay = replay.item("a", 1);
    }
    let owners = |items: &Items| items.iter().map(Arc::strong_count).sum::<usize>();
    let snapshot = replay.job().items().clone();
    assert_eq!(owners(&snapshot), COUNT);

    let replay = replay.start(COUNT - 1);
    let touched = owners(&snapshot) - COUNT;
    assert!((1..=1_024).contains(&touched), "{touched} items touched");
    assert_eq!(replay.job().items().len(), COUNT);
    assert_eq!(snapshot[COUNT - 1].state, ItemState::Waiting);
}

#[test]
fn joins_keep_their_deadline_and_outcome() {
    let replay = Replay::new()
        .at(1_000)
        .apply(EventKind::JoinDidStart {
            join: JoinId::new(0),
            timeout: Some(Duration::from_secs(2)),
            blocking: false,
        })
        .apply(EventKind::JoinDidStart {
            join: JoinId::new(1),
            timeout: None,
            blocking: false,
        });
    let first = &replay.job().joins()[0];
    let now = Duration::from_millis(1_500);
    assert_eq!(first.waited(now), Duration::from_millis(500));
    assert_eq!(first.remaining(now), Some(Duration::from_millis(1_500)));
    assert_eq!(replay.job().active_joins().count(), 2);
    let replay = replay.at(3_000).apply(EventKind::JoinDidEnd {
        join: JoinId::new(0),
        outcome: JoinOutcome::TimedOut,
    });
    let first = &replay.job().joins()[0];
    assert_eq!(
        first.waited(Duration::from_secs(99)),
        Duration::from_secs(2)
    );
    assert_eq!(first.remaining(Duration::from_secs(99)), None);
    assert_eq!(
        replay.job().active_joins().next().unwrap().id,
        JoinId::new(1)
    );
}

#[test]
fn only_the_first_cancel_request_is_kept() {
    let replay = Replay::new()
        .at(5)
        .apply(EventKind::CancelWasRequested)
        .at(9)
        .apply(EventKind::CancelWasRequested);
    assert_eq!(
        replay.job().cancel_requested_at(),
        Some(Duration::from_millis(5))
    );
}

#[test]
fn every_event_changes_the_revision() {
    let replay = Replay::new();
    let (job, record) = (replay.job().revision(), replay.record.revision());
    let replay = replay.item("a", 1);
    assert!(replay.job().revision() > job);
    assert!(replay.record.revision() > record);
}

#[test]
fn only_an_ended_job_can_be_removed() {
    let mut replay = Replay::new();
    assert!(replay.record.remove(JOB).is_none());
    assert!(replay.record.job(JOB).is_some());
    let mut replay = replay.finish(JobState::Returned);
    let removed = replay.record.remove(JOB).unwrap();
    assert_eq!(*removed.state(), JobState::Returned);
    assert!(replay.record.job(JOB).is_none());
}

#[test]
fn panics_have_their_backtraces_once_resolved() {
    let replay = Replay::new()
        .item("a", 0)
        .end(0, ItemState::Panicked(panic("oh")));
    let key = PanicKey::Item(ItemId::new(0));
    let (_, backtrace) = replay.job().panic(key).unwrap();
    assert_eq!(*backtrace, Backtrace::Unresolved);
    let replay = replay.apply(EventKind::BacktraceDidResolve {
        panic: key,
        text: Arc::from("0: main"),
    });
    let panics: Vec<_> = replay.job().panics().collect();
    assert_eq!(
        panics,
        [(
            key,
            &*panic("oh"),
            &Backtrace::Resolved(Arc::from("0: main"))
        )]
    );
}

#[test]
fn sums_of_absurd_sizes_saturate_and_recover() {
    let sums = |replay: &Replay| (replay.job().done_bytes(), replay.job().total_bytes());
    let replay = Replay::new()
        .item("a", u64::MAX)
        .item("b", u64::MAX)
        .start(0)
        .start(1)
        .progress(0, u64::MAX, u64::MAX)
        .progress(1, u64::MAX, u64::MAX);
    assert_eq!(sums(&replay), (u64::MAX, u64::MAX));
    assert!(replay.job().rate(replay.at).bytes_per_sec.is_finite());
    let replay = replay.progress(0, 3, 10).progress(1, 4, 20);
    assert_eq!(sums(&replay), (7, 30));
}

#[test]
fn join_with_endless_timeout_has_no_deadline() {
    let replay = Replay::new().at(1).apply(EventKind::JoinDidStart {
        join: JoinId::new(0),
        timeout: Some(Duration::MAX),
        blocking: false,
    });
    let now = Duration::from_millis(2);
    assert_eq!(replay.job().joins()[0].remaining(now), None);
}
