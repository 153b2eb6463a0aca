//! The exported JSON and text.

use std::sync::Arc;

use meanwhile::jobs::ItemError;
use meanwhile::record::{
    EventKind, ItemId, ItemState, JobId, JobState, PanicKey, job_text, panic_text,
};

use super::{Replay, crash, failed, panic, text};

fn note(text: &str) -> EventKind {
    EventKind::PlanDidNote { note: text.into() }
}

#[test]
fn panic_text_has_all_fields() {
    let replay = Replay::new()
        .item("a", 0)
        .item("b", 0)
        .end(0, ItemState::Panicked(panic("oh")))
        .apply(EventKind::BacktraceDidResolve {
            panic: PanicKey::Item(ItemId::new(0)),
            text: Arc::from("0: main\n"),
        });
    let report = panic_text(replay.job(), PanicKey::Item(ItemId::new(0))).unwrap();
    assert_eq!(
        report,
        "misbehave #1 panicked\nitem: a\nmessage: oh\nlocation: src/some.rs:1:2\n\
         thread: worker-1\ntask: misbehave #1 a #7\nbacktrace:\n0: main\n"
    );
    assert_eq!(panic_text(replay.job(), PanicKey::Job), None);
    assert_eq!(
        panic_text(replay.job(), PanicKey::Item(ItemId::new(1))),
        None
    );
}

#[test]
fn job_text_lists_every_item_and_panic() {
    let replay = Replay::new()
        .item("a", 0)
        .item("b", 0)
        .item("c", 0)
        .end(0, text("fine"))
        .end(1, failed("b is broken"))
        .end(2, ItemState::Panicked(panic("oh")))
        .apply(note("2 files were left out."))
        .at(1_500)
        .finish(JobState::Failed);
    let report = job_text(replay.job(), replay.at);
    let expected = "job: misbehave #1\nstate: failed\nelapsed: 1.50 s\n\
        items: 3 (1 returned, 1 failed, 1 panicked, 0 crashed, 0 cancelled)\n\
        note: 2 files were left out.\n\
        returned: a  fine\nfailed: b  b is broken\npanicked: c  oh\n\nmisbehave #1 panicked\n";
    assert!(report.starts_with(expected), "{report}");
}

#[test]
fn details_of_a_failure_are_exported() {
    let details = "panicked at a.rs:1:2:\noh".to_owned();
    let error = ItemError {
        details: Some(details.clone()),
        ..ItemError::new("broken", "a is broken")
    };
    let replay = Replay::new()
        .item("a", 0)
        .end(0, ItemState::Failed(error))
        .finish(JobState::Failed);
    let report = job_text(replay.job(), replay.at);
    let expected =
        "\nfailed: a  a is broken\n    details: panicked at a.rs:1:2:\n    details: oh\n";
    assert!(report.contains(expected), "{report}");
    assert_eq!(replay.json()["items"][0]["error"]["details"], details);
}

#[test]
fn json_has_every_item_with_its_result() {
    let replay = Replay::new()
        .item("a", 0)
        .item("b", 0)
        .item("c", 0)
        .item("d", 0)
        .end(0, text("fine"))
        .end(1, failed("b is broken"))
        .end(2, ItemState::Panicked(panic("oh")))
        .end(3, ItemState::Cancelled)
        .apply(note("2 files were left out."))
        .at(250)
        .finish(JobState::Cancelled);
    let expected = serde_json::json!({
        "job": "misbehave",
        "state": "cancelled",
        "elapsed_secs": 0.25,
        "notes": ["2 files were left out."],
        "items": [
            {"input": "a", "state": "returned", "output": {"text": "fine"}},
            {"input": "b", "state": "failed", "error": {"kind": "broken", "message": "b is broken"}},
            {"input": "c", "state": "panicked", "panic": {
                "message": "oh", "location": "src/some.rs:1:2",
                "thread": "worker-1", "task": "misbehave #1 a", "task_id": 7}},
            {"input": "d", "state": "cancelled"},
        ],
    });
    assert_eq!(replay.json(), expected);
}

#[test]
fn crash_is_exported_with_signal_and_stderr() {
    let replay = Replay::new()
        .item("a", 0)
        .end(0, crash())
        .finish(JobState::Failed);
    let expected = serde_json::json!({
        "input": "a", "state": "crashed", "crash": {
            "message": "its worker was killed by signal 6 (SIGABRT)",
            "code": null, "signal": 6, "signal_name": "SIGABRT", "core_dumped": false,
            "stderr": "one\ntwo"}});
    assert_eq!(replay.json()["items"][0], expected);
    let report = job_text(replay.job(), replay.at);
    let lines = "\ncrashed: a  its worker was killed by signal 6 (SIGABRT)\n    stderr: one\n    \
        stderr: two\n";
    assert!(report.contains(lines), "{report}");
}

#[test]
fn running_item_of_timed_out_job_is_timed_out() {
    let replay = Replay::new()
        .item("a", 0)
        .start(0)
        .finish(JobState::TimedOut);
    assert!(replay.job().state().is_ended());
    assert_eq!(replay.json()["state"], "timed_out");
    assert_eq!(replay.json()["items"][0]["state"], "timed_out");
}

#[test]
fn planning_panic_belongs_to_the_job() {
    let replay = Replay::new().finish(JobState::Panicked(panic("oh")));
    assert_eq!(replay.json()["panic"]["message"], "oh");
    assert_eq!(replay.job().panics().next().unwrap().0, PanicKey::Job);
    assert!(panic_text(replay.job(), PanicKey::Job).is_some());
}

#[cfg(unix)]
#[test]
fn json_keeps_bytes_of_non_utf8_names() {
    use std::os::unix::ffi::OsStringExt as _;
    let name = std::ffi::OsString::from_vec(vec![b'a', 0xff, 0x0a]);
    let replay = Replay::new().item(name, 0);
    let json = replay.json();
    assert_eq!(json["items"][0]["input"], "a\u{fffd}\n");
    assert_eq!(json["items"][0]["input_bytes_hex"], "61ff0a");
    let utf8 = Replay::new().item("ä", 0).json();
    assert_eq!(utf8["items"][0]["input_bytes_hex"], serde_json::Value::Null);
}

#[test]
fn a_number_is_written_as_people_count() {
    assert_eq!(JobId::new(1).to_string(), "#1");
}
