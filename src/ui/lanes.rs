//! Who ran, slept and waited when: a lane for each, along one time.
//!
//! What is drawn is the part of a [`Timeline`] between two times; what lies outside costs nothing to
//! paint, and what is thinner than a pixel is painted once a pixel. All bars are one mesh. Lanes that
//! are scrolled out of sight are not painted, and the axis stays below those that are in sight.

use std::time::Duration;

use eframe::egui::{
    self, Align2, Color32, FontId, Mesh, Pos2, Rangef, Rect, Response, Sense, Shape, Stroke, Ui,
    UiBuilder, Vec2,
};

use super::tokens::{Tokens, UNIT, tokens};
use super::widgets::{MARK_SIZE, Mark, paint_mark};
use crate::format;
use crate::record::{Activity, Lane, LaneKind, LaneOutcome, Timeline};

const LANE_HEIGHT: f32 = 24.0;
/// Below the lanes, for the time.
const AXIS_HEIGHT: f32 = 20.0;
/// Left of the lanes, for the names.
const NAME_WIDTH: f32 = 132.0;
/// Right of the lanes, for the mark of one that has just ended.
const END_WIDTH: f32 = 20.0;
/// Between one bar and the next.
const GAP: f32 = 1.0;
/// Between two figures of the axis at least.
const TICK_ROOM: f32 = 64.0;
/// Spans inside of one another are painted so deep: more than that nobody tells apart.
const DEEPEST: usize = 8;

/// So many lanes have a name for those who do not see them, also out of sight.
const ALL_NAMED: usize = 256;

/// A part of a timeline, to be drawn.
pub struct Lanes<'a> {
    timeline: &'a Timeline,
    from: Duration,
    until: Duration,
    now: Option<Duration>,
}

impl<'a> Lanes<'a> {
    /// All of it.
    pub fn new(timeline: &'a Timeline) -> Self {
        Self {
            timeline,
            from: Duration::ZERO,
            until: timeline.last_event_at(),
            now: None,
        }
    }

    /// Only what lies between two times, or more than there is.
    #[must_use]
    pub fn between(mut self, from: Duration, until: Duration) -> Self {
        self.from = from;
        self.until = until;
        self
    }

    /// It goes on: what has not ended lasts until now.
    #[must_use]
    pub fn until_now(mut self, now: Duration) -> Self {
        self.now = Some(now);
        self.until = self.until.max(now);
        self
    }

    /// Draws it, as wide as there is room and as high as it has lanes.
    ///
    /// ```
    /// use meanwhile::record::Timeline;
    /// use meanwhile::ui::lanes::Lanes;
    ///
    /// # eframe::egui::__run_test_ui(|ui| {
    /// Lanes::new(&Timeline::default()).show(ui);
    /// # });
    /// ```
    pub fn show(&self, ui: &mut Ui) -> Response {
        let lanes = self.timeline.lanes();
        let height = LANE_HEIGHT * lanes.len() as f32 + AXIS_HEIGHT;
        let size = Vec2::new(ui.available_width(), height);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        if !ui.is_rect_visible(rect) {
            return response;
        }
        let area = area_of(rect, ui.clip_rect());
        Painter::new(self, area, ui).axis();
        let mut ui = ui.new_child(UiBuilder::new().max_rect(area));
        ui.shrink_clip_rect(area);
        let rows = (0..).map(|index| row_of(rect, index)).zip(lanes);
        let is_in_sight = |row: Rect| ui.is_rect_visible(row);
        let seen = rows.clone().filter(|(row, _)| is_in_sight(*row));
        Painter::new(self, area, &ui).paint(&seen.collect::<Vec<_>>());
        for (row, lane) in rows {
            if lanes.len() <= ALL_NAMED || is_in_sight(row) {
                self.lane_ui(lane, row, &ui);
            }
        }
        response
    }

    /// What is under the pointer, in words; and the whole lane for those who do not see it.
    fn lane_ui(&self, lane: &Lane, row: Rect, ui: &Ui) {
        let response = ui.interact(row, ui.scope_id().with(lane.id), Sense::hover());
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Image, true, self.lane_text(lane))
        });
        let axis = Axis::new(self, row);
        let at = response.hover_pos().map(|at| axis.time(at.x));
        if let Some(at) = at.filter(|at| *at >= lane.opened) {
            response.on_hover_text_at_pointer(self.text_at(lane, at));
        }
    }

    fn end_of(&self, lane: &Lane) -> Duration {
        let closed = lane.closed.as_ref().map(|(at, _)| *at);
        closed.or(self.now).unwrap_or(self.timeline.last_event_at())
    }

    fn lane_text(&self, lane: &Lane) -> String {
        let slept = lane.time_in(Activity::Sleeps);
        let waited = lane.time_in(Activity::Waits);
        let end = match &lane.closed {
            None => "runs".to_owned(),
            Some((_, LaneOutcome::Returned)) => "returned".to_owned(),
            Some((_, LaneOutcome::Panicked)) => "panicked".to_owned(),
            Some((_, LaneOutcome::Failed(how))) => how.clone(),
        };
        format!(
            "{}: there {}, slept {}, waited {}, {end}",
            lane.name,
            format::duration(self.end_of(lane).saturating_sub(lane.opened)),
            format::duration(slept),
            format::duration(waited),
        )
    }

    fn text_at(&self, lane: &Lane, at: Duration) -> String {
        let is_in = |span: &&crate::record::Span| {
            span.began <= at && lane.end_of(span).is_none_or(|end| at < end)
        };
        let span = lane.spans.iter().rev().find(is_in);
        let end = self.end_of(lane);
        let (what, began, ended) = match span {
            Some(span) => (span.label.as_str(), span.began, lane.end_of(span)),
            None if at < end => {
                let (began, ended) = gap_at(lane, at, end);
                ("runs", began, Some(ended))
            }
            None => ("has ended", end, None),
        };
        let length = ended.unwrap_or(at).saturating_sub(began);
        let (from, name) = (began.as_secs_f64(), &lane.name);
        format!(
            "{name} {what}\nfrom {from:.3} s, {}",
            format::duration(length)
        )
    }
}

/// What the bars mean, in a line.
pub fn legend_ui(ui: &mut Ui) {
    let tokens = tokens(ui);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = 16.0;
        ui.spacing_mut().item_spacing.x = 5.0;
        for (activity, text) in [
            (None, "runs"),
            (Some(Activity::Sleeps), "sleeps"),
            (Some(Activity::Waits), "waits: a join, a receive, a lock"),
        ] {
            let (rect, _) = ui.allocate_exact_size(Vec2::new(16.0, 14.0), Sense::hover());
            let (color, share) = look_of(activity, tokens);
            let bar = Rect::from_center_size(rect.center(), Vec2::new(16.0, 12.0 * share));
            ui.painter().rect_filled(bar, 0, color);
            ui.label(egui::RichText::new(text).small().weak());
            ui.add_space(8.0);
        }
    });
}

/// The colour of a bar and how much of its lane's height it takes: none is told by colour alone.
fn look_of(activity: Option<Activity>, tokens: &Tokens) -> (Color32, f32) {
    match activity {
        None => (tokens.running, 1.0),
        Some(Activity::Sleeps) => (tokens.neutral, 0.22),
        Some(Activity::Waits) => (tokens.timed_out, 0.55),
    }
}

/// From the end of what a lane did before to the begin of what it did next.
fn gap_at(lane: &Lane, at: Duration, end: Duration) -> (Duration, Duration) {
    let ends = lane.spans.iter().filter_map(|span| lane.end_of(span));
    let began = ends
        .filter(|ended| *ended <= at)
        .fold(lane.opened, Duration::max);
    let begins = lane.spans.iter().map(|span| span.began);
    let ended = begins.filter(|began| *began > at).fold(end, Duration::min);
    (began, ended)
}

/// Where lanes are seen: between their top and the axis, which is never below what is in sight.
fn area_of(rect: Rect, sight: Rect) -> Rect {
    let bottom = rect.bottom().min(sight.bottom()) - AXIS_HEIGHT;
    rect.with_max_y(bottom.max(rect.top()))
}

fn row_of(rect: Rect, index: usize) -> Rect {
    let top = rect.top() + LANE_HEIGHT * index as f32;
    Rect::from_x_y_ranges(rect.x_range(), Rangef::new(top, top + LANE_HEIGHT))
}

/// Where a time is.
struct Axis {
    x: Rangef,
    from: f64,
    length: f64,
}

impl Axis {
    fn new(lanes: &Lanes<'_>, rect: Rect) -> Self {
        let x = Rangef::new(rect.left() + NAME_WIDTH, rect.right() - END_WIDTH);
        let length = lanes.until.saturating_sub(lanes.from).as_secs_f64();
        Self {
            x,
            from: lanes.from.as_secs_f64(),
            length: length.max(1e-6),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a place on the screen")]
    fn place(&self, at: Duration) -> f32 {
        let share = (at.as_secs_f64() - self.from) / self.length;
        self.x.min + share.clamp(-1.0, 2.0) as f32 * self.x.span()
    }

    fn time(&self, x: f32) -> Duration {
        let share = f64::from((x - self.x.min) / self.x.span());
        Duration::try_from_secs_f64(self.from + share * self.length).unwrap_or_default()
    }
}

/// How far a lane is painted already: its spans, and apart from them what is inside of those.
struct Painted {
    until: [f32; DEEPEST],
    /// When the spans end that the last one is inside of, and itself.
    open: Vec<Duration>,
}

impl Default for Painted {
    fn default() -> Self {
        Self {
            until: [f32::NEG_INFINITY; DEEPEST],
            open: Vec::new(),
        }
    }
}

impl Painted {
    /// How far those are painted that are as deep inside of others as the next span.
    fn beside(&mut self, began: Duration, ended: Duration) -> Option<&mut f32> {
        while self.open.last().is_some_and(|open| *open <= began) {
            self.open.pop();
        }
        let depth = self.open.len();
        self.open.push(ended);
        self.until.get_mut(depth)
    }
}

struct Painter<'a> {
    lanes: &'a Lanes<'a>,
    area: Rect,
    axis: Axis,
    tokens: &'static Tokens,
    ui: &'a Ui,
}

impl<'a> Painter<'a> {
    fn new(lanes: &'a Lanes<'a>, area: Rect, ui: &'a Ui) -> Self {
        Self {
            lanes,
            area,
            axis: Axis::new(lanes, area),
            tokens: tokens(ui),
            ui,
        }
    }

    fn paint(&self, rows: &[(Rect, &Lane)]) {
        let mut bars = Mesh::default();
        for (row, lane) in rows {
            self.bars(lane, row.shrink2(Vec2::new(0.0, 4.0)), &mut bars);
        }
        self.ui.painter().add(Shape::mesh(bars));
        for (row, lane) in rows {
            self.name(lane, *row);
            if let Some((at, how)) = &lane.closed {
                self.end(*at, how, *row);
            }
        }
    }

    fn axis(&self) {
        let area = Rect::from_x_y_ranges(self.axis.x, self.area.y_range());
        let painter = self.ui.painter();
        painter.rect_filled(area, 2, self.tokens.field);
        let ticks = f64::from((self.axis.x.span() / TICK_ROOM).max(1.0));
        let step = round_up(self.axis.length / ticks);
        let first = (self.axis.from / step).ceil();
        let stroke = Stroke::new(1.0, self.tokens.line);
        let mut at = first * step;
        while at <= self.axis.from + self.axis.length {
            let x = self
                .axis
                .place(Duration::try_from_secs_f64(at).unwrap_or_default());
            let x = painter.round_to_pixel_center(x);
            painter.vline(x, area.y_range(), stroke);
            let text = tick_text(at, step);
            let (font, color) = (FontId::proportional(11.5), self.tokens.text_weak);
            painter.text(
                Pos2::new(x, area.bottom() + 3.0),
                Align2::CENTER_TOP,
                text,
                font,
                color,
            );
            at += step;
        }
    }

    /// The lane from its begin to its end, and over it what it did instead of running.
    fn bars(&self, lane: &Lane, row: Rect, mesh: &mut Mesh) {
        let end = self.lanes.end_of(lane);
        self.bar(None, lane.opened, end, row, mesh);
        let pixel = 1.0 / self.ui.ctx().pixels_per_point();
        let mut painted = Painted::default();
        for span in &lane.spans {
            if span.began > self.lanes.until {
                break;
            }
            let ended = lane.end_of(span).unwrap_or(end);
            let right = self.axis.place(ended);
            let Some(painted) = painted.beside(span.began, ended) else {
                continue;
            };
            if ended < self.lanes.from || right < *painted + pixel {
                continue;
            }
            *painted = right;
            self.ground(span.began, ended, row, mesh);
            self.bar(Some(span.activity), span.began, ended, row, mesh);
        }
    }

    /// Takes the lane's own bar away where it does not run.
    fn ground(&self, began: Duration, ended: Duration, row: Rect, mesh: &mut Mesh) {
        if let Some(x) = self.range(began, ended) {
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
        let (color, share) = look_of(activity, self.tokens);
        let Some(x) = self.range(began, ended) else {
            return;
        };
        // What follows at once on another of its kind stands apart from it.
        let gap = if x.span() > 4.0 * GAP { GAP } else { 0.0 };
        let x = Rangef::new(x.min + gap, x.max);
        let half = row.height() * share / 2.0;
        let y = Rangef::new(row.center().y - half, row.center().y + half);
        mesh.add_colored_rect(Rect::from_x_y_ranges(x, y), color);
    }

    /// Where something is, as far as it is in sight; never thinner than can be seen.
    fn range(&self, began: Duration, ended: Duration) -> Option<Rangef> {
        let (left, right) = (self.axis.place(began), self.axis.place(ended));
        let left = left.max(self.axis.x.min);
        let right = right.max(left + 1.5).min(self.axis.x.max + 1.5);
        (left <= self.axis.x.max && ended >= self.lanes.from).then(|| Rangef::new(left, right))
    }

    fn name(&self, lane: &Lane, row: Rect) {
        let space = row.with_max_x(row.left() + NAME_WIDTH - UNIT * 2.0);
        let (font, color) = (FontId::proportional(13.0), self.tokens.text);
        let name = match lane.kind {
            LaneKind::Task => lane.name.clone(),
            LaneKind::Process => format!("{} (process)", lane.name),
        };
        let painter = self.ui.painter_at(space);
        let at = space.right_center();
        let galley = painter.layout_no_wrap(name, font, color);
        let left = (at.x - galley.size().x).max(space.left());
        painter.galley(Pos2::new(left, at.y - galley.size().y / 2.0), galley, color);
    }

    fn end(&self, at: Duration, how: &LaneOutcome, row: Rect) {
        let x = self.axis.place(at);
        if !self.axis.x.contains(x) {
            return;
        }
        let (mark, color) = match how {
            LaneOutcome::Returned => (Mark::Disc, self.tokens.returned),
            LaneOutcome::Panicked => (Mark::Warning, self.tokens.panicked),
            LaneOutcome::Failed(_) => (Mark::Cross, self.tokens.failed),
        };
        let center = Pos2::new(x + 2.0 + MARK_SIZE / 2.0, row.center().y);
        let rect = Rect::from_center_size(center, Vec2::splat(MARK_SIZE));
        paint_mark(self.ui, mark, rect, color);
    }
}

/// The next of 1, 2 and 5 times a power of ten.
pub(crate) fn round_up(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let fits = [1.0, 2.0, 5.0].map(|factor| factor * power);
    let next = fits.into_iter().find(|fit| *fit >= least);
    next.unwrap_or(10.0 * power)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most nine places"
)]
fn tick_text(at: f64, step: f64) -> String {
    // The logarithm of a power of ten may come out a little too large.
    let places = (-step.log10() - 1e-9).ceil().clamp(0.0, 9.0) as usize;
    format!("{at:.places$} s")
}

#[cfg(test)]
mod tests {
    use super::tick_text;

    #[test]
    fn the_figures_of_an_axis_have_as_many_places_as_tell_them_apart() {
        let steps = [10.0, 1.0, 0.5, 0.1, 0.02, 0.001, 0.000_05];
        let texts = steps.map(|step| tick_text(3.0 * step, step));
        let expected = ["30", "3", "1.5", "0.3", "0.06", "0.003", "0.00015"];
        assert_eq!(texts, expected.map(|figure| format!("{figure} s")));
    }
}
