//! The left panel: how to run patterns, and the list of them.

use eframe::egui::{DragValue, Label, Margin, RichText, Sides, Ui};

use super::props::{LabProps, LabState, NOTHING_RUNS, Runs, pattern_status};
use super::{LabChoices, LabCommand, command};
use crate::format;
use crate::lab::{LabReport, PatternId};
use crate::pages::NO_LAUNCHER;
use crate::ui::choice_box::choice_box_ui;
use crate::ui::layout::scroll_ui;
use crate::ui::status_style::mark_ui;
use crate::ui::tokens::tokens;
use crate::ui::widgets::{choosable_card_ui, seconds_ui, section_ui};

const ENTRY_MARGIN: Margin = Margin::symmetric(8, 5);

/// Draws the settings of runs, and the buttons for all patterns.
pub(super) fn run_all_ui(
    props: &LabProps<'_>,
    choices: &mut LabChoices,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    section_ui(ui, "Freeze Lab");
    ui.weak("Ways to wait for background work, bad and fixed, each measured in a real window.");
    ui.horizontal(|ui| choices_ui(choices, ui));
    ui.horizontal(|ui| {
        for command in [command::RUN_ALL, command::STOP, command::SAVE_REPORT] {
            props.button_ui(command, ui, commands);
        }
    });
    // Always two lines, so that the list below does not move under the pointer.
    for text in [state_text(props), time_text(&props.runs)] {
        ui.add(Label::new(RichText::new(text).weak()).truncate());
    }
}

fn state_text(props: &LabProps<'_>) -> String {
    let runs = &props.runs;
    match runs.running {
        _ if !runs.can_run => NO_LAUNCHER.to_owned(),
        Some((pattern, variant)) if runs.is_by_hand => format!("By hand: {pattern}, {variant}"),
        Some((pattern, variant)) => format!("Running {pattern}, {variant}"),
        None if runs.is_busy => "Opening a window…".to_owned(),
        None => NOTHING_RUNS.to_owned(),
    }
}

/// How long it will take, before it is started and while it runs.
fn time_text(runs: &Runs) -> String {
    let left = format::rough(runs.time_left);
    match runs.waiting {
        _ if !runs.is_busy => format!("Run all takes about {}.", format::rough(runs.all_take)),
        _ if runs.is_by_hand => "Close its window when you are done.".to_owned(),
        0 => format!("About {left} left."),
        waiting => format!("About {left} left; {} waiting.", format::count(waiting)),
    }
}

fn choices_ui(choices: &mut LabChoices, ui: &mut Ui) {
    ui.spacing_mut().item_spacing.x = 5.0;
    choice_box_ui("Work", &mut choices.kind, 92.0, ui);
    let label = ui.label("Seconds");
    seconds_ui(ui, &mut choices.secs, |input| {
        input.range(LabChoices::SECS).speed(0.05).max_decimals(1)
    })
    .labelled_by(label.id);
    let label = ui.label("Repeat");
    ui.add(
        DragValue::new(&mut choices.repeat)
            .range(LabChoices::REPEAT)
            .speed(0.05),
    )
    .labelled_by(label.id);
}

/// Draws the entry of the report and those of all patterns.
pub(super) fn pattern_list_ui(
    props: &LabProps<'_>,
    state: &LabState,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    report_entry_ui(props.report, state.shows_report, ui, commands);
    scroll_ui("list", ui, |ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        for pattern in PatternId::all() {
            let is_selected = pattern == state.selected && !state.shows_report;
            entry_ui(props, pattern, is_selected, ui, commands);
        }
    });
}

fn report_entry_ui(
    report: &LabReport,
    is_selected: bool,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    let card = choosable_card_ui(ui, "Report", is_selected, ENTRY_MARGIN, |ui| {
        let all = PatternId::all();
        let measured = all.filter(|id| report.verdict(*id).is_some()).count();
        let text = format!("{measured} of {} measured", PatternId::all().count());
        Sides::new().show(
            ui,
            |ui| ui.strong("Report"),
            |ui| ui.label(RichText::new(text).weak().small()),
        );
    });
    if card.clicked() {
        commands.push(LabCommand::ShowReport);
    }
}

fn entry_ui(
    props: &LabProps<'_>,
    pattern: PatternId,
    is_selected: bool,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    let entry = pattern.entry();
    let status = pattern_status(props, pattern, tokens(ui));
    let card = choosable_card_ui(ui, entry.id, is_selected, ENTRY_MARGIN, |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = 18.0;
            ui.spacing_mut().item_spacing.x = 6.0;
            mark_ui(ui, status.mark, status.color);
            ui.strong(entry.id);
        });
        // Always two lines, so that a run moves nothing.
        let text = match status.word.as_ref() {
            "" => RichText::new(entry.symptom).weak(),
            word => RichText::new(word),
        };
        ui.add(Label::new(text.small()).truncate());
    });
    if card.clicked() {
        commands.push(LabCommand::Select(pattern));
    }
}
