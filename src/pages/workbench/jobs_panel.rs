//! Every job of this run of the program, newest first.

use eframe::egui::{self, RichText, Sides, Ui};

use super::{WorkbenchCommand, command};
use crate::format;
use crate::pages::commands::Unavailable;
use crate::record::{JobId, JobRecord, Record};
use crate::ui::layout::{LongList, scroll_ui};
use crate::ui::status_style::{StatusStyle, mark_ui, status_style_ui};
use crate::ui::tokens::tokens;
use crate::ui::widgets::{choosable_card_ui, section_ui};

/// The list of jobs; a click or `Enter` selects one.
pub(super) fn jobs_ui(
    record: &Record,
    selected: Option<JobId>,
    list: &mut LongList<JobId>,
    unavailable: &Unavailable,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    Sides::new().show(
        ui,
        |ui| section_ui(ui, "Jobs"),
        |ui| {
            if unavailable.button(command::ADD_PROCESS, ui).clicked() {
                commands.push(WorkbenchCommand::Ui(command::ADD_PROCESS));
            }
        },
    );
    if record.jobs().next().is_none() {
        ui.label(RichText::new("None yet").weak());
        return;
    }
    scroll_ui("jobs", ui, |ui| {
        let jobs = record.jobs().rev().map(|job| (job.id(), job));
        list.show(jobs, ui, |job, ui| {
            job_ui(job, selected == Some(job.id()), ui, commands);
        });
    });
}

fn job_ui(job: &JobRecord, is_selected: bool, ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
    let title = job.title();
    let margin = egui::Margin::same(8);
    let card = choosable_card_ui(ui, &title, is_selected, margin, |ui| {
        Sides::new().show(
            ui,
            |ui| ui.label(RichText::new(&title).strong()),
            |ui| {
                // Added from the right: the word, then its mark.
                let style = StatusStyle::of_job(job.state(), tokens(ui));
                ui.spacing_mut().item_spacing.x = 5.0;
                ui.label(style.word);
                mark_ui(ui, style.mark, style.color);
            },
        );
        ui.label(RichText::new(summary(job)).weak().small());
    });
    if card.clicked() {
        commands.push(WorkbenchCommand::Select(job.id()));
    }
}

/// `42 % · #3 Checksums` while it runs, then `#3 Checksums: 12 of 12 items · 1 failed`.
pub(super) fn news(job: &JobRecord) -> String {
    let title = job.title();
    if job.state().is_ended() {
        format!("{title}: {}", summary(job))
    } else if job.is_planned() {
        format!("{:.0} % · {title}", (100.0 * share_done(job)).floor())
    } else {
        title
    }
}

/// The share of the job that is done, from 0 to 1; less than 1 until it has ended.
pub(super) fn share_done(job: &JobRecord) -> f32 {
    let counts = job.counts();
    if job.state().is_ended() && counts.total() == counts.ended() {
        1.0
    } else if job.total_bytes() > 0 {
        format::open_share(job.done_bytes(), job.total_bytes())
    } else {
        format::open_share(counts.ended() as u64, counts.total() as u64)
    }
}

/// `12 of 40 items, 1 failed`, and nothing that is zero.
pub(super) fn summary(job: &JobRecord) -> String {
    let counts = job.counts();
    let total = if job.is_planned() || job.state().is_ended() {
        format::plural(counts.total(), "item", "items")
    } else {
        format!("{} items so far", format::count(counts.total()))
    };
    let mut texts = vec![format!("{} of {total}", format::count(counts.ended()))];
    for (number, word) in [
        (counts.failed, "failed"),
        (counts.panicked, "panicked"),
        (counts.crashed, "crashed"),
        (counts.cancelled, "cancelled"),
    ] {
        if number > 0 {
            texts.push(format!("{} {word}", format::count(number)));
        }
    }
    texts.join(" · ")
}

/// The state of a job: shape, colour, word.
pub(super) fn state_ui(job: &JobRecord, ui: &mut Ui) {
    ui.horizontal(|ui| status_style_ui(ui, StatusStyle::of_job(job.state(), tokens(ui))));
}
