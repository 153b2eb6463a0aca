//! P7: processes that hide from a stop and hold the output of the one that was stopped.

use std::time::Duration;

use meanwhile_join::process::{Process, Redirect};

#[cfg(not(other_unix))]
use super::Builder;
use super::{eventually, shell};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::sleeper::Sleeper;

/// Whether the system tells who holds a pipe.
const TELLS_HOLDERS: bool = cfg!(all(target_os = "linux", not(other_unix)));

/// Shell commands that leave a sleeper behind which has no tag and another session.
const WAYS: [&str; 3] = [
    "env -i setsid -f SLEEP",
    "( env -i setsid SLEEP & ) & wait",
    "( exec env -i sh -c 'setsid sh -c \"SLEEP &\" &' )",
];

/// A process that has hidden a sleeper in this way and runs on.
fn with_hidden(way: &str, output: &str, sleeper: &Sleeper) -> Process {
    let sleep = format!("{}{output}", sleeper.command());
    let script = way.replace("SLEEP", &sleep);
    let process = shell(&format!("{script}; echo ready; exec sleep 60"));
    let process = process.spawn().unwrap();
    eventually(way, || {
        // The parents of the sleeper have ended by then, or are about to.
        sleeper.running().len() == 1 && process.output().stdout.text() == "ready\n"
    });
    process
}

#[test]
fn p7_who_holds_the_output_after_a_stop_is_named() {
    for way in WAYS {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let process = with_hidden(way, "", &sleeper);
        let pids = sleeper.running();
        let report = process.stop(TIMEOUT);
        assert!(report.exit.is_some(), "{way}: {report:?}");
        let ended = report.ended.iter().any(|member| pids.contains(&member.pid));
        if ended {
            // Its parents still lived, so it was found.
            continue;
        }
        assert_eq!(sleeper.running(), pids, "{way}: nothing is killed unseen");
        let named: Vec<_> = report.escaped.iter().map(|member| member.pid).collect();
        if TELLS_HOLDERS {
            assert_eq!(named, pids, "{way}: {report:?}");
            assert!(!report.may_be_incomplete, "{way}: {report:?}");
            assert!(report.escaped[0].left_group, "{way}: {report:?}");
            assert_eq!(report.escaped, process.output_holders(), "{way}");
        } else {
            assert!(report.may_be_incomplete, "{way}: {report:?}");
        }
        assert!(
            report
                .asked
                .iter()
                .all(|member| !pids.contains(&member.pid))
        );
    }
}

#[test]
fn p7_stop_after_the_end_names_who_holds_the_output() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let process = shell(&WAYS[0].replace("SLEEP", &sleeper.command()));
    let process = process.spawn().unwrap();
    process.join().unwrap();
    eventually("the sleeper", || sleeper.running().len() == 1);
    let report = process.stop(Duration::ZERO);
    let named: Vec<_> = report.escaped.iter().map(|member| member.pid).collect();
    if TELLS_HOLDERS {
        assert_eq!(named, sleeper.running());
    }
    assert_eq!(report.may_be_incomplete, !TELLS_HOLDERS);
    drop(sleeper);
    let report = process.stop(Duration::ZERO);
    assert!(report.escaped.is_empty() && !report.may_be_incomplete);
}

#[test]
fn p7_stop_names_nobody_when_the_output_is_closed() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let tree = format!("{0} & {0} & wait", sleeper.command());
    for builder in [
        shell(&tree),
        shell(&tree).stdout(Redirect::Null).stderr(Redirect::Null),
        shell(&tree).stdout_piped(),
        shell(&tree).stderr_to_stdout(),
    ] {
        let process = builder.spawn().unwrap();
        // Elsewhere than on Linux, one that executes a program is not found.
        eventually("the tree", || sleeper.running().len() == 2);
        let report = process.stop(Duration::ZERO);
        assert!(report.escaped.is_empty(), "{report:?}");
        assert!(!report.may_be_incomplete, "{report:?}");
    }
}

#[test]
#[cfg(not(other_unix))]
fn program_that_only_reads_the_output_is_no_holder() {
    let link = |path: &std::path::Path| std::fs::read_link(path).ok();
    let process = Builder::new("sleep").arg("60").spawn().unwrap();
    let pipe = link(format!("/proc/{}/fd/1", process.pid()).as_ref());
    assert!(pipe.is_some());
    let files = std::fs::read_dir("/proc/self/fd").unwrap();
    let mut paths = files.map(|file| file.unwrap().path());
    let own = paths.find(|path| link(path) == pipe).unwrap();
    // A child of this program has it, too, until it executes its program.
    let reading_end = std::fs::File::open(own).unwrap();
    let reader = Builder::new("sleep").arg("60").stdin_from(reading_end);
    let reader = reader.spawn().unwrap();
    let pids: Vec<_> = process.output_holders().iter().map(|it| it.pid).collect();
    assert_eq!(pids, [process.pid()]);
    let report = process.stop(Duration::ZERO);
    assert!(report.escaped.is_empty(), "{report:?}");
    reader.kill().unwrap();
}
