//! The commands: their texts, tooltips and keys.
//!
//! Each page has a table of its commands, and the window has one here. Buttons, tooltips, shortcuts
//! and the list on the page Settings read these tables: see [`command_table`](super::command_table).

use std::borrow::Cow;
use std::collections::BTreeMap;

use eframe::egui::gui_zoom::kb_shortcuts;
use eframe::egui::{Button, Context, Key, KeyboardShortcut, Modifiers, Popup, Response, Ui};

use super::{Page, PageContext, PageId, command_table};
use crate::ui::widgets;

/// A command of the window or of a page. No two have the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UiCommand(&'static str);

impl UiCommand {
    pub(super) const fn new(name: &'static str) -> Self {
        Self(name)
    }
}

/// The place where the shortcut of a command works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShortcutScope {
    /// On this page, unless the window asks a question.
    Page(PageId),
    /// In the field or table with this name, whose panel handles the keys.
    Field(&'static str),
    /// Nowhere: it has a button at each item, whose panel says when it is there.
    Item,
    /// On every page, unless the window asks a question or shows the guide.
    Window,
    /// In the guide.
    Guide,
    /// In the question before the window closes.
    CloseQuestion,
    Always,
    /// Always: egui handles the keys.
    Toolkit,
}

/// One row of a table.
#[derive(Clone, Debug)]
pub struct CommandInfo {
    pub command: UiCommand,
    /// The text of its button.
    pub text: &'static str,
    /// Its effect; empty where the text says it all.
    pub tooltip: &'static str,
    pub shortcut: Option<KeyboardShortcut>,
    pub scope: ShortcutScope,
}

pub(super) const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

pub(super) const fn ctrl_shift(key: Key) -> KeyboardShortcut {
    let modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
    KeyboardShortcut::new(modifiers, key)
}

pub(super) const fn shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::SHIFT, key)
}

pub(super) const fn plain(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

/// Makes a table of commands, `COMMANDS`, and a constant for each of them. A line is the name of the
/// constant, the shortcut, the scope, the text and the tooltip; `+ ROW` adds the row of another file.
macro_rules! commands {
    ($(
        $command:ident: $shortcut:expr, $scope:expr, $text:expr, $tooltip:expr;
    )+ $(+ $row:expr;)*) => {
        $(pub const $command: $crate::pages::commands::UiCommand =
            $crate::pages::commands::UiCommand::new(
                concat!(module_path!(), "::", stringify!($command)),
            );)+

        /// The commands of this file.
        pub(crate) const COMMANDS: &[$crate::pages::commands::CommandInfo] = &[
            $($crate::pages::commands::CommandInfo {
                command: $command,
                text: $text,
                tooltip: $tooltip,
                shortcut: $shortcut,
                scope: $scope,
            },)+
            $($row,)*
        ];
    };
}
pub(super) use commands;

/// What has the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    Page,
    Guide,
    CloseQuestion,
}

const QUESTION: ShortcutScope = ShortcutScope::CloseQuestion;

commands! {
    HELP: Some(plain(Key::F1)), ShortcutScope::Window, "Help", "The guide to this page.";
    CLOSE_GUIDE: Some(plain(Key::Escape)), ShortcutScope::Guide, "Close the guide", "";
    SETTINGS: Some(ctrl(Key::Comma)), ShortcutScope::Window, "Settings", "";
    ZOOM_IN: Some(kb_shortcuts::ZOOM_IN), ShortcutScope::Toolkit, "Zoom in", "";
    ZOOM_OUT: Some(kb_shortcuts::ZOOM_OUT), ShortcutScope::Toolkit, "Zoom out", "";
    RESET_ZOOM: Some(kb_shortcuts::ZOOM_RESET), ShortcutScope::Toolkit, "Reset zoom", "";
    FULL_SCREEN: Some(plain(Key::F11)), ShortcutScope::Always, "Full screen", "";
    KEEP_WINDOW: Some(plain(Key::Escape)), QUESTION, "Keep the window", "";
    WAIT_AND_QUIT: None, QUESTION, "Wait and quit",
        "The window closes when all jobs have ended.";
    CANCEL_AND_QUIT: None, QUESTION, "Cancel and quit",
        "Cancel the jobs. The window closes when they have stopped.";
    KEEP_RUNNING: None, QUESTION, "Keep running without the window",
        "The window closes now. The program goes on until all jobs have ended, and saves their reports in the \
         folder `reports` beside the settings.";
    QUIT_NOW: None, QUESTION, "Quit now",
        "Do not wait for the cancelled jobs. Their processes are killed.";
    QUIT: Some(ctrl(Key::Q)), ShortcutScope::Toolkit, "Quit", "";
}

/// The row of a command.
///
/// # Panics
/// No table has the command.
pub(crate) fn info(command: UiCommand) -> &'static CommandInfo {
    let row = command_table().find(|row| row.command == command);
    row.unwrap_or_else(|| panic!("no table has {command:?}"))
}

impl CommandInfo {
    /// The name in a list of shortcuts.
    pub fn title(&self) -> Cow<'static, str> {
        match self.scope {
            ShortcutScope::Field(field) => format!("{}, in {field}", self.text).into(),
            _ => self.text.into(),
        }
    }

    /// Whether its keys were pressed in this frame. Does not take them from the input.
    pub(crate) fn is_pressed(&self, ui: &Ui) -> bool {
        self.presses(ui) > 0
    }

    /// The number of times that its keys were pressed in this frame.
    pub(crate) fn presses(&self, ui: &Ui) -> usize {
        let Some(keys) = self.shortcut else {
            return 0;
        };
        ui.input(|input| {
            if input.modifiers.contains(keys.modifiers) {
                input.num_presses(keys.logical_key)
            } else {
                0
            }
        })
    }

    /// The button of the command, with its tooltip and keys. It is disabled if there is a reason.
    pub(crate) fn button(&self, why_not: Option<&str>, ui: &mut Ui) -> Response {
        let button = ui.add_enabled(why_not.is_none(), Button::new(self.text));
        self.with_tooltip(button, why_not)
    }

    /// The same as the one prominent button of a panel.
    pub(crate) fn primary_button(&self, why_not: Option<&str>, ui: &mut Ui) -> Response {
        let button = widgets::primary_button(ui, self.text, why_not.is_none());
        self.with_tooltip(button, why_not)
    }

    /// Adds the tooltip, the keys, and the reason why the button is disabled.
    pub(crate) fn with_tooltip(&self, button: Response, why_not: Option<&str>) -> Response {
        let button = if self.tooltip.is_empty() && self.shortcut.is_none() {
            button
        } else {
            if button.ctx.has_accesskit_node(button.id) {
                // A screen reader reads it without the pointer.
                let hint = self.hint(&button.ctx);
                button
                    .ctx
                    .accesskit_node_builder(button.id, |node| node.set_description(hint));
            }
            // Not `on_hover_text`, which needs the text in every frame.
            button.on_hover_ui(|ui| hint_ui(&self.hint(ui.ctx()), ui))
        };
        match why_not {
            Some(why_not) => button.on_disabled_hover_ui(|ui| hint_ui(why_not, ui)),
            None => button,
        }
    }

    /// The tooltip, and below it the keys.
    fn hint(&self, ctx: &Context) -> String {
        let Some(keys) = &self.shortcut else {
            return self.tooltip.to_owned();
        };
        let mut hint = ctx.format_shortcut(keys);
        if let ShortcutScope::Field(field) = self.scope {
            hint = format!("{hint} in {field}");
        }
        match self.tooltip {
            "" => hint,
            tooltip => format!("{tooltip}\n{hint}"),
        }
    }
}

fn hint_ui(text: &str, ui: &mut Ui) {
    // As `on_hover_text` does: a tooltip would not grow again by itself.
    ui.set_max_width(ui.spacing().tooltip_width);
    ui.label(text);
}

/// The commands whose keys were pressed and that work on `page`. Takes the keys from the input.
pub(crate) fn pressed(page: &dyn Page, front: Front, ui: &Ui) -> Vec<UiCommand> {
    let own = &page.info().id;
    let mut rows: Vec<_> = page
        .info()
        .commands
        .iter()
        .chain(COMMANDS)
        .filter(|row| match &row.scope {
            ShortcutScope::Page(id) => id == own && front == Front::Page,
            ShortcutScope::Window => front == Front::Page,
            ShortcutScope::Guide => front == Front::Guide,
            ShortcutScope::Always => true,
            // An open list in front of the question takes its keys first.
            ShortcutScope::CloseQuestion => {
                front == Front::CloseQuestion && !Popup::is_any_open(ui.ctx())
            }
            ShortcutScope::Field(_) | ShortcutScope::Item | ShortcutScope::Toolkit => false,
        })
        .filter_map(|row| Some((row.command, row.shortcut.as_ref()?)))
        .collect();
    // The longer combination first: the shorter one would take its key.
    rows.sort_by_key(|(_, keys)| !keys.modifiers.shift);
    rows.retain(|(_, keys)| ui.input_mut(|input| input.consume_shortcut(keys)));
    rows.into_iter().map(|(command, _)| command).collect()
}

/// The reasons why commands of a page can't run right now.
#[derive(Debug, Default)]
pub struct Unavailable(BTreeMap<UiCommand, Cow<'static, str>>);

impl Unavailable {
    pub fn new(reasons: impl IntoIterator<Item = (UiCommand, Cow<'static, str>)>) -> Self {
        Self(reasons.into_iter().collect())
    }

    pub(crate) fn of(page: &dyn Page, context: &PageContext) -> Self {
        // What a panel shows at an item, it looks up itself.
        let rows = page.info().commands.iter();
        let rows = rows.filter(|row| row.scope != ShortcutScope::Item);
        let reasons = rows.filter_map(|row| {
            let why_not = page.why_not(row.command, context)?;
            Some((row.command, why_not))
        });
        Self::new(reasons)
    }

    pub(crate) fn button(&self, command: UiCommand, ui: &mut Ui) -> Response {
        info(command).button(self.why_not(command), ui)
    }

    /// The one prominent button of a panel.
    pub(crate) fn primary_button(&self, command: UiCommand, ui: &mut Ui) -> Response {
        info(command).primary_button(self.why_not(command), ui)
    }

    pub(crate) fn why_not(&self, command: UiCommand) -> Option<&str> {
        self.0.get(&command).map(AsRef::as_ref)
    }
}

/// Runs the commands that a page has kept. Returns whether there were any.
pub(super) fn run_each<C>(commands: Vec<C>, run: impl FnMut(C)) -> bool {
    let has_any = !commands.is_empty();
    commands.into_iter().for_each(run);
    has_any
}
