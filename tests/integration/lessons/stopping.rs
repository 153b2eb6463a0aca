//! Stopping a run at any time leaves nothing behind.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use meanwhile::join;
use meanwhile::join::process;
use meanwhile::lessons::{LessonId, LessonOutcome, WorkerKind};
use meanwhile::record::{LaneKind, LaneOutcome};

use super::{finish, in_own_folder, lesson, poll_until};
use crate::util::gate::TIMEOUT;
use crate::util::lesson_processes::lesson_processes_in;

/// The times at which runs are stopped, in seconds at speed 1.
const STOP_AT_SECS: [f64; 3] = [0.0, 0.3, 1.1];

/// The number of open file descriptors.
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

/// Waits for the condition, and returns whether it holds.
fn comes_true(condition: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !condition() && began.elapsed() < TIMEOUT {
        std::thread::yield_now();
    }
    condition()
}

/// Stops a run after this time, and checks that nothing is left.
fn stop_after(id: LessonId, kind: WorkerKind, secs: f64, folder: &Path) {
    let mut run = lesson(id.lesson().id, kind).start();
    run.wait(Duration::from_secs_f64(secs / 4.0));
    run.poll();
    run.stop();
    finish(&mut run);
    let what = format!("{id} as {kind}, stopped after {secs} s");
    let is_expected = matches!(
        run.outcome(),
        Some(LessonOutcome::Stopped | LessonOutcome::AsExpected)
    );
    assert!(is_expected, "{what}: {:?}", run.outcome());
    assert_eq!(folders(folder), [""; 0], "{what} leaves files behind");
    assert_eq!(
        process::live_processes().len(),
        0,
        "{what} leaves a process behind"
    );
    let processes = lesson_processes_in(folder);
    assert!(processes.is_empty(), "{what} leaves {processes:?} behind");
    // A client of a server that is gone notices that a moment later.
    let is_alone = comes_true(|| join::live_tasks().is_empty());
    assert!(is_alone, "{what} leaves {:?} behind", join::live_tasks());
}

#[test]
fn stopped_run_leaves_nothing_behind() {
    let name = "lessons::stopping::stopped_run_leaves_nothing_behind";
    in_own_folder(name, |folder| {
        let runs: Vec<_> = LessonId::all()
            .flat_map(|id| id.lesson().worker_kinds.iter().map(move |&kind| (id, kind)))
            .collect();
        // The first child starts the threads and the process that serve all others.
        stop_after("join".parse().unwrap(), WorkerKind::Process, 0.3, folder);
        let before = descriptors();
        for (id, kind) in runs {
            for secs in STOP_AT_SECS {
                stop_after(id, kind, secs, folder);
            }
        }
        // The accepting thread of an HTTP server ends a moment after the server.
        assert!(
            comes_true(|| descriptors() <= before),
            "{before} descriptors before, and {} are left open",
            descriptors()
        );
    });
}

#[test]
fn stopped_lanes_have_not_panicked() {
    for (id, kind) in [
        ("join", WorkerKind::Task),
        ("join", WorkerKind::Process),
        ("pool", WorkerKind::Task),
    ] {
        let mut run = lesson(id, kind).with("work", 60.0).start();
        poll_until(&mut run, |run| {
            let main = run.log().lane("main");
            main.is_ok_and(|main| !main.spans.is_empty())
        });
        run.stop();
        finish(&mut run);
        for lane in run.log().timeline().lanes() {
            let (_, end) = lane
                .closed
                .as_ref()
                .expect("a finished run has closed all lanes");
            let is_stopped = match lane.kind {
                LaneKind::Task => *end == LaneOutcome::Failed("stopped".to_owned()),
                LaneKind::Process => {
                    matches!(end, LaneOutcome::Failed(how) if how.contains("SIGKILL"))
                }
            };
            assert!(is_stopped, "{id} as {kind}, {}: {end:?}", lane.name);
        }
    }
}

/// Whether Python has started a process of its own.
fn has_forked(folder: &Path) -> bool {
    let is_python = |pid: &u32| {
        let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        let name = program.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with("python")
    };
    lesson_processes_in(folder)
        .iter()
        .filter(|pid| is_python(pid))
        .count()
        >= 2
}

/// The pipe to the lesson stays open as long as a descendant of Python runs.
#[test]
fn stop_ends_descendants_of_python_at_once() {
    let name = "lessons::stopping::stop_ends_descendants_of_python_at_once";
    in_own_folder(name, |folder| {
        for id in ["join-timeout", "join-error"] {
            let mut run = lesson(id, WorkerKind::Process).with("work", 60.0).start();
            assert!(comes_true(|| has_forked(folder)), "{id} starts no Python");
            run.stop();
            let stopped = Instant::now();
            finish(&mut run);
            let elapsed = stopped.elapsed();
            assert!(elapsed < Duration::from_secs(8), "{id}: {elapsed:?}");
            assert_eq!(lesson_processes_in(folder), [0; 0], "{id}");
        }
    });
}
