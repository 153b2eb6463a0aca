//! The watchdog's list of frames of this window that took too long.

use std::time::SystemTime;

use eframe::egui::{CollapsingHeader, Grid, RichText, ScrollArea, Ui};

use super::ID;
use crate::format;
use crate::pages::commands::{CommandInfo, ShortcutScope, UiCommand};
use crate::record::{IncidentRecord, Incidents};

/// The command of the list, on every system.
pub const CLEAR: UiCommand = UiCommand::new("freeze_lab::incidents::CLEAR");
pub(super) const ROW: CommandInfo = CommandInfo {
    command: CLEAR,
    text: "Clear incidents",
    tooltip: "Forget all incidents of this window.",
    shortcut: None,
    scope: ShortcutScope::Page(ID),
};

/// A higher list scrolls.
const MAX_HEIGHT: f32 = 96.0;

/// Draws the number of incidents, and when unfolded the incidents, newest first.
pub(super) fn incidents_ui(incidents: &mut Incidents, now: SystemTime, ui: &mut Ui) {
    let count = incidents.iter().len();
    if count == 0 {
        ui.label(
            RichText::new("Watchdog: no frame of this window has taken longer than 100 ms.").weak(),
        );
        return;
    }
    let incidents_of = format::plural(count, "incident", "incidents");
    let title = format!("Watchdog: {incidents_of} in this window");
    CollapsingHeader::new(title)
        .id_salt("incidents")
        .show(ui, |ui| {
            list_ui(incidents, now, ui);
            if ROW.button(None, ui).clicked() {
                incidents.clear();
            }
        });
}

fn list_ui(incidents: &Incidents, now: SystemTime, ui: &mut Ui) {
    ScrollArea::vertical()
        .max_height(MAX_HEIGHT)
        .show(ui, |ui| {
            Grid::new("incidents")
                .num_columns(4)
                .spacing([16.0, 2.0])
                .show(ui, |ui| {
                    for incident in incidents.iter() {
                        incident_ui(incident, now, ui);
                    }
                });
        });
}

fn incident_ui(incident: &IncidentRecord, now: SystemTime, ui: &mut Ui) {
    let ago = now.duration_since(incident.began).unwrap_or_default();
    ui.label(format::age(ago));
    ui.monospace(format::duration(incident.lasted));
    ui.label(incident.label.as_deref().unwrap_or("unknown"));
    ui.label(incident.because.as_deref().unwrap_or_default());
    ui.end_row();
}
