//! Nothing overlaps, is cut off or can't be reached, in windows of all sizes.

use std::collections::BTreeMap;

use eframe::egui::accesskit::{NodeId, Role};
use eframe::egui::style::ScrollAnimation;
use eframe::egui::{
    Event, Key, LayerId, Modifiers, MouseWheelSource, MouseWheelUnit, Rect, TouchPhase, Vec2,
    WidgetRect, vec2,
};
use egui_kittest::Node;
use egui_kittest::kittest::NodeT as _;
use egui_kittest::kittest::{AccessKitNode, Queryable as _};
use meanwhile::app::DialogAnswer;
use meanwhile::pages::TITLES;
use meanwhile::pages::workbench::command::{CLOSE_DETAILS, NEXT_ROW, OPEN_DETAILS, START};
use meanwhile::ui::tokens::ROW_HEIGHT;

use super::child::in_child as alone;
#[cfg(target_os = "linux")]
#[cfg(target_os = "linux")]
use super::command_windows::{select_first_span, with_a_comparison, with_a_timeline};
#[cfg(target_os = "linux")]
use super::waits::waiting;
use super::window::{Window, file, with_a_long_job};

/// Sizes of windows in pixels, and zooms. A zoom of 2 leaves half as many points.
const SIZES: [[f32; 2]; 5] = [
    [640.0, 400.0],
    [760.0, 480.0],
    [1180.0, 780.0],
    [1920.0, 1080.0],
    [2560.0, 1440.0],
];
const ZOOMS: [f32; 4] = [0.8, 1.0, 1.3, 2.0];

/// A window with room for every pane.
const WIDE: Vec2 = vec2(1600.0, 900.0);

/// Widgets may touch, and rounding may let them do so by this many points.
pub(crate) const TOUCH: f32 = 2.0;

/// Frames after which a window has its new layout: scroll bars and wrapped rows need some.
const SETTLE_STEPS: usize = 4;

/// As much of a widget can be seen at once at least; the rest by scrolling.
const LEAST_SEEN: Vec2 = vec2(60.0, 15.0);

/// Frames after which the wheel has come to rest.
const WHEEL_STEPS: usize = 12;

/// Places for the pointer, as shares of the window: some may lie on what scrolls by itself.
const WHEEL_PLACES: [Vec2; 10] = [
    vec2(0.7, 0.5),
    vec2(0.2, 0.5),
    vec2(0.7, 0.25),
    vec2(0.2, 0.25),
    vec2(0.7, 0.8),
    vec2(0.2, 0.8),
    vec2(0.02, 0.5),
    vec2(0.5, 0.2),
    vec2(0.95, 0.4),
    vec2(0.48, 0.5),
];

/// A widget as it is on screen.
#[derive(Clone, Debug)]
struct Placed {
    id: NodeId,
    name: String,
    role: Role,
    layer: LayerId,
    whole: Rect,
    /// What is left of it where it is cut by what scrolls.
    visible: Rect,
    ancestors: Vec<NodeId>,
}

impl Placed {
    fn is_cut(&self) -> bool {
        let (whole, visible) = (self.whole.size(), self.visible.size());
        (whole - visible).max_elem() > TOUCH
    }

    /// Whether it is whole, or as much of it as fits.
    fn is_seen(&self) -> bool {
        let least = self.whole.size().min(LEAST_SEEN);
        let missing = least - self.visible.size();
        self.visible.is_positive() && missing.max_elem() <= TOUCH
    }
}

/// Whether a person sees or uses it, rather than that it holds others.
fn is_leaf(role: Role) -> bool {
    matches!(
        role,
        Role::Button
            | Role::Cell
            | Role::CheckBox
            | Role::ColumnHeader
            | Role::ComboBox
            | Role::Image
            | Role::Label
            | Role::Link
            | Role::ProgressIndicator
            | Role::RadioButton
            | Role::SpinButton
            | Role::Tab
            | Role::TextInput
            | Role::MultilineTextInput
    )
}

/// The widgets of the last frame.
fn widgets(window: &Window) -> BTreeMap<NodeId, WidgetRect> {
    let widgets = window
        .harness
        .ctx
        .viewport(|viewport| viewport.prev_pass.widgets.clone());
    let widgets = widgets.layers().flat_map(|(_, widgets)| widgets);
    let widgets = widgets.map(|widget| (widget.id.accesskit_id(), *widget));
    widgets.collect()
}

fn placed(window: &Window) -> Vec<Placed> {
    let rects = widgets(window);
    let nodes = window.harness.root().children_recursive();
    let placed = nodes.filter_map(|node| {
        let node = node.accesskit_node();
        let id = node.locate().0;
        let widget = rects.get(&id).filter(|_| is_leaf(node.role()))?;
        let name = node.label().or_else(|| node.value())?;
        // Marks lie over the code. A label that begins at the end of a line has no width.
        let is_shown = !name.starts_with("Marked line") && widget.rect.width() > 0.0;
        let ancestors = std::iter::successors(node.parent(), AccessKitNode::parent);
        is_shown.then(|| Placed {
            id,
            name,
            role: node.role(),
            layer: widget.layer_id,
            whole: widget.rect,
            visible: widget.interact_rect,
            ancestors: ancestors.map(|node| node.locate().0).collect(),
        })
    });
    placed.collect()
}

/// Two widgets of which neither is in the other, in the same place.
fn overlaps(widgets: &[Placed]) -> Vec<String> {
    let mut found = Vec::new();
    for (index, one) in widgets.iter().enumerate() {
        for other in &widgets[index + 1..] {
            let is_inside = one.ancestors.contains(&other.id) || other.ancestors.contains(&one.id);
            let both = one.visible.intersect(other.visible);
            if one.layer == other.layer
                && !is_inside
                && both.width() > TOUCH
                && both.height() > TOUCH
            {
                found.push(format!(
                    "{:?} {} {:?} overlaps {:?} {} {:?}",
                    one.role, one.name, one.visible, other.role, other.name, other.visible
                ));
            }
        }
    }
    found
}

/// On Linux, each of these tests has a process of its own: the pane `Waits` shows what other tests wait for, too.
#[cfg(not(target_os = "linux"))]
fn alone(_: &str, body: impl FnOnce()) {
    body();
}

#[test]
fn nothing_overlaps_in_any_window() {
    alone("layout::nothing_overlaps_in_any_window", || {
        let mut faults = Vec::new();
        for (state, mut window) in states() {
            for size in sizes() {
                resize(&mut window, size);
                for fault in overlaps(&placed(&window)) {
                    faults.push(format!("{state} {size:?}: {fault}"));
                }
            }
        }
        assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
    });
}

#[test]
fn everything_can_be_scrolled_into_sight() {
    alone("layout::everything_can_be_scrolled_into_sight", || {
        let mut faults = Vec::new();
        for (state, mut window) in states() {
            let animation = ScrollAnimation::none();
            let ctx = window.harness.ctx.clone();
            ctx.all_styles_mut(|style| style.scroll_animation = animation);
            for size in sizes().filter(|size| size.y <= 480.0) {
                resize(&mut window, size);
                let placed = placed(&window);
                // A question and the guide take the window for themselves.
                let front = placed.iter().map(|placed| placed.layer.order).max();
                let is_asked = window.shows("Work is still running") || window.shows("Guide to");
                let cut = placed.into_iter().filter(Placed::is_cut);
                for cut in cut.filter(|cut| !is_asked || Some(cut.layer.order) == front) {
                    if let Some(left) = out_of_reach(&cut, &mut window) {
                        faults.push(format!("{state} {size:?}: {left}"));
                    }
                }
            }
        }
        assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
    });
}

/// What is seen of a widget after scrolling to it, if that is not enough.
fn out_of_reach(cut: &Placed, window: &mut Window) -> Option<String> {
    let found = |window: &Window| placed(window).into_iter().find(|now| now.id == cut.id);
    scroll_to(cut.id, window)?;
    window.harness.run_steps(SETTLE_STEPS);
    for place in WHEEL_PLACES {
        let now = found(window)?;
        if now.is_seen() {
            return None;
        }
        turn_wheel(place, &now, window);
        // What scrolls by itself may have gone too far.
        if !found(window)?.is_seen() {
            scroll_to(cut.id, window)?;
            window.harness.run_steps(SETTLE_STEPS);
        }
    }
    let now = found(window).filter(|now| !now.is_seen())?;
    Some(format!(
        "{:?} {}: {:?} of {:?}",
        now.role, now.name, now.visible, now.whole
    ))
}

/// Turns the wheel at this place of the window, as far as brings `to` to the middle of the window.
fn turn_wheel(place: Vec2, to: &Placed, window: &mut Window) {
    let content = window.harness.ctx.content_rect();
    let mut delta = content.center() - to.whole.center();
    if to.visible.width() + TOUCH >= to.whole.width().min(LEAST_SEEN.x) {
        delta.x = 0.0;
    }
    window.harness.hover_at((place * content.size()).to_pos2());
    window.harness.step();
    window.harness.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta,
        phase: TouchPhase::Move,
        source: MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    // The wheel turns smoothly.
    window.harness.run_steps(WHEEL_STEPS);
}

#[test]
fn nothing_moves_under_the_pointer() {
    alone("layout::nothing_moves_under_the_pointer", || {
        let mut faults = Vec::new();
        for (state, mut window) in states() {
            window.harness.run_steps(SETTLE_STEPS);
            let before = placed(&window);
            for widget in before.iter().filter(|widget| widget.visible.is_positive()) {
                window.harness.hover_at(widget.visible.center());
                window.harness.run_steps(2);
                let moved = moved(&before, &placed(&window));
                faults.extend(
                    moved.map(|moved| {
                        format!("{state}: {} under the pointer: {moved}", widget.name)
                    }),
                );
            }
        }
        assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
    });
}

/// What can be pressed, but for the cards of jobs, of which the newest is the first.
fn placed_to_press(window: &Window) -> Vec<Placed> {
    let mut placed = placed(window);
    placed.retain(|widget| {
        let is_pressed = !matches!(widget.role, Role::Cell | Role::Image | Role::Label);
        is_pressed && !widget.name.starts_with('#')
    });
    placed
}

#[test]
fn run_moves_nothing_under_the_pointer() {
    let mut faults = Vec::new();
    for size in [[1_180.0, 780.0], [760.0, 480.0]] {
        // A job of the same kind has run, so that nothing appears but what the next one brings.
        let mut window = with_an_ended_job();
        window.press_keys_of(CLOSE_DETAILS);
        resize(&mut window, size.into());
        let before = placed_to_press(&window);
        let mut compare = |when: &str, window: &Window| {
            let now = placed_to_press(window);
            let moved = moved(&before, &now);
            faults.extend(moved.map(|moved| format!("{size:?}, {when}: {moved}")));
        };
        window.press_keys_of(START);
        for frame in 0..4 {
            window.step();
            compare(&format!("frame {frame} of the run"), &window);
        }
        window.until("2 of 2 items");
        window.harness.run_steps(SETTLE_STEPS);
        compare("at the end", &window);
        window.click("Copy report");
        window.until("The report is on the clipboard.");
        window.harness.run_steps(SETTLE_STEPS);
        compare("with the message", &window);
    }
    assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn first_failure_moves_nothing() {
    let mut window = Window::open();
    window.misbehave("Error", 2.0, 3.0, 0.4);
    window.choose("Run on", "A thread each");
    window.set("Workers", 1.0);
    window.click("Start");
    window.until("1 of 3 items");
    window.harness.run_steps(SETTLE_STEPS);
    let before = placed_to_press(&window);
    window.until("3 of 3 items · 1 failed");
    window.harness.run_steps(SETTLE_STEPS);
    assert_eq!(moved(&before, &placed_to_press(&window)), None);
}

#[test]
fn doors_are_of_one_width() {
    let mut window = Window::open();
    for size in sizes() {
        resize(&mut window, size);
        let doors = ["Work on files", "See why windows freeze", "Learn joining"];
        let nodes = doors.map(|door| window.harness.get_by_role_and_label(Role::Button, door));
        let widths = nodes.map(|node| node.rect().width());
        assert!(
            widths.iter().all(|width| (width - widths[0]).abs() < 0.1),
            "{size:?}: {widths:?}"
        );
    }
}

/// The first widget that is not where it was.
fn moved(before: &[Placed], now: &[Placed]) -> Option<String> {
    let rects: BTreeMap<NodeId, Rect> = now.iter().map(|now| (now.id, now.whole)).collect();
    before.iter().find_map(|before| {
        let now = rects.get(&before.id)?;
        let by = (now.min - before.whole.min).abs().max_elem();
        (by > 0.1).then(|| format!("{} moved from {:?} to {now:?}", before.name, before.whole))
    })
}

#[test]
fn moved_edge_keeps_its_place_in_other_windows() {
    let windows = TITLES.iter().map(|page| {
        let mut window = Window::open();
        window.click(page);
        window
    });
    for mut window in windows.chain([with_an_ended_job()]) {
        resize(&mut window, WIDE);
        for number in 0..edges(&window).len() {
            let edge = &edges(&window)[number];
            let node = edge.accesskit_node();
            let ends = node.min_numeric_value().zip(node.max_numeric_value());
            let (least, most) = ends.expect("an edge has two ends");
            edge.set_value_accesskit(f64::midpoint(least, most));
            window.harness.run_steps(SETTLE_STEPS);
        }
        let before = shares(&window);
        for smaller in SIZES {
            resize(&mut window, smaller.into());
            resize(&mut window, WIDE);
            assert_eq!(shares(&window), before, "after {smaller:?}");
        }
    }
}

#[test]
fn edge_can_be_drawn_to_another_place() {
    let mut window = Window::open();
    resize(&mut window, WIDE);
    let from = edges(&window)[0].rect().center();
    let to = from + vec2(100.0, 0.0);
    window.harness.drag_at(from);
    window.harness.run_steps(2);
    window.harness.hover_at(to);
    window.harness.run_steps(2);
    window.harness.drop_at(to);
    window.harness.run_steps(SETTLE_STEPS);
    let share = shares(&window)[0];
    resize(&mut window, 0.9 * WIDE);
    assert!(
        (shares(&window)[0] - share).abs() < 0.001,
        "of a smaller window"
    );
    resize(&mut window, WIDE);
    let moved = edges(&window)[0].rect().center().x - from.x;
    assert!((moved - 100.0).abs() < 3.0, "by {moved}");
}

/// The edges of panes that can be moved.
fn edges(window: &Window) -> Vec<Node<'_>> {
    let edges = window.harness.query_all_by_label("Resize panel");
    edges.collect()
}

/// The shares of the panes, in hundredths.
fn shares(window: &Window) -> Vec<f64> {
    let edges = edges(window).into_iter();
    let values = edges.filter_map(|edge| edge.accesskit_node().numeric_value());
    values.map(|value| (100.0 * value).round()).collect()
}

/// The widget that has the keyboard; in a table, that of its row.
fn focused(window: &Window) -> Option<WidgetRect> {
    let mut nodes = window.harness.root().children_recursive();
    let focused = nodes.find(egui_kittest::Node::is_focused)?;
    let id = focused.accesskit_node().locate().0;
    widgets(window).get(&id).copied()
}

/// All sizes of the window with the table alone and with the details of a row.
fn of_the_table(mut found: impl FnMut(&mut Window) -> Vec<String>) -> Vec<String> {
    let mut window = with_many_rows();
    let mut faults = Vec::new();
    for details in ["without", "with"] {
        if details == "with" {
            window.press_keys_of(OPEN_DETAILS);
            assert!(window.shows("Copy result"));
        }
        for size in sizes() {
            resize(&mut window, size);
            let found = found(&mut window).into_iter();
            faults.extend(found.map(|fault| format!("{details} details, {size:?}: {fault}")));
        }
    }
    faults
}

#[test]
fn row_of_the_keys_is_in_sight_in_any_window() {
    let faults = of_the_table(|window| {
        let mut faults = Vec::new();
        for key in [Key::End, Key::Home, Key::PageDown, Key::ArrowUp] {
            window.press(Modifiers::NONE, key);
            window.harness.run_steps(SETTLE_STEPS);
            let row = focused(window).map(|row| (row.rect, row.interact_rect));
            // Its ground is a bit higher than itself.
            let is_seen = row.is_some_and(|(_, seen)| seen.height() >= ROW_HEIGHT - TOUCH);
            if !is_seen {
                faults.push(format!("{key:?}: {row:?}"));
            }
            faults.extend(overlaps(&placed(window)));
        }
        faults
    });
    assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn frame_of_the_table_holds_its_columns() {
    let faults = of_the_table(|window| {
        let widgets = widgets(window);
        let rect = |name: &str| {
            let node = window.named(name);
            widgets[&node.accesskit_node().locate().0].rect
        };
        let (frame, edge) = (rect("Table of results"), rect("Width of State"));
        // The edge can be taken hold of from a bit beyond its ends.
        let grab = window
            .harness
            .ctx
            .global_style()
            .interaction
            .resize_grab_radius_side;
        let apart = (edge.bottom() - grab - frame.bottom()).abs();
        let fault = (apart > TOUCH).then(|| format!("{edge:?} in {frame:?}"));
        fault.into_iter().collect()
    });
    assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
}

fn scroll_to(id: NodeId, window: &Window) -> Option<()> {
    let mut nodes = window.harness.root().children_recursive();
    let node = nodes.find(|node| node.accesskit_node().locate().0 == id)?;
    node.scroll_to_me();
    Some(())
}

fn sizes() -> impl Iterator<Item = Vec2> {
    SIZES
        .into_iter()
        .flat_map(|[width, height]| ZOOMS.map(|zoom| vec2(width, height) / zoom))
}

fn resize(window: &mut Window, size: Vec2) {
    window.harness.set_size(size);
    window.harness.run_steps(SETTLE_STEPS);
}

/// The window in the states whose layouts differ.
pub(crate) fn states() -> Vec<(String, Window)> {
    let mut states = Vec::new();
    for page in TITLES {
        let mut window = Window::open();
        window.click(page);
        states.push((format!("empty {page}"), window));
    }
    for pane in ["Results", "Output", "Panic", "Waits"] {
        let mut window = with_an_ended_job();
        window.click("Joining");
        window.click(pane);
        states.push((format!("ended job, {pane}"), window));
    }
    states.push(("running job".to_owned(), with_a_long_job()));
    #[cfg(target_os = "linux")]
    for form in ["Picture", "Table"] {
        let mut window = waiting("sleep 600 | sleep 600 | cat; :");
        window.until("reads from a pipe that only `sleep`");
        window.click(form);
        states.push((format!("waits, {form}"), window));
    }
    #[cfg(target_os = "linux")]
    {
        states.push(("timeline".to_owned(), with_a_timeline()));
        let mut window = with_a_timeline();
        select_first_span(&mut window);
        states.push(("timeline with a selected bar".to_owned(), window));
        states.push(("two runs".to_owned(), with_a_comparison()));
        let mut window = with_a_timeline();
        window.click("Statistics");
        window.until("What the end hung on");
        states.push(("timeline with statistics".to_owned(), window));
    }
    #[cfg(unix)]
    {
        let mut window = Window::open();
        window.click("Lessons");
        window.click("Run");
        window.until("as expected");
        states.push(("lesson that has run".to_owned(), window));
    }
    #[cfg(target_os = "linux")]
    {
        let mut window = Window::open();
        window.click("Freeze Lab");
        window.click("Report");
        states.push(("report".to_owned(), window));
    }
    states.push(("messages".to_owned(), with_four_messages()));
    let mut asked = with_a_long_job();
    assert!(!asked.ask_to_close());
    states.push(("close question".to_owned(), asked));
    let mut guide = Window::open();
    guide.click("Help");
    states.push(("guide".to_owned(), guide));
    let jobs = [
        "Verify",
        "Audit",
        "Images",
        "Fetch URLs",
        "Command",
        "Misbehave",
    ];
    for job in jobs {
        let mut window = Window::open();
        window.choose("Job", job);
        if let Some(more) = more_options(&window) {
            window.click(&more);
        }
        states.push((format!("options of {job}"), window));
    }
    states
}

/// A window with four messages, one of which is long.
pub(crate) fn with_four_messages() -> Window {
    let mut window = with_an_ended_job();
    for button in ["Copy report", "Add files…", "Save report…", "Save list…"] {
        window.click(button);
        window.dialogs.answer(DialogAnswer::Unavailable);
        window.harness.run_steps(SETTLE_STEPS);
    }
    window
}

/// The header of the further options of the chosen job.
fn more_options(window: &Window) -> Option<String> {
    let mut headers = window.harness.query_all_by_label_contains("More options");
    headers.find_map(|header| header.accesskit_node().label())
}

/// A window with more rows than fit in it. The table has the keyboard, and a row is selected.
fn with_many_rows() -> Window {
    let mut window = Window::open();
    window.misbehave("Return", 1.0, 40.0, 0.0);
    window.click("Start");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window.select_row("item 2 is done");
    window
}

/// A window with long names, a missing input, and a job whose selected item has failed.
fn with_an_ended_job() -> Window {
    let mut window = Window::open();
    let long = format!("{}.txt", "a long name ".repeat(16));
    let good = file(window.dir.path(), &long, b"abc");
    let missing = window.dir.path().join("missing.txt");
    for path in [good, missing] {
        window.type_into("Path", path.to_str().expect("plain text"));
        window.click("Add");
    }
    window.click("Start");
    window.until("2 of 2 items");
    // Selects the second row.
    window.named("Filter").focus();
    window.step();
    for _ in 0..2 {
        window.press_keys_of(NEXT_ROW);
    }
    window.press_keys_of(OPEN_DETAILS);
    assert!(window.shows("Copy result"));
    window
}
