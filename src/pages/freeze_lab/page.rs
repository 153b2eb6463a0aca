//! The page: the list of patterns, and beside it one pattern or the report.

use eframe::egui::{self, CentralPanel, Label, Rangef, RichText, ScrollArea, Sides, Ui, vec2};

use super::by_hand::by_hand_figures_ui;
use super::figures::figures_ui;
use super::pattern_list::{pattern_list_ui, run_all_ui};
use super::props::{LabProps, LabState, PatternRuns, Source, pattern_status};
use super::report_table::report_ui;
use super::{LabChoices, LabCommand, command};
use crate::format;
use crate::lab::{GapKind, PatternId, Scenario, Variant};
use crate::ui::code_view::{Code, ShownCode, code_ui};
use crate::ui::frame_plot::{frame_plots_ui, gap_swatch};
use crate::ui::layout::{Edge, Pane, Part, TwoParts, rest_ui, scroll_ui};
use crate::ui::legend::{Swatch, legend_ui};
use crate::ui::status_style::mark_ui;
use crate::ui::tokens::tokens;
use crate::ui::widgets::{prose_ui, tabs_ui};

const LAYOUT: TwoParts = TwoParts {
    side_name: "patterns",
    side_width: 276.0,
    least_side: vec2(240.0, 240.0),
    least_main: FIGURES_WIDTH,
};
/// The width of the names beside a description.
const NAME_WIDTH: f32 = 64.0;
const MIN_REPORT_HEIGHT: f32 = 240.0;
const FIGURES_WIDTH: f32 = 410.0;
/// With less room, the figures go below the code of both variants, or the page scrolls.
const MIN_CODE_SIZE: egui::Vec2 = egui::vec2(300.0, 260.0);
/// With less width, the code of one variant is below that of the other.
const LEAST_CODE_WIDTH: f32 = 220.0;

pub fn lab_ui(
    props: &LabProps<'_>,
    state: &mut LabState,
    choices: &mut LabChoices,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    LAYOUT.show(ui, |part, ui| match part {
        Part::Side => {
            run_all_ui(props, choices, ui, commands);
            ui.separator();
            pattern_list_ui(props, state, ui, commands);
        }
        Part::Main if state.shows_report => {
            let height = ui.available_height();
            state.plots = None;
            rest_ui(height, MIN_REPORT_HEIGHT, ui, |ui| {
                report_ui(props, ui, commands);
            });
        }
        Part::Main => pattern_ui(props, state, ui, commands),
    });
}

fn pattern_ui(
    props: &LabProps<'_>,
    state: &mut LabState,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    let pattern = state.selected;
    let height = ui.available_height();
    scroll_ui("pattern", ui, |ui| {
        heading_ui(props, pattern, ui);
        ui.scope(|ui| description_ui(pattern, ui));
        run_ui(props, ui, commands);
        let runs = state.patterns.entry(pattern).or_default();
        source_ui(props, pattern, &mut runs.source, ui);
        let plots = frame_plots_ui(runs.shown(), ui);
        state.plots = Some(plots.intersect(ui.clip_rect()));
        plots_legend_ui(pattern, ui);
        ui.separator();
        if ui.available_width() < FIGURES_WIDTH + 2.0 * MIN_CODE_SIZE.x {
            codes_ui(pattern, &mut state.codes, ui);
            ui.separator();
            ScrollArea::horizontal().id_salt("figures").show(ui, |ui| {
                ui.set_min_width(FIGURES_WIDTH);
                shown_figures_ui(props, pattern, runs, ui);
            });
            return;
        }
        rest_ui(height, MIN_CODE_SIZE.y, ui, |ui| {
            figures_and_codes_ui(props, pattern, runs, &mut state.codes, ui);
        });
    });
}

/// Chooses between the measured runs and those by hand. Says which of them is shown.
fn source_ui(props: &LabProps<'_>, pattern: PatternId, source: &mut Source, ui: &mut Ui) {
    ui.horizontal(|ui| {
        tabs_ui(source, ui);
        let rows = Variant::ALL.map(|variant| props.report.row(pattern, variant));
        let runs = rows.iter().flatten().map(|row| row.runs).max();
        let text = match (*source, runs) {
            (Source::ByHand, _) => "From the last click on Start.".to_owned(),
            (Source::Measured, Some(2..)) => {
                let runs = format::count(runs.unwrap_or_default());
                format!("The plots show the last run, the figures the median of {runs}.")
            }
            (Source::Measured, _) => String::new(),
        };
        ui.add(Label::new(RichText::new(text).weak()).truncate());
    });
}

/// The figures of the runs that the plots show.
fn shown_figures_ui(props: &LabProps<'_>, pattern: PatternId, runs: &PatternRuns, ui: &mut Ui) {
    match runs.source {
        Source::Measured => figures_ui(props, pattern, ui),
        Source::ByHand => by_hand_figures_ui(runs.shown(), ui),
    }
}

/// The figures to the left of the code, each with its own scroll bar.
fn figures_and_codes_ui(
    props: &LabProps<'_>,
    pattern: PatternId,
    runs: &PatternRuns,
    codes: &mut [Code; 2],
    ui: &mut Ui,
) {
    let margin = egui::Margin {
        right: 8,
        ..egui::Margin::ZERO
    };
    let figures = Pane {
        name: "figures",
        edge: Edge::Left,
        size: FIGURES_WIDTH,
        range: Rangef::new(FIGURES_WIDTH, f32::INFINITY),
        frame: Some(egui::Frame::new().inner_margin(margin)),
    };
    figures.show(ui, |ui| {
        ScrollArea::vertical()
            .id_salt("figures")
            .auto_shrink(false)
            .show(ui, |ui| shown_figures_ui(props, pattern, runs, ui));
    });
    let frame = egui::Frame::new();
    CentralPanel::default()
        .frame(frame)
        .show(ui, |ui| codes_ui(pattern, codes, ui));
}

/// The code of both variants, side by side if there is room.
fn codes_ui(pattern: PatternId, codes: &mut [Code; 2], ui: &mut Ui) {
    let size = ui.available_size();
    let is_wide = size.x >= 2.0 * LEAST_CODE_WIDTH;
    let columns = if is_wide { 2 } else { 1 };
    // In a page that scrolls, there is no end of height.
    let is_box = size.y.is_finite() && size.y > MIN_CODE_SIZE.y;
    let height = if is_box { size.y } else { MIN_CODE_SIZE.y };
    let height = if is_wide { height } else { MIN_CODE_SIZE.y };
    ui.columns(columns, |uis| {
        for ((variant, code), number) in Variant::ALL.into_iter().zip(codes).zip(0..) {
            let ui = &mut uis[number % columns];
            ui.push_id(variant.title(), |ui| {
                code_frame_ui(pattern, variant, height, code, ui);
            });
        }
    });
}

fn code_frame_ui(pattern: PatternId, variant: Variant, height: f32, code: &mut Code, ui: &mut Ui) {
    let entry = pattern.entry();
    let (id, text) = (format!("{}.{variant}", entry.id), entry.code(variant));
    let source = ShownCode {
        id: &id,
        text: &text,
        language: "rs",
        running: &[],
    };
    let begin = ui.cursor().top();
    ui.label(RichText::new(format!("Code, {variant}")).weak().small());
    let height = height - (ui.cursor().top() - begin) - ui.spacing().item_spacing.y;
    let size = egui::vec2(ui.available_width(), height);
    let (place, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    ui.painter().rect_filled(place, 0, tokens(ui).field);
    let inside = egui::UiBuilder::new().max_rect(place.shrink(6.0));
    ui.scope_builder(inside, |ui| code_ui(source, code, ui));
}

fn heading_ui(props: &LabProps<'_>, pattern: PatternId, ui: &mut Ui) {
    let status = pattern_status(props, pattern, tokens(ui));
    Sides::new().shrink_right().show(
        ui,
        |ui| ui.heading(pattern.entry().id),
        |ui| {
            if !status.word.is_empty() {
                ui.spacing_mut().item_spacing.x = 5.0;
                let verdict = RichText::new(status.word.as_ref()).size(15.0).strong();
                ui.add(Label::new(verdict).truncate());
                mark_ui(ui, status.mark, status.color);
            }
        },
    );
}

fn description_ui(pattern: PatternId, ui: &mut Ui) {
    let entry = pattern.entry();
    ui.spacing_mut().item_spacing.y = 2.0;
    for (name, text) in [
        ("Mistake", entry.bad),
        ("Symptom", entry.symptom),
        ("Fix", entry.fix),
    ] {
        ui.horizontal_top(|ui| {
            let begin = ui.cursor().left();
            ui.label(RichText::new(name).weak());
            ui.add_space(begin + NAME_WIDTH - ui.cursor().left());
            ui.vertical(|ui| prose_ui(text, ui));
        });
    }
}

fn run_ui(props: &LabProps<'_>, ui: &mut Ui, commands: &mut Vec<LabCommand>) {
    ui.horizontal_wrapped(|ui| {
        let both = command::RUN_BOTH;
        if props.unavailable.primary_button(both, ui).clicked() {
            commands.push(LabCommand::Ui(both));
        }
        props.button_ui(command::RUN_BAD, ui, commands);
        props.button_ui(command::RUN_FIXED, ui, commands);
        ui.separator();
        props.button_ui(command::TRY_BAD, ui, commands);
        props.button_ui(command::TRY_FIXED, ui, commands);
        ui.separator();
        props.button_ui(command::OPEN_IN_TIMELINE, ui, commands);
    });
}

/// Explains the shapes of the plots.
fn plots_legend_ui(pattern: PatternId, ui: &mut Ui) {
    let tokens = tokens(ui);
    let frame = "bar: from one frame of the measured window to the next";
    let mut entries = vec![(gap_swatch(GapKind::Responsive, tokens), frame)];
    if pattern.entry().scenario == Scenario::Probed {
        let text = "frozen: no frame for more than 100 ms";
        entries.push((gap_swatch(GapKind::Frozen, tokens), text));
        entries.push((Swatch::Bar(tokens.failed), "still frozen"));
    } else {
        let text = "idle: no frame, and no input that needs one";
        entries.push((gap_swatch(GapKind::Idle, tokens), text));
    }
    entries.push((Swatch::Dot(tokens.text), "dot: a frame of this window"));
    legend_ui(&entries, ui);
}
