//! Several processes in one look.

use std::collections::BTreeSet;
use std::process::Command;

use meanwhile_explain::{ExplainError, ProcessIndex, WaitGraph, trees};

use super::program::{Library, Waiting};

/// No process has this id: it is above the highest that Linux gives.
const NOBODY: u32 = 1 << 30;

fn shell(script: &str) -> Waiting {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Waiting::of(
        &mut command,
        tempfile::tempdir().expect("room for a folder"),
    )
}

fn names(graph: &WaitGraph) -> Vec<&str> {
    let processes = graph.processes.iter();
    processes.map(|process| process.name.as_str()).collect()
}

#[test]
fn several_processes_are_in_one_graph() {
    let one = shell("echo ready; exec sleep 600");
    let other = shell("sleep 600 & echo ready; wait $!; :");
    let graph = trees(&[one.pid(), other.pid()]).unwrap();
    assert_eq!(graph.asked().pid, one.pid());
    assert_eq!(graph.process(ProcessIndex(1)).pid, other.pid());
    // The child of the second one too, once it has executed its program.
    assert_eq!(graph.processes.len(), 3, "{:?}", names(&graph));
    let child = graph.process(ProcessIndex(2));
    assert_eq!(child.parent, other.pid());
}

#[test]
fn process_that_has_ended_is_left_out() {
    let there = shell("echo ready; exec sleep 600");
    let graph = trees(&[NOBODY, there.pid()]).unwrap();
    assert_eq!(graph.asked().pid, there.pid());
    assert_eq!(graph.processes.len(), 1);
    let error = trees(&[NOBODY]).unwrap_err();
    assert_eq!(error, ExplainError::NoSuchProcess(NOBODY));
}

#[test]
fn thread_that_waits_has_the_same_runs_in_each_look() {
    let sleeper = shell("echo ready; exec sleep 600");
    let runs = || {
        let graph = trees(&[sleeper.pid()]).unwrap();
        let thread = &graph.threads[0];
        (!thread.ran && graph.asked().name == "sleep").then_some(thread.runs)
    };
    let first = (0..50).find_map(|_| runs()).unwrap();
    assert!(first > 0);
    assert_eq!(runs(), Some(first));
}

/// The ids of the root causes of what the first thread waits for, once they are as expected.
fn causes_of(case: &str, expected: impl Fn(&str) -> bool) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let waiting = Waiting::start(Library::Gnu, case).expect("there is a compiler");
    let said = waiting.lines.iter().filter(|line| expected(line));
    let ids = said.flat_map(|line| line.split(' ').filter_map(|word| word.parse().ok()));
    let expected: BTreeSet<u32> = ids.collect();
    let causes = || {
        let graph = meanwhile_explain::process(waiting.pid()).expect("it waits");
        let causes = graph.root_causes(graph.asked().threads[0]);
        let ids: BTreeSet<u32> = causes.iter().map(|it| graph.thread(*it).tid).collect();
        ids
    };
    let mut looks = (0..50).map(|_| causes());
    let found = looks.find(|causes| *causes == expected);
    (found.unwrap_or_else(causes), expected)
}

#[test]
fn root_cause_of_a_chain_is_its_end() {
    let (causes, expected) = causes_of("join-chain", |line| line.ends_with(" sleeps"));
    assert_eq!(causes, expected);
    assert_eq!(causes.len(), 1);
}

#[test]
fn root_causes_are_the_threads_of_a_ring() {
    let (causes, expected) = causes_of("ring-of-pipes", |line| line.starts_with("ring "));
    assert_eq!(causes, expected);
    assert_eq!(causes.len(), 2);
}
