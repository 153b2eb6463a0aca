//! The spans of the feature `tracing`.

use std::sync::mpsc;
use std::time::Duration;

use meanwhile_join::{
    self as join, AnyTask, Builder, JoinError, Pool, Task, TaskId, WaitOutcome, WaitUntil,
};
use tracing::info_span;

use self::collector::{collect, only_span};
use super::util::gate::{Gate, TIMEOUT};

mod collector;
#[cfg(feature = "tracing-layer")]
mod recorder;

#[test]
fn task_span_is_below_the_span_of_its_spawner() {
    collect();
    let (gate, begun) = (Gate::new(), Gate::new());
    let spawner = info_span!("spawner");
    let task = spawner.in_scope(|| {
        let (gate, begun) = (gate.clone(), begun.clone());
        join::spawn("below its spawner", move |_| {
            begun.open();
            gate.pass();
        })
    });
    let task = task.unwrap();
    begun.pass();
    let running = only_span("task", "name", "below its spawner");
    assert_eq!(running.field("id"), Some(task.id().get().to_string()));
    assert_eq!(running.field("pool"), None);
    assert_eq!(running.field("outcome"), None);
    assert_eq!(running.parent, spawner.id().map(|id| id.into_u64()));
    assert!(running.is_open);
    gate.open();
    task.join().unwrap();
    let ended = only_span("task", "name", "below its spawner");
    assert_eq!(ended.field("outcome").as_deref(), Some("returned"));
    assert!(!ended.is_open);
}

#[test]
fn span_of_a_spawner_ends_while_its_task_is_kept() {
    collect();
    let spawner = info_span!("task", name = "left by its task");
    let task = spawner.in_scope(|| join::spawn("kept", |_| ())).unwrap();
    task.join().unwrap();
    drop(spawner);
    assert!(!only_span("task", "name", "left by its task").is_open);
    assert!(task.is_finished());
}

#[test]
fn task_span_has_the_pool_and_the_outcome() {
    collect();
    let pool = Pool::builder().threads(1).build().unwrap();
    let panics = Builder::new("span panics").spawn_on(&pool, |_| panic!("on purpose"));
    let panics: Task<()> = panics.unwrap();
    panics.join().unwrap_err();
    let span = only_span("task", "name", "span panics");
    assert!(span.field("pool").is_some());
    assert_eq!(span.field("outcome").as_deref(), Some("panicked"));
    let stops = join::spawn("span stops", |context| -> () {
        loop {
            context.checkpoint();
        }
    });
    let stops = stops.unwrap();
    while stops.state() == join::TaskState::Queued {
        std::thread::yield_now();
    }
    stops.cancel();
    stops.join().unwrap_err();
    let span = only_span("task", "name", "span stops");
    assert_eq!(span.field("outcome").as_deref(), Some("cancelled"));
}

#[test]
fn wait_span_is_below_the_task_that_waits() {
    collect();
    let gate = Gate::new();
    let target = join::spawn("waited for", {
        let gate = gate.clone();
        move |_| gate.pass()
    });
    let target = target.unwrap();
    let waiter = join::spawn("span waits", {
        let target = target.clone();
        move |_| {
            let late = target.join_timeout(Duration::from_millis(1));
            assert!(matches!(late, Err(JoinError::TimedOut)));
            gate.open();
            target.join().is_ok()
        }
    });
    assert!(*waiter.unwrap().join().unwrap());
    let task = only_span("task", "name", "span waits");
    let text = format!("task {} `waited for`", target.id());
    let waits = collector::spans("wait", "target", &text);
    assert_eq!(waits[0].field("outcome").as_deref(), Some("timed out"));
    assert_eq!(waits[0].parent, Some(task.id));
    // The second join may find that the task has ended.
    for wait in &waits[1..] {
        assert_eq!(wait.field("outcome").as_deref(), Some("ended"));
        assert_eq!(wait.parent, Some(task.id));
    }
    assert!(waits.iter().all(|wait| !wait.is_open));
}

#[test]
fn wait_span_of_a_refused_join_says_so() {
    collect();
    let (send, receive) = mpsc::channel::<Task<bool>>();
    let first = join::spawn("first of the cycle", move |_| {
        receive.recv_timeout(TIMEOUT).unwrap().join().is_err()
    });
    let first = first.unwrap();
    let second = join::spawn("second of the cycle", {
        let first = first.clone();
        move |_| first.join().is_err()
    });
    let second = second.unwrap();
    send.send(second.clone()).unwrap();
    let refused = [*first.join().unwrap(), *second.join().unwrap()];
    assert_eq!(refused.iter().filter(|refused| **refused).count(), 1);
    let outcomes: Vec<_> = ["first", "second"]
        .iter()
        .zip([&first, &second])
        .flat_map(|(name, task)| {
            let text = format!("task {} `{name} of the cycle`", task.id());
            collector::spans("wait", "target", &text)
        })
        .filter_map(|wait| wait.field("outcome"))
        .collect();
    let refused = outcomes
        .iter()
        .filter(|outcome| *outcome == "would deadlock");
    assert_eq!(refused.count(), 1, "{outcomes:?}");
}

fn until_waiting(task: TaskId) {
    let waits = || join::wait_graph().waits.into_iter();
    while !waits().any(|wait| wait.waiter == Some(task)) {
        std::thread::yield_now();
    }
}

#[test]
fn wait_span_of_a_released_join_says_so() {
    collect();
    let (give, own) = mpsc::channel::<AnyTask>();
    let caller = join::spawn("releases", move |_| {
        let own = own.recv_timeout(TIMEOUT).unwrap();
        join::scope(|scope| {
            let inner = scope.spawn("joins the caller", |_| drop(own.join()));
            until_waiting(inner.unwrap().id());
        });
    })
    .unwrap();
    give.send(caller.any()).unwrap();
    caller.join_timeout(TIMEOUT).unwrap();
    let text = format!("task {} `releases`", caller.id());
    let waits = collector::spans("wait", "target", &text);
    let mut outcomes = waits.iter().filter_map(|wait| wait.field("outcome"));
    assert!(outcomes.any(|outcome| outcome == "would deadlock"));
}

/// It has no deadline, so that it has not timed out while one task goes on.
#[test]
fn wait_span_for_the_first_of_two_has_ended() {
    collect();
    let gates = [Gate::new(), Gate::new()];
    let tasks = gates.clone().map(|gate| {
        let task = join::spawn("one of two", move |_| gate.pass());
        task.unwrap()
    });
    let waiter = join::spawn("span waits for the first", move |_| {
        join::wait(&tasks, WaitUntil::First).end == WaitOutcome::Satisfied
    })
    .unwrap();
    until_waiting(waiter.id());
    gates[1].open();
    assert!(*waiter.join_timeout(TIMEOUT).unwrap());
    gates[0].open();
    let task = only_span("task", "name", "span waits for the first");
    let mut waits = collector::spans("wait", "target", "2 tasks");
    waits.retain(|wait| wait.parent == Some(task.id));
    let outcomes: Vec<_> = waits.iter().map(|wait| wait.field("outcome")).collect();
    assert_eq!(outcomes, [Some("ended".to_owned())]);
}

#[cfg(target_os = "linux")]
#[test]
fn process_span_has_the_pid_and_the_exit() {
    collect();
    let spawner = info_span!("spawner");
    let process = join::process::Builder::new("sh")
        .name("span exits")
        .args(["-c", "read line; exit 3"])
        .stdin_piped();
    let process = spawner.in_scope(|| process.spawn()).unwrap();
    let running = only_span("process", "name", "span exits");
    assert_eq!(running.field("pid"), Some(process.pid().to_string()));
    assert_eq!(running.field("exit"), None);
    assert_eq!(running.parent, spawner.id().map(|id| id.into_u64()));
    assert!(running.is_open);
    drop(process.take_stdin());
    process.join().unwrap();
    let ended = only_span("process", "name", "span exits");
    assert_eq!(ended.field("exit").as_deref(), Some("exited with code 3"));
    assert!(!ended.is_open);
}

#[cfg(target_os = "linux")]
#[test]
fn process_span_of_a_patient_start_has_its_parent() {
    collect();
    let spawner = info_span!("spawner");
    let process = join::process::Builder::new("true").name("span of a patient start");
    let process = spawner
        .in_scope(|| process.spawn_until(None, &join::CancelToken::new()))
        .unwrap();
    process.join().unwrap();
    let span = only_span("process", "name", "span of a patient start");
    assert_eq!(span.parent, spawner.id().map(|id| id.into_u64()));
}
