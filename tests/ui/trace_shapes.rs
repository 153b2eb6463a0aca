//! What the view of a trace draws of traces that are odd.

use eframe::egui::epaint::ClippedShape;
use eframe::egui::{self, Pos2, Rect, Shape};
use meanwhile::trace::{
    Flow, FlowKind, Frame, GroupId, LaneId, LaneKind, Mark, Span, SpanOutcome, SpanState, Trace,
};
use meanwhile::ui::trace_view::{TraceView, TraceViewState};

const GROUP: GroupId = GroupId::new(1);
const SIZE: egui::Vec2 = egui::vec2(760.0, 480.0);
/// The column of names.
const NAMES: f32 = 150.0;

fn shapes(trace: &Trace) -> Vec<ClippedShape> {
    let ctx = egui::Context::default();
    let mut state = TraceViewState::default();
    let mut shapes = Vec::new();
    // Places are known from the second frame on.
    for _ in 0..2 {
        let input = egui::RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, SIZE)),
            ..egui::RawInput::default()
        };
        let mut output = ctx.run_ui(input, |ui| {
            TraceView::new(trace, None).show(&mut state, ui);
        });
        output.textures_delta.clear();
        shapes = output.shapes;
    }
    shapes
}

fn trace_with(name: &str, spans: &[(u64, u64)]) -> Trace {
    let mut trace = Trace::default();
    trace.add_group(GROUP, name);
    let lane = trace.add_lane(GROUP, name, LaneKind::Thread).expect("room");
    let text = trace.add_text(name);
    for (began, ended) in spans {
        let span = Span::open(*began, text, SpanState::Runs);
        trace.add(lane, span.until(*ended, SpanOutcome::Returned));
    }
    trace
}

/// Adds one of everything else to a lane.
fn add_all(trace: &mut Trace, name: &str, at: u64) {
    let lane = LaneId {
        group: GROUP,
        index: 0,
    };
    let counter = trace.add_counter(GROUP, name).expect("room");
    trace.set_counter(counter, at, 100);
    trace.add_mark(Mark {
        at,
        lane,
        text: name.to_owned(),
    });
    trace.add_flow(Flow {
        kind: FlowKind::Join,
        from: (lane, at),
        to: (lane, at + 1),
    });
    let cause = trace.add_frame_cause("src/app/frame.rs:1");
    let took = 5_000_000;
    trace.add_frame(Frame { at, took, cause });
}

/// Each text in sight, with where it is.
fn texts(shapes: &[ClippedShape]) -> Vec<(String, Rect)> {
    let texts = shapes.iter().filter_map(|shape| match &shape.shape {
        Shape::Text(text) => {
            let rect = text.visual_bounding_rect();
            assert!(
                rect.right() <= SIZE.x || rect.left() > NAMES,
                "{rect:?} of a name"
            );
            let window = Rect::from_min_size(Pos2::ZERO, SIZE);
            let rect = rect.intersect(shape.clip_rect).intersect(window);
            Some((text.galley.text().to_owned(), rect))
        }
        _ => None,
    });
    texts.filter(|(_, rect)| rect.is_positive()).collect()
}

/// All is at a finite place, names stay in their column, and no text is on another.
fn assert_looks_right(trace: &Trace, what: &str) {
    let shapes = shapes(trace);
    for shape in &shapes {
        let rect = shape.shape.visual_bounding_rect();
        assert!(!rect.is_negative() || !rect.any_nan(), "{what}: {rect:?}");
        if let Shape::Mesh(mesh) = &shape.shape {
            let is_finite = |at: Pos2| at.x.is_finite() && at.y.is_finite();
            let all = mesh.vertices.iter().all(|corner| is_finite(corner.pos));
            assert!(all, "{what}: a corner is nowhere");
        }
    }
    let texts = texts(&shapes);
    // The heading of a group has its whole line, and above all lanes are the times.
    let is_wide = |(text, rect): &&(String, Rect)| {
        rect.left() < NAMES - 20.0 && rect.right() > NAMES + 8.0 && !text.ends_with(" s")
    };
    let wide: Vec<_> = texts.iter().filter(is_wide).collect();
    assert!(wide.len() <= 1, "{what}: {wide:?} leave their column");
    for (place, (text, rect)) in texts.iter().enumerate() {
        for (other, taken) in &texts[place + 1..] {
            let both = rect.intersect(*taken);
            assert!(
                !both.is_positive() || both.width() < 1.0 || both.height() < 1.0,
                "{what}: {text:.40} is on {other:.40}"
            );
        }
    }
}

#[test]
fn traces_with_next_to_nothing_look_right() {
    let mut empty = Trace::default();
    empty.add_group(GROUP, "#1 Images");
    assert_looks_right(&empty, "a group without lanes");
    assert_looks_right(&trace_with("item", &[]), "a lane without spans");
    assert_looks_right(&trace_with("item", &[(7, 7)]), "a span without length");
    assert_looks_right(&trace_with("item", &[(7, 2_000_000_007)]), "one span");
    let mut open = trace_with("item", &[]);
    let text = open.add_text("item");
    let lane = LaneId {
        group: GROUP,
        index: 0,
    };
    open.begin(lane, 5, text, SpanState::Waits);
    assert_looks_right(&open, "a span without an end");
}

#[test]
fn very_long_names_stay_in_their_places() {
    let names = ["wide ", "長い名前", "word", "a\nb", "e\u{301}", "שלום "];
    for (part, letters) in names
        .into_iter()
        .zip([1_000, 1_000, 1_000_000, 1_000, 1_000, 1_000])
    {
        let name = part.repeat(letters / part.chars().count());
        let what: String = name.chars().take(8).collect();
        let mut trace = trace_with(&name, &[(0, 900), (1_000, 2_000_000)]);
        add_all(&mut trace, &name, 1_000_000);
        assert_looks_right(&trace, &what);
    }
}

#[test]
fn times_far_from_each_other_look_right() {
    let month = 30 * 24 * 3_600 * 1_000_000_000_u64;
    let mut trace = trace_with("item", &[(0, 1), (month, month + 1)]);
    add_all(&mut trace, "count", month / 2);
    assert_looks_right(&trace, "a month");
    let mut late = trace_with("item", &[(month, month + 50)]);
    add_all(&mut late, "count", month + 10);
    assert_looks_right(&late, "fifty nanoseconds after a month");
}

#[test]
fn million_spans_cost_what_their_pixels_do() {
    let corners = |count: u64| {
        let spans: Vec<_> = (0..count).map(|at| (at * 10, at * 10 + 5)).collect();
        let trace = trace_with("item", &spans);
        assert_looks_right(&trace, "many spans");
        let meshes = shapes(&trace).into_iter();
        let corners = meshes.filter_map(|shape| match shape.shape {
            Shape::Mesh(mesh) => Some(mesh.vertices.len()),
            _ => None,
        });
        corners.sum::<usize>()
    };
    let (few, many) = (corners(10_000), corners(1_000_000));
    assert!(many <= few * 2, "{many} corners, of ten thousand {few}");
}
