use super::ID;
use crate::lessons::LessonId;
use crate::pages::commands::{ShortcutScope, UiCommand, commands};

/// A command of the page of the lessons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LessonCommand {
    /// Select a lesson in the list.
    Select(LessonId),
    /// Go to a lesson from elsewhere.
    Show(LessonId),
    /// A command of the table.
    Ui(UiCommand),
    /// Show the pattern with this name on the page of the Freeze Lab.
    ShowPattern(&'static str),
}

const PAGE: ShortcutScope = ShortcutScope::Page(ID);

commands! {
    RUN: None, PAGE, "Run", "Run the lesson with these settings.";
    STOP: None, PAGE, "Stop", "Stop the running lesson.";
    NEXT: None, PAGE, "Next lesson", "Go on with the next lesson of the list.";
    RESET: None, PAGE, "Reset", "Forget the answer, the settings and the runs of this lesson.";
    COPY_TRANSCRIPT: None, PAGE, "Copy transcript", "Copy the transcript and the table as text.";
    SAVE_TRANSCRIPT: None, PAGE, "Save transcript…", "Save the transcript and the table as text.";
    OPEN_IN_TIMELINE: None, PAGE, "Open in timeline", "Show what ran and waited, to zoom, save and compare it.";
}
