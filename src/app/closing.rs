//! Closes the window: at once, or after a question if work is still running.

use std::time::Duration;

use eframe::egui::{self, UserAttentionType, ViewportCommand};

use super::close_question::ClosePhase;
use super::{App, saving};
use crate::pages::commands::{self, UiCommand};

/// The timeout for cancelled jobs, beyond the time that the jobs say they take: the user chooses the
/// grace period of a command.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(3);

/// After the window has closed: the timeout for cancelled work, and then for killed processes.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The timeout of the last save.
const SAVE_TIMEOUT: Duration = Duration::from_secs(2);

impl App {
    /// Asks before closing over running jobs, and closes when the answer allows it.
    pub(super) fn handle_close_request(&mut self, ctx: &egui::Context) {
        let running = self.running().jobs > 0;
        if ctx.input(|input| input.viewport().close_requested()) && running && !self.may_close() {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            ctx.send_viewport_cmd(ViewportCommand::Focus);
            if ctx.input(|input| input.viewport().focused) != Some(true) {
                // The question may be on another workspace, and Wayland lets no window come forward.
                let attention = UserAttentionType::Critical;
                ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
            }
            self.close_phase.get_or_insert(ClosePhase::Asking);
        }
        match self.close_phase {
            Some(ClosePhase::Asking) if !running => self.close_phase = None,
            Some(ClosePhase::Waiting | ClosePhase::Detaching | ClosePhase::Cancelling)
                if self.may_close() =>
            {
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
            _ => {}
        }
        if let Some(deadline) = self.close_deadline {
            ctx.request_repaint_after(deadline.saturating_sub(self.context.now()));
        }
    }

    fn may_close(&self) -> bool {
        let is_late = self
            .close_deadline
            .is_some_and(|deadline| self.context.now() >= deadline);
        match self.close_phase {
            None | Some(ClosePhase::Asking) => false,
            Some(ClosePhase::Detaching) => true,
            Some(ClosePhase::Waiting | ClosePhase::Cancelling) => {
                self.running().jobs == 0 || is_late
            }
        }
    }

    pub(super) fn answer_close_question(&mut self, answer: UiCommand, ctx: &egui::Context) {
        match answer {
            commands::WAIT_AND_QUIT => self.close_phase = Some(ClosePhase::Waiting),
            commands::CANCEL_AND_QUIT => self.cancel_and_close(),
            commands::KEEP_RUNNING => self.close_phase = Some(ClosePhase::Detaching),
            commands::QUIT_NOW => self.close_deadline = Some(self.context.now()),
            commands::KEEP_WINDOW => {
                self.close_phase = None;
                self.close_deadline = None;
            }
            _ => {}
        }
        ctx.request_repaint();
    }

    fn cancel_and_close(&mut self) {
        self.close_phase = Some(ClosePhase::Cancelling);
        let stop_time = self.pages.iter_mut().map(|page| page.cancel()).max();
        let stop_time = CANCEL_TIMEOUT.saturating_add(stop_time.unwrap_or_default());
        self.close_deadline = self.context.now().checked_add(stop_time);
    }

    /// Ends everything in bounded time after the window has closed.
    pub(super) fn close(&mut self) {
        // From now on, another start opens a window.
        self.instance = None;
        self.context.state.panes = saving::panes(&self.context.ctx);
        self.store.finish(&self.context.state, SAVE_TIMEOUT);
        let keep_running = self.close_phase == Some(ClosePhase::Detaching);
        self.pages.sort_by_key(|page| page.needs_close_timeout());
        for page in &mut self.pages {
            page.close(CLOSE_TIMEOUT, keep_running);
        }
    }
}
