//! A timeline: one lane for each thread and process, along a common time axis.
//!
//! The view draws the part of a [`Timeline`] between two times. Spans outside that range and lanes
//! scrolled out of sight are not painted, and spans thinner than a pixel are painted once per pixel.
//! All bars form one mesh. The axis stays below the last visible lane.

use std::time::Duration;

use eframe::egui::{
    self, Color32, FontId, Mesh, Pos2, Rangef, Rect, Response, Sense, Shape, Stroke, Ui, UiBuilder,
    Vec2,
};

use super::legend::{Swatch, legend_ui, outline_of};
use super::status_style::{MARK_SIZE, Mark, paint_mark};
use super::time_axis::{AXIS_HEIGHT, TimeAxis};
use super::tokens::{Tokens, UNIT, tokens};
use crate::format;
use crate::record::{Activity, Lane, LaneKind, LaneOutcome, Span, Timeline};

const LANE_HEIGHT: f32 = 24.0;
/// The column of names, left of the lanes.
const NAME_WIDTH: f32 = 132.0;
/// The room right of the lanes, for the mark at the end of a lane.
const END_WIDTH: f32 = 20.0;
/// The gap between two bars.
const GAP: f32 = 1.0;
/// Bars thinner than this could not be seen.
const MIN_BAR_WIDTH: f32 = 1.5;
/// Nested spans are painted down to this depth.
const MAX_DEPTH: usize = 8;
/// The thickness of the outline that stands for what nobody knows.
const OUTLINE: f32 = 1.5;
/// What a process does that does not tell it.
const UNKNOWN: &str = "runs or waits, which it does not tell";
/// Up to this many lanes, even those out of sight have a name for screen readers.
const MAX_NAMED: usize = 256;

/// A view of a timeline, or of a part of it.
pub struct TimelineView<'a> {
    timeline: &'a Timeline,
    from: Duration,
    until: Duration,
    now: Option<Duration>,
}

impl<'a> TimelineView<'a> {
    /// Shows the whole timeline.
    pub fn new(timeline: &'a Timeline) -> Self {
        Self {
            timeline,
            from: Duration::ZERO,
            until: timeline.last_event_at(),
            now: None,
        }
    }

    /// Shows the time between `from` and `until`, which may reach beyond the last event.
    #[must_use]
    pub fn between(mut self, from: Duration, until: Duration) -> Self {
        self.from = from;
        self.until = until;
        self
    }

    /// For a timeline that is still recorded: open spans last until `now`.
    #[must_use]
    pub fn until_now(mut self, now: Duration) -> Self {
        self.now = Some(now);
        self.until = self.until.max(now);
        self
    }

    /// Draws the lanes over the whole available width.
    pub fn show(&self, ui: &mut Ui) -> Response {
        let lanes = self.timeline.lanes();
        let size = Vec2::new(ui.available_width(), timeline_height(lanes.len()));
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        if !ui.is_rect_visible(rect) {
            return response;
        }
        let plot = plot_rect(rect, ui.clip_rect());
        Painter::new(self, plot, ui).axis();
        let mut ui = ui.new_child(UiBuilder::new().max_rect(plot));
        ui.shrink_clip_rect(plot);
        let rows = (0..).map(|index| row_rect(rect, index)).zip(lanes);
        let is_visible = |row: Rect| ui.is_rect_visible(row);
        let visible = rows.clone().filter(|(row, _)| is_visible(*row));
        Painter::new(self, plot, &ui).lanes(&visible.collect::<Vec<_>>());
        for (row, lane) in rows {
            if lanes.len() <= MAX_NAMED || is_visible(row) {
                self.lane_ui(lane, row, &ui);
            }
        }
        response
    }

    /// Describes the lane to screen readers, and the place under the pointer in a tooltip.
    fn lane_ui(&self, lane: &Lane, row: Rect, ui: &Ui) {
        let response = ui.interact(row, ui.scope_id().with(lane.id), Sense::hover());
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Image, true, self.lane_text(lane))
        });
        let at = response.hover_pos().map(|at| self.axis(row).time_at(at.x));
        if let Some(at) = at.filter(|at| *at >= lane.opened) {
            response.on_hover_text_at_pointer(self.text_at(lane, at));
        }
    }

    fn axis(&self, rect: Rect) -> TimeAxis {
        let x = Rangef::new(rect.left() + NAME_WIDTH, rect.right() - END_WIDTH);
        TimeAxis::new(self.from, self.until, x)
    }

    fn end_of(&self, lane: &Lane) -> Duration {
        let closed = lane.closed.as_ref().map(|(at, _)| *at);
        closed.or(self.now).unwrap_or(self.timeline.last_event_at())
    }

    fn lane_text(&self, lane: &Lane) -> String {
        let end = match &lane.closed {
            None => "running",
            Some((_, LaneOutcome::Returned)) => "returned",
            Some((_, LaneOutcome::Panicked)) => "panicked",
            Some((_, LaneOutcome::Failed(reason))) => reason,
        };
        let alive = format::duration(self.end_of(lane).saturating_sub(lane.opened));
        let known = match lane.known_from {
            Some(_) => format!(
                "slept {}, waited {}",
                format::duration(lane.time_in(Activity::Sleeps)),
                format::duration(lane.time_in(Activity::Waits)),
            ),
            None => UNKNOWN.to_owned(),
        };
        format!("{}: alive {alive}, {known}, {end}", lane.name)
    }

    /// The end of the time in which nobody knows what the lane does; its beginning if there is none.
    fn unknown_until(&self, lane: &Lane) -> Duration {
        let end = self.end_of(lane);
        lane.known_from.map_or(end, |known| known.min(end))
    }

    fn text_at(&self, lane: &Lane, at: Duration) -> String {
        let covers =
            |span: &&Span| span.began <= at && lane.end_of(span).is_none_or(|ended| at < ended);
        let end = self.end_of(lane);
        let (activity, began, ended) = match lane.spans.iter().rev().find(covers) {
            Some(span) => (span.label.as_str(), span.began, lane.end_of(span)),
            None if at < self.unknown_until(lane) => {
                (UNKNOWN, lane.opened, Some(self.unknown_until(lane)))
            }
            None if at < end => {
                let (began, ended) = gap_at(lane, at, end);
                ("runs", began, Some(ended))
            }
            None => ("has ended", end, None),
        };
        format!(
            "{} {activity}\nfrom {}, for {}",
            lane.name,
            format::duration(began),
            format::duration(ended.unwrap_or(at).saturating_sub(began)),
        )
    }
}

/// The height of a timeline with so many lanes.
pub fn timeline_height(lanes: usize) -> f32 {
    LANE_HEIGHT * lanes as f32 + AXIS_HEIGHT
}

/// Explains the bars of a timeline.
pub fn timeline_legend_ui(ui: &mut Ui) {
    let swatch = |activity| {
        let (color, share) = bar_style(activity, tokens(ui));
        Swatch::Thin(color, share)
    };
    let entries = [
        (swatch(None), "runs"),
        (swatch(Some(Activity::Sleeps)), "sleeps"),
        (
            swatch(Some(Activity::Waits)),
            "waits: a join, a receive, a lock",
        ),
        (
            Swatch::Outline(tokens(ui).neutral),
            "unknown: another program, or one that starts",
        ),
    ];
    legend_ui(&entries, ui);
}

/// The colour of a bar, and its share of the lane's height: colour alone never tells bars apart.
fn bar_style(activity: Option<Activity>, tokens: &Tokens) -> (Color32, f32) {
    match activity {
        None => (tokens.running, 1.0),
        Some(Activity::Sleeps) => (tokens.neutral, 0.22),
        Some(Activity::Waits) => (tokens.timed_out, 0.55),
    }
}

/// The time around `at` that no span covers. `end` is the end of the lane.
fn gap_at(lane: &Lane, at: Duration, end: Duration) -> (Duration, Duration) {
    let ends = lane.spans.iter().filter_map(|span| lane.end_of(span));
    let began = ends
        .filter(|ended| *ended <= at)
        .fold(lane.known_from.unwrap_or(lane.opened), Duration::max);
    let begins = lane.spans.iter().map(|span| span.began);
    let ended = begins.filter(|began| *began > at).fold(end, Duration::min);
    (began, ended)
}

/// The lanes without the axis, which stays above the bottom of the visible part.
fn plot_rect(rect: Rect, visible: Rect) -> Rect {
    let bottom = rect.bottom().min(visible.bottom()) - AXIS_HEIGHT;
    rect.with_max_y(bottom.max(rect.top()))
}

fn row_rect(rect: Rect, index: usize) -> Rect {
    let top = rect.top() + LANE_HEIGHT * index as f32;
    Rect::from_x_y_ranges(rect.x_range(), Rangef::new(top, top + LANE_HEIGHT))
}

/// The ends of the painted spans of a lane, one for each depth of nesting.
struct Painted {
    right: [f32; MAX_DEPTH],
    /// The ends of the last span and of the spans around it, outermost first.
    open: Vec<Duration>,
}

impl Default for Painted {
    fn default() -> Self {
        Self {
            right: [f32::NEG_INFINITY; MAX_DEPTH],
            open: Vec::new(),
        }
    }
}

impl Painted {
    /// The right end of what is painted at the depth of the next span; `None` if it is too deep.
    fn at_depth_of(&mut self, began: Duration, ended: Duration) -> Option<&mut f32> {
        while self.open.last().is_some_and(|open| *open <= began) {
            self.open.pop();
        }
        let depth = self.open.len();
        self.open.push(ended);
        self.right.get_mut(depth)
    }
}

struct Painter<'a> {
    view: &'a TimelineView<'a>,
    plot: Rect,
    axis: TimeAxis,
    tokens: &'static Tokens,
    ui: &'a Ui,
}

impl<'a> Painter<'a> {
    fn new(view: &'a TimelineView<'a>, plot: Rect, ui: &'a Ui) -> Self {
        Self {
            view,
            plot,
            axis: view.axis(plot),
            tokens: tokens(ui),
            ui,
        }
    }

    fn axis(&self) {
        let painter = self.ui.painter();
        let plot = Rect::from_x_y_ranges(self.axis.x, self.plot.y_range());
        painter.rect_filled(plot, 2, self.tokens.field);
        let ticks = self.axis.ticks();
        for tick in &ticks {
            let x = painter.round_to_pixel_center(tick.x);
            let stroke = Stroke::new(1.0, self.tokens.line);
            painter.vline(x, plot.y_range(), stroke);
        }
        TimeAxis::paint_labels(ticks, plot.bottom(), painter, self.tokens);
    }

    fn lanes(&self, rows: &[(Rect, &Lane)]) {
        let mut bars = Mesh::default();
        for (row, lane) in rows {
            self.bars(lane, row.shrink2(Vec2::new(0.0, 4.0)), &mut bars);
        }
        self.ui.painter().add(Shape::mesh(bars));
        for (row, lane) in rows {
            self.name(lane, *row);
            if let Some((at, end)) = &lane.closed {
                self.end_mark(*at, end, *row);
            }
        }
    }

    /// A bar for the life of the lane, as far as it is known, and over it one for each span.
    fn bars(&self, lane: &Lane, row: Rect, mesh: &mut Mesh) {
        let end = self.view.end_of(lane);
        let unknown_until = self.view.unknown_until(lane);
        if unknown_until > lane.opened {
            self.outline(lane.opened, unknown_until, row, mesh);
        }
        if unknown_until < end || lane.known_from.is_some() {
            self.bar(None, unknown_until, end, row, mesh);
        }
        let pixel = 1.0 / self.ui.ctx().pixels_per_point();
        let mut painted = Painted::default();
        for span in &lane.spans {
            if span.began > self.view.until {
                break;
            }
            let ended = lane.end_of(span).unwrap_or(end);
            let right = self.axis.x_of(ended);
            let Some(painted) = painted.at_depth_of(span.began, ended) else {
                continue;
            };
            if ended < self.view.from || right < *painted + pixel {
                continue;
            }
            *painted = right;
            self.clear(span.began, ended, row, mesh);
            self.bar(Some(span.activity), span.began, ended, row, mesh);
        }
    }

    /// Covers the bar of the lane where the thread does not run.
    fn clear(&self, began: Duration, ended: Duration, row: Rect, mesh: &mut Mesh) {
        if let Some(x) = self.visible_range(began, ended) {
            let rect = Rect::from_x_y_ranges(x, row.y_range());
            mesh.add_colored_rect(rect, self.tokens.field);
        }
    }

    fn bar(
        &self,
        activity: Option<Activity>,
        began: Duration,
        ended: Duration,
        row: Rect,
        mesh: &mut Mesh,
    ) {
        let Some(x) = self.visible_range(began, ended) else {
            return;
        };
        let (color, share) = bar_style(activity, self.tokens);
        // Two adjacent bars of one kind must not look like one.
        let gap = if x.span() > 4.0 * GAP { GAP } else { 0.0 };
        let x = Rangef::new(x.min + gap, x.max);
        let y = Rangef::point(row.center().y).expand(row.height() * share / 2.0);
        mesh.add_colored_rect(Rect::from_x_y_ranges(x, y), color);
    }

    /// An empty bar: the lane is alive, and nobody knows what it does.
    fn outline(&self, began: Duration, ended: Duration, row: Rect, mesh: &mut Mesh) {
        let Some(x) = self.visible_range(began, ended) else {
            return;
        };
        let rect = Rect::from_x_y_ranges(x, row.y_range());
        for side in outline_of(rect, OUTLINE) {
            mesh.add_colored_rect(side, self.tokens.neutral);
        }
    }

    fn visible_range(&self, began: Duration, ended: Duration) -> Option<Rangef> {
        let Rangef { min, max } = self.axis.range_of(began, ended);
        let left = min.max(self.axis.x.min);
        let right = max.max(left + MIN_BAR_WIDTH);
        let right = right.min(self.axis.x.max + MIN_BAR_WIDTH);
        let is_visible = left <= self.axis.x.max && ended >= self.view.from;
        is_visible.then(|| Rangef::new(left, right))
    }

    fn name(&self, lane: &Lane, row: Rect) {
        let space = row.with_max_x(row.left() + NAME_WIDTH - UNIT * 2.0);
        let (font, color) = (FontId::proportional(13.0), self.tokens.text);
        let name = match lane.kind {
            LaneKind::Task => lane.name.clone(),
            LaneKind::Process => format!("{} (process)", lane.name),
        };
        let painter = self.ui.painter_at(space);
        let galley = painter.layout_no_wrap(name, font, color);
        // Right-aligned, but a name that is too long shows its beginning.
        let left = (space.right() - galley.size().x).max(space.left());
        let top = space.center().y - galley.size().y / 2.0;
        painter.galley(Pos2::new(left, top), galley, color);
    }

    fn end_mark(&self, at: Duration, end: &LaneOutcome, row: Rect) {
        let x = self.axis.x_of(at);
        if !self.axis.x.contains(x) {
            return;
        }
        let (mark, color) = match end {
            LaneOutcome::Returned => (Mark::Disc, self.tokens.returned),
            LaneOutcome::Panicked => (Mark::Warning, self.tokens.panicked),
            LaneOutcome::Failed(_) => (Mark::Cross, self.tokens.failed),
        };
        let center = Pos2::new(x + 2.0 + MARK_SIZE / 2.0, row.center().y);
        let rect = Rect::from_center_size(center, Vec2::splat(MARK_SIZE));
        paint_mark(self.ui, mark, rect, color);
    }
}
