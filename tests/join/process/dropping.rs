//! P24: the drop of the last handle.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::mpsc::channel;

use meanwhile_join::process::{Exit, LaunchOptions, Redirect, Stream};
use meanwhile_join::shutdown_timeout;

use super::{Builder, eventually, launcher, shell};
use crate::util::child::{in_child, in_child_with};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::sleeper::Sleeper;

#[test]
fn p24_last_handle_ends_the_tree_if_set() {
    for launched in [false, true] {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let sleep = sleeper.command();
        // A child, a grandchild without parent, and a daemon of another session.
        let script = format!("{sleep} & ({sleep} &) ; setsid {sleep} & wait");
        let mut tree = shell(&script).kill_on_drop(true);
        if launched {
            tree = tree.launched_by(&launcher(), LaunchOptions::default());
        }
        let process = tree.spawn().unwrap();
        eventually("the tree", || sleeper.running().len() == 3);
        let clone = process.clone();
        drop(process);
        assert!(!clone.is_finished());
        let lines = clone.lines(Stream::Stdout);
        let (sender, ended) = channel();
        clone.on_finish(move || sender.send(()).unwrap());
        drop(clone);
        assert_eq!(sleeper.running().len(), 3);
        // The lines are the last handle.
        drop(lines);
        ended.recv_timeout(TIMEOUT).unwrap();
        eventually("the end of the tree", || sleeper.running().is_empty());
    }
}

#[test]
fn p24_streams_not_taken_close_with_the_last_handle() {
    for piped in [
        Builder::new("cat").stdin_piped(),
        Builder::new("yes").stdout_piped(),
        shell("yes >&2").stderr(Redirect::Piped),
        Builder::new("yes").stdout(Redirect::Buffered),
    ] {
        let process = piped.spawn().unwrap();
        let (sender, ended) = channel();
        process.on_finish(move || sender.send(()).unwrap());
        let clone = process.clone();
        drop(process);
        assert!(!clone.is_finished());
        drop(clone);
        ended.recv_timeout(TIMEOUT).unwrap();
    }
}

#[test]
fn p24_stream_that_was_taken_outlives_the_handles() {
    let cat = Builder::new("cat").stdin_piped().stdout_piped();
    let process = cat.spawn().unwrap();
    let mut stdin = process.take_stdin().unwrap();
    let stdout = process.take_stdout().unwrap();
    drop(process);
    stdin.write_all(b"still there").unwrap();
    drop(stdin);
    assert_eq!(std::io::read_to_string(stdout).unwrap(), "still there");
}

#[test]
fn p24_drop_kills_also_at_the_limit_of_files() {
    let name = "process::dropping::p24_drop_kills_also_at_the_limit_of_files";
    in_child_with("ulimit -n 48", name, || {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        let sleep = sleeper.command();
        let script = format!("setsid {sleep} & ({sleep} &) ; wait");
        let process = shell(&script).kill_on_drop(true).spawn().unwrap();
        eventually("the tree", || sleeper.running().len() == 2);
        let mut hogs = Vec::new();
        while let Ok(hog) = File::open("/dev/null") {
            hogs.push(hog);
        }
        let (sender, ended) = channel();
        process.on_finish(move || sender.send(()).unwrap());
        drop(process);
        ended.recv_timeout(TIMEOUT).unwrap();
        // A stop that comes later is done later.
        let report = shutdown_timeout(TIMEOUT);
        assert!(report.is_complete(), "{report:?}");
        drop(hogs);
        eventually("the end of the tree", || sleeper.running().is_empty());
    });
}

#[test]
fn last_handle_of_an_ended_process_kills_nothing() {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let daemon = format!("{} >&- 2>&- &", sleeper.command());
    let process = shell(&daemon).kill_on_drop(true).spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    drop(process);
    eventually("the daemon", || sleeper.running().len() == 1);
}

/// The number of pipes that this program holds.
fn pipes() -> usize {
    let files = fs::read_dir("/proc/self/fd").unwrap();
    let targets = files.filter_map(|file| fs::read_link(file.unwrap().path()).ok());
    let is_pipe = |target: &PathBuf| target.to_string_lossy().starts_with("pipe:");
    targets.filter(is_pipe).count()
}

#[test]
fn pipe_that_no_handle_would_show_is_closed() {
    let name = "process::dropping::pipe_that_no_handle_would_show_is_closed";
    in_child(name, || {
        let folder = folder();
        let sleeper = Sleeper::new(folder.path());
        // The threads of the library run from here on.
        assert_eq!(shell("").spawn().unwrap().join().unwrap(), Exit::Code(0));
        let before = pipes();
        // It holds the pipes for a long time and is silent.
        let script = format!("{} &", sleeper.command());
        let process = shell(&script).spawn().unwrap();
        assert_eq!(process.join().unwrap(), Exit::Code(0));
        eventually("the sleeper", || sleeper.running().len() == 1);
        // The reaper has done all that the end of the first one asks for.
        assert_eq!(shell("").spawn().unwrap().join().unwrap(), Exit::Code(0));
        eventually("the pipes of one process", || pipes() == before + 2);
        drop(process);
        eventually("the close of the pipes", || pipes() == before);
        assert_eq!(sleeper.running().len(), 1);
    });
}

#[test]
fn drop_racing_the_end_is_harmless() {
    for _ in 0..100 {
        let (sender, ended) = channel();
        let process = Builder::new("true").kill_on_drop(true).spawn().unwrap();
        let observed = process.clone();
        process.on_finish(move || {
            sender.send(observed.poll()).unwrap();
        });
        drop(process);
        let exit = ended.recv_timeout(TIMEOUT).unwrap().unwrap();
        // The callback had a handle until now.
        assert_eq!(exit, Exit::Code(0));
    }
    for _ in 0..100 {
        drop(Builder::new("true").kill_on_drop(true).spawn().unwrap());
    }
}
