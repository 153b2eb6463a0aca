use eframe::egui;
use eframe::egui::{Key, KeyboardShortcut, Modifiers, Panel, Ui, ViewportCommand};

use super::App;
use crate::pages::settings;
use crate::ui::{close_question, notices, status_bar};

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        let _frame = self.shell.watch.frame();
        let _taking_in = self.shell.watch.guard("taking in what happened");
        let now = self.shell.now();
        let due = self.frame_due_at.take();
        self.frame_began_at = due.map_or(now, |due| due.min(now));
        self.take_in(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        let _frame = self.shell.watch.frame();
        let ctx = ui.ctx().clone();
        let drawing = self.shell.watch.guard("drawing");
        if self.leaving.is_none() {
            self.shortcuts(ui);
        }
        // egui zooms by keyboard on its own; the settings follow it.
        self.shell.state.settings.zoom = ctx.zoom_factor();
        self.window_ui(ui);
        drop(drawing);
        self.end_frame(&ctx, frame);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.close();
    }

    // Panes are part of our own state, which is saved in one step.
    fn persist_egui_memory(&self) -> bool {
        false
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

impl App {
    fn window_ui(&mut self, ui: &mut Ui) {
        let frames = self.shell.frames.summary(self.shell.now());
        Panel::top("pages").show(ui, |ui| self.tabs_ui(ui));
        Panel::bottom("status").show(ui, |ui| {
            let running = self.running();
            status_bar::status_ui(running.tasks, running.processes, frames, ui);
        });
        if !self.shell.notices.is_empty() {
            let dismissed = Panel::top("notices")
                .show_separator_line(false)
                .show(ui, |ui| notices::notices_ui(&self.shell.notices, ui));
            if let Some(dismissed) = dismissed.inner {
                self.shell.notices.remove(dismissed);
                ui.ctx().request_repaint();
            }
        }
        let shown = self.shown();
        self.pages[shown].ui(&mut self.shell, ui);
        if let Some(leaving) = self.leaving {
            let jobs = self.running().jobs;
            if let Some(answer) = close_question::close_question_ui(leaving, jobs, ui) {
                self.answer_close_question(answer, ui.ctx());
            }
        }
    }

    fn tabs_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            for page in &self.pages {
                ui.selectable_value(&mut self.shell.state.page, page.id(), page.title());
            }
        });
    }

    fn shortcuts(&mut self, ui: &Ui) {
        let shown = self.shown();
        self.pages[shown].shortcuts(&mut self.shell, ui);
        let pressed = |modifiers, key| {
            ui.input_mut(|input| input.consume_shortcut(&KeyboardShortcut::new(modifiers, key)))
        };
        if pressed(Modifiers::COMMAND, Key::Comma) {
            self.shell.state.page = settings::ID;
        }
        if pressed(Modifiers::NONE, Key::F11) {
            let is_full = ui.input(|input| input.viewport().fullscreen.unwrap_or(false));
            ui.send_viewport_cmd(ViewportCommand::Fullscreen(!is_full));
        }
    }
}
