//! T33: waiting for the first of tasks, processes, channels, a deadline and a cancel. T34: handles
//! without a type, and callbacks with the outcome.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
#[cfg(target_os = "linux")]
use meanwhile_join::process;
use meanwhile_join::{
    self as join, AnyTask, Builder, CancelToken, Group, JoinError, Pool, Select, SelectError, Task,
    TaskState,
};

use super::held_pool::HeldPool;
use crate::util::child::in_child;
use crate::util::gate::{Gate, OpenOnDrop, TIMEOUT};
#[cfg(target_os = "linux")]
use crate::util::resources::resident_bytes;

const MANY: usize = 100_000;

fn gated<T: Send + Sync + 'static>(gate: &Gate, value: T) -> Task<T> {
    let gate = gate.clone();
    join::spawn("gated", move |_| {
        gate.pass();
        value
    })
    .unwrap()
}

/// Runs a select in a task, which the wait graph shows once it blocks.
fn waiting<T: Send + Sync + 'static>(
    work: impl FnOnce(&join::Context) -> T + Send + 'static,
) -> Task<T> {
    let task = join::spawn("waiting", work).unwrap();
    wait_until_it_waits(&task.any());
    task
}

fn wait_until_it_waits(task: &AnyTask) {
    let began = Instant::now();
    let waits = || join::wait_graph().waits;
    while !waits().iter().any(|wait| wait.waiter == Some(task.id())) {
        assert!(began.elapsed() < TIMEOUT, "it never waits");
        assert!(!task.is_finished(), "it did not wait");
        std::thread::yield_now();
    }
}

#[test]
fn t33_each_kind_of_source_ends_the_wait() {
    let (gate, never) = (Gate::new(), Gate::new());
    let _open = OpenOnDrop(never.clone());
    let (number, text) = (gated(&never, 7), gated(&gate, "text"));
    let (send, receiver) = bounded::<u32>(1);
    let (idle, other) = bounded::<()>(0);
    let select = {
        let (number, text, other) = (number.clone(), text.clone(), other.clone());
        let receiver = receiver.clone();
        move |_: &join::Context| {
            Select::new()
                .task(&number)
                .receiver(&other)
                .task(&text)
                .receiver(&receiver)
                .wait()
        }
    };
    let by_message = waiting(select.clone());
    send.send(1).unwrap();
    assert_eq!(*by_message.join_timeout(TIMEOUT).unwrap(), Ok(3));
    assert_eq!(receiver.try_recv(), Ok(1));
    let by_task = waiting(select.clone());
    gate.open();
    assert_eq!(*by_task.join_timeout(TIMEOUT).unwrap(), Ok(2));
    drop(idle);
    let by_last_sender = join::spawn("late", select).unwrap();
    assert_eq!(*by_last_sender.join_timeout(TIMEOUT).unwrap(), Ok(1));
}

#[test]
fn t33_disconnected_channel_ends_the_wait() {
    let (send, receiver) = bounded::<u32>(1);
    let task = waiting(move |_| Select::new().receiver(&receiver).wait());
    drop(send);
    assert_eq!(*task.join_timeout(TIMEOUT).unwrap(), Ok(0));
}

#[test]
fn t33_first_of_several_ready_sources_is_returned() {
    let task = join::spawn("ended", |_| ()).unwrap();
    task.join().unwrap();
    let (send, first) = bounded(1);
    let (_keep, never) = bounded::<()>(1);
    let second = first.clone();
    send.send(()).unwrap();
    let mut select = Select::new()
        .receiver(&never)
        .receiver(&first)
        .task(&task)
        .receiver(&second);
    assert_eq!(select.wait(), Ok(1));
    assert_eq!(select.try_ready(), Some(1));
    assert_eq!(first.try_recv(), Ok(()));
    assert_eq!(select.wait(), Ok(2));
    assert_eq!(Select::new().receiver(&never).try_ready(), None);
}

#[test]
fn t33_own_cancel_ends_a_select_of_each_kind() {
    let never = Gate::new();
    let _open = OpenOnDrop(never.clone());
    let task = gated(&never, ());
    let with_task = waiting({
        let task = task.clone();
        move |context| context.select().task(&task).wait()
    });
    let (_keep, receiver) = bounded::<()>(1);
    let with_channel = waiting({
        let receiver = receiver.clone();
        move |context| context.select().receiver(&receiver).timeout(TIMEOUT).wait()
    });
    let alone = waiting(|context| context.select().wait());
    for task in [with_task, with_channel, alone] {
        task.cancel();
        let ended = task.join_timeout(TIMEOUT).unwrap();
        assert_eq!(*ended, Err(SelectError::Cancelled));
    }
}

#[test]
fn t33_cancel_wins_over_a_source_that_is_ready() {
    let token = CancelToken::new();
    let task = join::spawn("ended", |_| ()).unwrap();
    task.join().unwrap();
    token.cancel();
    let waited = Select::new().task(&task).token(&token).wait();
    assert_eq!(waited, Err(SelectError::Cancelled));
}

#[test]
fn t33_cancelled_select_makes_it_a_cancel() {
    let task = join::spawn(
        "cancellable",
        join::cancellable(|context| context.select().wait()),
    )
    .unwrap();
    task.cancel();
    assert!(matches!(
        task.join_timeout(TIMEOUT),
        Err(JoinError::Cancelled)
    ));
}

#[test]
fn t33_deadline_is_not_early_and_may_be_the_only() {
    let (_keep, receiver) = bounded::<()>(1);
    let never = Gate::new();
    let _open = OpenOnDrop(never.clone());
    let task = gated(&never, ());
    let time = Duration::from_millis(5);
    for mut select in [
        Select::new(),
        Select::new().receiver(&receiver),
        Select::new().task(&task),
        Select::new().task(&task).receiver(&receiver),
    ] {
        let began = Instant::now();
        select = select.timeout(time);
        assert_eq!(select.wait(), Err(SelectError::TimedOut));
        assert!(began.elapsed() >= time);
        let at_once = select.timeout(Duration::ZERO).wait();
        assert_eq!(at_once, Err(SelectError::TimedOut));
    }
}

#[test]
#[should_panic = "nothing could end this wait"]
fn t33_select_that_nothing_can_end_panics() {
    Select::new().wait().ok();
}

#[test]
fn t33_select_of_itself_alone_is_refused() {
    let (send, own) = mpsc::channel::<Task<_>>();
    let task = join::spawn("itself", move |_| {
        let own = own.recv_timeout(TIMEOUT).unwrap();
        let alone = Select::new().task(&own).task(&own).wait();
        let timed = Select::new().task(&own).timeout(Duration::ZERO).wait();
        let (send, ready) = bounded(1);
        send.send(()).unwrap();
        let with_channel = Select::new().task(&own).receiver(&ready).wait();
        (alone, timed, with_channel)
    })
    .unwrap();
    send.send(task.clone()).unwrap();
    let current = Err(SelectError::CurrentThread);
    assert_eq!(
        *task.join_timeout(TIMEOUT).unwrap(),
        (current.clone(), current, Ok(1))
    );
}

/// The second of two tasks that select each other is refused, unless something else can end it.
#[test]
fn t33_cycle_is_refused_if_nothing_else_can_end_it() {
    let (give, other) = mpsc::channel::<AnyTask>();
    let first = join::spawn("first", move |_| {
        let other = other.recv_timeout(TIMEOUT).unwrap();
        Select::new().task(&other).wait()
    })
    .unwrap();
    let (send, receiver) = bounded(1);
    let begun = Gate::new();
    let second = join::spawn("second", {
        let begun = begun.clone();
        let first = first.any();
        move |context| {
            begun.open();
            wait_until_it_waits(&first);
            let refused = Select::new().task(&first).task(&first).wait();
            let by_channel = Select::new().task(&first).receiver(&receiver).wait();
            let by_token = context.select().task(&first).wait();
            (refused, by_channel, by_token)
        }
    })
    .unwrap();
    give.send(second.any()).unwrap();
    begun.pass();
    send.send(()).unwrap();
    second.cancel();
    let (refused, by_channel, by_token) = second.join_timeout(TIMEOUT).unwrap();
    let of_first = first.join_timeout(TIMEOUT).unwrap();
    let is_refused = |waited: &Result<usize, SelectError>| match waited {
        Err(SelectError::WouldDeadlock { cycle }) => cycle.len() == 2,
        _ => false,
    };
    if is_refused(of_first) {
        // The wait of the second began before the first was checked.
        assert_eq!(*refused, Ok(0));
        return;
    }
    assert!(is_refused(refused), "{refused:?}");
    assert_eq!(*by_channel, Ok(1));
    assert_eq!(*by_token, Err(SelectError::Cancelled));
    assert_eq!(*of_first, Ok(0));
}

/// The other task joins the one that selects, so it can't end first.
#[test]
fn t33_channel_or_token_ends_what_a_task_could_not() {
    let (send, receiver) = bounded(1);
    let (give, own) = mpsc::channel::<AnyTask>();
    let selects = join::spawn("selects", move |context| {
        let own = own.recv_timeout(TIMEOUT).unwrap();
        let joiner = waiting(move |_| own.join().is_ok());
        let by_channel = Select::new().receiver(&receiver).task(&joiner).wait();
        let by_token = context.select().task(&joiner).wait();
        (by_channel, by_token)
    })
    .unwrap();
    give.send(selects.any()).unwrap();
    wait_until_it_waits(&selects.any());
    send.send(()).unwrap();
    selects.cancel();
    let (by_channel, by_token) = selects.join_timeout(TIMEOUT).unwrap();
    assert_eq!(*by_channel, Ok(0));
    assert_eq!(*by_token, Err(SelectError::Cancelled));
}

#[test]
fn t33_worker_selecting_queued_tasks_is_not_starved() {
    let pool = Pool::builder().threads(1).build().unwrap();
    let outer = Builder::new("outer")
        .spawn_on(&pool, {
            let pool = pool.clone();
            move |_| {
                let queued = |name| Builder::new(name).spawn_on(&pool, |_| ()).unwrap();
                let (_keep, receiver) = bounded::<()>(1);
                let alone = Select::new().task(&queued("alone")).wait();
                let beside = queued("beside a channel");
                let beside = Select::new().receiver(&receiver).task(&beside).wait();
                let timed = Select::new().task(&queued("timed")).timeout(TIMEOUT).wait();
                (alone, beside, timed)
            }
        })
        .unwrap();
    let selected = outer.join_timeout(TIMEOUT).unwrap();
    assert_eq!(*selected, (Ok(0), Ok(1), Ok(0)));
}

#[test]
fn t33_select_racing_the_end_misses_nothing() {
    for round in 0..300 {
        let (gate, token) = (Gate::new(), CancelToken::new());
        let task = gated(&gate, ());
        let (send, receiver) = bounded(1);
        let end = join::spawn("end", {
            let (token, send, opens) = (token.clone(), send.clone(), gate.clone());
            move |_| match round % 3 {
                0 => token.cancel(),
                1 => send.send(()).unwrap(),
                _ => opens.open(),
            }
        })
        .unwrap();
        let select = Select::new().task(&task).token(&token);
        // Without the channel, the thread is parked and not blocked in a channel.
        let mut select = if round % 2 == 0 || round % 3 == 1 {
            select.receiver(&receiver)
        } else {
            select
        };
        let waited = select.wait();
        match round % 3 {
            0 => assert_eq!(waited, Err(SelectError::Cancelled)),
            1 => assert_eq!(waited, Ok(1)),
            _ => assert_eq!(waited, Ok(0)),
        }
        end.join_timeout(TIMEOUT).unwrap();
        gate.open();
        drop(send);
    }
}

/// A select that has returned must leave nothing in its sources. Each would leave more than 32 bytes.
#[cfg(target_os = "linux")]
#[test]
fn t33_ended_selects_leave_nothing_behind() {
    in_child(
        "tasks::select::t33_ended_selects_leave_nothing_behind",
        || {
            let never = Gate::new();
            let _open = OpenOnDrop(never.clone());
            let task = gated(&never, ());
            let sleeper = process::Builder::new("sleep").arg("60").spawn().unwrap();
            let token = CancelToken::new();
            let (_keep, receiver) = bounded::<()>(1);
            let round = |count: usize| {
                for number in 0..count {
                    let select = Select::new().task(&task).process(&sleeper).token(&token);
                    let select = match number % 2 {
                        0 => select.receiver(&receiver),
                        _ => select,
                    };
                    let mut select = select.deadline(Instant::now() + Duration::from_micros(1));
                    assert_eq!(select.wait(), Err(SelectError::TimedOut));
                    drop(task.on_outcome(|_| ()));
                    drop(sleeper.on_exit(|_| ()));
                }
            };
            round(1_000);
            let before = resident_bytes();
            round(MANY);
            let grown = resident_bytes().saturating_sub(before);
            assert!(grown < 32 * MANY, "{grown} bytes");
            sleeper.kill().unwrap();
        },
    );
}

#[cfg(target_os = "linux")]
#[test]
fn t33_process_ends_a_select_and_is_shown() {
    let (never, cat) = (Gate::new(), || {
        let cat = process::Builder::new("cat").stdin_piped().spawn().unwrap();
        let stdin = cat.take_stdin();
        (cat, stdin)
    });
    let _open = OpenOnDrop(never.clone());
    let task = gated(&never, ());
    let (_keep, receiver) = bounded::<()>(1);
    for with_channel in [false, true] {
        let (process, stdin) = cat();
        let waiter = waiting({
            let (task, process, receiver) = (task.clone(), process.clone(), receiver.clone());
            move |_| {
                let mut select = Select::new().task(&task).process(&process);
                if with_channel {
                    select = select.receiver(&receiver);
                }
                select.wait()
            }
        });
        let graph = join::wait_graph();
        let wait = graph.waits.iter().find(|it| it.waiter == Some(waiter.id()));
        assert_eq!(wait.unwrap().process, Some(process.pid()));
        assert_eq!(wait.unwrap().targets, [task.id()]);
        drop(stdin);
        assert_eq!(*waiter.join_timeout(TIMEOUT).unwrap(), Ok(1));
    }
}

#[test]
fn t34_untyped_handle_joins_and_cancels() {
    let number = join::spawn("number", |_| 7).unwrap();
    let panics: Task<()> = join::spawn("panics", |_| panic!("failure")).unwrap();
    let endless = join::spawn("endless", |context| -> () {
        loop {
            context.checkpoint();
        }
    })
    .unwrap();
    let any = endless.any();
    assert_eq!((any.id(), any.name()), (endless.id(), "endless"));
    assert!(matches!(
        any.join_timeout(Duration::ZERO),
        Err(JoinError::TimedOut)
    ));
    any.cancel();
    assert!(matches!(any.join(), Err(JoinError::Cancelled)));
    assert_eq!(any.state(), TaskState::Cancelled);
    assert!(number.any().join().is_ok());
    assert!(matches!(panics.any().join(), Err(JoinError::Panicked(_))));
}

#[test]
fn t34_live_task_is_found_by_its_number() {
    let gate = Gate::new();
    let task = gated(&gate, ());
    let id = task.id();
    let found = join::find(id).unwrap();
    assert_eq!(found.id(), id);
    drop((task, found));
    let detached = join::find(id).unwrap();
    gate.open();
    detached.join_timeout(TIMEOUT).unwrap();
    assert!(join::find(id).is_none());
}

#[test]
fn t34_task_is_found_among_others() {
    let held = HeldPool::new();
    let tasks: Vec<_> = (0..3).map(|n| held.pool.spawn(move |_| n).any()).collect();
    let gate = Gate::new();
    let threads: Vec<_> = (0..3).map(|n| gated(&gate, n).any()).collect();
    for task in tasks.iter().chain(&threads) {
        assert_eq!(join::find(task.id()).unwrap().id(), task.id());
    }
    gate.open();
    held.release();
}

#[test]
fn t34_callback_gets_the_outcome_of_each_kind() {
    let (send, outcomes) = mpsc::channel();
    let report = |name: &'static str| {
        let send = send.clone();
        move |outcome: Result<&u32, JoinError>| {
            let text = outcome.map_or_else(|error| error.to_string(), ToString::to_string);
            send.send((name, text)).unwrap();
        }
    };
    let gate = Gate::new();
    let returns = gated(&gate, 7);
    returns.on_outcome(report("returns")).keep();
    gate.open();
    assert_eq!(
        outcomes.recv_timeout(TIMEOUT).unwrap(),
        ("returns", "7".to_owned())
    );
    returns.on_outcome(report("late")).keep();
    assert_eq!(outcomes.try_recv().unwrap(), ("late", "7".to_owned()));
    let cancelled = join::spawn("cancelled", |context| -> u32 {
        loop {
            context.checkpoint();
        }
    })
    .unwrap();
    let guard = cancelled.on_outcome(report("cancelled"));
    cancelled.cancel();
    let (name, text) = outcomes.recv_timeout(TIMEOUT).unwrap();
    assert_eq!((name, &*text), ("cancelled", "the task was cancelled"));
    drop(guard);
}

#[test]
fn t34_callback_taken_back_never_runs() {
    let gate = Gate::new();
    let task = gated(&gate, ());
    let ran = Arc::new(AtomicUsize::new(0));
    let count = || {
        let ran = ran.clone();
        move || {
            ran.fetch_add(1, Ordering::SeqCst);
        }
    };
    let (first, second) = (count(), count());
    let first = task.on_outcome(move |_| first());
    let stays = task.any().on_outcome(move |_| second());
    task.on_finish(count());
    drop(first);
    gate.open();
    task.join_timeout(TIMEOUT).unwrap();
    let last = Gate::new();
    task.on_finish({
        let last = last.clone();
        move || last.open()
    });
    last.pass();
    while Arc::strong_count(&ran) > 1 {
        std::thread::yield_now();
    }
    assert_eq!(ran.load(Ordering::SeqCst), 2);
    drop(stays);
}

#[test]
fn t34_panic_that_a_callback_gets_is_seen() {
    let stderr = crate::util::child::stderr_of_child(
        "tasks::select::t34_panic_that_a_callback_gets_is_seen",
        || {
            let (send, outcomes) = mpsc::channel();
            let gate = Gate::new();
            let task: Task<()> = join::spawn("panics", {
                let gate = gate.clone();
                move |_| {
                    gate.pass();
                    panic!("only once")
                }
            })
            .unwrap();
            task.on_outcome(move |outcome| send.send(outcome.is_err()).unwrap())
                .keep();
            drop(task);
            gate.open();
            assert!(outcomes.recv_timeout(TIMEOUT).unwrap());
            assert!(join::shutdown_timeout(TIMEOUT).is_complete());
        },
    );
    assert!(stderr.is_none_or(|stderr| !stderr.contains("only once")));
}

#[test]
fn t33_group_is_ready_when_a_task_of_it_ends() {
    let gate = Gate::new();
    let mut group = Group::new();
    assert_eq!(Select::new().group(&group).wait(), Ok(0));
    let first = group
        .spawn("first", {
            let gate = gate.clone();
            move |_| gate.pass()
        })
        .unwrap();
    let (send, receive) = bounded::<u8>(1);
    let zero = Select::new().group(&group).timeout(Duration::ZERO).wait();
    assert_eq!(zero, Err(SelectError::TimedOut));
    let opener = join::spawn("opener", move |_| gate.open()).unwrap();
    let first_ready = Select::new().receiver(&receive).group(&group).wait();
    assert_eq!(first_ready, Ok(1));
    let (task, outcome) = group.try_join_next().unwrap();
    assert_eq!(task, first);
    outcome.unwrap();
    opener.join().unwrap();
    drop(send);
}

#[test]
fn t33_group_alone_unparks_the_select() {
    for _ in 0..200 {
        let mut group = Group::new();
        let id = group.spawn("member", |_| ()).unwrap();
        let member = join::find(id);
        let mut select = Select::new().group(&group);
        if let Some(member) = member {
            // It reports its end to the select itself, too.
            select = select.task(&member);
        }
        assert!(matches!(select.wait(), Ok(0 | 1)));
        assert!(group.join_next().is_some());
    }
}

#[test]
fn t33_end_in_a_group_ends_all_selects_of_it() {
    let gate = Gate::new();
    let mut group = Group::new();
    let pass = gate.clone();
    group.spawn("member", move |_| pass.pass()).unwrap();
    join::scope(|scope| {
        let selects = ["first", "second"].map(|name| {
            let select = scope.spawn(name, |_| Select::new().group(&group).wait());
            let select = select.unwrap();
            wait_until_it_waits(&select.any());
            select
        });
        gate.open();
        for select in selects {
            let ended = select.join_timeout_into(TIMEOUT).unwrap();
            assert_eq!(ended.unwrap(), Ok(0));
        }
    });
}

#[test]
fn t33_group_whose_tasks_await_the_select_is_refused() {
    let (send, own) = std::sync::mpsc::channel::<AnyTask>();
    let selector = join::spawn("selector", move |_| {
        let own = own.recv_timeout(TIMEOUT).unwrap();
        let mut group = Group::new();
        group.spawn("member", move |_| own.join()).unwrap();
        while join::wait_graph().waits.is_empty() {
            std::thread::yield_now();
        }
        let refused = Select::new().group(&group).wait();
        // Either wait may be the one that is refused.
        let is_cycle = matches!(refused, Err(SelectError::WouldDeadlock { .. }));
        let member = matches!(
            group.try_join_next(),
            Some((_, Ok(Err(JoinError::WouldDeadlock { .. }))))
        );
        is_cycle || member
    });
    let selector = selector.unwrap();
    send.send(selector.any()).unwrap();
    assert!(*selector.join_timeout(TIMEOUT).unwrap());
}

#[test]
fn t33_worker_selecting_its_group_is_not_starved() {
    let pool = Pool::new(1).unwrap();
    let own = pool.clone();
    let task = pool.spawn(move |_| {
        let mut group = Group::new();
        group.spawn_on(&own, |_| 7);
        let ready = Select::new().group(&group).timeout(TIMEOUT).wait();
        (
            ready,
            group.try_join_next().map(|(_, value)| value.unwrap()),
        )
    });
    assert_eq!(*task.join_timeout(TIMEOUT).unwrap(), (Ok(0), Some(7)));
}

#[test]
fn t33_owned_task_is_a_source_and_keeps_its_value() {
    let task = join::spawn_owned("owned", |_| String::from("mine")).unwrap();
    let (send, outcome) = std::sync::mpsc::channel();
    let guard = task.on_outcome(move |outcome| send.send(outcome.is_ok()).unwrap());
    assert_eq!(Select::new().task(&task).wait(), Ok(0));
    assert!(outcome.recv_timeout(TIMEOUT).unwrap());
    drop(guard);
    assert_eq!(task.join_into().unwrap(), "mine");
}
