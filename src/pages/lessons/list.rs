//! The list of lessons, by topic and level.

use eframe::egui::{self, Response, RichText, Ui};

use super::page::LessonProps;
use super::{LessonChoices, LessonCommand};
use crate::lessons::{Lesson, LessonId, Topic};
use crate::ui::layout::scroll_ui;
use crate::ui::status_style::{Mark, StatusStyle, mark_ui};
use crate::ui::tokens::{Tokens, tokens};
use crate::ui::widgets::{choosable_card_ui, section_ui};

/// `reveals` scrolls to the selected lesson.
pub(super) fn list_ui(
    props: &LessonProps<'_>,
    selected: LessonId,
    reveals: bool,
    choices: &LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    section_ui(ui, "Lessons");
    let (done, all) = (choices.done.len(), LessonId::all().count());
    ui.label(RichText::new(format!("{done} of {all} done")).weak());
    let in_order = LessonId::in_order();
    scroll_ui("list", ui, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        for topic in Topic::ALL {
            let of_topic = in_order.iter().copied();
            let mut of_topic = of_topic
                .filter(|lesson| lesson.lesson().topic == topic)
                .peekable();
            if of_topic.peek().is_none() {
                continue;
            }
            ui.add_space(4.0);
            ui.label(RichText::new(topic.title()).weak().small());
            for lesson in of_topic {
                let is_running = props.running == Some(lesson);
                let status = list_status(lesson, is_running, choices, tokens(ui));
                let card = entry_ui(lesson, &status, lesson == selected, ui);
                if card.clicked() {
                    commands.push(LessonCommand::Select(lesson));
                }
                if reveals && lesson == selected {
                    card.scroll_to_me(None);
                }
            }
        }
    });
}

fn list_status(
    lesson: LessonId,
    is_running: bool,
    choices: &LessonChoices,
    tokens: &Tokens,
) -> StatusStyle {
    let (mark, color, word) = if is_running {
        (Mark::Play, tokens.running, "running")
    } else if choices.done.contains(lesson.lesson().id) {
        (Mark::Disc, tokens.returned, "done")
    } else {
        (Mark::Ring, tokens.neutral, "")
    };
    let word = word.into();
    StatusStyle { mark, color, word }
}

fn entry_ui(lesson: LessonId, status: &StatusStyle, is_selected: bool, ui: &mut Ui) -> Response {
    let Lesson {
        id, title, level, ..
    } = lesson.lesson();
    let margin = egui::Margin::symmetric(8, 5);
    choosable_card_ui(ui, id, is_selected, margin, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 18.0;
            ui.spacing_mut().item_spacing.x = 6.0;
            mark_ui(ui, status.mark, status.color);
            ui.label(RichText::new(*title).strong());
        });
        let kinds = lesson.lesson().worker_kinds.iter();
        let kinds = kinds.map(|kind| kind.title().to_lowercase());
        let kinds = kinds.collect::<Vec<_>>().join(" or ");
        let text = format!("{}, {kinds}", level.title());
        ui.label(RichText::new(text).weak().small());
    })
}
