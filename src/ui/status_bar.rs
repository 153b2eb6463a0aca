//! One line about the program itself: what is running, and how fast the window draws.

use eframe::egui::{self, RichText, Ui};

use crate::format;
use crate::record::FrameSummary;

/// The room for the figures about frames, which are left out in a narrow window.
const FRAME_FIGURES_WIDTH: f32 = 350.0;

/// Tasks and processes running, frame times, repaints.
pub fn status_ui(tasks: usize, processes: usize, frames: FrameSummary, ui: &mut Ui) {
    ui.horizontal(|ui| {
        figure_ui(ui, &format::plural(tasks, "task running", "tasks running"));
        ui.separator();
        let processes = format::plural(processes, "process running", "processes running");
        figure_ui(ui, &processes);
        if ui.available_width() < FRAME_FIGURES_WIDTH {
            return;
        }
        ui.separator();
        let time = |time: Option<_>| time.map_or_else(|| "–".to_owned(), format::duration);
        let (now, worst) = (time(frames.last), time(frames.worst));
        figure_ui(ui, &format!("frame {now}, worst in 5 s {worst}")).on_hover_text(
            "The time from when a frame was due until it was drawn. The graphics card's time is not \
             included.",
        );
        ui.separator();
        let repaints = format::plural(frames.repaints, "repaint", "repaints");
        figure_ui(ui, &format!("{repaints} per second"))
            .on_hover_text("0 while the window is idle.");
    });
}

fn figure_ui(ui: &mut Ui, text: &str) -> egui::Response {
    ui.label(RichText::new(text).small().weak())
}
