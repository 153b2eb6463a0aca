//! The frames of this window that took too long.

use std::time::{Duration, SystemTime};

use eframe::egui::{CollapsingHeader, Grid, RichText, ScrollArea, Ui};

use crate::format;
use crate::record::{IncidentRecord, Incidents};

/// How high the list becomes before it scrolls, in points.
const HEIGHT: f32 = 96.0;

/// Shows how many there were, and on request which, newest first.
pub(super) fn incidents_ui(incidents: &mut Incidents, now: SystemTime, ui: &mut Ui) {
    let count = incidents.iter().len();
    if count == 0 {
        ui.label(
            RichText::new("Watchdog: nothing has kept this window for longer than 100 ms.").weak(),
        );
        return;
    }
    let incidents_of = format::plural(count, "incident", "incidents");
    let title = format!("Watchdog: {incidents_of} in this window");
    CollapsingHeader::new(title)
        .id_salt("incidents")
        .show(ui, |ui| {
            list_ui(incidents, now, ui);
            if ui.button("Clear incidents").clicked() {
                incidents.clear();
            }
        });
}

fn list_ui(incidents: &Incidents, now: SystemTime, ui: &mut Ui) {
    ScrollArea::vertical().max_height(HEIGHT).show(ui, |ui| {
        Grid::new("incidents")
            .num_columns(3)
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
    ui.label(ago_text(ago));
    ui.monospace(format!("{:>7} ms", incident.lasted.as_millis()));
    ui.label(incident.label.as_deref().unwrap_or("between labels"));
    ui.end_row();
}

/// How long ago, in the largest whole unit: nothing has to be redrawn for it.
fn ago_text(ago: Duration) -> String {
    let mins = ago.as_secs() / 60;
    match mins {
        0 => "just now".to_owned(),
        1..60 => format!("{mins} min ago"),
        60..1440 => format!("{} h ago", mins / 60),
        _ => format!("{} d ago", mins / 1440),
    }
}
