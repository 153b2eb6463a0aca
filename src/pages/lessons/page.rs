//! The page `Lessons`: the list, a question, a run with its lanes and its transcript, and what it
//! means.

use std::time::Duration;

use eframe::egui::{self, Align, CentralPanel, DragValue, Layout, Panel, RichText, ScrollArea, Ui};

use super::transcript::transcript_ui;
use super::{LessonChoices, LessonCommand};
use crate::lessons::{Cast, Ending, Lesson, LessonId, Parameter, Told, Topic};
use crate::ui::code_view::{Code, Source, code_ui};
use crate::ui::lanes::{Lanes, legend_ui, round_up};
use crate::ui::tokens::{Tokens, tokens};
use crate::ui::widgets::{
    Mark, StatusStyle, button, choosable_card_ui, mark_ui, primary_button, prose_ui, section_ui,
    status_style_ui,
};

const BUSY: &str = "A lesson runs. Stop it first.";
const LIST_WIDTH: f32 = 276.0;
/// Lanes higher than this are scrolled.
const LANES_AT_MOST: f32 = 286.0;
/// What is below the lanes is at least so high, or the page is scrolled.
const LEAST_BELOW: f32 = 240.0;
/// Either half of it is at least so wide, where there is room for both.
const LEAST_HALF: f32 = 260.0;

/// What the page is drawn from.
pub struct LessonParts<'a> {
    /// The last run of the lesson that is shown.
    pub run: Option<ShownRun<'a>>,
    /// What the run before that told.
    pub before: Option<&'a Told>,
    /// Which lesson runs.
    pub running: Option<LessonId>,
}

/// A run, on the page.
#[derive(Clone, Copy)]
pub struct ShownRun<'a> {
    /// What it has told.
    pub told: &'a Told,
    /// How it ended, if it has.
    pub ending: Option<&'a Ending>,
    /// How long it has lasted.
    pub elapsed: Duration,
}

/// What the page shows right now.
pub struct LessonView {
    /// The lesson.
    pub selected: LessonId,
    tab: Tab,
    compares: bool,
    code: Code,
}

impl Default for LessonView {
    fn default() -> Self {
        let first = LessonId::all().next();
        Self {
            selected: first.expect("there are lessons"),
            tab: Tab::default(),
            compares: false,
            code: Code::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Code,
    Meaning,
    Python,
    PlainStd,
}

impl Tab {
    const ALL: [Self; 4] = [Self::Code, Self::Meaning, Self::Python, Self::PlainStd];

    fn title(self) -> &'static str {
        match self {
            Self::Code => "Code",
            Self::Meaning => "What happened",
            Self::Python => "In Python",
            Self::PlainStd => "With std alone",
        }
    }
}

/// Draws the page.
pub fn lesson_ui(
    parts: &LessonParts<'_>,
    view: &mut LessonView,
    choices: &mut LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    Panel::left("lessons")
        .default_size(LIST_WIDTH)
        .min_size(220.0)
        .show(ui, |ui| {
            list_ui(parts, view.selected, choices, ui, commands);
        });
    CentralPanel::default().show(ui, |ui| {
        let height = ui.available_height();
        ScrollArea::vertical()
            .id_salt(view.selected.lesson().id)
            .auto_shrink(false)
            .show(ui, |ui| {
                // Where the page is scrolled, its bar lies over it.
                let margin = egui::Margin {
                    right: 10,
                    ..egui::Margin::ZERO
                };
                egui::Frame::new().inner_margin(margin).show(ui, |ui| {
                    page_ui(parts, view, choices, height, ui, commands);
                });
            });
    });
}

fn list_ui(
    parts: &LessonParts<'_>,
    selected: LessonId,
    choices: &LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    section_ui(ui, "Lessons");
    let (done, all) = (choices.done.len(), LessonId::all().count());
    ui.label(RichText::new(format!("{done} of {all} done")).weak());
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        for topic in Topic::ALL {
            let mut of_topic: Vec<_> = LessonId::all()
                .filter(|lesson| lesson.lesson().topic == topic)
                .collect();
            if of_topic.is_empty() {
                continue;
            }
            of_topic.sort_by_key(|lesson| lesson.lesson().level);
            ui.add_space(4.0);
            ui.label(RichText::new(topic.title()).weak().small());
            for lesson in of_topic {
                let is_running = parts.running == Some(lesson);
                let look = list_look(lesson, is_running, choices, tokens(ui));
                entry_ui(lesson, &look, lesson == selected, ui, commands);
            }
        }
    });
}

/// Not run yet, running, or run as it says.
fn list_look(
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

fn entry_ui(
    lesson: LessonId,
    look: &StatusStyle,
    is_selected: bool,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    let Lesson {
        id, title, level, ..
    } = lesson.lesson();
    let margin = egui::Margin::symmetric(8, 5);
    let card = choosable_card_ui(ui, id, is_selected, margin, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 18.0;
            ui.spacing_mut().item_spacing.x = 6.0;
            mark_ui(ui, look.mark, look.color);
            ui.label(RichText::new(*title).strong());
        });
        let cast = lesson.lesson().cast.iter();
        let cast = cast.map(|cast| cast.title().to_lowercase());
        let cast = cast.collect::<Vec<_>>().join(" or ");
        let text = format!("{}, {cast}", level.title());
        ui.label(RichText::new(text).weak().small());
    });
    if card.clicked() {
        commands.push(LessonCommand::Select(lesson));
    }
}

fn page_ui(
    parts: &LessonParts<'_>,
    view: &mut LessonView,
    choices: &mut LessonChoices,
    height: f32,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    let lesson = view.selected;
    heading_ui(parts, lesson, ui);
    ui.scope(|ui| question_ui(lesson, choices, ui));
    ui.add_space(4.0);
    run_ui(parts, view, choices, ui, commands);
    ui.add_space(4.0);
    lanes_ui(parts, view.compares, ui);
    ui.separator();
    let above = ui.min_rect().height() + ui.spacing().item_spacing.y;
    let size = egui::vec2(ui.available_width(), (height - above).max(LEAST_BELOW));
    ui.allocate_ui(size, |ui| below_ui(parts, view, choices, ui, commands));
}

fn heading_ui(parts: &LessonParts<'_>, lesson: LessonId, ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.heading(lesson.lesson().title);
        ui.label(RichText::new(lesson.lesson().id).weak().monospace());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let Some(run) = parts.run else {
                return;
            };
            let look = end_look(run.ending, tokens(ui));
            ui.spacing_mut().item_spacing.x = 5.0;
            ui.add(egui::Label::new(RichText::new(look.word.as_ref()).strong()).truncate());
            mark_ui(ui, look.mark, look.color);
        });
    });
}

fn end_look(ending: Option<&Ending>, tokens: &Tokens) -> StatusStyle {
    let (mark, color, word) = match ending {
        None => (Mark::Play, tokens.running, "running".to_owned()),
        Some(Ending::Held) => (Mark::Disc, tokens.returned, "as the lesson says".to_owned()),
        Some(Ending::NotHeld(why)) => (Mark::Warning, tokens.failed, format!("otherwise: {why}")),
        Some(Ending::Failed(why)) => (Mark::Cross, tokens.failed, why.clone()),
        Some(Ending::Stopped) => (Mark::Bar, tokens.neutral, "stopped".to_owned()),
    };
    let word = word.into();
    StatusStyle { mark, color, word }
}

/// The question, and what is said of the answer once the lesson has run with it.
fn question_ui(lesson: LessonId, choices: &mut LessonChoices, ui: &mut Ui) {
    let Lesson { id, question, .. } = lesson.lesson();
    prose_ui(question.text, ui);
    ui.spacing_mut().item_spacing.y = 1.0;
    ui.spacing_mut().interact_size.y = 20.0;
    let mut answer = choices.answers.get(*id).copied();
    for (index, text) in question.choices.iter().enumerate() {
        if ui.radio(answer == Some(index), *text).clicked() {
            choices.answers.insert((*id).to_owned(), index);
            answer = Some(index);
        }
    }
    let is_judged = choices.is_judged(lesson);
    // The line is there before the run too: what is below must not move.
    ui.horizontal(|ui| match answer {
        None => {
            ui.label(RichText::new("Choose an answer, then run the lesson.").weak());
        }
        Some(_) if !is_judged => {
            ui.label(RichText::new("Run the lesson to see whether that is so.").weak());
        }
        Some(answer) => status_style_ui(ui, answer_look(answer == question.right, tokens(ui))),
    });
}

fn answer_look(is_right: bool, tokens: &Tokens) -> StatusStyle {
    let (mark, color, word) = if is_right {
        (Mark::Disc, tokens.returned, "That is right.")
    } else {
        (
            Mark::Cross,
            tokens.failed,
            "That is not what happens: see the transcript.",
        )
    };
    let word = word.into();
    StatusStyle { mark, color, word }
}

/// With what it runs, with which numbers, and the buttons.
fn run_ui(
    parts: &LessonParts<'_>,
    view: &mut LessonView,
    choices: &mut LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    let lesson = view.selected;
    ui.horizontal_wrapped(|ui| {
        let can_start = parts.running.is_none();
        let name = if parts.run.is_some() {
            "Run again"
        } else {
            "Run"
        };
        if primary_button(ui, name, can_start)
            .on_disabled_hover_text(BUSY)
            .clicked()
        {
            commands.push(LessonCommand::Run(lesson));
        }
        if button(ui, "Stop", !can_start, "No lesson runs.").clicked() {
            commands.push(LessonCommand::Stop);
        }
        ui.separator();
        cast_ui(lesson, choices, ui);
        for parameter in lesson.lesson().parameters_of(choices.cast_of(lesson)) {
            parameter_ui(lesson, parameter, choices, ui);
        }
        let label = ui.label("Speed");
        ui.add(
            DragValue::new(&mut choices.speed)
                .range(LessonChoices::SPEED)
                .speed(0.05)
                .max_decimals(2)
                .suffix(" \u{d7}"),
        )
        .labelled_by(label.id)
        .on_hover_text("By how much every pause is shortened.");
        if parts.before.is_some() {
            ui.checkbox(&mut view.compares, "Compare with the run before");
        }
    });
}

fn cast_ui(lesson: LessonId, choices: &mut LessonChoices, ui: &mut Ui) {
    let [_, _, ..] = lesson.lesson().cast else {
        return;
    };
    let chosen = choices.cast_of(lesson);
    ui.spacing_mut().item_spacing.x = 4.0;
    for cast in [Cast::Task, Cast::Process] {
        if ui.selectable_label(chosen == cast, cast.title()).clicked() {
            choices.cast.insert(lesson.lesson().id.to_owned(), cast);
        }
    }
    ui.separator();
}

fn parameter_ui(lesson: LessonId, parameter: &Parameter, choices: &mut LessonChoices, ui: &mut Ui) {
    let chosen = choices.parameters.get(lesson.lesson().id);
    let chosen = chosen.and_then(|values| values.get(parameter.id));
    let mut value = chosen.copied().unwrap_or(parameter.default);
    let label = ui.label(parameter.title);
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

/// The lanes of the last run, and above them those of the run before if one compares.
fn lanes_ui(parts: &LessonParts<'_>, compares: bool, ui: &mut Ui) {
    let Some(run) = parts.run else {
        ui.label(RichText::new("Run it, and see here who runs, sleeps and waits when.").weak());
        return;
    };
    let before = parts.before.filter(|_| compares);
    let mut until = run.told.timeline().last_event_at();
    if run.ending.is_none() {
        // An axis that grows with every frame can't be read.
        let secs = until.max(run.elapsed).as_secs_f64().max(0.1);
        until = Duration::from_secs_f64(round_up(secs));
    }
    let until = before.map_or(until, |before| until.max(before.timeline().last_event_at()));
    ScrollArea::vertical()
        .id_salt("lanes")
        .max_height(LANES_AT_MOST)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            if let Some(before) = before {
                ui.label(RichText::new(run_text("Before", before)).weak().small());
                ui.push_id("before", |ui| {
                    Lanes::new(before.timeline())
                        .between(Duration::ZERO, until)
                        .show(ui);
                });
                ui.label(RichText::new(run_text("Now", run.told)).weak().small());
            }
            let mut lanes = Lanes::new(run.told.timeline()).between(Duration::ZERO, until);
            if run.ending.is_none() {
                lanes = lanes.until_now(run.elapsed);
            }
            lanes.show(ui);
        });
    legend_ui(ui);
}

/// What tells a run from another: with what, how fast and with which numbers.
fn run_text(name: &str, told: &Told) -> String {
    let parameters = told.parameters().iter();
    let parameters = parameters.map(|(id, value)| format!(", {id} {value}"));
    let speed = told.speed();
    let cast = told.cast().title().to_lowercase();
    format!(
        "{name}: {cast}, speed {speed}{}",
        parameters.collect::<String>()
    )
}

/// The transcript at the left of what is said about it.
fn below_ui(
    parts: &LessonParts<'_>,
    view: &mut LessonView,
    choices: &LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    let width = ui.available_width();
    let least = LEAST_HALF.min(width / 2.0);
    let margin = egui::Margin {
        right: 8,
        ..egui::Margin::ZERO
    };
    Panel::left("transcript")
        .resizable(true)
        .default_size(width * 0.46)
        .size_range(least..=width - least)
        .frame(egui::Frame::new().inner_margin(margin))
        .show(ui, |ui| {
            ui.take_available_width();
            transcript_ui(parts.run.map(|run| run.told), ui);
        });
    let margin = egui::Margin {
        left: 8,
        ..egui::Margin::ZERO
    };
    CentralPanel::default()
        .frame(egui::Frame::new().inner_margin(margin))
        .show(ui, |ui| tabs_ui(parts, view, choices, ui, commands));
}

fn tabs_ui(
    parts: &LessonParts<'_>,
    view: &mut LessonView,
    choices: &LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    ui.horizontal_wrapped(|ui| {
        for tab in Tab::ALL {
            ui.selectable_value(&mut view.tab, tab, tab.title());
        }
    });
    let lesson = view.selected.lesson();
    let id = |suffix: &str| format!("{}.{suffix}", lesson.id);
    let (id, text, language) = match view.tab {
        Tab::Meaning => {
            let has_run = parts.run.and_then(|run| run.ending);
            let is_known = has_run.is_some_and(Ending::is_own) || choices.done.contains(lesson.id);
            return meaning_ui(lesson, is_known, ui, commands);
        }
        Tab::Code => (id("rs"), lesson.code(), "rs"),
        Tab::Python => (id("py"), lesson.python.trim(), "py"),
        Tab::PlainStd => (id("std.rs"), lesson.plain_std.trim(), "rs"),
    };
    let is_code = view.tab == Tab::Code;
    let running = parts.run.filter(|run| is_code && run.ending.is_none());
    let running = running.map_or_else(Vec::new, |run| lines_of(run.told));
    let source = Source {
        id: &id,
        text,
        language,
        running: &running,
    };
    egui::Frame::new()
        .fill(tokens(ui).field)
        .inner_margin(6)
        .show(ui, |ui| code_ui(source, &mut view.code, ui));
}

/// Where those are who have not ended.
fn lines_of(told: &Told) -> Vec<u32> {
    let lanes = told.timeline().lanes().iter();
    let running = lanes.filter(|lane| lane.closed.is_none());
    running.filter_map(|lane| told.line_of(lane.id)).collect()
}

/// What a run means, once there was one to see it in.
fn meaning_ui(lesson: &Lesson, is_known: bool, ui: &mut Ui, commands: &mut Vec<LessonCommand>) {
    ScrollArea::vertical()
        .id_salt("meaning")
        .auto_shrink(false)
        .show(ui, |ui| {
            if !is_known {
                let hint = "Think first, then run the lesson: what happens and why is said here.";
                ui.label(RichText::new(hint).weak());
                return;
            }
            prose_ui(lesson.explanation, ui);
            ui.add_space(6.0);
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new("Go on with").weak());
                for related in lesson.related {
                    related_ui(related, ui, commands);
                }
            });
        });
}

/// A link to another lesson or to a pattern of the Freeze Lab.
fn related_ui(related: &str, ui: &mut Ui, commands: &mut Vec<LessonCommand>) {
    let command = related.parse().map(LessonCommand::Select).ok();
    #[cfg(target_os = "linux")]
    let command = command.or_else(|| related.parse().map(LessonCommand::ShowPattern).ok());
    if let Some(command) = command
        && ui.link(related).clicked()
    {
        commands.push(command);
    }
}
