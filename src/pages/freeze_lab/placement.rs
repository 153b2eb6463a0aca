//! Where the small window goes: beside this one, or over it where it does not cover the plots.

use eframe::egui::{Context, Pos2, Rect, Vec2};

use super::props::LabState;

/// This window and the screen around it, in points of the screen, whatever the zoom of this window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Surroundings {
    /// This window with its frame.
    pub window: Rect,
    /// The screen; `None` if the place of the window on it is not known.
    pub screen: Option<Rect>,
    /// The plots, which must stay in sight.
    pub plots: Option<Rect>,
}

impl LabState {
    /// `None` on a desktop that does not say where windows are.
    pub(super) fn surroundings(&self, ctx: &Context) -> Option<Surroundings> {
        let zoom = ctx.zoom_factor();
        let (outer, inner, size) = ctx.input(|input| {
            let viewport = input.viewport();
            (
                viewport.outer_rect,
                viewport.inner_rect,
                viewport.monitor_size,
            )
        });
        let window = outer?;
        // Only the first screen is known to begin at the origin.
        let size = size.filter(|size| window.left() < size.x && window.left() >= 0.0);
        let screen = size.map(|size| Rect::from_min_size(Pos2::ZERO, size));
        let plots = self.plots.filter(Rect::is_positive);
        let plots = plots.zip(inner);
        let plots = plots.map(|(plots, inner)| plots.translate(inner.min.to_vec2()));
        Some(Surroundings {
            window: window * zoom,
            screen: screen.map(|screen| screen * zoom),
            plots: plots.map(|plots| plots * zoom),
        })
    }
}

impl Surroundings {
    /// The place for a window of this size: the first free one of those at the right, at the left, below
    /// and above, then over this window below the plots, then in its corners. If each of them would cover
    /// some of the plots, the one that covers the least.
    pub fn place_for(&self, size: Vec2) -> Pos2 {
        let Self { window, screen, .. } = *self;
        let inside = window.max - size;
        let below_plots = self.plots.into_iter().flat_map(|plots| {
            let top = plots.bottom().min(inside.y);
            let lefts = [window.left(), plots.right() - size.x];
            lefts.map(|left| Pos2::new(left, top))
        });
        let corners = [
            Pos2::new(window.left(), inside.y),
            inside,
            Pos2::new(inside.x, window.top()),
            window.min,
        ];
        let beside = [
            window.right_top(),
            Pos2::new(window.left() - size.x, window.top()),
            Pos2::new(inside.x, window.bottom()),
            Pos2::new(inside.x, window.top() - size.y),
        ];
        let beside = beside.into_iter().filter(|place| {
            let rect = Rect::from_min_size(*place, size);
            screen.is_some_and(|screen| screen.contains_rect(rect))
        });
        let over = below_plots.chain(corners).map(|place| {
            let Some(screen) = screen else {
                return place;
            };
            let most = (screen.max - size).max(screen.min);
            place.clamp(screen.min, most)
        });
        let mut best = (f32::INFINITY, window.min);
        for place in beside.chain(over) {
            let covered = self.covered(Rect::from_min_size(place, size));
            if covered < best.0 {
                best = (covered, place);
            }
        }
        best.1
    }

    /// The area of the plots that is covered.
    fn covered(&self, rect: Rect) -> f32 {
        let common = self.plots.map(|plots| plots.intersect(rect));
        let common = common.filter(Rect::is_positive);
        common.map_or(0.0, |common| common.area())
    }
}
