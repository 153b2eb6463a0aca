//! The captured panics of the selected job.

use eframe::egui::{self, Rangef, RichText, Ui};

use super::{WorkbenchCommand, command};
use crate::format;
use crate::pages::commands;
use crate::record::{Backtrace, JobId, JobRecord, Panic, PanicKey};
use crate::ui::widgets::{card_ui, empty_ui};

/// More panics than this are counted, not drawn.
const MAX_SHOWN: usize = 100;

/// The distance from the view within which a panic is drawn, in points.
const NEAR: f32 = 300.0;

/// Every panic with its message, location, thread and, on request, backtrace.
pub(crate) fn panic_ui(
    job: &JobRecord,
    resolving: &[PanicKey],
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    if job.panics().next().is_none() {
        empty_ui(
            ui,
            "No panic",
            "A panic of an item is captured and shown here. The other items go on.",
        );
        return;
    }
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .show(ui, |ui| {
            for (key, panic, backtrace) in job.panics().take(MAX_SHOWN) {
                in_sight_ui((job.id(), key), ui, |ui| {
                    card_ui(ui, |ui| {
                        report_ui(job, key, panic, ui);
                        backtrace_ui(job, key, backtrace, resolving.contains(&key), ui, commands);
                    });
                });
            }
            let own = usize::from(job.panic(PanicKey::Job).is_some());
            let more = (job.counts().panicked + own).saturating_sub(MAX_SHOWN);
            if more > 0 {
                let panics = format::plural(more, "more panic", "more panics");
                ui.label(format!("and {panics}; the saved report has them all"));
            }
        });
}

/// Draws a panic that is near the view, so that `Tab` reaches it. Others only reserve their last
/// height.
fn in_sight_ui(key: (JobId, PanicKey), ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    let id = ui.scope_id().with(key);
    let height: Option<f32> = ui.data(|data| data.get_temp(id));
    let top = ui.cursor().top();
    let near = ui.clip_rect().expand2(egui::vec2(0.0, NEAR)).y_range();
    if let Some(height) = height
        && !near.intersects(Rangef::new(top, top + height))
    {
        ui.allocate_space(egui::vec2(ui.available_width(), height));
        return;
    }
    let drawn = ui.push_id(key, contents).response.rect;
    ui.data_mut(|data| data.insert_temp(id, drawn.height()));
}

fn report_ui(job: &JobRecord, key: PanicKey, panic: &Panic, ui: &mut Ui) {
    ui.label(RichText::new(&panic.message).size(15.0));
    let grid = egui::Grid::new("panic").num_columns(2).min_row_height(18.0);
    grid.spacing([16.0, 2.0]).show(ui, |ui| {
        let mut line = |name: &str, text: &str| {
            ui.label(RichText::new(name).weak());
            ui.label(RichText::new(text).monospace());
            ui.end_row();
        };
        line("Location", panic.location.as_deref().unwrap_or("unknown"));
        line("Thread", &panic.thread);
        line(
            "Task",
            &format!("{} (number {})", panic.task, panic.task_id),
        );
        if let PanicKey::Item(id) = key
            && let Some(item) = job.item(id)
        {
            line("Item", &item.input.display().to_string());
        }
    });
}

fn backtrace_ui(
    job: &JobRecord,
    key: PanicKey,
    backtrace: &Backtrace,
    resolving: bool,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    match backtrace {
        Backtrace::Resolved(text) => {
            egui::CollapsingHeader::new("Backtrace")
                .default_open(true)
                .show(ui, |ui| frames_ui(text, ui));
        }
        Backtrace::Unresolved if resolving => {
            ui.label(RichText::new("resolving the backtrace…").weak());
        }
        Backtrace::Unresolved => {
            if commands::info(command::RESOLVE_BACKTRACE)
                .button(None, ui)
                .clicked()
            {
                commands.push(WorkbenchCommand::ResolveBacktrace(job.id(), key));
            }
        }
    }
}

/// The number of lines at the top that belong to the panic machinery. They are not shown; the
/// report has them.
fn panic_frame_count(lines: &[&str]) -> usize {
    let is_last =
        |line: &&str| line.contains("core::panicking::") || line.contains("std::panicking::");
    let Some(last) = lines.iter().rposition(is_last) else {
        return 0;
    };
    let is_frame = |line: &&str| !line.trim_start().starts_with("at ");
    let below = lines[last + 1..].iter().position(is_frame);
    below.map_or(0, |frame| last + 1 + frame)
}

fn frames_ui(text: &str, ui: &mut Ui) {
    let lines: Vec<&str> = text.lines().collect();
    let lines = &lines[panic_frame_count(&lines)..];
    let height = ui.text_style_height(&egui::TextStyle::Monospace);
    egui::ScrollArea::both()
        .max_height(ui.available_height().max(240.0))
        .show_rows(ui, height, lines.len(), |ui, rows| {
            for line in &lines[rows] {
                let text = RichText::new(*line).monospace();
                ui.add(egui::Label::new(text).extend());
            }
        });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panic_machinery_frames_are_hidden() {
        let lines = [
            "0: meanwhile::join::panic::note",
            "   at ./src/join/panic.rs:273:20",
            "1: std::panicking::panic_with_hook",
            "   at /rustc/library/std/src/panicking.rs:833:13",
            "2: core::panicking::panic_fmt",
            "   at /rustc/library/core/src/panicking.rs:80:14",
            "3: mine::work",
            "   at ./src/mine.rs:1:1",
        ];
        assert_eq!(panic_frame_count(&lines), 6);
        assert_eq!(panic_frame_count(&lines[6..]), 0);
    }
}
