//! Widgets that several panels use.

use std::borrow::Cow;

use eframe::egui::{self, Color32, Pos2, Rect, Response, RichText, Sense, Shape, Stroke, Ui, Vec2};

use super::tokens::{Tokens, tokens};
use crate::jobs::ExitStatus;
use crate::record::{ItemProcessState, ItemRecord, ItemState, JobState};

/// The side length of the shape of a state.
pub(crate) const MARK_SIZE: f32 = 14.0;

/// The style of a state: a shape, a colour and a word, so that none of them stands alone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StatusStyle {
    /// The shape.
    pub(crate) mark: Mark,
    /// The colour of the shape.
    pub(crate) color: Color32,
    /// The word beside it.
    pub(crate) word: Cow<'static, str>,
}

/// The shape of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A ring: waiting.
    Ring,
    /// A triangle that points right: running.
    Play,
    /// A disc: returned.
    Disc,
    /// A cross: failed.
    Cross,
    /// A triangle that points up: panicked.
    Warning,
    /// A star with eight points: crashed.
    Star,
    /// A bar: cancelled.
    Bar,
    /// Two upright bars: stopped by a signal.
    Pause,
    /// A diamond: timed out.
    Diamond,
}

impl StatusStyle {
    /// The style of an item's state; the word is that of its process, if it has one.
    pub(crate) fn of_item(item: &ItemRecord, tokens: &Tokens) -> Self {
        let (mark, color) = match item.state {
            ItemState::Running if is_paused(item) => (Mark::Pause, tokens.neutral),
            ItemState::Waiting => (Mark::Ring, tokens.neutral),
            ItemState::Running => (Mark::Play, tokens.running),
            ItemState::Returned(_) => (Mark::Disc, tokens.returned),
            ItemState::Failed(_) => (Mark::Cross, tokens.failed),
            ItemState::Panicked(_) => (Mark::Warning, tokens.panicked),
            ItemState::Crashed(_) => (Mark::Star, tokens.crashed),
            ItemState::Cancelled => (Mark::Bar, tokens.neutral),
        };
        let word = item_word(item);
        Self { mark, color, word }
    }

    /// The style of a job's state.
    pub(crate) fn of_job(state: &JobState, tokens: &Tokens) -> Self {
        let (mark, color) = match state {
            JobState::Running => (Mark::Play, tokens.running),
            JobState::Returned => (Mark::Disc, tokens.returned),
            JobState::Failed => (Mark::Cross, tokens.failed),
            JobState::Panicked(_) => (Mark::Warning, tokens.panicked),
            JobState::Cancelled => (Mark::Bar, tokens.neutral),
            JobState::TimedOut => (Mark::Diamond, tokens.timed_out),
        };
        let word = match state {
            JobState::TimedOut => "timed out",
            _ => state.label(),
        };
        let word = word.into();
        Self { mark, color, word }
    }
}

fn is_paused(item: &ItemRecord) -> bool {
    let state = item.process.as_ref().map(|process| &process.state);
    state == Some(&ItemProcessState::Paused)
}

fn was_asked(item: &ItemRecord) -> bool {
    let process = item.process.as_ref();
    process.is_some_and(|process| process.stop_requested)
}

/// The word for an item's state: `exit code 3`, `SIGKILL` and `lost` say more than `failed`, but
/// `cancelled` says more than the signal it sent.
pub(crate) fn item_word(item: &ItemRecord) -> Cow<'static, str> {
    let end = item.ran().map(|ran| &ran.end);
    match (&item.state, end) {
        (ItemState::Running, _) if is_paused(item) => "stopped".into(),
        (ItemState::Running, None) if was_asked(item) => "asked to end".into(),
        (ItemState::Returned(_) | ItemState::Failed(_), Some(ExitStatus::Exited { code })) => {
            format!("exit code {code}").into()
        }
        (ItemState::Failed(_), Some(ExitStatus::Signalled { signal, name, .. })) => {
            let number = || format!("signal {signal}");
            name.clone().unwrap_or_else(number).into()
        }
        (ItemState::Failed(_), Some(ExitStatus::Unknown)) => "lost".into(),
        (state, _) => state.label().into(),
    }
}

/// Draws the shape of a state, as high as a line of text.
pub(crate) fn mark_ui(ui: &mut Ui, mark: Mark, color: Color32) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(MARK_SIZE), Sense::hover());
    if ui.is_rect_visible(rect) {
        paint_mark(ui, mark, rect, color);
    }
    response
}

/// Paints the shape of a state into a square.
pub(crate) fn paint_mark(ui: &Ui, mark: Mark, rect: Rect, color: Color32) {
    ui.painter().add(mark_shape(mark, rect.shrink(2.0), color));
}

/// Draws the shape and the word of a state.
pub(crate) fn status_style_ui(ui: &mut Ui, style: StatusStyle) {
    ui.spacing_mut().item_spacing.x = 5.0;
    mark_ui(ui, style.mark, style.color);
    ui.label(style.word);
}

fn mark_shape(mark: Mark, rect: Rect, color: Color32) -> Shape {
    let (center, radius) = (rect.center(), rect.width() / 2.0);
    let at = |x: f32, y: f32| center + Vec2::new(x, y) * radius;
    let filled = |points: Vec<Pos2>| Shape::convex_polygon(points, color, Stroke::NONE);
    let line = |from: Pos2, to: Pos2| Shape::line_segment([from, to], Stroke::new(2.2, color));
    match mark {
        Mark::Ring => Shape::circle_stroke(center, radius - 1.0, Stroke::new(1.8, color)),
        Mark::Play => filled(vec![at(-0.75, -1.0), at(1.0, 0.0), at(-0.75, 1.0)]),
        Mark::Disc => Shape::circle_filled(center, radius, color),
        Mark::Cross => Shape::Vec(vec![
            line(at(-0.8, -0.8), at(0.8, 0.8)),
            line(at(-0.8, 0.8), at(0.8, -0.8)),
        ]),
        Mark::Warning => filled(vec![at(0.0, -1.0), at(1.05, 0.9), at(-1.05, 0.9)]),
        // Two squares, one on its corner: both are convex, unlike a star.
        Mark::Star => Shape::Vec(vec![
            filled(vec![
                at(-0.75, -0.75),
                at(0.75, -0.75),
                at(0.75, 0.75),
                at(-0.75, 0.75),
            ]),
            filled(vec![
                at(0.0, -1.1),
                at(1.1, 0.0),
                at(0.0, 1.1),
                at(-1.1, 0.0),
            ]),
        ]),
        Mark::Pause => Shape::Vec(vec![
            line(at(-0.5, -0.9), at(-0.5, 0.9)),
            line(at(0.5, -0.9), at(0.5, 0.9)),
        ]),
        Mark::Bar => line(at(-0.95, 0.0), at(0.95, 0.0)),
        Mark::Diamond => filled(vec![
            at(0.0, -1.1),
            at(1.1, 0.0),
            at(0.0, 1.1),
            at(-1.1, 0.0),
        ]),
    }
}

/// A progress bar on a track.
pub(crate) fn progress_bar(ui: &mut Ui, share: f32, size: Vec2, fill: Color32) -> Response {
    let track = tokens(ui).line;
    let bar = egui::ProgressBar::new(share)
        .desired_width(size.x)
        .desired_height(size.y)
        .corner_radius(size.y / 2.0)
        .fill(fill);
    ui.scope(|ui| {
        // The default colour of the track is that of the background.
        ui.visuals_mut().extreme_bg_color = track;
        ui.add(bar)
    })
    .inner
}

/// The one prominent button of a panel.
pub(crate) fn primary_button(ui: &mut Ui, text: &str, enabled: bool) -> Response {
    let tokens = tokens(ui);
    let button =
        egui::Button::new(RichText::new(text).color(tokens.on_accent).strong()).fill(tokens.accent);
    ui.add_enabled(enabled, button)
}

/// A button that says under the pointer why it is disabled.
pub(crate) fn button(ui: &mut Ui, text: &str, enabled: bool, why_not: &str) -> Response {
    ui.add_enabled(enabled, egui::Button::new(text))
        .on_disabled_hover_text(why_not)
}

/// A number, right-aligned in digits of equal width.
pub(crate) fn number_ui(ui: &mut Ui, text: impl Into<String>) {
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        ui.add_space(4.0);
        let text = RichText::new(text).monospace();
        ui.add(egui::Label::new(text).truncate().selectable(false));
    });
}

/// A group that stands out from the background, as wide as its parent.
pub(crate) fn card_ui<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let tokens = tokens(ui);
    egui::Frame::new()
        .fill(tokens.surface)
        .stroke(Stroke::new(1.0, tokens.line))
        .corner_radius(6)
        .inner_margin(10)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            contents(ui)
        })
        .inner
}

/// Something with the accessible name `name` that a click or the keyboard selects.
pub(crate) fn choosable_ui(
    ui: &mut Ui,
    name: &str,
    is_selected: bool,
    contents: impl FnOnce(&mut Ui),
) -> Response {
    let id = egui::UiBuilder::new().id_salt(name).sense(Sense::click());
    let response = ui
        .scope_builder(id, |ui| {
            ui.style_mut().interaction.selectable_labels = false;
            contents(ui);
        })
        .response;
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::Button, ui.is_enabled(), is_selected, name)
    });
    if response.has_focus() {
        let stroke = Stroke::new(1.5, tokens(ui).accent);
        let painter = ui.painter();
        painter.rect_stroke(response.rect, 6, stroke, egui::StrokeKind::Inside);
    }
    response
}

/// The same as a card.
pub(crate) fn choosable_card_ui(
    ui: &mut Ui,
    name: &str,
    is_selected: bool,
    margin: egui::Margin,
    contents: impl FnOnce(&mut Ui),
) -> Response {
    let tokens = tokens(ui);
    let fill = if is_selected {
        tokens.selection
    } else {
        tokens.surface
    };
    let frame = egui::Frame::new()
        .fill(fill)
        .stroke(Stroke::new(1.0, tokens.line))
        .corner_radius(6)
        .inner_margin(margin);
    choosable_ui(ui, name, is_selected, |ui| {
        frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            contents(ui);
        });
    })
}

/// The heading of a group.
pub(crate) fn section_ui(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).size(15.0));
}

/// Centred text for a panel that has nothing to show.
pub(crate) fn empty_ui(ui: &mut Ui, title: &str, hint: &str) {
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.35).min(160.0));
        ui.label(RichText::new(title).heading());
        ui.label(RichText::new(hint).weak());
    });
}

/// A row of a two-column form: the name, then the widget with that accessible name.
pub(crate) fn field_ui(
    ui: &mut Ui,
    name: &str,
    widget: impl FnOnce(&mut Ui) -> Response,
) -> Response {
    let label = ui.label(name);
    let response = widget(ui).labelled_by(label.id);
    ui.end_row();
    response
}

/// A text with code between backticks.
#[cfg(unix)]
pub(crate) fn prose_ui(text: &str, ui: &mut Ui) {
    use egui::TextStyle;
    use egui::text::{LayoutJob, TextFormat};

    let color = ui.visuals().text_color();
    let fonts = [TextStyle::Body, TextStyle::Monospace].map(|style| style.resolve(ui.style()));
    let mut job = LayoutJob::default();
    for (index, part) in text.split('`').enumerate() {
        let format = TextFormat::simple(fonts[index % 2].clone(), color);
        job.append(part, 0.0, format);
    }
    ui.label(job);
}
