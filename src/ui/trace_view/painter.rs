//! Draws the lanes in sight, with their arrows and marks.

use std::collections::BTreeMap;
use std::sync::Arc;

use eframe::egui::{
    Color32, FontId, Mesh, Pos2, Rangef, Rect, Shape, Stroke, StrokeKind, Ui, Vec2,
};

use super::bars::{Bars, Scale};
use super::places::{Entry, LANE_GAP, Place, ROW_HEIGHT};
use super::range::TimeRange;
use super::{Only, REACH, TraceView, TraceViewState, begin, duration};
use crate::format;
use crate::trace::{CounterId, Flow, FlowKind, Frame, Lane, LaneId, Row, SpanId};
use crate::ui::time_axis::TimeAxis;
use crate::ui::tokens::{Tokens, tokens};

const LABEL_SIZE: f32 = 11.0;
/// Arrows beyond this number are left out: they would hide the bars.
const MAX_ARROWS: usize = 300;
/// The times at the bottom and the top of the strip of frames, in nanoseconds. Its scale is logarithmic.
const FRAMES: (f32, f32) = (0.5e6, 1_000.0e6);
/// Frames above this many nanoseconds miss a refresh of a 60 Hz screen.
const SLOW: u64 = 16_700_000;
/// How much of its colour the band of a freeze has.
const BAND: f32 = 0.3;
/// The size of a mark.
const MARK: f32 = 4.0;

pub(super) struct Painter<'a> {
    view: &'a TraceView<'a>,
    selected: Option<SpanId>,
    only: Only,
    /// The time that the labels call 0.
    origin: u64,
    axis: Rangef,
    scale: Scale,
    tokens: &'static Tokens,
}

impl<'a> Painter<'a> {
    pub(super) fn new(
        view: &'a TraceView<'a>,
        state: &TraceViewState,
        range: TimeRange,
        axis: Rangef,
        ui: &Ui,
    ) -> Self {
        Self {
            view,
            selected: state.selected,
            only: state.only,
            origin: begin(view.whole),
            axis,
            scale: Scale::new(range, axis),
            tokens: tokens(ui),
        }
    }

    /// The labels of the axis in `top`, and its lines in the plot.
    pub(super) fn axis(&self, top: Rect, plot: Rect, ui: &Ui) {
        let painter = ui.painter();
        painter.rect_filled(plot, 2, self.tokens.field);
        let (from, until) = self.scale.ends();
        let axis = TimeAxis::new(duration(from), duration(until), self.axis)
            .counting_from(duration(self.origin));
        let ticks = axis.ticks();
        for tick in &ticks {
            let x = painter.round_to_pixel_center(tick.x);
            painter.vline(x, plot.y_range(), Stroke::new(1.0, self.tokens.line));
        }
        TimeAxis::paint_labels(ticks, top.top(), painter, self.tokens);
    }

    /// The lanes at these places, with what is in them.
    pub(super) fn lanes(&self, places: &[Place], origin: Pos2, kept: &mut Arc<Mesh>, ui: &Ui) {
        let area = ui.clip_rect();
        let painter = ui.painter_at(Rect::from_x_y_ranges(self.axis, area.y_range()));
        // egui has dropped that of the last frame.
        let mesh = Arc::make_mut(kept);
        mesh.vertices.clear();
        mesh.indices.clear();
        let mut labels = Vec::new();
        let mut bars = Bars {
            scale: self.scale,
            now: self.view.end(),
            pixel: 1.0 / ui.ctx().pixels_per_point(),
            tokens: self.tokens,
            only: self.only,
            mesh,
        };
        for place in places {
            let id = match place.entry {
                Entry::Lane(id) => id,
                Entry::Counter(id) => {
                    self.counter(id, place, origin, &mut bars);
                    continue;
                }
                Entry::Group(_) => continue,
            };
            for (y, row, number) in self.rows(id, place, origin) {
                bars.add(row, y, |index, rect, color| {
                    let span = SpanId {
                        lane: id,
                        row: number,
                        index,
                    };
                    labels.push((span, rect, color));
                });
            }
        }
        painter.add(Shape::mesh(Arc::clone(kept)));
        for (span, rect, color) in labels {
            self.label(span, rect, color, ui);
        }
        let lanes = lane_places(places, origin);
        self.flows(&lanes, &painter);
        self.marks(&lanes, &painter);
        self.selection(&lanes, &painter);
    }

    fn counter(&self, id: CounterId, place: &Place, origin: Pos2, bars: &mut Bars<'_>) {
        if let Some(counter) = self.view.trace.counter(id) {
            let top = origin.y + place.top;
            let y = Rangef::new(top, top + place.height).shrink(LANE_GAP);
            let area = Rect::from_x_y_ranges(self.axis, y);
            bars.add_counter(counter, area);
        }
    }

    /// What the counter at a position says.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time that is shown"
    )]
    pub(super) fn count_at(&self, places: &[Place], origin: Pos2, at: Pos2) -> Option<String> {
        let place = place_at(places, origin, at)?;
        let Entry::Counter(id) = place.entry else {
            return None;
        };
        let counter = self.view.trace.counter(id)?;
        let time = self.scale.time_at(at.x).max(0.0) as u64;
        let value = format::count(counter.value_at(time));
        let time = format::duration(duration(time.saturating_sub(self.origin)));
        Some(format!("{}: {value} at {time}", counter.name))
    }

    /// The frames of the window: of those at one pixel the longest.
    pub(super) fn frames(&self, strip: Rect, ui: &Ui) {
        let plot = Rect::from_x_y_ranges(self.axis, strip.y_range());
        ui.painter().rect_filled(plot, 2, self.tokens.field);
        let pixel = 1.0 / ui.ctx().pixels_per_point();
        let (from, until) = self.scale.ends();
        let mut mesh = Mesh::default();
        let mut last: Option<(f32, u64)> = None;
        for frame in self.view.trace.frames().between(from, until) {
            let x = self.scale.x_of(frame.at);
            match &mut last {
                Some((at, took)) if x < *at + pixel => *took = (*took).max(frame.took),
                _ => {
                    if let Some(done) = last.replace((x, frame.took)) {
                        self.frame_bar(done, plot, &mut mesh);
                    }
                }
            }
        }
        if let Some(last) = last {
            self.frame_bar(last, plot, &mut mesh);
        }
        self.freezes(plot, pixel, &mut mesh);
        ui.painter_at(plot).add(Shape::mesh(mesh));
    }

    /// The freezes: a band over their time, with a mark on top.
    fn freezes(&self, plot: Rect, pixel: f32, mesh: &mut Mesh) {
        let Some((_, freezes)) = self.view.trace.freezes() else {
            return;
        };
        let (from, until) = self.scale.ends();
        let color = self.tokens.failed;
        // So that marks do not cover each other.
        let step = self.scale.nanos_of((2.0 * MARK).max(pixel));
        freezes.pieces(from, until, step, |piece| {
            let ended = piece.ended.unwrap_or(self.view.end());
            let x = Rangef::new(self.scale.x_of(piece.began), self.scale.x_of(ended));
            let band = Rect::from_x_y_ranges(x, plot.y_range());
            mesh.add_colored_rect(band, color.gamma_multiply(BAND));
            let middle = x.center().clamp(plot.left() + MARK, plot.right() - MARK);
            add_mark(Pos2::new(middle, plot.top()), self.tokens.text, mesh);
        });
    }

    fn frame_bar(&self, (x, took): (f32, u64), plot: Rect, mesh: &mut Mesh) {
        let (low, high) = FRAMES;
        let share = ((took as f32 / low).ln() / (high / low).ln()).clamp(0.05, 1.0);
        let color = if took > SLOW {
            self.tokens.failed
        } else {
            self.tokens.running
        };
        // A frame is as wide as it is long, once that can be seen.
        let width = self.scale.points_of(took).max(1.5);
        let x = Rangef::new(x, x + width);
        let y = Rangef::new(plot.bottom() - plot.height() * share, plot.bottom());
        mesh.add_colored_rect(Rect::from_x_y_ranges(x, y), color);
    }

    /// The longest frame near a position.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time that is shown"
    )]
    pub(super) fn frame_at(&self, at: Pos2) -> Option<Frame> {
        let time = self.scale.time_at(at.x).max(0.0) as u64;
        let reach = self.scale.nanos_of(REACH);
        let near = self
            .view
            .trace
            .frames()
            .between(time.saturating_sub(reach), time + reach);
        near.max_by_key(|frame| frame.took).copied()
    }

    /// The freeze at a position.
    pub(super) fn freeze_at(&self, at: Pos2) -> Option<SpanId> {
        let (lane, freezes) = self.view.trace.freezes()?;
        let index = self.near(freezes, at.x)?;
        Some(SpanId {
            lane,
            row: 0,
            index,
        })
    }

    /// The span of a row at a place, or near it.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a time that is shown"
    )]
    fn near(&self, row: &Row, x: f32) -> Option<usize> {
        let time = self.scale.time_at(x).max(0.0) as u64;
        let exact = row.at(time).map(|(index, _)| index);
        exact.or_else(|| {
            let reach = self.scale.nanos_of(REACH);
            let mut near = None;
            let from = time.saturating_sub(reach);
            row.pieces(from, time + reach, reach.max(1), |piece| {
                near = near.or(Some(piece.span));
            });
            near
        })
    }

    /// The span at a position.
    pub(super) fn span_at(&self, places: &[Place], origin: Pos2, at: Pos2) -> Option<SpanId> {
        let place = place_at(places, origin, at)?;
        let Entry::Lane(lane) = place.entry else {
            return None;
        };
        let (_, spans, row) = self
            .rows(lane, place, origin)
            .find(|(y, ..)| y.contains(at.y))?;
        let index = self.near(spans, at.x)?;
        Some(SpanId { lane, row, index })
    }

    /// The rows of a lane with their heights on screen and their numbers.
    fn rows(
        &self,
        id: LaneId,
        place: &Place,
        origin: Pos2,
    ) -> impl Iterator<Item = (Rangef, &'a Row, usize)> + use<'a> {
        let top = origin.y + place.top + LANE_GAP;
        let rows = self.view.trace.lane(id).map_or(&[][..], Lane::rows);
        rows.iter().enumerate().map(move |(number, row)| {
            let y = top + ROW_HEIGHT * number as f32;
            (Rangef::new(y, y + ROW_HEIGHT), row, number)
        })
    }

    fn label(&self, id: SpanId, rect: Rect, color: Color32, ui: &Ui) {
        let Some(span) = self.view.trace.span(id) else {
            return;
        };
        let text = short_name(&self.view.trace.name(id.lane.group, span.name));
        let inner = rect.shrink2(Vec2::new(4.0, 0.0));
        let painter = ui.painter_at(inner.intersect(ui.clip_rect()));
        let font = FontId::proportional(LABEL_SIZE);
        let color = on(color, self.tokens);
        let galley = painter.layout_no_wrap(text, font, color);
        let at = Pos2::new(inner.left(), inner.center().y - galley.size().y / 2.0);
        painter.galley(at, galley, color);
    }

    fn flows(&self, lanes: &BTreeMap<LaneId, Rect>, painter: &eframe::egui::Painter) {
        let (from, until) = self.scale.ends();
        let is_in_sight = |flow: &&Flow| {
            let (a, b) = (flow.from.1.min(flow.to.1), flow.from.1.max(flow.to.1));
            a <= until && b >= from
        };
        let ends = |flow: &Flow| Some((*lanes.get(&flow.from.0)?, *lanes.get(&flow.to.0)?));
        let flows = self.view.trace.flows().iter().filter(is_in_sight);
        let flows = flows.filter_map(|flow| Some((flow, ends(flow)?)));
        for (flow, (start, end)) in flows.take(MAX_ARROWS) {
            let color = match flow.kind {
                FlowKind::Start => self.tokens.text_weak,
                FlowKind::Join => self.tokens.accent,
            };
            let tail = Pos2::new(self.scale.x_of(flow.from.1), start.center().y);
            let head = Pos2::new(self.scale.x_of(flow.to.1), end.center().y);
            painter.arrow(tail, head - tail, Stroke::new(1.0, color));
        }
    }

    fn marks(&self, lanes: &BTreeMap<LaneId, Rect>, painter: &eframe::egui::Painter) {
        let mut mesh = Mesh::default();
        let (from, until) = self.scale.ends();
        let marks = self.view.trace.marks().iter();
        for mark in marks.filter(|mark| (from..=until).contains(&mark.at)) {
            let Some(rect) = lanes.get(&mark.lane) else {
                continue;
            };
            let at = Pos2::new(self.scale.x_of(mark.at), rect.top() + LANE_GAP);
            add_mark(at, self.tokens.panicked, &mut mesh);
        }
        painter.add(Shape::mesh(mesh));
    }

    fn selection(&self, lanes: &BTreeMap<LaneId, Rect>, painter: &eframe::egui::Painter) {
        let Some(id) = self.selected else {
            return;
        };
        let (Some(lane), Some(span)) = (lanes.get(&id.lane), self.view.trace.span(id)) else {
            return;
        };
        let ended = span.ended_by(self.view.end());
        let x = Rangef::new(self.scale.x_of(span.began()), self.scale.x_of(ended));
        let top = lane.top() + LANE_GAP + ROW_HEIGHT * id.row as f32;
        let rect = Rect::from_x_y_ranges(x, Rangef::new(top, top + ROW_HEIGHT));
        let stroke = Stroke::new(2.0, self.tokens.text);
        painter.rect_stroke(rect.expand(1.0), 1, stroke, StrokeKind::Outside);
    }
}

/// A triangle that points down.
fn add_mark(at: Pos2, color: Color32, mesh: &mut Mesh) {
    let half = Vec2::new(MARK, 0.0);
    let first = u32::try_from(mesh.vertices.len()).unwrap_or(0);
    for corner in [at - half, at + half, at + Vec2::new(0.0, 2.0 * MARK)] {
        mesh.colored_vertex(corner, color);
    }
    mesh.add_triangle(first, first + 1, first + 2);
}

fn place_at(places: &[Place], origin: Pos2, at: Pos2) -> Option<&Place> {
    places.iter().find(|place| {
        let top = origin.y + place.top;
        (top..top + place.height).contains(&at.y)
    })
}

/// Where the lanes are on screen.
fn lane_places(places: &[Place], origin: Pos2) -> BTreeMap<LaneId, Rect> {
    let lanes = places.iter().filter_map(|place| match place.entry {
        Entry::Lane(id) => Some((id, place)),
        Entry::Group(_) | Entry::Counter(_) => None,
    });
    lanes
        .map(|(id, place)| {
            let at = Pos2::new(origin.x, origin.y + place.top);
            (id, Rect::from_min_size(at, Vec2::new(1.0, place.height)))
        })
        .collect()
}

/// The last part of a path, or the text, in one line.
fn short_name(name: &str) -> String {
    let last = name.rsplit('/').next().filter(|last| !last.is_empty());
    let short: String = last.unwrap_or(name).chars().take(200).collect();
    format::one_line(&short).into_owned()
}

/// The colour of a text on a bar.
fn on(color: Color32, tokens: &Tokens) -> Color32 {
    // Every colour of a state stands out from the ground of tables.
    if color.a() == u8::MAX {
        tokens.field
    } else {
        tokens.text
    }
}
