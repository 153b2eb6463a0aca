use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use meanwhile::join;
use meanwhile::join::process;
use meanwhile::lessons::{Cast, Ending, LessonId};
use meanwhile::record::{LaneKind, LaneOutcome};

use super::{in_own_folder, play, until, until_over};
use crate::util::gate::LIMIT;
use crate::util::lesson_processes::lesson_processes_in;

/// At which shares of a lesson second a run is stopped.
const STOPS: [f64; 3] = [0.0, 0.3, 1.1];

/// What the program has open: the reaper's own descriptors are there from the first child on.
fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// The folders of runs.
fn folders(folder: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(folder).expect("the folder for temporary files");
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
    let is_of_run = |name: &OsString| name.to_string_lossy().starts_with("meanwhile-lesson-");
    names.filter(is_of_run).collect()
}

/// Whether it becomes so before long.
fn comes_true(is_so: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !is_so() && began.elapsed() < LIMIT {
        std::thread::yield_now();
    }
    is_so()
}

/// Runs it that long, stops it, and looks at what is left.
fn stop_after(id: LessonId, cast: Cast, share: f64, folder: &Path) {
    let mut run = play(id.lesson().id, cast).start();
    run.rest(Duration::from_secs_f64(share / 4.0));
    run.poll();
    run.stop();
    until_over(&mut run);
    let what = format!("{id} as {cast}, stopped after {share} s");
    let is_expected = matches!(run.ending(), Some(Ending::Stopped | Ending::Held));
    assert!(is_expected, "{what}: {:?}", run.ending());
    assert_eq!(folders(folder), [""; 0], "{what} leaves files behind");
    assert_eq!(
        process::active_children().len(),
        0,
        "{what} leaves a process behind"
    );
    let processes = lesson_processes_in(folder);
    assert!(processes.is_empty(), "{what} leaves {processes:?} behind");
    // A task is taken off the list before its join returns; what was asked of a server ends by
    // itself, when it sees that nobody listens any more.
    let is_alone = comes_true(|| join::enumerate().is_empty());
    assert!(is_alone, "{what} leaves {:?} behind", join::enumerate());
}

#[test]
fn a_lesson_that_is_stopped_leaves_no_task_process_socket_or_file() {
    let name = "lessons::stopping::a_lesson_that_is_stopped_leaves_no_task_process_socket_or_file";
    in_own_folder(name, |folder| {
        let runs: Vec<_> = LessonId::all()
            .flat_map(|id| id.lesson().cast.iter().map(move |&cast| (id, cast)))
            .collect();
        // The first child starts the threads and the supervisor that serve all others.
        stop_after("join".parse().unwrap(), Cast::Process, 0.3, folder);
        let before = descriptors();
        for (id, cast) in runs {
            for share in STOPS {
                stop_after(id, cast, share, folder);
            }
        }
        // The thread that accepts for an HTTP server ends a moment after it.
        assert!(
            comes_true(|| descriptors() == before),
            "{before} descriptors before, and {} are left open",
            descriptors()
        );
    });
}

#[test]
fn who_is_stopped_has_not_panicked() {
    for (lesson, cast) in [
        ("join", Cast::Task),
        ("join", Cast::Process),
        ("pool", Cast::Task),
    ] {
        let mut run = play(lesson, cast).with("work", 60.0).start();
        until(&mut run, |run| {
            let main = run.told().lane("main");
            main.is_ok_and(|main| !main.spans.is_empty())
        });
        run.stop();
        until_over(&mut run);
        for lane in run.told().timeline().lanes() {
            let how = &lane.closed.as_ref().expect("it is over").1;
            let is_stopped = match lane.kind {
                LaneKind::Task => *how == LaneOutcome::Failed("stopped".to_owned()),
                LaneKind::Process => {
                    matches!(how, LaneOutcome::Failed(how) if how.contains("SIGKILL"))
                }
            };
            assert!(is_stopped, "{lesson} as {cast}, {}: {how:?}", lane.name);
        }
    }
}

/// Whether Python has started a process of its own.
fn has_forked(folder: &Path) -> bool {
    let is_python = |player: &u32| {
        let program = fs::read_link(format!("/proc/{player}/exe")).unwrap_or_default();
        let name = program.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with("python")
    };
    let players = lesson_processes_in(folder);
    players.iter().filter(|player| is_python(player)).count() >= 2
}

/// Their pipe to the lesson stays open as long as the process that Python has started.
#[test]
fn a_stop_ends_what_python_has_started_at_once() {
    let name = "lessons::stopping::a_stop_ends_what_python_has_started_at_once";
    in_own_folder(name, |folder| {
        for id in ["join-timeout", "join-error"] {
            let mut run = play(id, Cast::Process).with("work", 60.0).start();
            assert!(comes_true(|| has_forked(folder)), "{id} starts no Python");
            run.stop();
            let stopped = Instant::now();
            until_over(&mut run);
            let took = stopped.elapsed();
            assert!(took < Duration::from_secs(8), "{id}: {took:?}");
            assert_eq!(lesson_processes_in(folder), [0; 0], "{id}");
        }
    });
}
