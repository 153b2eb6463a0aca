//! The command table: what each command is called, what it does, its keys, and where it works.
//!
//! Buttons, tooltips, shortcuts and the list on the page Settings read this one table.

use std::borrow::Cow;
use std::collections::BTreeMap;

use eframe::egui::gui_zoom::kb_shortcuts::{ZOOM_IN, ZOOM_OUT, ZOOM_RESET};
use eframe::egui::{Button, Key, KeyboardShortcut, Modifiers, Response, Ui};

use super::{Page, PageId, Shell, workbench};
use crate::ui::widgets;

/// A command of the window or of the page that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UiCommand {
    /// Opens the dialog that picks files.
    AddFiles,
    /// Opens the dialog that picks a folder.
    AddFolder,
    /// Removes all inputs.
    ClearInputs,
    /// Starts the chosen job.
    Start,
    /// Waits for the selected job.
    Join,
    /// Waits for the selected job until a deadline.
    JoinWithTimeout,
    /// Stops waiting for the selected job.
    Detach,
    /// Cancels the selected job.
    Cancel,
    /// Sends `SIGTERM` to processes of the selected job.
    Terminate,
    /// Sends `SIGKILL` to processes of the selected job.
    Kill,
    /// Ends processes of the selected job with all their descendants.
    StopTree,
    /// Starts the selected job once more.
    RunAgain,
    /// Copies the report of the selected job.
    CopyReport,
    /// Saves the report of the selected job.
    SaveReport,
    /// Saves the checksum list of the selected job.
    SaveList,
    /// Removes the selected job from the list.
    Remove,
    /// Puts the keyboard into the field `Filter` or `Find`.
    Find,
    /// Shows the page `Settings`.
    Settings,
    /// Enlarges everything.
    ZoomIn,
    /// Shrinks everything.
    ZoomOut,
    /// Draws everything in its usual size.
    ResetZoom,
    /// Fills the screen with the window, or no longer.
    FullScreen,
    /// Closes the window.
    Quit,
}

/// Where the shortcut of a command works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// On this page, unless the window asks a question.
    Page(PageId),
    /// On every page, unless the window asks a question.
    Window,
    /// Always.
    Always,
    /// Always: egui handles the keys.
    Toolkit,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub struct CommandInfo {
    /// Which command.
    pub command: UiCommand,
    /// The text of its button.
    pub text: &'static str,
    /// What it does; empty where the text says it all.
    pub tooltip: &'static str,
    /// Its keys.
    pub shortcut: Option<KeyboardShortcut>,
    /// Where its keys work.
    pub scope: Scope,
}

const WORKBENCH: Scope = Scope::Page(workbench::ID);

const fn ctrl(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

const CTRL_SHIFT_O: KeyboardShortcut =
    KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::O);

const F11: KeyboardShortcut = KeyboardShortcut::new(Modifiers::NONE, Key::F11);

const fn row(
    command: UiCommand,
    shortcut: Option<KeyboardShortcut>,
    scope: Scope,
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

/// All commands, in the order in which Settings lists their shortcuts.
#[rustfmt::skip]
pub static TABLE: [CommandInfo; 23] = [
    row(UiCommand::AddFiles, Some(ctrl(Key::O)), WORKBENCH, "Add files…", ""),
    row(UiCommand::AddFolder, Some(CTRL_SHIFT_O), WORKBENCH, "Add folder…", ""),
    row(UiCommand::ClearInputs, None, WORKBENCH, "Clear", "Remove all inputs."),
    row(UiCommand::Start, Some(ctrl(Key::Enter)), WORKBENCH, "Start", ""),
    row(UiCommand::Join, None, WORKBENCH, "Join", "Wait for the job."),
    row(UiCommand::JoinWithTimeout, None, WORKBENCH, "Join with timeout",
        "Wait for the job, at most for this time. The job runs on."),
    row(UiCommand::Detach, None, WORKBENCH, "Detach", "Stop waiting. The job runs on."),
    row(UiCommand::Cancel, None, WORKBENCH, "Cancel", ""),
    row(UiCommand::Terminate, None, WORKBENCH, "Terminate",
        "Send SIGTERM. Descendants are left alone."),
    row(UiCommand::Kill, None, WORKBENCH, "Kill",
        "Send SIGKILL. Descendants are left alone."),
    row(UiCommand::StopTree, None, WORKBENCH, "Stop tree",
        "Send SIGTERM to the process and all its descendants, and SIGKILL after the grace period."),
    row(UiCommand::RunAgain, None, WORKBENCH, "Run again", ""),
    row(UiCommand::CopyReport, None, WORKBENCH, "Copy report", ""),
    row(UiCommand::SaveReport, None, WORKBENCH, "Save report…",
        "As text, or as JSON if the name ends in .json."),
    row(UiCommand::SaveList, None, WORKBENCH, "Save list…",
        "In the format of sha256sum and b3sum."),
    row(UiCommand::Remove, None, WORKBENCH, "Remove", "Remove the job from the list."),
    row(UiCommand::Find, Some(ctrl(Key::F)), WORKBENCH, "Filter the results, or find in the output", ""),
    row(UiCommand::Settings, Some(ctrl(Key::Comma)), Scope::Window, "Settings", ""),
    row(UiCommand::ZoomIn, Some(ZOOM_IN), Scope::Toolkit, "Zoom in", ""),
    row(UiCommand::ZoomOut, Some(ZOOM_OUT), Scope::Toolkit, "Zoom out", ""),
    row(UiCommand::ResetZoom, Some(ZOOM_RESET), Scope::Toolkit, "Reset zoom", ""),
    row(UiCommand::FullScreen, Some(F11), Scope::Always, "Full screen", ""),
    row(UiCommand::Quit, Some(ctrl(Key::Q)), Scope::Toolkit, "Quit", ""),
];

impl UiCommand {
    /// Its row of the table.
    pub fn info(self) -> &'static CommandInfo {
        let row = TABLE.iter().find(|row| row.command == self);
        row.expect("every command has a row")
    }
}

/// The commands whose keys were pressed and that work on `page`. Takes the keys from the input.
pub(crate) fn pressed(page: &PageId, is_asking: bool, ui: &Ui) -> Vec<UiCommand> {
    let mut rows: Vec<_> = TABLE
        .iter()
        .filter(|row| match &row.scope {
            Scope::Page(id) => id == page && !is_asking,
            Scope::Window => !is_asking,
            Scope::Always => true,
            Scope::Toolkit => false,
        })
        .filter_map(|row| Some((row.command, row.shortcut.as_ref()?)))
        .collect();
    // The longer combination first: the shorter one would take its key.
    rows.sort_by_key(|(_, keys)| !keys.modifiers.shift);
    rows.retain(|(_, keys)| ui.input_mut(|input| input.consume_shortcut(keys)));
    rows.into_iter().map(|(command, _)| command).collect()
}

/// The commands of a page that can't run right now, and why.
#[derive(Debug, Default)]
pub(crate) struct Unavailable(BTreeMap<UiCommand, Cow<'static, str>>);

impl Unavailable {
    pub(crate) fn of(page: &dyn Page, shell: &Shell) -> Self {
        let own = Scope::Page(page.id());
        let rows = TABLE.iter().filter(|row| row.scope == own);
        Self(
            rows.filter_map(|row| Some((row.command, page.why_not(row.command, shell)?)))
                .collect(),
        )
    }

    /// The button of a command, with its tooltip and its keys.
    pub(crate) fn button(&self, command: UiCommand, ui: &mut Ui) -> Response {
        let button = Button::new(command.info().text);
        self.with_tooltip(command, ui, |ui, enabled| ui.add_enabled(enabled, button))
    }

    /// The one button of a panel that stands out.
    pub(crate) fn primary_button(&self, command: UiCommand, ui: &mut Ui) -> Response {
        let text = command.info().text;
        self.with_tooltip(command, ui, |ui, enabled| {
            widgets::primary_button(ui, text, enabled)
        })
    }

    fn with_tooltip(
        &self,
        command: UiCommand,
        ui: &mut Ui,
        add: impl FnOnce(&mut Ui, bool) -> Response,
    ) -> Response {
        let why_not = self.0.get(&command);
        let response = add(ui, why_not.is_none());
        let info = command.info();
        let keys = info.shortcut.map(|keys| ui.ctx().format_shortcut(&keys));
        let lines = [Some(info.tooltip.to_owned()), keys];
        let tooltip: Vec<_> = lines.into_iter().flatten().collect();
        let tooltip = tooltip.join("\n");
        let response = match tooltip.trim() {
            "" => response,
            tooltip => response.on_hover_text(tooltip),
        };
        match why_not {
            Some(why_not) => response.on_disabled_hover_text(why_not.as_ref()),
            None => response,
        }
    }
}
