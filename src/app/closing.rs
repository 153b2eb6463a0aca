//! How the window closes: at once, or after a question if work is still running.

use std::time::Duration;

use eframe::egui::{self, ViewportCommand};

use super::{App, saving};
use crate::ui::close_question::{Answer, Leaving};

/// How long the window waits for cancelled jobs, beyond the time that the jobs say they take: the
/// user chooses the grace period of a command.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(3);

/// After the window has closed: how long the program waits for cancelled work, and then for killed
/// processes.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long saving the settings may take then.
const SAVE_TIMEOUT: Duration = Duration::from_secs(2);

impl App {
    /// Asks before closing over running jobs, and closes when the answer allows it.
    pub(super) fn leave_or_stay(&mut self, ctx: &egui::Context) {
        let running = self.running().jobs > 0;
        if ctx.input(|input| input.viewport().close_requested()) && running && !self.may_leave() {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            ctx.send_viewport_cmd(ViewportCommand::Focus);
            self.leaving.get_or_insert(Leaving::Asking);
        }
        match self.leaving {
            Some(Leaving::Asking) if !running => self.leaving = None,
            Some(Leaving::Waiting | Leaving::KeepingOn | Leaving::Cancelling)
                if self.may_leave() =>
            {
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
            _ => {}
        }
        if let Some(by) = self.leave_by {
            ctx.request_repaint_after(by.saturating_sub(self.shell.now()));
        }
    }

    fn may_leave(&self) -> bool {
        let is_late = self.leave_by.is_some_and(|by| self.shell.now() >= by);
        match self.leaving {
            None | Some(Leaving::Asking) => false,
            Some(Leaving::KeepingOn) => true,
            Some(Leaving::Waiting | Leaving::Cancelling) => self.running().jobs == 0 || is_late,
        }
    }

    pub(super) fn answer_close_question(&mut self, answer: Answer, ctx: &egui::Context) {
        match answer {
            Answer::WaitAndQuit => self.leaving = Some(Leaving::Waiting),
            Answer::CancelAndQuit => self.cancel_and_leave(),
            Answer::KeepRunning => self.leaving = Some(Leaving::KeepingOn),
            Answer::QuitNow => self.leave_by = Some(self.shell.now()),
            Answer::KeepWindow => {
                self.leaving = None;
                self.leave_by = None;
            }
        }
        ctx.request_repaint();
    }

    fn cancel_and_leave(&mut self) {
        self.leaving = Some(Leaving::Cancelling);
        let stop_time = self.pages.iter_mut().map(|page| page.cancel()).max();
        let stop_time = CANCEL_TIMEOUT.saturating_add(stop_time.unwrap_or_default());
        self.leave_by = self.shell.now().checked_add(stop_time);
    }

    /// Ends everything in bounded time after the window has closed.
    pub(super) fn close(&mut self) {
        self.shell.state.panes = saving::panes(&self.shell.ctx);
        self.store.finish(&self.shell.state, SAVE_TIMEOUT);
        let keep_running = self.leaving == Some(Leaving::KeepingOn);
        // The Workbench is last: its jobs may need the whole timeout.
        for page in self.pages.iter_mut().rev() {
            page.close(CLOSE_TIMEOUT, keep_running);
        }
    }
}
