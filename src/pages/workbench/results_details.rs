//! The details of the row that was selected last.

use eframe::egui::{self, RichText, TextWrapMode, Ui};

use super::result_text::result_text;
use super::results_state::MAX_PAGE_ROWS;
use super::{ResultsState, WorkbenchCommand, command};
use crate::format;
use crate::jobs::ItemError;
use crate::pages::commands;
use crate::record::{Crash, ItemProcessState, ItemRecord, ItemState, ProcessRecord};
use crate::ui::layout::sides_ui;
use crate::ui::status_style::{StatusStyle, status_style_ui};
use crate::ui::tokens::tokens;
use crate::ui::widgets::button_width;

const CLOSE: &str = "×";

pub(super) fn details_ui(
    item: &ItemRecord,
    state: &mut ResultsState,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let mut scroll = egui::ScrollArea::vertical().auto_shrink(false);
    if state.details_of != Some(item.id) {
        state.details_of = Some(item.id);
        // They take room from the table, which may have hidden the row.
        state.scroll_to = state
            .order
            .row(item.id.index())
            .map(|row| row % MAX_PAGE_ROWS);
        scroll = scroll.vertical_scroll_offset(0.0);
        // The table has been drawn.
        ui.request_repaint();
    }
    scroll.show(ui, |ui| {
        sides_ui(
            button_width(CLOSE, ui),
            ui,
            |ui| {
                ui.style_mut().wrap_mode = Some(TextWrapMode::Truncate);
                status_style_ui(ui, StatusStyle::of_item(item, tokens(ui)));
                ui.add_space(6.0);
                ui.label(format::path(&item.input));
            },
            |ui| {
                let close = ui.small_button(CLOSE).accessible_name("Close the details");
                if commands::info(command::CLOSE_DETAILS)
                    .with_tooltip(close, None)
                    .clicked()
                {
                    state.shows_details = false;
                }
            },
        );
        if let Some(process) = &item.process {
            ui.label(RichText::new(process_text(process)).weak());
        }
        let result = result_text(item);
        if !result.is_empty() {
            ui.add(egui::Label::new(RichText::new(&result).monospace()).wrap());
        }
        match &item.state {
            ItemState::Crashed(crash) => crash_ui(crash, ui),
            ItemState::Failed(ItemError {
                details: Some(details),
                ..
            }) => failure_details_ui(details, ui),
            _ => {}
        }
        ui.horizontal_wrapped(|ui| copy_buttons_ui(item, ui, commands));
    });
}

fn copy_buttons_ui(item: &ItemRecord, ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
    let mut copy_ui = |command, text: String| {
        if !text.is_empty() && commands::info(command).button(None, ui).clicked() {
            commands.push(WorkbenchCommand::CopyText(text));
        }
    };
    copy_ui(command::COPY_RESULT, result_text(item));
    if let ItemState::Crashed(crash) = &item.state {
        copy_ui(command::COPY_STANDARD_ERROR, crash.stderr.clone());
    }
    copy_ui(command::COPY_PATH, item.input.display().to_string());
}

/// The last output of the worker that crashed with the item.
fn crash_ui(crash: &Crash, ui: &mut Ui) {
    if crash.stderr.is_empty() {
        ui.label(RichText::new("It printed nothing on standard error.").weak());
        return;
    }
    ui.label(RichText::new("Its last lines on standard error:").weak());
    ui.add(egui::Label::new(RichText::new(&crash.stderr).monospace()).wrap());
}

/// What few users want to read, such as the place of a panic.
fn failure_details_ui(details: &str, ui: &mut Ui) {
    egui::CollapsingHeader::new("Details").show(ui, |ui| {
        ui.add(egui::Label::new(RichText::new(details).monospace()).wrap());
    });
}

/// `process 1234 · exited with code 3`, and the outcome of `End process tree`.
fn process_text(process: &ProcessRecord) -> String {
    let state = match &process.state {
        ItemProcessState::Running if process.stop_requested => "running, asked to end".to_owned(),
        ItemProcessState::Running => "running".to_owned(),
        ItemProcessState::Paused => "paused by a signal such as SIGSTOP".to_owned(),
        ItemProcessState::Ended(ran) => ran.end.to_string(),
    };
    let pid = process.pid;
    match process.stopped.as_ref().filter(|it| !it.is_empty()) {
        Some(stopped) => format!("process {pid} · {state} · {stopped}"),
        None => format!("process {pid} · {state}"),
    }
}
