//! The reaper: what it costs while it can do nothing, and what no child or callback may do to it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::FileExt as _;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use meanwhile_join::process::{Builder, Exit, Process, ProcessGroup, Redirect, Stream};
use meanwhile_join::{JoinError, Promise};
use nix::sys::ptrace;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{eventually, runs, shell};
use crate::util::child::in_child;
use crate::util::gate::{Gate, TIMEOUT};
use crate::util::interrupt::hear_interrupt;

/// The time that the reaper of this program has spent on a processor, and how often it got one.
struct ReaperClock(File);

/// What the reaper has done in a second.
struct Work {
    /// The part of the time that it spent on a processor.
    share: f64,
    /// How often it got a processor.
    turns: u64,
}

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

    fn read(&self) -> (Duration, u64) {
        let mut text = [0; 64];
        let count = self.0.read_at(&mut text, 0).unwrap();
        let text = std::str::from_utf8(&text[..count]).unwrap();
        let numbers = text
            .split_whitespace()
            .map(|number| number.parse().unwrap());
        // The second one is the time that it waited for a processor.
        let [nanos, _, turns] = numbers.collect::<Vec<_>>()[..] else {
            panic!("{text}");
        };
        (Duration::from_nanos(nanos), turns)
    }

    /// What the reaper does during a timed join, which must time out.
    fn work_during_join(&self, process: &Process) -> Work {
        let (before, start) = (self.read(), Instant::now());
        let joined = process.join_timeout(Duration::from_secs(1));
        assert!(matches!(joined, Err(JoinError::TimedOut)), "{joined:?}");
        let after = self.read();
        let busy = after.0.saturating_sub(before.0);
        Work {
            share: busy.as_secs_f64() / start.elapsed().as_secs_f64(),
            turns: after.1 - before.1,
        }
    }
}

/// More than the reaper may take. Without a pause it takes most of a processor, or what a busy
/// machine has left.
const MAX_SHARE: f64 = 0.05;

/// The limit of the output that waits for a reader here.
const LIMIT: usize = 10_000;

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
    let Work { share, turns } = ReaperClock::open().work_during_join(&child);
    say("measured");
    assert_eq!(child.join_timeout(TIMEOUT).unwrap(), Exit::Code(6));
    assert!(share < MAX_SHARE, "the reaper took {share} of a processor");
    // It tries again ever later.
    assert!(turns < 100, "the reaper got {turns} turns");
}

#[test]
fn process_that_waits_costs_the_reaper_nothing() {
    let name = "process::reaping::process_that_waits_costs_the_reaper_nothing";
    in_child(name, || {
        let silent = shell("read line; exit 3").stdin_piped().spawn().unwrap();
        let full = Builder::new("cat").arg("/dev/zero");
        let full = full.stdout(Redirect::Buffered).output_limit(LIMIT);
        let full = full.spawn().unwrap();
        let _reader = full.take_reader(Stream::Stdout).unwrap();
        eventually("more than the limit", || {
            full.written(Stream::Stdout) > LIMIT as u64 + 65_535
        });
        let Work { share, turns } = ReaperClock::open().work_during_join(&silent);
        assert!(share < MAX_SHARE, "the reaper took {share} of a processor");
        assert!(turns < 5, "the reaper got {turns} turns");
        full.kill().unwrap();
        drop(silent.take_stdin());
        assert_eq!(silent.join_timeout(TIMEOUT).unwrap(), Exit::Code(3));
    });
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
        let Work { share, .. } = clock.work_during_join(&shells[0]);
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
        hear_interrupt();
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

#[test]
fn callbacks_run_on_the_thread_that_waits_for_them() {
    let name = "process::reaping::callbacks_run_on_the_thread_that_waits_for_them";
    in_child(name, || {
        let called_on = || {
            let process = shell("read line").stdin_piped().spawn().unwrap();
            let (send, names) = mpsc::channel();
            process.on_finish(move || {
                let name = std::thread::current().name().map(str::to_owned);
                send.send(name).unwrap();
            });
            drop(process.take_stdin());
            names.recv_timeout(TIMEOUT).unwrap()
        };
        // It may not have come to wait again; then another one is started.
        let on_it = (0..20).filter(|_| called_on().as_deref() == Some("callbacks"));
        assert!(on_it.count() > 5);
    });
}

/// The time that all threads of this program have spent on a processor.
fn busy_time() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    // A thread may have ended meanwhile.
    let clocks = threads.filter_map(|it| File::open(it.path().join("schedstat")).ok());
    clocks.map(|clock| ReaperClock(clock).read().0).sum()
}

#[test]
fn p20_function_gets_each_line_at_once_and_then_rests() {
    let name = "process::reaping::p20_function_gets_each_line_at_once_and_then_rests";
    in_child(name, || {
        let (send, lines) = mpsc::channel();
        let cat = Builder::new("cat").stdin_piped();
        let cat = cat.on_line(Stream::Stdout, move |line| {
            send.send(line.to_string()).unwrap();
        });
        let process = cat.spawn().unwrap();
        let mut stdin = process.take_stdin().unwrap();
        // An even and an odd number of lines.
        for count in [50, 1] {
            for number in 0..count {
                writeln!(stdin, "{number}").unwrap();
                assert_eq!(lines.recv_timeout(TIMEOUT), Ok(number.to_string()));
            }
            let before = busy_time();
            process
                .join_timeout(Duration::from_millis(500))
                .unwrap_err();
            let busy = busy_time().saturating_sub(before);
            assert!(busy < Duration::from_millis(100), "busy for {busy:?}");
        }
        drop(stdin);
        assert_eq!(process.join().unwrap(), Exit::Code(0));
    });
}
