//! Items in isolated workers: whatever they do, it is theirs alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use meanwhile::board::JobBoard;
use meanwhile::jobs::checksum::{self, Algorithm};
use meanwhile::jobs::misbehave::{self, End};
use meanwhile::jobs::{ItemError, JobSpec, Options, Priority, RunOn};
use meanwhile::join::process::{self, Launcher};
use meanwhile::record::{Crash, ItemId, ItemState, JobId, JobState};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::util::child::{in_child, in_child_with};
use crate::util::desk::{Desk, FOR_EVER, misbehave, spec};
use crate::util::files::{bytes, folder, name, write};
use crate::util::gate::LIMIT;

const DEADLY: [End; 7] = [
    End::Abort,
    End::Segfault,
    End::StackOverflow,
    End::Allocate,
    End::Exit,
    End::Block,
    End::PanicWhileUnwinding,
];

/// The second of three items ends like that.
fn isolated(end: End) -> JobSpec {
    spec(RunOn::Process, misbehave(end, 2, 3))
}

#[track_caller]
fn crash(desk: &Desk, job: JobId, item: usize) -> Crash {
    match &desk.job(job).items()[item].state {
        ItemState::Crashed(crash) => Crash::clone(crash),
        other => panic!("not crashed: {other:?}"),
    }
}

#[track_caller]
fn error(desk: &Desk, job: JobId, item: usize) -> ItemError {
    match &desk.job(job).items()[item].state {
        ItemState::Failed(error) => error.clone(),
        other => panic!("not failed: {other:?}"),
    }
}

#[track_caller]
fn crash_of(end: End) -> Crash {
    let mut desk = Desk::new();
    let job = desk.start(isolated(end));
    desk.until_ended(job);
    assert_eq!(desk.words(job), ["returned", "crashed", "returned"]);
    assert_eq!(*desk.job(job).state(), JobState::Failed);
    assert_eq!(desk.job(job).counts().crashed, 1);
    crash(&desk, job, 1)
}

#[test]
fn p14_an_abort_costs_one_item() {
    let crash = crash_of(End::Abort);
    assert_eq!((crash.code, crash.signal), (None, Some(6)));
    assert_eq!(crash.signal_name, Some("SIGABRT"));
    let killed = "its worker was killed by signal 6 (SIGABRT)";
    assert!(crash.message.starts_with(killed), "{}", crash.message);
}

#[test]
fn what_an_item_prints_on_standard_output_is_no_message_and_among_its_last_words() {
    let crash = crash_of(End::Abort);
    assert_eq!(crash.signal_name, Some("SIGABRT"), "{}", crash.message);
    assert_eq!(crash.stderr, "item 2 aborts, as it was told to");
}

#[test]
fn the_pipes_of_a_worker_are_out_of_reach_of_what_an_item_runs() {
    in_child(
        "isolation::the_pipes_of_a_worker_are_out_of_reach_of_what_an_item_runs",
        || {
            let inherited: Vec<_> = descriptors("self").into_values().collect();
            let mut desk = Desk::new();
            desk.start(spec(RunOn::Process, misbehave(End::Block, 1, 1)));
            until_workers(&mut desk, 1);
            let pid = workers()[0];
            until(|| is_blocked(pid), "the item blocks");
            let of_worker = descriptors(&pid.to_string());
            assert_eq!(of_worker[&0], Path::new("/dev/null"));
            assert_eq!(of_worker[&1], of_worker[&2]);
            let mut to_us: Vec<_> = descriptors("self").into_values().collect();
            to_us.retain(|file| is_pipe(file) && !inherited.contains(file));
            let others = of_worker.iter().filter(|(fd, _)| **fd > 2);
            let pipes: Vec<_> = others.filter(|(_, file)| to_us.contains(file)).collect();
            assert_eq!(pipes.len(), 2, "orders and answers: {of_worker:?}");
            for (fd, _) in pipes {
                assert!(closes_on_exec(pid, *fd), "{of_worker:?}");
            }
        },
    );
}

#[test]
fn a_segmentation_fault_costs_one_item() {
    let crash = crash_of(End::Segfault);
    assert_eq!(crash.signal_name, Some("SIGSEGV"));
}

#[test]
fn a_stack_overflow_costs_one_item_and_says_so() {
    let crash = crash_of(End::StackOverflow);
    assert_eq!(crash.signal_name, Some("SIGABRT"));
    let said = crash.stderr.contains("overflowed its stack");
    assert!(said, "{}", crash.stderr);
}

#[test]
fn memory_without_end_costs_one_item_and_says_so() {
    let crash = crash_of(End::Allocate);
    assert_eq!(crash.signal_name, Some("SIGABRT"));
    let said = crash.stderr.contains("memory allocation of");
    assert!(said, "{}", crash.stderr);
}

#[test]
fn an_exit_costs_one_item() {
    let crash = crash_of(End::Exit);
    assert_eq!((crash.code, crash.signal), (Some(7), None));
    assert_eq!(crash.message, "its worker exited with code 7");
}

#[test]
fn a_panic_while_unwinding_costs_one_item_and_says_what_both_panics_said() {
    let crash = crash_of(End::PanicWhileUnwinding);
    assert_eq!(crash.signal_name, Some("SIGABRT"));
    for said in ["with a destructor that panics", "while being dropped"] {
        assert!(crash.stderr.contains(said), "{}", crash.stderr);
    }
}

#[test]
fn each_of_many_items_may_crash() {
    let mut desk = Desk::new();
    let job = desk.start(spec(RunOn::Process, misbehave(End::Abort, 0, 20)));
    desk.until_ended(job);
    assert_eq!(desk.job(job).counts().crashed, 20);
}

#[test]
fn where_it_would_take_the_program_along_an_item_fails_instead() {
    for place in [RunOn::Pool, RunOn::Thread] {
        for end in DEADLY {
            assert!(end.needs_isolation());
            let mut desk = Desk::new();
            let job = desk.start(spec(place, misbehave(end, 2, 3)));
            desk.until_ended(job);
            assert_eq!(desk.words(job), ["returned", "failed", "returned"]);
            let error = error(&desk, job, 1);
            assert_eq!(error.kind, "needs_isolation");
            assert!(error.message.contains("on processes"), "{error}");
        }
    }
    let harmless = End::ALL.iter().filter(|end| !end.needs_isolation());
    assert_eq!(harmless.count(), End::ALL.len() - DEADLY.len());
}

#[test]
fn a_cancel_ends_an_item_that_never_would() {
    let mut desk = Desk::new();
    let job = desk.start(isolated(End::Block));
    desk.until("the others end", |record| {
        let counts = record.job(job).unwrap().counts();
        counts.returned == 2 && counts.running == 1
    });
    // Cancelled before it has begun it would just not begin.
    let workers = || desk.board.running_processes(job);
    let blocks = || matches!(&workers()[..], [(_, worker)] if is_blocked(worker.pid()));
    until(blocks, "the item blocks");
    desk.board.cancel(job);
    desk.until_ended(job);
    assert_eq!(desk.words(job), ["returned", "cancelled", "returned"]);
    assert_eq!(*desk.job(job).state(), JobState::Cancelled);
    let item = &desk.job(job).items()[1];
    assert!(item.ignored_cancel.unwrap() >= Duration::from_secs(1));
    let said = item.stopped_text();
    assert!(
        said.starts_with("cancelled: did not react within "),
        "{said}"
    );
    assert!(said.ends_with(" s, its worker was killed"), "{said}");
}

#[test]
fn an_item_that_minds_the_cancel_keeps_its_worker() {
    in_child(
        "isolation::an_item_that_minds_the_cancel_keeps_its_worker",
        || {
            let mut desk = Desk::new();
            let options = misbehave::Options {
                after: FOR_EVER,
                ..misbehave(End::Sleep, 1, 1)
            };
            let job = desk.start(spec(RunOn::Process, options));
            until_workers(&mut desk, 1);
            let asked_at = Instant::now();
            desk.board.cancel(job);
            desk.until_ended(job);
            assert_eq!(desk.words(job), ["cancelled"]);
            assert_eq!(desk.job(job).items()[0].stopped_text(), "");
            // One that does not mind it has a second.
            assert!(asked_at.elapsed() < Duration::from_secs(1));
        },
    );
}

#[test]
fn no_worker_and_no_descriptor_is_left_by_a_job_and_no_worker_is_one_too_many() {
    in_child(
        "isolation::no_worker_and_no_descriptor_is_left_by_a_job_and_no_worker_is_one_too_many",
        || {
            let mut desk = Desk::new();
            // What serves all processes stays: it is started once.
            let job = desk.start(isolated(End::Return));
            desk.until_ended(job);
            let before = open_files();
            for end in [
                End::Return,
                End::Abort,
                End::PanicStr,
                End::Exit,
                End::Error,
            ] {
                let job = desk.start(spec(RunOn::Process, misbehave(end, 3, 40)));
                let mut most = 0;
                desk.until("it ends", |record| {
                    most = most.max(workers().len());
                    record.job(job).is_some_and(|job| job.state().is_ended())
                });
                assert!(most <= 2, "{most} workers, where two were asked for");
                assert_eq!(workers(), Vec::<u32>::new());
                desk.board.forget(job);
            }
            until(|| open_files() <= before, "descriptors are left");
        },
    );
}

#[test]
fn two_workers_do_a_hundred_items() {
    let stand_in = StandIn::new(concat!("exec ", env!("CARGO_BIN_EXE_meanwhile"), " \"$@\""));
    let mut desk = stand_in.desk();
    let job = desk.start(spec(RunOn::Process, misbehave(End::Return, 1, 100)));
    desk.until_ended(job);
    assert_eq!(desk.job(job).counts().returned, 100);
    assert!((1..=2).contains(&stand_in.starts()));
}

#[test]
fn a_worker_that_somebody_kills_is_a_crash_with_the_signal_s_name() {
    in_child(
        "isolation::a_worker_that_somebody_kills_is_a_crash_with_the_signal_s_name",
        || {
            let mut desk = Desk::new();
            let job = desk.start(spec(RunOn::Process, misbehave(End::Block, 1, 1)));
            until_workers(&mut desk, 1);
            // Killed before it has the item in hand it would just be replaced.
            until(|| is_blocked(workers()[0]), "the item blocks");
            let pid = workers()[0].try_into().unwrap();
            kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
            desk.until_ended(job);
            assert_eq!(desk.words(job), ["crashed"]);
            assert_eq!(crash(&desk, job, 0).signal_name, Some("SIGKILL"));
        },
    );
}

#[test]
fn a_worker_that_hangs_can_be_killed_and_the_others_go_on() {
    let name = "isolation::a_worker_that_hangs_can_be_killed_and_the_others_go_on";
    in_child(name, || {
        let elsewhere = process::Builder::new("sleep").arg("60").spawn().unwrap();
        let mut desk = Desk::new();
        let job = desk.start(spec(RunOn::Process, misbehave(End::Block, 1, 20)));
        desk.until("the others end", |record| {
            record.job(job).unwrap().counts().returned == 19
        });
        let has_worker = || !desk.board.running_processes(job).is_empty();
        until(has_worker, "the first item gets its worker");
        let running = desk.board.running_processes(job);
        let [(ItemId(0), worker)] = &running[..] else {
            panic!("{running:?}");
        };
        assert_eq!(desk.board.processes(), 1, "what is no job's counts");
        until(|| is_blocked(worker.pid()), "the item blocks");
        desk.board.kill(job, Some(ItemId(0))).unwrap();
        desk.until_ended(job);
        assert_eq!(crash(&desk, job, 0).signal_name, Some("SIGKILL"));
        assert_eq!(desk.job(job).counts().returned, 19);
        assert_eq!(desk.board.processes(), 0);
        assert!(desk.board.running_processes(job).is_empty());
        elsewhere.kill().unwrap();
        elsewhere.join().unwrap();
    });
}

#[test]
fn a_board_that_is_dropped_leaves_no_worker() {
    in_child(
        "isolation::a_board_that_is_dropped_leaves_no_worker",
        || {
            let mut desk = Desk::new();
            desk.start(spec(RunOn::Process, misbehave(End::Block, 0, 2)));
            until_workers(&mut desk, 2);
            drop(desk);
            until(|| workers().is_empty(), "a worker is left");
        },
    );
}

#[test]
fn without_a_launcher_every_item_fails_and_says_so() {
    let mut desk = Desk::with(|board| board);
    let job = desk.start(isolated(End::Abort));
    desk.until_ended(job);
    assert_eq!(desk.words(job), ["failed"; 3]);
    let error = error(&desk, job, 0);
    assert_eq!(error.kind, "no_worker");
    assert!(error.message.contains("launcher"), "{error}");
}

#[test]
fn a_launcher_that_is_not_there_fails_every_item_with_what_the_system_said() {
    let launcher = Launcher::of_program("/nowhere/meanwhile");
    let mut desk = Desk::with(|board: JobBoard| board.with_launcher(launcher));
    let job = desk.start(isolated(End::Return));
    desk.until_ended(job);
    assert_eq!(desk.words(job), ["failed"; 3]);
    let error = error(&desk, job, 0);
    assert_eq!(error.kind, "no_worker");
    assert!(error.message.contains("/nowhere/meanwhile"), "{error}");
}

#[test]
fn items_wait_for_a_worker_where_the_system_starts_no_more() {
    const WORKERS: usize = 8;
    let name = "isolation::items_wait_for_a_worker_where_the_system_starts_no_more";
    in_child_with("ulimit -n 64", name, || {
        let mut desk = Desk::new();
        // What serves all processes is started once.
        let job = desk.start(one_item());
        desk.until_ended(job);
        // Each takes three pipes.
        let _hogs = leave_room_for(2 * WORKERS);
        let options = misbehave::Options {
            after: 0.05,
            ..misbehave(End::Return, 1, 3 * WORKERS)
        };
        let job = desk.start(JobSpec {
            workers: WORKERS,
            ..spec(RunOn::Process, options)
        });
        let mut most = 0;
        desk.until("all end", |record| {
            most = most.max(workers().len());
            record.job(job).unwrap().state().is_ended()
        });
        assert_eq!(desk.words(job), ["returned"; 3 * WORKERS]);
        assert!(most < WORKERS, "the system refused nothing");
    });
}

#[test]
fn where_no_worker_starts_and_none_runs_an_item_fails_with_what_is_short() {
    let name = "isolation::where_no_worker_starts_and_none_runs_an_item_fails_with_what_is_short";
    in_child_with("ulimit -n 64", name, || {
        let mut desk = Desk::new();
        let job = desk.start(one_item());
        desk.until_ended(job);
        let hogs = leave_room_for(0);
        let started_at = Instant::now();
        let job = desk.start(isolated(End::Return));
        desk.until_ended(job);
        assert!(
            started_at.elapsed() >= Duration::from_millis(100),
            "tried once"
        );
        assert_eq!(desk.words(job), ["failed"; 3]);
        let error = error(&desk, job, 0);
        assert_eq!(error.kind, "no_worker");
        assert!(error.message.contains("too many files are open"), "{error}");
        drop(hogs);
        let job = desk.start(isolated(End::Return));
        desk.until_ended(job);
        assert_eq!(desk.words(job), ["returned"; 3]);
    });
}

#[test]
fn what_a_checksum_finds_is_the_same_on_processes_as_on_the_pool() {
    let folder = odd_tree();
    let on = |run_on| {
        let mut desk = Desk::new();
        let job = desk.start(JobSpec {
            options: Options::Checksum(checksum::Options {
                algorithm: Algorithm::Sha256,
                verify: false,
            }),
            inputs: vec![folder.path().to_owned(), folder.path().join("missing")],
            run_on,
            workers: 3,
            priority: Priority::Normal,
        });
        desk.until_ended(job);
        let items = desk.job(job).items().iter();
        let ends = items.map(|item| (item.input.clone(), item.state.clone(), item.done));
        ends.collect::<Vec<(PathBuf, ItemState, u64)>>()
    };
    let on_pool = on(RunOn::Pool);
    let words: Vec<_> = on_pool.iter().map(|(_, state, _)| state.word()).collect();
    assert!(words.contains(&"failed") && words.contains(&"returned"));
    assert!(on_pool.iter().any(|(path, ..)| path.to_str().is_none()));
    assert_eq!(on(RunOn::Process), on_pool);
}

/// Names that are not UTF-8 or hold a line's end, and things that are no files.
fn odd_tree() -> tempfile::TempDir {
    let folder = folder();
    let path = folder.path();
    write(path, name(b"not \xff utf-8 \xfe"), "one");
    write(path, "two\nlines \"quoted\" \u{1f980}", "two");
    write(path, "empty", "");
    write(path, "below/big", bytes(3_000_000));
    write(path, name(b"\xc3\x28/deep"), bytes(70_000));
    symlink("nowhere", path.join("dangling")).expect("a link can be made");
    symlink("loop", path.join("loop")).expect("a link can be made");
    let fifo = nix::unistd::mkfifo(&path.join("fifo"), nix::sys::stat::Mode::S_IRWXU);
    fifo.expect("a pipe can be made");
    folder
}

/// The workers of this process that have not ended.
fn workers() -> Vec<u32> {
    let children = process::active_children();
    children.iter().map(|child| child.pid).collect()
}

#[track_caller]
fn until_workers(desk: &mut Desk, count: usize) {
    desk.until("the workers run", |record| {
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

/// What a process has open.
fn descriptors(pid: &str) -> BTreeMap<u32, PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("ours may be listed");
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
    let flags = u32::from_str_radix(flags.expect("a line of its own").trim(), 8);
    flags.expect("an octal number") & 0o2_000_000 != 0
}

fn open_files() -> usize {
    descriptors("self").len()
}

/// Opens files until the system gives no more, then closes so many.
fn leave_room_for(files: usize) -> Vec<fs::File> {
    let mut hogs = Vec::new();
    while let Ok(hog) = fs::File::open("/dev/null") {
        hogs.push(hog);
    }
    hogs.truncate(hogs.len() - files);
    hogs
}

/// Looks again and again, for what nobody tells.
#[track_caller]
fn until(done: impl Fn() -> bool, what: &str) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LIMIT, "{what}");
        std::thread::yield_now();
    }
}

/// A program that does `script` where it is started as a worker.
struct StandIn {
    folder: tempfile::TempDir,
}

impl StandIn {
    fn new(script: &str) -> Self {
        let folder = folder();
        let dir = folder.path().display();
        // Its first argument says what it is: the supervisor just stays, or a worker comes next.
        let text = format!(
            "#!/bin/sh\ncase $1 in --meanwhile-supervisor) exec cat >/dev/null;; esac\n\
             echo >> {dir}/starts\n{script}\n"
        );
        let path = write(folder.path(), "stand-in", text);
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(path, executable).expect("the file is ours");
        Self { folder }
    }

    fn desk(&self) -> Desk {
        let launcher = Launcher::of_program(self.folder.path().join("stand-in"));
        Desk::with(|board: JobBoard| board.with_launcher(launcher))
    }

    /// How often it was started as a worker.
    fn starts(&self) -> usize {
        let starts = fs::read_to_string(self.folder.path().join("starts"));
        starts.unwrap_or_default().lines().count()
    }

    /// What becomes of one item.
    fn state(&self) -> ItemState {
        let mut desk = self.desk();
        let job = desk.start(one_item());
        desk.until_ended(job);
        desk.job(job).items()[0].state.clone()
    }

    #[track_caller]
    fn crash(&self) -> Crash {
        match self.state() {
            ItemState::Crashed(crash) => Crash::clone(&crash),
            other => panic!("not crashed: {other:?}"),
        }
    }
}

fn one_item() -> JobSpec {
    JobSpec {
        workers: 1,
        ..spec(RunOn::Process, misbehave(End::Return, 1, 1))
    }
}

/// What a program that is no good worker says, as one.
mod rubbish {
    use super::*;

    const HELLO: &str = r#"{"Hello":{"version":1}}"#;
    const STARTED: &str = r#"{"Started":{"number":1}}"#;

    /// A command that prints these messages.
    fn say(messages: &[&str]) -> String {
        let mut text = String::from("printf '");
        for message in messages {
            let len = u32::try_from(message.len()).expect("a short message");
            for byte in len.to_le_bytes() {
                write!(text, "\\{byte:03o}").expect("a string takes it");
            }
            text.push_str(message);
        }
        text.push_str("'\n");
        text
    }

    /// Says these and stays.
    fn says(messages: &[&str]) -> StandIn {
        StandIn::new(&format!("{}sleep 1000", say(messages)))
    }

    #[test]
    fn what_is_no_message_ends_the_worker_and_crashes_its_item() {
        for (said, reason) in [
            (
                "printf 'hello there, how are you?'",
                "a message of 1819043176 bytes",
            ),
            (
                "printf '\\001\\000\\000\\001'",
                "a message of 16777217 bytes",
            ),
            (
                "printf '\\000\\000\\000\\000'",
                "something that is no message",
            ),
            (
                "printf '\\003\\000\\000\\000{\\377}'",
                "something that is no message",
            ),
            ("yes", "a message of"),
            ("cat /dev/zero", "something that is no message"),
        ] {
            let crash = StandIn::new(&format!("{said}\nsleep 1000")).crash();
            assert!(crash.message.contains(reason), "{said}: {}", crash.message);
            assert_eq!((crash.code, crash.signal), (None, None));
        }
    }

    #[test]
    fn messages_out_of_turn_end_the_worker_and_crash_its_item() {
        let ended = r#"{"Ended":{"number":1,"end":{"Returned":{"text":"done"}}}}"#;
        let of_another = r#"{"Ended":{"number":2,"end":{"Returned":{"text":"done"}}}}"#;
        let cancelled = r#"{"Ended":{"number":1,"end":"Cancelled"}}"#;
        let progress = r#"{"Progress":{"number":1,"done":1,"total":2}}"#;
        let other_version = r#"{"Hello":{"version":2}}"#;
        let cases: [(&[&str], &str); 9] = [
            (&[STARTED], "`Started` out of turn"),
            (&[HELLO, HELLO], "`Hello` out of turn"),
            (&[HELLO, ended], "`Ended` out of turn"),
            (&[HELLO, progress], "`Progress` out of turn"),
            (&[HELLO, STARTED, STARTED], "`Started` out of turn"),
            (&[HELLO, STARTED, of_another], "`Ended` out of turn"),
            (&[HELLO, STARTED, cancelled], "`Cancelled` out of turn"),
            (&[other_version], "version 2 of the protocol"),
            (
                &[HELLO, STARTED, r#"{"Bye":{}}"#],
                "something that is no message",
            ),
        ];
        for (messages, reason) in cases {
            let crash = says(messages).crash();
            assert!(
                crash.message.contains(reason),
                "{messages:?}: {}",
                crash.message
            );
        }
    }

    #[test]
    fn a_worker_that_dies_before_it_reports_is_tried_twice_and_then_the_item_fails() {
        let stand_in = StandIn::new("echo 'no time today' >&2; exit 3");
        let ItemState::Failed(error) = stand_in.state() else {
            unreachable!("it never had the item in hand");
        };
        assert_eq!(error.kind, "no_worker");
        for part in ["exited with code 3", "no time today"] {
            assert!(error.message.contains(part), "{error}");
        }
        assert_eq!(stand_in.starts(), 2);
    }

    #[test]
    fn a_worker_that_closes_its_answers_and_lives_on_is_stopped() {
        let script = format!("{}exec >&-\nsleep 1000", say(&[HELLO, STARTED]));
        let crash = StandIn::new(&script).crash();
        assert_eq!(crash.message, "its worker stopped answering");
    }

    #[test]
    fn what_a_worker_said_before_its_end_counts() {
        let ended = r#"{"Ended":{"number":1,"end":{"Returned":{"text":"done"}}}}"#;
        let stand_in = StandIn::new(&say(&[HELLO, STARTED, ended]));
        assert_eq!(stand_in.state().word(), "returned");
    }

    #[test]
    fn only_what_a_worker_prints_during_the_item_is_shown_and_only_the_end_of_it() {
        let lines = "seq 100000 >&2\necho 'and then \u{1b}[31mred\u{1b}[0m' >&2\nexit 5";
        let crash = StandIn::new(&format!("{}{lines}", say(&[HELLO, STARTED]))).crash();
        assert_eq!(crash.code, Some(5));
        let lines: Vec<&str> = crash.stderr.lines().collect();
        assert_eq!(lines.len(), 20);
        assert_eq!(lines[18], "100000");
        assert!(lines[19].starts_with("and then"));
    }

    /// Of each two items the first prints just before it ends, and the second crashes. Somebody else
    /// prints all the time, so that what the first has printed is not read at once.
    #[test]
    fn what_was_printed_before_an_item_is_not_shown_when_it_crashes() {
        const CRASHES: usize = 10;
        let script = r#"exec bash -c '
            printf "\027\000\000\000{\"Hello\":{\"version\":1}}"
            while IFS= read -r -d "}" part; do
                case $part in *\"Run\"*) ;; *) continue ;; esac
                number=${part#*number\":}
                number=${number%%,*}
                printf "\032\000\000\000{\"Started\":{\"number\":%3d}}" $number
                if ((number % 2 == 0)); then echo last >&2; exit 5; fi
                echo first >&2
                printf "\073\000\000\000{\"Ended\":{\"number\":%3d,\"end\":{\"Returned\":{\"text\":\"done\"}}}}" $number
            done'
        "#;
        let flood = process::Builder::new("yes").spawn().expect("a flood");
        let stand_in = StandIn::new(script);
        let mut desk = stand_in.desk();
        let job = desk.start(JobSpec {
            workers: 1,
            ..spec(RunOn::Process, misbehave(End::Return, 1, 2 * CRASHES))
        });
        desk.until_ended(job);
        flood.kill().expect("it is ours");
        assert_eq!(desk.words(job), ["returned", "crashed"].repeat(CRASHES));
        for item in 0..CRASHES {
            assert_eq!(super::crash(&desk, job, 2 * item + 1).stderr, "last");
        }
    }

    /// Each start answers the one order that it gets, whose number it knows by counting.
    #[test]
    fn a_worker_that_died_while_idle_is_no_item_s_fault() {
        let script = r#"
            n=$(wc -l < "$(dirname "$0")/starts")
            printf '\027\000\000\000{"Hello":{"version":1}}'
            printf '\030\000\000\000{"Started":{"number":%d}}' $n
            printf '\071\000\000\000{"Ended":{"number":%d,"end":{"Returned":{"text":"done"}}}}' $n
        "#;
        let stand_in = StandIn::new(script);
        let mut desk = stand_in.desk();
        let job = desk.start(JobSpec {
            workers: 1,
            ..spec(RunOn::Process, misbehave(End::Return, 1, 5))
        });
        desk.until_ended(job);
        assert_eq!(desk.words(job), ["returned"; 5]);
        assert_eq!(stand_in.starts(), 5);
    }

    #[test]
    fn progress_and_a_cancel_travel_and_who_is_deaf_to_it_is_stopped() {
        let stand_in = says(&[
            HELLO,
            STARTED,
            r#"{"Progress":{"number":1,"done":5,"total":10}}"#,
        ]);
        let mut desk = stand_in.desk();
        let job = desk.start(one_item());
        desk.until("progress arrives", |record| {
            let job = record.job(job).unwrap();
            job.done_bytes() == 5 && job.total_bytes() == 10
        });
        desk.board.cancel(job);
        desk.until_ended(job);
        assert_eq!(desk.words(job), ["cancelled"]);
    }

    #[test]
    fn a_worker_that_never_reads_its_orders_keeps_nobody_from_cancelling() {
        let stand_in = StandIn::new("sleep 1000");
        let mut desk = stand_in.desk();
        let job = desk.start(one_item());
        desk.until("it runs", |_| stand_in.starts() == 1);
        desk.board.cancel(job);
        desk.until_ended(job);
        assert_eq!(desk.words(job), ["cancelled"]);
    }

    #[test]
    fn what_a_stand_in_has_started_is_gone_with_it() {
        in_child(
            "isolation::rubbish::what_a_stand_in_has_started_is_gone_with_it",
            || {
                let script = format!(
                    "setsid sleep 12345 & echo $! > {{dir}}\n{}printf 'rubbish, clearly'\nsleep 1000",
                    say(&[HELLO, STARTED])
                );
                let place = folder();
                let pid = place.path().join("pid");
                let script = script.replace("{dir}", &pid.display().to_string());
                StandIn::new(&script).crash();
                let pid = read_pid(&pid);
                until(
                    || kill(pid, None).is_err() || is_zombie(pid),
                    "what it has started lives",
                );
            },
        );
    }

    fn read_pid(path: &Path) -> Pid {
        let text = fs::read_to_string(path).expect("it was written before the rubbish");
        Pid::from_raw(text.trim().parse().expect("a number"))
    }

    fn is_zombie(pid: Pid) -> bool {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.is_ok_and(|stat| stat.contains(") Z "))
    }
}
