//! The question of a lesson, and the settings and buttons of its run.

use eframe::egui::{Checkbox, DragValue, RichText, Ui};

use super::page::{LessonProps, LessonState};
use super::{LAST_LESSON, LessonChoices, LessonCommand, command};
use crate::lessons::{Lesson, LessonId, Parameter, WorkerKind};
use crate::ui::status_style::{Mark, StatusStyle, status_style_ui};
use crate::ui::tokens::{Tokens, tokens};
use crate::ui::widgets::{field_label_ui, prose, prose_ui};

/// The room for a number beside its label.
const VALUE_WIDTH: f32 = 64.0;

/// The question, and whether the answer is right once a run has tested it.
pub(super) fn question_ui(lesson: LessonId, choices: &mut LessonChoices, ui: &mut Ui) {
    let Lesson { id, question, .. } = lesson.lesson();
    prose_ui(question.text, ui);
    ui.spacing_mut().item_spacing.y = 1.0;
    ui.spacing_mut().interact_size.y = 20.0;
    let mut answer = choices.answers.get(*id).copied();
    for (index, text) in question.choices.iter().enumerate() {
        let text = prose(text, ui);
        if ui.radio(answer == Some(index), text).clicked() {
            choices.answers.insert((*id).to_owned(), index);
            answer = Some(index);
        }
    }
    let is_tested = choices.is_tested(lesson);
    // This line is there before the run, too, so that nothing below it moves.
    ui.horizontal(|ui| match answer {
        None => {
            ui.label(RichText::new("Choose an answer, then run the lesson.").weak());
        }
        Some(_) if !is_tested => {
            ui.label(RichText::new("Run the lesson to check your answer.").weak());
        }
        Some(answer) => status_style_ui(ui, answer_status(answer == question.right, tokens(ui))),
    });
}

fn answer_status(is_right: bool, tokens: &Tokens) -> StatusStyle {
    let (mark, color, word) = if is_right {
        (Mark::Disc, tokens.returned, "Right.")
    } else {
        (Mark::Cross, tokens.failed, "Wrong: see the transcript.")
    };
    let word = word.into();
    StatusStyle { mark, color, word }
}

/// The buttons, the kind of worker, the parameters and the speed.
pub(super) fn run_ui(
    props: &LessonProps<'_>,
    state: &mut LessonState,
    choices: &mut LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    let lesson = state.selected;
    ui.horizontal_wrapped(|ui| {
        let unavailable = &props.unavailable;
        if unavailable.primary_button(command::RUN, ui).clicked() {
            commands.push(LessonCommand::Ui(command::RUN));
        }
        for command in [command::STOP, command::RESET, command::NEXT] {
            if unavailable.button(command, ui).clicked() {
                commands.push(LessonCommand::Ui(command));
            }
        }
        if lesson.next().is_none() {
            ui.label(RichText::new(LAST_LESSON).weak());
        }
        ui.separator();
        worker_kind_ui(lesson, choices, ui);
        for parameter in lesson
            .lesson()
            .parameters_of(choices.worker_kind_of(lesson))
        {
            parameter_ui(lesson, parameter, choices, ui);
        }
        let label = field_label_ui("Speed", VALUE_WIDTH, ui);
        ui.add(
            DragValue::new(&mut choices.speed)
                .range(LessonChoices::SPEED)
                .speed(0.05)
                .max_decimals(2)
                .suffix(" \u{d7}"),
        )
        .labelled_by(label.id)
        .on_hover_text("Shortens every sleep by this factor.");
        let compare = Checkbox::new(&mut state.compare, "Compare with the previous run");
        // There before the second run, too, so that nothing moves.
        ui.add_enabled(props.previous.is_some(), compare)
            .on_disabled_hover_text("The lesson has run less than twice.");
        if unavailable.button(command::OPEN_IN_TIMELINE, ui).clicked() {
            commands.push(LessonCommand::Ui(command::OPEN_IN_TIMELINE));
        }
    });
}

fn worker_kind_ui(lesson: LessonId, choices: &mut LessonChoices, ui: &mut Ui) {
    let [_, _, ..] = lesson.lesson().worker_kinds else {
        return;
    };
    let chosen = choices.worker_kind_of(lesson);
    ui.spacing_mut().item_spacing.x = 4.0;
    for kind in [WorkerKind::Task, WorkerKind::Process] {
        let label = ui
            .selectable_label(chosen == kind, kind.title())
            .on_hover_text(kind.hint());
        if label.clicked() {
            let id = lesson.lesson().id.to_owned();
            choices.worker_kinds.insert(id, kind);
        }
    }
    ui.separator();
}

fn parameter_ui(lesson: LessonId, parameter: &Parameter, choices: &mut LessonChoices, ui: &mut Ui) {
    let chosen = choices.parameters.get(lesson.lesson().id);
    let chosen = chosen.and_then(|values| values.get(parameter.id));
    let mut value = chosen.copied().unwrap_or(parameter.default);
    let label = field_label_ui(parameter.title, VALUE_WIDTH, ui);
    let speed = if parameter.is_count { 0.1 } else { 0.02 };
    let changed = ui
        .add(
            DragValue::new(&mut value)
                .range(parameter.range.0..=parameter.range.1)
                .speed(speed)
                .max_decimals(if parameter.is_count { 0 } else { 2 }),
        )
        .labelled_by(label.id)
        .changed();
    if changed {
        let values = choices.parameters.entry(lesson.lesson().id.to_owned());
        let value = parameter.nearest(value);
        values.or_default().insert(parameter.id.to_owned(), value);
    }
}
