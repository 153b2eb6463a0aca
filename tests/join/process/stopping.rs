//! P7: stopping a tree. P25: stopping it by a cancel.

use std::fs;
#[cfg(not(other_unix))]
use std::os::unix::fs::PermissionsExt as _;
#[cfg(not(other_unix))]
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use meanwhile_join::process::{
    self, Exit, Process, ProcessGroup, SpawnError, StopReport, TreeMember,
};
use meanwhile_join::{CancelToken, spawn};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{eventually, runs, shell, wait_for_line};
use crate::util::child::{in_child, in_child_with};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::sleeper::Sleeper;

/// Starts a shell that prints the pids of its descendants, then `ready`. Returns these pids and the
/// pid of the shell.
pub(super) fn tree(script: &str) -> (Process, Vec<u32>) {
    let shell = shell(script).group(ProcessGroup::Own);
    let process = shell.stdout_piped().spawn().unwrap();
    let pids = wait_for_line(&process, "ready");
    let mut pids: Vec<u32> = pids.iter().map(|pid| pid.parse().unwrap()).collect();
    pids.push(process.pid());
    assert!(pids.len() > 1);
    (process, pids)
}

pub(super) fn assert_ended(pids: &[u32]) {
    let left: Vec<_> = pids.iter().filter(|pid| runs(**pid)).collect();
    assert!(left.is_empty(), "{left:?} of {pids:?} still run");
}

/// The name of a process, which is that of the shell until a child has executed its program.
fn name_of(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    name.trim().to_owned()
}

/// The numbers of processes that ended, were killed, and escaped.
pub(super) fn counts(report: &StopReport) -> (usize, usize, usize) {
    (
        report.ended.len(),
        report.forced.len(),
        report.escaped.len(),
    )
}

#[test]
fn p7_tree_that_handles_sigterm_is_not_killed() {
    let (process, pids) = tree("sleep 60 & echo $!; sleep 60 & echo $!; echo ready; wait");
    eventually("the programs of the children", || {
        pids[..2].iter().all(|pid| name_of(*pid) == "sleep")
    });
    let report = process.stop(TIMEOUT);
    assert_eq!(counts(&report), (3, 0, 0));
    assert_eq!(report.exit.and_then(Exit::signal_name), Some("SIGTERM"));
    assert!(report.ended.iter().all(|member| !member.left_group));
    let sleepers = report.ended.iter().filter(|member| member.name == "sleep");
    assert_eq!(sleepers.count(), 2, "{report:?}");
    assert_ended(&pids);
}

#[test]
fn p7_tree_that_ignores_sigterm_is_killed() {
    let (process, pids) =
        tree("trap '' TERM; sleep 60 & echo $!; sleep 60 & echo $!; echo ready; wait");
    let report = process.stop(Duration::from_millis(50));
    assert_eq!(counts(&report), (0, 3, 0));
    assert_eq!(report.exit.and_then(Exit::signal_name), Some("SIGKILL"));
    let mut forced: Vec<_> = report.forced.iter().map(|member| member.pid).collect();
    let mut expected = pids.clone();
    forced.sort_unstable();
    expected.sort_unstable();
    assert_eq!(forced, expected);
    assert_ended(&pids);
}

/// The number of read calls that this process made in `work`, as counted by the kernel.
#[cfg(not(other_unix))]
pub(super) fn reads_of(work: impl FnOnce()) -> u64 {
    let reads = || -> u64 {
        let io = fs::read_to_string("/proc/self/io").unwrap();
        let count = io.lines().find_map(|line| line.strip_prefix("syscr: "));
        count.unwrap().parse().unwrap()
    };
    let before = reads();
    work();
    reads() - before
}

/// Without pidfds a stop can't wait for the exit of a descendant, so its interval stays short.
#[cfg(not(other_unix))]
#[test]
fn p7_long_grace_scans_less_and_less_often() {
    let name = "process::stopping::p7_long_grace_scans_less_and_less_often";
    in_child(name, || {
        let stop_after = |grace| {
            let (process, pids) = tree("trap '' TERM; sleep 60 & echo $!; echo ready; wait");
            let reads = reads_of(|| assert_eq!(counts(&process.stop(grace)), (0, 2, 0)));
            assert_ended(&pids);
            reads
        };
        // At least the calls of three scans of the process table. It is scanned before and after,
        // because its size changes.
        let before = stop_after(Duration::ZERO);
        let in_two_seconds = stop_after(Duration::from_secs(2));
        let in_few_scans = before.max(stop_after(Duration::ZERO));
        // About ten more scans. At the initial interval there would be a hundred.
        assert!(
            in_two_seconds < 10 * in_few_scans,
            "{in_two_seconds} reads in two seconds, {in_few_scans} in a short stop"
        );
    });
}

#[test]
fn p7_descendants_outside_the_group_are_found() {
    let script = "setsid sh -c 'echo $$; exec sleep 60' & read line";
    let process = shell(&format!("{script}; :"))
        .stdin_piped()
        .spawn()
        .unwrap();
    eventually("the session", || {
        process.output().stdout.text().ends_with('\n')
    });
    let pid: u32 = process.output().stdout.text().trim().parse().unwrap();
    let report = process.stop(TIMEOUT);
    assert!(report.escaped.is_empty());
    let left = report
        .ended
        .iter()
        .find(|member| member.pid == pid)
        .unwrap();
    assert!(left.left_group);
    assert_ended(&[pid, process.pid()]);
}

#[test]
fn p7_daemon_without_parent_is_found_by_its_tag() {
    // It has lost both its parent and its session.
    let script = "( setsid sh -c 'echo $$; exec sleep 60' & ) ; exit 0";
    let process = shell(script).spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    eventually("the daemon", || {
        process.output().stdout.text().ends_with('\n')
    });
    let pid: u32 = process.output().stdout.text().trim().parse().unwrap();
    assert!(runs(pid));
    let report = process.stop(TIMEOUT);
    assert_eq!(counts(&report), (1, 0, 0));
    assert_eq!(report.exit, Some(Exit::Code(0)));
    assert_ended(&[pid]);
}

/// For a moment while a process executes a program, its environment can't be read. Elsewhere than on
/// Linux a process without an environment looks the same.
#[cfg(not(other_unix))]
#[test]
fn p7_daemon_that_executes_programs_is_found() {
    let folder = folder();
    let script = folder.path().join("executes-itself");
    let text = "#!/bin/sh\n[ ${#1} -gt 2000 ] || exec \"$0\" \"x$1\"\n";
    fs::write(&script, text).expect("our own folder");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("our own file");
    let daemon = format!("setsid '{}' & echo $!; echo ready", script.display());
    for round in 0..100 {
        let (process, pids) = tree(&daemon);
        process.join().unwrap();
        drop(process.stop(Duration::ZERO));
        assert!(!runs(pids[0]), "in round {round} the daemon escaped");
    }
}

/// A shell that tidies up with this command when it is asked to end.
fn tidying(command: &str) -> Process {
    let on_term = format!("trap '{command}; echo tidied $?; exit 0' TERM");
    let process = shell(&format!(
        "{on_term}; echo ready; while :; do sleep 0.01; done"
    ));
    let process = process.group(ProcessGroup::Own).spawn().unwrap();
    eventually("the shell", || printed(&process) == "ready\n");
    process
}

fn printed(process: &Process) -> String {
    process.output().stdout.text().into_owned()
}

fn pids(members: &[TreeMember]) -> Vec<u32> {
    members.iter().map(|member| member.pid).collect()
}

#[test]
fn p7_tidy_up_command_is_left_to_finish() {
    // The second one is started long after the stop has begun.
    let process = tidying("sleep 0.1; sleep 0.5");
    let report = process.stop(TIMEOUT);
    let printed = printed(&process);
    assert!(printed.ends_with("\ntidied 0\n"), "{printed}");
    assert_eq!(report.exit, Some(Exit::Code(0)));
    assert!(pids(&report.asked).contains(&process.pid()), "{report:?}");
    assert!(report.ended.len() > report.asked.len(), "{report:?}");
}

#[test]
fn p7_tidy_up_command_ends_with_the_grace() {
    let process = tidying("sleep 60 & echo $!; wait");
    let report = process.stop(Duration::from_millis(500));
    let printed = printed(&process);
    let tidying: u32 = printed.lines().last().unwrap().parse().unwrap();
    let forced = pids(&report.forced);
    assert!(forced.contains(&tidying), "{report:?}");
    assert!(!pids(&report.asked).contains(&tidying), "{report:?}");
    assert_ended(&forced);
}

#[test]
fn p7_second_stop_leaves_the_tidy_up_alone() {
    let process = tidying("echo tidying; sleep 0.5");
    let stopped = process.clone();
    let first = spawn("first", move |_| stopped.stop(TIMEOUT)).unwrap();
    eventually("the tidying", || printed(&process).contains("tidying\n"));
    drop(process.stop(TIMEOUT));
    let printed = printed(&process);
    assert!(printed.ends_with("\ntidied 0\n"), "{printed}");
    assert_eq!(first.join().unwrap().exit, Some(Exit::Code(0)));
}

#[test]
fn p7_member_that_loses_its_parent_is_ended() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    // Deaf, in a session of its own and without a tag. Its parent ends when it is asked to.
    let deaf = format!("trap '' TERM; exec {}", sleeper.command());
    let script = format!("env -i setsid sh -c \"{deaf}\" & read line");
    let process = shell(&script).stdin_piped().spawn().unwrap();
    eventually("the sleeper", || sleeper.running().len() == 1);
    let pid = sleeper.running()[0];
    let report = process.stop(Duration::from_millis(300));
    assert!(pids(&report.forced).contains(&pid), "{report:?}");
    assert_eq!(sleeper.running(), [0; 0]);
    assert_eq!(report.exit.and_then(Exit::signal_name), Some("SIGTERM"));
}

/// Stops a tree some microseconds after its start. Returns the number of those that had to be killed.
#[cfg(not(other_unix))]
fn forced_after(script: &str, group: ProcessGroup, micros: u64) -> usize {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let script = script.replace("SLEEP", &sleeper.command());
    let process = shell(&script).group(group).spawn().unwrap();
    park_timeout(Duration::from_micros(micros));
    let report = process.stop(TIMEOUT);
    assert_eq!(sleeper.running(), [0; 0], "{report:?}");
    report.forced.len()
}

/// Nothing of these tidies up. What they start while the stop looks for them, or while `SIGTERM` is on its
/// way, is asked too.
#[cfg(not(other_unix))]
#[test]
fn p7_what_was_just_started_is_asked_too() {
    let scripts = [
        "SLEEP & SLEEP; wait",
        "SLEEP & (SLEEP & SLEEP) & setsid SLEEP & SLEEP",
        "i=0; while [ $i -lt 50 ]; do i=$((i+1)); SLEEP & done; wait",
    ];
    for round in 0..10 {
        // Spread over 20 ms.
        let micros = round * 7_919 % 20_000;
        for script in scripts {
            for group in [ProcessGroup::Own, ProcessGroup::Inherited] {
                let forced = forced_after(script, group, micros);
                assert_eq!(forced, 0, "{script} {group:?} after {micros} µs");
            }
        }
    }
}

/// So does the child of a shell with a trap, when the signal comes before the child executes its program.
#[cfg(not(other_unix))]
#[test]
fn p7_copy_that_forgets_sigterm_is_asked_again() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let sleep = sleeper.command();
    let copy = format!("(trap : TERM; {sleep} & echo ready; wait; exec {sleep})");
    let process = shell(&format!("{copy} & wait")).spawn().unwrap();
    eventually("the copy", || printed(&process) == "ready\n");
    let report = process.stop(TIMEOUT);
    assert_eq!(counts(&report), (3, 0, 0), "{report:?}");
    assert_eq!(sleeper.running(), [0; 0]);
}

#[test]
fn p7_tree_growing_during_a_stop_ends_too() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let sleep = sleeper.command();
    let (process, pids) = tree(&format!(
        "trap '{sleep} & {sleep} & {sleep}' TERM; echo $$; echo ready; while :; do sleep 0.01; done",
    ));
    let report = process.stop(Duration::from_millis(300));
    assert!(report.escaped.is_empty(), "{report:?}");
    assert_eq!(sleeper.running(), [0; 0]);
    assert_ended(&pids);
    let again = process.stop(Duration::ZERO);
    assert_eq!(counts(&again), (0, 0, 0), "{again:?}");
}

#[test]
fn p7_other_processes_are_not_stopped() {
    let bystander = shell("read line; exit 6").stdin_piped().spawn().unwrap();
    let (process, _) = tree("sleep 60 & echo $!; echo ready; wait");
    let report = process.stop(TIMEOUT);
    let mut stopped = report.ended.iter().chain(&report.forced);
    assert!(stopped.all(|member| member.pid != bystander.pid()));
    assert!(!bystander.is_finished());
    drop(bystander.take_stdin());
    assert_eq!(bystander.join().unwrap(), Exit::Code(6));
}

/// Stops a tree of a shell and six others, one in a session of its own, while this program can open
/// `free` more files.
fn stop_with_free_files(free: usize) {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let sleep = sleeper.command();
    let script = format!("{sleep} & {sleep} & {sleep} & {sleep} & setsid {sleep} & {sleep}");
    let process = shell(&script).spawn().unwrap();
    eventually("the tree", || sleeper.running().len() == 6);
    let mut hogs = Vec::new();
    while let Ok(hog) = fs::File::open("/dev/null") {
        hogs.push(hog);
    }
    hogs.truncate(hogs.len() - free);
    let report = process.stop(TIMEOUT);
    drop(hogs);
    assert_eq!(counts(&report), (7, 0, 0), "{free} free: {report:?}");
    assert_eq!(report.exit.and_then(Exit::signal_name), Some("SIGTERM"));
    assert_eq!(sleeper.running(), [0; 0]);
}

#[test]
fn p7_tree_ends_at_the_limit_of_open_files() {
    let name = "process::stopping::p7_tree_ends_at_the_limit_of_open_files";
    in_child_with("ulimit -n 64", name, || {
        for free in [4, 0, 1, 2, 3, 5, 8] {
            stop_with_free_files(free);
        }
    });
}

#[test]
fn p7_stop_says_that_it_could_not_look() {
    let name = "process::stopping::p7_stop_says_that_it_could_not_look";
    in_child(name, || {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let process = shell(&format!("setsid {} & wait", sleeper.command()));
        let process = process.spawn().unwrap();
        eventually("the tree", || sleeper.running().len() == 1);
        let limit = getrlimit(Resource::Nofile);
        let none = Rlimit {
            current: Some(3),
            ..limit
        };
        setrlimit(Resource::Nofile, none).unwrap();
        let report = process.stop(Duration::ZERO);
        setrlimit(Resource::Nofile, limit).unwrap();
        assert!(report.may_be_incomplete, "{report:?}");
        assert_eq!(process.join().unwrap().signal_name(), Some("SIGTERM"));
        assert_eq!(sleeper.running().len(), 1);
        let again = process.stop(TIMEOUT);
        assert!(!again.may_be_incomplete, "{again:?}");
        assert_eq!(counts(&again), (1, 0, 0));
    });
}

#[test]
fn p7_listed_process_can_be_stopped() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let script = format!("{0} & {0}", sleeper.command());
    drop(shell(&script).name("listed").spawn().unwrap());
    eventually("the tree", || sleeper.running().len() == 2);
    let live = process::live_processes();
    let listed = live.iter().find(|it| &*it.name == "listed").unwrap();
    let report = listed.stop(TIMEOUT).unwrap();
    assert_eq!(counts(&report), (3, 0, 0), "{report:?}");
    assert_eq!(sleeper.running(), [0; 0]);
    assert!(listed.stop(TIMEOUT).is_none());
}

#[test]
fn p7_concurrent_stops_both_end_the_tree() {
    for _ in 0..20 {
        let (process, pids) = tree("sleep 60 & echo $!; echo ready; wait");
        let other = {
            let process = process.clone();
            meanwhile_join::spawn("other", move |_| process.stop(TIMEOUT)).unwrap()
        };
        let report = process.stop(TIMEOUT);
        assert!(report.escaped.is_empty() && other.join().unwrap().escaped.is_empty());
        assert_ended(&pids);
    }
}

#[test]
fn p25_cancelled_token_stops_the_tree() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let script = format!("{0} & {0} & wait", sleeper.command());
    let token = CancelToken::new();
    let processes: Vec<_> = (0..2)
        .map(|_| shell(&script).cancel_token(&token.child()).spawn().unwrap())
        .collect();
    eventually("the sleepers", || sleeper.running().len() == 4);
    token.cancel();
    for process in &processes {
        let exit = process.join_timeout(TIMEOUT).unwrap();
        assert_eq!(exit.signal_name(), Some("SIGTERM"));
    }
    eventually("their ends", || sleeper.running().is_empty());
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn p25_cancel_of_many_is_one_stop() {
    let name = "process::stopping::p25_cancel_of_many_is_one_stop";
    in_child(name, || {
        // Warms up.
        drop(shell("exec sleep 60").spawn().unwrap().stop(TIMEOUT));
        let token = CancelToken::new();
        let start = || shell("exec sleep 60").cancel_token(&token).spawn().unwrap();
        let processes: Vec<_> = std::iter::repeat_with(start).take(60).collect();
        let before = threads();
        token.cancel();
        assert!(threads() <= before, "a thread for each stop");
        let begun = Instant::now();
        for process in &processes {
            process.join_timeout(TIMEOUT).unwrap();
        }
        let of_all = begun.elapsed();
        let one_by_one: Vec<_> = (0..10)
            .map(|_| shell("exec sleep 60").spawn().unwrap())
            .collect();
        let begun = Instant::now();
        for process in &one_by_one {
            drop(process.stop(TIMEOUT));
        }
        let of_ten = begun.elapsed();
        assert!(
            of_all < of_ten,
            "60 together {of_all:?}, 10 by one {of_ten:?}"
        );
    });
}

#[test]
fn p25_process_of_a_cancelled_token_is_not_started() {
    let folder = folder();
    let file = folder.path().join("started");
    let script = format!("touch {}", file.display());
    let token = CancelToken::new();
    token.cancel();
    let started = shell(&script).cancel_token(&token).spawn();
    assert!(
        matches!(started, Err(SpawnError::Cancelled { .. })),
        "{started:?}"
    );
    assert!(!file.exists());
}

#[test]
fn p25_cancel_does_not_wait_for_a_deaf_process() {
    let token = CancelToken::new();
    let script = "trap '' TERM; echo ready; while :; do sleep 0.01; done";
    let deaf = shell(script).cancel_token(&token).spawn().unwrap();
    eventually("the shell", || deaf.output().stdout.text() == "ready\n");
    token.cancel();
    // It has a second to exit, which the cancel did not wait for.
    assert!(!deaf.is_finished());
    let exit = deaf.join_timeout(TIMEOUT).unwrap();
    assert_eq!(exit.signal_name(), Some("SIGKILL"));
}
