//! One line about the program itself: what is running, and how fast the window draws.

use eframe::egui::{self, RichText, TextStyle, Ui};

use crate::format;
use crate::record::FrameSummary;
use crate::ui::widgets::text_width;

/// The room for the figures about frames, which are left out in a narrow window.
const FRAME_FIGURES_WIDTH: f32 = 350.0;

/// Tasks and processes running, frame times, repaints.
pub fn status_ui(tasks: usize, processes: usize, frames: FrameSummary, ui: &mut Ui) {
    ui.horizontal(|ui| {
        let tasks = format::plural(tasks, "task running", "tasks running");
        figure_ui(ui, &tasks, "99 tasks running");
        ui.separator();
        let processes = format::plural(processes, "process running", "processes running");
        figure_ui(ui, &processes, "99 processes running");
        if ui.available_width() < FRAME_FIGURES_WIDTH {
            return;
        }
        ui.separator();
        let time = |time: Option<_>| time.map_or_else(|| "–".to_owned(), format::duration);
        let (now, worst) = (time(frames.last), time(frames.worst));
        let times = format!("frame {now}, worst in 5 s {worst}");
        figure_ui(ui, &times, "frame 99.9 ms, worst in 5 s 99.9 ms").on_hover_text(
            "The time from when a frame was due until it was drawn. The graphics card's time is not \
             included.",
        );
        ui.separator();
        let repaints = format::plural(frames.repaints, "repaint", "repaints");
        figure_ui(ui, &format!("{repaints} per second"), "999 repaints per second")
            .on_hover_text("0 while the window is idle.");
    });
}

/// A figure in the room that `widest` needs: those beside it keep their places while it changes.
fn figure_ui(ui: &mut Ui, text: &str, widest: &str) -> egui::Response {
    let font = TextStyle::Small.resolve(ui.style());
    let width = text_width(widest, &font, ui);
    let figure = ui.scope(|ui| {
        ui.set_min_width(width);
        ui.label(RichText::new(text).small().weak())
    });
    figure.inner
}
