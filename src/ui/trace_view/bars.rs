//! The bars of a row, as parts of one mesh.

use eframe::egui::{Color32, Mesh, Rangef, Rect};

use super::counters::add_area;
use super::only::Only;
use super::range::TimeRange;
use super::style::{Look, look, stripe_color};
use crate::trace::{Counter, Piece, Row};
use crate::ui::hatching::add_hatch;
use crate::ui::legend::outline_of;
use crate::ui::tokens::Tokens;

/// Bars thinner than this could not be seen.
const MIN_WIDTH: f32 = 1.5;
/// The gap between two bars.
const GAP: f32 = 1.0;
const OUTLINE: f32 = 1.5;
/// Bars that stand for spans with gaps between them are paler, in so many steps.
const SHADES: f32 = 4.0;
/// The palest of them.
const PALEST: f32 = 0.45;

/// Maps the times of a range to places on screen.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    range: TimeRange,
    x: Rangef,
    points_per_nano: f64,
}

impl Scale {
    pub(super) fn new(range: TimeRange, x: Rangef) -> Self {
        Self {
            range,
            x,
            points_per_nano: f64::from(x.span()) / range.length(),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a place on the screen")]
    pub(super) fn x_of(&self, at: u64) -> f32 {
        let x = (at as f64 - self.range.from) * self.points_per_nano;
        self.x.min + x.clamp(-1e4, 1e5) as f32
    }

    pub(super) fn time_at(&self, x: f32) -> f64 {
        self.range.from + f64::from(x - self.x.min) / self.points_per_nano
    }

    #[expect(clippy::cast_possible_truncation, reason = "a length on the screen")]
    pub(super) fn points_of(&self, nanos: u64) -> f32 {
        (nanos as f64 * self.points_per_nano) as f32
    }

    /// The nanoseconds of so many points.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates"
    )]
    pub(super) fn nanos_of(&self, points: f32) -> u64 {
        (f64::from(points) / self.points_per_nano) as u64
    }

    /// The times at both ends, in whole nanoseconds.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it saturates"
    )]
    pub(super) fn ends(&self) -> (u64, u64) {
        (
            self.range.from.max(0.0) as u64,
            self.range.until.max(0.0).ceil() as u64,
        )
    }
}

/// Adds the bars of rows to a mesh.
pub(super) struct Bars<'a> {
    pub(super) scale: Scale,
    /// The time at which open spans end.
    pub(super) now: u64,
    /// The width of a pixel in points.
    pub(super) pixel: f32,
    pub(super) tokens: &'a Tokens,
    /// The others are paler.
    pub(super) only: Only,
    pub(super) mesh: &'a mut Mesh,
}

/// A bar that the next piece may lengthen.
struct Bar {
    x: Rangef,
    look: Look,
}

impl Bars<'_> {
    /// Adds a row of this height range. Calls `label` for each bar that is wide enough for a text.
    pub(super) fn add(
        &mut self,
        row: &Row,
        y: Rangef,
        mut label: impl FnMut(usize, Rect, Color32),
    ) {
        let (from, until) = self.scale.ends();
        let mut last: Option<Bar> = None;
        row.pieces(from, until, self.scale.nanos_of(self.pixel), |piece| {
            let Some(bar) = self.bar(&piece) else {
                return;
            };
            if piece.count == 1 && bar.x.span() > MIN_LABEL && !bar.look.is_hollow {
                let rect = Rect::from_x_y_ranges(bar.x, y);
                label(piece.span, rect, bar.look.color);
            }
            match &mut last {
                // Short ones that touch are one bar; there may be thousands.
                Some(last)
                    if last.look == bar.look
                        && piece.count > 1
                        && bar.x.min <= last.x.max + self.pixel =>
                {
                    last.x.max = bar.x.max;
                }
                last => {
                    if let Some(done) = last.replace(bar) {
                        draw(&done, y, self.tokens, self.mesh);
                    }
                }
            }
        });
        if let Some(last) = last {
            draw(&last, y, self.tokens, self.mesh);
        }
    }

    /// Adds the area of a counter.
    pub(super) fn add_counter(&mut self, counter: &Counter, area: Rect) {
        let (scale, pixel) = (self.scale, self.pixel);
        add_area(
            counter,
            area,
            (scale, self.now, pixel),
            self.tokens,
            self.mesh,
        );
    }

    fn bar(&self, piece: &Piece) -> Option<Bar> {
        let ended = piece.ended.unwrap_or(self.now).max(piece.began);
        let (min, max) = (self.scale.x_of(piece.began), self.scale.x_of(ended));
        let axis = self.scale.x;
        let min = min.max(axis.min);
        // Two adjacent bars of one kind must not look like one.
        let gap = if max - min > 4.0 * GAP { GAP } else { 0.0 };
        let max = (max - gap).max(min + MIN_WIDTH).min(axis.max + MIN_WIDTH);
        let mut look = look(
            piece.state,
            piece.outcome,
            piece.ended.is_none(),
            self.tokens,
        );
        if piece.count > 1 && !piece.outcome.is_failure() {
            look.color = pale(look.color, piece.busy, ended - piece.began);
        }
        if !self.only.has(piece) {
            look.color = look.color.gamma_multiply(OTHERS);
        }
        (min <= axis.max).then_some(Bar {
            x: Rangef::new(min, max),
            look,
        })
    }
}

/// How much of their colour the bars have that a filter leaves out.
const OTHERS: f32 = 0.2;
/// A bar that is wide enough for a text.
const MIN_LABEL: f32 = 36.0;

/// The colour of spans that take this part of a time.
fn pale(color: Color32, busy: u64, length: u64) -> Color32 {
    let share = busy as f32 / length.max(1) as f32;
    let step = (share.clamp(0.0, 1.0) * SHADES).ceil() / SHADES;
    if step >= 1.0 {
        return color;
    }
    color.gamma_multiply(PALEST + (1.0 - PALEST) * step)
}

fn draw(bar: &Bar, y: Rangef, tokens: &Tokens, mesh: &mut Mesh) {
    let y = Rangef::point(y.center()).expand((y.span() - GAP) * bar.look.share / 2.0);
    let rect = Rect::from_x_y_ranges(bar.x, y);
    if bar.look.is_hollow && bar.x.span() > 3.0 * OUTLINE {
        for side in outline_of(rect, OUTLINE) {
            mesh.add_colored_rect(side, bar.look.color);
        }
    } else {
        mesh.add_colored_rect(rect, bar.look.color);
    }
    if let Some(hatch) = bar.look.hatch {
        add_hatch(rect, hatch, stripe_color(bar.look, tokens), mesh);
    }
}
