//! P1–P4, P8, P13, P15: joins, exits, states and lists.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use meanwhile_join::process::{self, Builder, Exit, Process, ProcessState, Stream};
use meanwhile_join::{self as join, CancelToken, JoinError};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{eventually, runs, shell};
use crate::util::child::{in_child, in_child_with};
use crate::util::files::folder;
use crate::util::gate::{Gate, OpenOnDrop, TIMEOUT};
use crate::util::sleeper::Sleeper;

#[test]
fn p1_concurrent_and_later_joins_get_the_same_exit() {
    let process = shell("read line; exit 7").stdin_piped().spawn().unwrap();
    let all_wait = Arc::new(Barrier::new(65));
    let joiners: Vec<_> = (0..64)
        .map(|number| {
            let (process, all_wait) = (process.clone(), all_wait.clone());
            join::spawn(format!("joiner {number}"), move |_| {
                all_wait.wait();
                process.join().unwrap()
            })
            .unwrap()
        })
        .collect();
    all_wait.wait();
    drop(process.take_stdin());
    for joiner in &joiners {
        assert_eq!(*joiner.join().unwrap(), Exit::Code(7));
    }
    for _ in 0..1_000 {
        assert_eq!(process.join().unwrap(), Exit::Code(7));
        assert_eq!(process.poll(), Some(Exit::Code(7)));
    }
}

#[test]
fn p1_timed_out_join_is_not_early_and_not_final() {
    let sleeper = Builder::new("sleep").arg("60").spawn().unwrap();
    let timeout = Duration::from_millis(30);
    let start = Instant::now();
    let early = sleeper.join_timeout(timeout);
    assert!(start.elapsed() >= timeout);
    assert!(matches!(early, Err(JoinError::TimedOut)));
    assert!(matches!(
        sleeper.join_timeout(Duration::ZERO),
        Err(JoinError::TimedOut)
    ));
    assert!(!sleeper.is_finished());
    sleeper.kill().unwrap();
    let killed = sleeper.join_timeout(Duration::MAX).unwrap();
    assert_eq!(killed.signal_name(), Some("SIGKILL"));
    assert!(sleeper.is_finished());
}

#[test]
fn p1_exit_racing_a_timed_join_is_never_lost() {
    for _ in 0..1_000 {
        let process = Builder::new("/bin/true").spawn().unwrap();
        let joined = process.join_timeout(Duration::from_micros(700));
        match joined {
            Ok(exit) => assert_eq!(exit, Exit::Code(0)),
            Err(error) => assert!(matches!(error, JoinError::TimedOut)),
        }
        assert_eq!(process.join().unwrap(), Exit::Code(0));
    }
}

#[test]
fn p1_waits_share_one_deadline() {
    let process = Builder::new("sleep").arg("60").spawn().unwrap();
    let mut lines = process.lines(Stream::Stdout);
    let deadline = Instant::now() + Duration::from_millis(20);
    let early = process.join_deadline(deadline);
    assert!(Instant::now() >= deadline);
    assert!(matches!(early, Err(JoinError::TimedOut)));
    // It has passed, so these poll.
    let line = lines.next_deadline(deadline);
    assert!(matches!(line, Err(JoinError::TimedOut)));
    assert!(!process.wait_for_output_deadline(deadline));
    process.kill().unwrap();
    let exit = process.join_deadline(None).unwrap();
    assert_eq!(process.join_deadline(deadline).unwrap(), exit);
    assert_eq!(lines.next_deadline(None).unwrap(), None);
    assert!(process.wait_for_output_deadline(None));
    assert!(process.wait_for_output_deadline(deadline));
}

#[test]
fn p1_joiner_owns_the_output_though_a_callback_lives() {
    for _ in 0..200 {
        let shell = shell("read line; echo text").stdin_piped();
        let process = shell.spawn().unwrap();
        let gate = Gate::new();
        let callback = (process.clone(), gate.clone());
        process.on_finish(move || callback.1.pass());
        let _opened = OpenOnDrop(gate);
        drop(process.take_stdin());
        let output = process.join_checked().unwrap();
        // The callback has a handle, and does not return before the gate is open.
        assert_eq!(output.stdout.bytes, b"text\n");
        assert_eq!(process.output().stdout.bytes, output.stdout.bytes);
    }
}

#[test]
fn p2_codes_and_signals_are_distinguished() {
    let exit_of = |script: &str| shell(script).spawn().unwrap().join().unwrap();
    assert_eq!(exit_of("exit 0"), Exit::Code(0));
    assert_eq!(exit_of("exit 255"), Exit::Code(255));
    assert_eq!(exit_of("exec perl -e 'exit 256'"), Exit::Code(0));
    assert_eq!(exit_of("exec perl -e 'exit -1'"), Exit::Code(255));
    assert_eq!(exit_of("exit 137"), Exit::Code(137));
    let killed = exit_of("ulimit -c 0; kill -SEGV $$");
    let segfault = Exit::Signal {
        signal: 11,
        core_dumped: false,
    };
    assert_eq!(killed, segfault);
    assert_eq!(killed.to_string(), "killed by signal 11 (SIGSEGV)");
}

#[test]
fn p3_status_reaped_by_other_code_is_unknown() {
    let name = "process::joining::p3_status_reaped_by_other_code_is_unknown";
    // The system reaps the children of a process that ignores SIGCHLD.
    let setup = r#"exec env --ignore-signal=CHLD "$0" "$@""#;
    in_child_with(setup, name, || {
        let process = shell("exit 3").spawn().unwrap();
        assert_eq!(process.join_timeout(TIMEOUT).unwrap(), Exit::Unknown);
        assert!(process.is_finished());
        process.kill().unwrap();
    });
}

#[test]
fn p4_grandchild_holding_the_pipes_delays_no_join() {
    let process = shell("echo before; sleep 60 & echo $!").spawn().unwrap();
    assert_eq!(process.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
    let output = process.output();
    let text = output.stdout.text().into_owned();
    let grandchild = text.lines().nth(1).unwrap().parse().unwrap();
    assert!(runs(grandchild), "the join waited for the grandchild");
    assert!(output.stdout.is_open && output.stderr.is_open);
    assert!(text.starts_with("before\n"));
    assert!(process.stop(TIMEOUT).escaped.is_empty());
    eventually("the end of the output", || !process.output().stdout.is_open);
}

#[test]
fn p4_late_output_of_a_grandchild_is_read() {
    let script = "exec 3<&0; { read line <&3; echo after; } & exit 0";
    let process = shell(script).stdin_piped().spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    drop(process.take_stdin());
    eventually("the late line", || {
        process.output().stdout.text() == "after\n"
    });
}

#[test]
fn p8_stopped_process_is_shown_and_continues() {
    let process = shell("read line; exit 5").stdin_piped().spawn().unwrap();
    let pid = Pid::from_raw(process.pid().cast_signed());
    assert_eq!(process.state(), ProcessState::Running);
    kill(pid, Signal::SIGSTOP).unwrap();
    eventually("the stop", || process.state() == ProcessState::Stopped);
    drop(process.take_stdin());
    let joined = process.join_timeout(Duration::from_millis(20));
    assert!(matches!(joined, Err(JoinError::TimedOut)));
    kill(pid, Signal::SIGCONT).unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(5));
    assert_eq!(process.state(), ProcessState::Ended(Exit::Code(5)));
    let info = process.info();
    assert_eq!(info.state, ProcessState::Ended(Exit::Code(5)));
    let took = info.finished_at.unwrap().duration_since(info.spawned_at);
    assert_eq!(info.elapsed(), took);
}

#[test]
fn snapshot_agrees_with_its_time() {
    for _ in 0..300 {
        let process = shell("exit 0").spawn().unwrap();
        loop {
            let info = process.info();
            let has_ended = matches!(info.state, ProcessState::Ended(_));
            assert_eq!(info.finished_at.is_some(), has_ended, "{info:?}");
            if has_ended {
                break;
            }
        }
    }
}

#[test]
fn callbacks_run_after_the_exit_despite_a_panic() {
    let process = shell("read line").stdin_piped().spawn().unwrap();
    let (send, seen) = mpsc::channel();
    let polled = process.clone();
    process.on_finish(|| panic!("a callback that panics"));
    process.on_finish(move || send.send(polled.poll()).unwrap());
    drop(process.take_stdin());
    let exit = process.join().unwrap();
    assert_eq!(seen.recv_timeout(TIMEOUT).unwrap(), Some(exit));
    let (send, seen) = mpsc::channel();
    process.on_finish(move || send.send(()).unwrap());
    seen.try_recv().unwrap();
}

#[test]
fn wait_for_a_process_is_in_the_wait_graph() {
    let process = shell("read line").stdin_piped().spawn().unwrap();
    let joiner = {
        let process = process.clone();
        join::spawn("joiner", move |_| process.join().unwrap()).unwrap()
    };
    let pid = process.pid();
    let waits = || join::wait_graph().waits;
    eventually("the wait is listed", || {
        let mut waits = waits().into_iter();
        waits.any(|wait| wait.waiter == Some(joiner.id()) && wait.process == Some(pid))
    });
    drop(process.take_stdin());
    joiner.join().unwrap();
    assert!(waits().iter().all(|wait| wait.process != Some(pid)));
}

#[test]
fn detached_process_is_listed_until_it_ends() {
    let process = shell("read line")
        .name("listed")
        .stdin_piped()
        .spawn()
        .unwrap();
    let pid = process.pid();
    let listed = || {
        let mut children = process::live_processes().into_iter();
        children.find(|child| child.pid == pid)
    };
    let info = listed().unwrap();
    assert_eq!(&*info.name, "listed");
    assert!(info.finished_at.is_none());
    let stdin = process.take_stdin();
    drop(process);
    assert!(listed().is_some());
    drop(stdin);
    eventually("the end of the listing", || listed().is_none());
    eventually("the reaping", || {
        !fs::exists(format!("/proc/{pid}")).unwrap()
    });
}

#[test]
fn exit_callback_is_taken_back_with_its_guard() {
    let process = Builder::new("cat").stdin_piped().spawn().unwrap();
    let (send, calls) = mpsc::channel();
    let call = |name| {
        let send = send.clone();
        process.on_exit(move |exit| send.send((name, exit)).unwrap())
    };
    let _kept = call("kept");
    drop(call("taken back"));
    let _last = call("last");
    drop(send);
    drop(process.take_stdin());
    let ended = Exit::Code(0);
    assert_eq!(
        calls.iter().collect::<Vec<_>>(),
        [("kept", ended), ("last", ended)]
    );
}

#[test]
fn p13_shutdown_joins_children_and_stops_daemons() {
    let name = "process::joining::p13_shutdown_joins_children_and_stops_daemons";
    in_child(name, || {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let sleep = sleeper.command();
        let daemon = shell(&format!("{sleep} & {sleep} & wait")).daemon(true);
        let daemon = daemon.spawn().unwrap();
        eventually("two sleepers", || sleeper.running().len() == 2);
        let awaited = shell("read line").stdin_piped().spawn().unwrap();
        let report = join::shutdown_timeout(Duration::from_millis(10));
        assert!(!report.is_complete());
        let pids: Vec<_> = report.processes.iter().map(|child| child.pid).collect();
        assert_eq!(pids, [awaited.pid()]);
        assert!(daemon.is_finished(), "the daemon was not stopped");
        assert_eq!(sleeper.running(), [0; 0]);
        drop(awaited.take_stdin());
        assert!(join::shutdown_timeout(TIMEOUT).is_complete());
        assert!(awaited.is_finished());
    });
}

#[test]
fn p13_shutdown_awaits_a_task_that_an_end_starts() {
    let name = "process::joining::p13_shutdown_awaits_a_task_that_an_end_starts";
    in_child(name, || {
        let cat = || Builder::new("cat").stdin_piped().spawn().unwrap();
        let (first, second) = (cat(), cat());
        let (first_stdin, second_stdin) = (first.take_stdin(), second.take_stdin());
        let is_over = Arc::new(AtomicBool::new(false));
        let (send_task, task) = mpsc::channel();
        // It starts the task before the shutdown goes on with the second process.
        first.on_finish({
            let is_over = is_over.clone();
            move || {
                let until_awaited = move |_: &join::Context| {
                    let own = join::current().unwrap();
                    let is_awaited = || {
                        let waits = join::wait_graph().waits;
                        waits.iter().any(|it| it.targets.contains(&own))
                    };
                    while !is_awaited() && !is_over.load(Ordering::Relaxed) {
                        std::thread::yield_now();
                    }
                };
                let task = join::spawn("started by an end", until_awaited).unwrap();
                send_task.send(task).unwrap();
                drop(second_stdin);
            }
        });
        // No task lives when the shutdown begins, and then it waits for the first process.
        let pid = first.pid();
        let ender = join::Builder::new("ender").daemon(true);
        let ender = ender.spawn(move |_| {
            let is_awaited = || {
                let waits = join::wait_graph().waits;
                waits.iter().any(|wait| wait.process == Some(pid))
            };
            eventually("the wait for the first process", is_awaited);
            drop(first_stdin);
        });
        drop(ender.unwrap());
        let report = join::shutdown_timeout(TIMEOUT);
        let task = task.recv_timeout(TIMEOUT).unwrap();
        let has_ended = task.is_finished();
        is_over.store(true, Ordering::Relaxed);
        assert!(report.is_complete(), "{report:?}");
        assert!(has_ended, "the task was left");
    });
}

/// A shell that has left a sleeper which is deaf to `SIGTERM`, and ends when it is asked to.
fn with_deaf_sleeper(sleeper: &Sleeper) -> Builder {
    let script = format!("(trap '' TERM; exec {}) & read line", sleeper.command());
    shell(&script).stdin_piped()
}

#[test]
fn p13_shutdown_awaits_stops_until_its_deadline() {
    let name = "process::joining::p13_shutdown_awaits_stops_until_its_deadline";
    in_child(name, || {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let token = CancelToken::new();
        let cancelled = with_deaf_sleeper(&sleeper).cancel_token(&token);
        let cancelled = cancelled.spawn().unwrap();
        eventually("the sleeper", || sleeper.running().len() == 1);
        // The process ends at once, and the sleeper after a second.
        token.cancel();
        assert!(join::shutdown_timeout(TIMEOUT).is_complete());
        assert_eq!(sleeper.running(), [0; 0]);
        assert!(cancelled.is_finished());

        let stopped = with_deaf_sleeper(&sleeper).spawn().unwrap();
        eventually("the sleeper", || sleeper.running().len() == 1);
        let stops = stopped.clone();
        let stop = join::Builder::new("stop").daemon(true);
        let stop = stop.spawn(move |_| stops.stop(TIMEOUT)).unwrap();
        stopped.join().unwrap();
        let shutdown = join::Builder::new("shutdown").daemon(true);
        let shutdown = shutdown.spawn(|_| join::shutdown_timeout(Duration::ZERO).is_complete());
        let shutdown = shutdown.unwrap();
        let has_returned = shutdown.join_timeout(TIMEOUT / 2);
        assert!(matches!(has_returned, Ok(complete) if *complete));
        assert!(!stop.is_finished());
        drop(sleeper);
        assert_eq!(stop.join().unwrap().ended.len(), 2);
    });
}

#[test]
fn p13_shutdown_stops_daemons_together() {
    let name = "process::joining::p13_shutdown_stops_daemons_together";
    in_child(name, || {
        let folder = folder();
        let dir = folder.path().display();
        // Each one ends by itself only when all have got `SIGTERM`.
        let daemons: Vec<_> = (1..=3)
            .map(|number| {
                let all = format!("{dir}/1 -a -e {dir}/2 -a -e {dir}/3");
                let wait = format!(": > {dir}/{number}; while ! [ -e {all} ]; do :; done; exit 7");
                let script =
                    format!("trap '{wait}' TERM; echo ready; while :; do sleep 0.01; done");
                shell(&script).daemon(true).spawn().unwrap()
            })
            .collect();
        eventually("all daemons", || {
            daemons
                .iter()
                .all(|daemon| daemon.output().stdout.total > 0)
        });
        let report = join::shutdown_timeout(Duration::ZERO);
        assert!(report.is_complete(), "{report:?}");
        let exits: Vec<_> = daemons.iter().map(Process::poll).collect();
        assert_eq!(exits, [Some(Exit::Code(7)); 3]);
    });
}

#[test]
fn p15_process_lists_only_its_own_children() {
    const CHILD: &str = "MEANWHILE_TEST_CHILD_FILE";
    let name = "process::joining::p15_process_lists_only_its_own_children";
    let listed = || {
        let children = process::live_processes().into_iter();
        children.map(|child| child.pid).collect::<Vec<_>>()
    };
    if let Some(file) = std::env::var_os(CHILD) {
        assert!(listed().is_empty());
        let child = shell("read line; exit 4").stdin_piped().spawn().unwrap();
        assert_eq!(listed(), [child.pid()]);
        drop(child.take_stdin());
        assert_eq!(child.join().unwrap(), Exit::Code(4));
        return fs::write(file, "done").unwrap();
    }
    let folder = folder();
    let file = folder.path().join("done");
    let test = Builder::new(std::env::current_exe().unwrap());
    let test = test.args(["--exact", name]).env(CHILD, &file);
    let child = test.spawn().unwrap();
    assert!(listed().contains(&child.pid()));
    let exit = child.join().unwrap();
    assert_eq!(exit, Exit::Code(0), "{}", child.output().stdout.text());
    assert!(file.exists(), "the test did not run in the child");
}

#[test]
fn no_live_process_is_listed_as_ended() {
    for _ in 0..10 {
        let brief = || Builder::new("true").spawn().unwrap();
        let processes: Vec<_> = (0..20).map(|_| brief()).collect();
        while processes.iter().any(|process| process.poll().is_none()) {
            let live = process::live_processes();
            let ended = live
                .iter()
                .find(|info| matches!(info.state, ProcessState::Ended(_)));
            assert!(ended.is_none(), "{ended:?}");
        }
    }
}
