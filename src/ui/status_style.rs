//! The styles of states: a shape, a colour and a word.

use std::borrow::Cow;

use eframe::egui::{Color32, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, Vec2};

use super::tokens::Tokens;
use crate::jobs::ExitStatus;
use crate::record::{ItemProcessState, ItemRecord, ItemState, JobState};

/// The side length of the shape of a state.
pub(crate) const MARK_SIZE: f32 = 14.0;

/// The style of a state: a shape, a colour and a word, so that none of them stands alone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StatusStyle {
    pub(crate) mark: Mark,
    pub(crate) color: Color32,
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
        let word = state.title().into();
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

/// The word for an item's state: `exit code 3`, `SIGKILL` and `exit unknown` say more than `failed`,
/// but
/// `cancelled` says more than the signal it sent.
pub(crate) fn item_word(item: &ItemRecord) -> Cow<'static, str> {
    let end = item.ran().map(|ran| &ran.end);
    match (&item.state, end) {
        (ItemState::Running, _) if is_paused(item) => "paused".into(),
        (ItemState::Running, None) if was_asked(item) => "asked to end".into(),
        (ItemState::Returned(_) | ItemState::Failed(_), Some(ExitStatus::Exited { code })) => {
            format!("exit code {code}").into()
        }
        (ItemState::Failed(_), Some(ExitStatus::Signalled { signal, name, .. })) => {
            let number = || format!("signal {signal}");
            name.clone().unwrap_or_else(number).into()
        }
        (ItemState::Failed(_), Some(ExitStatus::Unknown)) => "exit unknown".into(),
        (state, _) => state.title().into(),
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
