//! The page of the lessons: their list, and of the selected one the question, the run and the
//! explanation.

use std::time::Duration;

use eframe::egui::{self, CentralPanel, DragValue, Label, Panel, RichText, ScrollArea, Sides, Ui};

use super::transcript::transcript_ui;
use super::{LessonChoices, LessonCommand};
use crate::lessons::{Lesson, LessonId, Outcome, Parameter, RunLog, Topic, WorkerKind};
use crate::ui::code_view::{Code, Source, code_ui};
use crate::ui::time_axis::next_step;
use crate::ui::timeline_view::{TimelineView, timeline_legend_ui};
use crate::ui::tokens::{Tokens, tokens};
use crate::ui::widgets::{
    Mark, StatusStyle, button, choosable_card_ui, mark_ui, primary_button, prose_ui, section_ui,
    status_style_ui,
};

const BUSY: &str = "A lesson is running. Stop it first.";
const LIST_WIDTH: f32 = 276.0;
/// A higher timeline is scrolled.
const MAX_TIMELINE_HEIGHT: f32 = 286.0;
/// The minimum height below the timeline: in a smaller window the whole page is scrolled.
const MIN_LOWER_HEIGHT: f32 = 240.0;
/// The minimum width of the transcript and of the tabs beside it, if there is room for both.
const MIN_LOWER_WIDTH: f32 = 260.0;

/// The data of the page.
pub struct LessonProps<'a> {
    /// The last run of the selected lesson.
    pub run: Option<ShownRun<'a>>,
    /// The log of the run before that.
    pub previous: Option<&'a RunLog>,
    /// The running lesson.
    pub running: Option<LessonId>,
}

/// The data of a run.
#[derive(Clone, Copy)]
pub struct ShownRun<'a> {
    /// What it has recorded.
    pub log: &'a RunLog,
    /// How it ended; `None` while it runs.
    pub outcome: Option<&'a Outcome>,
    /// The time since its start.
    pub elapsed: Duration,
}

/// The state of the page.
pub struct LessonView {
    /// The selected lesson.
    pub selected: LessonId,
    tab: Tab,
    compare: bool,
    code: Code,
}

impl Default for LessonView {
    fn default() -> Self {
        let first = LessonId::all().next();
        Self {
            selected: first.expect("there are lessons"),
            tab: Tab::default(),
            compare: false,
            code: Code::default(),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tab {
    #[default]
    Code,
    Explanation,
    Python,
    PlainStd,
}

impl Tab {
    const ALL: [Self; 4] = [Self::Code, Self::Explanation, Self::Python, Self::PlainStd];

    fn title(self) -> &'static str {
        match self {
            Self::Code => "Code",
            Self::Explanation => "What happened",
            Self::Python => "In Python",
            Self::PlainStd => "With std alone",
        }
    }
}

/// Draws the page.
pub fn lesson_ui(
    props: &LessonProps<'_>,
    view: &mut LessonView,
    choices: &mut LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    Panel::left("lessons")
        .default_size(LIST_WIDTH)
        .min_size(220.0)
        .show(ui, |ui| {
            list_ui(props, view.selected, choices, ui, commands);
        });
    CentralPanel::default().show(ui, |ui| {
        let height = ui.available_height();
        ScrollArea::vertical()
            .id_salt(view.selected.lesson().id)
            .auto_shrink(false)
            .show(ui, |ui| {
                // Keeps clear of the scroll bar, which lies over the page.
                let margin = egui::Margin {
                    right: 10,
                    ..egui::Margin::ZERO
                };
                egui::Frame::new().inner_margin(margin).show(ui, |ui| {
                    selected_ui(props, view, choices, height, ui, commands);
                });
            });
    });
}

fn list_ui(
    props: &LessonProps<'_>,
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
                let is_running = props.running == Some(lesson);
                let status = list_status(lesson, is_running, choices, tokens(ui));
                entry_ui(lesson, &status, lesson == selected, ui, commands);
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

fn entry_ui(
    lesson: LessonId,
    status: &StatusStyle,
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
            mark_ui(ui, status.mark, status.color);
            ui.label(RichText::new(*title).strong());
        });
        let kinds = lesson.lesson().worker_kinds.iter();
        let kinds = kinds.map(|kind| kind.title().to_lowercase());
        let kinds = kinds.collect::<Vec<_>>().join(" or ");
        let text = format!("{}, {kinds}", level.title());
        ui.label(RichText::new(text).weak().small());
    });
    if card.clicked() {
        commands.push(LessonCommand::Select(lesson));
    }
}

fn selected_ui(
    props: &LessonProps<'_>,
    view: &mut LessonView,
    choices: &mut LessonChoices,
    height: f32,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    let lesson = view.selected;
    heading_ui(props, lesson, ui);
    ui.scope(|ui| question_ui(lesson, choices, ui));
    ui.add_space(4.0);
    run_ui(props, view, choices, ui, commands);
    ui.add_space(4.0);
    timeline_ui(props, view.compare, ui);
    ui.separator();
    let above = ui.min_rect().height() + ui.spacing().item_spacing.y;
    let size = egui::vec2(ui.available_width(), (height - above).max(MIN_LOWER_HEIGHT));
    ui.allocate_ui(size, |ui| lower_ui(props, view, choices, ui, commands));
}

fn heading_ui(props: &LessonProps<'_>, lesson: LessonId, ui: &mut Ui) {
    let title = |ui: &mut Ui| {
        ui.heading(lesson.lesson().title);
        ui.label(RichText::new(lesson.lesson().id).weak().monospace());
    };
    let outcome = |ui: &mut Ui| {
        if let Some(run) = props.run {
            let status = outcome_status(run.outcome, tokens(ui));
            ui.spacing_mut().item_spacing.x = 5.0;
            ui.add(Label::new(RichText::new(status.word.as_ref()).strong()).truncate());
            mark_ui(ui, status.mark, status.color);
        }
    };
    Sides::new().shrink_right().show(ui, title, outcome);
}

fn outcome_status(outcome: Option<&Outcome>, tokens: &Tokens) -> StatusStyle {
    let (mark, color, word) = match outcome {
        None => (Mark::Play, tokens.running, "running".to_owned()),
        Some(Outcome::AsExpected) => (Mark::Disc, tokens.returned, "as expected".to_owned()),
        Some(Outcome::Unexpected(why)) => {
            (Mark::Warning, tokens.failed, format!("Unexpected: {why}"))
        }
        Some(Outcome::Failed(why)) => (Mark::Cross, tokens.failed, why.clone()),
        Some(Outcome::Stopped) => (Mark::Bar, tokens.neutral, "stopped".to_owned()),
    };
    let word = word.into();
    StatusStyle { mark, color, word }
}

/// The question, and whether the answer is right once a run has tested it.
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
fn run_ui(
    props: &LessonProps<'_>,
    view: &mut LessonView,
    choices: &mut LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    let lesson = view.selected;
    ui.horizontal_wrapped(|ui| {
        let can_start = props.running.is_none();
        let name = if props.run.is_some() {
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
        if button(ui, "Stop", !can_start, "No lesson is running.").clicked() {
            commands.push(LessonCommand::Stop);
        }
        ui.separator();
        worker_kind_ui(lesson, choices, ui);
        for parameter in lesson
            .lesson()
            .parameters_of(choices.worker_kind_of(lesson))
        {
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
        .on_hover_text("Shortens every sleep by this factor.");
        if props.previous.is_some() {
            ui.checkbox(&mut view.compare, "Compare with the previous run");
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
        if ui.selectable_label(chosen == kind, kind.title()).clicked() {
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

/// The timeline of the last run, and above it that of the previous run if the user compares them.
fn timeline_ui(props: &LessonProps<'_>, compare: bool, ui: &mut Ui) {
    let Some(run) = props.run else {
        ui.label(
            RichText::new("Run the lesson to see when each thread runs, sleeps and waits.").weak(),
        );
        return;
    };
    let previous = props.previous.filter(|_| compare);
    let mut until = run.log.timeline().last_event_at();
    if run.outcome.is_none() {
        // An axis that grows in every frame would be unreadable.
        let secs = until.max(run.elapsed).as_secs_f64().max(0.1);
        until = Duration::from_secs_f64(next_step(secs));
    }
    let until = previous.map_or(until, |log| until.max(log.timeline().last_event_at()));
    ScrollArea::vertical()
        .id_salt("timeline")
        .max_height(MAX_TIMELINE_HEIGHT)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            if let Some(log) = previous {
                ui.label(RichText::new(run_text("Previous", log)).weak().small());
                ui.push_id("previous", |ui| {
                    TimelineView::new(log.timeline())
                        .between(Duration::ZERO, until)
                        .show(ui);
                });
                ui.label(RichText::new(run_text("Now", run.log)).weak().small());
            }
            let mut timeline = TimelineView::new(run.log.timeline()).between(Duration::ZERO, until);
            if run.outcome.is_none() {
                timeline = timeline.until_now(run.elapsed);
            }
            timeline.show(ui);
        });
    timeline_legend_ui(ui);
}

/// The settings of a run, to tell it from another one.
fn run_text(name: &str, log: &RunLog) -> String {
    let parameters = log.parameters().iter();
    let parameters = parameters.map(|(id, value)| format!(", {id} {value}"));
    let speed = log.speed();
    let kind = log.worker_kind().title().to_lowercase();
    format!(
        "{name}: {kind}, speed {speed}{}",
        parameters.collect::<String>()
    )
}

/// The transcript, and beside it the tabs.
fn lower_ui(
    props: &LessonProps<'_>,
    view: &mut LessonView,
    choices: &LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    let width = ui.available_width();
    let min = MIN_LOWER_WIDTH.min(width / 2.0);
    let margin = egui::Margin {
        right: 8,
        ..egui::Margin::ZERO
    };
    Panel::left("transcript")
        .resizable(true)
        .default_size(width * 0.46)
        .size_range(min..=width - min)
        .frame(egui::Frame::new().inner_margin(margin))
        .show(ui, |ui| {
            ui.take_available_width();
            transcript_ui(props.run.map(|run| run.log), ui);
        });
    let margin = egui::Margin {
        left: 8,
        ..egui::Margin::ZERO
    };
    CentralPanel::default()
        .frame(egui::Frame::new().inner_margin(margin))
        .show(ui, |ui| tabs_ui(props, view, choices, ui, commands));
}

fn tabs_ui(
    props: &LessonProps<'_>,
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
        Tab::Explanation => {
            let outcome = props.run.and_then(|run| run.outcome);
            let has_run =
                outcome.is_some_and(Outcome::is_complete) || choices.done.contains(lesson.id);
            return explanation_ui(lesson, has_run, ui, commands);
        }
        Tab::Code => (id("rs"), lesson.code(), "rs"),
        Tab::Python => (id("py"), lesson.python.trim(), "py"),
        Tab::PlainStd => (id("std.rs"), lesson.plain_std.trim(), "rs"),
    };
    let is_code = view.tab == Tab::Code;
    let running = props.run.filter(|run| is_code && run.outcome.is_none());
    let running = running.map_or_else(Vec::new, |run| running_lines(run.log));
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
