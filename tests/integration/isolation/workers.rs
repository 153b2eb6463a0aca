//! The workers of a job: how many, for how long, and how they are stopped.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use meanwhile::jobs::RunOn;
use meanwhile::jobs::misbehave::{self, Misbehaviour};
use meanwhile::join::process;
use meanwhile::record::{ItemId, JobState};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{FakeWorker, crash, isolated, until};
use crate::util::child::in_child;
use crate::util::test_board::{FOREVER, TestBoard, misbehave, spec};

#[test]
fn items_cannot_reach_the_pipes_of_their_worker() {
    in_child(
        "isolation::workers::items_cannot_reach_the_pipes_of_their_worker",
        || {
            let inherited: Vec<_> = descriptors("self").into_values().collect();
            let mut board = TestBoard::new();
            board.start(spec(RunOn::Process, misbehave(Misbehaviour::Block, 1, 1)));
            until_workers(&mut board, 1);
            let pid = workers()[0];
            until(|| is_blocked(pid), "the item blocks");
            let of_worker = descriptors(&pid.to_string());
            assert_eq!(of_worker[&0], Path::new("/dev/null"));
            assert_eq!(of_worker[&1], of_worker[&2]);
            let mut to_us: Vec<_> = descriptors("self").into_values().collect();
            to_us.retain(|file| is_pipe(file) && !inherited.contains(file));
            let others = of_worker.iter().filter(|(fd, _)| **fd > 2);
            let pipes: Vec<_> = others.filter(|(_, file)| to_us.contains(file)).collect();
            assert_eq!(pipes.len(), 2, "requests and answers: {of_worker:?}");
            for (fd, _) in pipes {
                assert!(closes_on_exec(pid, *fd), "{of_worker:?}");
            }
        },
    );
}

#[test]
fn cancel_kills_the_worker_of_a_blocked_item() {
    let mut board = TestBoard::new();
    let job = board.start(isolated(Misbehaviour::Block));
    board.until("the others end", |record| {
        let counts = record.job(job).unwrap().counts();
        counts.returned == 2 && counts.running == 1
    });
    // If it was cancelled before it began, it would never begin.
    let workers = || board.running_processes(job);
    let blocks = || matches!(&workers()[..], [(_, worker)] if is_blocked(worker.pid()));
    until(blocks, "the item blocks");
    board.cancel(job);
    board.until_ended(job);
    assert_eq!(board.labels(job), ["returned", "cancelled", "returned"]);
    assert_eq!(*board.job(job).state(), JobState::Cancelled);
    let item = &board.job(job).items()[1];
    assert!(item.ignored_cancel.unwrap() >= Duration::from_secs(1));
    let text = item.stopped_text();
    let prefix = "cancelled: did not react within ";
    assert!(text.starts_with(prefix), "{text}");
    assert!(text.ends_with(" s, its worker was killed"), "{text}");
}

#[test]
fn item_that_obeys_a_cancel_keeps_its_worker() {
    in_child(
        "isolation::workers::item_that_obeys_a_cancel_keeps_its_worker",
        || {
            let mut board = TestBoard::new();
            let options = misbehave::Options {
                after: FOREVER,
                ..misbehave(Misbehaviour::Sleep, 1, 1)
            };
            let job = board.start(spec(RunOn::Process, options));
            until_workers(&mut board, 1);
            let cancelled_at = Instant::now();
            board.cancel(job);
            board.until_ended(job);
            assert_eq!(board.labels(job), ["cancelled"]);
            assert_eq!(board.job(job).items()[0].stopped_text(), "");
            // An item that ignores the cancel is stopped after a second.
            assert!(cancelled_at.elapsed() < Duration::from_secs(1));
        },
    );
}

#[test]
fn job_leaves_no_worker_and_no_descriptor() {
    in_child(
        "isolation::workers::job_leaves_no_worker_and_no_descriptor",
        || {
            let mut board = TestBoard::new();
            // The threads and descriptors that serve all processes are made once and stay.
            let job = board.start(isolated(Misbehaviour::Return));
            board.until_ended(job);
            let before = open_files();
            for end in [
                Misbehaviour::Return,
                Misbehaviour::Abort,
                Misbehaviour::PanicStr,
                Misbehaviour::Exit,
                Misbehaviour::Error,
            ] {
                let job = board.start(spec(RunOn::Process, misbehave(end, 3, 40)));
                let mut most = 0;
                board.until("it ends", |record| {
                    most = most.max(workers().len());
                    record.job(job).is_some_and(|job| job.state().is_ended())
                });
                assert!(most <= 2, "{most} workers instead of two");
                assert_eq!(workers(), Vec::<u32>::new());
                board.remove(job);
            }
            until(|| open_files() <= before, "all descriptors are closed");
        },
    );
}

#[test]
fn two_workers_run_a_hundred_items() {
    let fake = FakeWorker::new(concat!("exec ", env!("CARGO_BIN_EXE_meanwhile"), " \"$@\""));
    let mut board = fake.board();
    let job = board.start(spec(
        RunOn::Process,
        misbehave(Misbehaviour::Return, 1, 100),
    ));
    board.until_ended(job);
    assert_eq!(board.job(job).counts().returned, 100);
    assert!((1..=2).contains(&fake.starts()));
}

#[test]
fn killed_worker_is_a_crash_with_its_signal() {
    in_child(
        "isolation::workers::killed_worker_is_a_crash_with_its_signal",
        || {
            let mut board = TestBoard::new();
            let job = board.start(spec(RunOn::Process, misbehave(Misbehaviour::Block, 1, 1)));
            until_workers(&mut board, 1);
            // If it was killed before the item began, it would be replaced.
            until(|| is_blocked(workers()[0]), "the item blocks");
            let pid = workers()[0].try_into().unwrap();
            kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
            board.until_ended(job);
            assert_eq!(board.labels(job), ["crashed"]);
            assert_eq!(crash(&board, job, 0).signal_name, Some("SIGKILL"));
        },
    );
}

#[test]
fn hung_worker_can_be_killed_and_others_go_on() {
    let name = "isolation::workers::hung_worker_can_be_killed_and_others_go_on";
    in_child(name, || {
        let other = process::Builder::new("sleep").arg("60").spawn().unwrap();
        let mut board = TestBoard::new();
        let job = board.start(spec(RunOn::Process, misbehave(Misbehaviour::Block, 1, 20)));
        board.until("the others end", |record| {
            record.job(job).unwrap().counts().returned == 19
        });
        let has_worker = || !board.running_processes(job).is_empty();
        until(has_worker, "the first item gets its worker");
        let running = board.running_processes(job);
        let [(item, worker)] = &running[..] else {
            panic!("{running:?}");
        };
        assert_eq!(item.index(), 0);
        assert_eq!(board.processes(), 1, "only processes of jobs count");
        until(|| is_blocked(worker.pid()), "the item blocks");
        board.kill(job, Some(ItemId::new(0))).unwrap();
        board.until_ended(job);
        assert_eq!(crash(&board, job, 0).signal_name, Some("SIGKILL"));
        assert_eq!(board.job(job).counts().returned, 19);
        assert_eq!(board.processes(), 0);
        assert!(board.running_processes(job).is_empty());
        other.kill().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn dropped_board_leaves_no_worker() {
    in_child("isolation::workers::dropped_board_leaves_no_worker", || {
        let mut board = TestBoard::new();
        board.start(spec(RunOn::Process, misbehave(Misbehaviour::Block, 0, 2)));
        until_workers(&mut board, 2);
        drop(board);
        until(|| workers().is_empty(), "no worker is left");
    });
}

/// The workers of this process that have not ended.
pub(super) fn workers() -> Vec<u32> {
    let children = process::live_processes();
    children.iter().map(|child| child.pid).collect()
}

#[track_caller]
fn until_workers(board: &mut TestBoard, count: usize) {
    board.until("the workers run", |record| {
        let running: usize = record.jobs().map(|job| job.counts().running).sum();
        running == count && workers().len() == count
    });
}

/// Whether a process has the thread of an item, and all its threads sleep.
fn is_blocked(pid: u32) -> bool {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten();
    let stats = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("stat")).ok());
    let stats: Vec<String> = stats.collect();
    let of_item = stats.iter().any(|stat| stat.contains("(misbehave #"));
    of_item && stats.iter().all(|stat| stat.contains(") S "))
}

/// The open descriptors of a process, with their files.
fn descriptors(pid: &str) -> BTreeMap<u32, PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("the process is ours");
    let open = entries.flatten().filter_map(|entry| {
        let fd = entry.file_name().to_str()?.parse().ok()?;
        Some((fd, fs::read_link(entry.path()).ok()?))
    });
    open.collect()
}

fn is_pipe(file: &Path) -> bool {
    file.to_str().is_some_and(|file| file.starts_with("pipe:"))
}

fn closes_on_exec(pid: u32, fd: u32) -> bool {
    let info = fs::read_to_string(format!("/proc/{pid}/fdinfo/{fd}")).expect("it is open");
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = u32::from_str_radix(flags.expect("it has a line for the flags").trim(), 8);
    flags.expect("an octal number") & 0o2_000_000 != 0
}

fn open_files() -> usize {
    descriptors("self").len()
}
