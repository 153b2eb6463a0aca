//! P7, P11: processes that leave their parents, their group and their environment.

use std::time::{Duration, Instant};

use meanwhile_join::process::{Exit, LaunchOptions, Process, TreeMember};

use super::signalling::IN_A_PID_NAMESPACE;
use super::spawning::executable;
use super::stopping::reads_of;
use super::{Builder, eventually, launcher, runs, shell};
use crate::util::child::{in_child, in_child_with};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::sleeper::Sleeper;

/// Shell commands that leave a sleeper behind which has no tag.
const WAYS: [&str; 4] = [
    "env -i setsid -f SLEEP",
    "( env -i setsid SLEEP & ) & wait",
    "( exec env -i sh -c 'setsid sh -c \"SLEEP &\" &' )",
    "env -i perl -MPOSIX -e 'exit if fork; setsid; exit if fork; exec split / /, \"SLEEP\"'",
];

fn launched(builder: Builder) -> Builder {
    builder.launched_by(&launcher(), LaunchOptions::default())
}

#[test]
fn p7_process_without_its_environment_is_found() {
    for way in WAYS {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let script = way.replace("SLEEP", &sleeper.command());
        let process = launched(shell(&format!("{script}; exec sleep 60")));
        let process = process.spawn().unwrap();
        eventually(way, || sleeper.running().len() == 1);
        let pid = sleeper.running()[0];
        let report = process.stop(TIMEOUT);
        assert!(
            report.ended.iter().any(|member| member.pid == pid),
            "{way}: {report:?}"
        );
        assert!(sleeper.running().is_empty(), "{way}");
    }
}

/// Returns a process that has ended and has left the sleeper running in this way.
fn ended_with_orphan(way: &str, sleeper: &Sleeper) -> Process {
    let process = launched(shell(&way.replace("SLEEP", &sleeper.command())));
    let process = process.spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0), "{way}");
    eventually(way, || sleeper.running().len() == 1);
    process
}

#[test]
fn p7_orphan_of_an_ended_process_is_found() {
    for way in WAYS {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let process = ended_with_orphan(way, &sleeper);
        drop(process.stop(TIMEOUT));
        assert!(sleeper.running().is_empty(), "{way}");
    }
}

#[test]
fn p7_tree_in_a_tree_is_found() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let inner = format!("env -i setsid -f {}; exec sleep 60", sleeper.command());
    let program = super::launching_program();
    let outer = Builder::new(program).args(["60", "sh", "-c", &inner]);
    let process = launched(outer).spawn().unwrap();
    eventually("the sleeper", || sleeper.running().len() == 1);
    let pid = sleeper.running()[0];
    let report = process.stop(Duration::ZERO);
    let mut all = report.ended.iter().chain(&report.forced);
    assert!(all.any(|member| member.pid == pid), "{report:?}");
}

const VICTIM: &str = "MEANWHILE_TEST_ESCAPING_SLEEP";

#[test]
fn p11_process_without_its_environment_ends() {
    const NAME: &str = "process::escaping::p11_process_without_its_environment_ends";
    if let Ok(sleep) = std::env::var(VICTIM) {
        let ways: Vec<_> = WAYS
            .iter()
            .map(|way| way.replace("SLEEP", &sleep))
            .collect();
        let script = format!("{}; exec sleep 60", ways.join("; "));
        let _process = launched(shell(&script)).spawn().unwrap();
        loop {
            std::thread::park();
        }
    }
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let victim = Builder::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(VICTIM, sleeper.command());
    let victim = victim.spawn().unwrap();
    eventually("all sleepers", || sleeper.running().len() == WAYS.len());
    let killed_at = Instant::now();
    victim.kill().unwrap();
    eventually("their end", || sleeper.running().is_empty());
    assert!(killed_at.elapsed() < TIMEOUT);
}

#[test]
fn p7_what_an_ended_process_has_left_is_named() {
    let ended = launched(Builder::new("true")).spawn().unwrap();
    assert_eq!(ended.join().unwrap(), Exit::Code(0));
    assert_eq!(ended.descendants().unwrap(), []);
    for way in WAYS {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let process = ended_with_orphan(way, &sleeper);
        let left = process.descendants().unwrap();
        let pids: Vec<_> = left.iter().map(|member| member.pid).collect();
        assert_eq!(pids, sleeper.running(), "{way}");
        drop(process.stop(Duration::ZERO));
        assert_eq!(process.descendants().unwrap(), [], "{way}");
    }
}

#[test]
fn descendants_of_a_running_process_are_others() {
    for (is_launched, starter) in [(false, ""), (false, "setsid"), (true, ""), (true, "setsid")] {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let tree = shell(&format!("{starter} {} & wait", sleeper.command()));
        let process = if is_launched { launched(tree) } else { tree };
        let process = process.spawn().unwrap();
        let named = |members: Vec<TreeMember>| -> Vec<_> {
            let members = members.into_iter();
            members.map(|it| (it.pid, it.left_group)).collect()
        };
        let left_group = starter == "setsid";
        let expected = || -> Vec<_> {
            let running = sleeper.running().into_iter();
            running.map(|pid| (pid, left_group)).collect()
        };
        eventually("the sleeper", || sleeper.running().len() == 1);
        assert_eq!(named(process.descendants().unwrap()), expected());
        if cfg!(all(target_os = "linux", not(other_unix))) {
            let mut holders = process.output_holders();
            holders.retain(|member| member.pid != process.pid());
            assert_eq!(named(holders), expected());
        }
        drop(process.stop(TIMEOUT));
    }
}

fn pids(members: Vec<TreeMember>) -> Vec<u32> {
    members.into_iter().map(|member| member.pid).collect()
}

/// For a moment while a process executes a program, its environment can't be read.
#[test]
fn descendant_that_executes_programs_is_named() {
    let folder = folder();
    let text = "#!/bin/sh\n[ $1 -gt 10000 ] || exec \"$0\" $(($1 + 1))\n";
    let script = executable(folder.path(), text);
    let daemon = format!("setsid '{}' 0 & echo $!", script.display());
    // They disturb each other.
    let trees = [(); 2].map(|()| {
        let process = shell(&daemon).spawn().unwrap();
        process.join().unwrap();
        let pid: u32 = process.output().stdout.text().trim().parse().unwrap();
        (process, pid)
    });
    let (mut looks, mut missed) = (0, 0);
    for (process, pid) in trees.iter().cycle().take(100) {
        let named = pids(process.descendants().unwrap());
        if !runs(*pid) {
            break;
        }
        looks += 1;
        missed += usize::from(named != [*pid]);
    }
    for (process, _) in &trees {
        drop(process.stop(Duration::ZERO));
    }
    assert!(looks >= 10, "it has ended after {looks} looks");
    assert_eq!(missed, 0, "of {looks} looks");
}

/// Ends its main thread once it has printed a line. Another thread sleeps.
const WITHOUT_MAIN_THREAD: &str = "import ctypes, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
print('ready', flush=True)
ctypes.CDLL(None).pthread_exit(None)";

/// The process table shows such a process as a zombie.
#[test]
fn process_without_its_main_thread_is_found() {
    for is_launched in [false, true] {
        let script = "setsid python3 -c \"$1\" & echo $!; read line";
        let tree = shell(script).args(["sh", WITHOUT_MAIN_THREAD]);
        let tree = if is_launched { launched(tree) } else { tree };
        let process = tree.stdin_piped().spawn().unwrap();
        eventually("the end of the main thread", || {
            let text = process.output().stdout.text().into_owned();
            let pid = text.lines().next().and_then(|pid| pid.parse().ok());
            text.ends_with("ready\n") && !pid.is_some_and(runs)
        });
        let text = process.output().stdout.text().into_owned();
        let pid: u32 = text.lines().next().unwrap().parse().unwrap();
        assert_eq!(pids(process.descendants().unwrap()), [pid]);
        drop(process.take_stdin());
        process.join().unwrap();
        assert_eq!(pids(process.descendants().unwrap()), [pid]);
        assert!(pids(process.output_holders()).contains(&pid));
        let report = process.stop(TIMEOUT);
        assert_eq!(pids(report.ended), [pid]);
        assert_eq!(process.descendants().unwrap(), []);
    }
}

/// Each descendant of a short run has one of the pids since its start.
#[test]
fn descendants_of_a_short_run_take_few_reads() {
    let name = "process::escaping::descendants_of_a_short_run_take_few_reads";
    in_child(name, || {
        let sleeper = || Builder::new("sleep").arg("60").kill_on_drop(true);
        let _many: Vec<_> = (0..40).map(|_| sleeper().spawn().unwrap()).collect();
        let reads = |builder: Builder| {
            let process = builder.spawn().unwrap();
            process.join().unwrap();
            reads_of(|| assert_eq!(process.descendants().unwrap(), []))
        };
        // All processes are looked at if other programs start many just then.
        let are_few = || {
            let few = reads(launched(Builder::new("true")));
            4 * few < reads(Builder::new("true"))
        };
        assert!((0..20).any(|_| are_few()), "all processes are looked at");
    });
}

/// After a long run the pids may begin again, so that what it has left has a lower one.
#[test]
#[ignore = "needs util-linux and a pid namespace; tests/all.sh runs it"]
fn descendant_of_a_long_run_with_a_low_pid_is_named() {
    let name = "process::escaping::descendant_of_a_long_run_with_a_low_pid_is_named";
    in_child_with(IN_A_PID_NAMESPACE, name, || {
        let give = |newest: u32| {
            std::fs::write("/proc/sys/kernel/ns_last_pid", newest.to_string()).unwrap();
        };
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        give(5_000);
        let script = format!("read line; {} >&- 2>&- &", sleeper.command());
        let process = launched(shell(&script).stdin_piped()).spawn().unwrap();
        assert!(process.pid() > 5_000);
        process
            .join_timeout(Duration::from_millis(1_100))
            .unwrap_err();
        give(3_000);
        drop(process.take_stdin());
        process.join().unwrap();
        eventually("the sleeper", || sleeper.running().len() == 1);
        give(process.pid() + 10);
        let named = process.descendants().unwrap();
        let pids: Vec<_> = named.iter().map(|member| member.pid).collect();
        assert_eq!(pids, sleeper.running());
        assert!(pids[0] < process.pid());
    });
}

/// The lower and the upper value of the limit in which the mark stands.
fn marks(limits: &str) -> [Option<u64>; 2] {
    let mut lines = limits.lines();
    let line = lines.find_map(|line| line.strip_prefix("Max file locks"));
    let mut values = line.unwrap().split_whitespace();
    [(); 2].map(|()| values.next()?.parse().ok())
}

#[test]
fn mark_in_a_marked_tree_is_another_and_large() {
    let show = ["/bin/cat", "/proc/self/limits"];
    for _ in 0..8 {
        let inner = Builder::new(super::launching_program())
            .arg("60")
            .args(show);
        let output = launched(inner).spawn().unwrap().join_checked().unwrap();
        let [lower, upper] = marks(&output.stdout.text()).map(Option::unwrap);
        assert!(lower < upper && lower >= upper / 2, "{lower} below {upper}");
    }
}
