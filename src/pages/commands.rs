//! The commands: their texts, tooltips and keys.
//!
//! Each page has a table of its commands, and the window has one here. Buttons, tooltips, shortcuts
//! and the list on the page Settings read these tables: see [`command_table`](super::command_table).

use std::borrow::Cow;
use std::collections::BTreeMap;

use eframe::egui::gui_zoom::kb_shortcuts::{ZOOM_IN, ZOOM_OUT, ZOOM_RESET};
use eframe::egui::{Button, Key, KeyboardShortcut, Modifiers, Response, Ui};

use super::{Page, PageContext, PageId};
use crate::ui::widgets;

/// A command of the window or of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UiCommand {
    AddFiles,
    AddFolder,
    ClearInputs,
    Start,
    Join,
    JoinWithTimeout,
    Detach,
    Cancel,
    Terminate,
    Kill,
    StopTree,
    RunAgain,
    CopyReport,
    SaveReport,
    SaveList,
    Remove,
    Find,
    NextRow,
    PreviousRow,
    NextMatch,
    PreviousMatch,
    RunLesson,
    StopLesson,
    RunAllPatterns,
    RunBothVariants,
    RunBad,
    RunFixed,
    TryBad,
    TryFixed,
    StopRuns,
    SaveLabReport,
    Settings,
    ZoomIn,
    ZoomOut,
    ResetZoom,
    FullScreen,
    KeepWindow,
    Quit,
}

/// The place where the shortcut of a command works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShortcutScope {
    /// On this page, unless the window asks a question.
    Page(PageId),
    /// In the field with this name, whose panel handles the keys.
    Field(&'static str),
    /// On every page, unless the window asks a question.
    Window,
    /// In the question before the window closes, which handles the keys.
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

pub(super) const fn row(
    command: UiCommand,
    shortcut: Option<KeyboardShortcut>,
    scope: ShortcutScope,
    text: &'static str,
    tooltip: &'static str,
) -> CommandInfo {
    CommandInfo {
        command,
        text,
        tooltip,
        shortcut,
        scope,
    }
}

/// The commands of the window.
#[rustfmt::skip]
pub(crate) const COMMANDS: &[CommandInfo] = &[
    row(UiCommand::Settings, Some(ctrl(Key::Comma)), ShortcutScope::Window, "Settings", ""),
    row(UiCommand::ZoomIn, Some(ZOOM_IN), ShortcutScope::Toolkit, "Zoom in", ""),
    row(UiCommand::ZoomOut, Some(ZOOM_OUT), ShortcutScope::Toolkit, "Zoom out", ""),
    row(UiCommand::ResetZoom, Some(ZOOM_RESET), ShortcutScope::Toolkit, "Reset zoom", ""),
    row(UiCommand::FullScreen, Some(plain(Key::F11)), ShortcutScope::Always, "Full screen", ""),
    row(UiCommand::KeepWindow, Some(plain(Key::Escape)), ShortcutScope::CloseQuestion, "Keep the window", ""),
    row(UiCommand::Quit, Some(ctrl(Key::Q)), ShortcutScope::Toolkit, "Quit", ""),
];

/// The row of a command.
///
/// # Panics
/// The table does not have the command.
pub(crate) fn info(table: &'static [CommandInfo], command: UiCommand) -> &'static CommandInfo {
    let row = table.iter().find(|row| row.command == command);
    row.unwrap_or_else(|| panic!("the table does not have {command:?}"))
}

impl CommandInfo {
    /// The name in a list of shortcuts.
    pub fn title(&self) -> Cow<'static, str> {
        match self.scope {
            ShortcutScope::Field(field) => format!("{}, in the field {field}", self.text).into(),
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
        let keys = self.shortcut.map(|keys| {
            let keys = button.ctx.format_shortcut(&keys);
            match self.scope {
                ShortcutScope::Field(field) => format!("{keys} in the field {field}"),
                _ => keys,
            }
        });
        let lines = [Some(self.tooltip.to_owned()), keys];
        let tooltip: Vec<_> = lines.into_iter().flatten().collect();
        let tooltip = tooltip.join("\n");
        let button = match tooltip.trim() {
            "" => button,
            tooltip => button.on_hover_text(tooltip),
        };
        match why_not {
            Some(why_not) => button.on_disabled_hover_text(why_not),
            None => button,
        }
    }
}

/// The commands whose keys were pressed and that work on `page`. Takes the keys from the input.
pub(crate) fn pressed(page: &dyn Page, is_asking: bool, ui: &Ui) -> Vec<UiCommand> {
    let own = &page.info().id;
    let mut rows: Vec<_> = page
        .info()
        .commands
        .iter()
        .chain(COMMANDS)
        .filter(|row| match &row.scope {
            ShortcutScope::Page(id) => id == own && !is_asking,
            ShortcutScope::Window => !is_asking,
            ShortcutScope::Always => true,
            ShortcutScope::Field(_) | ShortcutScope::CloseQuestion | ShortcutScope::Toolkit => {
                false
            }
        })
        .filter_map(|row| Some((row.command, row.shortcut.as_ref()?)))
        .collect();
    // The longer combination first: the shorter one would take its key.
    rows.sort_by_key(|(_, keys)| !keys.modifiers.shift);
    rows.retain(|(_, keys)| ui.input_mut(|input| input.consume_shortcut(keys)));
    rows.into_iter().map(|(command, _)| command).collect()
}

/// The commands of a page, and the reasons why some can't run right now.
#[derive(Debug)]
pub(crate) struct Unavailable {
    table: &'static [CommandInfo],
    reasons: BTreeMap<UiCommand, Cow<'static, str>>,
}

impl Unavailable {
    pub(crate) fn of(page: &dyn Page, context: &PageContext) -> Self {
        let table = page.info().commands;
        let reason = |row: &CommandInfo| {
            let why_not = page.why_not(row.command, context)?;
            Some((row.command, why_not))
        };
        Self {
            table,
            reasons: table.iter().filter_map(reason).collect(),
        }
    }

    pub(crate) fn button(&self, command: UiCommand, ui: &mut Ui) -> Response {
        info(self.table, command).button(self.why_not(command), ui)
    }

    /// The one prominent button of a panel.
    pub(crate) fn primary_button(&self, command: UiCommand, ui: &mut Ui) -> Response {
        info(self.table, command).primary_button(self.why_not(command), ui)
    }

    fn why_not(&self, command: UiCommand) -> Option<&str> {
        self.reasons.get(&command).map(AsRef::as_ref)
    }
}
