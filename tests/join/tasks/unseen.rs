//! T21: a panic that no join or poll returns.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meanwhile_join::{self as join, Builder, Context, Pool, Task};

use crate::util::child::{in_child, stderr_of_child};
use crate::util::gate::{Gate, OpenOnDrop, TIMEOUT};

/// A task that panics with `message` once the gate is open, and whose end opens `ended`.
fn panicking(gate: &Gate, message: &'static str) -> Task<()> {
    let gate = gate.clone();
    join::spawn("save", move |_| {
        gate.pass();
        panic!("{message}")
    })
    .unwrap()
}

/// Waits until no task is left.
fn settle() {
    assert!(join::shutdown_timeout(TIMEOUT).is_complete());
}

#[test]
fn t21_panic_of_a_detached_task_is_printed() {
    let stderr = stderr_of_child(
        "tasks::unseen::t21_panic_of_a_detached_task_is_printed",
        || {
            let gate = Gate::new();
            drop(panicking(&gate, "the disk is full"));
            gate.open();
            settle();
        },
    );
    let Some(stderr) = stderr else { return };
    assert_eq!(stderr.matches("thread 'save'").count(), 1, "{stderr}");
    assert!(stderr.contains("unseen.rs:"), "{stderr}");
    assert!(stderr.contains(":\nthe disk is full\n"), "{stderr}");
}

#[test]
fn t21_panic_unseen_when_its_handle_goes_is_printed() {
    let stderr = stderr_of_child(
        "tasks::unseen::t21_panic_unseen_when_its_handle_goes_is_printed",
        || {
            let gate = Gate::new();
            let task = panicking(&gate, "the disk is full");
            gate.open();
            settle();
            drop(task);
        },
    );
    let Some(stderr) = stderr else { return };
    assert_eq!(stderr.matches("thread 'save'").count(), 1, "{stderr}");
    assert!(stderr.contains("unseen.rs:"), "{stderr}");
    assert!(stderr.contains(":\nthe disk is full\n"), "{stderr}");
}

#[test]
fn t21_panic_that_a_joiner_gets_is_not_printed() {
    let stderr = stderr_of_child(
        "tasks::unseen::t21_panic_that_a_joiner_gets_is_not_printed",
        || {
            for look in [
                |task: &Task<()>| drop(task.join()),
                |task: &Task<()>| drop(task.poll()),
                |task: &Task<()>| drop(task.join_timeout(TIMEOUT)),
            ] {
                let gate = Gate::new();
                let task = panicking(&gate, "the disk is full");
                gate.open();
                settle();
                look(&task);
            }
        },
    );
    let Some(stderr) = stderr else { return };
    assert!(!stderr.contains("the disk is full"), "{stderr}");
}

#[test]
fn t21_panic_in_a_cancel_scope_is_printed() {
    let stderr = stderr_of_child(
        "tasks::unseen::t21_panic_in_a_cancel_scope_is_printed",
        || {
            join::cancel_scope(|scope| {
                let panicked = Gate::new();
                let task: Task<()> = {
                    let panicked = panicked.clone();
                    scope
                        .spawn("save", move |_| {
                            let _gate = OpenOnDrop(panicked);
                            panic!("the disk is full")
                        })
                        .unwrap()
                };
                panicked.pass();
                drop(task);
            });
        },
    );
    let Some(stderr) = stderr else { return };
    assert_eq!(stderr.matches("the disk is full").count(), 1, "{stderr}");
}

/// The end of the scope finds a task that has ended and whose report is not made yet.
#[test]
fn t21_cancel_scope_returns_after_the_report() {
    in_child(
        "tasks::unseen::t21_cancel_scope_returns_after_the_report",
        || {
            let (reporting, may_report) = (Gate::new(), Gate::new());
            join::on_panic({
                let (reporting, may_report) = (reporting.clone(), may_report.clone());
                move |_| {
                    reporting.open();
                    may_report.pass();
                }
            });
            let (send, returned) = sync_channel(1);
            let scope = join::spawn("scope", move |_| {
                join::cancel_scope(|scope| {
                    let saves = |_: &Context| panic!("the disk is full");
                    let save: Task<()> = scope.spawn("save", saves).unwrap();
                    drop(save);
                    reporting.pass();
                });
                send.send(()).unwrap();
            })
            .unwrap();
            let early = returned.recv_timeout(Duration::from_millis(50));
            assert_eq!(early, Err(RecvTimeoutError::Timeout));
            may_report.open();
            returned.recv_timeout(TIMEOUT).unwrap();
            scope.join().unwrap();
        },
    );
}

#[test]
fn t21_first_hook_hears_of_a_detached_task() {
    in_child(
        "tasks::unseen::t21_first_hook_hears_of_a_detached_task",
        || {
            let heard: Arc<Mutex<Vec<String>>> = Arc::default();
            std::panic::set_hook(Box::new({
                let heard = heard.clone();
                move |info| heard.lock().unwrap().push(info.to_string())
            }));
            let pool = Pool::builder().threads(1).build().unwrap();
            let gate = Gate::new();
            drop(panicking(&gate, "from a thread"));
            gate.open();
            settle();
            let queued = Gate::new();
            let task = Builder::new("pooled").spawn_on(&pool, {
                let queued = queued.clone();
                move |_| {
                    queued.pass();
                    panic!("from a pool")
                }
            });
            let task: Task<()> = task.unwrap();
            drop(task);
            queued.open();
            settle();
            let heard = heard.lock().unwrap().clone();
            assert_eq!(heard.len(), 2, "{heard:?}");
            assert!(heard[0].contains("from a thread"), "{heard:?}");
            assert!(heard[1].contains("from a pool"), "{heard:?}");
        },
    );
}

#[test]
fn t21_panic_that_the_task_catches_is_printed() {
    let stderr = stderr_of_child(
        "tasks::unseen::t21_panic_that_the_task_catches_is_printed",
        || {
            let gate = Gate::new();
            let task = {
                let gate = gate.clone();
                join::spawn("plugins", move |_| {
                    gate.pass();
                    (0..20).filter(|n| catches_a_panic(*n)).count()
                })
                .unwrap()
            };
            gate.open();
            assert_eq!(*task.join().unwrap(), 20);
        },
    );
    let Some(stderr) = stderr else { return };
    for n in 0..20 {
        let text = format!(":\nplugin {n} is broken\n");
        assert_eq!(stderr.matches(&text).count(), 1, "{n}: {stderr}");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the task under test catches a panic itself"
)]
fn catches_a_panic(n: u32) -> bool {
    std::panic::catch_unwind(|| panic!("plugin {n} is broken")).is_err()
}

#[test]
fn t21_each_unseen_panic_reaches_the_listener() {
    let stderr = stderr_of_child(
        "tasks::unseen::t21_each_unseen_panic_reaches_the_listener",
        || {
            let heard: Arc<Mutex<Vec<(String, bool)>>> = Arc::default();
            join::on_panic({
                let heard = heard.clone();
                move |report| {
                    assert_eq!(report.task_name(), "save");
                    assert!(report.location().is_some());
                    let message = report.message().to_owned();
                    heard.lock().unwrap().push((message, report.is_outcome()));
                    panic!("ignored");
                }
            });
            let gate = Gate::new();
            drop(panicking(&gate, "detached"));
            let unseen = panicking(&gate, "unseen");
            let seen = panicking(&gate, "seen");
            let catches = join::spawn("save", |_| catches_a_panic(7)).unwrap();
            gate.open();
            settle();
            assert!(seen.join().is_err());
            drop((unseen, seen, catches));
            let mut heard = heard.lock().unwrap().clone();
            heard.sort();
            let expected = [
                ("detached", true),
                ("plugin 7 is broken", false),
                ("unseen", true),
            ];
            let expected = expected.map(|(message, is_outcome)| (message.to_owned(), is_outcome));
            assert_eq!(heard, expected);
        },
    );
    let Some(stderr) = stderr else { return };
    assert!(!stderr.contains("detached"), "{stderr}");
}

#[test]
fn t21_panic_raised_without_the_hook_is_not_printed() {
    let stderr = stderr_of_child(
        "tasks::unseen::t21_panic_raised_without_the_hook_is_not_printed",
        || {
            let task: Task<()> = join::spawn("passes on", |_| {
                std::panic::resume_unwind(Box::new("from elsewhere"))
            })
            .unwrap();
            settle();
            drop(task);
        },
    );
    let Some(stderr) = stderr else { return };
    assert!(!stderr.contains("from elsewhere"), "{stderr}");
}

#[test]
fn t21_listener_may_shut_down() {
    in_child("tasks::unseen::t21_listener_may_shut_down", || {
        let (send, complete) = std::sync::mpsc::channel();
        join::on_panic(move |_| {
            let report = join::shutdown_timeout(TIMEOUT);
            send.send(report.is_complete()).unwrap();
        });
        let gate = Gate::new();
        drop(panicking(&gate, "the disk is full"));
        gate.open();
        assert_eq!(complete.recv_timeout(TIMEOUT), Ok(true));
    });
}

#[test]
fn t18_report_that_blocks_delays_no_timeout() {
    let name = "tasks::unseen::t18_report_that_blocks_delays_no_timeout";
    in_child(name, || {
        let (reporting, reported) = (Gate::new(), Gate::new());
        join::on_panic({
            let (reporting, reported) = (reporting.clone(), reported.clone());
            move |_| {
                reporting.open();
                reported.pass();
            }
        });
        // Whoever drops the last handle after the end reports the panic.
        let detached = Gate::new();
        drop(panicking(&detached, "unseen"));
        detached.open();
        reporting.pass();
        let shutdown = Builder::new("shutdown")
            .daemon(true)
            .spawn(|_| join::shutdown_timeout(Duration::from_millis(1)))
            .unwrap();
        let returned = shutdown.join_timeout(Duration::from_secs(5)).is_ok();
        reported.open();
        assert!(returned);
        // Without a timeout it waits for the report.
        assert!(join::shutdown().is_complete());
    });
}

#[test]
fn found_handle_that_goes_leaves_the_other_one() {
    in_child(
        "tasks::unseen::found_handle_that_goes_leaves_the_other_one",
        || {
            let reports = Arc::new(Mutex::new(Vec::new()));
            join::on_panic({
                let reports = reports.clone();
                move |report| reports.lock().unwrap().push(report.message().to_owned())
            });
            let gate = Gate::new();
            let task = panicking(&gate, "joined");
            drop(join::find(task.id()).unwrap());
            gate.open();
            settle();
            assert!(task.join().is_err());
            drop(task);
            assert!(reports.lock().unwrap().is_empty());
        },
    );
}
