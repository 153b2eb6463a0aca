//! The timeline of a run, and of the previous one for comparison.

use std::time::Duration;

use eframe::egui::{Rect, RichText, ScrollArea, Sense, Ui, UiBuilder, Vec2};

use super::page::{LessonProps, ShownRun};
use crate::lessons::{LessonId, RunLog};
use crate::ui::time_axis::next_step;
use crate::ui::timeline_view::{TimelineView, timeline_height, timeline_legend_ui};
use crate::ui::tokens::tokens;

/// A higher timeline is scrolled.
const MAX_HEIGHT: f32 = 286.0;

/// The line above a timeline that is compared with another one.
const TITLE_HEIGHT: f32 = 20.0;

/// The timeline of the last run, and above it that of the previous run if the user compares them. It has
/// its place before the run, too, so that a run moves nothing.
pub(super) fn timeline_ui(props: &LessonProps<'_>, lesson: LessonId, compare: bool, ui: &mut Ui) {
    let height = timeline_height(lesson.lesson().lanes);
    let compares = compare && props.previous.is_some();
    let height = if compares {
        2.0 * (height + TITLE_HEIGHT)
    } else {
        height
    };
    let place = Vec2::new(ui.available_width(), height.min(MAX_HEIGHT));
    let (place, _) = ui.allocate_exact_size(place, Sense::hover());
    let mut timelines = ui.new_child(UiBuilder::new().max_rect(place));
    match props.run {
        Some(run) => timelines_ui(run, props.previous.filter(|_| compares), &mut timelines),
        None => empty_timeline_ui(place, &mut timelines),
    }
    timeline_legend_ui(ui);
}

/// What is there before the first run.
fn empty_timeline_ui(place: Rect, ui: &mut Ui) {
    ui.painter().rect_filled(place, 2, tokens(ui).field);
    ui.centered_and_justified(|ui| {
        let hint = "Run the lesson to see when each thread runs, sleeps and waits.";
        ui.label(RichText::new(hint).weak());
    });
}

fn timelines_ui(run: ShownRun<'_>, previous: Option<&RunLog>, ui: &mut Ui) {
    let mut until = run.log.timeline().last_event_at();
    if run.outcome.is_none() {
        // An axis that grows in every frame would be unreadable.
        let secs = until.max(run.elapsed).as_secs_f64().max(0.1);
        until = Duration::try_from_secs_f64(next_step(secs)).unwrap_or(until);
    }
    let until = previous.map_or(until, |log| until.max(log.timeline().last_event_at()));
    ScrollArea::vertical()
        .id_salt("timeline")
        .auto_shrink(false)
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
}

/// The settings of a run, to tell it from another one.
fn run_text(name: &str, log: &RunLog) -> String {
    format!("{name}: {}", log.settings_text())
}
