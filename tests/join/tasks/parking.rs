//! T31: pauses of a task, which a cancel ends at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use meanwhile_join::{
    self as join, Cancelled, Context, JoinError, Task, TaskState, Unparker, cancellable,
};

use crate::util::gate::{Gate, TIMEOUT};

type Pause = fn(&Context) -> Result<(), Cancelled>;

const PAUSES: [Pause; 5] = [
    |context| context.sleep(Duration::MAX),
    |context| context.sleep_until(None),
    Context::park,
    |context| context.park_timeout(Duration::MAX),
    |context| context.park_deadline(None),
];

fn paused(pause: Pause) -> Task<Result<(), Cancelled>> {
    let running = Gate::new();
    let task = join::spawn("paused", {
        let running = running.clone();
        move |context| {
            running.open();
            pause(context)
        }
    });
    running.pass();
    task.unwrap()
}

#[test]
fn t31_cancel_ends_every_pause() {
    for pause in PAUSES {
        let task = paused(pause);
        task.cancel();
        assert_eq!(*task.join_timeout(TIMEOUT).unwrap(), Err(Cancelled));
    }
}

#[test]
fn t31_pause_after_a_cancel_ends_at_once() {
    for pause in PAUSES {
        let (running, cancelled) = (Gate::new(), Gate::new());
        let task = join::spawn("cancelled", {
            let (running, cancelled) = (running.clone(), cancelled.clone());
            move |context| {
                running.open();
                cancelled.pass();
                (pause(context), pause(context))
            }
        })
        .unwrap();
        running.pass();
        task.cancel();
        cancelled.open();
        let paused = task.join_timeout(TIMEOUT).unwrap();
        assert_eq!(*paused, (Err(Cancelled), Err(Cancelled)));
    }
}

#[test]
fn t31_cancelled_pause_makes_it_a_cancel() {
    for pause in PAUSES {
        let task = join::spawn("cancellable", cancellable(pause)).unwrap();
        task.cancel();
        let joined = task.join_timeout(TIMEOUT);
        assert!(matches!(joined, Err(JoinError::Cancelled)), "{joined:?}");
        assert_eq!(task.state(), TaskState::Cancelled);
    }
}

#[test]
fn t31_sleep_is_not_early() {
    let time = Duration::from_millis(5);
    let task = join::spawn("sleeper", move |context| {
        let began = Instant::now();
        // An unpark does not end it.
        context.unparker().unpark();
        context.sleep(time).map(|()| began.elapsed())
    })
    .unwrap();
    let slept = task.join_timeout(TIMEOUT).unwrap();
    assert!(matches!(slept, Ok(slept) if *slept >= time), "{slept:?}");
}

#[test]
fn t31_timed_park_is_not_early_and_no_error() {
    let time = Duration::from_millis(5);
    let task = join::spawn("parker", move |context| {
        let began = Instant::now();
        context.park_timeout(time).map(|()| began.elapsed())
    })
    .unwrap();
    let parked = task.join_timeout(TIMEOUT).unwrap();
    assert!(
        matches!(parked, Ok(parked) if *parked >= time),
        "{parked:?}"
    );
}

#[test]
fn t31_pause_without_time_returns_at_once() {
    let task = join::spawn("hasty", |context| {
        context.sleep(Duration::ZERO)?;
        context.sleep_until(Instant::now())?;
        context.park_timeout(Duration::ZERO)
    })
    .unwrap();
    assert_eq!(*task.join_timeout(TIMEOUT).unwrap(), Ok(()));
}

#[test]
fn t31_unparks_before_a_park_count_as_one() {
    let task = join::spawn("parker", |context| {
        let unparker = context.unparker();
        unparker.unpark();
        unparker.unpark();
        context.park()?;
        let began = Instant::now();
        context.park_timeout(Duration::from_millis(5))?;
        Ok::<_, Cancelled>(began.elapsed())
    })
    .unwrap();
    let second = task.join_timeout(TIMEOUT).unwrap().unwrap();
    assert!(second >= Duration::from_millis(5), "{second:?}");
}

/// Each turn needs the unpark of the one before, so a lost one hangs.
#[test]
fn t31_two_tasks_that_unpark_each_other_go_on() {
    const TURNS: usize = 2_000;
    let turn = Arc::new(AtomicUsize::new(0));
    let player = |number: usize| {
        let turn = turn.clone();
        let (give, given) = mpsc::channel::<Unparker>();
        let (send, unparker) = mpsc::channel();
        let task = join::spawn("player", move |context| {
            send.send(context.unparker()).unwrap();
            let other = given.recv_timeout(TIMEOUT).unwrap();
            for own in (number..TURNS).step_by(2) {
                while turn.load(Ordering::SeqCst) != own {
                    context.park()?;
                }
                turn.store(own + 1, Ordering::SeqCst);
                other.unpark();
            }
            Ok::<(), Cancelled>(())
        });
        (task.unwrap(), give, unparker.recv_timeout(TIMEOUT).unwrap())
    };
    let (first, second) = (player(0), player(1));
    first.1.send(second.2).unwrap();
    second.1.send(first.2).unwrap();
    assert_eq!(*first.0.join_timeout(TIMEOUT).unwrap(), Ok(()));
    assert_eq!(*second.0.join_timeout(TIMEOUT).unwrap(), Ok(()));
}

#[test]
fn t31_unpark_and_cancel_at_once_end_a_park() {
    for _ in 0..200 {
        let (send, unparkers) = mpsc::channel();
        let task = join::spawn("parker", move |context| {
            send.send(context.unparker()).unwrap();
            context.park()?;
            context.park()
        })
        .unwrap();
        let unparker = unparkers.recv_timeout(TIMEOUT).unwrap();
        let unpark = join::spawn("unpark", move |_| unparker.unpark()).unwrap();
        task.cancel();
        assert_eq!(*task.join_timeout(TIMEOUT).unwrap(), Err(Cancelled));
        unpark.join_timeout(TIMEOUT).unwrap();
    }
}

#[test]
fn t31_each_helper_of_a_cancelled_task_wakes() {
    let (send, contexts) = mpsc::channel();
    let task = join::spawn("helped", move |context| {
        std::thread::scope(|scope| {
            let helpers: Vec<_> = (0..3)
                .map(|_| {
                    let context = context.clone();
                    scope.spawn(move || context.park())
                })
                .collect();
            send.send(()).unwrap();
            let ended = helpers.into_iter().map(|helper| helper.join().unwrap());
            ended.filter(Result::is_err).count()
        })
    })
    .unwrap();
    contexts.recv_timeout(TIMEOUT).unwrap();
    task.cancel();
    assert_eq!(*task.join_timeout(TIMEOUT).unwrap(), 3);
}

#[test]
fn t31_park_that_times_out_leaves_the_other_one() {
    let (send, unparkers) = mpsc::channel();
    let task = join::spawn("parks twice", move |context| {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| context.park());
            // Mostly the other one parks by then.
            let timed_out = context.park_timeout(Duration::from_millis(20));
            send.send(context.unparker()).unwrap();
            (other.join().unwrap(), timed_out)
        })
    })
    .unwrap();
    unparkers.recv_timeout(TIMEOUT).unwrap().unpark();
    assert_eq!(*task.join_timeout(TIMEOUT).unwrap(), (Ok(()), Ok(())));
}
