//! What happened to the jobs since the last frame.

use std::time::{Duration, Instant};

use eframe::egui::{self, ViewportCommand};

use super::{Pane, Workbench, waits_pane};
use crate::pages::Shell;
use crate::record::{Backtrace, Event, EventKind, JobId};

/// Events are taken in portions, for at most this long in a frame; what is left comes in the next.
const EVENTS_AT_ONCE: usize = 256;
const TAKE_IN_FOR: Duration = Duration::from_micros(1_500);

/// Where frames are slow and events are left over, taking them in gets this share of the time, and
/// in a frame at most so much: else news would come in faster than they are shown, and a cancel
/// show after minutes.
const TAKE_IN_SHARE: u32 = 12;
const TAKE_IN_AT_MOST: Duration = Duration::from_millis(50);

/// Work shorter than this ends without asking for attention.
const LONG_WORK: Duration = Duration::from_secs(10);

impl Workbench {
    pub(super) fn poll_board(&mut self, shell: &Shell) {
        let began = Instant::now();
        let behind = self.behind_since.take();
        let behind = behind.map_or(Duration::ZERO, |since| began.duration_since(since));
        let limit = (behind / TAKE_IN_SHARE).clamp(TAKE_IN_FOR, TAKE_IN_AT_MOST);
        loop {
            for event in self.board.poll(EVENTS_AT_ONCE) {
                self.apply(event, shell);
            }
            if self.board.wants_poll_in() != Some(Duration::ZERO) {
                break;
            }
            if began.elapsed() >= limit {
                self.behind_since = Some(began);
                break;
            }
        }
        let record = &self.record;
        self.resolving.retain(|&(job, key)| {
            let job = record.job(job);
            job.and_then(|job| job.panic(key))
                .is_some_and(|(_, backtrace)| *backtrace == Backtrace::Unresolved)
        });
    }

    fn apply(&mut self, event: Event, shell: &Shell) {
        let ended = matches!(event.kind, EventKind::JobDidFinish { .. }).then_some(event.job);
        self.record.apply(event);
        if let Some(job) = ended {
            self.ask_attention(job, shell);
        }
    }

    /// Once for each job, and only for long work behind another window.
    fn ask_attention(&self, job: JobId, shell: &Shell) {
        let ctx = &shell.ctx;
        let focused = ctx.input(|input| input.viewport().focused.unwrap_or(true));
        let now = self.board.now();
        let was_long = self
            .record
            .job(job)
            .is_some_and(|job| job.elapsed(now) >= LONG_WORK);
        if shell.state.settings.ask_attention && was_long && !focused {
            let attention = egui::UserAttentionType::Informational;
            ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
        }
    }

    pub(super) fn take_drops(&mut self, ctx: &egui::Context) {
        let dropped = ctx.input(|input| {
            let files = input.raw.dropped_files.iter();
            files.map(|file| file.path().to_owned()).collect::<Vec<_>>()
        });
        if !dropped.is_empty() {
            self.add_inputs(dropped);
        }
    }

    pub(super) fn update_order(&mut self, shell: &Shell) {
        let job = self.view.selected.and_then(|id| self.record.job(id));
        let again =
            self.ordering
                .update(job, &mut self.view.results, self.board.now(), shell.waker());
        if let Some(again) = again {
            shell.ctx.request_repaint_after(again);
        }
    }

    pub(super) fn update_waits(&mut self) {
        self.waits.clear();
        if self.view.pane == Pane::Waits {
            let now = self.board.now();
            self.waits
                .extend(waits_pane::window_waits(&self.record, now));
            self.waits.extend(waits_pane::task_waits());
        }
    }
}
