//! The picture of who waits for whom: a box for each, and an arrow from who waits to who is waited for.
//!
//! Each box is a button for the keyboard and for screen readers, which also says whom it waits for. The boxes are drawn
//! column by column from the left, in the order in which Tab goes through them.

use std::collections::BTreeSet;
use std::time::Duration;

use eframe::egui::epaint::CubicBezierShape;
use eframe::egui::text::{LayoutJob, TextFormat, TextWrapping};
use eframe::egui::{
    self, Align2, Color32, FontId, Pos2, Rect, Response, Role, ScrollArea, Sense, Shape, Stroke,
    StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use super::layered::{Layered, Route, Sizes, layered};
use super::status_style::{MARK_SIZE, Mark, paint_mark};
use super::tokens::{Tokens, UNIT, tokens};
use crate::record::{Doing, ItemId, JobId, WaitEdge, WaitNode, Waits};

const SIZES: Sizes = Sizes {
    node: [184.0, 64.0],
    gap: [98.0, 22.0],
    lane: 18.0,
};
/// Around the whole picture; the loop of a node that waits for itself has room in it.
const MARGIN: f32 = 20.0;
/// Where an arrow begins and ends at a box, as a share of its height: those to the right above those to the left.
const FORWARD: f32 = 0.36;
const BACK: f32 = 0.76;
/// An arrow leaves a box straight for so long, above or below its label.
const STUB: f32 = 46.0;
const HEAD: Vec2 = vec2(8.0, 4.0);
const SMALL: FontId = FontId::proportional(12.0);

/// The picture of some waits.
pub struct WaitPicture<'a> {
    pub waits: &'a Waits,
    pub now: Duration,
    /// The item whose boxes stand out.
    pub selected: Option<(JobId, ItemId)>,
    /// Whether the first of them is brought into sight.
    pub reveals: bool,
}

/// The places of the last picture, which are computed again only if other nodes wait for each other.
#[derive(Debug, Default)]
pub struct PicturePlaces {
    count: usize,
    edges: Vec<(usize, usize)>,
    places: Layered,
}

impl PicturePlaces {
    fn update(&mut self, waits: &Waits) {
        let count = waits.nodes.len();
        let edges: Vec<(usize, usize)> = waits
            .edges
            .iter()
            .map(|edge| (edge.from, edge.to))
            .collect();
        if (self.count, &self.edges) != (count, &edges) {
            self.places = layered(count, &edges, SIZES);
            (self.count, self.edges) = (count, edges);
        }
    }
}

impl WaitPicture<'_> {
    /// Draws the picture in a place that scrolls. Returns the node that was clicked.
    pub fn show(&self, places: &mut PicturePlaces, ui: &mut Ui) -> Option<usize> {
        places.update(self.waits);
        let places = &places.places;
        let size = Vec2::from(places.size) + Vec2::splat(2.0 * MARGIN);
        let area = ScrollArea::both()
            .id_salt("picture of waits")
            .auto_shrink(false);
        let shown = area.show(ui, |ui| {
            let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
            let painter = Painter {
                picture: self,
                places,
                origin: rect.min + Vec2::splat(MARGIN),
                tokens: tokens(ui),
                in_rings: self.waits.rings.iter().flatten().copied().collect(),
                ui,
            };
            painter.edges();
            painter.labels();
            painter.nodes()
        });
        shown.inner
    }
}

struct Painter<'a> {
    picture: &'a WaitPicture<'a>,
    places: &'a Layered,
    origin: Pos2,
    tokens: &'static Tokens,
    in_rings: BTreeSet<usize>,
    ui: &'a Ui,
}

impl Painter<'_> {
    fn rect(&self, node: usize) -> Rect {
        let corner = self.origin + Vec2::from(self.places.nodes[node]);
        Rect::from_min_size(corner, SIZES.node.into())
    }

    fn edges(&self) {
        let waits = self.picture.waits;
        let (of_rings, others): (Vec<_>, Vec<_>) = waits
            .edges
            .iter()
            .zip(&self.places.edges)
            .partition(|(edge, _)| waits.is_of_ring(edge));
        for (edge, route) in others {
            self.edge(edge, route, Stroke::new(1.25, self.tokens.neutral));
        }
        // Above the others.
        for (edge, route) in of_rings {
            self.edge(edge, route, Stroke::new(2.0, self.tokens.timed_out));
        }
    }

    fn edge(&self, edge: &WaitEdge, route: &Route, stroke: Stroke) {
        let (from, to) = (self.rect(edge.from), self.rect(edge.to));
        if edge.from == edge.to {
            self.own_loop(from, stroke);
            return;
        }
        // Laid out to the right, whichever way the arrow points.
        let (left, right, height) = if route.is_reversed {
            (to, from, BACK)
        } else {
            (from, to, FORWARD)
        };
        let port = |x: f32, rect: Rect| pos2(x, rect.top() + rect.height() * height);
        let (begin, end) = (port(left.right(), left), port(right.left(), right));
        let stub = vec2(STUB, 0.0);
        let (curve_begin, curve_end) = if route.is_reversed {
            (begin, end - stub)
        } else {
            (begin + stub, end)
        };
        self.curve(begin, curve_begin, stroke);
        self.curve(curve_end, end, stroke);
        let mut last = curve_begin;
        for bend in &route.bends {
            let bend = self.origin + Vec2::from(*bend) + vec2(0.0, SIZES.lane / 2.0);
            self.curve(last, bend, stroke);
            last = bend + vec2(SIZES.node[0], 0.0);
            self.curve(bend, last, stroke);
        }
        self.curve(last, curve_end, stroke);
        if route.is_reversed {
            self.head(begin, -1.0, stroke.color);
        } else {
            self.head(end, 1.0, stroke.color);
        }
    }

    /// Straight parts are curves too: those of a line are moved to whole pixels, and the two would not meet.
    fn curve(&self, from: Pos2, to: Pos2, stroke: Stroke) {
        let middle = f32::midpoint(from.x, to.x);
        let points = [from, pos2(middle, from.y), pos2(middle, to.y), to];
        let shape =
            CubicBezierShape::from_points_stroke(points, false, Color32::TRANSPARENT, stroke);
        self.ui.painter().add(shape);
    }

    /// The head of an arrow that points to the right, or with -1 to the left.
    fn head(&self, tip: Pos2, direction: f32, color: Color32) {
        let back = tip - vec2(direction * HEAD.x, 0.0);
        let points = vec![tip, back - vec2(0.0, HEAD.y), back + vec2(0.0, HEAD.y)];
        let shape = Shape::convex_polygon(points, color, Stroke::NONE);
        self.ui.painter().add(shape);
    }

    /// The arrow of a node that waits for itself, above its box.
    fn own_loop(&self, rect: Rect, stroke: Stroke) {
        let from = pos2(rect.right() - 44.0, rect.top());
        let to = pos2(rect.right() - 18.0, rect.top());
        let up = vec2(0.0, MARGIN + 4.0);
        let points = [from, from - up, to - up, to];
        let shape =
            CubicBezierShape::from_points_stroke(points, false, Color32::TRANSPARENT, stroke);
        self.ui.painter().add(shape);
        let back = to - vec2(0.0, HEAD.x);
        let points = vec![to, back - vec2(HEAD.y, 0.0), back + vec2(HEAD.y, 0.0)];
        let shape = Shape::convex_polygon(points, stroke.color, Stroke::NONE);
        self.ui.painter().add(shape);
    }

    /// What is between two nodes, beside the one that waits: all its arrows to one side have the same label.
    fn labels(&self) {
        let mut labelled = BTreeSet::new();
        let edges = self.picture.waits.edges.iter().zip(&self.places.edges);
        for (edge, route) in edges {
            let is_new = labelled.insert((edge.from, route.is_reversed));
            if is_new && !edge.link.is_empty() && edge.from != edge.to {
                self.label(edge, route.is_reversed);
            }
        }
    }

    fn label(&self, edge: &WaitEdge, is_reversed: bool) {
        let rect = self.rect(edge.from);
        let (at, align) = if is_reversed {
            let y = rect.top() + rect.height() * BACK;
            (pos2(rect.left() - 6.0, y + 2.0), Align2::RIGHT_TOP)
        } else {
            let y = rect.top() + rect.height() * FORWARD;
            (pos2(rect.right() + 6.0, y - 2.0), Align2::LEFT_BOTTOM)
        };
        let painter = self.ui.painter();
        let galley = painter.layout_no_wrap(edge.link.to_owned(), SMALL, self.tokens.text_weak);
        let place = align.anchor_size(at, galley.size());
        // An arrow may pass here.
        painter.rect_filled(place, 2, self.tokens.background);
        painter.galley(place.min, galley, self.tokens.text_weak);
    }

    fn nodes(&self) -> Option<usize> {
        let corner = |node: &usize| self.places.nodes[*node];
        let mut order: Vec<usize> = (0..self.picture.waits.nodes.len()).collect();
        order.sort_by(|a, b| {
            let ([ax, ay], [bx, by]) = (corner(a), corner(b));
            ax.total_cmp(&bx).then(ay.total_cmp(&by))
        });
        let is_selected = |node: &usize| self.is_selected(&self.picture.waits.nodes[*node]);
        let revealed = order.iter().copied().find(is_selected);
        let revealed = revealed.filter(|_| self.picture.reveals);
        let clicked = order.into_iter().filter(|node| {
            let response = self.node(*node);
            if response.gained_focus() || revealed == Some(*node) {
                response.scroll_to_me(None);
            }
            response.clicked()
        });
        // All are drawn.
        clicked.fold(None, |_, node| Some(node))
    }

    fn node(&self, index: usize) -> Response {
        let node = &self.picture.waits.nodes[index];
        let rect = self.rect(index);
        let id = self.ui.scope_id().with(&node.id);
        let response = self.ui.interact(rect, id, Sense::click());
        let is_selected = self.is_selected(node);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, node.text()));
        let times = node.times(self.picture.now);
        self.ui.ctx().accesskit_node_builder(response.id, |it| {
            it.set_description(times.clone());
            it.set_selected(is_selected);
        });
        if self.ui.is_rect_visible(rect) {
            self.paint_node(index, rect, is_selected, &response);
        }
        response.on_hover_ui(|ui| {
            ui.label(node.text());
            if !times.is_empty() {
                ui.label(&times);
            }
        })
    }

    fn is_selected(&self, node: &WaitNode) -> bool {
        let selected = self.picture.selected;
        selected.is_some_and(|(job, item)| node.job == Some((job, Some(item))))
    }

    fn paint_node(&self, index: usize, rect: Rect, is_selected: bool, response: &Response) {
        let node = &self.picture.waits.nodes[index];
        let is_in_ring = self.in_rings.contains(&index);
        let tokens = self.tokens;
        let fill = match () {
            () if response.hovered() => tokens.button_hovered,
            () if is_selected => tokens.selection,
            () => tokens.surface,
        };
        let stroke = match () {
            () if response.has_focus() => Stroke::new(2.0, tokens.accent),
            () if is_in_ring => Stroke::new(2.0, tokens.timed_out),
            () => Stroke::new(1.0, tokens.line),
        };
        let painter = self.ui.painter();
        painter.rect(rect, 6, fill, stroke, StrokeKind::Inside);
        let inside = rect.shrink2(vec2(UNIT * 2.0, UNIT * 1.5));
        let (mark, color) = if is_in_ring {
            (Mark::Warning, tokens.timed_out)
        } else {
            mark_of(node.doing, tokens)
        };
        let square = Rect::from_min_size(inside.min + vec2(0.0, 1.0), Vec2::splat(MARK_SIZE));
        paint_mark(self.ui, mark, square, color);
        let name = inside.with_min_x(square.right() + UNIT);
        self.line(&node.name, name, FontId::proportional(13.5), tokens.text);
        let second = [node.short.as_str(), node.place.as_str()];
        let second: Vec<&str> = second.into_iter().filter(|part| !part.is_empty()).collect();
        let below = inside.with_min_y(inside.top() + 19.0);
        self.line(&second.join(" · "), below, SMALL, tokens.text);
        let times = node.times(self.picture.now);
        let below = inside.with_min_y(inside.top() + 36.0);
        self.line(&times, below, SMALL, tokens.text_weak);
    }

    /// A line of text, whose end is left out where there is no room.
    fn line(&self, text: &str, place: Rect, font: FontId, color: Color32) {
        let mut job = LayoutJob::single_section(text.to_owned(), TextFormat::simple(font, color));
        job.wrap = TextWrapping::truncate_at_width(place.width());
        let galley = self.ui.fonts_mut(|fonts| fonts.layout_job(job));
        self.ui.painter().galley(place.min, galley, color);
    }
}

fn mark_of(doing: Doing, tokens: &Tokens) -> (Mark, Color32) {
    match doing {
        Doing::Waits => (Mark::Ring, tokens.neutral),
        Doing::Computes => (Mark::Play, tokens.running),
        Doing::Stopped => (Mark::Pause, tokens.neutral),
        Doing::Ended => (Mark::Bar, tokens.neutral),
        Doing::NotKnown => (Mark::Disc, tokens.neutral),
    }
}

/// A ring, in one line.
pub fn ring_ui(waits: &Waits, ring: &[usize], ui: &mut Ui) {
    ui.horizontal_wrapped(|ui| {
        let color = tokens(ui).timed_out;
        super::status_style::mark_ui(ui, Mark::Warning, color);
        ui.label(egui::RichText::new("A ring: nothing but a signal will move it.").strong());
        ui.label(waits.ring_text(ring));
    });
}
