//! The start and the end of a frame: taking in what happened, and what follows drawing.

use std::time::Duration;

use eframe::egui;

use super::App;

/// After the last event, one more frame updates the repaint rate in the status bar, and a later one
/// the worst frame time.
const RATE_SETTLES_AFTER: Duration = Duration::from_millis(1_050);
const WORST_SETTLES_AFTER: Duration = Duration::from_millis(5_050);

impl App {
    /// Takes in everything that happened since the last frame. Draws nothing and never waits.
    pub(super) fn take_in(&mut self, ctx: &egui::Context) {
        let shell = &mut self.shell;
        for incident in shell.watch.poll() {
            shell.state.incidents.push(incident);
        }
        for done in shell.background_tasks.poll() {
            if let Some(text) = done.copy {
                ctx.copy_text(text);
            }
            shell.notify(done.notice);
        }
        if let Some((asker, answer)) = shell.dialogs.poll(ctx)
            && let Some(page) = self.pages.iter_mut().find(|page| page.id() == asker)
        {
            page.take_answer(answer, shell);
        }
        for page in &mut self.pages {
            page.poll(shell);
        }
        self.leave_or_stay(ctx);
        self.schedule(ctx);
    }

    /// Asks for the next frame if a page or the status bar needs one. An idle window needs none.
    fn schedule(&mut self, ctx: &egui::Context) {
        let now = self.shell.now();
        let frames = self.shell.frames.summary(now);
        let settle = if frames.repaints > 0 {
            Some(RATE_SETTLES_AFTER)
        } else {
            frames.worst.map(|_| WORST_SETTLES_AFTER)
        };
        let pages = self.pages.iter().filter_map(|page| page.wants_poll_in());
        if let Some(delay) = pages.chain(settle).min() {
            ctx.request_repaint_after(delay);
            self.frame_due_at = Some(now + delay);
        }
    }

    /// Runs the commands of the page that was drawn, then keeps the settings and the frame's time.
    pub(super) fn end_frame(&mut self, ctx: &egui::Context, frame: &eframe::Frame) {
        let shown = self.shown();
        self.pages[shown].run_commands(&mut self.shell);
        if let Some((id, name)) = self.shell.open.take() {
            if let Some(page) = self.pages.iter_mut().find(|page| page.id() == id) {
                page.select(&name);
            }
            self.shell.state.page = id;
            ctx.request_repaint();
        }
        {
            let _opening = self.shell.watch.guard("opening a dialog");
            self.shell.dialogs.open_requested(frame);
        }
        let _finishing = self.shell.watch.guard("finishing the frame");
        self.save_settings(ctx);
        // Noted at the end, so that the frame's own work counts, including a blocking wait.
        let now = self.shell.now();
        self.shell
            .frames
            .begin_frame(now, Some(self.frame_began_at));
    }
}
