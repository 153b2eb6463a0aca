//! The page: the list of patterns, and beside it one pattern or the report.

use eframe::egui::{self, CentralPanel, Label, Panel, RichText, ScrollArea, Sides, Ui, vec2};

use super::figures::figures_ui;
use super::pattern_list::{pattern_list_ui, run_all_ui};
use super::props::{LabProps, LabState, pattern_status};
use super::report_table::report_ui;
use super::{LabChoices, LabCommand, command};
use crate::lab::{GapKind, PatternId, Scenario, Variant};
use crate::ui::code_view::{Code, ShownCode, code_ui};
use crate::ui::frame_plot::{frame_plots_ui, gap_swatch};
use crate::ui::layout::{Part, TwoParts, rest_ui, scroll_ui};
use crate::ui::legend::{Swatch, legend_ui};
use crate::ui::status_style::mark_ui;
use crate::ui::tokens::tokens;
use crate::ui::widgets::prose_ui;

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
/// With less room, the code goes below the figures, or the page scrolls.
const MIN_CODE_SIZE: egui::Vec2 = egui::vec2(260.0, 240.0);

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
        ui.add_space(4.0);
        let lines = Variant::ALL.map(|variant| state.lines.get(&(pattern, variant)));
        frame_plots_ui(lines, ui);
        plots_legend_ui(pattern, ui);
        ui.separator();
        if ui.available_width() < FIGURES_WIDTH + MIN_CODE_SIZE.x {
            ScrollArea::horizontal().id_salt("figures").show(ui, |ui| {
                ui.set_min_width(FIGURES_WIDTH);
                figures_ui(props.report, pattern, ui);
            });
            let size = egui::vec2(ui.available_width(), MIN_CODE_SIZE.y);
            ui.allocate_ui(size, |ui| code_frame_ui(pattern, &mut state.code, ui));
            return;
        }
        rest_ui(height, MIN_CODE_SIZE.y, ui, |ui| {
            figures_and_code_ui(props, pattern, &mut state.code, ui);
        });
    });
}

/// The figures to the left of the code, each with its own scroll bar.
fn figures_and_code_ui(props: &LabProps<'_>, pattern: PatternId, code: &mut Code, ui: &mut Ui) {
    let margin = egui::Margin {
        right: 8,
        ..egui::Margin::ZERO
    };
    Panel::left("figures")
        .resizable(true)
        .default_size(FIGURES_WIDTH)
        .min_size(FIGURES_WIDTH)
        .frame(egui::Frame::new().inner_margin(margin))
        .show(ui, |ui| {
            ScrollArea::vertical()
                .id_salt("figures")
                .auto_shrink(false)
                .show(ui, |ui| figures_ui(props.report, pattern, ui));
        });
    code_frame_ui(pattern, code, ui);
}

fn code_frame_ui(pattern: PatternId, code: &mut Code, ui: &mut Ui) {
    let frame = egui::Frame::new().fill(tokens(ui).field).inner_margin(6);
    let source = ShownCode {
        id: pattern.entry().id,
        text: pattern.entry().source,
        language: "rs",
        running: &[],
    };
    CentralPanel::default()
        .frame(frame)
        .show(ui, |ui| code_ui(source, code, ui));
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
