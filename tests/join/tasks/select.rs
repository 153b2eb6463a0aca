//! T33: waiting for the first of tasks, processes, channels, a deadline and a cancel.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
#[cfg(target_os = "linux")]
use meanwhile_join::process;
use meanwhile_join::{
    self as join, AnyTask, Builder, CancelToken, JoinError, Pool, Select, SelectError, Task,
};

use crate::util::child::in_child;
use crate::util::gate::{Gate, OpenOnDrop, TIMEOUT};
#[cfg(target_os = "linux")]
use crate::util::resources::resident_bytes;

pub(super) fn gated<T: Send + Sync + 'static>(gate: &Gate, value: T) -> Task<T> {
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

pub(super) fn wait_until_it_waits(task: &AnyTask) {
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
                let token = CancelToken::new();
                let stoppable = Select::new()
                    .task(&queued("stoppable"))
                    .token(&token)
                    .wait();
                #[cfg(target_os = "linux")]
                {
                    let cat = process::Builder::new("cat").stdin_piped().spawn().unwrap();
                    let _stdin = cat.take_stdin();
                    let beside = queued("beside a process");
                    assert_eq!(Select::new().process(&cat).task(&beside).wait(), Ok(1));
                }
                (alone, beside, timed, stoppable)
            }
        })
        .unwrap();
    let selected = outer.join_timeout(TIMEOUT).unwrap();
    assert_eq!(*selected, (Ok(0), Ok(1), Ok(0), Ok(0)));
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

/// A select that has returned must leave nothing in its sources. Each would leave more than 32 bytes, each time.
/// What the allocator takes for itself it takes once.
#[cfg(target_os = "linux")]
#[test]
fn t33_ended_selects_leave_nothing_behind() {
    const MANY: usize = 2_000;
    in_child(
        "tasks::select::t33_ended_selects_leave_nothing_behind",
        || {
            // Both outlive the test, however long that takes.
            let (_never, task) = join::Promise::<()>::new("never");
            let sleeper = process::Builder::new("sleep").arg("86400");
            let sleeper = sleeper.kill_on_drop(true).spawn().unwrap();
            let lines = sleeper.lines(process::Stream::Stdout);
            let token = CancelToken::new();
            let (_keep, receiver) = bounded::<()>(1);
            let round = || {
                for number in 0..MANY {
                    let select = Select::new().task(&task).process(&sleeper).token(&token);
                    let select = select.lines(&lines);
                    // A wait for a channel yields the processor, which takes long on a busy machine. So few do that.
                    let select = match number % 100 {
                        0 => select.receiver(&receiver),
                        _ => select,
                    };
                    let mut select = select.deadline(Instant::now());
                    assert_eq!(select.wait(), Err(SelectError::TimedOut));
                    drop(task.on_outcome(|_| ()));
                    drop(sleeper.on_exit(|_| ()));
                }
            };
            round();
            let growths = (0..3).map(|_| {
                let before = resident_bytes();
                round();
                resident_bytes().saturating_sub(before)
            });
            let growths: Vec<_> = growths.collect();
            let least = growths.iter().min().expect("three rounds");
            assert!(*least < 32 * MANY, "{growths:?} bytes");
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
fn t33_owned_task_is_a_source_and_keeps_its_value() {
    let task = join::spawn_owned("owned", |_| String::from("mine")).unwrap();
    let (send, outcome) = std::sync::mpsc::channel();
    let guard = task.on_outcome(move |outcome| send.send(outcome.is_ok()).unwrap());
    assert_eq!(Select::new().task(&task).wait(), Ok(0));
    assert!(outcome.recv_timeout(TIMEOUT).unwrap());
    drop(guard);
    assert_eq!(task.join_into().unwrap(), "mine");
}
