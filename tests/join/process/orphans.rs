//! P3, P7, P10: orphans of a program that adopts them.

use std::time::Duration;

use meanwhile_join::process::{Exit, LaunchOptions, Process, Redirect, TreeMember};

use super::{eventually, launcher, shell};
use crate::util::child::in_child;
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::sleeper::Sleeper;

/// Shell commands that leave a sleeper behind which has neither tag nor mark, and another session.
const WAYS: [&str; 2] = [
    "prlimit --locks=5:5 env -i setsid -f SLEEP",
    "( exec prlimit --locks=5:5 env -i sh -c 'setsid sh -c \"SLEEP &\" &' ) >/dev/null 2>&1",
];

fn launched(script: &str) -> Process {
    // Who holds captured output is named in any case.
    let shell = shell(script).stdout(Redirect::Null).stderr(Redirect::Null);
    let process = shell.launched_by(&launcher(), LaunchOptions::default());
    process.spawn().unwrap()
}

fn pids(members: &[TreeMember]) -> Vec<u32> {
    members.iter().map(|member| member.pid).collect()
}

#[test]
fn p7_who_hides_both_marks_is_named() {
    let name = "process::orphans::p7_who_hides_both_marks_is_named";
    in_child(name, || {
        launcher().adopt_orphans().unwrap();
        for way in WAYS {
            let folder = folder();
            let sleeper = Sleeper::new(folder.path());
            let way = way.replace("SLEEP", &sleeper.command());
            let earlier = launched("exec sleep 60");
            let process = launched(&format!("{way}; exec sleep 60"));
            eventually(&way, || sleeper.running().len() == 1);
            let hidden = sleeper.running();
            eventually("a later process that is told apart", || {
                let later = launched("exec true");
                later.join().unwrap();
                later.descendants().unwrap().is_empty()
            });
            // It may be of any that ran when it began.
            for process in [process, earlier] {
                let report = process.stop(TIMEOUT);
                assert!(report.exit.is_some(), "{way}: {report:?}");
                assert_eq!(pids(&report.escaped), hidden, "{way}: {report:?}");
                assert_eq!(pids(&process.descendants().unwrap()), hidden, "{way}");
            }
            assert_eq!(sleeper.running(), hidden, "{way}: nobody knows whose it is");
        }
    });
}

#[test]
fn p7_who_hides_and_is_left_is_named() {
    let name = "process::orphans::p7_who_hides_and_is_left_is_named";
    in_child(name, || {
        launcher().adopt_orphans().unwrap();
        for way in WAYS {
            let folder = folder();
            let sleeper = Sleeper::new(folder.path());
            let process = launched(&way.replace("SLEEP", &sleeper.command()));
            process.join().unwrap();
            eventually(way, || sleeper.running().len() == 1);
            eventually(way, || {
                pids(&process.descendants().unwrap()) == sleeper.running()
            });
        }
    });
}

/// The children of this program that have ended and were not reaped.
fn zombies() -> usize {
    let own = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|it| std::fs::read_to_string(it.path().join("stat")).ok());
    let is_zombie = |stat: &String| {
        let fields = stat.rsplit_once(") ").map(|(_, fields)| fields);
        let mut fields = fields.unwrap_or_default().split(' ');
        fields.next() == Some("Z") && fields.next() == Some(&own)
    };
    stats.filter(is_zombie).count()
}

#[test]
fn p10_adopted_orphans_are_reaped() {
    let name = "process::orphans::p10_adopted_orphans_are_reaped";
    in_child(name, || {
        launcher().adopt_orphans().unwrap();
        // Some end while it runs, some later.
        let script = "for time in 0 0 0 0.1 0.1 0.5 1; do (setsid sleep $time &); done; sleep 0.3";
        let process = launched(script);
        assert_eq!(process.join().unwrap(), Exit::Code(0));
        let left = || process.descendants().unwrap().len();
        eventually("the end of all", || left() == 0);
        eventually("no zombie", || zombies() == 0);
    });
}

#[test]
fn p3_unlaunched_children_keep_their_exit() {
    let name = "process::orphans::p3_unlaunched_children_keep_their_exit";
    in_child(name, || {
        launcher().adopt_orphans().unwrap();
        let launched = launched("exec sleep 60");
        for _ in 0..50 {
            // When the thread has ended, the child is one of the first thread, as an orphan is.
            let spawn = || shell("sleep 0.02; exit 3").spawn().unwrap();
            let mut process = None;
            std::thread::scope(|threads| {
                threads.spawn(|| process = Some(spawn()));
            });
            let process = process.unwrap();
            launched_and_ended();
            assert_eq!(process.join().unwrap(), Exit::Code(3));
        }
        drop(launched.stop(Duration::ZERO));
    });
}

/// Has the reaper look for orphans.
fn launched_and_ended() {
    launched("exit 0").join().unwrap();
}
