//! Items in isolated workers: a crash costs one item.

mod checksums;
mod crashes;
mod protocol;
mod starts;
mod workers;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use meanwhile::board::JobBoard;
use meanwhile::jobs::misbehave::Misbehaviour;
use meanwhile::jobs::{ItemError, JobSpec, RunOn};
use meanwhile::join::process::Launcher;
use meanwhile::record::{Crash, ItemState, JobId};

use crate::util::files::{folder, write};
use crate::util::gate::TIMEOUT;
use crate::util::launching::launching_part;
use crate::util::test_board::{TestBoard, misbehave, spec};

/// A job of three isolated items, of which the second ends as `end`.
fn isolated(end: Misbehaviour) -> JobSpec {
    spec(RunOn::Process, misbehave(end, 2, 3))
}

#[track_caller]
fn crash(board: &TestBoard, job: JobId, item: usize) -> Crash {
    match &board.job(job).items()[item].state {
        ItemState::Crashed(crash) => Crash::clone(crash),
        other => panic!("not crashed: {other:?}"),
    }
}

#[track_caller]
fn error(board: &TestBoard, job: JobId, item: usize) -> ItemError {
    match &board.job(job).items()[item].state {
        ItemState::Failed(error) => error.clone(),
        other => panic!("not failed: {other:?}"),
    }
}

/// Polls a condition that has no wake-up.
#[track_caller]
fn until(done: impl Fn() -> bool, what: &str) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < TIMEOUT, "timed out waiting until {what}");
        std::thread::yield_now();
    }
}

/// A program that runs `script` when it is started as a worker.
struct FakeWorker {
    folder: tempfile::TempDir,
}

impl FakeWorker {
    fn new(script: &str) -> Self {
        let folder = folder();
        let dir = folder.path().display();
        let text = format!(
            "#!/bin/sh\n{}echo >> {dir}/starts\n{script}\n",
            launching_part()
        );
        let path = write(folder.path(), "fake-worker", text);
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(path, executable).expect("the file is ours");
        Self { folder }
    }

    fn board(&self) -> TestBoard {
        let launcher = Launcher::of_program(self.folder.path().join("fake-worker"));
        TestBoard::with(|board: JobBoard| board.with_launcher(launcher))
    }

    /// How many workers were started.
    fn starts(&self) -> usize {
        let starts = fs::read_to_string(self.folder.path().join("starts"));
        starts.unwrap_or_default().lines().count()
    }

    /// The final state of one item.
    fn state(&self) -> ItemState {
        let mut board = self.board();
        let job = board.start(one_item());
        board.until_ended(job);
        board.job(job).items()[0].state.clone()
    }

    #[track_caller]
    fn crash(&self) -> Crash {
        match self.state() {
            ItemState::Crashed(crash) => Crash::clone(&crash),
            other => panic!("not crashed: {other:?}"),
        }
    }
}

/// A job of one isolated item.
fn one_item() -> JobSpec {
    JobSpec {
        workers: 1,
        ..spec(RunOn::Process, misbehave(Misbehaviour::Return, 1, 1))
    }
}
