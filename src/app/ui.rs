use std::borrow::Cow;
use std::time::Duration;

use eframe::egui::accesskit::Live;
use eframe::egui::{
    self, Id, Panel, PopupCloseBehavior, Rect, Role, Sense, Ui, Vec2, ViewportCommand, WidgetInfo,
};

use super::guide::{Guide, Turn};
use super::{App, close_question};
use crate::pages::commands::{self, CommandInfo, Front, ShortcutScope, UiCommand};
use crate::pages::settings;
use crate::ui::layout::{PanelBelow, sides_ui};
use crate::ui::notices::NoticeAction;
use crate::ui::status_bar;
use crate::ui::widgets::{button_width, focus_after_dialog, menu_ui, tab_row_ui, tab_ui};

const MESSAGES: &str = "Messages";

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        let _frame = self.context.watch.frame();
        let _taking_in = self.context.watch.guard("taking in events");
        // A frame may have several passes.
        if ctx.current_pass_index() == 0
            && let Some(cost) = self.frame_clock.begin()
        {
            self.context.frame_costs.push(cost);
        }
        let now = self.context.now();
        let due = self.frame_due_at.take();
        self.frame_began_at = due.map_or(now, |due| due.min(now));
        self.take_in(ctx);
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        let _frame = self.context.watch.frame();
        let ctx = ui.ctx().clone();
        let drawing = self.context.watch.guard("drawing");
        let page = &*self.pages[self.shown()];
        let pressed = commands::pressed(page, self.front(), ui);
        // egui handles the zoom keys; the settings follow.
        self.context.state.pages.settings.zoom = ctx.zoom_factor();
        self.window_ui(ui);
        focus_after_dialog(&ctx);
        drop(drawing);
        for command in pressed {
            self.run_command(command, &ctx);
        }
        self.end_frame(&ctx, frame);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.close();
    }

    // The settings file has the panes too.
    fn persist_egui_memory(&self) -> bool {
        false
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

impl App {
    fn window_ui(&mut self, ui: &mut Ui) {
        // egui gives the frame no name.
        let name = |frame: &mut egui::accesskit::Node| frame.set_label(self.title.clone());
        ui.ctx()
            .accesskit_node_builder(egui::accesskit_root_id(), name);
        let frames = self.context.frames.summary(self.context.now());
        Panel::top("pages").show(ui, |ui| self.tabs_ui(ui));
        let now = self.context.now();
        self.announcement_ui(ui);
        // Before the page: what it shows of them may not be older than these figures.
        let running = self.running();
        let below = PanelBelow::new(ui);
        let shown = self.shown();
        below.above_ui(ui, |ui| self.pages[shown].ui(&mut self.context, ui));
        let status = below.show(ui, |ui| {
            Panel::bottom("status").show(ui, |ui| {
                let ((), asked) = sides_ui(
                    self.messages_width(ui),
                    ui,
                    |ui| status_bar::status_ui(running.tasks, running.processes, frames, ui),
                    |ui| self.messages_ui(now, ui),
                );
                asked
            })
        });
        let height = status.response.rect.height();
        let asked = self.context.notices.floating_ui(now, height, ui.ctx());
        if let Some(action) = status.inner.or(asked) {
            self.run_action(action);
        }
        self.front_ui(ui);
    }

    fn front(&self) -> Front {
        if self.close_phase.is_some() {
            Front::CloseQuestion
        } else if self.guide.is_some() {
            Front::Guide
        } else {
            Front::Page
        }
    }

    /// Draws what is in front of the page.
    fn front_ui(&mut self, ui: &Ui) {
        if let Some(close_phase) = self.close_phase {
            let jobs = self.running().jobs;
            if let Some(answer) = close_question::close_question_ui(close_phase, jobs, ui) {
                self.answer_close_question(answer, ui.ctx());
            }
        } else if let Some(guide) = &mut self.guide
            && let Some(turn) = guide.ui(ui)
        {
            match turn {
                Turn::To(file) => *guide = Guide::open(file),
                Turn::Close => self.guide = None,
            }
            ui.ctx().request_repaint();
        }
    }

    /// Says the end of work, on whatever page: a live region without a place on screen.
    fn announcement_ui(&self, ui: &Ui) {
        let place = Rect::from_min_size(ui.max_rect().min, Vec2::ZERO);
        let region = ui.interact(place, Id::unique("announcement"), Sense::hover());
        let text = &self.context.announcement;
        region.widget_info(|| WidgetInfo::labeled(Role::Status, true, text));
        ui.ctx()
            .accesskit_node_builder(region.id, |node| node.set_live(Live::Polite));
    }

    fn messages_width(&self, ui: &Ui) -> f32 {
        if self.context.notices.are_listed() {
            button_width(MESSAGES, ui)
        } else {
            0.0
        }
    }

    /// The button that opens the list of messages, once there is one.
    fn messages_ui(&self, now: Duration, ui: &mut Ui) -> Option<NoticeAction> {
        if !self.context.notices.are_listed() {
            return None;
        }
        let button = ui.small_button(MESSAGES);
        menu_ui(&button, PopupCloseBehavior::CloseOnClickOutside, |ui| {
            self.context.notices.list_ui(now, ui)
        })?
    }

    /// Does what a message offers.
    fn run_action(&mut self, action: NoticeAction) {
        match action {
            NoticeAction::Show(path) => self.context.open_files(vec![path]),
            NoticeAction::OpenFolder(path) => self.context.show_in_folders(vec![path]),
            NoticeAction::Undo(number) => {
                for page in &mut self.pages {
                    page.undo(number, &mut self.context);
                }
            }
        }
        self.context.ctx.request_repaint();
    }

    /// The tabs of the pages, and at the right the way to the guide.
    fn tabs_ui(&mut self, ui: &mut Ui) {
        let help = commands::info(commands::HELP);
        let ((), asks) = sides_ui(
            button_width(help.text, ui),
            ui,
            |ui| self.page_tabs_ui(ui),
            |ui| help.button(None, ui).clicked(),
        );
        if asks {
            self.run_command(commands::HELP, &ui.ctx().clone());
        }
    }

    fn page_tabs_ui(&mut self, ui: &mut Ui) {
        tab_row_ui(ui, |ui| {
            for page in &self.pages {
                let shown = &mut self.context.state.page;
                let info = page.info();
                let tab = tab_ui(shown, info.id.clone(), info.title, ui);
                if info.id == settings::ID {
                    let open = commands::info(commands::SETTINGS);
                    open.with_tooltip(tab, None);
                }
            }
        });
    }

    /// The commands of the shown page.
    pub fn commands(&self) -> &'static [CommandInfo] {
        self.pages[self.shown()].info().commands
    }

    /// The reason why a command of the window or of the shown page can't run now; `None` if it can.
    pub fn why_not(&self, command: UiCommand) -> Option<Cow<'static, str>> {
        if commands::info(command).scope == ShortcutScope::CloseQuestion {
            let phase = self.close_phase;
            let can_answer = |phase| close_question::answers(phase).contains(&command);
            return (!phase.is_some_and(can_answer)).then_some("Nothing asks for it.".into());
        }
        let mut rows = self.commands().iter();
        rows.find(|row| row.command == command)?;
        self.pages[self.shown()].why_not(command, &self.context)
    }

    /// Runs a command whose keys were pressed.
    fn run_command(&mut self, command: UiCommand, ctx: &egui::Context) {
        if self.why_not(command).is_some() {
            return;
        }
        match command {
            commands::HELP => {
                let page = self.pages[self.shown()].info();
                self.guide = Some(Guide::open(page.guide));
            }
            commands::CLOSE_GUIDE => self.guide = None,
            commands::SETTINGS => self.context.state.page = settings::ID,
            commands::FULL_SCREEN => {
                let is_full = ctx.input(|input| input.viewport().fullscreen.unwrap_or(false));
                ctx.send_viewport_cmd(ViewportCommand::Fullscreen(!is_full));
            }
            _ if commands::info(command).scope == ShortcutScope::CloseQuestion => {
                self.answer_close_question(command, ctx);
            }
            _ => {
                let shown = self.shown();
                self.pages[shown].run_command(command, &mut self.context);
            }
        }
        ctx.request_repaint();
    }
}
