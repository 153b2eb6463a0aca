//! The watchdog reports frames that take too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use meanwhile_join::watchdog::{Cause, Incident, Look, Watchdog};
use meanwhile_join::{self as join, WaitUntil};

use crate::util::gate::TIMEOUT;

const SHORT: Duration = Duration::from_millis(5);

fn watchdog(limit: Duration) -> (Watchdog, Receiver<Incident>) {
    let (reports, incidents) = channel();
    let watchdog = Watchdog::new(limit, move |incident| {
        // Sending fails when the test is over.
        drop(reports.send(incident));
    });
    (watchdog.expect("the system has a thread left"), incidents)
}

/// A watchdog that looks with `on_look`.
fn with_cause(
    limit: Duration,
    on_look: impl FnMut(Look) -> Option<(Cause, Duration)> + Send + 'static,
) -> (Watchdog, Receiver<Incident>) {
    let (reports, incidents) = channel();
    let watchdog = Watchdog::with_cause(limit, on_look, move |incident| {
        drop(reports.send(incident));
    });
    (watchdog.expect("the system has a thread left"), incidents)
}

#[track_caller]
fn next(incidents: &Receiver<Incident>) -> Incident {
    incidents
        .recv_timeout(TIMEOUT)
        .expect("an incident is reported")
}

#[test]
fn long_frame_is_reported_while_it_lasts_and_after() {
    let (watchdog, incidents) = watchdog(SHORT);
    let began = Instant::now();
    let frame = watchdog.frame();
    // The frame lasts until the report has come.
    let noticed = next(&incidents);
    assert!(!noticed.has_ended);
    assert!(noticed.lasted >= SHORT);
    assert_eq!(noticed.label, None);
    // It is reported once, however long it lasts.
    assert_eq!(
        incidents.recv_timeout(SHORT * 4),
        Err(RecvTimeoutError::Timeout)
    );
    drop(frame);
    let whole = began.elapsed();
    let ended = next(&incidents);
    assert!(ended.has_ended);
    assert_eq!(ended.number, noticed.number);
    assert!(ended.lasted >= noticed.lasted && ended.lasted <= whole);
}

#[test]
fn each_long_frame_is_its_own_incident() {
    let (watchdog, incidents) = watchdog(SHORT);
    for number in 1..=20 {
        let frame = watchdog.frame();
        assert_eq!(next(&incidents).number, number);
        drop(frame);
        let ended = next(&incidents);
        assert_eq!((ended.number, ended.has_ended), (number, true));
    }
}

#[test]
fn frame_that_ends_unnoticed_is_reported_once() {
    // Every frame is too long. Its end is reported exactly once, and no report follows it, even if
    // the frame ends before the watchdog notices it.
    let (watchdog, incidents) = watchdog(Duration::ZERO);
    for _ in 0..500 {
        drop(watchdog.frame());
    }
    drop(watchdog);
    let mut last_ended = 0;
    for incident in &incidents {
        assert!(incident.number > last_ended, "{incident:?} after its end");
        if incident.has_ended {
            assert_eq!(incident.number, last_ended + 1);
            last_ended = incident.number;
        }
    }
    assert_eq!(last_ended, 500);
}

#[test]
fn label_is_that_of_the_innermost_guard() {
    let (watchdog, incidents) = watchdog(SHORT);
    let frame = watchdog.frame();
    let outer = watchdog.guard("drawing");
    let inner = watchdog.guard(String::from("joining job 1"));
    assert_eq!(next(&incidents).label.as_deref(), Some("joining job 1"));
    drop(inner);
    drop(outer);
    // A later, quick label is not the cause.
    drop(watchdog.guard("painting"));
    drop(frame);
    assert_eq!(next(&incidents).label.as_deref(), Some("joining job 1"));

    let frame = watchdog.frame();
    assert_eq!(next(&incidents).label, None);
    drop(frame);
    assert_eq!(next(&incidents).label, None);
}

#[test]
fn frame_that_ends_unnoticed_has_its_slow_label() {
    let (watchdog, incidents) = watchdog(Duration::ZERO);
    for _ in 0..500 {
        let frame = watchdog.frame();
        drop(watchdog.guard("saving"));
        drop(frame);
    }
    drop(watchdog);
    let mut noticed = 0;
    for incident in &incidents {
        if !incident.has_ended {
            noticed = incident.number;
        } else if incident.number != noticed {
            assert_eq!(incident.label.as_deref(), Some("saving"));
        }
    }
}

#[test]
fn guard_removes_its_own_label_in_any_order() {
    let (watchdog, incidents) = watchdog(SHORT);
    let outer = watchdog.guard("outer");
    let inner = watchdog.guard("inner");
    let innermost = watchdog.guard("innermost");
    let mut frame = watchdog.frame();
    assert_eq!(next(&incidents).label.as_deref(), Some("innermost"));
    // After each drop, a new frame has the newest label that is still held.
    for (guard, newest_held) in [(outer, Some("innermost")), (innermost, Some("inner"))] {
        std::thread::scope(|scope| drop(scope.spawn(|| drop(guard))));
        drop(frame);
        while !next(&incidents).has_ended {}
        frame = watchdog.frame();
        assert_eq!(next(&incidents).label.as_deref(), newest_held);
    }
    drop((inner, frame));
}

#[test]
fn nested_frame_belongs_to_the_outer_one() {
    let (watchdog, incidents) = watchdog(SHORT);
    let frame = watchdog.frame();
    drop(watchdog.frame());
    let noticed = next(&incidents);
    drop(watchdog.frame());
    drop(frame);
    let ended = next(&incidents);
    assert_eq!((ended.number, ended.has_ended), (noticed.number, true));
}

#[test]
fn short_frames_and_long_rests_are_no_incidents() {
    let (watchdog, incidents) = watchdog(TIMEOUT);
    for _ in 0..10_000 {
        drop(watchdog.frame());
    }
    drop(watchdog.guard("outside of any frame"));
    drop(watchdog);
    assert_eq!(
        incidents.recv_timeout(TIMEOUT),
        Err(RecvTimeoutError::Disconnected)
    );
}

#[test]
fn frame_after_a_long_rest_is_watched() {
    let (watchdog, incidents) = watchdog(SHORT);
    for _ in 0..20 {
        let frame = watchdog.frame();
        assert!(!next(&incidents).has_ended);
        drop(frame);
        assert!(next(&incidents).has_ended);
        // By then the watchdog sleeps.
        assert_eq!(
            incidents.recv_timeout(SHORT * 4),
            Err(RecvTimeoutError::Timeout)
        );
    }
}

#[test]
fn watchdog_thread_ends_with_the_last_handle() {
    let (watchdog, incidents) = watchdog(SHORT);
    let other = watchdog.clone();
    drop(watchdog);
    let frame = other.frame();
    assert!(!next(&incidents).has_ended);
    drop(frame);
    assert!(next(&incidents).has_ended);
    drop(other);
    assert_eq!(
        incidents.recv_timeout(TIMEOUT),
        Err(RecvTimeoutError::Disconnected)
    );
}

#[test]
fn cause_is_what_was_seen_most() {
    let wait = || Cause::Waits {
        what: "waits for a test".to_owned(),
        because: Some("computes".to_owned()),
    };
    let (watchdog, incidents) = with_cause(SHORT, move |look| {
        if look.is_first {
            // Of the time before, nothing is believed.
            Some((Cause::Computes, TIMEOUT))
        } else {
            // More than the time since the look before.
            Some((wait(), TIMEOUT))
        }
    });
    for _ in 0..5 {
        let frame = watchdog.frame();
        let noticed = next(&incidents);
        let because = noticed.because();
        assert_eq!(because.as_deref(), Some("waits for a test, which computes"));
        drop(frame);
        let ended = next(&incidents);
        assert_eq!((ended.has_ended, ended.because()), (true, because));
        assert!(ended.caused_for <= ended.lasted);
    }
}

#[test]
fn cause_that_is_not_clear_is_not_said() {
    let (watchdog, incidents) = with_cause(SHORT, |_| None);
    let frame = watchdog.frame();
    assert_eq!(next(&incidents).because(), None);
    drop(frame);
    assert_eq!(next(&incidents).because(), None);
}

#[test]
fn computing_is_told_with_its_label() {
    let (watchdog, incidents) = with_cause(SHORT, |look| {
        (!look.is_first).then_some((Cause::Computes, TIMEOUT))
    });
    let frame = watchdog.frame();
    let guard = watchdog.guard("sorting");
    let noticed = next(&incidents);
    assert_eq!(noticed.because().as_deref(), Some("computes in `sorting`"));
    // Until it has lasted for long enough to be told.
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(250) {
        std::thread::yield_now();
    }
    drop((guard, frame));
    let because = next(&incidents).because().expect("it is known");
    // How long depends on the load of the machine.
    assert!(
        because.starts_with("computed for ") && because.ends_with(" s in `sorting`"),
        "{because}"
    );
}

#[test]
fn wait_of_the_library_is_named_at_once() {
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = looks.clone();
    let (watchdog, incidents) = with_cause(SHORT * 4, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        // As the system sees it, which is not believed.
        Some((Cause::Computes, TIMEOUT))
    });
    let task =
        join::spawn("decode", |context| context.sleep_until(None)).expect("a thread is left");
    let other =
        join::spawn("encode", |context| context.sleep_until(None)).expect("a thread is left");
    // The thread of the frames waits, and this one looks.
    std::thread::scope(|scope| {
        let (ui, waited, awaited) = (
            watchdog.clone(),
            task.clone(),
            [task.clone(), other.clone()],
        );
        scope.spawn(move || {
            let frame = ui.frame();
            drop(waited.join());
            drop(frame);
            let frame = ui.frame();
            drop(join::wait(&awaited, WaitUntil::All));
            drop(frame);
        });
        let noticed = next(&incidents);
        assert_eq!(looks.load(Ordering::Relaxed), 1);
        let because = "waits for task `decode` to end";
        assert_eq!(noticed.because().as_deref(), Some(because));
        task.cancel();
        let ended = next(&incidents);
        assert_eq!(
            (ended.has_ended, ended.because().as_deref()),
            (true, Some(because))
        );
        let noticed = next(&incidents);
        assert_eq!(
            noticed.because().as_deref(),
            Some("waits for task `encode` to end")
        );
        other.cancel();
        assert!(next(&incidents).has_ended);
    });
}

#[test]
fn no_look_without_a_late_frame() {
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = looks.clone();
    let (watchdog, incidents) = with_cause(TIMEOUT, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        None
    });
    for _ in 0..10_000 {
        drop(watchdog.frame());
    }
    drop(watchdog);
    assert_eq!(
        incidents.recv_timeout(TIMEOUT),
        Err(RecvTimeoutError::Disconnected)
    );
    assert_eq!(looks.load(Ordering::Relaxed), 0);
}

#[test]
fn paused_frame_is_no_incident_until_it_goes_on() {
    let (watchdog, incidents) = watchdog(SHORT * 4);
    let frame = watchdog.frame();
    let outer = watchdog.pause();
    let pause = watchdog.pause();
    assert_eq!(
        incidents.recv_timeout(SHORT * 20),
        Err(RecvTimeoutError::Timeout)
    );
    drop(outer);
    assert_eq!(
        incidents.recv_timeout(SHORT * 20),
        Err(RecvTimeoutError::Timeout)
    );
    drop(pause);
    let noticed = next(&incidents);
    assert!(!noticed.has_ended && noticed.lasted < SHORT * 40);
    drop(frame);
    assert!(next(&incidents).has_ended);
}

#[cfg(target_os = "linux")]
mod system {
    //! Tests in a process of their own.

    use std::fs;
    use std::process::{Command, id};

    use super::*;
    use crate::util::child::in_child;

    /// Far more than a frame here takes, on any machine.
    const LIMIT: Duration = Duration::from_millis(500);

    /// Stops this process for two limits.
    fn stop() {
        let script = format!("kill -STOP {pid}; sleep 1; kill -CONT {pid}", pid = id());
        let stopped = Command::new("sh").args(["-c", &script]).status();
        assert!(stopped.expect("every system has it").success());
    }

    #[test]
    fn stopped_process_gives_no_incident() {
        in_child(
            "watchdog::system::stopped_process_gives_no_incident",
            || {
                let (watchdog, incidents) = watchdog(LIMIT);
                // After a rest, and while the window draws.
                for short_frames in [0, 1_000] {
                    for _ in 0..short_frames {
                        drop(watchdog.frame());
                    }
                    let frame = watchdog.frame();
                    stop();
                    drop(frame);
                    assert_eq!(
                        incidents.recv_timeout(LIMIT),
                        Err(RecvTimeoutError::Timeout)
                    );
                }
                // It still watches, and counts what the frame takes after the stop.
                let frame = watchdog.frame();
                stop();
                let noticed = next(&incidents);
                assert_eq!((noticed.number, noticed.has_ended), (1, false));
                assert!(noticed.lasted < LIMIT * 2, "{noticed:?}");
                drop(frame);
                let ended = next(&incidents);
                assert!(
                    ended.has_ended && ended.lasted < noticed.lasted + LIMIT * 3 / 2,
                    "{ended:?}"
                );
            },
        );
    }

    #[test]
    fn watchdog_thread_wakes_for_checks_alone() {
        in_child(
            "watchdog::system::watchdog_thread_wakes_for_checks_alone",
            || {
                let (watchdog, incidents) = with_cause(LIMIT, |_| None);
                drop(watchdog.frame());
                // By then it sleeps.
                let before = loop {
                    let before = sleeps();
                    let quiet = incidents.recv_timeout(LIMIT * 3);
                    assert_eq!(quiet, Err(RecvTimeoutError::Timeout));
                    if sleeps() == before {
                        break before;
                    }
                };
                let began = Instant::now();
                while began.elapsed() < LIMIT * 2 {
                    drop(watchdog.frame());
                }
                let checks = began.elapsed().as_nanos() / LIMIT.as_nanos();
                let woken = sleeps() - before;
                assert!(
                    u128::from(woken) <= checks + 2,
                    "{woken} times, {checks} checks"
                );
            },
        );
    }

    /// How often the watchdog's thread has gone to sleep.
    fn sleeps() -> u64 {
        loop {
            // It may not have begun.
            if let Some(sleeps) = sleeps_of_thread() {
                return sleeps;
            }
            std::thread::yield_now();
        }
    }

    fn sleeps_of_thread() -> Option<u64> {
        let threads = fs::read_dir("/proc/self/task")
            .expect("Linux has it")
            .flatten();
        let mut statuses =
            threads.filter_map(|it| fs::read_to_string(it.path().join("status")).ok());
        let status = statuses.find(|status| status.starts_with("Name:\twatchdog\n"))?;
        let line = status
            .lines()
            .find(|line| line.starts_with("voluntary_ctxt"));
        line?.split_whitespace().nth(1)?.parse().ok()
    }
}
