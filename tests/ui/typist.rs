//! A window that is used by keyboard alone.

use eframe::egui::{Event, Key, Modifiers, OutputCommand};
use egui_kittest::kittest::{AccessKitNode, NodeT as _};

use super::window::Window;

/// Nothing is further away than this, on the page with the longest list.
const MOST_PRESSES: usize = 90;

/// Somebody without a mouse: finds things by what a screen reader says of the focus.
pub(crate) struct Typist {
    window: Window,
}

impl Typist {
    pub(crate) fn at(window: Window) -> Self {
        Self { window }
    }

    /// What can be seen.
    pub(crate) fn sees(&self) -> &Window {
        &self.window
    }

    pub(crate) fn waits_for(&mut self, text: &str) {
        self.window.until(text);
    }

    pub(crate) fn waits_until(&mut self, condition: impl Fn(&Window) -> bool, what: &str) {
        self.window.until_it(condition, what);
    }

    /// The name of what has the keyboard.
    pub(crate) fn focus(&self) -> Option<String> {
        let nodes = self.window.harness.root().children_recursive();
        let mut focused = nodes.filter(egui_kittest::Node::is_focused);
        let node = focused.next()?;
        node.accesskit_node().label()
    }

    /// What a screen reader says of the state of the focus.
    pub(crate) fn with_focus<R>(&self, read: impl FnOnce(&AccessKitNode<'_>) -> R) -> R {
        let nodes = self.window.harness.root().children_recursive();
        let mut focused = nodes.filter(egui_kittest::Node::is_focused);
        read(
            &focused
                .next()
                .expect("something has the keyboard")
                .accesskit_node(),
        )
    }

    pub(crate) fn presses(&mut self, key: Key) {
        self.window.press(Modifiers::NONE, key);
    }

    pub(crate) fn presses_with(&mut self, modifiers: Modifiers, key: Key) {
        self.window.press(modifiers, key);
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.window.harness.event(Event::Text(text.to_owned()));
        self.window.step();
        self.window.step();
    }

    /// Presses Tab until what has this name has the keyboard. Returns how many times.
    pub(crate) fn goes_to(&mut self, name: &str) -> usize {
        self.walks_to(name, Modifiers::NONE, Key::Tab)
    }

    /// The same with Shift+Tab.
    pub(crate) fn goes_back_to(&mut self, name: &str) -> usize {
        self.walks_to(name, Modifiers::SHIFT, Key::Tab)
    }

    /// Goes to a button, a tab or a card and presses it.
    pub(crate) fn activates(&mut self, name: &str) {
        self.goes_to(name);
        self.presses(Key::Enter);
    }

    /// Chooses an entry of a combo box.
    pub(crate) fn chooses(&mut self, combo_box: &str, entry: &str) {
        self.activates(combo_box);
        let down = (0..MOST_PRESSES).any(|_| self.is_at_or_presses(entry, Key::ArrowDown));
        let found = down || (0..MOST_PRESSES).any(|_| self.is_at_or_presses(entry, Key::ArrowUp));
        assert!(found, "{combo_box} has no {entry}");
        self.presses(Key::Enter);
        assert_eq!(self.focus().as_deref(), Some(combo_box), "after {entry}");
    }

    /// Types a number or a text into a field in place of what it has.
    pub(crate) fn fills(&mut self, field: &str, text: &str) {
        self.goes_to(field);
        self.presses_with(Modifiers::COMMAND, Key::A);
        self.types(text);
        self.presses(Key::Enter);
    }

    /// Presses Enter. Returns the text that it puts on the clipboard.
    pub(crate) fn copies(&mut self) -> String {
        // In one frame: what is sent to the desktop is gone with the next.
        self.window.harness.input_mut().events.push(Event::Key {
            key: Key::Enter,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        });
        let mut copied = None;
        for _ in 0..4 {
            self.window.harness.step();
            let commands = &self.window.harness.output().platform_output.commands;
            copied = copied.or(commands.iter().find_map(|command| match command {
                OutputCommand::CopyText(text) => Some(text.clone()),
                _ => None,
            }));
        }
        copied.unwrap_or_else(|| panic!("nothing was copied.\n{}", self.window.texts()))
    }

    fn is_at_or_presses(&mut self, name: &str, key: Key) -> bool {
        let is_there = self.focus().as_deref() == Some(name);
        if !is_there {
            self.presses(key);
        }
        is_there
    }

    fn walks_to(&mut self, name: &str, modifiers: Modifiers, key: Key) -> usize {
        let mut passed = Vec::new();
        for presses in 0..MOST_PRESSES {
            match self.focus() {
                Some(focus) if focus == name => return presses,
                focus => passed.push(focus.unwrap_or_default()),
            }
            self.presses_with(modifiers, key);
        }
        panic!("{name} is not among {passed:?}\n{}", self.window.texts());
    }
}
