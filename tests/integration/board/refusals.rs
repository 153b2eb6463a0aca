//! Items whose threads the system refuses.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use meanwhile::jobs::checksum;
use meanwhile::jobs::command::{self, CommandLine};
use meanwhile::jobs::misbehave::{self, Misbehaviour};
use meanwhile::jobs::{JobSpec, Options, RunOn, set_patience};
use meanwhile::join::Builder;
use meanwhile::record::ItemState;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::util::child::{NOT_AS_ROOT, in_child_with};
use crate::util::files::folder;
use crate::util::gate::{Gate, TIMEOUT};
use crate::util::resources::limit_threads;
use crate::util::test_board::{FOREVER, TestBoard, misbehave, spec};

/// One heap, which grows in large steps: an ordinary allocation must still succeed when no stack
/// fits, because its failure ends the process.
const LARGE_HEAP: &str = "export MALLOC_ARENA_MAX=1 MALLOC_TOP_PAD_=16777216";

/// Limits the address space so that so many more threads fit, and half a thread. A thread begins with
/// small allocations of std, whose failure ends the process; the half is for those.
fn leave_room_for_threads(count: u64) {
    let before = address_space();
    let gate = Gate::new();
    let (begin, begun) = bounded(1);
    let passer = gate.clone();
    let thread = Builder::new("measured").spawn(move |_| {
        begin.send(()).expect("the test waits for it");
        passer.pass();
    });
    begun.recv_timeout(TIMEOUT).expect("the thread begins");
    let thread_size = address_space() - before;
    let limit = Rlimit {
        current: Some(before + count * thread_size + thread_size / 2),
        ..getrlimit(Resource::As)
    };
    setrlimit(Resource::As, limit).expect("the limit may be lowered");
    gate.open();
    let thread = thread.expect("there is room for a thread");
    thread.join().expect("it only waits");
}

/// The bytes of address space that this process uses.
fn address_space() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has /proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok())
        .expect("a number of KiB")
        * 1024
}

#[test]
fn refused_items_wait_for_a_thread() {
    const ITEMS: usize = 100;
    let name = "board::refusals::refused_items_wait_for_a_thread";
    in_child_with(LARGE_HEAP, name, || {
        let mut board = TestBoard::new();
        leave_room_for_threads(50);
        let options = misbehave::Options {
            after: 0.3,
            ..misbehave(Misbehaviour::Return, 1, ITEMS)
        };
        let job = board.start(JobSpec {
            workers: ITEMS,
            ..spec(RunOn::Thread, options)
        });
        let mut most = 0;
        board.until("all end", |record| {
            let job = record.job(job).unwrap();
            most = most.max(job.counts().running);
            job.state().is_ended()
        });
        assert_eq!(board.job(job).counts().returned, ITEMS);
        assert!(most < ITEMS, "the system refused nothing");
    });
}

#[test]
fn refused_item_is_retried_and_later_ones_are_not() {
    const LATER: usize = 200;
    const TIME: Duration = Duration::from_millis(1_500);
    let name = "board::refusals::refused_item_is_retried_and_later_ones_are_not";
    in_child_with(NOT_AS_ROOT, name, || {
        let folder = folder();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::RWXU;
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).expect("a pipe can be made");
        let mut inputs = vec![pipe.clone()];
        inputs.extend((0..=LATER).map(|number| PathBuf::from(format!("file {number}"))));
        let cat = |inputs: Vec<PathBuf>| JobSpec {
            options: Options::Command(command::Options {
                command: CommandLine::Line("cat".to_owned()),
                ..command::Options::default()
            }),
            inputs: inputs.into(),
            workers: 1,
            ..spec(RunOn::Thread, misbehave::Options::default())
        };
        let mut board = TestBoard::unlaunched();
        let job = board.start(cat(inputs));
        board.until("the first item runs and all are found", |record| {
            let job = record.job(job).unwrap();
            job.is_planned() && job.first_process().is_some()
        });

        set_patience(TIME);
        let before = getrlimit(Resource::Nproc).current;
        limit_threads(Some(1));
        drop(fs::OpenOptions::new().write(true).open(&pipe).unwrap());
        board.until_ended(job);
        let items = board.job(job).items();
        let ended_at = |item: usize| items[item].ended_at.unwrap();
        assert_eq!(items[0].state.label(), "returned");
        for item in items.iter().skip(1) {
            let ItemState::Failed(error) = &item.state else {
                panic!("{:?}", item.state);
            };
            assert_eq!(error.kind, "no_thread");
        }
        let tried_for = ended_at(1).saturating_sub(ended_at(0));
        assert!(tried_for >= TIME, "failed after {tried_for:?}");
        let rest = ended_at(LATER + 1).saturating_sub(ended_at(1));
        assert!(rest < 10 * TIME, "those after it took {rest:?}");

        limit_threads(before);
        let job = board.start(cat(Vec::new()));
        board.until_ended(job);
        assert_eq!(board.labels(job), ["returned"]);
    });
}

/// Runs a job of many commands, with a worker for each, and returns the number that returned.
fn run_commands(board: &mut TestBoard, count: usize) -> usize {
    let cat = command::Options {
        command: CommandLine::Line("cat".to_owned()),
        ..command::Options::default()
    };
    let job = board.start(JobSpec {
        options: Options::Command(cat),
        inputs: vec![PathBuf::from("/dev/null"); count].into(),
        workers: count,
        ..spec(RunOn::Pool, misbehave::Options::default())
    });
    board.until_ended(job);
    board.job(job).counts().returned
}

#[test]
fn commands_wait_at_the_limit_of_open_files() {
    const COMMANDS: usize = 200;
    let name = "board::refusals::commands_wait_at_the_limit_of_open_files";
    in_child_with("ulimit -n 64", name, || {
        let mut board = TestBoard::new();
        assert_eq!(run_commands(&mut board, COMMANDS), COMMANDS);
    });
}

#[test]
fn files_wait_at_the_limit_of_open_files() {
    const FILES: usize = 60;
    let name = "board::refusals::files_wait_at_the_limit_of_open_files";
    in_child_with("ulimit -n 24", name, || {
        let folder = folder();
        let mut inputs = Vec::new();
        for number in 0..FILES {
            let path = folder.path().join(number.to_string());
            let file = fs::File::create(&path).expect("our own folder");
            // It is still being read when the others are opened.
            file.set_len(16 << 20).expect("our own file");
            inputs.push(path);
        }
        let mut board = TestBoard::new();
        let job = board.start(JobSpec {
            options: Options::Checksum(checksum::Options::default()),
            inputs: inputs.into(),
            workers: FILES,
            ..spec(RunOn::Pool, misbehave::Options::default())
        });
        board.until_ended(job);
        assert_eq!(board.job(job).counts().returned, FILES);
    });
}

/// Opens files until the system allows no other.
fn hold_all_files() -> Vec<fs::File> {
    std::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect()
}

#[test]
fn files_of_shared_tasks_wait_for_room() {
    // Far more than may be tasks at once; so most of them share one with others.
    const ITEMS: usize = 20_000;
    const STALLED: Duration = Duration::from_millis(300);
    let name = "board::refusals::files_of_shared_tasks_wait_for_room";
    in_child_with("ulimit -n 64", name, || {
        let folder = folder();
        let path = folder.path().join("short");
        fs::write(&path, vec![0; 64 << 10]).expect("our own folder");
        let mut board = TestBoard::new();
        // As long as it runs, none of the others fails.
        let other = board.start(spec(
            RunOn::Thread,
            misbehave::Options {
                after: FOREVER,
                ..misbehave(Misbehaviour::Return, 1, 1)
            },
        ));
        board.until("it runs", |record| {
            record.job(other).unwrap().counts().running == 1
        });
        let job = board.start(JobSpec {
            options: Options::Checksum(checksum::Options::default()),
            inputs: vec![path; ITEMS].into(),
            workers: 2,
            ..spec(RunOn::Pool, misbehave::Options::default())
        });
        let ended = |board: &TestBoard| board.job(job).counts().ended();
        board.until("some have ended", |record| {
            record.job(job).unwrap().counts().ended() > ITEMS / 40
        });
        let mut held = Vec::new();
        // Those that have a file end, and their file is held, too. Each of the others is refused one.
        let mut last = (ended(&board), Instant::now());
        while last.1.elapsed() < STALLED {
            held.extend(hold_all_files());
            board.poll();
            if ended(&board) != last.0 {
                last = (ended(&board), Instant::now());
            }
        }
        assert!(ended(&board) < ITEMS, "the system refused nothing");
        drop(held);
        board.until_ended(job);
        assert_eq!(board.job(job).counts().returned, ITEMS);
        board.cancel(other);
        board.until_ended(other);
    });
}

#[test]
fn folders_wait_at_the_limit_of_open_files() {
    const FOLDERS: usize = 150;
    let name = "board::refusals::folders_wait_at_the_limit_of_open_files";
    in_child_with("ulimit -n 24", name, || {
        let folder = folder();
        for number in 0..FOLDERS {
            let path = folder.path().join(number.to_string());
            fs::create_dir(&path).expect("our own folder");
            let file = fs::File::create(path.join("file")).expect("our own folder");
            // It is still being read when the folders after it are.
            file.set_len(16 << 20).expect("our own file");
        }
        let mut board = TestBoard::new();
        let job = board.start(JobSpec {
            options: Options::Checksum(checksum::Options::default()),
            inputs: vec![folder.path().to_owned()].into(),
            workers: 40,
            ..spec(RunOn::Pool, misbehave::Options::default())
        });
        board.until_ended(job);
        assert_eq!(board.labels(job), vec!["returned"; FOLDERS]);
    });
}

#[test]
fn commands_wait_at_the_limit_of_processes() {
    const COMMANDS: usize = 100;
    let name = "board::refusals::commands_wait_at_the_limit_of_processes";
    in_child_with(NOT_AS_ROOT, name, || {
        limit_threads(Some(16));
        // The user may not read the program that launches them.
        let mut board = TestBoard::unlaunched();
        assert_eq!(run_commands(&mut board, COMMANDS), COMMANDS);
    });
}

#[test]
fn fewer_workers_than_asked_for_are_noted() {
    let name = "board::refusals::fewer_workers_than_asked_for_are_noted";
    in_child_with(NOT_AS_ROOT, name, || {
        limit_threads(Some(64));
        let mut board = TestBoard::new();
        let job = board.start(JobSpec {
            workers: 100,
            ..spec(RunOn::Pool, misbehave::Options::default())
        });
        board.until_ended(job);
        let notes: Vec<_> = board.job(job).notes().iter().map(|it| &**it).collect();
        assert_eq!(
            notes[..1],
            ["100 workers were asked for, and the system allows 16."]
        );
    });
}
