//! The job that runs any program: what the program is given, how its end is told, and that nothing
//! of it is left.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod hosts;
mod runs;
mod templates;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use meanwhile::jobs::command::{CommandLine, Keep, Options, Ran};
use meanwhile::jobs::{self, JobSpec, Priority, RunOn};
use meanwhile::record::{ItemId, ItemRecord, ItemState, JobId};

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
        inputs: inputs.to_vec(),
        run_on: RunOn::Pool,
        workers: 4,
        priority: Priority::Normal,
    }
}

/// A job that has ended, with the desk it ran on.
struct Ended {
    desk: TestBoard,
    job: JobId,
}

fn run(options: Options, inputs: &[PathBuf]) -> Ended {
    let mut desk = TestBoard::new();
    let job = desk.start(spec(options, inputs));
    desk.until_ended(job);
    Ended { desk, job }
}

impl Ended {
    fn item(&self, index: usize) -> &Arc<ItemRecord> {
        &self.desk.job(self.job).items()[index]
    }

    fn ran(&self, index: usize) -> &Ran {
        self.item(index).ran().expect("its process ended")
    }

    /// What each run printed.
    fn stdouts(&self) -> Vec<&[u8]> {
        let items = self.desk.job(self.job).items().iter();
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

/// A file that may be executed. Another process writes it: what a test has written itself could
/// still be open in a child that another test starts, and then it can't be run.
fn program(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    let written = std::process::Command::new("sh")
        .args(["-c", "echo \"$2\" > \"$1\" && chmod +x \"$1\"", "sh"])
        .args([path.as_os_str(), text.as_ref()])
        .status();
    assert!(written.unwrap().success());
    path
}

/// A number of seconds that no other `sleep` on this machine has.
pub(crate) fn unique_sleep() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("86400.{:07}{next:03}", std::process::id())
}

/// How many processes have this argument.
pub(crate) fn count_with(argument: &str) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    lines
        .filter(|line| {
            line.split(|&byte| byte == 0)
                .any(|word| word == argument.as_bytes())
        })
        .count()
}

/// A shell that ignores that it is asked to end, with a child that does, too; it prints `ready`.
fn stubborn(sleep: &str) -> Options {
    words(&[
        "sh",
        "-c",
        &format!("trap '' TERM; sleep {sleep} & echo ready; sleep {sleep}; sleep {sleep}"),
    ])
}

/// Starts a job of one item and returns when its process has printed something.
fn start_ready(desk: &mut TestBoard, options: Options) -> JobId {
    let job = desk.start(spec(options, &[]));
    until_it_prints(desk, job, ItemId(0));
    job
}

fn until_it_prints(desk: &mut TestBoard, job: JobId, item: ItemId) {
    desk.until("the process starts", |record| {
        let item = record.job(job).and_then(|job| job.item(item));
        item.is_some_and(|item| item.process.is_some())
    });
    let process = desk.board.process(job, item).expect("it runs");
    while process.output().stdout.total == 0 {
        assert!(process.is_alive(), "{:?}", process.output());
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
