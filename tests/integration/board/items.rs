//! How items and jobs end.

use meanwhile::jobs::misbehave::Misbehaviour;
use meanwhile::jobs::{self, JobInputs, JobSpec, Options, RunOn, checksum};
use meanwhile::record::{Backtrace, ItemState, JobId, JobState, PanicKey, Record};

use crate::util::test_board::{PLACES, TestBoard, misbehave, spec};

#[test]
fn panicking_item_leaves_the_others_alone() {
    for place in PLACES {
        let mut board = TestBoard::new();
        let job = board.start(spec(place, misbehave(Misbehaviour::PanicString, 2, 3)));
        board.until_ended(job);
        assert_eq!(board.labels(job), ["returned", "panicked", "returned"]);
        assert_eq!(*board.job(job).state(), JobState::Failed);
        assert!(board.job(job).is_planned());
    }
}

/// Many items that end at once share tasks.
#[test]
fn panic_in_a_shared_task_is_that_of_one_item() {
    let mut board = TestBoard::new();
    let options = misbehave(Misbehaviour::PanicString, 700, 1_000);
    let job = board.start(spec(RunOn::Pool, options));
    board.until_ended(job);
    let counts = board.job(job).counts();
    assert_eq!((counts.returned, counts.panicked), (999, 1));
    let (_, panic, _) = board.job(job).panics().next().unwrap();
    assert_eq!(panic.message, "item 700 misbehaved: a simulated panic");
    assert!(panic.task.ends_with(" item 700"), "{}", panic.task);
}

#[test]
fn items_behind_a_panic_in_their_task_still_run() {
    let mut board = TestBoard::new();
    let options = misbehave(Misbehaviour::PanicString, 0, 300);
    let job = board.start(spec(RunOn::Pool, options));
    board.until_ended(job);
    assert_eq!(board.job(job).counts().panicked, 300);
    for (number, (_, panic, _)) in board.job(job).panics().enumerate() {
        assert!(panic.message.ends_with("a simulated panic"), "{number}");
    }
    let inputs = board.job(job).items().iter();
    for item in inputs {
        let ItemState::Panicked(panic) = &item.state else {
            panic!("{:?}", item.state);
        };
        let name = item.input.display().to_string();
        assert!(panic.message.starts_with(&name) && panic.task.ends_with(&name));
    }
}

#[test]
fn items_behind_a_long_one_in_its_task_still_run() {
    let mut board = TestBoard::new();
    let options = jobs::misbehave::Options {
        after: 3_600.0,
        ..misbehave(Misbehaviour::Sleep, 700, 1_000)
    };
    let job = board.start(spec(RunOn::Pool, options));
    board.until("all others have returned", |record| {
        let job = record.job(job);
        job.is_some_and(|job| job.counts().returned == 999)
    });
    board.cancel(job);
    board.until_ended(job);
    assert_eq!(board.job(job).counts().cancelled, 1);
}

#[test]
fn cancel_ends_each_item_of_shared_tasks() {
    let mut board = TestBoard::new();
    let options = misbehave(Misbehaviour::Error, 0, 100_000);
    let job = board.start(spec(RunOn::Pool, options));
    board.until("an item failed", |record| {
        record.job(job).is_some_and(|job| job.counts().failed > 0)
    });
    board.cancel(job);
    board.until_ended(job);
    let record = board.job(job);
    let counts = record.counts();
    assert_eq!(counts.failed + counts.cancelled, record.items().len());
    assert!(record.items().iter().all(|item| item.state.is_ended()));
    if counts.cancelled > 0 {
        assert_eq!(*record.state(), JobState::Cancelled);
    }
}

#[test]
fn job_returns_when_all_items_return() {
    for place in PLACES {
        let mut board = TestBoard::new();
        let job = board.start(spec(place, misbehave(Misbehaviour::Return, 1, 3)));
        board.until_ended(job);
        assert_eq!(*board.job(job).state(), JobState::Returned);
        assert_eq!(board.job(job).counts().returned, 3);
    }
}

#[test]
fn job_without_items_returns() {
    let mut board = TestBoard::new();
    let job = board.start(spec(RunOn::Pool, misbehave(Misbehaviour::Return, 1, 0)));
    board.until_ended(job);
    assert_eq!(*board.job(job).state(), JobState::Returned);
    assert_eq!(notes(&board, job), ["There was nothing to do."]);
}

fn notes(board: &TestBoard, job: JobId) -> Vec<&str> {
    let notes = board.job(job).notes().iter();
    notes.map(|note| &**note).collect()
}

/// A frame has no time to make a list of a million.
#[test]
fn inputs_are_made_by_the_plan_and_shared() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "abc").unwrap();
    let (made, makers) = crossbeam_channel::bounded(2);
    let inputs = JobInputs::made_by(false, move || {
        made.send(std::thread::current().id()).unwrap();
        vec![file]
    });
    let spec = JobSpec {
        inputs,
        ..JobSpec::new(Options::Checksum(checksum::Options::default()))
    };
    let mut board = TestBoard::new();
    for _ in 0..2 {
        let job = board.start(spec.clone());
        board.until_ended(job);
        assert_eq!(board.labels(job), ["returned"]);
    }
    let makers: Vec<_> = makers.iter().collect();
    assert_eq!(makers.len(), 1);
    assert_ne!(makers[0], std::thread::current().id());
}

#[test]
fn notes_of_a_plan_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let empty = |number| folder.path().join(format!("empty-{number}"));
    let inputs: Vec<_> = (0..150).map(empty).collect();
    for folder in &inputs {
        std::fs::create_dir(folder).unwrap();
    }
    let mut board = TestBoard::new();
    let job = board.start(JobSpec {
        inputs: inputs.into(),
        ..JobSpec::new(Options::Checksum(checksum::Options::default()))
    });
    board.until_ended(job);
    let notes = notes(&board, job);
    assert!(
        notes[99].ends_with("empty-99 has no files."),
        "{}",
        notes[99]
    );
    assert_eq!(notes[100..], ["50 notes are not shown."]);
}

#[test]
fn panic_keeps_message_location_thread_and_task() {
    let messages = [
        (Misbehaviour::PanicStr, "simulated panic"),
        (
            Misbehaviour::PanicString,
            "item 1 misbehaved: a simulated panic",
        ),
        (Misbehaviour::PanicOther, "non-string payload"),
        (Misbehaviour::PanicInDrop, "simulated panic in a destructor"),
    ];
    for place in PLACES {
        for (end, message) in messages {
            let mut board = TestBoard::new();
            let job = board.start(spec(place, misbehave(end, 1, 1)));
            board.until_ended(job);
            let (key, panic, backtrace) = board.job(job).panics().next().unwrap();
            assert_eq!(key, PanicKey::Item(board.job(job).items()[0].id));
            assert_eq!(panic.message, message);
            let location = panic.location.as_deref().unwrap();
            assert!(location.contains("misbehave/mod.rs:"), "{location}");
            assert_eq!(panic.task, "misbehave #1 item 1");
            assert!(panic.thread.starts_with("misbehave #1"), "{}", panic.thread);
            assert!(panic.task_id > 0);
            assert_eq!(*backtrace, Backtrace::Unresolved);
        }
    }
}

#[test]
fn planning_panic_ends_job_and_keeps_found_items() {
    for place in PLACES {
        let mut board = TestBoard::new();
        let job = board.start(spec(place, misbehave(Misbehaviour::PanicInPlan, 3, 5)));
        board.until_ended(job);
        assert_eq!(board.labels(job), ["returned", "returned"]);
        assert_eq!(board.job(job).state().label(), "panicked");
        let (key, panic, _) = board.job(job).panics().next().unwrap();
        assert_eq!(key, PanicKey::Job);
        assert!(panic.message.contains("while planning"));
    }
}

#[test]
fn job_error_fails_its_item() {
    for place in PLACES {
        let mut board = TestBoard::new();
        let job = board.start(spec(place, misbehave(Misbehaviour::Error, 1, 2)));
        board.until_ended(job);
        assert_eq!(board.labels(job), ["failed", "returned"]);
        let ItemState::Failed(error) = &board.job(job).items()[0].state else {
            unreachable!("the label is failed");
        };
        assert_eq!(error.kind, "misbehaved");
    }
}

#[test]
fn backtrace_is_resolved_on_request() {
    for place in PLACES {
        resolve_a_backtrace(place);
    }
}

#[track_caller]
fn resolve_a_backtrace(place: RunOn) {
    let mut board = TestBoard::new();
    let job = board.start(spec(place, misbehave(Misbehaviour::PanicStr, 1, 1)));
    board.until_ended(job);
    let key = PanicKey::Item(board.job(job).items()[0].id);
    board.resolve_backtrace(job, key);
    board.resolve_backtrace(job, key);
    let resolved = |record: &Record| {
        let (_, backtrace) = record.job(job)?.panic(key)?;
        match backtrace {
            Backtrace::Resolved(text) => Some(text.clone()),
            Backtrace::Unresolved => None,
        }
    };
    board.until("the backtrace is resolved", |record| {
        resolved(record).is_some()
    });
    let text = resolved(&board.record).expect("the backtrace is resolved");
    assert!(text.contains("misbehave"), "{text}");
}

#[test]
fn only_first_panics_keep_their_backtrace() {
    const PANICS: usize = 300;
    let mut board = TestBoard::new();
    let job = board.start(spec(
        RunOn::Pool,
        misbehave(Misbehaviour::PanicStr, 0, PANICS),
    ));
    board.until_ended(job);
    let keys: Vec<PanicKey> = board.job(job).panics().map(|(key, ..)| key).collect();
    assert_eq!(keys.len(), PANICS);
    board.resolve_backtrace(job, keys[PANICS - 1]);
    board.poll();
    let (_, backtrace) = board.job(job).panic(keys[PANICS - 1]).unwrap();
    let Backtrace::Resolved(text) = backtrace else {
        unreachable!("the next poll says that a backtrace was not kept");
    };
    assert!(text.contains("first 256"), "{text}");
}
