//! The legend of a plot: each kind of shape, and what it means.

use eframe::egui::{Color32, Mesh, Rect, RichText, Sense, Shape, TextStyle, Ui, Vec2};

use super::hatching::{Hatch, add_hatch};
use super::widgets::{keep_together, text_width};

const SIZE: Vec2 = Vec2::new(12.0, 12.0);
const DOT: Vec2 = Vec2::splat(4.0);
/// The thickness of a bar's top edge.
const EDGE: f32 = 2.0;

/// A shape of a plot, in the colours in which the plot draws it.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only the Freeze Lab uses all of them")
)]
#[derive(Clone, Copy)]
pub(crate) enum Swatch {
    Bar(Color32),
    /// A bar that takes only this share of the height.
    Thin(Color32, f32),
    /// A bar with an edge of another colour on top.
    Edged(Color32, Color32),
    Dot(Color32),
    /// A bar with a pattern of the second colour; an empty one if both are the same.
    Hatched(Color32, Hatch, Color32),
    /// An empty bar.
    Outline(Color32),
}

/// The four sides of an empty bar.
pub(crate) fn outline_of(rect: Rect, thickness: f32) -> [Rect; 4] {
    let Rect { min, max } = rect;
    [
        rect.with_max_y(min.y + thickness),
        rect.with_min_y(max.y - thickness),
        rect.with_max_x((min.x + thickness).min(max.x)),
        rect.with_min_x((max.x - thickness).max(min.x)),
    ]
}

/// Draws the entries side by side, and in several lines where they need them.
pub(crate) fn legend_ui(entries: &[(Swatch, &str)], ui: &mut Ui) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = 16.0;
        ui.spacing_mut().item_spacing.x = 5.0;
        let font = TextStyle::Small.resolve(ui.style());
        for (swatch, text) in entries {
            keep_together(SIZE.x + 5.0 + text_width(text, &font, ui), ui);
            swatch_ui(*swatch, ui);
            ui.label(RichText::new(*text).small().weak());
            ui.add_space(8.0);
        }
    });
}

fn swatch_ui(swatch: Swatch, ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(SIZE, Sense::hover());
    let fill = |size, color| {
        let shape = Rect::from_center_size(rect.center(), size);
        ui.painter().rect_filled(shape, 0, color);
    };
    match swatch {
        Swatch::Bar(color) => fill(SIZE, color),
        Swatch::Thin(color, share) => fill(Vec2::new(SIZE.x, SIZE.y * share), color),
        Swatch::Edged(color, edge) => {
            fill(SIZE, color);
            let edge_rect = rect.with_max_y(rect.top() + EDGE);
            ui.painter().rect_filled(edge_rect, 0, edge);
        }
        Swatch::Dot(color) => fill(DOT, color),
        Swatch::Hatched(color, hatch, stripes) => {
            if stripes == color {
                outline_ui(rect, color, ui);
            } else {
                fill(SIZE, color);
            }
            let mut mesh = Mesh::default();
            add_hatch(rect, hatch, stripes, &mut mesh);
            ui.painter().add(Shape::mesh(mesh));
        }
        Swatch::Outline(color) => outline_ui(rect, color, ui),
    }
}

fn outline_ui(rect: Rect, color: Color32, ui: &Ui) {
    for side in outline_of(rect, 1.5) {
        ui.painter().rect_filled(side, 0, color);
    }
}
