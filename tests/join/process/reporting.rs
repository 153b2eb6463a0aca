//! P29: a window is woken by the output and the end of a process.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use meanwhile_join::process::{Exit, Process, ProcessInfo, ProcessState, Stream};
use meanwhile_join::{self as join, Changes};

use super::{Builder, eventually, shell};
use crate::util::gate::{Gate, TIMEOUT};

/// A window, which is woken through the channel.
fn window() -> (Changes, Receiver<()>) {
    let (wake, woken) = sync_channel(1);
    let changes = Changes::new(move || wake.try_send(()).unwrap_or_default());
    (changes, woken)
}

/// Takes what changed, frame by frame, until a process is as `is_sought` says.
fn until(
    (changes, woken): &(Changes, Receiver<()>),
    is_sought: impl Fn(&ProcessInfo) -> bool,
) -> ProcessInfo {
    loop {
        woken.recv_timeout(TIMEOUT).unwrap();
        let changed = changes.take_processes(usize::MAX);
        if let Some(found) = changed.into_iter().find(&is_sought) {
            return found;
        }
    }
}

/// Runs a script that reports to `changes`. Returns the process when all was reported.
fn ended(script: &str, changes: &Changes) -> Process {
    let shell = shell(&format!("read line; {script}")).stdin_buffered();
    let process = shell.report_to(changes).spawn().unwrap();
    let ended = Gate::new();
    let opens = ended.clone();
    // Callbacks run after the window is told.
    process.on_finish(move || opens.open());
    drop(process.take_writer());
    ended.pass();
    process
}

#[test]
fn p29_output_and_end_of_a_process_wake_the_window() {
    let window = window();
    let process = shell("read line; echo $line; read line; exit 3").stdin_buffered();
    let process = process.report_to(&window.0).spawn().unwrap();
    let mut input = process.take_writer().unwrap();
    assert!(!window.0.is_pending() && window.0.take_processes(usize::MAX).is_empty());
    writeln!(input, "one").unwrap();
    let printed = until(&window, |_| process.written(Stream::Stdout) == 4);
    assert_eq!(
        (printed.pid, printed.state),
        (process.pid(), ProcessState::Running)
    );
    writeln!(input, "two").unwrap();
    let ended = until(&window, |info| info.finished_at.is_some());
    assert_eq!(ended.state, ProcessState::Ended(Exit::Code(3)));
}

#[test]
fn p29_process_is_queued_once_until_it_is_taken() {
    let wakes = Arc::new(AtomicUsize::new(0));
    let counted = wakes.clone();
    let changes = Changes::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let process = ended("seq 300000", &changes);
    assert!(process.written(Stream::Stdout) > 1_000_000);
    let changed = changes.take_processes(usize::MAX);
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].state, ProcessState::Ended(Exit::Code(0)));
    eventually("the wake", || wakes.load(Ordering::SeqCst) == 1);
    assert!(changes.take_processes(usize::MAX).is_empty());
}

#[test]
fn p29_processes_over_the_budget_wake_again() {
    let window = window();
    let processes = [(); 3].map(|()| ended("", &window.0));
    let mut taken = Vec::new();
    while taken.len() < 3 {
        window.1.recv_timeout(TIMEOUT).unwrap();
        taken.extend(window.0.take_processes(1).iter().map(|info| info.pid));
    }
    taken.sort_unstable();
    let mut pids = processes.map(|process| process.pid());
    pids.sort_unstable();
    assert_eq!(taken, pids);
    assert!(!window.0.is_pending());
}

#[test]
fn tasks_and_processes_of_one_queue_are_taken_apart() {
    let (changes, _woken) = window();
    let process = ended("", &changes);
    assert!(changes.is_pending());
    assert_eq!(changes.take(usize::MAX), []);
    let task = join::Builder::new("task").report_to(&changes).spawn(|_| ());
    let task = task.unwrap();
    let ended = Gate::new();
    let opens = ended.clone();
    task.on_finish(move || opens.open());
    ended.pass();
    assert_eq!(changes.take_processes(usize::MAX)[0].pid, process.pid());
    assert!(changes.is_pending());
    assert_eq!(changes.take(usize::MAX), [task.id()]);
    assert!(!changes.is_pending());
}

#[test]
fn p29_window_that_blocks_holds_up_no_process() {
    let (entered, gate) = (Gate::new(), Gate::new());
    let (enters, passes) = (entered.clone(), gate.clone());
    let changes = Changes::new(move || {
        enters.open();
        passes.pass();
    });
    let reported = Builder::new("true").report_to(&changes).spawn().unwrap();
    entered.pass();
    let exit = reported.join_timeout(TIMEOUT).unwrap();
    assert_eq!(exit, Exit::Code(0));
    let other = Builder::new("true").spawn().unwrap();
    assert_eq!(other.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
    gate.open();
}

#[test]
fn queue_that_is_gone_is_not_missed() {
    let (changes, _woken) = window();
    let cat = Builder::new("cat").stdin_buffered().report_to(&changes);
    let process = cat.spawn().unwrap();
    drop(changes);
    let mut input = process.take_writer().unwrap();
    input.write_all(b"still read").unwrap();
    drop(input);
    assert_eq!(process.join_timeout(TIMEOUT).unwrap(), Exit::Code(0));
    assert_eq!(process.output().stdout.text(), "still read");
}
