//! The watchdog's list of frames of this window that took too long.

use std::time::{Duration, SystemTime};

use eframe::egui::{CollapsingHeader, Grid, RichText, ScrollArea, Ui};

use crate::format;
use crate::record::{IncidentRecord, Incidents};

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
            if ui.button("Clear incidents").clicked() {
                incidents.clear();
            }
        });
}

fn list_ui(incidents: &Incidents, now: SystemTime, ui: &mut Ui) {
    ScrollArea::vertical()
        .max_height(MAX_HEIGHT)
        .show(ui, |ui| {
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
    ui.monospace(format::duration(incident.lasted));
    ui.label(incident.label.as_deref().unwrap_or("between labels"));
    ui.end_row();
}

/// The age in the largest whole unit, which needs no redraw to stay right.
fn ago_text(ago: Duration) -> String {
    let mins = ago.as_secs() / 60;
    match mins {
        0 => "just now".to_owned(),
        1..60 => format!("{mins} min ago"),
        60..1440 => format!("{} h ago", mins / 60),
        _ => format!("{} d ago", mins / 1440),
    }
}
