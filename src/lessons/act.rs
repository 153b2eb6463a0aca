//! The other side of a lesson's child processes: this program, started as one.

use std::process::ExitCode;

use anyhow::Context as _;

use super::lesson::LessonId;
use super::stage::Stage;

/// Plays a role of a lesson, in the process that the lesson has started for it.
///
/// # Errors
/// There is no such role, this is no such process, or the role itself failed.
pub fn act(lesson: LessonId, role: &str) -> anyhow::Result<ExitCode> {
    let mut roles = lesson.lesson().roles.iter();
    let (_, play) = roles
        .find(|(name, _)| *name == role)
        .with_context(|| format!("the lesson {lesson} has no role called `{role}`"))?;
    let stage = Stage::of_child()?;
    play(&stage)?;
    Ok(ExitCode::SUCCESS)
}
