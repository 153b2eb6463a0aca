//! A page of two parts, and panes, that hold in a window of any size.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

use eframe::egui::accesskit::Action;
use eframe::egui::panel::PanelState;
use eframe::egui::{
    Align, CentralPanel, Event, Frame, Id, IdSalt, InnerResponse, Layout, Memory, Panel, Rangef,
    Rect, ScrollArea, Ui, UiBuilder, Vec2, accesskit_root_id,
};

/// The part of a page that [`TwoParts::show`] draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The narrow one, at the left or on top.
    Side,
    Main,
}

/// Two parts: beside each other where there is width for both, else one below the other, in one place that scrolls.
/// A part in a place that scrolls has no end of height; [`scroll_ui`] and [`rest_ui`] know that.
pub(crate) struct TwoParts {
    pub(crate) side_name: &'static str,
    pub(crate) side_width: f32,
    /// The room that the side needs at least.
    pub(crate) least_side: Vec2,
    /// The width that the main part needs at least.
    pub(crate) least_main: f32,
}

impl TwoParts {
    pub(crate) fn show(&self, ui: &mut Ui, mut part_ui: impl FnMut(Part, &mut Ui)) {
        let gaps = 2.0 * Frame::central_panel(ui.style()).total_margin().sum().x;
        let most = ui.available_width() - self.least_main - gaps;
        if most < self.least_side.x {
            CentralPanel::default().show(ui, |ui| {
                page_scroll_ui(self.side_name, ui, |ui| {
                    part_ui(Part::Side, ui);
                    ui.separator();
                    part_ui(Part::Main, ui);
                });
            });
            return;
        }
        let side = Pane {
            name: self.side_name,
            edge: Edge::Left,
            size: self.side_width.min(most),
            range: Rangef::new(self.least_side.x, most.min(2.0 * self.side_width)),
            frame: None,
        };
        side.show(ui, |ui| {
            if ui.available_height() < self.least_side.y {
                page_scroll_ui(self.side_name, ui, |ui| part_ui(Part::Side, ui));
            } else {
                part_ui(Part::Side, ui);
            }
        });
        CentralPanel::default().show(ui, |ui| part_ui(Part::Main, ui));
    }
}

/// A part at one edge, whose other edge the user can move. It then has that share of the whole in every window that
/// has room for it; a smaller one in between changes nothing.
pub(crate) struct Pane {
    pub(crate) name: &'static str,
    pub(crate) edge: Edge,
    /// Its size until the user moves its edge.
    pub(crate) size: f32,
    /// The sizes that it can have in this window.
    pub(crate) range: Rangef,
    /// The usual one of a panel if there is none.
    pub(crate) frame: Option<Frame>,
}

/// The edge that a [`Pane`] is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Left,
    Bottom,
}

impl Pane {
    pub(crate) fn show<R>(
        &self,
        ui: &mut Ui,
        contents: impl FnOnce(&mut Ui) -> R,
    ) -> InnerResponse<R> {
        let (panel, axis) = match self.edge {
            Edge::Left => (Panel::left(self.name), 0),
            Edge::Bottom => (Panel::bottom(self.name), 1),
        };
        let whole = ui.available_size()[axis].max(1.0);
        let id = ui.scope_id().with_salt(IdSalt::new(self.name));
        let (share_id, whole_id) = (id.with("share"), id.with("whole"));
        let share = ui.data_mut(|data| {
            let last_whole = data.get_temp::<u32>(whole_id);
            if last_whole != Some(whole.to_bits()) {
                // egui remembers the size that a small window left. In a window that keeps its size, it remembers
                // what the contents need.
                data.remove::<PanelState>(id);
                data.insert_temp(whole_id, whole.to_bits());
            }
            data.get_persisted::<f32>(share_id)
        });
        let is_moved = is_moved(id, ui);
        let mut panel = panel
            .default_size(share.map_or(self.size, |share| share * whole))
            .size_range(self.range);
        if let Some(frame) = self.frame {
            panel = panel.frame(frame);
        }
        let shown = panel.show(ui, contents);
        if is_moved {
            let size = shown.response.rect.size()[axis];
            ui.data_mut(|data| data.insert_persisted(share_id, size / whole));
        }
        shown
    }
}

/// Whether the user moves the edge of this panel, with the pointer or through a screen reader.
fn is_moved(panel: Id, ui: &Ui) -> bool {
    // As egui names it.
    let edge = panel.with("__resize");
    let by_pointer = ui
        .read_response(edge)
        .is_some_and(|edge| edge.dragged() || edge.drag_stopped());
    let asks = |action| ui.input(|input| input.has_accesskit_action_request(edge, action));
    let actions = [Action::SetValue, Action::Increment, Action::Decrement];
    by_pointer || actions.into_iter().any(asks)
}

/// What is at most this far out of sight is drawn all the same: the keyboard may go there next.
const NEARLY_IN_SIGHT: f32 = 120.0;

/// The heights of many entries in a place that scrolls: one out of sight only takes its room.
#[derive(Debug)]
pub(crate) struct LongList<K> {
    width: f32,
    heights: BTreeMap<K, Height>,
    /// The number of times that it was drawn.
    passes: u64,
    /// The entry that has the keyboard. A widget that is not drawn loses it.
    focused: Option<K>,
}

#[derive(Clone, Copy, Debug)]
struct Height {
    points: f32,
    /// The pass in which its entry was there last.
    pass: u64,
}

impl<K> Default for LongList<K> {
    fn default() -> Self {
        Self {
            width: 0.0,
            heights: BTreeMap::new(),
            passes: 0,
            focused: None,
        }
    }
}

impl<K: Copy + Ord + Hash + Debug> LongList<K> {
    /// Draws the entries in sight, each with a key of its own. A screen reader finds all.
    pub(crate) fn show<T>(
        &mut self,
        entries: impl Iterator<Item = (K, T)>,
        ui: &mut Ui,
        mut entry_ui: impl FnMut(T, &mut Ui),
    ) {
        let (width, gap) = (ui.available_width(), ui.spacing().item_spacing.y);
        if (self.width - width).abs() > f32::EPSILON {
            self.width = width;
            self.heights.clear();
        }
        let is_read = ui.has_accesskit_node(accesskit_root_id());
        let sight = ui.clip_rect().y_range().expand(NEARLY_IN_SIGHT);
        self.passes += 1;
        let pass = self.passes;
        let (mut left_out, mut count) = (0.0, 0);
        for (key, entry) in entries {
            count += 1;
            let top = ui.cursor().top() + left_out;
            let height = self.heights.get_mut(&key).filter(|height| {
                let place = Rangef::new(top, top + height.points);
                !is_read && !sight.intersects(place) && self.focused != Some(key)
            });
            if let Some(height) = height {
                height.pass = pass;
                left_out += height.points + gap;
                continue;
            }
            ui.add_space(std::mem::take(&mut left_out));
            let drawn = ui.push_id(key, |ui| entry_ui(entry, ui)).response;
            let points = drawn.rect.height();
            self.heights.insert(key, Height { points, pass });
            if has_focus_in(drawn.rect, ui) {
                self.focused = Some(key);
            } else if self.focused == Some(key) {
                self.focused = None;
            }
        }
        if self.heights.len() > count {
            self.heights.retain(|_, height| height.pass == pass);
        }
        if left_out > 0.0 {
            ui.add_space(left_out - gap);
        }
    }
}

/// Whether the widget that has the keyboard is in this place.
fn has_focus_in(place: Rect, ui: &Ui) -> bool {
    let focused = ui.memory(Memory::focused);
    let focused = focused.and_then(|focused| ui.read_response(focused));
    focused.is_some_and(|focused| {
        focused.layer_id == ui.layer_id() && place.expand(1.0).contains_rect(focused.rect)
    })
}

/// A panel at the bottom that is drawn after what is above it. egui wants it before, but Tab and screen readers go in
/// the order of drawing, and the eye comes to it last.
pub(crate) struct PanelBelow {
    id: Id,
    /// The place of both.
    place: Rect,
    /// The height of the panel in the last frame.
    height: f32,
}

impl PanelBelow {
    /// Takes the rest of `ui`, in which there is one such panel at most.
    pub(crate) fn new(ui: &Ui) -> Self {
        let id = ui.unique_id().with("height of the panel below");
        Self {
            id,
            place: ui.available_rect_before_wrap(),
            height: ui.data(|data| data.get_temp(id)).unwrap_or(0.0),
        }
    }

    /// Draws what is above.
    pub(crate) fn above_ui<R>(&self, ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
        let bottom = (self.place.bottom() - self.height).max(self.place.top());
        let above = UiBuilder::new().max_rect(self.place.with_max_y(bottom));
        ui.scope_builder(above, contents).inner
    }

    /// Draws the panel.
    pub(crate) fn show<R>(
        self,
        ui: &mut Ui,
        panel_ui: impl FnOnce(&mut Ui) -> InnerResponse<R>,
    ) -> InnerResponse<R> {
        let place = UiBuilder::new().max_rect(self.place);
        let shown = ui.scope_builder(place, panel_ui).inner;
        let height = shown.response.rect.height();
        if (height - self.height).abs() > 0.1 {
            ui.data_mut(|data| data.insert_temp(self.id, height));
            ui.request_discard("what is above the panel was drawn with another height of it");
        }
        shown
    }
}

/// Two parts of a row; the left one has the room that the right one, of this width, leaves. Unlike
/// [`egui::Sides`](eframe::egui::Sides) this draws what is left first, so that Tab and screen readers come to it first.
pub(crate) fn sides_ui<L, R>(
    right_width: f32,
    ui: &mut Ui,
    left: impl FnOnce(&mut Ui) -> L,
    right: impl FnOnce(&mut Ui) -> R,
) -> (L, R) {
    let gap = ui.spacing().item_spacing.x;
    let mut place = ui.available_rect_before_wrap();
    place.max.y = place.min.y + ui.spacing().interact_size.y;
    let middle = (place.max.x - right_width).max(place.min.x);
    let layout = Layout::left_to_right(Align::Center);
    let at = |place| UiBuilder::new().max_rect(place).layout(layout);
    let mut left_ui = ui.new_child(at(place.with_max_x((middle - gap).max(place.min.x))));
    let left = left(&mut left_ui);
    let mut right_ui = ui.new_child(at(place.with_min_x(middle)));
    let right = right(&mut right_ui);
    ui.advance_cursor_after_rect(left_ui.min_rect() | right_ui.min_rect());
    (left, right)
}

/// A place that scrolls, unless it is in a place that scrolls and has room for all.
pub(crate) fn scroll_ui(name: impl Hash + Debug, ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    if ui.available_height().is_finite() {
        page_scroll_ui(name, ui, contents);
    } else {
        contents(ui);
    }
}

/// Below what has been drawn, a box of the rest of `height`, but of `least` height. `height` is that of the place in
/// which `ui` scrolls.
pub(crate) fn rest_ui(height: f32, least: f32, ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    let above = ui.cursor().top() - ui.max_rect().top();
    let rest = if height.is_finite() {
        height - above
    } else {
        least
    };
    let (_, place) = ui.allocate_space(Vec2::new(ui.available_width(), rest.max(least)));
    // In a frame of its own, in which panels can be.
    ui.scope_builder(UiBuilder::new().max_rect(place), contents);
}

fn page_scroll_ui(name: impl Hash + Debug, ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    ScrollArea::vertical()
        .id_salt(name)
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.set_max_height(f32::INFINITY);
            contents(ui);
            follow_focus(ui);
        });
}

/// Keeps in sight what the keyboard went to last. A place that scrolls inside of this one moves it into its own sight
/// alone.
fn follow_focus(ui: &Ui) {
    let id = ui.scope_id().with("followed");
    let last: Option<Followed> = ui.data(|data| data.get_temp(id));
    let focused = ui.memory(Memory::focused);
    let is_pointed = |event: &Event| {
        matches!(
            event,
            Event::PointerButton { .. } | Event::MouseWheel { .. }
        )
    };
    let by_pointer = ui.input(|input| input.events.iter().any(is_pointed));
    let is_new = last.is_none_or(|last| last.widget != focused);
    let is_followed = !by_pointer && (is_new || last.is_some_and(|last| last.is_followed));
    ui.data_mut(|data| {
        data.insert_temp(
            id,
            Followed {
                widget: focused,
                is_followed,
            },
        )
    });
    let response = focused
        .filter(|_| is_followed)
        .and_then(|focused| ui.read_response(focused));
    let Some(response) = response.filter(|response| is_in(response.id, ui)) else {
        return;
    };
    let (rect, sight) = (response.rect, ui.clip_rect());
    let is_inside = ui.min_rect().expand(1.0).contains_rect(rect);
    let is_seen = sight.y_range().contains(rect.top()) && sight.y_range().contains(rect.bottom());
    if is_inside && !is_seen && rect.height() <= sight.height() {
        ui.scroll_to_rect(rect, None);
    }
}

/// Whether the widget is in `ui`. Its place would not tell: what is below may be where a long content goes on.
fn is_in(widget: Id, ui: &Ui) -> bool {
    ui.ctx().viewport(|viewport| {
        let parent = |id: &Id| {
            let widgets = [&viewport.this_pass.widgets, &viewport.prev_pass.widgets];
            let mut drawn = widgets.into_iter().filter_map(|widgets| widgets.get(*id));
            drawn.next().map(|drawn| drawn.parent_id)
        };
        // The outermost has itself for a parent.
        std::iter::successors(Some(widget), parent)
            .take(MOST_LEVELS)
            .any(|id| id == ui.unique_id())
    })
}

/// More than any widget has around it.
const MOST_LEVELS: usize = 100;

/// What had the keyboard in the last frame.
#[derive(Clone, Copy)]
struct Followed {
    widget: Option<Id>,
    /// Whether nothing has been done with the pointer since.
    is_followed: bool,
}

#[cfg(test)]
mod tests {
    use super::{LongList, page_scroll_ui};
    use eframe::egui::{
        Context, Event, Id, Memory, Modifiers, MouseWheelSource, MouseWheelUnit, Pos2, RawInput,
        Rect, TouchPhase, Vec2, vec2,
    };

    const ENTRIES: u32 = 200;

    /// A list of buttons in a window, without a screen reader, which would have all drawn.
    struct Listed {
        ctx: Context,
        list: LongList<u32>,
        entries: u32,
        drawn: Vec<(u32, Id)>,
    }

    impl Listed {
        fn new() -> Self {
            let mut listed = Self {
                ctx: Context::default(),
                list: LongList::default(),
                entries: ENTRIES,
                drawn: Vec::new(),
            };
            // All are drawn once, for their heights.
            listed.step(Vec::new());
            listed.step(Vec::new());
            listed
        }

        fn step(&mut self, events: Vec<Event>) {
            let input = RawInput {
                screen_rect: Some(Rect::from_min_size(Pos2::ZERO, vec2(200.0, 300.0))),
                events,
                ..RawInput::default()
            };
            self.drawn.clear();
            let (list, drawn, entries) = (&mut self.list, &mut self.drawn, self.entries);
            let mut output = self.ctx.clone().run_ui(input, |ui| {
                page_scroll_ui("list", ui, |ui| {
                    let entries = (0..entries).map(|entry| (entry, entry));
                    list.show(entries, ui, |entry, ui| {
                        drawn.push((entry, ui.button(format!("entry {entry}")).id));
                    });
                });
            });
            // Nothing is painted.
            output.textures_delta.clear();
        }

        fn turn_wheel(&mut self, lines: f32) {
            self.step(vec![
                Event::PointerMoved(Pos2::new(100.0, 150.0)),
                Event::MouseWheel {
                    unit: MouseWheelUnit::Point,
                    delta: Vec2::new(0.0, lines),
                    phase: TouchPhase::Move,
                    source: MouseWheelSource::Wheel,
                    modifiers: Modifiers::NONE,
                },
            ]);
            for _ in 0..60 {
                self.step(Vec::new());
            }
        }

        fn entries(&self) -> Vec<u32> {
            self.drawn.iter().map(|(entry, _)| *entry).collect()
        }
    }

    #[test]
    fn entries_out_of_sight_are_not_drawn() {
        let mut listed = Listed::new();
        let first = listed.entries();
        assert!(first.len() < 40 && first.contains(&0), "{first:?}");
        listed.turn_wheel(-2_000.0);
        let later = listed.entries();
        assert!(later.len() < 40 && !later.contains(&0), "{later:?}");
        assert!(later[0] > 20, "{later:?}");
    }

    #[test]
    fn removed_entries_leave_no_heights() {
        let mut listed = Listed::new();
        listed.entries = 150;
        listed.step(Vec::new());
        assert_eq!(listed.list.heights.len(), 150);
    }

    #[test]
    fn entry_out_of_sight_keeps_the_keyboard() {
        let mut listed = Listed::new();
        let (_, first) = listed.drawn[0];
        listed.ctx.memory_mut(|memory| memory.request_focus(first));
        listed.step(Vec::new());
        listed.turn_wheel(-2_000.0);
        let entries = listed.entries();
        assert!(entries[0] == 0 && entries[1] > 20, "{entries:?}");
        assert_eq!(listed.ctx.memory(Memory::focused), Some(first));
        listed
            .ctx
            .memory_mut(|memory| memory.surrender_focus(first));
        listed.step(Vec::new());
        listed.step(Vec::new());
        assert!(!listed.entries().contains(&0), "{:?}", listed.entries());
    }
}
