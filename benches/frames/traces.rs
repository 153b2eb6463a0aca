//! The lanes of traces with very many spans: built, drawn at several zooms, and drawn while they grow.

use std::io::Write as _;
use std::time::Instant;

use eframe::egui::{Pos2, Rect, Ui, Vec2};
use meanwhile::format;
use meanwhile::trace::{
    GroupId, LaneId, LaneKind, Row, Span, SpanOutcome, SpanState, Trace, compare,
};
use meanwhile::ui::tokens::tokens;
use meanwhile::ui::trace_view::{TimeRange, TraceView, TraceViewState};

use super::{Bench, Costs, Screen, show};

const LANES: u64 = 40;
const GROUP: GroupId = GroupId::new(1);
/// The time from the begin of a span to that of the next one in its lane.
const STEP: u64 = 1_000_000;
/// The spans that begin in a second of the trace that grows.
const RATE: u64 = 200_000;

impl Bench {
    pub(super) fn traces(&self) -> std::io::Result<()> {
        for spans in [u64::from(self.spans), u64::from(self.spans) * 10] {
            self.trace(spans)?;
            comparison(spans)?;
        }
        self.growing_trace()?;
        self.many_lanes()
    }

    /// A trace of so many spans, at several zooms.
    fn trace(&self, spans: u64) -> std::io::Result<()> {
        let began = Instant::now();
        let trace = trace(spans, STEP);
        let per_span = began.elapsed().as_secs_f64() * 1e9 / spans as f64;
        writeln!(
            std::io::stdout(),
            "building a trace of {} spans: {per_span:.0} ns a span",
            format::count(spans)
        )?;
        let whole = TraceView::new(&trace, None).whole();
        for share in [1.0, 0.1, 0.01, 0.001] {
            let middle = whole.from + whole.length() / 2.0;
            let mut state = TraceViewState::default();
            state.range = Some(whole.zoomed(middle, share));
            let mut ours = Costs::default();
            let mut plain = Costs::default();
            let screens = [Screen::new(), Screen::new()];
            for _ in 0..self.frames {
                let mut view_ui = |ui: &mut Ui| {
                    TraceView::new(&trace, None).show(&mut state, ui);
                };
                ours.push(screens[0].pane(Vec::new(), &mut view_ui));
            }
            // A million rectangles take half a second.
            for _ in 0..self.frames.min(20) {
                let mut plain_ui =
                    |ui: &mut Ui| plain_lanes_ui(&trace, whole.zoomed(middle, share), ui);
                plain.push(screens[1].pane(Vec::new(), &mut plain_ui));
            }
            let title = format!(
                "timeline of {} spans, {} % of it in sight",
                format::count(spans),
                share * 100.0
            );
            show(
                &title,
                &mut [
                    ("meanwhile", &mut ours),
                    ("a rectangle for each", &mut plain),
                ],
            )?;
        }
        Ok(())
    }

    /// Traces with few and with very many lanes, of which as many are in sight.
    fn many_lanes(&self) -> std::io::Result<()> {
        for lanes in [100, 100_000] {
            let mut trace = Trace::default();
            trace.add_group(GROUP, "#1 Images");
            let name = trace.add_text("item");
            for number in 0..lanes {
                let lane = trace.add_lane(GROUP, format!("Thread {number}"), LaneKind::Thread);
                if let Some(lane) = lane {
                    let span = Span::open(number, name, SpanState::Runs);
                    trace.add(lane, span.until(number + STEP, SpanOutcome::Returned));
                }
            }
            let mut state = TraceViewState::default();
            let screen = Screen::new();
            let mut costs = Costs::default();
            for _ in 0..self.frames {
                let mut frame_ui = |ui: &mut Ui| {
                    TraceView::new(&trace, None).show(&mut state, ui);
                };
                costs.push(screen.pane(Vec::new(), &mut frame_ui));
            }
            let title = format!("timeline of {} lanes", format::count(lanes));
            show(&title, &mut [("meanwhile", &mut costs)])?;
        }
        Ok(())
    }

    /// A trace that grows by so many spans as begin in the time of a frame.
    fn growing_trace(&self) -> std::io::Result<()> {
        let mut trace = Trace::default();
        let lanes = lanes(&mut trace);
        let name = trace.add_text("item");
        let mut state = TraceViewState::default();
        let screen = Screen::new();
        let mut costs = Costs::default();
        let mut number = 0;
        let interval = 16_667_000;
        for frame in 1..=self.frames as u64 {
            let now = frame * interval;
            let mut frame_ui = |ui: &mut Ui| {
                while number * 1_000_000_000 / RATE < now {
                    let at = number * 1_000_000_000 / RATE;
                    let lane = lanes[(number % LANES) as usize];
                    trace.end(lane, at, SpanOutcome::Returned);
                    trace.begin(lane, at, name, SpanState::Runs);
                    number += 1;
                }
                TraceView::new(&trace, Some(now)).show(&mut state, ui);
            };
            costs.push(screen.pane(Vec::new(), &mut frame_ui));
        }
        let title = format!(
            "timeline that grows by {} spans a second",
            format::count(RATE)
        );
        show(&title, &mut [("meanwhile", &mut costs)])
    }
}

/// Comparing two traces, in one of which each span takes a tenth longer.
fn comparison(spans: u64) -> std::io::Result<()> {
    let (before, after) = (trace(spans, STEP), trace(spans, STEP * 11 / 10));
    let began = Instant::now();
    let found = compare(&before, &after);
    let took = format::duration(began.elapsed());
    writeln!(
        std::io::stdout(),
        "comparing two traces of {} spans: {took}, {} differences",
        format::count(spans),
        found.differences.len() + found.left_out
    )
}

fn lanes(trace: &mut Trace) -> Vec<LaneId> {
    trace.add_group(GROUP, "#1 Images");
    let add = |number| trace.add_lane(GROUP, format!("Thread {number}"), LaneKind::Thread);
    (1..=LANES).filter_map(add).collect()
}

/// A trace of so many spans, of which in each lane one begins after the other in steps.
fn trace(spans: u64, step: u64) -> Trace {
    let mut trace = Trace::default();
    let lanes = lanes(&mut trace);
    let name = trace.add_text("item");
    for number in 0..spans {
        let lane = lanes[(number % LANES) as usize];
        let began = number / LANES * step;
        let length = number * 7_919 % (STEP * 9 / 10) * step / STEP;
        let outcome = if number % 9_973 == 0 {
            SpanOutcome::Failed
        } else {
            SpanOutcome::Returned
        };
        let span = Span::open(began, name, SpanState::Runs).until(began + length, outcome);
        trace.add(lane, span);
    }
    trace
}

/// What one would write first: a rectangle for each span in sight.
#[expect(clippy::cast_possible_truncation, reason = "places on the screen")]
fn plain_lanes_ui(trace: &Trace, range: TimeRange, ui: &Ui) {
    let room = ui.available_rect_before_wrap();
    let scale = f64::from(room.width()) / range.length();
    let painter = ui.painter_at(room);
    for (lane, y) in trace
        .lanes()
        .zip(0..)
        .map(|((_, lane), number)| (lane, number as f32 * 20.0))
    {
        for span in lane.rows().iter().flat_map(Row::iter) {
            let left = (span.began() as f64 - range.from) * scale;
            let width = span.length() as f64 * scale;
            if left + width < 0.0 || left > f64::from(room.width()) {
                continue;
            }
            let at = Pos2::new(room.left() + left as f32, room.top() + y);
            let rect = Rect::from_min_size(at, Vec2::new(width as f32, 16.0));
            painter.rect_filled(rect, 0, tokens(ui).running);
        }
    }
}
