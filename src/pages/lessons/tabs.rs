//! The tabs of a lesson: its code, its explanation and its other versions.

use eframe::egui::{self, RichText, ScrollArea, Ui};

use super::page::{LessonProps, LessonState};
use super::{LessonChoices, LessonCommand};
use crate::choice::choices;
use crate::lessons::{Lesson, LessonOutcome, RunLog};
use crate::ui::code_view::{ShownCode, code_ui};
use crate::ui::tokens::tokens;
use crate::ui::widgets::prose_ui;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tab {
    #[default]
    Code,
    Explanation,
    Python,
    PlainStd,
}

choices!(pub(super) Tab {
    Code => "Code",
    Explanation => "What happened",
    Python => "In Python",
    PlainStd => "With std alone",
});

pub(super) fn tabs_ui(
    props: &LessonProps<'_>,
    state: &mut LessonState,
    choices: &LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    ui.horizontal_wrapped(|ui| {
        for tab in Tab::ALL {
            ui.selectable_value(&mut state.tab, tab, tab.title());
        }
    });
    let lesson = state.selected.lesson();
    let id = |suffix: &str| format!("{}.{suffix}", lesson.id);
    let (id, text, language) = match state.tab {
        Tab::Explanation => {
            let outcome = props.run.and_then(|run| run.outcome);
            let has_run =
                outcome.is_some_and(LessonOutcome::is_complete) || choices.done.contains(lesson.id);
            return explanation_ui(lesson, has_run, ui, commands);
        }
        Tab::Code => (id("rs"), lesson.code(), "rs"),
        Tab::Python => (id("py"), lesson.python.trim(), "py"),
        Tab::PlainStd => (id("std.rs"), lesson.plain_std.trim(), "rs"),
    };
    let is_code = state.tab == Tab::Code;
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
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new("See also").weak());
                for related in lesson.related {
                    related_ui(related, ui, commands);
                }
            });
        });
}

/// A link to another lesson, or to a pattern of the Freeze Lab.
fn related_ui(related: &'static str, ui: &mut Ui, commands: &mut Vec<LessonCommand>) {
    if ui.link(related).clicked() {
        let lesson = related.parse().map(LessonCommand::Select);
        commands.push(lesson.unwrap_or(LessonCommand::ShowPattern(related)));
    }
}
