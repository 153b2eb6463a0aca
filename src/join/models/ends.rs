//! Models of the end of a task: joins, its value, and waits for each other.

use std::sync::Arc;

use super::super::current;
use super::super::error::JoinError;
use super::super::graph::{Graph, Intent, Need};
use super::super::id::TaskId;
use super::super::members::Members;
use super::super::sync::{AtomicBool, Ordering};
use super::super::targets::Targets;
use super::super::wait;
use super::{DropCheck, cancel, join, run, some_deadline, task, three_threads};

#[test]
fn join_racing_the_end_sees_the_value() {
    loom::model(|| {
        let task = task(1, None, || 7);
        let runner = loom::thread::spawn({
            let task = task.clone();
            move || run(&task)
        });
        assert_eq!(join(&Graph::new(), &task, None).expect("returned"), 7);
        runner.join().expect("the runner ends");
    });
}

#[test]
fn two_joins_racing_the_end_see_the_value() {
    three_threads(|| {
        let graph = Arc::new(Graph::new());
        let task = task(1, None, || 7);
        let joiner = loom::thread::spawn({
            let (graph, task) = (graph.clone(), task.clone());
            move || join(&graph, &task, None).expect("returned")
        });
        let runner = loom::thread::spawn({
            let task = task.clone();
            move || run(&task)
        });
        assert_eq!(join(&graph, &task, None).expect("returned"), 7);
        assert_eq!(joiner.join().expect("the joiner ends"), 7);
        runner.join().expect("the runner ends");
    });
}

#[test]
fn timed_join_racing_the_end_loses_no_value() {
    loom::model(|| {
        let graph = Graph::new();
        let task = task(1, None, || 7);
        let runner = loom::thread::spawn({
            let task = task.clone();
            move || run(&task)
        });
        match join(&graph, &task, some_deadline()) {
            Ok(value) => assert_eq!(value, 7),
            Err(error) => assert!(matches!(error, JoinError::TimedOut)),
        }
        assert_eq!(join(&graph, &task, None).expect("returned"), 7);
        assert!(graph.snapshot().waits.is_empty());
        runner.join().expect("the runner ends");
    });
}

#[test]
fn cancel_racing_the_start_wins_or_has_no_effect() {
    three_threads(|| {
        let ran = Arc::new(AtomicBool::new(false));
        let task = task(1, None, {
            let ran = ran.clone();
            move || ran.store(true, Ordering::Relaxed)
        });
        let runner = loom::thread::spawn({
            let task = task.clone();
            move || run(&task)
        });
        let canceller = loom::thread::spawn({
            let task = task.clone();
            move || cancel(&task)
        });
        let outcome = join(&Graph::new(), &task, None);
        assert_eq!(outcome.is_ok(), ran.load(Ordering::Relaxed));
        runner.join().expect("the runner ends");
        canceller.join().expect("the canceller ends");
    });
}

#[test]
fn value_is_dropped_once_when_handles_race_the_end() {
    loom::model(|| {
        let dropped = Arc::new(AtomicBool::new(false));
        let task = task(1, None, {
            let value = DropCheck(dropped.clone());
            move || value
        });
        let header = task.header().clone();
        let runner = loom::thread::spawn(move || {
            if header.run() {
                header.settle();
            }
        });
        drop(task);
        runner.join().expect("the runner ends");
        assert!(dropped.load(Ordering::Relaxed));
    });
}

#[test]
fn last_handle_takes_the_value_after_the_end() {
    loom::model(|| {
        let task = task(1, None, || 7);
        let header = task.header().clone();
        let runner = loom::thread::spawn(move || {
            if header.run() {
                header.settle();
            }
        });
        wait::for_one(&Graph::new(), task.header(), None).expect("no cycle");
        assert_eq!(task.into_output().expect("the only handle"), 7);
        runner.join().expect("the runner ends");
    });
}

#[test]
fn group_wait_finds_the_task_that_ends() {
    loom::model(|| {
        let task = task(1, None, || 7);
        let members = Arc::new(Members::default());
        members.add(task.header());
        let runner = loom::thread::spawn(move || run(&task));
        wait::for_next(&Graph::new(), &members, None).expect("no cycle");
        assert_eq!(members.next_ended(), Some(TaskId::new(1)));
        runner.join().expect("the runner ends");
    });
}

#[test]
fn one_of_two_joins_closing_a_cycle_is_refused() {
    three_threads(|| {
        let graph = Arc::new(Graph::new());
        let tasks = [task(1, None, || ()), task(2, None, || ())];
        let refusals: Vec<_> = (0..2)
            .map(|index| {
                let graph = graph.clone();
                let (own, other) = (tasks[index].clone(), tasks[1 - index].clone());
                loom::thread::spawn(move || {
                    let current = current::enter(own.id());
                    let refused = match join(&graph, &other, None) {
                        Ok(()) => false,
                        Err(JoinError::WouldDeadlock { cycle }) => {
                            assert_eq!(cycle.len(), 2);
                            assert_eq!(cycle[0], own.id());
                            true
                        }
                        Err(error) => panic!("{error}"),
                    };
                    drop(current);
                    run(&own);
                    refused
                })
            })
            .collect();
        let refused = refusals
            .into_iter()
            .map(|thread| thread.join().expect("neither hangs"))
            .filter(|refused| *refused)
            .count();
        // No join is refused if one task had ended before the other joined it.
        assert!(refused <= 1);
        assert!(graph.snapshot().waits.is_empty());
    });
}

/// The wait that closes the cycle is in the graph for a moment before its check refuses it.
#[test]
fn wait_for_a_member_of_a_cycle_is_not_refused() {
    three_threads(|| {
        let graph = Arc::new(Graph::new());
        let tasks = [task(1, None, || ()), task(2, None, || ())];
        let members: Vec<_> = (0..2)
            .map(|index| {
                let graph = graph.clone();
                let (own, other) = (tasks[index].clone(), tasks[1 - index].clone());
                loom::thread::spawn(move || {
                    {
                        let _current = current::enter(own.id());
                        join(&graph, &other, None).ok();
                    }
                    run(&own);
                })
            })
            .collect();
        {
            let _current = current::enter(TaskId::new(3));
            let joined = join(&graph, &tasks[0], None);
            assert!(joined.is_ok(), "{joined:?}");
        }
        for member in members {
            member.join().expect("neither hangs");
        }
    });
}

#[test]
fn breaking_wait_ends_the_wait_that_blocks_it() {
    loom::model(|| {
        let graph = Arc::new(Graph::new());
        let parent = task(1, None, || ());
        let child = task(2, None, || ());
        let thread = loom::thread::spawn({
            let (graph, parent, child) = (graph.clone(), parent.clone(), child.clone());
            move || {
                let current = current::enter(child.id());
                let refused = join(&graph, &parent, None).is_err();
                drop(current);
                run(&child);
                refused
            }
        });
        {
            let _current = current::enter(parent.id());
            let wait = graph.enter_breaking(Intent {
                targets: Targets::One(child.header().clone()),
                need: Need::All,
                deadline: None,
            });
            child.header().park(None, || wait.is_broken());
        }
        assert!(child.is_finished());
        run(&parent);
        assert!(thread.join().expect("the child ends"));
    });
}
