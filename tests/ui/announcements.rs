//! What a screen reader says by itself: each piece of news once.

use std::collections::BTreeMap;

use eframe::egui::accesskit::{Live, NodeId, Role};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use meanwhile::app::DialogAnswer;

use super::window::{Window, file};

/// Hears what is said, as AccessKit does: a live region says its name when it appears and when that changes.
struct Listener {
    window: Window,
    known: BTreeMap<NodeId, String>,
    said: Vec<String>,
}

impl Listener {
    fn to(window: Window) -> Self {
        let mut listener = Self {
            window,
            known: BTreeMap::new(),
            said: Vec::new(),
        };
        listener.step();
        listener
    }

    fn step(&mut self) {
        self.window.harness.step();
        let nodes = self.window.harness.root().children_recursive();
        let live = nodes.filter_map(|node| {
            let node = node.accesskit_node();
            let name = node.label().or_else(|| node.value()).unwrap_or_default();
            // The lines of a text are no nodes for a screen reader.
            let is_live = node.live() != Live::Off && node.role() != Role::TextRun;
            is_live.then(|| (node.locate().0, name))
        });
        let now: BTreeMap<_, _> = live.collect();
        for (id, name) in &now {
            if !name.is_empty() && self.known.get(id) != Some(name) {
                self.said.push(name.clone());
            }
        }
        self.known = now;
    }

    /// How often something with this in it was said.
    fn times(&self, part: &str) -> usize {
        self.said.iter().filter(|said| said.contains(part)).count()
    }

    fn until(&mut self, condition: impl Fn(&Self) -> bool, what: &str) {
        for _ in 0..6_000 {
            if condition(self) {
                return;
            }
            self.step();
            std::thread::park_timeout(std::time::Duration::from_millis(8));
        }
        panic!("never came: {what}; said: {:?}", self.said);
    }

    /// Presses the upper one of the buttons with this name.
    fn clicks(&mut self, name: &str) {
        // What floats has its place from the second frame on.
        self.step();
        let buttons = self.window.harness.query_all_by_label(name);
        let upper = buttons.min_by(|a, b| a.rect().top().total_cmp(&b.rect().top()));
        upper.unwrap_or_else(|| panic!("no {name}")).click();
        for _ in 0..4 {
            self.step();
        }
    }
}

#[test]
fn end_of_a_job_is_said_once() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let path = file(dir.path(), "abc.txt", b"abc");
    let mut listener = Listener::to(Window::open_in(dir, &[path]));
    let end = |number: usize| format!("#{number} Checksums: 1 of 1 item");
    for number in [1, 2] {
        listener.clicks("Start");
        listener.until(|listener| listener.times(&end(number)) > 0, "the end");
        for page in ["Lessons", "Settings", "Workbench"] {
            listener.clicks(page);
        }
        assert_eq!(listener.times(&end(number)), 1, "{:?}", listener.said);
    }
    assert_eq!(listener.times(&end(1)), 1, "{:?}", listener.said);
}

#[test]
fn news_are_gone_when_other_work_starts() {
    let mut listener = Listener::to(Window::open());
    listener.window.misbehave("Return", 1.0, 1.0, 0.0);
    listener.clicks("Start");
    listener.until(|listener| listener.times("#1 ") > 0, "the end");
    listener.window.misbehave("Sleep", 1.0, 1.0, 600.0);
    listener.clicks("Start");
    let is_old = listener.known.values().any(|name| name.contains("#1 "));
    assert!(!is_old, "{:?}", listener.known);
}

#[test]
fn number_that_grows_by_itself_is_not_said() {
    let mut listener = Listener::to(Window::open());
    listener.window.misbehave("Return", 1.0, 20_000.0, 0.0);
    listener.clicks("Start");
    listener.until(|listener| listener.times("#1 ") > 0, "the end");
    assert_eq!(listener.said.len(), 1, "{:?}", listener.said);
    // But the number that the user asks for.
    listener.window.type_into("Filter", "item 11 ");
    listener.until(|listener| listener.times("1 of 20 000 items") > 0, "it");
    // It is known when the page comes back.
    for page in ["Lessons", "Workbench"] {
        listener.clicks(page);
    }
    assert!(listener.window.shows("1 of 20 000 items"));
    assert_eq!(
        listener.times("1 of 20 000 items"),
        1,
        "{:?}",
        listener.said
    );
    listener.window.type_into("Filter", "9");
    listener.until(|listener| listener.times("0 of 20 000 items") > 0, "it");
}

#[test]
fn message_that_leaves_repeats_no_other() {
    let mut listener = Listener::to(Window::open());
    listener.window.misbehave("Return", 1.0, 1.0, 0.0);
    listener.clicks("Start");
    listener.until(|listener| listener.times("#1 ") > 0, "the end");
    for button in ["Add files…", "Save report…"] {
        listener.clicks(button);
        listener.window.dialogs.answer(DialogAnswer::Unavailable);
        let text = "could not show a file dialog";
        let before = listener.times(text);
        listener.until(|listener| listener.times(text) > before, text);
    }
    let before = listener.said.clone();
    listener.clicks("Dismiss");
    assert_eq!(listener.said, before);
    let left = listener.window.texts_with("could not show a file dialog");
    assert_eq!(left.len(), 1, "{}", listener.window.texts());
}

#[test]
#[cfg(unix)]
fn end_of_a_lesson_is_said_once_a_run() {
    let mut listener = Listener::to(Window::open());
    listener.clicks("Lessons");
    listener.window.set("Speed", 20.0);
    let end = "Wait for a worker: as expected";
    for run in [1, 2] {
        listener.clicks("Run");
        listener.until(|listener| listener.times(end) == run, "the end");
        for page in ["Workbench", "Lessons"] {
            listener.clicks(page);
        }
        assert_eq!(listener.times("as expected"), run, "{:?}", listener.said);
    }
}
