//! Patterns that tell bars apart without their colours.

use eframe::egui::{Color32, Mesh, Pos2, Rect};

/// The distance between two stripes, and the width of one.
const PERIOD: f32 = 7.0;
const WIDTH: f32 = 2.0;
/// A narrower bar has no room for a pattern.
const MIN_ROOM: f32 = 6.0;

/// A pattern on a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hatch {
    /// Stripes that rise to the right.
    Rising,
    /// Stripes that fall to the right.
    Falling,
    Crossed,
    /// A line through the middle.
    Middle,
}

/// Adds a pattern over a bar to a mesh.
pub(crate) fn add_hatch(bar: Rect, hatch: Hatch, color: Color32, mesh: &mut Mesh) {
    if bar.width() < MIN_ROOM {
        return;
    }
    match hatch {
        Hatch::Rising => add_stripes(bar, true, color, mesh),
        Hatch::Falling => add_stripes(bar, false, color, mesh),
        Hatch::Crossed => {
            add_stripes(bar, true, color, mesh);
            add_stripes(bar, false, color, mesh);
        }
        Hatch::Middle => {
            let middle = bar.center().y;
            let line = bar.with_min_y(middle - WIDTH / 2.0);
            mesh.add_colored_rect(line.with_max_y(middle + WIDTH / 2.0), color);
        }
    }
}

fn add_stripes(bar: Rect, rises: bool, color: Color32, mesh: &mut Mesh) {
    let height = bar.height();
    let (left, right) = (bar.left(), bar.right() - WIDTH);
    let mut begin = left - height;
    while begin < right {
        // How far along the stripe the bar begins and ends.
        let (from, to) = ((left - begin).max(0.0), (right - begin).min(height));
        if from < to {
            let at = |along: f32| {
                let y = if rises {
                    bar.bottom() - along
                } else {
                    bar.top() + along
                };
                Pos2::new(begin + along, y)
            };
            add_stripe(at(from), at(to), color, mesh);
        }
        begin += PERIOD;
    }
}

fn add_stripe(from: Pos2, to: Pos2, color: Color32, mesh: &mut Mesh) {
    let first = u32::try_from(mesh.vertices.len()).unwrap_or(0);
    for end in [from, to] {
        mesh.colored_vertex(end, color);
        mesh.colored_vertex(Pos2::new(end.x + WIDTH, end.y), color);
    }
    mesh.add_triangle(first, first + 1, first + 2);
    mesh.add_triangle(first + 1, first + 2, first + 3);
}

#[cfg(test)]
mod tests {
    use eframe::egui::pos2;

    use super::*;

    #[test]
    fn stripes_stay_within_their_bar() {
        for (width, hatch) in [
            (6.0, Hatch::Rising),
            (9.0, Hatch::Falling),
            (300.0, Hatch::Crossed),
            (40.0, Hatch::Middle),
        ] {
            let bar = Rect::from_min_max(pos2(10.0, 20.0), pos2(10.0 + width, 34.0));
            let mut mesh = Mesh::default();
            add_hatch(bar, hatch, Color32::BLACK, &mut mesh);
            assert!(!mesh.is_empty() && mesh.is_valid());
            let vertices = mesh.vertices.iter();
            assert!(
                vertices
                    .clone()
                    .all(|vertex| bar.expand(0.01).contains(vertex.pos))
            );
        }
    }

    #[test]
    fn bar_too_narrow_for_a_pattern_has_none() {
        let bar = Rect::from_min_max(pos2(0.0, 0.0), pos2(4.0, 14.0));
        let mut mesh = Mesh::default();
        add_hatch(bar, Hatch::Crossed, Color32::BLACK, &mut mesh);
        assert!(mesh.is_empty());
    }
}
