//! P11: the supervisor, when it is killed, stopped or slow.

use std::path::Path;
use std::time::Duration;

use meanwhile_join::process::{Exit, LaunchOptions, Launcher, Process, SpawnError};
use meanwhile_join::{self as join, CancelToken};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::launching::{children_of, supervisors_of};
#[cfg(not(other_unix))]
use super::settings::stat_of;
use super::spawning::executable;
use super::{Builder, eventually, launcher, launching_program, runs, shell};
use crate::util::child::{in_child, killable_folder, start_killable};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::sleeper::Sleeper;

fn signal(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.cast_signed()), signal).unwrap();
}

fn launched_by(launcher: &Launcher, builder: Builder) -> Builder {
    builder.launched_by(launcher, LaunchOptions::default())
}

/// The supervisor of this program.
fn supervisor() -> u32 {
    let supervisors = supervisors_of(std::process::id());
    assert_eq!(supervisors.len(), 1, "{supervisors:?}");
    supervisors[0]
}

/// A launcher whose supervisor runs this shell command instead.
fn launcher_with_supervisor(folder: &Path, command: &str) -> Launcher {
    let script = format!(
        "#!/bin/sh\ncase $1 in --meanwhile-supervisor) {command};; esac\nexec {} \"$@\"\n",
        launching_program().display()
    );
    Launcher::of_program(executable(folder, &script))
}

#[test]
fn supervisor_that_reads_nothing_blocks_no_start() {
    let name = "process::guarding::supervisor_that_reads_nothing_blocks_no_start";
    in_child(name, || {
        let folder = folder();
        let launcher = launcher_with_supervisor(folder.path(), "exec sleep 86400");
        // A pipe takes 64 KiB, and each start that fails writes more than 30 bytes.
        let starting = join::spawn("starts", move |_| {
            for _ in 0..4_000 {
                let process = launched_by(&launcher, Builder::new("true").arg("x".repeat(1 << 20)));
                process.spawn().unwrap_err();
            }
            let last = launched_by(&launcher, shell("exit 5"));
            last.spawn().unwrap().join().unwrap()
        });
        let starting = starting.unwrap();
        assert_eq!(*starting.join_timeout(TIMEOUT).unwrap(), Exit::Code(5));
    });
}

#[test]
fn killed_supervisor_is_replaced_while_trees_run() {
    let name = "process::guarding::killed_supervisor_is_replaced_while_trees_run";
    in_child(name, || {
        let launcher = launcher();
        let process = launched_by(&launcher, shell("read line").stdin_piped());
        let process = process.spawn().unwrap();
        let first = supervisor();
        signal(first, Signal::SIGKILL);
        eventually("another supervisor", || {
            let now = supervisors_of(std::process::id());
            now.len() == 1 && now[0] != first
        });
        drop(process.take_stdin());
        process.join().unwrap();
    });
}

#[test]
fn failed_start_leaves_no_tag() {
    let name = "process::guarding::failed_start_leaves_no_tag";
    in_child(name, || {
        let folder = folder();
        let file = folder.path().join("lines");
        let command = format!("exec cat > {}", file.display());
        let launcher = launcher_with_supervisor(folder.path(), &command);
        let process = launched_by(&launcher, Builder::new("true").arg("x".repeat(1 << 20)));
        process.spawn().unwrap_err();
        removed_tags(&file, 1);
    });
}

/// Waits until a supervisor has written so many pairs of lines to this file: a tag is added, and removed
/// after that. Returns the tags.
fn removed_tags(file: &Path, count: usize) -> Vec<String> {
    let mut lines = String::new();
    eventually("the lines of the supervisor", || {
        lines = std::fs::read_to_string(file).unwrap_or_default();
        lines.lines().count() == 2 * count
    });
    let lines: Vec<_> = lines.lines().collect();
    let tags = lines.chunks(2).map(|pair| {
        let tag = pair[0].strip_prefix('+').unwrap();
        assert_eq!(pair[1].strip_prefix('-'), Some(tag));
        tag.to_owned()
    });
    tags.collect()
}

#[test]
fn p11_tree_is_guarded_until_its_end_and_in_stops() {
    let name = "process::guarding::p11_tree_is_guarded_until_its_end_and_in_stops";
    in_child(name, || {
        let folder = folder();
        let file = folder.path().join("lines");
        let command = format!("exec cat > {}", file.display());
        let launcher = launcher_with_supervisor(folder.path(), &command);
        let ended = launched_by(&launcher, Builder::new("true"));
        let ended = ended.spawn().unwrap();
        ended.join().unwrap();
        let first = removed_tags(&file, 1);
        // What it has left is guarded while it is stopped.
        drop(ended.stop(Duration::ZERO));
        assert_eq!(removed_tags(&file, 2), [&first[..], &first[..]].concat());
        let stopped = launched_by(&launcher, Builder::new("sleep").arg("60"));
        let stopped = stopped.spawn().unwrap();
        assert!(stopped.stop(TIMEOUT).exit.is_some());
        // The handles live.
        let tags = removed_tags(&file, 3);
        assert!(tags[..2].iter().all(|tag| *tag != tags[2]));
        drop((ended, stopped));
    });
}

#[test]
fn supervisor_that_ends_is_started_ever_later() {
    let name = "process::guarding::supervisor_that_ends_is_started_ever_later";
    in_child(name, || {
        let folder = folder();
        let file = folder.path().join("starts");
        let command = format!("echo >> {}; exit", file.display());
        let launcher = launcher_with_supervisor(folder.path(), &command);
        let process = launched_by(&launcher, shell("read line").stdin_piped());
        let process = process.spawn().unwrap();
        let starts = || std::fs::read(&file).unwrap_or_default().len();
        eventually("more starts", || starts() >= 3);
        process.join_timeout(Duration::from_secs(2)).unwrap_err();
        // The time between two doubles with each, from hundredths of a second.
        assert!(starts() < 20, "{} starts", starts());
        drop(process.take_stdin());
        process.join().unwrap();
    });
}

#[test]
fn replaced_supervisor_gets_the_live_tags_alone() {
    let name = "process::guarding::replaced_supervisor_gets_the_live_tags_alone";
    in_child(name, || {
        let folder = folder();
        let file = folder.path().join("lines");
        let command = format!("exec cat > {}", file.display());
        let launcher = launcher_with_supervisor(folder.path(), &command);
        let ended = launched_by(&launcher, Builder::new("true"));
        ended.spawn().unwrap().join().unwrap();
        let shells: Vec<_> = (0..3)
            .map(|_| {
                launched_by(&launcher, shell("read line").stdin_piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let lines = || std::fs::read_to_string(&file).unwrap_or_default();
        eventually("the lines of four trees", || lines().lines().count() == 5);
        let mut live: Vec<_> = lines().lines().skip(2).map(str::to_owned).collect();
        live.sort();
        let program = std::process::id();
        let fake = children_of(program).into_iter().find(|pid| {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm"));
            name.is_ok_and(|name| name.trim() == "cat")
        });
        signal(fake.unwrap(), Signal::SIGKILL);
        // The second one empties the file first.
        eventually("the lines of three trees", || {
            let mut now: Vec<_> = lines().lines().map(str::to_owned).collect();
            now.sort();
            now == live
        });
        for shell in shells {
            drop(shell.take_stdin());
            shell.join().unwrap();
        }
    });
}

#[cfg(not(other_unix))]
#[test]
fn supervisor_has_a_name_of_its_own() {
    let name = "process::guarding::supervisor_has_a_name_of_its_own";
    in_child(name, || {
        let launcher = launcher();
        let process = launched_by(&launcher, Builder::new("true"));
        process.spawn().unwrap().join().unwrap();
        let pid = supervisor();
        eventually("its name", || {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
            name.trim() == "meanwhile-super"
        });
        let command_line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        assert!(command_line.starts_with(b"meanwhile-supervisor\0"));
        // So the end of a group with a stopped process does not end it.
        eventually("a session of its own", || {
            stat_of(pid, 6) == pid.to_string()
        });
    });
}

/// The moments at which something happens to a helper.
const MOMENTS: [&str; 4] = ["before", "starting", "running", "stopping"];

/// Ends the program with SIGKILL after its supervisor got a signal at each moment. No process of
/// the program may survive.
fn no_process_survives(name: &str, signal: Signal) {
    if let Some(folder) = killable_folder(name) {
        let moment = std::fs::read_to_string(folder.join("moment")).unwrap();
        run_trees(&folder, &moment, signal);
    }
    for moment in MOMENTS {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        std::fs::write(folder.path().join("moment"), moment).unwrap();
        let mut program = start_killable(name, folder.path());
        let pid = program.id();
        let ready = folder.path().join("ready");
        eventually("the program", || {
            let exited = program.try_wait().unwrap();
            assert!(exited.is_none(), "{moment}: {exited:?}");
            ready.exists()
        });
        // The one that was stopped is gone already.
        let trees = if moment == "stopping" { 3 } else { 4 };
        eventually("all sleepers", || sleeper.running().len() == 2 * trees);
        let children = children_of(pid);
        program.kill().unwrap();
        eventually("its end", || program.try_wait().unwrap().is_some());
        eventually(moment, || {
            sleeper.running().is_empty() && !children.iter().any(|pid| runs(*pid))
        });
    }
}

/// Runs trees that outlive their roots, and sends a signal to the supervisor at one moment.
fn run_trees(folder: &Path, moment: &str, to_supervisor: Signal) -> ! {
    let sleep = format!("{} 86400", folder.join("sleep").display());
    let launcher = launcher();
    let first = launched_by(&launcher, Builder::new("true"));
    first.spawn().unwrap().join().unwrap();
    let supervisor = supervisor();
    if to_supervisor == Signal::SIGSTOP {
        // With its name it has what continues it. One that is stopped before stays stopped.
        let name = format!("/proc/{supervisor}/comm");
        eventually("the name of the supervisor", || {
            std::fs::read_to_string(&name).is_ok_and(|name| name.trim() == "meanwhile-super")
        });
    }
    let send = || signal(supervisor, to_supervisor);
    let start = || {
        let script = format!("trap '' TERM; ( setsid {sleep} & ); echo; {sleep}");
        launched_by(&launcher, shell(&script)).spawn().unwrap()
    };
    if moment == "before" {
        send();
    }
    let trees: Vec<_> = std::thread::scope(|threads| {
        if moment == "starting" {
            threads.spawn(send);
        }
        (0..4).map(|_| start()).collect()
    });
    if moment == "running" {
        send();
    }
    let has_begun = |tree: &Process| tree.output().stdout.total > 0;
    eventually("all trees", || trees.iter().all(has_begun));
    if moment == "stopping" {
        let stopped = trees[0].clone();
        let grace = Duration::from_millis(200);
        let stopping = join::spawn("stops", move |_| stopped.stop(grace)).unwrap();
        send();
        assert!(stopping.join().unwrap().escaped.is_empty());
    }
    if to_supervisor == Signal::SIGKILL {
        eventually("another supervisor", || {
            let now = supervisors_of(std::process::id());
            now.len() == 1 && now[0] != supervisor
        });
        // It runs before it is told of the trees. A start waits for that.
        let last = launched_by(&launcher, Builder::new("true"));
        last.spawn().unwrap().join().unwrap();
    }
    std::fs::write(folder.join("ready"), "").unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn no_process_survives_a_killed_supervisor() {
    let name = "process::guarding::no_process_survives_a_killed_supervisor";
    no_process_survives(name, Signal::SIGKILL);
}

/// Only on Linux does the end of the program continue the supervisor.
#[cfg(not(other_unix))]
#[test]
fn p11_no_process_survives_a_stopped_supervisor() {
    let name = "process::guarding::p11_no_process_survives_a_stopped_supervisor";
    no_process_survives(name, Signal::SIGSTOP);
}

/// A launcher whose shim first becomes a shell that waits until the file `go` exists.
fn launcher_with_slow_shim(folder: &Path) -> Launcher {
    let go = folder.join("go");
    let script = format!(
        "#!/bin/sh\ncase $1 in --meanwhile-launch)\necho $$ > {0}/begun\n\
         while ! [ -e {1} ]; do sleep 0.01; done;; esac\nexec {2} \"$@\"\n",
        folder.display(),
        go.display(),
        launching_program().display()
    );
    Launcher::of_program(executable(folder, &script))
}

#[test]
fn killed_or_stopped_shim_blocks_nothing() {
    let name = "process::guarding::killed_or_stopped_shim_blocks_nothing";
    in_child(name, || {
        for to_shim in [Signal::SIGKILL, Signal::SIGSTOP] {
            let folder = folder();
            let launcher = launcher_with_slow_shim(folder.path());
            let process = launched_by(&launcher, Builder::new("sleep").arg("60"));
            let token = CancelToken::new();
            let starting = join::spawn("starts", {
                let token = token.clone();
                move |_| process.spawn_until(None, &token)
            });
            let starting = starting.unwrap();
            let begun = folder.path().join("begun");
            let pid = || std::fs::read_to_string(&begun).unwrap_or_default();
            eventually("the shim", || pid().ends_with('\n'));
            let shim = pid().trim().parse().unwrap();
            signal(shim, to_shim);
            let other = launched_by(&super::launcher(), shell("exit 4"))
                .spawn()
                .unwrap();
            assert_eq!(other.join_timeout(TIMEOUT).unwrap(), Exit::Code(4));
            token.cancel();
            let _started = starting.join_timeout(TIMEOUT).unwrap();
            eventually("the end of the shim", || !runs(shim));
        }
    });
}

/// Starts this script, which runs a sleeper, and cancels the start once `is_running`.
fn cancelled_start(
    launcher: &Launcher,
    script: &str,
    is_running: &dyn Fn() -> bool,
) -> Result<Process, SpawnError> {
    let process = launched_by(launcher, shell(script));
    let token = CancelToken::new();
    let starting = join::spawn_owned("starts", {
        let token = token.clone();
        move |_| process.spawn_until(None, &token)
    });
    while !is_running() {
        std::thread::yield_now();
    }
    token.cancel();
    let ended = starting.unwrap().join_timeout_into(TIMEOUT);
    ended.expect("it ends in time").unwrap()
}

#[test]
fn p9_start_given_up_too_late_leaves_nothing() {
    let name = "process::guarding::p9_start_given_up_too_late_leaves_nothing";
    in_child(name, || {
        let [folder, other] = [folder(), folder()];
        let [sleeper, holder] = [&folder, &other].map(|folder| Sleeper::new(folder.path()));
        // The command runs, but its start does not seem to end: another process has the answer open.
        let shim = format!(
            "#!/bin/sh\nif [ $1 = --meanwhile-launch ] && [ $3 != wait ]; then\n\
             exec 3<&0\n{} &\nexec 3<&-\nfi\nexec {} \"$@\"\n",
            holder.command(),
            launching_program().display()
        );
        let launcher = Launcher::of_program(executable(folder.path(), &shim));
        let script = format!("{} & wait", sleeper.command());
        let is_running = || !sleeper.running().is_empty();
        let started = cancelled_start(&launcher, &script, &is_running);
        let left = [sleeper, holder].map(|sleeper| sleeper.running());
        assert_eq!(left.concat(), [] as [u32; 0]);
        let is_cancelled = matches!(started, Err(SpawnError::Cancelled { .. }));
        assert!(is_cancelled, "{started:?}");
    });
}

#[test]
fn p9_start_cancelled_meanwhile_leaves_nothing() {
    let name = "process::guarding::p9_start_cancelled_meanwhile_leaves_nothing";
    in_child(name, || {
        let launcher = launcher();
        for _ in 0..50 {
            let folder = folder();
            let sleeper = Sleeper::new(folder.path());
            let begun = folder.path().join("begun");
            let script = format!("{} & : > {}; wait", sleeper.command(), begun.display());
            match cancelled_start(&launcher, &script, &|| begun.exists()) {
                Ok(process) => drop(process.stop(Duration::ZERO)),
                Err(error) => assert!(matches!(error, SpawnError::Cancelled { .. }), "{error}"),
            }
            assert_eq!(sleeper.running(), [] as [u32; 0]);
        }
    });
}
