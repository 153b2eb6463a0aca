#[cfg(target_os = "linux")]
use crate::lab::PatternId;
use crate::lessons::LessonId;

/// What can be asked of the lessons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LessonCommand {
    /// Show this lesson.
    Select(LessonId),
    /// Run it as it is chosen.
    Run(LessonId),
    /// End the run.
    Stop,
    /// Go to the Freeze Lab and show this pattern.
    #[cfg(target_os = "linux")]
    ShowPattern(PatternId),
}
