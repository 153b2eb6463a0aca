//! P1–P4, P8, P13, P15: who joins, how it ended, who is waited for and who is not.

use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use meanwhile::join::process::{self, Builder, Exit, ProcessState};
use meanwhile::join::{self, JoinError};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{eventually, lives, shell};
use crate::util::child::{in_child, in_child_with};
use crate::util::gate::LIMIT;

#[test]
fn p1_sixty_four_joiners_and_every_later_one_get_the_same_exit() {
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
fn p1_a_join_that_times_out_is_never_early_and_leaves_the_process_joinable() {
    let sleeper = Builder::new("sleep").arg("60").spawn().unwrap();
    let timeout = Duration::from_millis(30);
    let start = Instant::now();
    let too_early = sleeper.join_timeout(timeout);
    assert!(start.elapsed() >= timeout);
    assert!(matches!(too_early, Err(JoinError::TimedOut)));
    assert!(matches!(
        sleeper.join_timeout(Duration::ZERO),
        Err(JoinError::TimedOut)
    ));
    assert!(sleeper.is_alive());
    sleeper.kill().unwrap();
    let killed = sleeper.join_timeout(Duration::MAX).unwrap();
    assert_eq!(killed.signal_name(), Some("SIGKILL"));
    assert!(!sleeper.is_alive());
}

#[test]
fn p1_a_thousand_ends_that_race_a_timed_join_are_seen_once_and_never_lost() {
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
fn p2_codes_are_as_the_system_reports_them_and_a_signal_is_no_code() {
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
fn p3_a_status_that_somebody_else_took_is_unknown_at_once() {
    let name = "process::joining::p3_a_status_that_somebody_else_took_is_unknown_at_once";
    // Children of one that ignores SIGCHLD are reaped by the system.
    let setup = r#"exec env --ignore-signal=CHLD "$0" "$@""#;
    in_child_with(setup, name, || {
        let process = shell("exit 3").spawn().unwrap();
        assert_eq!(process.join_timeout(LIMIT).unwrap(), Exit::Unknown);
        assert!(!process.is_alive());
        process.kill().unwrap();
    });
}

#[test]
fn p4_a_grandchild_that_holds_the_pipes_delays_no_join_and_is_marked() {
    let process = shell("echo before; sleep 60 & echo $!").spawn().unwrap();
    assert_eq!(process.join_timeout(LIMIT).unwrap(), Exit::Code(0));
    let output = process.output();
    let text = output.stdout.text().into_owned();
    let grandchild = text.lines().nth(1).unwrap().parse().unwrap();
    assert!(lives(grandchild), "the join waited for the grandchild");
    assert!(output.stdout.is_open && output.stderr.is_open);
    assert!(text.starts_with("before\n"));
    assert!(process.stop(LIMIT).escaped.is_empty());
    eventually("the end of the output", || !process.output().stdout.is_open);
}

#[test]
fn p4_what_a_grandchild_prints_after_the_end_is_read_while_a_handle_is_held() {
    let script = "exec 3<&0; { read line <&3; echo after; } & exit 0";
    let process = shell(script).stdin_piped().spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    drop(process.take_stdin());
    eventually("the late line", || {
        process.output().stdout.text() == "after\n"
    });
}

#[test]
fn p8_a_stopped_process_is_shown_as_stopped_and_goes_on() {
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
}

#[test]
fn callbacks_run_after_the_exit_is_published_and_one_that_panics_stops_nobody() {
    let process = shell("read line").stdin_piped().spawn().unwrap();
    let (send, seen) = mpsc::channel();
    let asked = process.clone();
    process.on_finish(|| panic!("a callback that fails"));
    process.on_finish(move || send.send(asked.poll()).unwrap());
    drop(process.take_stdin());
    let exit = process.join().unwrap();
    assert_eq!(seen.recv_timeout(LIMIT).unwrap(), Some(exit));
    let (send, seen) = mpsc::channel();
    process.on_finish(move || send.send(()).unwrap());
    seen.try_recv().unwrap();
}

#[test]
fn a_wait_for_a_process_stands_in_the_wait_graph_while_it_lasts() {
    let process = shell("read line").stdin_piped().spawn().unwrap();
    let joiner = {
        let process = process.clone();
        join::spawn("joiner", move |_| process.join().unwrap()).unwrap()
    };
    let pid = process.pid();
    let waits = || join::wait_graph().waits;
    eventually("the edge", || {
        let mut waits = waits().into_iter();
        waits.any(|wait| wait.waiter == Some(joiner.id()) && wait.process == Some(pid))
    });
    drop(process.take_stdin());
    joiner.join().unwrap();
    assert!(waits().iter().all(|wait| wait.process != Some(pid)));
}

#[test]
fn a_process_is_listed_until_its_end_also_when_every_handle_is_dropped() {
    let process = shell("read line")
        .name("listed")
        .stdin_piped()
        .spawn()
        .unwrap();
    let pid = process.pid();
    let listed = || {
        let mut children = process::active_children().into_iter();
        children.find(|child| child.pid == pid)
    };
    let info = listed().unwrap();
    assert_eq!(&*info.name, "listed");
    assert!(info.finished_at.is_none());
    let stdin = process.take_stdin();
    drop(process);
    assert!(listed().is_some());
    drop(stdin);
    eventually("the end", || listed().is_none());
    eventually("the reaping", || {
        !std::path::Path::new(&format!("/proc/{pid}")).exists()
    });
}

#[test]
fn p13_shutdown_waits_for_a_child_and_stops_a_daemon_with_all_it_started() {
    let name =
        "process::joining::p13_shutdown_waits_for_a_child_and_stops_a_daemon_with_all_it_started";
    in_child(name, || {
        let daemon = shell("sleep 60 & sleep 60").daemon(true).spawn().unwrap();
        let awaited = shell("read line").stdin_piped().spawn().unwrap();
        let report = join::shutdown(Some(Duration::from_millis(10)));
        assert!(!report.is_complete());
        let pids: Vec<_> = report.processes.iter().map(|child| child.pid).collect();
        assert_eq!(pids, [awaited.pid()]);
        assert!(!daemon.is_alive(), "the daemon was not stopped");
        drop(awaited.take_stdin());
        assert!(join::shutdown(Some(LIMIT)).is_complete());
        assert!(!awaited.is_alive());
    });
}

#[test]
fn p15_a_process_has_its_children_and_neither_itself_nor_the_one_that_started_it() {
    const ASKED: &str = "MEANWHILE_TEST_ASKED";
    let name = "process::joining::p15_a_process_has_its_children_and_neither_itself_nor_the_one_that_started_it";
    let listed = || {
        let children = process::active_children().into_iter();
        children.map(|child| child.pid).collect::<Vec<_>>()
    };
    if std::env::var_os(ASKED).is_some() {
        assert!(listed().is_empty());
        let child = shell("read line; exit 4").stdin_piped().spawn().unwrap();
        assert_eq!(listed(), [child.pid()]);
        drop(child.take_stdin());
        assert_eq!(child.join().unwrap(), Exit::Code(4));
        return;
    }
    let test = Builder::new(std::env::current_exe().unwrap());
    let asked = test
        .args(["--exact", name])
        .env(ASKED, "1")
        .spawn()
        .unwrap();
    assert!(listed().contains(&asked.pid()));
    asked.join().unwrap();
    let output = asked.output();
    let said = output.stdout.text();
    assert!(said.contains("1 passed"), "{said}");
}
