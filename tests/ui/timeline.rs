//! The geometry of the timeline: its meshes, lanes, axis and tooltips.

use std::time::Duration;

use eframe::egui::epaint::ClippedShape;
use eframe::egui::{self, Shape};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use meanwhile::record::{
    Activity, LaneId, LaneKind, LaneOutcome, Timeline, TimelineEvent, TimelineKind,
};
use meanwhile::ui::timeline_view::TimelineView;

/// A timeline with one lane, whose events `add` records in milliseconds.
fn one_lane(add: impl FnOnce(&mut dyn FnMut(u64, TimelineKind))) -> Timeline {
    let mut timeline = Timeline::default();
    let mut record = |at, kind| {
        let at = Duration::from_millis(at);
        let lane = LaneId::new(1);
        timeline.apply(TimelineEvent { at, lane, kind });
    };
    let (name, kind) = ("worker".to_owned(), LaneKind::Task);
    record(
        0,
        TimelineKind::DidOpen {
            name,
            kind,
            by: None,
        },
    );
    add(&mut record);
    timeline
}

/// One lane with this many sleeps of a millisecond, a millisecond apart.
fn sleeps(count: u64) -> Timeline {
    one_lane(|record| {
        for number in 0..count {
            let (activity, label) = (Activity::Sleeps, String::new());
            record(2 * number, TimelineKind::DidBegin { activity, label });
            record(2 * number + 1, TimelineKind::DidEnd);
        }
    })
}

/// The shapes of a timeline in a window 200 points high.
fn drawn(timeline: &Timeline) -> Vec<ClippedShape> {
    let ctx = egui::Context::default();
    let input = egui::RawInput {
        screen_rect: Some(egui::Rect::from_min_size(
            egui::Pos2::ZERO,
            egui::vec2(1_280.0, 200.0),
        )),
        ..egui::RawInput::default()
    };
    let mut output = ctx.run_ui(input, |ui| {
        TimelineView::new(timeline).show(ui);
    });
    output.textures_delta.clear();
    output.shapes
}

/// The number of meshes and of their corners.
fn cost(timeline: &Timeline) -> (usize, usize) {
    let shapes = drawn(timeline);
    let meshes = shapes.iter().filter_map(|shape| match &shape.shape {
        Shape::Mesh(mesh) => Some(mesh.vertices.len()),
        _ => None,
    });
    let corners: Vec<_> = meshes.collect();
    (corners.len(), corners.iter().sum())
}

#[test]
fn cost_of_many_spans_depends_on_the_pixels() {
    let few = cost(&sleeps(100));
    let many = cost(&sleeps(100_000));
    assert_eq!((few.0, many.0), (1, 1));
    assert!(few.1 >= 100 * 8, "{few:?}");
    assert!(many.1 <= 1_280 * 8 + 4, "{many:?}");
}

/// A process that lives for 10 ms and tells from here on what it does, if at all.
fn process(tells_at: Option<u64>) -> Timeline {
    let mut timeline = Timeline::default();
    let (name, kind) = ("worker".to_owned(), LaneKind::Process);
    let told = tells_at.map(|at| (at, TimelineKind::DidTell));
    let how = LaneOutcome::Returned;
    let first = [(
        0,
        TimelineKind::DidOpen {
            name,
            kind,
            by: None,
        },
    )];
    let last = [(10, TimelineKind::DidClose { how })];
    for (at, kind) in first.into_iter().chain(told).chain(last) {
        let at = Duration::from_millis(at);
        let lane = LaneId::new(1);
        timeline.apply(TimelineEvent { at, lane, kind });
    }
    timeline
}

#[test]
fn unknown_time_is_an_empty_bar_by_shape() {
    let (outline, bar) = (4 * 4, 4);
    assert_eq!(cost(&process(None)), (1, outline));
    assert_eq!(cost(&process(Some(4))), (1, outline + bar));
    assert_eq!(cost(&process(Some(0))), (1, bar));
    let known = |share| hovered(process(Some(4)), share);
    assert!(known(0.2).contains("it does not tell\nfrom 0 ms, for 4.0 ms"));
    assert_eq!(known(0.8), "worker runs\nfrom 4.0 ms, for 6.0 ms");
}

/// This many lanes side by side.
fn side_by_side(count: u64) -> Timeline {
    let mut timeline = Timeline::default();
    for number in 0..count {
        let (name, kind) = (format!("worker {number}"), LaneKind::Task);
        timeline.apply(TimelineEvent {
            at: Duration::from_millis(1),
            lane: LaneId::new(number),
            kind: TimelineKind::DidOpen {
                name,
                kind,
                by: None,
            },
        });
    }
    timeline
}

#[test]
fn lanes_out_of_sight_are_not_drawn() {
    let few = drawn(&side_by_side(5)).len();
    let many = drawn(&side_by_side(10)).len();
    assert!(few < many, "five lanes: {few} shapes, ten: {many}");
    assert_eq!(drawn(&side_by_side(10_000)).len(), many);
}

/// The visible labels of the axis.
fn axis_labels(timeline: &Timeline) -> Vec<String> {
    let shapes = drawn(timeline).into_iter();
    let labels = shapes.filter_map(|shape| match shape.shape {
        Shape::Text(text) => {
            let rect = text.visual_bounding_rect();
            let is_visible = shape.clip_rect.contains_rect(rect) && rect.bottom() <= 200.0;
            is_visible.then(|| text.galley.text().to_owned())
        }
        _ => None,
    });
    labels.filter(|text| text.ends_with(" s")).collect()
}

#[test]
fn axis_stays_visible_below_many_lanes() {
    let few = axis_labels(&side_by_side(3));
    assert!(few.len() > 1, "{few:?}");
    assert_eq!(axis_labels(&side_by_side(30)), few);
}

/// A lane with this many waits and a sleep within each.
fn sleeps_in_waits(count: u64, is_ended: bool) -> Timeline {
    one_lane(|record| {
        for number in 0..count {
            for (at, activity) in [(1, Activity::Waits), (3, Activity::Sleeps)] {
                let label = format!("{activity:?}");
                record(10 * number + at, TimelineKind::DidBegin { activity, label });
            }
            if is_ended {
                record(10 * number + 6, TimelineKind::DidEnd);
                record(10 * number + 8, TimelineKind::DidEnd);
            }
        }
        let text = String::new();
        record(10 * count, TimelineKind::Message { text });
    })
}

#[test]
fn nested_spans_are_painted_over_outer_ones() {
    for is_ended in [true, false] {
        let (meshes, corners) = cost(&sleeps_in_waits(1, is_ended));
        // The lane, and for each span a background and a bar.
        assert_eq!((meshes, corners), (1, 4 + 8 + 8), "ended: {is_ended}");
    }
    let many = cost(&sleeps_in_waits(50_000, true));
    assert!(many.1 <= 1_280 * 16 + 4, "{many:?}");
    let deep = cost(&sleeps_in_waits(50_000, false));
    assert!(deep.1 <= 1_280 * 16 + 4, "{deep:?}");
}

/// The tooltip at this share of a timeline.
fn hovered(timeline: Timeline, share: f32) -> String {
    let mut harness = Harness::builder()
        .with_size([1_280.0, 200.0])
        .build_ui(move |ui| {
            TimelineView::new(&timeline).show(ui);
        });
    let lane = harness.get_by_label_contains("worker: alive ").rect();
    // Between the names and the marks.
    let x = egui::Rangef::new(lane.left() + 132.0, lane.right() - 20.0);
    harness.hover_at(egui::pos2(x.min + share * x.span(), lane.center().y));
    harness.run_steps(60);
    let text = harness.get_by_label_contains("from ");
    text.value().expect("a label has a text")
}

#[test]
fn tooltip_covers_the_time_between_two_spans() {
    let of = |share| hovered(sleeps(3), share);
    // It sleeps from 0 to 1, from 2 to 3 and from 4 to 5 milliseconds.
    assert_eq!(of(0.5), "worker \nfrom 2.0 ms, for 1.0 ms");
    assert_eq!(of(0.3), "worker runs\nfrom 1.0 ms, for 1.0 ms");
    assert_eq!(of(0.7), "worker runs\nfrom 3.0 ms, for 1.0 ms");
}

#[test]
fn tooltip_covers_the_time_around_all_spans() {
    let of = |share| hovered(sleeps_in_waits(1, true), share);
    assert_eq!(of(0.05), "worker runs\nfrom 0 ms, for 1.0 ms");
    assert_eq!(of(0.15), "worker Waits\nfrom 1.0 ms, for 7.0 ms");
    assert_eq!(of(0.4), "worker Sleeps\nfrom 3.0 ms, for 3.0 ms");
    assert_eq!(of(0.7), "worker Waits\nfrom 1.0 ms, for 7.0 ms");
    assert_eq!(of(0.9), "worker runs\nfrom 8.0 ms, for 2.0 ms");
}
