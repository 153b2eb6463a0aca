//! The page of the lessons: their list, and of the selected one the question, the run and the
//! explanation.

use std::time::Duration;

use eframe::egui::{self, CentralPanel, Label, Rangef, RichText, Sides, Ui, vec2};

use super::controls::{question_ui, run_ui};
use super::list::list_ui;
use super::run_timeline::timeline_ui;
use super::tabs::lesson_tabs_ui;
use super::transcript::transcript_ui;
use super::{LessonChoices, LessonCommand};
use crate::lessons::{LessonId, LessonOutcome, RunLog};
use crate::pages::commands::Unavailable;
use crate::ui::code_view::Code;
use crate::ui::layout::{Edge, Pane, Part, TwoParts, rest_ui, scroll_ui};
use crate::ui::status_style::{Mark, StatusStyle, mark_ui};
use crate::ui::tokens::{Tokens, tokens};

const LAYOUT: TwoParts = TwoParts {
    side_name: "lessons",
    side_width: 276.0,
    least_side: vec2(220.0, 160.0),
    least_main: 300.0,
};
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
    pub running: Option<LessonId>,
    pub unavailable: Unavailable,
}

/// The data of a run.
#[derive(Clone, Copy)]
pub struct ShownRun<'a> {
    pub log: &'a RunLog,
    /// `None` while it runs.
    pub outcome: Option<&'a LessonOutcome>,
    /// The time since its start.
    pub elapsed: Duration,
}

pub struct LessonState {
    pub selected: LessonId,
    /// Whether the list scrolls to it.
    pub(super) reveals: bool,
    /// Whether the explanation takes the place of the program.
    pub(super) explains: bool,
    pub(super) compare: bool,
    pub(super) code: Code,
}

impl Default for LessonState {
    fn default() -> Self {
        let first = LessonId::all().next();
        Self {
            selected: first.expect("there are lessons"),
            reveals: false,
            explains: false,
            compare: false,
            code: Code::default(),
        }
    }
}

pub fn lesson_ui(
    props: &LessonProps<'_>,
    state: &mut LessonState,
    choices: &mut LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    LAYOUT.show(ui, |part, ui| match part {
        Part::Side => {
            let reveals = std::mem::take(&mut state.reveals);
            list_ui(props, state.selected, reveals, choices, ui, commands);
        }
        Part::Main => {
            let height = ui.available_height();
            scroll_ui(state.selected.lesson().id, ui, |ui| {
                selected_ui(props, state, choices, height, ui, commands);
            });
        }
    });
}

fn selected_ui(
    props: &LessonProps<'_>,
    state: &mut LessonState,
    choices: &mut LessonChoices,
    height: f32,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    let lesson = state.selected;
    heading_ui(props, lesson, ui);
    ui.scope(|ui| question_ui(lesson, choices, ui));
    ui.add_space(4.0);
    run_ui(props, state, choices, ui, commands);
    ui.add_space(4.0);
    timeline_ui(props, lesson, state.compare, ui);
    ui.separator();
    rest_ui(height, MIN_LOWER_HEIGHT, ui, |ui| {
        transcript_and_tabs_ui(props, state, choices, ui, commands);
    });
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
            let verdict = RichText::new(status.word.as_ref()).strong();
            ui.add(Label::new(verdict).truncate());
            mark_ui(ui, status.mark, status.color);
        }
    };
    Sides::new().shrink_right().show(ui, title, outcome);
}

fn outcome_status(outcome: Option<&LessonOutcome>, tokens: &Tokens) -> StatusStyle {
    let (mark, color, word) = match outcome {
        None => (Mark::Play, tokens.running, "running".to_owned()),
        Some(LessonOutcome::AsExpected) => (Mark::Disc, tokens.returned, "as expected".to_owned()),
        Some(LessonOutcome::Unexpected(why)) => {
            (Mark::Warning, tokens.failed, format!("Unexpected: {why}"))
        }
        Some(LessonOutcome::Failed(why)) => (Mark::Cross, tokens.failed, why.clone()),
        Some(LessonOutcome::Stopped) => (Mark::Bar, tokens.neutral, "stopped".to_owned()),
    };
    let word = word.into();
    StatusStyle { mark, color, word }
}

/// The transcript, and beside it the tabs.
fn transcript_and_tabs_ui(
    props: &LessonProps<'_>,
    state: &mut LessonState,
    choices: &mut LessonChoices,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    let width = ui.available_width();
    let min = MIN_LOWER_WIDTH.min(width / 2.0);
    let margin = egui::Margin {
        right: 8,
        ..egui::Margin::ZERO
    };
    let transcript = Pane {
        name: "transcript",
        edge: Edge::Left,
        size: width * 0.46,
        range: Rangef::new(min.max(width * 0.3), (width - min).min(width * 0.7)),
        frame: Some(egui::Frame::new().inner_margin(margin)),
    };
    transcript.show(ui, |ui| {
        ui.take_available_width();
        transcript_ui(props, ui, commands);
    });
    let margin = egui::Margin {
        left: 8,
        ..egui::Margin::ZERO
    };
    CentralPanel::default()
        .frame(egui::Frame::new().inner_margin(margin))
        .show(ui, |ui| lesson_tabs_ui(props, state, choices, ui, commands));
}
