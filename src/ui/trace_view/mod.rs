//! A trace on screen: lanes along one time axis, to be zoomed and moved.
//!
//! What is out of sight costs nothing, and what is thinner than a pixel is drawn once a pixel, so a frame takes as long
//! for a million spans as for some thousand. All bars form one mesh.

mod bars;
mod counters;
mod keys;
mod only;
mod painter;
mod places;
mod range;
mod style;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui::{
    self, Align2, Color32, FontId, Mesh, Pos2, Rangef, Rect, Response, ScrollArea, Sense, Shape,
    Stroke, Ui, UiBuilder, Vec2, WidgetInfo,
};

pub use self::only::Only;
use self::painter::Painter;
use self::places::{Entry, KeptPlaces, Place};
pub use self::range::TimeRange;
use super::legend::legend_ui;
use super::time_axis::AXIS_HEIGHT;
use super::tokens::{UNIT, tokens};
use super::widgets::cut_in_the_middle;
use crate::format;
use crate::trace::{CounterId, GroupId, Lane, LaneId, SpanId, SpanOutcome, Trace};

/// The column of names, left of the lanes.
const NAME_WIDTH: f32 = 150.0;
const NAME_SIZE: f32 = 12.5;
/// The strip of the window's frames, below the lanes.
const STRIP_HEIGHT: f32 = 34.0;
/// A shorter wait of an item, in nanoseconds, is not worth a word.
const LEAST_WAIT: u64 = 10_000_000;
/// A span that takes less of the shown time than this is too short to be seen, and then is made to take so much.
const LEAST_SHARE: f64 = 0.01;
const ZOOMED_SHARE: f64 = 0.1;
/// The characters of either end of a name that are looked at: a line has room for fewer.
const MAX_END: usize = 500;
/// A span is found this many points beside it.
const REACH: f32 = 3.0;

/// What the user has done to the view.
#[derive(Clone, Debug, Default)]
pub struct TraceViewState {
    /// The time that is shown; `None` for all of it.
    pub range: Option<TimeRange>,
    /// Whether the end of the range goes on with the time.
    pub follows: bool,
    pub folded: BTreeSet<GroupId>,
    /// The lanes that are shown first.
    pub pinned: BTreeSet<LaneId>,
    pub selected: Option<SpanId>,
    /// Only groups and lanes whose name has this text are shown.
    pub filter: String,
    /// Spans of this kind stand out, and lanes without one are not shown.
    pub only: Only,
    /// Whether the selected span is to be brought into sight.
    reveals: bool,
    /// Whether the time is to be zoomed then if the span would be too short to be seen.
    zooms: bool,
    /// That of the bars, whose memory the next frame uses again. Else the allocator would give up to megabytes back to the
    /// system after each frame.
    bars: Arc<Mesh>,
    places: KeptPlaces,
}

impl TraceViewState {
    /// Selects a span, or none, and brings it into sight.
    pub fn reveal(&mut self, span: Option<SpanId>) {
        self.selected = span;
        self.reveals = span.is_some();
    }

    /// Selects a span, brings it into sight, and zooms to it if it would be too short to be seen.
    pub fn show_span(&mut self, span: SpanId) {
        self.selected = Some(span);
        self.follows = false;
        self.reveals = true;
        self.zooms = true;
    }
}

/// A view of a trace.
pub struct TraceView<'a> {
    trace: &'a Trace,
    /// The time now, at which open spans end; `None` if nothing in the trace goes on.
    now: Option<u64>,
    whole: TimeRange,
}

impl<'a> TraceView<'a> {
    /// A view of a trace that goes on until `now`; `None` if nothing in it goes on.
    pub fn new(trace: &'a Trace, now: Option<u64>) -> Self {
        let until = now.unwrap_or(0).max(trace.last_at());
        let whole = TimeRange::new(trace.first_at().unwrap_or(0).min(until), until);
        Self { trace, now, whole }
    }

    /// The view shows so many nanoseconds from the begin of the trace, though that may be shorter.
    #[must_use]
    pub fn lasting(mut self, length: f64) -> Self {
        self.whole.until = self.whole.from + length;
        self
    }

    /// The number of spans that there was no room for.
    pub fn dropped(&self) -> u64 {
        self.trace.dropped()
    }

    /// The time of all that there is.
    pub fn whole(&self) -> TimeRange {
        self.whole
    }

    /// What there is to say about a span, in a line for each thing.
    pub fn text(&self, id: SpanId) -> Option<String> {
        let (lane, span) = (self.trace.lane(id.lane)?, self.trace.span(id)?);
        let ended = span.ended_by(self.end());
        let doing = match span.outcome {
            SpanOutcome::None => span.state.title(),
            outcome => outcome.title(),
        };
        let goes_on = if span.ended().is_none() {
            " so far"
        } else {
            ""
        };
        let waited = self.trace.waited(id).unwrap_or(0);
        let waited = if waited < LEAST_WAIT {
            String::new()
        } else {
            let waited = format::duration(duration(waited));
            format!(", waited {waited} for its turn")
        };
        Some(format!(
            "{}\n{doing}, {}{goes_on}, from {}{waited}\n{}",
            self.trace.name(id.lane.group, span.name),
            format::duration(duration(ended - span.began())),
            format::duration(duration(span.began().saturating_sub(begin(self.whole)))),
            lane.name,
        ))
    }

    /// What the marks of a lane say, each with its time.
    pub fn marks_of(&self, lane: Option<LaneId>) -> impl Iterator<Item = String> {
        let begin = begin(self.whole);
        let marks = self.trace.marks().iter();
        let marks = marks.filter(move |mark| Some(mark.lane) == lane);
        marks.map(move |mark| {
            let at = format::duration(duration(mark.at.saturating_sub(begin)));
            format!("{at}: {}", mark.text)
        })
    }

    /// Draws the view over all the available room. Returns whether something has changed that the next frame shows.
    pub fn show(&self, state: &mut TraceViewState, ui: &mut Ui) -> bool {
        let whole = self.whole;
        let room = ui.available_rect_before_wrap();
        let axis = Rangef::new(room.left() + NAME_WIDTH, room.right() - UNIT * 3.0);
        let mut range = self.shown_range(state, whole);
        self.unhide(state);
        let places = places::places(self.trace, state);
        let before = (
            state.range,
            state.selected,
            state.folded.len(),
            state.pinned.len(),
        );

        let top = room.with_max_y(room.top() + AXIS_HEIGHT);
        let has_frames = self.trace.frames().iter().len() > 0;
        let strip_height = if has_frames { STRIP_HEIGHT } else { 0.0 };
        let strip = room.with_min_y((room.bottom() - strip_height).max(top.bottom()));
        let lanes = Rect::from_min_max(top.left_bottom(), strip.right_top());
        let plot = Rect::from_x_y_ranges(axis, lanes.y_range());
        let background = ui.interact(plot, ui.scope_id().with("plot"), Sense::click_and_drag());
        background.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, self.summary()));
        if let Some(moved) = keys::moved(range, axis, &background, ui) {
            range = moved.within(whole);
            state.range = Some(range);
            state.follows = false;
        }
        let painter = Painter::new(self, state, range, axis, ui);
        painter.axis(top, plot, ui);
        let clicked_freeze = has_frames.then(|| self.strip_ui(strip, &painter, ui));
        let mut clicked = None;
        let mut ui = ui.new_child(UiBuilder::new().max_rect(lanes));
        let scroll = ScrollArea::vertical().auto_shrink(false).id_salt("lanes");
        let scroll = match self.revealed(state, &places) {
            Some(offset) => scroll.vertical_scroll_offset(offset),
            None => scroll,
        };
        scroll.show_viewport(&mut ui, |ui, visible| {
            ui.set_height(places::height(&places));
            let origin = ui.min_rect().left_top();
            let shown = places::between(&places, visible.top(), visible.bottom());
            let shown = &places[shown];
            painter.lanes(shown, origin, &mut state.bars, ui);
            for place in shown {
                let rect = Rect::from_min_size(
                    Pos2::new(room.left(), origin.y + place.top),
                    Vec2::new(room.width(), place.height),
                );
                self.entry_ui(place, rect, state, ui);
            }
            let pointer = background.hover_pos();
            let hit = pointer.and_then(|at| painter.span_at(shown, origin, at));
            let count = || pointer.and_then(|at| painter.count_at(shown, origin, at));
            let text = hit.and_then(|hit| self.text(hit)).or_else(count);
            if let Some(text) = text {
                background.clone().on_hover_text_at_pointer(text);
            }
            clicked = background.clicked().then_some(hit);
        });
        if let Some(clicked) = clicked {
            state.selected = clicked;
            background.request_focus();
        }
        self.walk(state, &places, &background, &ui);
        if let Some(freeze) = clicked_freeze.flatten() {
            state.show_span(freeze);
        }
        before
            != (
                state.range,
                state.selected,
                state.folded.len(),
                state.pinned.len(),
            )
    }

    /// The legend, to be drawn wherever there is room.
    pub fn legend_ui(ui: &mut Ui) {
        let entries = style::legend(tokens(ui));
        legend_ui(&entries, ui);
    }

    fn end(&self) -> u64 {
        self.now.unwrap_or(0).max(self.trace.last_at())
    }

    fn shown_range(&self, state: &mut TraceViewState, whole: TimeRange) -> TimeRange {
        let Some(range) = state.range else {
            return whole.with_margin();
        };
        if !state.follows || self.now.is_none() {
            return range;
        }
        let by = whole.with_margin().until - range.until;
        let range = range.moved(by / range.length());
        state.range = Some(range);
        range
    }

    /// The frames of the window, and their times. Returns the freeze that is clicked.
    fn strip_ui(&self, strip: Rect, painter: &Painter<'_>, ui: &Ui) -> Option<SpanId> {
        let response = ui.interact(strip, ui.scope_id().with("frames"), Sense::click());
        response.widget_info(|| {
            let longest = self.trace.frames().iter().map(|frame| frame.took).max();
            let longest = longest.map_or_else(String::new, |took| {
                format!(", longest {}", format::duration(duration(took)))
            });
            let freezes = self.trace.freezes().map_or(0, |(_, freezes)| freezes.len());
            let freezes = match freezes {
                0 => String::new(),
                freezes => format!(", {}", format::plural(freezes, "freeze", "freezes")),
            };
            WidgetInfo::labeled(
                egui::Role::Image,
                true,
                format!("Frames of this window{longest}{freezes}"),
            )
        });
        let at = Pos2::new(strip.left() + UNIT * 5.0, strip.center().y);
        let font = FontId::proportional(NAME_SIZE);
        let color = tokens(ui).text_weak;
        ui.painter().text(
            at,
            Align2::LEFT_CENTER,
            "Frames of this window",
            font,
            color,
        );
        painter.frames(strip, ui);
        let pointer = response.hover_pos();
        let freeze = pointer.and_then(|at| painter.freeze_at(at));
        let text = match freeze.and_then(|freeze| self.text(freeze)) {
            Some(text) => Some(text),
            None => pointer.and_then(|at| painter.frame_at(at)).map(|frame| {
                let late = format::duration(duration(frame.took));
                let cause = self.trace.frames().cause(&frame);
                let asked =
                    cause.map_or_else(String::new, |cause| format!("\nAsked for by {cause}"));
                format!("A frame that was there {late} after it was due{asked}")
            }),
        };
        let is_clicked = response.clicked();
        if let Some(text) = text {
            response.on_hover_text_at_pointer(text);
        }
        freeze.filter(|_| is_clicked)
    }

    /// The heading of a group, or the name of a lane.
    fn entry_ui(&self, place: &Place, rect: Rect, state: &mut TraceViewState, ui: &Ui) {
        match place.entry {
            Entry::Group(id) => self.group_ui(id, rect, state, ui),
            Entry::Counter(id) => self.counter_ui(id, rect, ui),
            Entry::Lane(id) => self.lane_ui(id, rect, state, ui),
        }
    }

    fn group_ui(&self, id: GroupId, rect: Rect, state: &mut TraceViewState, ui: &Ui) {
        let Some(group) = self.trace.group(id) else {
            return;
        };
        let is_open = !state.folded.contains(&id);
        let line = rect;
        // Behind the name alone: the rest of the line belongs to the plot.
        let rect = rect.with_max_x(rect.left() + NAME_WIDTH);
        let response = ui.interact(rect, ui.scope_id().with(("group", id)), Sense::click());
        response.widget_info(|| {
            WidgetInfo::selected(
                egui::Role::DisclosureTriangle,
                true,
                is_open,
                group.name.as_str(),
            )
        });
        let tokens = tokens(ui);
        let painter = ui.painter();
        if response.hovered() || response.has_focus() {
            painter.rect_filled(rect, 2, tokens.button);
        }
        let font = FontId::proportional(NAME_SIZE);
        let arrow = Pos2::new(rect.left() + UNIT * 2.5, rect.center().y);
        painter.add(triangle(arrow, is_open, tokens.text_weak));
        let at = Pos2::new(rect.left() + UNIT * 5.0, rect.center().y);
        let name = name_in_line(&group.name, &font, line.right() - at.x, ui);
        painter.text(at, Align2::LEFT_CENTER, name, font, tokens.text);
        if response.clicked() {
            toggle(&mut state.folded, id);
        }
    }

    fn lane_ui(&self, id: LaneId, rect: Rect, state: &mut TraceViewState, ui: &Ui) {
        let Some(lane) = self.trace.lane(id) else {
            return;
        };
        let rect = rect.with_max_x(rect.left() + NAME_WIDTH);
        let response = ui.interact(rect, ui.scope_id().with(("lane", id)), Sense::click());
        response.widget_info(|| {
            WidgetInfo::labeled(egui::Role::Button, true, self.lane_text(id, lane))
        });
        let tokens = tokens(ui);
        if response.hovered() || response.has_focus() {
            ui.painter().rect_filled(rect.shrink(1.0), 2, tokens.button);
        }
        let font = FontId::proportional(NAME_SIZE);
        let name = if state.pinned.contains(&id) {
            self.long_name(id, lane)
        } else {
            lane.name.clone()
        };
        let name = name_in_line(&name, &font, rect.width() - UNIT * 7.0, ui);
        let at = Pos2::new(rect.left() + UNIT * 5.0, rect.center().y);
        ui.painter()
            .text(at, Align2::LEFT_CENTER, name, font, tokens.text);
        if response.clicked() {
            toggle(&mut state.pinned, id);
        }
        response.on_hover_ui(|ui| {
            let click = if state.pinned.contains(&id) {
                "put it back"
            } else {
                "show it on top"
            };
            ui.label(format!("{}\nClick to {click}.", self.lane_text(id, lane)));
        });
    }

    fn counter_ui(&self, id: CounterId, rect: Rect, ui: &Ui) {
        let Some(counter) = self.trace.counter(id) else {
            return;
        };
        let rect = rect.with_max_x(rect.left() + NAME_WIDTH);
        let response = ui.interact(rect, ui.scope_id().with(("counter", id)), Sense::hover());
        let text = || {
            let group = self.trace.group(id.group).map_or("", |group| &group.name);
            let (now, peak) = (counter.value(), counter.peak());
            let (now, peak) = (format::count(now), format::count(peak));
            format!(
                "{}, {group}: {now} at the end, {peak} at most",
                counter.name
            )
        };
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, text()));
        let font = FontId::proportional(NAME_SIZE);
        let at = Pos2::new(rect.left() + UNIT * 5.0, rect.center().y);
        let color = tokens(ui).text_weak;
        let painter = ui.painter();
        let name = name_in_line(&counter.name, &font, rect.right() - at.x, ui);
        painter.text(at, Align2::LEFT_CENTER, name, font, color);
        response.on_hover_ui(|ui| {
            ui.label(text());
        });
    }

    /// The name of a lane with that of its group.
    fn long_name(&self, id: LaneId, lane: &Lane) -> String {
        let group = self.trace.group(id.group);
        format!("{}, {}", lane.name, group.map_or("", |group| &group.name))
    }

    fn lane_text(&self, id: LaneId, lane: &Lane) -> String {
        let last = lane.rows().first().and_then(|row| row.last());
        let last = last.map(|last| {
            let what = if last.ended().is_some() {
                "last"
            } else {
                "now"
            };
            format!(", {what} {}", self.trace.name(id.group, last.name))
        });
        let spans = format::plural(lane.len(), "span", "spans");
        format!(
            "{}: {spans}{}",
            self.long_name(id, lane),
            last.unwrap_or_default()
        )
    }

    fn summary(&self) -> String {
        let groups = self.trace.group_count();
        format!(
            "Timeline of {}, {}",
            format::plural(groups, "group", "groups"),
            format::plural(self.trace.len(), "span", "spans")
        )
    }

    /// Brings the lane of a span that is to be seen out of a folded group, and out of what the filters leave out.
    fn unhide(&self, state: &mut TraceViewState) {
        let Some(selected) = state.selected.filter(|_| state.reveals) else {
            return;
        };
        state.folded.remove(&selected.lane.group);
        let entry = Entry::Lane(selected.lane);
        let places = places::places(self.trace, state);
        if places.iter().all(|place| place.entry != entry) {
            state.filter.clear();
            state.only = Only::All;
        }
    }

    /// How far down the lane of the selected span is, if that is to be brought into sight.
    fn revealed(&self, state: &mut TraceViewState, places: &[Place]) -> Option<f32> {
        if !std::mem::take(&mut state.reveals) {
            return None;
        }
        let selected = state.selected?;
        let span = self.trace.span(selected)?;
        let (began, ended) = (span.began() as f64, span.ended_by(self.end()) as f64);
        let range = state.range.unwrap_or_else(|| self.whole.with_margin());
        let is_short = ended - began < range.length() * LEAST_SHARE;
        if std::mem::take(&mut state.zooms) && is_short {
            let factor = (ended - began) / (range.length() * ZOOMED_SHARE);
            let middle = began.midpoint(ended);
            let by = middle - range.from.midpoint(range.until);
            let zoomed = range.moved(by / range.length()).zoomed(middle, factor);
            state.range = Some(zoomed.within(self.whole));
        } else if state.range.is_some() {
            state.range = Some(range.showing(began, ended));
        }
        let place = places
            .iter()
            .find(|place| place.entry == Entry::Lane(selected.lane))?;
        Some((place.top - places::GROUP_HEIGHT * 2.0).max(0.0))
    }

    /// Goes from span to span with the arrow keys.
    fn walk(&self, state: &mut TraceViewState, places: &[Place], plot: &Response, ui: &Ui) {
        if let Some(next) = keys::walked(self.trace, state.selected, places, plot, ui) {
            state.selected = Some(next);
            state.reveals = true;
        }
    }
}

/// A name in one line, as much of it as there is room for. Files may have any names.
fn name_in_line(name: &str, font: &FontId, room: f32, ui: &Ui) -> String {
    cut_in_the_middle(&format::one_line(&ends_of(name)), font, room, ui)
}

/// A name, or both ends of one that is longer than any line: a frame has no time to measure megabytes.
fn ends_of(name: &str) -> Cow<'_, str> {
    if name.len() <= 8 * MAX_END {
        return name.into();
    }
    let begin = name.chars().take(MAX_END);
    let end: Vec<char> = name.chars().rev().take(MAX_END).collect();
    begin.chain(end.into_iter().rev()).collect()
}

/// What a heading has in front of it: it points down if there is something below.
fn triangle(center: Pos2, is_open: bool, color: Color32) -> Shape {
    let (long, short) = (UNIT, UNIT * 0.7);
    let corner = |along: f32, across: f32| {
        let offset = if is_open {
            Vec2::new(across, along)
        } else {
            Vec2::new(along, across)
        };
        center + offset
    };
    let corners = vec![
        corner(-short, -long),
        corner(short, 0.0),
        corner(-short, long),
    ];
    Shape::convex_polygon(corners, color, Stroke::NONE)
}

fn toggle<T: Ord>(set: &mut BTreeSet<T>, one: T) {
    if !set.remove(&one) {
        set.insert(one);
    }
}

fn duration(nanos: u64) -> std::time::Duration {
    std::time::Duration::from_nanos(nanos)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time that was a whole number"
)]
fn begin(range: TimeRange) -> u64 {
    range.from.max(0.0) as u64
}
