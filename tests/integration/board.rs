//! What the board promises, on a pool and on threads.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use meanwhile::board::JobBoard;
use meanwhile::jobs::command::{self, CommandLine};
use meanwhile::jobs::misbehave::{self, End};
use meanwhile::jobs::{JobSpec, Options, RunOn};
use meanwhile::join;
use meanwhile::record::{
    Backtrace, EventKind, ItemState, JobId, JobState, JoinEnd, PanicKey, Record,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::util::child::in_child_with;
use crate::util::desk::{Desk, FOR_EVER, PLACES, misbehave, sleeper, spec};
use crate::util::files::folder;

const SHORT: Duration = Duration::from_millis(20);

#[test]
fn each_item_ends_on_its_own() {
    for place in PLACES {
        let mut desk = Desk::new();
        let job = desk.start(spec(place, misbehave(End::PanicString, 2, 3)));
        desk.until_ended(job);
        assert_eq!(desk.words(job), ["returned", "panicked", "returned"]);
        assert_eq!(*desk.job(job).state(), JobState::Failed);
        assert!(desk.job(job).is_planned());
    }
}

#[test]
fn a_job_whose_items_return_returns() {
    for place in PLACES {
        let mut desk = Desk::new();
        let job = desk.start(spec(place, misbehave(End::Return, 1, 3)));
        desk.until_ended(job);
        assert_eq!(*desk.job(job).state(), JobState::Returned);
        assert_eq!(desk.job(job).counts().returned, 3);
    }
}

#[test]
fn a_job_without_items_returns() {
    let mut desk = Desk::new();
    let job = desk.start(spec(RunOn::Pool, misbehave(End::Return, 1, 0)));
    desk.until_ended(job);
    assert_eq!(*desk.job(job).state(), JobState::Returned);
}

#[test]
fn a_panic_is_captured_with_message_place_and_names() {
    let messages = [
        (End::PanicStr, "simulated panic"),
        (End::PanicString, "simulated panic in item 1"),
        (End::PanicOther, "non-string payload"),
        (End::PanicInDrop, "simulated panic in a destructor"),
    ];
    for place in PLACES {
        for (end, message) in messages {
            let mut desk = Desk::new();
            let job = desk.start(spec(place, misbehave(end, 1, 1)));
            desk.until_ended(job);
            let (key, panic, backtrace) = desk.job(job).panics().next().unwrap();
            assert_eq!(key, PanicKey::Item(desk.job(job).items()[0].id));
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
fn a_panic_while_planning_ends_the_job_and_keeps_what_was_found() {
    for place in PLACES {
        let mut desk = Desk::new();
        let job = desk.start(spec(place, misbehave(End::PanicInPlan, 3, 5)));
        desk.until_ended(job);
        assert_eq!(desk.words(job), ["returned", "returned"]);
        assert_eq!(desk.job(job).state().word(), "panicked");
        let (key, panic, _) = desk.job(job).panics().next().unwrap();
        assert_eq!(key, PanicKey::Job);
        assert!(panic.message.contains("while it was planned"));
    }
}

#[test]
fn an_error_of_the_job_fails_the_item() {
    for place in PLACES {
        let mut desk = Desk::new();
        let job = desk.start(spec(place, misbehave(End::Error, 1, 2)));
        desk.until_ended(job);
        assert_eq!(desk.words(job), ["failed", "returned"]);
        let ItemState::Failed(error) = &desk.job(job).items()[0].state else {
            unreachable!("the word says failed");
        };
        assert_eq!(error.kind, "misbehaved");
    }
}

#[test]
fn cancel_keeps_what_is_done() {
    for place in PLACES {
        let mut desk = Desk::new();
        let job = desk.start(sleeper(place, 3));
        desk.until("all but the sleeper end", |record| {
            let counts = record.job(job).unwrap().counts();
            counts.returned == 2 && counts.running == 1
        });
        desk.board.cancel(job);
        desk.until_ended(job);
        assert_eq!(desk.words(job), ["cancelled", "returned", "returned"]);
        assert_eq!(*desk.job(job).state(), JobState::Cancelled);
        assert!(desk.job(job).cancel_asked_at().is_some());
    }
}

#[test]
fn what_has_not_begun_when_a_job_is_cancelled_never_begins() {
    for place in PLACES {
        let mut desk = Desk::new();
        let options = misbehave::Options {
            after: FOR_EVER,
            ..misbehave(End::Sleep, 0, 1_000)
        };
        let job = desk.start(spec(place, options));
        desk.until("both workers are busy", |record| {
            let job = record.job(job).unwrap();
            job.counts().running == 2 && job.is_planned()
        });
        desk.board.cancel(job);
        desk.until_ended(job);
        let counts = desk.job(job).counts();
        assert_eq!((counts.cancelled, counts.total()), (1_000, 1_000));
        let items = desk.job(job).items().iter();
        assert_eq!(items.filter(|item| item.started_at.is_some()).count(), 2);
    }
}

#[test]
fn a_second_cancel_and_one_after_the_end_change_nothing() {
    let mut desk = Desk::new();
    let job = desk.start(sleeper(RunOn::Pool, 1));
    desk.board.cancel(job);
    desk.board.cancel(job);
    desk.until_ended(job);
    let asked = desk.job(job).cancel_asked_at();
    desk.board.cancel(job);
    desk.board.time_out(job);
    desk.poll();
    assert_eq!(desk.job(job).cancel_asked_at(), asked);
    assert_eq!(*desk.job(job).state(), JobState::Cancelled);
}

#[test]
fn a_job_that_ignores_the_cancel_returns_and_both_facts_are_kept() {
    // An isolated one is stopped when it ignores it for too long.
    for place in [RunOn::Pool, RunOn::Thread] {
        let mut desk = Desk::new();
        let options = misbehave::Options {
            after: 0.5,
            ..misbehave(End::IgnoreCancel, 1, 1)
        };
        let job = desk.start(spec(place, options));
        desk.until("it runs", |record| {
            record.job(job).unwrap().counts().running == 1
        });
        desk.board.cancel(job);
        desk.until_ended(job);
        assert_eq!(*desk.job(job).state(), JobState::Returned);
        assert!(desk.job(job).cancel_asked_at().is_some());
    }
}

#[test]
fn a_join_that_times_out_is_never_early_and_leaves_the_job_running_and_joinable() {
    for place in PLACES {
        let mut desk = Desk::new();
        let job = desk.start(sleeper(place, 1));
        let first = desk.board.join(job, Some(SHORT));
        desk.until("the join ends", |record| {
            let job = record.job(job).unwrap();
            !job.joins().is_empty() && job.active_joins().next().is_none()
        });
        let join = desk.job(job).joins()[0].clone();
        assert_eq!(join.id, first);
        assert_eq!(join.ended.unwrap().1, JoinEnd::TimedOut);
        assert!(join.waited(desk.board.now()) >= SHORT);
        assert_eq!(*desk.job(job).state(), JobState::Running);

        desk.board.join(job, None);
        desk.board.cancel(job);
        desk.until_ended(job);
        assert_eq!(desk.job(job).joins()[1].ended.unwrap().1, JoinEnd::Joined);
    }
}

#[test]
fn a_join_ends_after_the_job_has_ended_in_the_record() {
    let mut desk = Desk::new();
    let job = desk.start(sleeper(RunOn::Pool, 1));
    desk.board.join(job, None);
    desk.board.join(job, Some(Duration::MAX));
    desk.board.cancel(job);
    let mut ends = Vec::new();
    while ends.len() < 3 {
        let due = desk.board.wants_poll_in().unwrap();
        let _woken_or_due = desk.woken.recv_timeout(due);
        for event in desk.board.poll(100) {
            match event.kind {
                EventKind::JobDidFinish { .. } => ends.push("job"),
                EventKind::JoinDidEnd { .. } => ends.push("join"),
                _ => {}
            }
        }
    }
    assert_eq!(ends, ["job", "join", "join"]);
}

#[test]
fn joining_an_ended_job_ends_at_once_every_time() {
    let mut desk = Desk::new();
    let job = desk.start(spec(RunOn::Pool, misbehave(End::Return, 1, 1)));
    desk.until_ended(job);
    for _ in 0..1_000 {
        desk.board.join(job, None);
        assert_eq!(desk.board.join_blocking(job, None), JoinEnd::Joined);
    }
    desk.poll();
    let joins = desk.job(job).joins();
    assert_eq!(joins.len(), 2_000);
    assert!(
        joins
            .iter()
            .all(|join| join.ended.unwrap().1 == JoinEnd::Joined)
    );
}

#[test]
fn detach_ends_every_wait_and_the_job_runs_on() {
    let mut desk = Desk::new();
    let job = desk.start(sleeper(RunOn::Pool, 1));
    desk.board.join(job, None);
    desk.board.join(job, Some(Duration::from_secs(1_000)));
    assert!(desk.board.next_deadline().is_some());
    desk.board.detach(job);
    desk.poll();
    let joins = desk.job(job).joins();
    assert!(
        joins
            .iter()
            .all(|join| join.ended.unwrap().1 == JoinEnd::Detached)
    );
    assert_eq!(desk.board.next_deadline(), None);
    assert_eq!(*desk.job(job).state(), JobState::Running);
}

#[test]
fn a_blocking_join_returns_at_its_deadline_or_with_the_job() {
    for place in PLACES {
        let mut desk = Desk::new();
        let job = desk.start(sleeper(place, 1));
        let start = Instant::now();
        assert_eq!(
            desk.board.join_blocking(job, Some(SHORT)),
            JoinEnd::TimedOut
        );
        assert!(start.elapsed() >= SHORT);
        desk.board.cancel(job);
        assert_eq!(desk.board.join_blocking(job, None), JoinEnd::Joined);
        desk.poll();
        assert_eq!(*desk.job(job).state(), JobState::Cancelled);
        assert!(desk.job(job).joins().iter().all(|join| join.blocking));
    }
}

#[test]
fn a_job_that_was_cancelled_because_its_time_was_up_ends_timed_out() {
    for place in PLACES {
        let mut desk = Desk::new();
        let job = desk.start(sleeper(place, 2));
        desk.board.time_out(job);
        desk.until_ended(job);
        assert_eq!(*desk.job(job).state(), JobState::TimedOut);
    }
}

#[test]
fn a_backtrace_is_resolved_on_request() {
    for place in PLACES {
        resolve_a_backtrace(place);
    }
}

#[track_caller]
fn resolve_a_backtrace(place: RunOn) {
    let mut desk = Desk::new();
    let job = desk.start(spec(place, misbehave(End::PanicStr, 1, 1)));
    desk.until_ended(job);
    let key = PanicKey::Item(desk.job(job).items()[0].id);
    desk.board.resolve_backtrace(job, key);
    desk.board.resolve_backtrace(job, key);
    let resolved = |record: &Record| {
        let (_, backtrace) = record.job(job)?.panic(key)?;
        match backtrace {
            Backtrace::Resolved(text) => Some(text.clone()),
            Backtrace::Unresolved => None,
        }
    };
    desk.until("the backtrace is there", |record| {
        resolved(record).is_some()
    });
    let text = resolved(&desk.record).expect("it was waited for");
    assert!(text.contains("misbehave"), "{text}");
}

#[test]
fn only_the_first_panics_of_a_job_keep_their_backtrace() {
    const PANICS: usize = 300;
    let mut desk = Desk::new();
    let job = desk.start(spec(RunOn::Pool, misbehave(End::PanicStr, 0, PANICS)));
    desk.until_ended(job);
    let keys: Vec<PanicKey> = desk.job(job).panics().map(|(key, ..)| key).collect();
    assert_eq!(keys.len(), PANICS);
    desk.board.resolve_backtrace(job, keys[PANICS - 1]);
    desk.poll();
    let (_, backtrace) = desk.job(job).panic(keys[PANICS - 1]).unwrap();
    let Backtrace::Resolved(text) = backtrace else {
        unreachable!("a backtrace that was not kept is told at once");
    };
    assert!(text.contains("first 256"), "{text}");
}

#[test]
fn polling_on_wake_ups_alone_misses_no_end() {
    for place in PLACES {
        let mut desk = Desk::new();
        let job = desk
            .board
            .start(spec(place, misbehave(End::Error, 2, 3)))
            .unwrap();
        desk.board.join(job, None);
        let limit = Duration::from_mins(1);
        while !desk
            .record
            .job(job)
            .is_some_and(|job| job.state().is_ended())
        {
            desk.woken.recv_timeout(limit).expect("the end wakes");
            desk.poll();
        }
        assert_eq!(desk.job(job).active_joins().count(), 0);
    }
}

#[test]
fn an_idle_board_never_wakes_and_wants_no_poll() {
    let mut desk = Desk::new();
    assert_eq!(desk.board.wants_poll_in(), None);
    let job = desk.start(spec(RunOn::Pool, misbehave(End::PanicStr, 1, 3)));
    desk.until_ended(job);
    desk.poll();
    while desk.woken.try_recv().is_ok() {}
    assert_eq!(desk.board.wants_poll_in(), None);
    assert!(desk.woken.recv_timeout(Duration::from_millis(200)).is_err());
    assert_eq!(desk.poll(), 0);
}

#[test]
fn a_poll_keeps_to_its_budget_and_asks_for_the_next() {
    const BUDGET: usize = 50;
    let mut board = JobBoard::new(|| {});
    let mut record = Record::default();
    let job = board
        .start(spec(RunOn::Pool, misbehave(End::Return, 1, 1_000)))
        .unwrap();
    assert_eq!(board.join_blocking(job, None), JoinEnd::Joined);
    let mut polls = 0;
    loop {
        let events = board.poll(BUDGET);
        // What the board itself has to say comes on top: start, join and its end; the end.
        assert!(events.len() <= BUDGET + 4, "{}", events.len());
        for event in events {
            record.apply(event);
        }
        polls += 1;
        if record.job(job).unwrap().state().is_ended() {
            break;
        }
        assert_eq!(board.wants_poll_in(), Some(Duration::ZERO));
    }
    assert!(polls >= 3_000 / BUDGET);
    assert_eq!(record.job(job).unwrap().counts().returned, 1_000);
    assert_eq!(board.wants_poll_in(), None);
}

#[test]
fn a_hundred_thousand_items_all_end_with_few_of_them_in_flight() {
    const ITEMS: usize = 100_000;
    let inputs = (0..ITEMS).map(|number| PathBuf::from(format!("tiny {number}")));
    let mut desk = Desk::new();
    let job = desk.start(JobSpec {
        inputs: inputs.collect(),
        ..spec(RunOn::Pool, misbehave(End::Return, 1, 0))
    });
    let mut most = 0;
    desk.until("all end", |record| {
        let tasks = join::enumerate();
        most = most.max(
            tasks
                .iter()
                .filter(|task| task.name.contains("tiny"))
                .count(),
        );
        record.job(job).unwrap().state().is_ended()
    });
    assert_eq!(desk.job(job).counts().returned, ITEMS);
    assert!(most <= 100, "{most} tasks at once");
}

#[test]
fn threads_are_never_more_than_the_workers() {
    let inputs = (0..200).map(|number| PathBuf::from(format!("thrifty {number}")));
    let mut desk = Desk::new();
    let options = misbehave::Options {
        after: 0.001,
        ..misbehave(End::Return, 0, 0)
    };
    let job = desk.start(JobSpec {
        inputs: inputs.collect(),
        workers: 3,
        ..spec(RunOn::Thread, options)
    });
    desk.until("all end", |record| {
        let tasks = join::enumerate();
        let alive = tasks
            .iter()
            .filter(|task| task.name.contains("thrifty"))
            .count();
        assert!(alive <= 3, "{alive} threads for 3 workers");
        record.job(job).unwrap().state().is_ended()
    });
}

/// Room for some fifty threads. What is too little for one more stack must still do for an ordinary
/// allocation, whose failure ends the process: so there is one heap, and it grows in large steps.
#[cfg(target_os = "linux")]
const LITTLE_ROOM: &str = "export MALLOC_ARENA_MAX=1 MALLOC_TOP_PAD_=16777216; ulimit -v 150000";

#[cfg(target_os = "linux")]
#[test]
fn items_wait_for_a_thread_where_the_system_refuses_more() {
    const ITEMS: usize = 100;
    let name = "board::items_wait_for_a_thread_where_the_system_refuses_more";
    in_child_with(LITTLE_ROOM, name, || {
        let mut desk = Desk::new();
        let options = misbehave::Options {
            after: 0.3,
            ..misbehave(End::Return, 1, ITEMS)
        };
        let job = desk.start(JobSpec {
            workers: ITEMS,
            ..spec(RunOn::Thread, options)
        });
        let mut most = 0;
        desk.until("all end", |record| {
            let job = record.job(job).unwrap();
            most = most.max(job.counts().running);
            job.state().is_ended()
        });
        assert_eq!(desk.job(job).counts().returned, ITEMS);
        assert!(most < ITEMS, "the system refused nothing");
    });
}

/// The limit on processes, which counts threads, does not hold for root. Nobody else has this number.
#[cfg(target_os = "linux")]
const NOT_AS_ROOT: &str = r#"
if [ "$(id -u)" = 0 ]; then
    copy=$(mktemp) && cp "$0" "$copy" && chmod 755 "$copy"
    exec 9< "$copy" && rm "$copy"
    exec setpriv --reuid=4243 --regid=4243 --clear-groups -- /proc/self/fd/9 "$@"
fi"#;

/// How many threads the person of this process may have.
#[cfg(target_os = "linux")]
fn limit_threads(current: Option<u64>) {
    let limit = Rlimit {
        current,
        ..getrlimit(Resource::Nproc)
    };
    setrlimit(Resource::Nproc, limit).expect("the limit may be lowered, and raised again");
}

#[cfg(target_os = "linux")]
#[test]
fn where_nothing_runs_an_item_without_a_thread_is_tried_again_and_those_behind_it_once() {
    // Tried like the first, so many would take longer than the test has.
    const BEHIND: usize = 200;
    const RETRIES: Duration = Duration::from_millis(4 * 100);
    let name = "board::where_nothing_runs_an_item_without_a_thread_is_tried_again_and_those_behind_it_once";
    in_child_with(NOT_AS_ROOT, name, || {
        let folder = folder();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RWXU;
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).expect("a pipe can be made");
        let mut inputs = vec![pipe.clone()];
        inputs.extend((0..=BEHIND).map(|number| PathBuf::from(format!("file {number}"))));
        let cat = |inputs| JobSpec {
            options: Options::Command(command::Options {
                command: CommandLine::Line("cat".to_owned()),
                ..command::Options::default()
            }),
            inputs,
            workers: 1,
            ..spec(RunOn::Thread, misbehave::Options::default())
        };
        let mut desk = Desk::new();
        let job = desk.start(cat(inputs));
        desk.until("the first item runs and all are found", |record| {
            let job = record.job(job).unwrap();
            job.is_planned() && job.first_process().is_some()
        });

        let before = getrlimit(Resource::Nproc).current;
        limit_threads(Some(1));
        drop(fs::OpenOptions::new().write(true).open(&pipe).unwrap());
        desk.until_ended(job);
        let items = desk.job(job).items();
        let ended_at = |item: usize| items[item].ended_at.unwrap();
        assert_eq!(items[0].state.word(), "returned");
        for item in items.iter().skip(1) {
            let ItemState::Failed(error) = &item.state else {
                panic!("{:?}", item.state);
            };
            assert_eq!(error.kind, "no_thread");
        }
        let tried_for = ended_at(1).saturating_sub(ended_at(0));
        assert!(tried_for >= RETRIES, "given up after {tried_for:?}");

        limit_threads(before);
        let job = desk.start(cat(Vec::new()));
        desk.until_ended(job);
        assert_eq!(desk.words(job), ["returned"]);
    });
}

#[test]
fn the_board_counts_what_runs() {
    let mut desk = Desk::new();
    assert_eq!(desk.board.running(), 0);
    let job = desk.start(sleeper(RunOn::Pool, 1));
    desk.until("it runs", |record| {
        record.job(job).unwrap().counts().running == 1
    });
    desk.poll();
    assert_eq!(desk.board.running(), 1);
    assert!(desk.board.is_busy());
    desk.board.cancel(job);
    desk.until_ended(job);
    desk.poll();
    assert_eq!(desk.board.running(), 0);
    assert!(!desk.board.is_busy());
}

#[test]
fn shutdown_cancels_and_waits_no_longer_than_it_was_told() {
    let mut desk = Desk::new();
    let ignores = misbehave::Options {
        after: 3.0,
        ..misbehave(End::IgnoreCancel, 1, 1)
    };
    let stubborn = desk.start(spec(RunOn::Pool, ignores));
    desk.start(sleeper(RunOn::Thread, 2));
    desk.until("the stubborn one runs", |record| {
        record.job(stubborn).unwrap().counts().running == 1
    });
    let start = Instant::now();
    assert_eq!(desk.board.shutdown(Duration::from_millis(300)), 1);
    drop(desk);
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[test]
fn dropping_the_board_cancels_what_runs() {
    let mut desk = Desk::new();
    let job = desk.start(JobSpec {
        inputs: vec![PathBuf::from("left behind?")],
        ..sleeper(RunOn::Thread, 0)
    });
    desk.until("it runs", |record| {
        record.job(job).unwrap().counts().running == 1
    });
    drop(desk);
    let tasks = join::enumerate();
    assert!(tasks.iter().all(|task| !task.name.contains("left behind?")));
}

#[test]
fn jobs_are_numbered_from_one_and_forgotten_only_after_their_end() {
    let mut desk = Desk::new();
    let first = desk.start(sleeper(RunOn::Pool, 1));
    let second = desk.start(spec(RunOn::Pool, misbehave(End::Return, 1, 1)));
    assert_eq!((first, second), (JobId(1), JobId(2)));
    desk.until_ended(second);
    desk.board.forget(first);
    desk.board.forget(second);
    desk.board.cancel(first);
    desk.until_ended(first);
    assert_eq!(*desk.job(first).state(), JobState::Cancelled);
}
