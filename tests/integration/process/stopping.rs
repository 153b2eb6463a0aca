//! P6–P8: terminating, killing, and stopping a tree.

use std::fs;
use std::time::Duration;

use meanwhile::join::process::{Exit, Process, StopReport};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{eventually, lives, shell, wait_for_line};
use crate::util::child::in_child_with;
use crate::util::gate::LIMIT;

/// Starts a shell that prints the numbers of those who are to be gone afterwards, then `ready`.
fn tree(script: &str) -> (Process, Vec<u32>) {
    let process = shell(script).stdout_piped().spawn().unwrap();
    let pids = wait_for_line(&process, "ready");
    let mut pids: Vec<u32> = pids.iter().map(|pid| pid.parse().unwrap()).collect();
    pids.push(process.pid());
    assert!(pids.len() > 1);
    (process, pids)
}

fn assert_gone(pids: &[u32]) {
    let left: Vec<_> = pids.iter().filter(|pid| lives(**pid)).collect();
    assert!(left.is_empty(), "{left:?} of {pids:?} live on");
}

fn names(report: &StopReport) -> (usize, usize, usize) {
    (
        report.ended.len(),
        report.forced.len(),
        report.escaped.len(),
    )
}

#[test]
fn p6_terminate_and_kill_have_no_effect_after_the_end() {
    let process = shell("exit 0").spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    process.terminate().unwrap();
    process.kill().unwrap();
    let report = process.stop(Duration::ZERO);
    assert_eq!(report.exit, Some(Exit::Code(0)));
    assert_eq!(names(&report), (0, 0, 0));
}

/// A system that numbers its processes for itself, and lets us choose the next number.
const WITH_NUMBERS_OF_ITS_OWN: &str = r#"
works() { "$@" sh -c 'echo 1000 > /proc/sys/kernel/ns_last_pid'; }
root="unshare --pid --fork --mount-proc"
person="unshare --user --map-root-user --pid --fork --mount-proc"
if works $root; then exec $root "$0" "$@"; fi
if works $person; then exec $person "$0" "$@"; fi
echo "this test needs a pid namespace: run it as root, or where everybody may make a user namespace" >&2
exit 1"#;

#[test]
#[ignore = "needs util-linux and a pid namespace; tests/all.sh runs it"]
fn p6_another_process_that_was_given_the_number_lives_on() {
    let name = "process::stopping::p6_another_process_that_was_given_the_number_lives_on";
    in_child_with(WITH_NUMBERS_OF_ITS_OWN, name, || {
        let ended = shell("exit 0").spawn().unwrap();
        assert_eq!(ended.join().unwrap(), Exit::Code(0));
        let before = ended.pid() - 1;
        fs::write("/proc/sys/kernel/ns_last_pid", before.to_string()).unwrap();
        let other = shell("read line; exit 6").stdin_piped().spawn().unwrap();
        assert_eq!(other.pid(), ended.pid());
        ended.terminate().unwrap();
        ended.kill().unwrap();
        let report = ended.stop(Duration::ZERO);
        assert_eq!(names(&report), (0, 0, 0), "{report:?}");
        drop(other.take_stdin());
        assert_eq!(other.join().unwrap(), Exit::Code(6));
    });
}

#[test]
fn p6_terminate_asks_and_kill_does_not() {
    let deaf = shell("trap '' TERM; echo ready; read line; exit 9").stdin_piped();
    let process = deaf.stdout_piped().spawn().unwrap();
    wait_for_line(&process, "ready");
    process.terminate().unwrap();
    let stdin = process.take_stdin();
    drop(stdin);
    assert_eq!(process.join().unwrap(), Exit::Code(9));

    let process = shell("trap '' TERM; echo ready; sleep 60")
        .stdout_piped()
        .spawn()
        .unwrap();
    wait_for_line(&process, "ready");
    process.kill().unwrap();
    assert_eq!(process.join().unwrap().signal_name(), Some("SIGKILL"));
    let _tidied = process.stop(Duration::ZERO);
}

#[test]
fn p7_a_tree_that_listens_ends_when_asked() {
    let (process, pids) = tree("sleep 60 & echo $!; sleep 60 & echo $!; echo ready; wait");
    let report = process.stop(LIMIT);
    assert_eq!(names(&report), (3, 0, 0));
    assert_eq!(report.exit.and_then(Exit::signal_name), Some("SIGTERM"));
    assert_gone(&pids);
}

#[test]
fn p7_those_who_ignore_it_are_killed_after_the_grace_and_named() {
    let (process, pids) =
        tree("trap '' TERM; sleep 60 & echo $!; sleep 60 & echo $!; echo ready; wait");
    let report = process.stop(Duration::from_millis(50));
    assert_eq!(names(&report), (0, 3, 0));
    let mut forced: Vec<_> = report.forced.iter().map(|member| member.pid).collect();
    let mut expected = pids.clone();
    forced.sort_unstable();
    expected.sort_unstable();
    assert_eq!(forced, expected);
    assert_gone(&pids);
}

/// How often this thread has read something while `work` ran, as the kernel counts it.
#[cfg(not(other_unix))]
fn reads_of(work: impl FnOnce()) -> u64 {
    let reads = || -> u64 {
        let io = fs::read_to_string("/proc/thread-self/io").unwrap();
        let count = io.lines().find_map(|line| line.strip_prefix("syscr: "));
        count.unwrap().parse().unwrap()
    };
    let before = reads();
    work();
    reads() - before
}

/// Without pidfds the end of a stranger is not heard, and the pace stays that of the first looks.
#[cfg(not(other_unix))]
#[test]
fn p7_a_long_grace_looks_ever_more_rarely_for_what_was_started_meanwhile() {
    let stop_after = |grace| {
        let (process, pids) = tree("trap '' TERM; sleep 60 & echo $!; echo ready; wait");
        let reads = reads_of(|| assert_eq!(names(&process.stop(grace)), (0, 2, 0)));
        assert_gone(&pids);
        reads
    };
    // At least three looks at the process table; before and after, for others fill it meanwhile.
    let before = stop_after(Duration::ZERO);
    let in_two_seconds = stop_after(Duration::from_secs(2));
    let in_few_looks = before.max(stop_after(Duration::ZERO));
    // Some ten looks more; at the pace of the first they would be a hundred.
    assert!(
        in_two_seconds < 10 * in_few_looks,
        "{in_two_seconds} reads, beside {in_few_looks}"
    );
}

#[test]
fn p7_those_who_left_the_group_are_found() {
    let script = "setsid sh -c 'echo $$; exec sleep 60' & read line";
    let process = shell(&format!("{script}; :"))
        .stdin_piped()
        .spawn()
        .unwrap();
    eventually("the session", || {
        process.output().stdout.text().ends_with('\n')
    });
    let pid: u32 = process.output().stdout.text().trim().parse().unwrap();
    let report = process.stop(LIMIT);
    assert!(report.escaped.is_empty());
    let left = report
        .ended
        .iter()
        .find(|member| member.pid == pid)
        .unwrap();
    assert!(left.left_group);
    assert_gone(&[pid, process.pid()]);
}

#[test]
fn p7_a_daemon_that_outlived_its_leader_is_found_by_its_mark() {
    // Twice away from home: its parent is gone, and so is its session.
    let script = "( setsid sh -c 'echo $$; exec sleep 60' & ) ; exit 0";
    let process = shell(script).spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    eventually("the daemon", || {
        process.output().stdout.text().ends_with('\n')
    });
    let pid: u32 = process.output().stdout.text().trim().parse().unwrap();
    assert!(lives(pid));
    let report = process.stop(LIMIT);
    assert_eq!(names(&report), (1, 0, 0));
    assert_eq!(report.exit, Some(Exit::Code(0)));
    assert_gone(&[pid]);
}

#[test]
fn p7_a_tree_that_grows_while_it_is_stopped_ends_too() {
    let (process, pids) = tree(
        "trap 'sleep 60 & sleep 60 & sleep 60' TERM; echo $$; echo ready; while :; do sleep 0.01; done",
    );
    let report = process.stop(Duration::from_millis(300));
    assert!(report.escaped.is_empty(), "{report:?}");
    assert_gone(&pids);
    let again = process.stop(Duration::ZERO);
    assert_eq!(names(&again), (0, 0, 0), "{again:?}");
}

#[test]
fn p7_nobody_else_is_touched() {
    let bystander = shell("read line; exit 6").stdin_piped().spawn().unwrap();
    let (process, _) = tree("sleep 60 & echo $!; echo ready; wait");
    let report = process.stop(LIMIT);
    let everybody = report.ended.iter().chain(&report.forced);
    assert!(
        everybody
            .clone()
            .all(|member| member.pid != bystander.pid())
    );
    assert!(bystander.is_alive());
    drop(bystander.take_stdin());
    assert_eq!(bystander.join().unwrap(), Exit::Code(6));
}

#[test]
fn p8_stop_ends_a_stopped_process() {
    let (process, pids) = tree("sleep 60 & echo $!; echo ready; wait");
    for pid in &pids {
        kill(Pid::from_raw(pid.cast_signed()), Signal::SIGSTOP).unwrap();
    }
    let report = process.stop(LIMIT);
    assert_eq!(names(&report), (2, 0, 0), "asked, not forced: {report:?}");
    assert_gone(&pids);
}

#[test]
fn p7_a_group_ends_also_where_no_more_files_may_be_opened() {
    let name = "process::stopping::p7_a_group_ends_also_where_no_more_files_may_be_opened";
    in_child_with("ulimit -n 32", name, || {
        let (process, pids) = tree("sleep 60 & echo $!; echo ready; wait");
        let mut hogs = Vec::new();
        while let Ok(hog) = fs::File::open("/dev/null") {
            hogs.push(hog);
        }
        let report = process.stop(LIMIT);
        assert_eq!(report.exit.and_then(Exit::signal_name), Some("SIGKILL"));
        drop(hogs);
        eventually("the end of all", || !pids.iter().any(|pid| lives(*pid)));
    });
}

#[test]
fn p7_two_stops_at_once_agree() {
    for _ in 0..20 {
        let (process, pids) = tree("sleep 60 & echo $!; echo ready; wait");
        let other = {
            let process = process.clone();
            meanwhile::join::spawn("other", move |_| process.stop(LIMIT)).unwrap()
        };
        let report = process.stop(LIMIT);
        assert!(report.escaped.is_empty() && other.join().unwrap().escaped.is_empty());
        assert_gone(&pids);
    }
}
