//! The latency of frames.

use std::time::{Duration, SystemTime};

use meanwhile::record::{
    FrameCost, FrameCosts, FrameHistory, FrameSummary, IncidentRecord, Incidents,
};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn latency_of_consecutive_frames_is_start_to_start() {
    let mut frames = FrameHistory::default();
    frames.begin_frame(millis(0), None);
    frames.begin_frame(millis(16), Some(millis(0)));
    frames.begin_frame(millis(66), Some(millis(16)));
    let expected = FrameSummary {
        last: Some(millis(50)),
        worst: Some(millis(50)),
        repaints: 3,
        slow: 1,
    };
    assert_eq!(frames.summary(millis(66)), expected);
}

#[test]
fn window_that_slept_is_not_slow() {
    let mut frames = FrameHistory::default();
    frames.begin_frame(millis(0), None);
    frames.begin_frame(seconds(60), None);
    frames.begin_frame(millis(60_110), Some(millis(60_100)));
    let summary = frames.summary(millis(60_110));
    assert_eq!(
        (summary.last, summary.slow, summary.repaints),
        (Some(millis(10)), 0, 2)
    );
}

#[test]
fn worst_frame_expires_after_five_seconds() {
    let mut frames = FrameHistory::default();
    frames.begin_frame(seconds(2), Some(millis(0)));
    assert_eq!(frames.summary(seconds(7)).worst, Some(seconds(2)));
    assert_eq!(frames.summary(millis(7_001)).worst, None);
    assert_eq!(frames.summary(millis(7_001)).slow, 1);
}

#[test]
fn frame_history_is_bounded() {
    let mut frames = FrameHistory::default();
    for frame in 1..=2_000 {
        frames.begin_frame(millis(frame), Some(millis(frame - 1)));
    }
    assert_eq!(frames.latencies().count(), 512);
}

#[test]
fn incidents_are_the_newest_hundred() {
    let mut incidents = Incidents::default();
    for number in 0..200 {
        incidents.push(IncidentRecord {
            because: None,
            began: SystemTime::UNIX_EPOCH,
            lasted: seconds(number),
            label: None,
        });
    }
    let lasted: Vec<_> = incidents.iter().map(|incident| incident.lasted).collect();
    assert_eq!(
        (lasted.len(), lasted[0], lasted[99]),
        (100, seconds(199), seconds(100))
    );
}

#[test]
fn frame_costs_are_those_of_half_an_hour() {
    let mut costs = FrameCosts::default();
    assert!(costs.spreads().is_none());
    for _ in 0..1_000 {
        let (code, with_painting) = (seconds(1), seconds(2));
        costs.push(FrameCost {
            code,
            with_painting,
        });
    }
    for frame in 1..=108_000 {
        let (code, with_painting) = (Duration::from_micros(frame), millis(200));
        costs.push(FrameCost {
            code,
            with_painting,
        });
    }
    assert_eq!(costs.count(), 108_000);
    let [code, with_painting] = costs.spreads().unwrap();
    let figures = [code.p50, code.p99, code.max, with_painting.max];
    for (figure, expected) in figures.into_iter().zip([54.0, 106.92, 108.0, 200.0]) {
        assert!(
            (figure - expected).abs() < 0.01,
            "{figure} ms, not {expected} ms"
        );
    }
}
