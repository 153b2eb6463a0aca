//! The tabs of a lesson: its code, its explanation and its other versions.

use eframe::egui::{self, RichText, ScrollArea, Ui};

use super::page::{LessonProps, LessonState};
use super::{Language, LessonChoices, LessonCommand};
use crate::choice::choices;
use crate::lessons::{Lesson, LessonId, LessonOutcome, RunLog};
use crate::ui::code_view::{ShownCode, code_ui};
use crate::ui::tokens::tokens;
use crate::ui::widgets::{prose_ui, tabs_ui};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    PlainStd,
    Python,
    Code,
    Explanation,
}

choices!(Tab {
    PlainStd => "Plain Rust",
    Python => "Python",
    Code => "What runs here",
    Explanation => "What happened",
});

impl From<Language> for Tab {
    fn from(language: Language) -> Self {
        match language {
            Language::PlainStd => Self::PlainStd,
            Language::Python => Self::Python,
            Language::Code => Self::Code,
        }
    }
}

impl Tab {
    /// The language of a program; `None` for the explanation.
    fn language(self) -> Option<Language> {
        match self {
            Self::PlainStd => Some(Language::PlainStd),
            Self::Python => Some(Language::Python),
            Self::Code => Some(Language::Code),
            Self::Explanation => None,
        }
    }
}

pub(super) fn lesson_tabs_ui(
    props: &LessonProps<'_>,
    state: &mut LessonState,
    choices: &mut LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    let mut tab = if state.explains {
        Tab::Explanation
    } else {
        choices.language.into()
    };
    if tabs_ui(&mut tab, ui) {
        state.explains = tab == Tab::Explanation;
        choices.language = tab.language().unwrap_or(choices.language);
    }
    let lesson = state.selected.lesson();
    let outcome = props.run.and_then(|run| run.outcome);
    let has_run =
        outcome.is_some_and(LessonOutcome::is_complete) || choices.done.contains(lesson.id);
    let id = |suffix: &str| format!("{}.{suffix}", lesson.id);
    let (id, text, language) = match tab {
        Tab::Explanation => return explanation_ui(lesson, has_run, ui, commands),
        // The check of the run has the answer in it.
        Tab::Code if !has_run => (id("main.rs"), lesson.program(), "rs"),
        Tab::Code => (id("rs"), lesson.code(), "rs"),
        Tab::Python => (id("py"), lesson.python.trim(), "py"),
        Tab::PlainStd => (id("std.rs"), lesson.plain_std.trim(), "rs"),
    };
    let is_code = tab == Tab::Code;
    let running = props.run.filter(|run| is_code && run.outcome.is_none());
    let running = running.map_or_else(Vec::new, |run| running_lines(run.log));
    let source = ShownCode {
        id: &id,
        text,
        language,
        running: &running,
    };
    egui::Frame::new()
        .fill(tokens(ui).field)
        .inner_margin(6)
        .show(ui, |ui| code_ui(source, &mut state.code, ui));
}

/// The source lines that the open lanes have reached.
fn running_lines(log: &RunLog) -> Vec<u32> {
    let lanes = log.timeline().lanes().iter();
    let open = lanes.filter(|lane| lane.closed.is_none());
    open.filter_map(|lane| log.source_line(lane.id)).collect()
}

/// The explanation, hidden until the lesson has run.
fn explanation_ui(lesson: &Lesson, has_run: bool, ui: &mut Ui, commands: &mut Vec<LessonCommand>) {
    ScrollArea::vertical()
        .id_salt("explanation")
        .auto_shrink(false)
        .show(ui, |ui| {
            if !has_run {
                let hint = "Answer the question and run the lesson to see the explanation.";
                ui.label(RichText::new(hint).weak());
                return;
            }
            prose_ui(lesson.explanation, ui);
            ui.add_space(6.0);
            ui.label(RichText::new("See also").weak());
            for related in lesson.related {
                related_ui(related, ui, commands);
            }
        });
}

/// A link to another lesson, or to a pattern of the Freeze Lab.
fn related_ui(related: &'static str, ui: &mut Ui, commands: &mut Vec<LessonCommand>) {
    let lesson = related.parse::<LessonId>();
    let (title, command) = match lesson {
        Ok(id) => (id.lesson().title.to_owned(), LessonCommand::Show(id)),
        Err(_) => (pattern_title(related), LessonCommand::ShowPattern(related)),
    };
    if ui.link(title).clicked() {
        commands.push(command);
    }
}

/// What a link calls a pattern of the Freeze Lab.
#[cfg(target_os = "linux")]
fn pattern_title(id: &str) -> String {
    use crate::lab::PatternId;

    let pattern = id.parse::<PatternId>();
    let title = pattern.map_or_else(|_| id.to_owned(), PatternId::title);
    format!("Freeze Lab: {title}")
}

#[cfg(not(target_os = "linux"))]
fn pattern_title(id: &str) -> String {
    format!("Freeze Lab: {id}")
}
