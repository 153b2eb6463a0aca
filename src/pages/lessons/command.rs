use super::ID;
use crate::lessons::LessonId;
use crate::pages::commands::{CommandInfo, ShortcutScope, UiCommand, row};

/// A command of the page of the lessons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LessonCommand {
    Select(LessonId),
    /// A command of the table.
    Ui(UiCommand),
    /// Show the pattern with this name on the page of the Freeze Lab.
    ShowPattern(&'static str),
}

const PAGE: ShortcutScope = ShortcutScope::Page(ID);

/// The commands with a button.
#[rustfmt::skip]
pub(crate) const COMMANDS: &[CommandInfo] = &[
    row(UiCommand::RunLesson, None, PAGE, "Run", "Run the lesson with these settings."),
    row(UiCommand::RunLessonAgain, None, PAGE, "Run again", "Run the lesson with these settings."),
    row(UiCommand::StopLesson, None, PAGE, "Stop", "Stop the running lesson."),
];
