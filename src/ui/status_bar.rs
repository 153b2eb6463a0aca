//! One line on the program itself: what runs and whether the window keeps up.

use eframe::egui::{self, RichText, Ui};

use super::words;
use crate::record::FrameSummary;

/// Tasks running, frame times, repaints.
pub fn status_ui(running: usize, frames: FrameSummary, ui: &mut Ui) {
    ui.horizontal(|ui| {
        figure_ui(ui, &words::plural(running, "task running", "tasks running"));
        ui.separator();
        let now = frames.last.map_or_else(|| "–".to_owned(), words::duration);
        let worst = words::duration(frames.worst);
        figure_ui(ui, &format!("frame {now}, worst in 5 s {worst}")).on_hover_text(
            "From the moment a frame was due until it was drawn. What the graphics card does \
             afterwards is not in it.",
        );
        ui.separator();
        figure_ui(ui, &format!("{} repaints per second", frames.repaints))
            .on_hover_text("0 while nothing runs and nothing is touched.");
    });
}

fn figure_ui(ui: &mut Ui, text: &str) -> egui::Response {
    ui.label(RichText::new(text).small().weak())
}
