//! Tab and screen readers follow the eye: from top to bottom, and from left to right within a part.

use std::collections::BTreeMap;

use eframe::egui::accesskit::{NodeId, Role};
use eframe::egui::{self, Key, Modifiers, Rect, vec2};
use egui_kittest::Node;
use egui_kittest::kittest::NodeT as _;

use super::layout::{TOUCH, states, with_four_messages};
use super::window::Window;

/// A wide and a narrow window, in which the parts of a page are beside and below each other. They are so high that
/// nothing is scrolled: then all places can be compared.
const SIZES: [[f32; 2]; 2] = [[1_180.0, 2_600.0], [640.0, 5_200.0]];

/// No page has more that takes the keyboard.
const MOST_STOPS: usize = 200;

/// Each of these has its own order of widgets; the other states differ in what is shown of them.
const STATES: [&str; 10] = [
    "empty Workbench",
    "empty Lessons",
    "empty Freeze Lab",
    "empty Settings",
    "ended job, Results",
    "running job",
    "lesson that has run",
    "report",
    "close question",
    "options of Command",
];

/// What takes the keyboard, and where it is.
#[derive(Clone, Debug)]
struct Stop {
    name: String,
    place: Rect,
}

fn id(node: &Node<'_>) -> NodeId {
    node.accesskit_node().locate().0
}

/// What Tab comes to, one after the other, until it begins again.
fn stops(window: &mut Window) -> Vec<Stop> {
    let mut ids: Vec<NodeId> = Vec::new();
    // So the first press goes to the first one.
    let focused = window.harness.ctx.memory(egui::Memory::focused);
    if let Some(focused) = focused {
        let ctx = window.harness.ctx.clone();
        ctx.memory_mut(|memory| memory.surrender_focus(focused));
    }
    for _ in 0..MOST_STOPS {
        window
            .harness
            .key_press_modifiers(Modifiers::NONE, Key::Tab);
        window.harness.run_steps(2);
        let mut nodes = window.harness.root().children_recursive();
        // A table, not its row.
        let focused = nodes.find(|node| node.accesskit_node().is_focused_in_tree());
        match focused.map(|node| id(&node)) {
            Some(id) if ids.contains(&id) => break,
            focused => ids.extend(focused),
        }
    }
    assert!(ids.len() < MOST_STOPS, "{}", window.texts());
    let nodes: BTreeMap<_, _> = window
        .harness
        .root()
        .children_recursive()
        .map(|node| (id(&node), node))
        .collect();
    let stops = ids.iter().filter_map(|id| nodes.get(id));
    // A line between two parts comes after both.
    let stops = stops.filter(|node| node.accesskit_node().role() != Role::Splitter);
    let stops = stops.map(|node| Stop {
        name: node.accesskit_node().label().unwrap_or_default(),
        place: node.rect(),
    });
    let stops: Vec<_> = stops.collect();
    let holds = |place: Rect| {
        let mut others = stops.iter().map(|stop| stop.place);
        others.any(|other| place != other && place.contains_rect(other))
    };
    // What holds others comes before them, as its upper edge.
    let edges = stops.iter().cloned().map(|mut stop| {
        if holds(stop.place) {
            stop.place.max.y = stop.place.min.y;
        }
        stop
    });
    edges.collect()
}

/// Whether the eye comes to all of these before all of those: above, or else to the left.
fn is_before(these: &[Stop], those: &[Stop]) -> bool {
    let all = |before: fn(Rect, Rect) -> bool| {
        these
            .iter()
            .all(|this| those.iter().all(|that| before(this.place, that.place)))
    };
    all(|this, that| this.bottom() <= that.top() + TOUCH)
        || all(|this, that| this.right() <= that.left() + TOUCH)
}

/// The first ones whose order is not that of the eye: these can't be cut into some that come first and others.
fn disorder(stops: &[Stop]) -> Option<&[Stop]> {
    if stops.len() < 2 {
        return None;
    }
    let cut = (1..stops.len()).find(|&at| is_before(&stops[..at], &stops[at..]));
    match cut {
        Some(at) => disorder(&stops[..at]).or_else(|| disorder(&stops[at..])),
        None => Some(stops),
    }
}

#[test]
fn tab_follows_the_eye_on_every_page() {
    let mut faults = Vec::new();
    let mut seen = 0;
    for (state, mut window) in states() {
        if !STATES.contains(&state.as_str()) {
            continue;
        }
        seen += 1;
        for [width, height] in SIZES {
            window.harness.set_size(vec2(width, height));
            window.harness.run_steps(5);
            let stops = stops(&mut window);
            assert!(stops.len() > 2, "{state}: {stops:?}");
            if let Some(found) = disorder(&stops) {
                let found = found.iter().map(|it| format!("{} {}", it.name, it.place));
                let found: Vec<_> = found.collect();
                faults.push(format!("{state}, {width}:\n  {}", found.join("\n  ")));
            }
        }
    }
    assert!(seen >= 6, "{seen} states");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The texts and names of a window, in the order in which a screen reader reads them.
fn read(window: &Window) -> Vec<(NodeId, String)> {
    let nodes = window.harness.root().children_recursive();
    let texts = nodes.filter_map(|node| {
        let inner = node.accesskit_node();
        Some((id(&node), inner.label().or_else(|| inner.value())?))
    });
    texts.collect()
}

#[test]
fn label_is_read_before_its_field() {
    let mut fields = 0;
    for (state, window) in states() {
        let order = read(&window);
        let place = |id: NodeId| order.iter().position(|(read, _)| *read == id);
        let nodes = window.harness.root().children_recursive();
        for node in nodes {
            let field = id(&node);
            let inner = node.accesskit_node();
            for label in inner.data().labelled_by() {
                fields += 1;
                assert!(place(*label) < place(field), "{state}: {:?}", inner.label());
            }
        }
    }
    assert!(fields > 40, "{fields}");
}

#[test]
fn what_a_button_is_about_is_read_before_it() {
    let window = with_four_messages();
    let order = read(&window);
    let place = |name: &str| {
        let found = order.iter().position(|(_, text)| text.contains(name));
        found.unwrap_or_else(|| panic!("{name}\n{}", window.texts()))
    };
    for (first, later) in [
        ("Path", "Add"),
        ("Filter", "Copy result"),
        ("Table of results", "Close the details"),
        ("Copy result", "tasks running"),
        ("The report is on the clipboard.", "Dismiss"),
    ] {
        let add = order.iter().position(|(_, text)| text == later);
        let later_place = add.unwrap_or_else(|| place(later));
        assert!(
            place(first) < later_place,
            "{first}, {later}\n{}",
            window.texts()
        );
    }
}
