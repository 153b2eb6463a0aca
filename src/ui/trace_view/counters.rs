//! The counters of a trace, as areas.

use eframe::egui::{Mesh, Rangef, Rect};

use super::bars::Scale;
use crate::trace::Counter;
use crate::ui::tokens::Tokens;

/// How much of its colour an area has; its upper edge has all of it.
const AREA: f32 = 0.3;
const EDGE: f32 = 1.5;

/// Adds the area of a counter to a mesh. It ends `now`, and `pixel` is the width of one in points.
pub(super) fn add_area(
    counter: &Counter,
    area: Rect,
    (scale, now, pixel): (Scale, u64, f32),
    tokens: &Tokens,
    mesh: &mut Mesh,
) {
    let (from, until) = scale.ends();
    let peak = counter.peak().max(1) as f32;
    counter.steps(
        from,
        until.min(now),
        scale.nanos_of(pixel),
        |began, ended, value| {
            let (left, right) = (scale.x_of(began), scale.x_of(ended));
            let x = Rangef::new(left, right.max(left + pixel).min(area.right()));
            if value == 0 || x.min >= x.max {
                return;
            }
            let top = area.bottom() - (area.height() * value as f32 / peak).max(EDGE);
            let bar = Rect::from_x_y_ranges(x, Rangef::new(top, area.bottom()));
            mesh.add_colored_rect(bar, tokens.running.gamma_multiply(AREA));
            mesh.add_colored_rect(bar.with_max_y(top + EDGE), tokens.running);
        },
    );
}
