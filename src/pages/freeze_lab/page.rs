//! The page: the list of patterns, and beside it one pattern or the report.

use std::collections::BTreeMap;

use eframe::egui::{self, CentralPanel, Label, Panel, RichText, ScrollArea, Sides, Ui};

use super::figures::figures_ui;
use super::pattern_list::{pattern_list_ui, run_all_ui};
use super::report_table::report_ui;
use super::{LabChoices, LabCommand};
use crate::lab::{FrameLine, GapKind, LabReport, PatternId, Scenario, Variant};
use crate::ui::code_view::{Code, Source, code_ui};
use crate::ui::frame_plot::{frame_plots_ui, gap_swatch};
use crate::ui::legend::{Swatch, legend_ui};
use crate::ui::tokens::{Tokens, tokens};
use crate::ui::widgets::{Mark, StatusStyle, button, mark_ui, primary_button, prose_ui};

pub(super) const BUSY: &str = "A run is in progress.";
const LIST_WIDTH: f32 = 276.0;
const FIGURES_WIDTH: f32 = 410.0;
/// With less room, the code goes below the figures, or the page scrolls.
const MIN_CODE_SIZE: egui::Vec2 = egui::vec2(260.0, 240.0);

/// The data that the page shows.
pub struct LabProps<'a> {
    /// The measurements so far.
    pub report: &'a LabReport,
    /// The current run.
    pub running: Option<(PatternId, Variant)>,
    /// How many runs wait.
    pub waiting: usize,
    /// Whether a run is in progress or waits.
    pub is_busy: bool,
    /// Whether this program can start twins.
    pub can_run: bool,
    /// Whether a file dialog is open.
    pub dialog_open: bool,
}

/// What the page shows at the moment.
pub struct LabView {
    /// The selected pattern.
    pub selected: PatternId,
    /// Whether the report is shown instead.
    pub shows_report: bool,
    /// The frames of the last run of each variant.
    lines: BTreeMap<(PatternId, Variant), FrameLine>,
    code: Code,
}

impl Default for LabView {
    fn default() -> Self {
        let first = PatternId::all().next();
        Self {
            selected: first.expect("there are patterns"),
            shows_report: false,
            lines: BTreeMap::new(),
            code: Code::default(),
        }
    }
}

impl LabView {
    /// The frames of the last run of this variant.
    pub fn line_mut(&mut self, pattern: PatternId, variant: Variant) -> &mut FrameLine {
        let line = self.lines.entry((pattern, variant));
        line.or_insert_with(|| FrameLine::new(pattern.entry().scenario))
    }
}

/// Draws the page.
pub fn lab_ui(
    props: &LabProps<'_>,
    view: &mut LabView,
    choices: &mut LabChoices,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    Panel::left("patterns")
        .default_size(LIST_WIDTH)
        .min_size(240.0)
        .show(ui, |ui| {
            run_all_ui(props, choices, ui, commands);
            ui.separator();
            pattern_list_ui(props, view, ui, commands);
        });
    CentralPanel::default().show(ui, |ui| {
        if view.shows_report {
            report_ui(props, ui, commands);
        } else {
            pattern_ui(props, view, ui, commands);
        }
    });
}

/// The status of a pattern: not run, running, or its verdict.
pub(super) fn pattern_status(
    props: &LabProps<'_>,
    pattern: PatternId,
    tokens: &Tokens,
) -> StatusStyle {
    let metric = pattern.entry().metric;
    let is_running = props.running.is_some_and(|(running, _)| running == pattern);
    let (mark, color, word) = match props.report.verdict(pattern) {
        _ if is_running => (Mark::Play, tokens.running, "running".to_owned()),
        Some(verdict) if verdict.reproduced => (Mark::Warning, tokens.failed, verdict.text(metric)),
        Some(verdict) => (Mark::Bar, tokens.neutral, verdict.text(metric)),
        None => {
            let text = props.report.variants_text(pattern);
            (Mark::Ring, tokens.neutral, text)
        }
    };
    let word = word.into();
    StatusStyle { mark, color, word }
}

fn pattern_ui(
    props: &LabProps<'_>,
    view: &mut LabView,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    let pattern = view.selected;
    let height = ui.available_height();
    ScrollArea::vertical()
        .id_salt("pattern")
        .auto_shrink(false)
        .show(ui, |ui| {
            heading_ui(props, pattern, ui);
            ui.scope(|ui| description_ui(pattern, ui));
            run_ui(props, pattern, ui, commands);
            ui.add_space(4.0);
            let lines = Variant::ALL.map(|variant| view.lines.get(&(pattern, variant)));
            frame_plots_ui(lines, ui);
            plots_legend_ui(pattern, ui);
            ui.separator();
            if ui.available_width() < FIGURES_WIDTH + MIN_CODE_SIZE.x {
                figures_ui(props.report, pattern, ui);
                let size = egui::vec2(ui.available_width(), MIN_CODE_SIZE.y);
                ui.allocate_ui(size, |ui| code_frame_ui(pattern, &mut view.code, ui));
                return;
            }
            let above = ui.min_rect().height() + ui.spacing().item_spacing.y;
            let size = egui::vec2(ui.available_width(), (height - above).max(MIN_CODE_SIZE.y));
            ui.allocate_ui(size, |ui| beside_ui(props, pattern, &mut view.code, ui));
        });
}

/// The figures to the left of the code, each with its own scroll bar.
fn beside_ui(props: &LabProps<'_>, pattern: PatternId, code: &mut Code, ui: &mut Ui) {
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
    let source = Source {
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
    ui.spacing_mut().interact_size.y = 18.0;
    egui::Grid::new("description")
        .num_columns(2)
        .spacing([10.0, 2.0])
        .show(ui, |ui| {
            for (name, text) in [
                ("Mistake", entry.bad),
                ("Symptom", entry.symptom),
                ("Fix", entry.fix),
            ] {
                ui.label(RichText::new(name).weak());
                prose_ui(text, ui);
                ui.end_row();
            }
        });
}

fn run_ui(props: &LabProps<'_>, pattern: PatternId, ui: &mut Ui, commands: &mut Vec<LabCommand>) {
    let can_start = props.can_run && !props.is_busy;
    ui.horizontal_wrapped(|ui| {
        let both = primary_button(ui, "Run both", can_start).on_disabled_hover_text(BUSY);
        if both.clicked() {
            commands.push(LabCommand::RunBoth(pattern));
        }
        for (name, command) in [
            ("Run bad", LabCommand::Run(pattern, Variant::Bad)),
            ("Run fixed", LabCommand::Run(pattern, Variant::Fixed)),
        ] {
            if button(ui, name, can_start, BUSY).clicked() {
                commands.push(command);
            }
        }
        ui.separator();
        for variant in Variant::ALL {
            let name = format!("Try by hand: {variant}");
            let hint = "Opens the window for you to use: press Start there, then click and type. \
                        Close it when you are done.";
            if button(ui, &name, can_start, BUSY)
                .on_hover_text(hint)
                .clicked()
            {
                commands.push(LabCommand::TryByHand(pattern, variant));
            }
        }
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
