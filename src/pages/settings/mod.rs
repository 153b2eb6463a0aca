//! The page `Settings`: appearance, defaults, about the program, shortcuts.

mod choices;
pub mod command;
mod diagnostics;

use std::path::Path;

use eframe::egui::{self, CentralPanel, Grid, RichText, ScrollArea, Ui};

use self::diagnostics::OfWindow;
use super::background_tasks::TaskOutput;
use super::commands::{self, UiCommand, run_each};
use super::workbench::{Choices, workers_ui};
use super::{Page, PageContext, PageId, PageInfo, PageSetup, command_table};
use crate::ui::notices::Notice;
use crate::ui::widgets::{card_ui, field_ui, seconds_ui, section_ui};

pub use choices::{Settings, ThemeChoice};

pub(crate) const ID: PageId = PageId::new("settings");
pub(super) const INFO: &PageInfo = &PageInfo {
    id: ID,
    title: "Settings",
    commands: command::COMMANDS,
    guide: "settings.md",
};

/// The version of the program.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) struct SettingsPage {
    /// The name of what draws the window, if that is OpenGL.
    renderer: Option<String>,
    commands: Vec<UiCommand>,
}

impl SettingsPage {
    pub(super) fn new(setup: &PageSetup) -> Self {
        Self {
            renderer: setup.renderer.clone(),
            commands: Vec::new(),
        }
    }
}

impl Page for SettingsPage {
    fn info(&self) -> &'static PageInfo {
        INFO
    }

    fn ui(&mut self, context: &mut PageContext, ui: &mut Ui) {
        CentralPanel::default().show(ui, |ui| {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                let state = &mut context.state;
                let before = state.pages.settings.zoom;
                let (settings, choices) = (&mut state.pages.settings, &mut state.pages.choices);
                let file = &context.settings_file;
                settings_ui(settings, choices, file, ui, &mut self.commands);
                if (state.pages.settings.zoom - before).abs() > f32::EPSILON {
                    context.ctx.set_zoom_factor(state.pages.settings.zoom);
                }
            });
        });
    }

    fn run_command(&mut self, _command: UiCommand, context: &mut PageContext) {
        let ctx = &context.ctx;
        let window = OfWindow {
            size: ctx.content_rect().size().into(),
            pixels_per_point: ctx.pixels_per_point(),
            renderer: self.renderer.clone(),
            frames: context.frame_costs.clone(),
        };
        context.run_in_background("diagnostics", move || TaskOutput {
            notice: Some(Notice::info("The diagnostics are on the clipboard.")),
            copy: Some(diagnostics::text(&window)),
        });
    }

    fn run_commands(&mut self, context: &mut PageContext) -> bool {
        let commands = std::mem::take(&mut self.commands);
        run_each(commands, |command| self.run_command(command, context))
    }
}

/// Changes apply at once and are saved by themselves.
fn settings_ui(
    settings: &mut Settings,
    choices: &mut Choices,
    file: &Path,
    ui: &mut Ui,
    commands: &mut Vec<UiCommand>,
) {
    ui.set_max_width(640.0);
    ui.heading("Settings");
    card_ui(ui, |ui| {
        section_ui(ui, "Appearance");
        Grid::new("appearance").num_columns(2).show(ui, |ui| {
            theme_ui(settings, ui);
            zoom_ui(settings, ui);
        });
    });
    card_ui(ui, |ui| {
        section_ui(ui, "Work");
        Grid::new("work").num_columns(2).show(ui, |ui| {
            workers_ui(choices, ui);
            field_ui(ui, "Timeout (s)", |ui| {
                seconds_ui(ui, &mut choices.timeout_secs, |input| {
                    input.range(0.0..=Choices::MAX_TIMEOUT_SECS)
                })
            });
        });
        ui.checkbox(
            &mut settings.ask_attention,
            "Flash in the taskbar when long work ends behind another window",
        );
        ui.checkbox(
            &mut settings.stay_awake,
            "Keep the machine from going to sleep while work runs for longer than a minute",
        );
        let note = "Background workers yield to the window and to other programs.";
        ui.label(RichText::new(note).weak());
    });
    card_ui(ui, |ui| {
        section_ui(ui, "About");
        about_ui(ui, commands);
    });
    card_ui(ui, |ui| {
        section_ui(ui, "Keyboard");
        keys_ui(ui);
    });
    let path = format!("Saved in {}", file.display());
    ui.label(RichText::new(path).weak());
}

fn about_ui(ui: &mut Ui, commands: &mut Vec<UiCommand>) {
    ui.horizontal_wrapped(|ui| {
        ui.label(format!("Meanwhile {VERSION}"));
        let copy = commands::info(command::COPY_DIAGNOSTICS);
        if copy.button(None, ui).clicked() {
            commands.push(copy.command);
        }
    });
}

fn theme_ui(settings: &mut Settings, ui: &mut Ui) {
    ui.label("Theme");
    ui.horizontal(|ui| {
        for theme in ThemeChoice::ALL {
            ui.selectable_value(&mut settings.theme, theme, theme.title());
        }
    });
    ui.end_row();
}

fn zoom_ui(settings: &mut Settings, ui: &mut Ui) {
    field_ui(ui, "Zoom", |ui| {
        let mut percent = f64::from(settings.zoom) * 100.0;
        let range =
            f64::from(*Settings::ZOOM.start()) * 100.0..=f64::from(*Settings::ZOOM.end()) * 100.0;
        let drag = egui::DragValue::new(&mut percent)
            .range(range)
            .speed(1.0)
            .max_decimals(0)
            .suffix(" %")
            .update_while_editing(false);
        let response = ui.add(drag);
        #[expect(clippy::cast_possible_truncation, reason = "a zoom, in percent")]
        if response.changed() {
            settings.zoom = (percent / 100.0) as f32;
        }
        response
    });
}

/// All shortcuts, as this system spells them.
fn keys_ui(ui: &mut Ui) {
    Grid::new("keys").num_columns(2).show(ui, |ui| {
        for row in command_table() {
            let Some(keys) = &row.shortcut else {
                continue;
            };
            ui.label(RichText::new(ui.ctx().format_shortcut(keys)).monospace());
            ui.label(row.title());
            ui.end_row();
        }
    });
}
