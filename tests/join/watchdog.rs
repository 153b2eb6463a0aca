//! The watchdog reports frames that take too long.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use meanwhile_join::watchdog::{Incident, Watchdog};

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
