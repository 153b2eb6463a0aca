//! The page `Freeze Lab`: the patterns, what was measured of them, and their code.

use std::collections::BTreeMap;

use eframe::egui::{
    self, Align, CentralPanel, ComboBox, DragValue, Layout, Margin, Panel, RichText, ScrollArea,
    Sense, Ui,
};

use super::figures::figures_ui;
use super::report_table::report_ui;
use super::{LabChoices, LabCommand};
use crate::lab::{FrameLine, GapKind, Kind, PatternId, Report, Script, Variant};
use crate::ui::code_view::{Code, Source, code_ui};
use crate::ui::frame_line::{color_of, frame_lines_ui};
use crate::ui::tokens::{Tokens, tokens};
use crate::ui::widgets::{
    Mark, StatusStyle, button, choosable_card_ui, mark_ui, primary_button, prose_ui, section_ui,
};

const BUSY: &str = "A run goes on. Stop it first.";
const LIST_WIDTH: f32 = 276.0;
const ENTRY_MARGIN: Margin = Margin::symmetric(8, 5);
const FIGURES_WIDTH: f32 = 372.0;
/// Where there is less room the figures stand above the code, or the page is scrolled.
const LEAST_CODE: egui::Vec2 = egui::vec2(260.0, 240.0);

/// What the page is drawn from.
pub struct LabParts<'a> {
    /// What was measured so far.
    pub report: &'a Report,
    /// What runs.
    pub running: Option<(PatternId, Variant)>,
    /// How many runs wait for their turn.
    pub waiting: usize,
    /// Whether something runs or waits.
    pub is_busy: bool,
    /// Whether this program can start twins.
    pub can_run: bool,
    /// Whether a file dialog is open.
    pub dialog_open: bool,
}

/// What the page shows right now.
pub struct LabView {
    /// The pattern.
    pub selected: PatternId,
    /// Whether the report of all patterns is shown in its place.
    pub shows_report: bool,
    /// The last run of each half.
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
    /// The line of the last run of this half.
    pub fn line_mut(&mut self, pattern: PatternId, variant: Variant) -> &mut FrameLine {
        let line = self.lines.entry((pattern, variant));
        line.or_insert_with(|| FrameLine::new(pattern.entry().script))
    }
}

/// Draws the page.
pub fn lab_ui(
    parts: &LabParts<'_>,
    view: &mut LabView,
    choices: &mut LabChoices,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    Panel::left("patterns")
        .default_size(LIST_WIDTH)
        .min_size(240.0)
        .show(ui, |ui| {
            all_ui(parts, choices, ui, commands);
            ui.separator();
            list_ui(parts, view, ui, commands);
        });
    CentralPanel::default().show(ui, |ui| {
        if view.shows_report {
            report_ui(parts, ui, commands);
        } else {
            pattern_ui(parts, view, ui, commands);
        }
    });
}

/// What is asked of all patterns, and how they are run.
fn all_ui(
    parts: &LabParts<'_>,
    choices: &mut LabChoices,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    section_ui(ui, "Freeze Lab");
    let what = "What does a window do while it waits? Each pattern runs in a real window of its \
                own and is measured there.";
    ui.label(RichText::new(what).weak());
    ui.horizontal(|ui| choices_ui(choices, ui));
    ui.horizontal(|ui| {
        let can_start = parts.can_run && !parts.is_busy;
        if button(ui, "Run all", can_start, BUSY).clicked() {
            commands.push(LabCommand::RunAll);
        }
        if button(ui, "Stop", parts.is_busy, "Nothing runs.")
            .on_hover_text("Ends the window that runs, a frozen one too, and forgets the others.")
            .clicked()
        {
            commands.push(LabCommand::Stop);
        }
        let has_any = !parts.report.rows.is_empty();
        let why_not = if has_any {
            "A dialog is open."
        } else {
            "Nothing was measured yet."
        };
        if button(ui, "Save report…", has_any && !parts.dialog_open, why_not)
            .on_hover_text("As Markdown, or as JSON or CSV where the name ends so.")
            .clicked()
        {
            commands.push(LabCommand::SaveReport);
        }
    });
    // One line, and there even while nothing runs: the list must not move under the pointer.
    ui.add(egui::Label::new(RichText::new(state_text(parts)).weak()).truncate());
}

fn state_text(parts: &LabParts<'_>) -> String {
    match (parts.running, parts.waiting) {
        _ if !parts.can_run => "This program can't start a second one of itself here.".to_owned(),
        (Some((pattern, variant)), 0) => format!("Running {pattern}, {variant}"),
        (Some((pattern, variant)), more) => {
            format!("Running {pattern}, {variant}; {more} to come")
        }
        (None, _) if parts.is_busy => "Opening a window…".to_owned(),
        (None, _) => "Nothing runs.".to_owned(),
    }
}

fn choices_ui(choices: &mut LabChoices, ui: &mut Ui) {
    ui.spacing_mut().item_spacing.x = 5.0;
    ComboBox::from_id_salt("work")
        .width(92.0)
        .selected_text(choices.kind.title())
        .show_ui(ui, |ui| {
            for kind in Kind::ALL {
                ui.selectable_value(&mut choices.kind, kind, kind.title());
            }
        })
        .response
        .accessible_name("Work");
    let label = ui.label("Seconds");
    ui.add(
        DragValue::new(&mut choices.secs)
            .range(LabChoices::SECS)
            .speed(0.05)
            .max_decimals(1),
    )
    .labelled_by(label.id);
    let label = ui.label("Repeat");
    ui.add(
        DragValue::new(&mut choices.repeat)
            .range(LabChoices::REPEAT)
            .speed(0.05),
    )
    .labelled_by(label.id);
}

fn list_ui(parts: &LabParts<'_>, view: &LabView, ui: &mut Ui, commands: &mut Vec<LabCommand>) {
    report_entry_ui(parts.report, view.shows_report, ui, commands);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        for pattern in PatternId::all() {
            let is_selected = pattern == view.selected && !view.shows_report;
            entry_ui(parts, pattern, is_selected, ui, commands);
        }
    });
}

/// All patterns in one table.
fn report_entry_ui(
    report: &Report,
    is_selected: bool,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    let card = choosable_card_ui(ui, "Report", is_selected, ENTRY_MARGIN, |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new("Report").strong());
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let all = PatternId::all();
                let measured = all.filter(|id| report.verdict(*id).is_some()).count();
                let text = format!("{measured} of {} measured", PatternId::all().count());
                ui.label(RichText::new(text).weak().small());
            });
        });
    });
    if card.clicked() {
        commands.push(LabCommand::ShowReport);
    }
}

fn entry_ui(
    parts: &LabParts<'_>,
    pattern: PatternId,
    is_selected: bool,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    let entry = pattern.entry();
    let look = look(parts, pattern, tokens(ui));
    let card = choosable_card_ui(ui, entry.id, is_selected, ENTRY_MARGIN, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 18.0;
            ui.spacing_mut().item_spacing.x = 6.0;
            mark_ui(ui, look.mark, look.color);
            ui.label(RichText::new(entry.id).strong());
        });
        let symptom = RichText::new(entry.symptom).weak().small();
        ui.add(egui::Label::new(symptom).truncate());
        if !look.word.is_empty() {
            ui.add(egui::Label::new(RichText::new(look.word.as_ref()).small()).truncate());
        }
    });
    if card.clicked() {
        commands.push(LabCommand::Select(pattern));
    }
}

/// What is known of a pattern: nothing, that it runs, or what its runs say together.
pub(super) fn look(parts: &LabParts<'_>, pattern: PatternId, tokens: &Tokens) -> StatusStyle {
    let judged = pattern.entry().judged;
    let is_running = parts.running.is_some_and(|(running, _)| running == pattern);
    let has_run = Variant::ALL.map(|half| parts.report.row(pattern, half).is_some());
    let (mark, color, word) = match parts.report.verdict(pattern) {
        _ if is_running => (Mark::Play, tokens.running, "running".to_owned()),
        Some(verdict) if verdict.reproduced => (Mark::Warning, tokens.failed, verdict.text(judged)),
        Some(verdict) => (Mark::Bar, tokens.neutral, verdict.text(judged)),
        None if has_run == [false; 2] => (Mark::Ring, tokens.neutral, String::new()),
        None => (
            Mark::Ring,
            tokens.neutral,
            halves_text(parts.report, pattern),
        ),
    };
    let word = word.into();
    StatusStyle { mark, color, word }
}

/// What one half alone says, or why there is nothing.
fn halves_text(report: &Report, pattern: PatternId) -> String {
    let judged = pattern.entry().judged;
    let halves = Variant::ALL.into_iter().filter_map(|variant| {
        let row = report.row(pattern, variant)?;
        Some(match row.judged {
            Some(centre) => format!("{variant}: {}", judged.show(centre.median)),
            None => format!("{variant}: no figures, {}", row.ending),
        })
    });
    halves.collect::<Vec<_>>().join("; ")
}

fn pattern_ui(
    parts: &LabParts<'_>,
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
            heading_ui(parts, pattern, ui);
            ui.scope(|ui| what_ui(pattern, ui));
            run_ui(parts, pattern, ui, commands);
            ui.add_space(4.0);
            let lines = Variant::ALL.map(|variant| view.lines.get(&(pattern, variant)));
            frame_lines_ui(lines, ui);
            legend_ui(pattern, ui);
            ui.separator();
            if ui.available_width() < FIGURES_WIDTH + LEAST_CODE.x {
                figures_ui(parts.report, pattern, ui);
                let size = egui::vec2(ui.available_width(), LEAST_CODE.y);
                ui.allocate_ui(size, |ui| code_frame_ui(pattern, &mut view.code, ui));
                return;
            }
            let above = ui.min_rect().height() + ui.spacing().item_spacing.y;
            let size = egui::vec2(ui.available_width(), (height - above).max(LEAST_CODE.y));
            ui.allocate_ui(size, |ui| beside_ui(parts, pattern, &mut view.code, ui));
        });
}

/// The figures at the left of the code, each with a scroll bar of its own.
fn beside_ui(parts: &LabParts<'_>, pattern: PatternId, code: &mut Code, ui: &mut Ui) {
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
                .show(ui, |ui| figures_ui(parts.report, pattern, ui));
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

fn heading_ui(parts: &LabParts<'_>, pattern: PatternId, ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.heading(pattern.entry().id);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let look = look(parts, pattern, tokens(ui));
            if !look.word.is_empty() {
                ui.spacing_mut().item_spacing.x = 5.0;
                let verdict = RichText::new(look.word.as_ref()).size(15.0).strong();
                ui.add(egui::Label::new(verdict).truncate());
                mark_ui(ui, look.mark, look.color);
            }
        });
    });
}

fn what_ui(pattern: PatternId, ui: &mut Ui) {
    let entry = pattern.entry();
    ui.spacing_mut().interact_size.y = 18.0;
    egui::Grid::new("what")
        .num_columns(2)
        .spacing([10.0, 2.0])
        .show(ui, |ui| {
            for (name, text) in [
                ("What is done", entry.bad),
                ("What one sees", entry.symptom),
                ("The fix", entry.fix),
            ] {
                ui.label(RichText::new(name).weak());
                prose_ui(text, ui);
                ui.end_row();
            }
        });
}

fn run_ui(parts: &LabParts<'_>, pattern: PatternId, ui: &mut Ui, commands: &mut Vec<LabCommand>) {
    let can_start = parts.can_run && !parts.is_busy;
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
            let hint = "Opens the window and leaves it to you: press Start there, then click and \
                        type. Close it when you have felt enough.";
            if button(ui, &name, can_start, BUSY)
                .on_hover_text(hint)
                .clicked()
            {
                commands.push(LabCommand::TryByHand(pattern, variant));
            }
        }
    });
}

/// What the shapes in the plots mean.
fn legend_ui(pattern: PatternId, ui: &mut Ui) {
    let tokens = tokens(ui);
    let is_probed = pattern.entry().script == Script::Probed;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = 16.0;
        ui.spacing_mut().item_spacing.x = 5.0;
        let (long, what) = if is_probed {
            (GapKind::Frozen, "frozen: no frame for more than 100 ms")
        } else {
            let what = "no frame: nobody touches the window, it may rest";
            (GapKind::Resting, what)
        };
        for (is_bar, color, text) in [
            (
                true,
                color_of(GapKind::Answering, tokens),
                "bar: from one frame of the twin to the next",
            ),
            (true, color_of(long, tokens), what),
            (false, tokens.text, "dot: a frame of this window"),
        ] {
            swatch_ui(is_bar, color, ui);
            ui.label(RichText::new(text).small().weak());
            ui.add_space(8.0);
        }
    });
}

pub(super) fn swatch_ui(is_bar: bool, color: egui::Color32, ui: &mut Ui) {
    let size = egui::vec2(8.0, 12.0);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let shape = if is_bar {
        rect
    } else {
        egui::Rect::from_center_size(rect.center(), egui::Vec2::splat(4.0))
    };
    ui.painter().rect_filled(shape, 0, color);
}
