//! A log of 100 000 lines, of which forty are visible. The bad variant lays out all of them.

use eframe::egui::{Context, ScrollArea, TextStyle, Ui};
use meanwhile::join::Task;
use meanwhile::lab::{Digest, Pattern, Work, spawn, task_ui};

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
                ui.label(line); // ← 100 000 labels in every frame
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
                ui.label(line); // ← the visible rows only
            }
        });
    }
}
