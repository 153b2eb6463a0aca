//! The job `command`: the arguments of the program, how its end is reported, and that no process is
//! left.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod hosts;
mod runs;
mod templates;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use meanwhile::jobs::command::{CommandLine, Keep, Options};
use meanwhile::jobs::{self, JobSpec, Priority, ProcessRun, RunOn};
use meanwhile::record::{ItemId, ItemRecord, ItemState, JobId};

use crate::util::sleeper::Sleeper;
use crate::util::test_board::TestBoard;

fn words(words: &[&str]) -> Options {
    Options {
        command: CommandLine::Words(words.iter().map(OsString::from).collect()),
        keep: Keep::All,
        ..Options::default()
    }
}

fn line(line: &str) -> Options {
    Options {
        command: CommandLine::Line(line.to_owned()),
        ..Options::default()
    }
}

fn shell(text: &str) -> Options {
    Options {
        shell: true,
        ..words(&[text])
    }
}

fn spec(options: Options, inputs: &[PathBuf]) -> JobSpec {
    JobSpec {
        options: jobs::Options::Command(options),
        inputs: inputs.to_vec().into(),
        run_on: RunOn::Pool,
        workers: 4,
        priority: Priority::Normal,
    }
}

/// A job that has ended, with the test board that it ran on.
struct Ended {
    board: TestBoard,
    job: JobId,
}

fn run(options: Options, inputs: &[PathBuf]) -> Ended {
    let mut board = TestBoard::new();
    let job = board.start(spec(options, inputs));
    board.until_ended(job);
    Ended { board, job }
}

impl Ended {
    fn item(&self, index: usize) -> &Arc<ItemRecord> {
        &self.board.job(self.job).items()[index]
    }

    fn ran(&self, index: usize) -> &ProcessRun {
        self.item(index).ran().expect("its process ended")
    }

    /// The stdout of each run.
    fn stdouts(&self) -> Vec<&[u8]> {
        let items = self.board.job(self.job).items().iter();
        items
            .map(|item| &item.ran().expect("its process ended").stdout.bytes[..])
            .collect()
    }

    #[track_caller]
    fn failure(&self, index: usize) -> (&str, &str) {
        match &self.item(index).state {
            ItemState::Failed(error) => (&error.kind, &error.message),
            other => panic!("it did not fail: {other:?}"),
        }
    }
}

/// An executable file. Another process writes it: a file that a test writes itself could still be open
/// in a child that another test starts, and then it can't be executed.
fn program(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    let written = std::process::Command::new("sh")
        .args(["-c", "echo \"$2\" > \"$1\" && chmod +x \"$1\"", "sh"])
        .args([path.as_os_str(), text.as_ref()])
        .status();
    assert!(written.unwrap().success());
    path
}

/// A shell that ignores `SIGTERM`, with a child that does too. It prints `ready`.
fn unresponsive(sleeper: &Sleeper) -> Options {
    let sleep = sleeper.command();
    words(&[
        "sh",
        "-c",
        &format!("trap '' TERM; {sleep} & echo ready; {sleep}; {sleep}"),
    ])
}

/// Starts a job of one item and returns when its process has printed something.
fn start_ready(board: &mut TestBoard, options: Options) -> JobId {
    let job = board.start(spec(options, &[]));
    until_it_prints(board, job, ItemId::new(0));
    job
}

fn until_it_prints(board: &mut TestBoard, job: JobId, item: ItemId) {
    board.until("the process starts", |record| {
        let item = record.job(job).and_then(|job| job.item(item));
        item.is_some_and(|item| item.process.is_some())
    });
    let process = board.process(job, item).expect("it runs");
    while process.output().stdout.total == 0 {
        assert!(!process.is_finished(), "{:?}", process.output());
        std::thread::yield_now();
    }
}

const HOSTILE: [&[u8]; 12] = [
    b"plain",
    b"two words",
    b"-rf",
    b"$(touch pwned)",
    b"`touch pwned`",
    b"; touch pwned;",
    b"'\"\\",
    b"new\nline",
    b"*",
    b"not \xff\xfe UTF-8",
    b"{}",
    b"{name}{{}}",
];
