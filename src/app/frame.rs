//! The start and the end of a frame: taking in what happened, and what follows drawing.

use std::collections::BTreeSet;
use std::time::Duration;

use eframe::egui::{self, RepaintCause, UserAttentionType, ViewportCommand};

use super::instance::Instance;
use super::{App, TITLE};
use crate::format;
use crate::pages::{timeline, workbench};
use crate::record::nanos;
use crate::trace::Frame;

/// After the last event, one more frame updates the repaint rate in the status bar, and a later one
/// the worst frame time.
const REPAINT_RATE_UPDATE_DELAY: Duration = Duration::from_millis(1_050);
const WORST_FRAME_UPDATE_DELAY: Duration = Duration::from_millis(5_050);
/// The places in the code that the cause of a frame names.
const MAX_SHOWN_CAUSES: usize = 3;

impl App {
    /// Takes in everything that happened since the last frame. Draws nothing and never waits.
    pub(super) fn take_in(&mut self, ctx: &egui::Context) {
        let context = &mut self.context;
        for done in context.background_tasks.poll() {
            let done = done.unwrap_or_else(Into::into);
            if let Some(text) = done.copy {
                ctx.copy_text(text);
            }
            if let Some(notice) = done.notice {
                context.notify(notice);
            }
        }
        if let Some((asker, answer)) = context.dialogs.poll(ctx)
            && let Some(page) = self.pages.iter_mut().find(|page| page.info().id == asker)
        {
            page.take_answer(answer, context);
        }
        self.take_other_starts(ctx);
        for page in &mut self.pages {
            page.poll(&mut self.context);
        }
        // After the jobs, for their trace begins with them.
        self.context.take_incidents();
        self.handle_close_request(ctx);
        self.update_title(ctx);
        self.save_settings(ctx);
        self.schedule(ctx);
    }

    /// Takes the files of later starts, and comes forward for them. Nothing is started.
    fn take_other_starts(&mut self, ctx: &egui::Context) {
        let starts = self.instance.as_ref().map(Instance::take);
        let starts = starts.unwrap_or_default();
        if starts.is_empty() {
            return;
        }
        for mut files in starts.into_iter().filter(|files| !files.is_empty()) {
            let traces = timeline::take_traces(&mut files);
            let (page, files) = if traces.is_empty() {
                (workbench::ID, files)
            } else {
                (timeline::ID, traces)
            };
            self.context.state.page = page.clone();
            for shown in self.pages.iter_mut().filter(|it| it.info().id == page) {
                shown.open_files(&files, &mut self.context);
            }
        }
        ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
        ctx.send_viewport_cmd(ViewportCommand::Focus);
        if ctx.input(|input| input.viewport().focused) != Some(true) {
            // For desktops on which a window can't come forward by itself.
            let attention = UserAttentionType::Informational;
            ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
        }
        ctx.request_repaint();
    }

    /// The taskbar shows how far the work is while another window is in front.
    fn update_title(&mut self, ctx: &egui::Context) {
        let news = self.pages.iter().find_map(|page| page.news());
        let title = news.map_or_else(|| TITLE.to_owned(), |news| format!("{news} – {TITLE}"));
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// Asks for the next frame if a page or the status bar needs one. An idle window needs none.
    fn schedule(&mut self, ctx: &egui::Context) {
        let now = self.context.now();
        let frames = self.context.frames.summary(now);
        let settle = if frames.repaints > 0 {
            Some(REPAINT_RATE_UPDATE_DELAY)
        } else {
            frames.worst.map(|_| WORST_FRAME_UPDATE_DELAY)
        };
        let message = self.context.notices.poll(now);
        let pages = self.pages.iter().filter_map(|page| page.wants_poll_in());
        if let Some(delay) = pages.chain(settle).chain(message).min() {
            ctx.request_repaint_after(delay);
            self.frame_due_at = now.checked_add(delay);
        }
    }

    /// Runs the commands of the page that was drawn, then keeps the settings and the frame's time.
    pub(super) fn end_frame(&mut self, ctx: &egui::Context, frame: &eframe::Frame) {
        let shown = self.shown();
        {
            let _running = self.context.watch.guard("running a command");
            if self.pages[shown].run_commands(&mut self.context) {
                // The next frame shows the effect.
                ctx.request_repaint();
            }
        }
        if let Some((id, name)) = self.context.open.take() {
            if let Some(page) = self.pages.iter_mut().find(|page| page.info().id == id) {
                page.select(&name);
            }
            self.context.state.page = id;
            ctx.request_repaint();
        }
        {
            let _opening = self.context.watch.guard("opening a dialog");
            self.context.dialogs.open_requested(frame);
        }
        let _finishing = self.context.watch.guard("finishing the frame");
        self.follow_window(ctx);
        self.save_settings(ctx);
        self.record_frame(ctx);
        // Noted at the end, so that the frame's own work counts, including a blocking wait.
        let now = self.context.now();
        self.context
            .frames
            .begin_frame(now, Some(self.frame_began_at));
        self.frame_clock.end_pass();
    }

    fn record_frame(&mut self, ctx: &egui::Context) {
        let at = self.context.trace_time(self.frame_began_at);
        let took = nanos(self.context.now().saturating_sub(self.frame_began_at));
        let trace = self.context.trace.trace_mut();
        let cause = trace.add_frame_cause(&frame_cause(&ctx.repaint_causes()));
        trace.add_frame(Frame { at, took, cause });
    }
}

/// The places in the code that asked for a frame, each once.
fn frame_cause(causes: &[RepaintCause]) -> String {
    let place = |cause: &RepaintCause| format!("{}:{}", within_package(cause.file), cause.line);
    let places: BTreeSet<String> = causes.iter().map(place).collect();
    if places.is_empty() {
        // egui was not asked.
        return "the system, such as for an input".to_owned();
    }
    let rest = places.len().saturating_sub(MAX_SHOWN_CAUSES);
    let shown: Vec<String> = places.into_iter().take(MAX_SHOWN_CAUSES).collect();
    let shown = shown.join(", ");
    match rest {
        0 => shown,
        rest => {
            let rest = format::plural(rest, "other place", "other places");
            format!("{shown} and {rest}")
        }
    }
}

/// The path of a source file from the folder of its package on, without where that lies.
fn within_package(file: &str) -> String {
    let file = file.replace('\\', "/");
    let package = file.rfind("/src/").map(|at| &file[..at]);
    let folder = package.map_or(0, |package| package.rfind('/').map_or(0, |at| at + 1));
    file[folder..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(file: &'static str, line: u32) -> RepaintCause {
        RepaintCause {
            file,
            line,
            reason: "".into(),
        }
    }

    #[test]
    fn cause_of_a_frame_has_each_place_once() {
        let causes = [
            cause("src/app/frame.rs", 9),
            cause(
                "/home/ada/.cargo/registry/src/index/egui-0.37.0/src/context.rs",
                1,
            ),
            cause("src/app/frame.rs", 9),
        ];
        let text = "egui-0.37.0/src/context.rs:1, src/app/frame.rs:9";
        assert_eq!(frame_cause(&causes), text);
    }

    #[test]
    fn cause_of_a_frame_names_few_places() {
        let causes: Vec<_> = (1..=6)
            .map(|line| cause(r"src\join\task.rs", line))
            .collect();
        let text = frame_cause(&causes);
        let places = "src/join/task.rs:1, src/join/task.rs:2, src/join/task.rs:3";
        assert_eq!(text, format!("{places} and 3 other places"));
    }

    #[test]
    fn frame_that_nobody_asked_for_is_of_the_system() {
        assert_eq!(frame_cause(&[]), "the system, such as for an input");
    }
}
