//! The timeline of a run, and of the previous one for comparison.

use std::time::Duration;

use eframe::egui::{RichText, ScrollArea, Ui};

use super::page::LessonProps;
use crate::lessons::RunLog;
use crate::ui::time_axis::next_step;
use crate::ui::timeline_view::{TimelineView, timeline_legend_ui};

/// A higher timeline is scrolled.
const MAX_HEIGHT: f32 = 286.0;

/// The timeline of the last run, and above it that of the previous run if the user compares them.
pub(super) fn timeline_ui(props: &LessonProps<'_>, compare: bool, ui: &mut Ui) {
    let Some(run) = props.run else {
        ui.label(
            RichText::new("Run the lesson to see when each thread runs, sleeps and waits.").weak(),
        );
        return;
    };
    let previous = props.previous.filter(|_| compare);
    let mut until = run.log.timeline().last_event_at();
    if run.outcome.is_none() {
        // An axis that grows in every frame would be unreadable.
        let secs = until.max(run.elapsed).as_secs_f64().max(0.1);
        until = Duration::try_from_secs_f64(next_step(secs)).unwrap_or(until);
    }
    let until = previous.map_or(until, |log| until.max(log.timeline().last_event_at()));
    ScrollArea::vertical()
        .id_salt("timeline")
        .max_height(MAX_HEIGHT)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            if let Some(log) = previous {
                ui.label(RichText::new(run_text("Previous", log)).weak().small());
                ui.push_id("previous", |ui| {
                    TimelineView::new(log.timeline())
                        .between(Duration::ZERO, until)
                        .show(ui);
                });
                ui.label(RichText::new(run_text("Now", run.log)).weak().small());
            }
            let mut timeline = TimelineView::new(run.log.timeline()).between(Duration::ZERO, until);
            if run.outcome.is_none() {
                timeline = timeline.until_now(run.elapsed);
            }
            timeline.show(ui);
        });
    timeline_legend_ui(ui);
}

/// The settings of a run, to tell it from another one.
fn run_text(name: &str, log: &RunLog) -> String {
    let parameters = log.parameters().iter();
    let parameters = parameters.map(|(id, value)| format!(", {id} {value}"));
    let speed = log.speed();
    let kind = log.worker_kind().title().to_lowercase();
    format!(
        "{name}: {kind}, speed {speed}{}",
        parameters.collect::<String>()
    )
}
