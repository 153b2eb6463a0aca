//! One line on the program itself: what runs and whether the window keeps up.

use eframe::egui::{self, RichText, Ui};

use crate::format;
use crate::record::FrameSummary;

/// Tasks and processes running, frame times, repaints.
pub(crate) fn status_ui(tasks: usize, processes: usize, frames: FrameSummary, ui: &mut Ui) {
    ui.horizontal(|ui| {
        figure_ui(ui, &format::plural(tasks, "task running", "tasks running"));
        ui.separator();
        let processes = format::plural(processes, "process running", "processes running");
        figure_ui(ui, &processes);
        ui.separator();
        let time = |time: Option<_>| time.map_or_else(|| "–".to_owned(), format::duration);
        let (now, worst) = (time(frames.last), time(frames.worst));
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
