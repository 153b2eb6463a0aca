use std::time::SystemTime;

use eframe::egui::{self, CentralPanel, Key, KeyboardShortcut, Modifiers, Panel, Ui};

use super::App;
use crate::board::JobBoard;
use crate::record::{ItemId, JobId, JobRecord};
use crate::ui::job_panel::Target;
use crate::ui::tokens::{SIDE_WIDTH, tokens};
use crate::ui::{Command, Page, Pane, close_question, widgets};
use crate::ui::{files_panel, incidents, job_panel, jobs_panel, notices, options_panel};
use crate::ui::{output_pane, panic_pane, results_pane, settings_page, status_bar, waits_pane};

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        let _frame = self.watch.frame();
        let _taking_in = self.watch.guard("taking in what happened");
        let now = self.board.now();
        let due = self.frame_due_at.take();
        self.frame_began_at = due.map_or(now, |due| due.min(now));
        self.take_in(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        let _frame = self.watch.frame();
        let ctx = ui.ctx().clone();
        let mut commands = Vec::new();
        let drawing = self.watch.guard("drawing");
        self.shortcuts(ui, &mut commands);
        self.window_ui(ui, &mut commands);
        drop(drawing);
        for command in commands {
            let _running = self.watch.guard(command.label());
            self.run_command(command, &ctx, frame);
        }
        let _finishing = self.watch.guard("finishing the frame");
        self.end_frame(&ctx);
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
    fn window_ui(&mut self, ui: &mut Ui, commands: &mut Vec<Command>) {
        let frames = self.frames.summary(self.board.now());
        Panel::top("pages").show(ui, |ui| self.pages_ui(ui));
        Panel::bottom("status").show(ui, |ui| {
            let (tasks, processes) = self.running();
            status_bar::status_ui(tasks, processes, frames, ui);
        });
        if !self.notices.is_empty() {
            Panel::top("notices")
                .show_separator_line(false)
                .show(ui, |ui| {
                    notices::notices_ui(&self.notices, ui, commands);
                });
        }
        if self.view.page == Page::FreezeLab {
            Panel::bottom("incidents").show(ui, |ui| {
                let incidents = &self.state.incidents;
                incidents::incidents_ui(incidents, SystemTime::now(), ui, commands);
            });
        }
        match self.view.page {
            Page::Workbench => self.workbench_ui(ui, commands),
            #[cfg(unix)]
            Page::Lessons => self.lessons_ui(ui, commands),
            #[cfg(not(unix))]
            Page::Lessons => no_lessons_ui(ui),
            #[cfg(target_os = "linux")]
            Page::FreezeLab => self.lab_ui(ui, commands),
            #[cfg(not(target_os = "linux"))]
            Page::FreezeLab => no_lab_ui(ui),
            Page::Settings => self.settings_page_ui(ui),
        }
        if let Some(leaving) = self.leaving {
            close_question::close_question_ui(leaving, self.running_jobs(), ui, commands);
        }
    }

    /// How many tasks and processes run, on the board and in a lesson.
    fn running(&self) -> (usize, usize) {
        #[cfg(unix)]
        let (tasks, processes) = self.lessons.counts();
        #[cfg(not(unix))]
        let (tasks, processes) = (0, 0);
        let board = &self.board;
        (board.running() + tasks, board.processes() + processes)
    }

    fn pages_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            for page in Page::ALL {
                ui.selectable_value(&mut self.view.page, page, page.title());
            }
        });
    }

    fn settings_page_ui(&mut self, ui: &mut Ui) {
        let ctx = ui.ctx().clone();
        CentralPanel::default().show(ui, |ui| {
            egui::ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| {
                    let state = &mut self.state;
                    let before = state.settings.zoom;
                    settings_page::settings_ui(
                        &mut state.settings,
                        &mut state.choices,
                        self.store.path(),
                        ui,
                    );
                    if (state.settings.zoom - before).abs() > f32::EPSILON {
                        ctx.set_zoom_factor(state.settings.zoom);
                    }
                });
        });
    }

    fn workbench_ui(&mut self, ui: &mut Ui, commands: &mut Vec<Command>) {
        let why_not = self.why_not_start();
        Panel::left("next job and jobs")
            .default_size(SIDE_WIDTH)
            .min_size(300.0)
            .show(ui, |ui| {
                files_panel::files_ui(&mut self.view.draft, self.view.dialog_open, ui, commands);
                ui.separator();
                let inputs = &self.view.draft.inputs;
                let choices = &mut self.state.choices;
                options_panel::options_ui(choices, inputs, why_not.as_deref(), ui, commands);
                ui.separator();
                jobs_panel::jobs_ui(&self.record, &self.view, ui, commands);
            });
        CentralPanel::default().show(ui, |ui| self.selected_job_ui(ui, commands));
    }

    fn selected_job_ui(&mut self, ui: &mut Ui, commands: &mut Vec<Command>) {
        let Self {
            record,
            view,
            state,
            board,
            resolving,
            waits,
            ..
        } = self;
        let Some(job) = view.selected.and_then(|id| record.job(id)) else {
            let hint = "Add files, choose a job and press Start. The window stays free meanwhile.";
            widgets::empty_ui(ui, "No job yet", hint);
            return;
        };
        let now = board.now();
        let target = target(board, job.id(), view.results.selected);
        let parts = job_panel::Parts {
            job,
            now,
            target,
            blocked_for: view.blocked_for,
        };
        job_panel::job_ui(&parts, &mut state.choices, ui, commands);
        ui.add_space(2.0);
        panes_ui(&mut view.pane, job, ui);
        match view.pane {
            Pane::Results => {
                let focus = std::mem::take(&mut view.focus_filter);
                results_pane::results_ui(job, now, &mut view.results, focus, ui, commands);
            }
            Pane::Output => {
                let focus = std::mem::take(&mut view.focus_filter);
                output_pane::output_ui(job, &mut view.output, focus, ui, commands);
            }
            Pane::Panic => {
                let keys = resolving.iter().filter(|(id, _)| *id == job.id());
                let keys: Vec<_> = keys.map(|(_, key)| *key).collect();
                panic_pane::panic_ui(job, &keys, ui, commands);
            }
            Pane::Waits => waits_pane::waits_ui(waits, ui),
        }
    }

    fn shortcuts(&mut self, ui: &Ui, commands: &mut Vec<Command>) {
        let pressed = |modifiers, key| {
            ui.input_mut(|input| input.consume_shortcut(&KeyboardShortcut::new(modifiers, key)))
        };
        // The longer combination first: the shorter one would take its key.
        if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::O) {
            commands.push(Command::PickFolder);
        }
        if pressed(Modifiers::COMMAND, Key::O) {
            commands.push(Command::PickFiles);
        }
        if pressed(Modifiers::COMMAND, Key::Enter) && self.why_not_start().is_none() {
            commands.push(Command::Start);
        }
        if pressed(Modifiers::COMMAND, Key::F) {
            self.view.page = Page::Workbench;
            if self.view.pane != Pane::Output {
                self.view.pane = Pane::Results;
            }
            self.view.focus_filter = true;
        }
        if pressed(Modifiers::COMMAND, Key::Comma) {
            self.view.page = Page::Settings;
        }
        if pressed(Modifiers::NONE, Key::F11) {
            let is_full = ui.input(|input| input.viewport().fullscreen.unwrap_or(false));
            ui.send_viewport_cmd(egui::ViewportCommand::Fullscreen(!is_full));
        }
        // egui zooms by keyboard on its own; the settings follow it.
        self.state.settings.zoom = ui.ctx().zoom_factor();
    }
}

/// Whose processes the buttons of a job end.
#[cfg(unix)]
fn target(board: &JobBoard, job: JobId, selected: Option<ItemId>) -> Target {
    let running = board.running_processes(job);
    let Some(item) = selected else {
        return match running.len() {
            0 => Target::Nobody,
            count => Target::All(count),
        };
    };
    let process = running.into_iter().find(|(id, _)| *id == item);
    process.map_or(Target::Nobody, |(item, process)| {
        Target::One(item, process.pid())
    })
}

#[cfg(not(target_os = "linux"))]
fn no_lab_ui(ui: &mut Ui) {
    CentralPanel::default().show(ui, |ui| {
        let hint = "It measures its windows with what only Linux offers.";
        widgets::empty_ui(ui, "The Freeze Lab needs Linux", hint);
    });
}

#[cfg(not(unix))]
fn no_lessons_ui(ui: &mut Ui) {
    CentralPanel::default().show(ui, |ui| {
        let hint = "Their processes are started and ended with what only Unix offers.";
        widgets::empty_ui(ui, "The lessons need Linux or macOS", hint);
    });
}

#[cfg(not(unix))]
fn target(_board: &JobBoard, _job: JobId, _selected: Option<ItemId>) -> Target {
    Target::Nobody
}

/// The panes' names, and how many panics there are, so that nobody has to look for none.
fn panes_ui(pane: &mut Pane, job: &JobRecord, ui: &mut Ui) {
    ui.horizontal(|ui| {
        for candidate in Pane::ALL {
            ui.selectable_value(pane, candidate, candidate.title());
        }
        let panics = job.counts().panicked;
        if panics > 0 {
            let look = (widgets::Mark::Warning, tokens(ui).panicked);
            widgets::mark_ui(ui, look.0, look.1);
            ui.label(format!(
                "{} captured",
                crate::format::plural(panics, "panic", "panics")
            ));
        }
    });
}
