//! The record, fed with scripted events: no thread, no clock.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use meanwhile::jobs::misbehave;
use meanwhile::jobs::{Item, ItemError, JobSpec, Options, Output, Priority, RunOn, Step};
use meanwhile::record::{
    Backtrace, Counts, Crash, Event, EventKind, FrameHistory, FrameSummary, ItemId, ItemState,
    Items, JobId, JobRecord, JobState, JoinEnd, JoinId, Panic, PanicKey, Record, job_text,
    panic_text, write_json,
};

const JOB: JobId = JobId(1);

/// A record that is told what happened when.
struct Script {
    record: Record,
    at: Duration,
}

impl Script {
    fn new() -> Self {
        let script = Self {
            record: Record::default(),
            at: Duration::ZERO,
        };
        let spec = JobSpec {
            options: Options::Misbehave(misbehave::Options::default()),
            inputs: Vec::new(),
            run_on: RunOn::Pool,
            workers: 1,
            priority: Priority::default(),
        };
        script.tell(EventKind::JobDidStart {
            spec: Arc::new(spec),
        })
    }

    fn at(mut self, millis: u64) -> Self {
        self.at = Duration::from_millis(millis);
        self
    }

    fn tell(mut self, kind: EventKind) -> Self {
        self.record.apply(Event {
            job: JOB,
            at: self.at,
            kind,
        });
        self
    }

    fn item(self, input: impl Into<PathBuf>, bytes: u64) -> Self {
        self.tell(EventKind::ItemDidAppear {
            item: Item {
                input: input.into(),
                bytes,
                step: Step::Run,
            },
        })
    }

    fn start(self, item: usize) -> Self {
        self.tell(EventKind::ItemDidStart { item: ItemId(item) })
    }

    fn progress(self, item: usize, done: u64, total: u64) -> Self {
        self.tell(EventKind::ItemDidProgress {
            item: ItemId(item),
            done,
            total,
        })
    }

    fn end(self, item: usize, state: ItemState) -> Self {
        self.tell(EventKind::ItemDidFinish {
            item: ItemId(item),
            state,
        })
    }

    fn finish(self, state: JobState) -> Self {
        self.tell(EventKind::JobDidFinish { state })
    }

    fn job(&self) -> &JobRecord {
        self.record.job(JOB).expect("it was started")
    }

    fn json(&self) -> serde_json::Value {
        let mut bytes = Vec::new();
        write_json(self.job(), self.at, &mut bytes).expect("a vector takes everything");
        serde_json::from_slice(&bytes).expect("it is JSON")
    }
}

fn text(text: &str) -> ItemState {
    ItemState::Returned(Output::Text {
        text: text.to_owned(),
    })
}

fn failed(message: &str) -> ItemState {
    ItemState::Failed(ItemError {
        kind: "broken".to_owned(),
        message: message.to_owned(),
    })
}

fn panic(message: &str) -> Arc<Panic> {
    Arc::new(Panic {
        message: message.to_owned(),
        location: Some("src/some.rs:1:2".to_owned()),
        thread: "worker-1".to_owned(),
        task: "misbehave #1 a".to_owned(),
        task_id: 7,
    })
}

fn crash() -> ItemState {
    ItemState::Crashed(Arc::new(Crash {
        message: "its worker was killed by signal 6 (SIGABRT)".to_owned(),
        signal: Some(6),
        signal_name: Some("SIGABRT"),
        stderr: "one\ntwo".to_owned(),
        ..Crash::default()
    }))
}

#[test]
fn items_are_counted_where_they_stand() {
    let script = Script::new();
    let script = ["a", "b", "c", "d", "e", "f", "g"]
        .iter()
        .fold(script, |script, name| script.item(*name, 0));
    let script = script
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
    assert_eq!(script.job().counts(), expected);
    assert_eq!((expected.total(), expected.ended()), (7, 5));
}

#[test]
fn bytes_are_summed_as_items_go_on_and_end() {
    let script = Script::new()
        .item("a", 100)
        .item("b", 200)
        .start(0)
        .progress(0, 40, 100);
    assert_eq!(
        (script.job().done_bytes(), script.job().total_bytes()),
        (40, 300)
    );
    let script = script.end(0, text("fine")).start(1).progress(1, 50, 0);
    assert_eq!(
        (script.job().done_bytes(), script.job().total_bytes()),
        (150, 300)
    );
    let script = script.end(1, failed("no"));
    assert_eq!(
        (script.job().done_bytes(), script.job().total_bytes()),
        (150, 150)
    );
}

#[test]
fn an_item_that_turns_out_longer_never_makes_more_done_than_there_is() {
    let script = Script::new().item("a", 10).start(0).progress(0, 25, 0);
    assert_eq!(
        (script.job().done_bytes(), script.job().total_bytes()),
        (25, 25)
    );
}

#[test]
fn what_is_told_of_an_ended_or_unknown_item_changes_nothing() {
    let script = Script::new().item("a", 10).start(0).end(0, text("fine"));
    let before = script.job().counts();
    let script = script
        .progress(0, 3, 99)
        .end(0, ItemState::Panicked(panic("late")))
        .start(5)
        .end(5, ItemState::Cancelled);
    assert_eq!(script.job().counts(), before);
    assert_eq!(script.job().done_bytes(), 10);
    assert_eq!(script.job().panics().count(), 0);
}

#[test]
fn events_of_a_job_that_is_not_kept_are_ignored() {
    let mut record = Record::default();
    record.apply(Event {
        job: JobId(9),
        at: Duration::ZERO,
        kind: EventKind::PlanDidFinish,
    });
    assert_eq!(record.jobs().count(), 0);
}

#[test]
fn the_rate_is_that_of_the_last_five_seconds() {
    let mut script = Script::new()
        .item("a", 100_000)
        .tell(EventKind::PlanDidFinish)
        .start(0);
    for second in 1..=10 {
        let done = if second <= 5 {
            second * 1_000
        } else {
            5_000 + (second - 5) * 100
        };
        script = script.at(second * 1_000).progress(0, done, 100_000);
    }
    let rate = script.job().rate(Duration::from_secs(10));
    assert!((rate.bytes_per_sec - 100.0).abs() < 1.0, "{rate:?}");
    let left = rate.time_left.unwrap().as_secs_f64();
    assert!((left - 945.0).abs() < 10.0, "{left}");
    let stalled = script.job().rate(Duration::from_secs(20));
    assert!(stalled.bytes_per_sec < 1.0, "{stalled:?}");
}

#[test]
fn time_left_is_not_said_before_planning_is_complete_or_while_nothing_moves() {
    let script = Script::new()
        .item("a", 100)
        .start(0)
        .at(1_000)
        .progress(0, 50, 100);
    assert_eq!(script.job().rate(script.at).time_left, None);
    let script = script.tell(EventKind::PlanDidFinish);
    assert_eq!(
        script.job().rate(script.at).time_left,
        Some(Duration::from_secs(1))
    );
    let still = Script::new()
        .item("a", 100)
        .tell(EventKind::PlanDidFinish)
        .at(1_000);
    assert_eq!(still.job().rate(still.at).time_left, None);
}

#[test]
fn an_ended_job_has_the_rate_of_its_whole_time() {
    let script = Script::new()
        .item("a", 100)
        .start(0)
        .at(2_000)
        .end(0, text("fine"));
    let script = script.finish(JobState::Returned);
    let rate = script.job().rate(Duration::from_mins(1));
    assert!((rate.bytes_per_sec - 50.0).abs() < 0.01);
    assert_eq!(
        script.job().elapsed(Duration::from_mins(1)),
        Duration::from_secs(2)
    );
}

#[test]
fn a_snapshot_of_the_items_stays_as_it_was() {
    let script = Script::new().item("a", 10).start(0);
    let snapshot = script.job().items().clone();
    let script = script.end(0, text("fine"));
    assert_eq!(snapshot[0].state, ItemState::Running);
    assert_eq!(script.job().items()[0].state, text("fine"));
}

#[test]
fn a_snapshot_touches_no_item_and_a_change_after_it_only_those_around() {
    const COUNT: usize = 5_000;
    let mut script = Script::new();
    for _ in 0..COUNT {
        script = script.item("a", 1);
    }
    let owners = |items: &Items| items.iter().map(Arc::strong_count).sum::<usize>();
    let snapshot = script.job().items().clone();
    assert_eq!(owners(&snapshot), COUNT);

    let script = script.start(COUNT - 1);
    let touched = owners(&snapshot) - COUNT;
    assert!((1..=1_024).contains(&touched), "{touched} items touched");
    assert_eq!(script.job().items().len(), COUNT);
    assert_eq!(snapshot[COUNT - 1].state, ItemState::Waiting);
}

#[test]
fn waits_are_kept_with_their_deadline_and_end() {
    let script = Script::new()
        .at(1_000)
        .tell(EventKind::JoinDidStart {
            join: JoinId(0),
            timeout: Some(Duration::from_secs(2)),
            blocking: false,
        })
        .tell(EventKind::JoinDidStart {
            join: JoinId(1),
            timeout: None,
            blocking: false,
        });
    let first = &script.job().joins()[0];
    assert_eq!(
        first.remaining(Duration::from_millis(1_500)),
        Some(Duration::from_millis(1_500))
    );
    assert_eq!(script.job().active_joins().count(), 2);
    let script = script.at(3_000).tell(EventKind::JoinDidEnd {
        join: JoinId(0),
        end: JoinEnd::TimedOut,
    });
    let first = &script.job().joins()[0];
    assert_eq!(
        first.waited(Duration::from_secs(99)),
        Duration::from_secs(2)
    );
    assert_eq!(first.remaining(Duration::from_secs(99)), None);
    assert_eq!(script.job().active_joins().next().unwrap().id, JoinId(1));
}

#[test]
fn only_the_first_request_to_cancel_is_kept() {
    let script = Script::new()
        .at(5)
        .tell(EventKind::CancelDidAsk)
        .at(9)
        .tell(EventKind::CancelDidAsk);
    assert_eq!(
        script.job().cancel_asked_at(),
        Some(Duration::from_millis(5))
    );
}

#[test]
fn every_event_changes_the_revision() {
    let script = Script::new();
    let (job, record) = (script.job().revision(), script.record.revision());
    let script = script.item("a", 1);
    assert!(script.job().revision() > job);
    assert!(script.record.revision() > record);
}

#[test]
fn only_an_ended_job_can_be_forgotten() {
    let mut script = Script::new();
    assert!(script.record.forget(JOB).is_none());
    assert!(script.record.job(JOB).is_some());
    let mut script = script.finish(JobState::Returned);
    let forgotten = script.record.forget(JOB).unwrap();
    assert_eq!(*forgotten.state(), JobState::Returned);
    assert!(script.record.job(JOB).is_none());
}

#[test]
fn panics_come_with_their_backtraces_as_these_become_known() {
    let script = Script::new()
        .item("a", 0)
        .end(0, ItemState::Panicked(panic("oh")));
    let key = PanicKey::Item(ItemId(0));
    let (_, backtrace) = script.job().panic(key).unwrap();
    assert_eq!(*backtrace, Backtrace::Unresolved);
    let script = script.tell(EventKind::BacktraceDidResolve {
        panic: key,
        text: Arc::from("0: main"),
    });
    let panics: Vec<_> = script.job().panics().collect();
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
fn the_report_of_a_panic_tells_all_that_is_known() {
    let script = Script::new()
        .item("a", 0)
        .end(0, ItemState::Panicked(panic("oh")))
        .tell(EventKind::BacktraceDidResolve {
            panic: PanicKey::Item(ItemId(0)),
            text: Arc::from("0: main\n"),
        });
    let report = panic_text(script.job(), PanicKey::Item(ItemId(0))).unwrap();
    assert_eq!(
        report,
        "misbehave #1 panicked\nitem: a\nmessage: oh\nlocation: src/some.rs:1:2\n\
         thread: worker-1\ntask: misbehave #1 a #7\nbacktrace:\n0: main\n"
    );
    assert_eq!(panic_text(script.job(), PanicKey::Job), None);
}

#[test]
fn the_report_of_a_job_lists_every_item_and_every_panic() {
    let script = Script::new()
        .item("a", 0)
        .item("b", 0)
        .item("c", 0)
        .end(0, text("fine"))
        .end(1, failed("b is broken"))
        .end(2, ItemState::Panicked(panic("oh")))
        .at(1_500)
        .finish(JobState::Failed);
    let report = job_text(script.job(), script.at);
    let expected = "job: misbehave #1\nstate: failed\nelapsed: 1.500 s\n\
        items: 3 (1 returned, 1 failed, 1 panicked, 0 crashed, 0 cancelled)\n\
        returned: a  fine\nfailed: b  b is broken\npanicked: c  oh\n\nmisbehave #1 panicked\n";
    assert!(report.starts_with(expected), "{report}");
}

#[test]
fn the_json_of_a_job_holds_each_item_with_what_it_ended_with() {
    let script = Script::new()
        .item("a", 0)
        .item("b", 0)
        .item("c", 0)
        .item("d", 0)
        .end(0, text("fine"))
        .end(1, failed("b is broken"))
        .end(2, ItemState::Panicked(panic("oh")))
        .end(3, ItemState::Cancelled)
        .at(250)
        .finish(JobState::Cancelled);
    let expected = serde_json::json!({
        "job": "misbehave",
        "state": "cancelled",
        "elapsed_secs": 0.25,
        "items": [
            {"input": "a", "state": "returned", "output": {"text": "fine"}},
            {"input": "b", "state": "failed", "error": {"kind": "broken", "message": "b is broken"}},
            {"input": "c", "state": "panicked", "panic": {
                "message": "oh", "location": "src/some.rs:1:2",
                "thread": "worker-1", "task": "misbehave #1 a", "task_id": 7}},
            {"input": "d", "state": "cancelled"},
        ],
    });
    assert_eq!(script.json(), expected);
}

#[test]
fn a_crash_is_written_with_code_or_signal_and_the_last_lines_of_its_worker() {
    let script = Script::new()
        .item("a", 0)
        .end(0, crash())
        .finish(JobState::Failed);
    let expected = serde_json::json!({
        "input": "a", "state": "crashed", "crash": {
            "message": "its worker was killed by signal 6 (SIGABRT)",
            "code": null, "signal": 6, "signal_name": "SIGABRT", "core_dumped": false,
            "stderr": "one\ntwo"}});
    assert_eq!(script.json()["items"][0], expected);
    let report = job_text(script.job(), script.at);
    let lines = "\ncrashed: a  its worker was killed by signal 6 (SIGABRT)\n    stderr: one\n    \
        stderr: two\n";
    assert!(report.contains(lines), "{report}");
}

#[test]
fn what_still_ran_when_a_job_was_given_up_is_written_as_timed_out() {
    let script = Script::new()
        .item("a", 0)
        .start(0)
        .finish(JobState::TimedOut);
    assert_eq!(script.json()["items"][0]["state"], "timed_out");
}

#[test]
fn the_panic_of_planning_is_the_jobs_own() {
    let script = Script::new().finish(JobState::Panicked(panic("oh")));
    assert_eq!(script.json()["panic"]["message"], "oh");
    assert_eq!(script.job().panics().next().unwrap().0, PanicKey::Job);
    assert!(panic_text(script.job(), PanicKey::Job).is_some());
}

#[cfg(unix)]
#[test]
fn a_name_that_is_not_utf8_keeps_its_bytes_in_the_json() {
    use std::os::unix::ffi::OsStringExt as _;
    let name = std::ffi::OsString::from_vec(vec![b'a', 0xff, 0x0a]);
    let script = Script::new().item(name, 0);
    let json = script.json();
    assert_eq!(json["items"][0]["input"], "a\u{fffd}\n");
    assert_eq!(json["items"][0]["input_bytes_hex"], "61ff0a");
    let utf8 = Script::new().item("ä", 0).json();
    assert_eq!(utf8["items"][0]["input_bytes_hex"], serde_json::Value::Null);
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn frames_that_follow_each_other_count_from_start_to_start() {
    let mut frames = FrameHistory::default();
    frames.begin_frame(millis(0), None);
    frames.begin_frame(millis(16), Some(millis(0)));
    frames.begin_frame(millis(66), Some(millis(16)));
    let expected = FrameSummary {
        last: Some(millis(50)),
        worst: Some(millis(50)),
        repaints: 3,
        slow: 1,
    };
    assert_eq!(frames.summary(millis(66)), expected);
}

#[test]
fn a_window_that_slept_is_not_slow() {
    let mut frames = FrameHistory::default();
    frames.begin_frame(millis(0), None);
    frames.begin_frame(seconds(60), None);
    frames.begin_frame(millis(60_110), Some(millis(60_100)));
    let summary = frames.summary(millis(60_110));
    assert_eq!(
        (summary.last, summary.slow, summary.repaints),
        (Some(millis(10)), 0, 2)
    );
}

#[test]
fn the_worst_frame_is_forgotten_after_five_seconds() {
    let mut frames = FrameHistory::default();
    frames.begin_frame(seconds(2), Some(millis(0)));
    assert_eq!(frames.summary(seconds(7)).worst, Some(seconds(2)));
    assert_eq!(frames.summary(millis(7_001)).worst, None);
    assert_eq!(frames.summary(millis(7_001)).slow, 1);
}

#[test]
fn the_frame_history_is_bounded() {
    let mut frames = FrameHistory::default();
    for frame in 1..=2_000 {
        frames.begin_frame(millis(frame), Some(millis(frame - 1)));
    }
    assert_eq!(frames.owed().count(), 512);
}
