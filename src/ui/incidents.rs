//! The frames of this window that took too long.

use std::time::{Duration, SystemTime};

use eframe::egui::{Grid, ScrollArea, Ui};

use super::Command;
use crate::record::{IncidentRecord, Incidents};

/// Shows them, newest first.
pub(crate) fn incidents_ui(
    incidents: &Incidents,
    now: SystemTime,
    ui: &mut Ui,
    commands: &mut Vec<Command>,
) {
    ui.horizontal(|ui| {
        ui.strong("Incidents of this window");
        if incidents.iter().len() > 0 && ui.button("Clear incidents").clicked() {
            commands.push(Command::ClearIncidents);
        }
    });
    if incidents.iter().len() == 0 {
        ui.weak("None: no frame took longer than 100 ms.");
        return;
    }
    ScrollArea::vertical().id_salt("incidents").show(ui, |ui| {
        Grid::new("incidents")
            .num_columns(3)
            .striped(true)
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
    ui.label(format!("{} ms", incident.lasted.as_millis()));
    ui.label(incident.label.as_deref().unwrap_or("–"));
    ui.end_row();
}

/// How long ago, in the largest whole unit: it changes rarely, so nothing has to be redrawn for it.
fn ago_text(ago: Duration) -> String {
    let mins = ago.as_secs() / 60;
    match mins {
        0 => "just now".to_owned(),
        1..60 => format!("{mins} min ago"),
        60..1440 => format!("{} h ago", mins / 60),
        _ => format!("{} d ago", mins / 1440),
    }
}
