//! A log of 100 000 lines, of which forty are in sight.

use eframe::egui::{Context, ScrollArea, TextStyle, Ui};

use super::{spawn, task_ui};
use crate::join::Task;
use crate::lab::{Digest, Pattern, Work};

fn lines() -> Vec<String> {
    (0..100_000).map(|line| format!("line {line}")).collect()
}

#[derive(Default)]
pub(super) struct Bad {
    task: Option<Task<Digest>>,
    lines: Vec<String>,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.lines = lines();
        self.task = spawn(ctx, move || work.run());
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
        ScrollArea::vertical().show(ui, |ui| {
            for line in &self.lines {
                ui.label(line); // ← laid out, all 100 000 of them, in every frame
            }
        });
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    task: Option<Task<Digest>>,
    lines: Vec<String>,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.lines = lines();
        self.task = spawn(ctx, move || work.run());
    }

    fn ui(&mut self, ui: &mut Ui) {
        task_ui(self.task.as_ref(), ui);
        let height = ui.text_style_height(&TextStyle::Body);
        ScrollArea::vertical().show_rows(ui, height, self.lines.len(), |ui, rows| {
            for line in &self.lines[rows] {
                ui.label(line); // ← those in sight
            }
        });
    }
}
