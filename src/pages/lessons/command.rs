use super::ID;
use crate::lessons::LessonId;
use crate::pages::commands::{ShortcutScope, UiCommand, commands};

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

commands! {
    RUN: None, PAGE, "Run", "Run the lesson with these settings.";
    RUN_AGAIN: None, PAGE, "Run again", "Run the lesson with these settings.";
    STOP: None, PAGE, "Stop", "Stop the running lesson.";
}
