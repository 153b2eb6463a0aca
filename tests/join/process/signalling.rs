//! P6, P8: signals to a process, and to a whole tree.

use std::fs;
use std::time::Duration;

use meanwhile_join::process::{self, Exit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

#[cfg(not(other_unix))]
use super::stopping::reads_of;
use super::stopping::{assert_ended, counts, tree};
use super::{eventually, shell, wait_for_line};
#[cfg(not(other_unix))]
use crate::util::child::in_child;
use crate::util::child::in_child_with;
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;

#[test]
fn p6_signals_after_the_end_have_no_effect() {
    let process = shell("exit 0").spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    process.terminate().unwrap();
    process.kill().unwrap();
    let report = process.stop(Duration::ZERO);
    assert_eq!(report.exit, Some(Exit::Code(0)));
    assert_eq!(counts(&report), (0, 0, 0));
}

#[test]
fn p6_signal_reaches_the_process() {
    let script = "trap 'echo got; exit 5' USR1; echo ready; while :; do sleep 0.01; done";
    let process = shell(script).spawn().unwrap();
    eventually("the shell", || process.output().stdout.text() == "ready\n");
    process.signal(Signal::SIGUSR1 as i32).unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(5));
    assert_eq!(process.output().stdout.text(), "ready\ngot\n");
    process.signal(Signal::SIGUSR1 as i32).unwrap();
}

#[test]
fn p6_signals_without_a_name_are_refused() {
    let process = shell("exec sleep 60").spawn().unwrap();
    for number in [-1, 0, 34, 64, 1_000, i32::MIN] {
        let error = process.signal(number).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{number}");
    }
    // It ignores these two, and ends with the first of the others that ends it.
    for signal in [Signal::SIGURG, Signal::SIGWINCH, Signal::SIGALRM] {
        process.signal(signal as i32).unwrap();
    }
    assert_eq!(process.join().unwrap().signal_name(), Some("SIGALRM"));
}

/// Enters a pid namespace, in which the next pid can be chosen.
pub(super) const IN_A_PID_NAMESPACE: &str = r#"
works() { "$@" sh -c 'echo 1000 > /proc/sys/kernel/ns_last_pid'; }
root="unshare --pid --fork --mount-proc"
user="unshare --user --map-root-user --pid --fork --mount-proc"
if works $root; then exec $root "$0" "$@"; fi
if works $user; then exec $user "$0" "$@"; fi
echo "this test needs a pid namespace: run it as root, or allow unprivileged user namespaces" >&2
exit 1"#;

#[test]
#[ignore = "needs util-linux and a pid namespace; tests/all.sh runs it"]
fn p6_process_with_a_reused_pid_is_not_signalled() {
    let name = "process::signalling::p6_process_with_a_reused_pid_is_not_signalled";
    in_child_with(IN_A_PID_NAMESPACE, name, || {
        let ended = shell("exit 0").spawn().unwrap();
        assert_eq!(ended.join().unwrap(), Exit::Code(0));
        let before = ended.pid() - 1;
        fs::write("/proc/sys/kernel/ns_last_pid", before.to_string()).unwrap();
        let other = shell("read line; exit 6").stdin_piped().spawn().unwrap();
        assert_eq!(other.pid(), ended.pid());
        ended.terminate().unwrap();
        ended.kill().unwrap();
        let report = ended.stop(Duration::ZERO);
        assert_eq!(counts(&report), (0, 0, 0), "{report:?}");
        drop(other.take_stdin());
        assert_eq!(other.join().unwrap(), Exit::Code(6));
    });
}

#[test]
fn p6_terminate_can_be_ignored_but_kill_can_not() {
    let ignoring = shell("trap '' TERM; echo ready; read line; exit 9").stdin_piped();
    let process = ignoring.stdout_piped().spawn().unwrap();
    wait_for_line(&process, "ready");
    process.terminate().unwrap();
    drop(process.take_stdin());
    assert_eq!(process.join().unwrap(), Exit::Code(9));

    let process = shell("trap '' TERM; echo ready; sleep 60")
        .stdout_piped()
        .spawn()
        .unwrap();
    wait_for_line(&process, "ready");
    process.kill().unwrap();
    assert_eq!(process.join().unwrap().signal_name(), Some("SIGKILL"));
    // Ends the `sleep`.
    drop(process.stop(Duration::ZERO));
}

#[test]
fn p8_stop_ends_a_stopped_process() {
    let (process, pids) = tree("sleep 60 & echo $!; echo ready; wait");
    for pid in &pids {
        kill(Pid::from_raw(pid.cast_signed()), Signal::SIGSTOP).unwrap();
    }
    let report = process.stop(TIMEOUT);
    assert_eq!(counts(&report), (2, 0, 0), "ended by SIGTERM: {report:?}");
    assert_ended(&pids);
}

/// Whether a signal has stopped the process; see proc(5).
fn is_stopped(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with('T')
}

#[test]
fn p8_pause_and_resume_reach_the_whole_tree() {
    let script = "sleep 60 & echo $!; setsid sleep 60 & echo $!; echo ready; wait";
    for is_listed in [false, true] {
        let (process, pids) = tree(script);
        let live = process::live_processes();
        let listed = live.iter().find(|it| it.pid == process.pid()).unwrap();
        let pause = || {
            if is_listed {
                listed.pause();
            } else {
                process.pause();
            }
        };
        let resume = || {
            if is_listed {
                listed.resume();
            } else {
                process.resume();
            }
        };
        pause();
        eventually("the pause", || pids.iter().all(|pid| is_stopped(*pid)));
        resume();
        eventually("the end of the pause", || {
            !pids.iter().any(|pid| is_stopped(*pid))
        });
        pause();
        let report = process.stop(TIMEOUT);
        assert_eq!(counts(&report), (3, 0, 0), "{report:?}");
        assert_ended(&pids);
        pause();
        resume();
    }
}

/// A pause looks for processes until a look finds no other one.
#[cfg(not(other_unix))]
#[test]
fn pause_looks_once_more_than_it_finds_others() {
    let name = "process::signalling::pause_looks_once_more_than_it_finds_others";
    in_child(name, || {
        let ended = shell("exit 0").spawn().unwrap();
        ended.join().unwrap();
        let look = || reads_of(|| drop(ended.descendants()));
        let before = look();
        let paused = reads_of(|| ended.pause());
        let in_one_look = before.max(look());
        assert!(
            paused < 5 * in_one_look,
            "{paused} reads, {in_one_look} a look"
        );
    });
}

#[test]
fn p8_tree_that_grows_is_paused_whole() {
    let folder = folder();
    let file = folder.path().join("count");
    let script = format!(
        "echo ready; while :; do echo >> {}; sleep 0; done",
        file.display()
    );
    let process = shell(&script).spawn().unwrap();
    let lines = || fs::metadata(&file).map_or(0, |data| data.len());
    for _ in 0..5 {
        let before = lines();
        eventually("more lines", || lines() > before);
        process.pause();
        // The system takes a moment. It shows a shell as running that waits for a paused process to
        // become another program.
        let lines_after = |time| {
            assert!(process.join_timeout(time).is_err());
            lines()
        };
        eventually("the pause", || {
            lines() == lines_after(Duration::from_millis(20))
        });
        assert_eq!(lines(), lines_after(Duration::from_millis(200)));
        process.resume();
    }
    assert!(process.stop(TIMEOUT).escaped.is_empty());
}
