//! T26: the value of a shared task, moved out of its last handle.

use std::error::Error;
use std::io;
use std::sync::mpsc;
use std::time::Duration;

use meanwhile_join::{self as join, IntoOutputError, JoinError, Promise, Task};

use crate::util::gate::{Gate, OpenOnDrop, TIMEOUT};

const SHORT: Duration = Duration::from_millis(20);

fn until_waiting<T>(task: &Task<T>) {
    let waits = || join::wait_graph().waits.into_iter();
    while !waits().any(|wait| wait.waiter == Some(task.id())) {
        assert!(!task.is_finished(), "it did not wait");
        std::thread::yield_now();
    }
}

/// A task that takes the value of `task`.
fn taker(task: Task<u32>) -> Task<Result<u32, String>> {
    let take = move |_: &join::Context| task.into_output().map_err(|error| error.to_string());
    join::spawn("taker", take).unwrap()
}

/// Takes the value while a callback runs, which ends when the taker waits.
fn take_during_callback(add: impl FnOnce(&Task<u32>, Box<dyn FnOnce() + Send>)) {
    let (begun, may_end) = (Gate::new(), Gate::new());
    let _open = OpenOnDrop(may_end.clone());
    let (send, receive) = mpsc::channel::<()>();
    let task = join::spawn("seven", move |_| {
        receive.into_iter().for_each(drop);
        7
    })
    .unwrap();
    add(&task, {
        let (begun, may_end) = (begun.clone(), may_end.clone());
        Box::new(move || {
            begun.open();
            may_end.pass();
        })
    });
    drop(send);
    begun.pass();
    let taker = taker(task);
    let early = taker.join_timeout(SHORT);
    assert!(matches!(early, Err(JoinError::TimedOut)), "{early:?}");
    until_waiting(&taker);
    may_end.open();
    assert_eq!(taker.join().unwrap(), &Ok(7));
}

#[test]
fn t26_value_is_taken_once_callbacks_have_run() {
    take_during_callback(|task, callback| {
        let holds = task.clone();
        task.on_finish(move || {
            callback();
            drop(holds);
        });
    });
    take_during_callback(|task, callback| task.on_outcome(move |_| callback()).keep());
    take_during_callback(|task, callback| {
        let (holds, any) = (task.clone(), task.any());
        any.on_outcome(move |_| {
            callback();
            drop(holds);
        })
        .keep();
    });
}

#[test]
fn t26_value_is_there_for_who_has_just_joined() {
    for round in 0..1_000 {
        let task = join::spawn("brief", move |_| round).unwrap();
        let (send, seen) = mpsc::channel();
        task.on_outcome(move |outcome| send.send(*outcome.unwrap()).unwrap())
            .keep();
        assert_eq!(*task.join().unwrap(), round);
        assert_eq!(task.into_output().unwrap(), round);
        assert_eq!(seen.recv_timeout(TIMEOUT), Ok(round));
    }
}

#[test]
fn t26_callback_that_panics_gives_the_value_free() {
    let (begun, may_end) = (Gate::new(), Gate::new());
    let _open = OpenOnDrop(may_end.clone());
    let (promise, task) = Promise::new("seven");
    task.on_outcome({
        let (begun, may_end) = (begun.clone(), may_end.clone());
        move |_| {
            begun.open();
            may_end.pass();
            panic!("a callback that panics");
        }
    })
    .keep();
    let sender = join::spawn("sender", move |_| promise.send(7).is_ok()).unwrap();
    begun.pass();
    let taker = taker(task);
    until_waiting(&taker);
    may_end.open();
    assert_eq!(taker.join().unwrap(), &Ok(7));
    assert!(sender.join().unwrap());
}

#[test]
fn t26_callback_gets_no_value_of_its_own_task() {
    let (send, seen) = mpsc::channel();
    let (promise, task) = Promise::new("seven");
    let held = task.clone();
    let also_held = task.clone();
    task.on_finish(move || {
        let taken = held.into_output();
        drop(also_held);
        send.send(taken.is_err_and(|error| matches!(error, IntoOutputError::InUse(_))))
            .unwrap();
    });
    promise.send(7).unwrap();
    assert_eq!(seen.recv_timeout(TIMEOUT), Ok(true));
    assert_eq!(task.into_output().unwrap(), 7);
}

/// A callback joins the task that takes the value. One of the two is refused: mostly that which waits second, for
/// a wait is listed before it is checked.
#[expect(
    clippy::disallowed_methods,
    reason = "a thread of std, whose waits are not in the graph"
)]
fn ring_of_callback_and_taker(taker_is_first: bool, ends_in_a_task: bool) {
    let (send, seen) = mpsc::channel();
    let (send_taker, taker_there) = mpsc::channel::<Task<Result<u32, String>>>();
    let (begun, may_take) = (Gate::new(), Gate::new());
    let (promise, task) = Promise::new("seven");
    let guard = task.on_outcome({
        let (begun, may_take) = (begun.clone(), may_take.clone());
        move |_| {
            begun.open();
            let taker = taker_there.recv_timeout(TIMEOUT).unwrap();
            if taker_is_first {
                may_take.open();
                until_waiting(&taker);
            }
            let joined = taker.join().cloned();
            send.send(joined).unwrap();
        }
    });
    let send_seven = move || promise.send(7).unwrap();
    let sender = std::thread::Builder::new().spawn(move || {
        if ends_in_a_task {
            let sender = join::spawn("sender", move |_| send_seven()).unwrap();
            sender.join().unwrap();
        } else {
            send_seven();
        }
    });
    begun.pass();
    let number = task.id();
    let takes = {
        let may_take = may_take.clone();
        join::spawn("taker", move |_| {
            may_take.pass();
            task.into_output().map_err(|error| error.to_string())
        })
        .unwrap()
    };
    send_taker.send(takes.clone()).unwrap();
    if !taker_is_first {
        let waits = || join::wait_graph().waits.into_iter();
        while !waits().any(|wait| wait.targets.contains(&takes.id())) {
            std::thread::yield_now();
        }
        may_take.open();
    }
    let joined = seen.recv_timeout(TIMEOUT).unwrap();
    let taken = takes.join().unwrap();
    if let Err(JoinError::WouldDeadlock { cycle }) = joined {
        assert!(cycle.contains(&takes.id()) && cycle.contains(&number));
        assert_eq!(cycle.len(), 2 + usize::from(ends_in_a_task), "{cycle:?}");
        assert_eq!(taken, &Ok(7));
    } else {
        let in_use = Err("the task `seven` has another handle".to_owned());
        assert_eq!((&joined.unwrap(), taken), (&in_use, &in_use));
    }
    sender.unwrap().join().unwrap();
    drop(guard);
}

#[test]
fn t26_ring_of_callback_and_taker_is_refused() {
    for ends_in_a_task in [true, false] {
        for taker_is_first in [true, false] {
            ring_of_callback_and_taker(taker_is_first, ends_in_a_task);
        }
    }
}

#[test]
fn t26_owned_value_waits_for_no_callback() {
    let may_end = Gate::new();
    let _open = OpenOnDrop(may_end.clone());
    for way in 0..3 {
        let (promise, mut task) = Promise::owned("seven");
        let passed = may_end.clone();
        task.on_outcome(move |_| passed.pass()).keep();
        let sender = join::spawn("sender", move |_| promise.send(7).unwrap()).unwrap();
        let value = match way {
            0 => task.join_into().unwrap(),
            1 => task.join_timeout_into(TIMEOUT).unwrap().unwrap(),
            _ => loop {
                if let Some(value) = task.try_take() {
                    break value.unwrap();
                }
            },
        };
        assert_eq!(value, 7);
        assert!(!sender.is_finished());
    }
}

#[test]
fn into_output_of_a_result_takes_two_question_marks() {
    fn opened() -> Result<(), Box<dyn Error>> {
        let task = join::spawn("open", |_| Err::<(), _>(io::Error::other("no such page")))?;
        assert!(task.join()?.is_err());
        Ok(task.into_output()??)
    }
    assert!(opened().unwrap_err().is::<io::Error>());
}

#[test]
fn into_output_says_why_there_is_no_value() {
    let gate = Gate::new();
    let passed = gate.clone();
    let task = join::spawn("gated", move |_| passed.pass()).unwrap();
    let early = task.into_output().unwrap_err();
    assert_eq!(early.to_string(), "the task `gated` has not ended");
    let IntoOutputError::InUse(task) = early else {
        panic!("{early:?}");
    };
    gate.open();
    task.join().unwrap();
    let shared = task.clone().into_output().unwrap_err();
    assert_eq!(shared.to_string(), "the task `gated` has another handle");
    drop(shared);
    task.into_output().unwrap();

    let panics = join::spawn("panics", |_| panic!("failure")).unwrap();
    assert!(panics.join().is_err());
    let _also_held = panics.clone();
    let ended: IntoOutputError<()> = panics.into_output().unwrap_err();
    assert!(matches!(
        ended,
        IntoOutputError::Ended(JoinError::Panicked(_))
    ));
}
