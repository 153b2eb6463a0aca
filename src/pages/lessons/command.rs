#[cfg(target_os = "linux")]
use crate::lab::PatternId;
use crate::lessons::LessonId;

/// A command of the page of the lessons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LessonCommand {
    /// Select a lesson.
    Select(LessonId),
    /// Run a lesson with the chosen settings.
    Run(LessonId),
    /// Stop the running lesson.
    Stop,
    /// Show a pattern on the page of the Freeze Lab.
    #[cfg(target_os = "linux")]
    ShowPattern(PatternId),
}
