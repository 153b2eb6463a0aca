//! Processes that make it hard: odd names, short lives, other namespaces, other users.

use std::collections::BTreeSet;
use std::process::Command;

use meanwhile_explain::{Activity, ExplainError, Lock, Target};

use super::program::{Library, Waiting, built};

#[test]
fn odd_names_stay_in_their_line() {
    let waiting = Waiting::start(Library::Gnu, "odd-name").expect("there is a compiler");
    let graph = meanwhile_explain::process(waiting.pid()).expect("it waits");
    assert_eq!(graph.asked().name, "a) R 1 (b\\n\\u{1b}[2J");
    let sentence = graph.sentence();
    assert!(!sentence.contains(char::is_control), "{sentence:?}");
    assert!(sentence.ends_with("waits for a signal."), "{sentence}");
}

#[test]
fn short_lives_never_give_a_wrong_ring() {
    let waiting = Waiting::start(Library::Gnu, "short-lives").expect("there is a compiler");
    let mut names = BTreeSet::new();
    for _ in 0..30 {
        let graph = meanwhile_explain::tree(waiting.pid()).expect("it runs");
        assert_eq!(graph.rings(), Vec::<Vec<_>>::new());
        assert!(!graph.sentence().is_empty());
        names.insert(graph.asked().name.clone());
    }
    assert!(names.len() > 1, "it has not changed its name: {names:?}");
}

#[test]
fn ended_process_is_an_error() {
    let mut child = Command::new("true").spawn().expect("every system has it");
    let pid = child.id();
    child.wait().expect("it is a child");
    let error = meanwhile_explain::process(pid).expect_err("it has ended");
    assert_eq!(error, ExplainError::NoSuchProcess(pid));
}

/// A thread's id is another one inside of a pid namespace, and the memory has that one.
#[test]
fn mutex_in_a_pid_namespace_has_its_owner() {
    let Some(program) = built(Library::Gnu) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder for the test");
    let mut command = Command::new("unshare");
    command.args([
        "--user",
        "--map-root-user",
        "--pid",
        "--fork",
        "--kill-child",
    ]);
    command.arg(program).arg("mutex-normal").arg(folder.path());
    let waiting = Waiting::of(&mut command, folder);
    if waiting.lines.is_empty() {
        // Some systems don't let a user make one.
        return;
    }
    for _ in 0..50 {
        let graph = meanwhile_explain::tree(waiting.pid()).expect("it waits");
        let wants = |lock: &Activity| *lock == Activity::Locks(Lock::Mutex);
        let Some(thread) = graph.threads.iter().find(|thread| wants(&thread.activity)) else {
            continue;
        };
        let [Target::Thread(owner)] = thread.awaits[..] else {
            panic!("the owner is not known: {:?}", thread.awaits);
        };
        let owner = graph.thread(owner);
        assert_eq!(owner.activity, Activity::Sleeps);
        assert_eq!(owner.process, thread.process);
        return;
    }
    panic!("no thread waits for a mutex");
}
