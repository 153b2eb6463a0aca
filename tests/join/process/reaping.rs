//! The reaper: what it costs while it can do nothing, and what no child or callback may do to it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use meanwhile_join::process::{Builder, Exit, Process, ProcessGroup};
use meanwhile_join::{JoinError, Promise};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{eventually, runs, shell};
use crate::util::child::in_child;
use crate::util::gate::{Gate, TIMEOUT};

/// The time that the reaper of this program has spent on a processor.
struct ReaperClock(File);

impl ReaperClock {
    fn open() -> Self {
        let mut clock = None;
        // A new thread gives itself its name.
        eventually("the reaper", || {
            clock = Self::find();
            clock.is_some()
        });
        clock.unwrap()
    }

    fn find() -> Option<Self> {
        let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let mut threads = threads.filter(|thread| {
            let name = std::fs::read_to_string(thread.path().join("comm"));
            name.is_ok_and(|name| name.trim() == "process reaper")
        });
        let reaper = threads.next()?;
        Some(Self(File::open(reaper.path().join("schedstat")).unwrap()))
    }

    fn read(&self) -> Duration {
        let mut text = [0; 64];
        let count = self.0.read_at(&mut text, 0).unwrap();
        let text = std::str::from_utf8(&text[..count]).unwrap();
        let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
        Duration::from_nanos(nanos.unwrap())
    }

    /// The part of the time of a timed join, which must time out, that the reaper spent on a
    /// processor.
    fn share_during_join(&self, process: &Process) -> f64 {
        let (before, start) = (self.read(), Instant::now());
        let joined = process.join_timeout(Duration::from_secs(1));
        assert!(matches!(joined, Err(JoinError::TimedOut)), "{joined:?}");
        self.read().saturating_sub(before).as_secs_f64() / start.elapsed().as_secs_f64()
    }
}

/// More than the reaper may take. Without a pause it takes most of a processor, or what a busy
/// machine has left.
const MAX_SHARE: f64 = 0.05;

/// Prints a line for the parent of this process.
fn say(line: &str) {
    let written = writeln!(std::io::stdout(), "{line}");
    written.expect("the parent reads it");
}

#[test]
fn p17_dead_child_held_by_a_tracer_costs_no_time() {
    const TRACED: &str = "MEANWHILE_TEST_TRACED";
    let name = "process::reaping::p17_dead_child_held_by_a_tracer_costs_no_time";
    if std::env::var_os(TRACED).is_some() {
        return join_a_traced_child();
    }
    // The tracer may be any process that is no parent of the child. Only an ancestor may trace
    // where the system is strict.
    let program = Builder::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(TRACED, "1")
        .stdin_piped()
        .stdout_piped();
    let program = program.spawn().unwrap();
    let mut stdin = program.take_stdin().unwrap();
    let mut lines = BufReader::new(program.take_stdout().unwrap()).lines();
    let mut printed = |word: &str| {
        let mut lines = lines.by_ref().map_while(Result::ok);
        lines.find_map(|line| line.split_once(word).map(|(_, rest)| rest.to_owned()))
    };
    let pid = printed("child ").and_then(|pid| pid.parse().ok()).unwrap();
    ptrace::seize(Pid::from_raw(pid), ptrace::Options::empty()).unwrap();
    stdin.write_all(b"traced\n").unwrap();
    let measured = printed("measured");
    // This takes the end from the tracer, and the parent can reap the child.
    waitpid(Pid::from_raw(pid), None).unwrap();
    let exit = program.join_timeout(TIMEOUT).unwrap();
    let errors = program.output().stderr;
    assert_eq!(exit, Exit::Code(0), "{}", errors.text());
    assert!(measured.is_some());
}

fn join_a_traced_child() {
    let child = shell("read line; exit 6").stdin_piped().spawn().unwrap();
    say(&format!("child {}", child.pid()));
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop(child.take_stdin());
    eventually("the death of the child", || !runs(child.pid()));
    let share = ReaperClock::open().share_during_join(&child);
    say("measured");
    assert_eq!(child.join_timeout(TIMEOUT).unwrap(), Exit::Code(6));
    assert!(share < MAX_SHARE, "the reaper took {share} of a processor");
}

#[test]
fn lowered_limit_of_files_blocks_and_costs_nothing() {
    let name = "process::reaping::lowered_limit_of_files_blocks_and_costs_nothing";
    in_child(name, || {
        let shells: Vec<_> = (0..20)
            .map(|_| shell("read line; exit 3").stdin_piped().spawn().unwrap())
            .collect();
        let clock = ReaperClock::open();
        // The system refuses a `poll` of more files than this.
        let usual = getrlimit(Resource::Nofile);
        let limit = Rlimit {
            current: Some(10),
            ..usual
        };
        setrlimit(Resource::Nofile, limit).unwrap();
        let share = clock.share_during_join(&shells[0]);
        assert!(share < MAX_SHARE, "the reaper took {share} of a processor");
        for shell in &shells {
            drop(shell.take_stdin());
            assert_eq!(shell.join_timeout(TIMEOUT).unwrap(), Exit::Code(3));
        }
        setrlimit(Resource::Nofile, usual).unwrap();
    });
}

#[test]
fn p18_terminal_interrupt_reaches_processes() {
    const GROUP: &str = "MEANWHILE_TEST_GROUP";
    let name = "process::reaping::p18_terminal_interrupt_reaches_processes";
    if std::env::var_os(GROUP).is_some() {
        let _inherited = shell("exec sleep 60").spawn().unwrap();
        let own = shell("exec sleep 60")
            .group(ProcessGroup::Own)
            .spawn()
            .unwrap();
        say(&format!("own {}", own.pid()));
        loop {
            std::thread::park();
        }
    }
    // A terminal sends the signal to each process of its foreground group.
    let program = Builder::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(GROUP, "1")
        .group(ProcessGroup::Own)
        .spawn()
        .unwrap();
    let mut own = 0;
    eventually("the pid", || {
        let output = program.output().stdout;
        let text = output.text();
        let line = text
            .split_once("own ")
            .and_then(|(_, rest)| rest.split_once('\n'));
        own = line.and_then(|(pid, _)| pid.parse().ok()).unwrap_or(0);
        own > 0
    });
    let group = Pid::from_raw(program.pid().cast_signed());
    killpg(group, Signal::SIGINT).unwrap();
    assert_eq!(program.join().unwrap().signal_name(), Some("SIGINT"));
    // No process of the group is left, and the other group is not touched.
    eventually("the end of the group", || killpg(group, None).is_err());
    assert!(runs(own));
    drop(program.stop(Duration::ZERO));
}

#[test]
fn callback_that_stops_another_process_blocks_none() {
    let first = shell("read line").stdin_piped().spawn().unwrap();
    // Deaf to `SIGTERM`, so the stop takes as long as its grace.
    let deaf = shell("trap '' TERM; echo ready; while :; do sleep 60; done");
    let deaf = deaf.spawn().unwrap();
    eventually("the deaf shell", || deaf.output().stdout.total > 0);
    let (send, stopped) = mpsc::channel();
    let (begin, begun) = mpsc::channel();
    let stops = deaf.clone();
    first.on_finish(move || {
        begin.send(()).unwrap();
        send.send(stops.stop(Duration::from_secs(2))).unwrap();
    });
    drop(first.take_stdin());
    begun.recv_timeout(TIMEOUT).unwrap();
    let other = Builder::new("true").spawn().unwrap();
    assert_eq!(other.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
    assert!(stopped.try_recv().is_err(), "the join waited for the stop");
    let report = stopped.recv_timeout(TIMEOUT).unwrap();
    assert_eq!(report.exit.and_then(Exit::signal_name), Some("SIGKILL"));
}

#[test]
fn p16_callback_may_wait_for_a_later_one() {
    let process = shell("read line").stdin_piped().spawn().unwrap();
    let (promise, task) = Promise::new("later");
    let (send, joined) = mpsc::channel();
    process.on_finish(move || send.send(task.join().is_ok()).unwrap());
    process.on_finish(move || promise.send(()).unwrap());
    drop(process.take_stdin());
    assert_eq!(joined.recv_timeout(TIMEOUT), Ok(true));
}

/// The second callback blocks until the timed wait of the first has ended.
#[test]
fn p16_timed_wait_in_a_callback_ends_in_time() {
    let process = shell("read line").stdin_piped().spawn().unwrap();
    let (_promise, never) = Promise::<()>::new("never");
    let (send, waited) = mpsc::channel();
    let (blocks, may_end) = (Gate::new(), Gate::new());
    process.on_finish({
        let may_end = may_end.clone();
        move || {
            let timed = never.join_timeout(Duration::from_millis(20));
            send.send(timed.is_err()).unwrap();
            may_end.open();
        }
    });
    let (send_last, last) = mpsc::channel();
    process.on_finish({
        let blocks = blocks.clone();
        move || {
            blocks.open();
            may_end.pass();
        }
    });
    process.on_finish(move || send_last.send(()).unwrap());
    drop(process.take_stdin());
    assert_eq!(waited.recv_timeout(TIMEOUT / 2), Ok(true));
    blocks.pass();
    last.recv_timeout(TIMEOUT).unwrap();
}

#[test]
fn p16_callbacks_joining_living_processes_block_none() {
    let last = shell("read line; exit 9").stdin_piped().spawn().unwrap();
    let (send, joined) = mpsc::channel();
    for _ in 0..5 {
        let (send, last) = (send.clone(), last.clone());
        let first = shell("read line").stdin_piped().spawn().unwrap();
        first.on_finish(move || send.send(last.join().unwrap()).unwrap());
        drop(first.take_stdin());
        first.join().unwrap();
    }
    let (send, seen) = mpsc::channel();
    let other = shell("read line").stdin_piped().spawn().unwrap();
    other.on_finish(move || send.send(()).unwrap());
    drop(other.take_stdin());
    seen.recv_timeout(TIMEOUT).unwrap();
    assert!(joined.try_recv().is_err());
    drop(last.take_stdin());
    for _ in 0..5 {
        assert_eq!(joined.recv_timeout(TIMEOUT).unwrap(), Exit::Code(9));
    }
}
