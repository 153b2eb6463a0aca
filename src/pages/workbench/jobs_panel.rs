//! Every job of this run of the program, newest first.

use eframe::egui::{self, Align, Layout, RichText, Ui};

use super::{Command, View};
use crate::format;
use crate::record::{JobRecord, Record};
use crate::ui::tokens::tokens;
use crate::ui::widgets::{Look, choosable_card_ui, look_ui, mark_ui, section_ui};

/// The list of jobs; a click or `Enter` selects one.
pub(crate) fn jobs_ui(record: &Record, view: &View, ui: &mut Ui, commands: &mut Vec<Command>) {
    section_ui(ui, "Jobs");
    if record.jobs().next().is_none() {
        ui.label(RichText::new("None yet").weak());
        return;
    }
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .show(ui, |ui| {
            for job in record.jobs().rev() {
                job_ui(job, view.selected == Some(job.id()), ui, commands);
            }
        });
}

fn job_ui(job: &JobRecord, selected: bool, ui: &mut Ui, commands: &mut Vec<Command>) {
    let title = title(job);
    let margin = egui::Margin::same(8);
    let card = choosable_card_ui(ui, &title, selected, margin, |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new(&title).strong());
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                state_right_ui(job, ui);
            });
        });
        ui.label(RichText::new(summary(job)).weak().small());
    });
    if card.clicked() {
        commands.push(Command::Select(job.id()));
    }
}

/// The mark stands left of its word although the row is laid out from the right.
fn state_right_ui(job: &JobRecord, ui: &mut Ui) {
    let look = Look::of_job(job.state(), tokens(ui));
    ui.spacing_mut().item_spacing.x = 5.0;
    ui.label(look.word);
    mark_ui(ui, look.mark, look.color);
}

/// `#3 Checksums`.
pub(crate) fn title(job: &JobRecord) -> String {
    format!("{} {}", job.id(), job.spec().options.job().title())
}

/// `12 of 40 items, 1 failed`, and nothing that is zero.
pub(crate) fn summary(job: &JobRecord) -> String {
    let counts = job.counts();
    let total = if job.is_planned() || job.state().is_ended() {
        format::plural(counts.total(), "item", "items")
    } else {
        format!("{} items so far", format::count(counts.total()))
    };
    let mut parts = vec![format!("{} of {total}", format::count(counts.ended()))];
    for (number, word) in [
        (counts.failed, "failed"),
        (counts.panicked, "panicked"),
        (counts.crashed, "crashed"),
        (counts.cancelled, "cancelled"),
    ] {
        if number > 0 {
            parts.push(format!("{} {word}", format::count(number)));
        }
    }
    parts.join(" · ")
}

/// The state of a job: shape, colour, word.
pub(crate) fn state_ui(job: &JobRecord, ui: &mut Ui) {
    ui.horizontal(|ui| look_ui(ui, Look::of_job(job.state(), tokens(ui))));
}
