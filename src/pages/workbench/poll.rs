//! Takes in what happened since the last frame.

use std::time::{Duration, Instant};

use eframe::egui::{self, ViewportCommand};

use super::{Pane, Workbench, jobs_panel};
use crate::desktop::Awake;
use crate::pages::{PageContext, timeline};
use crate::record::{Backtrace, EventKind, JobEvent, JobId};

const EVENTS_PER_BATCH: usize = 256;

/// A frame takes events at least this long if some are left.
const MIN_POLL_TIME: Duration = Duration::from_micros(1_500);

/// If frames are slow and events pile up, a frame spends one twelfth of the time since the last
/// one on events, up to a maximum. Otherwise a cancel would show minutes late.
const POLL_TIME_DIVISOR: u32 = 12;
const MAX_POLL_TIME: Duration = Duration::from_millis(50);

/// Shorter work ends without asking for attention.
const MIN_ATTENTION_TIME: Duration = Duration::from_secs(10);

/// Shorter work does not keep the machine awake.
const MIN_AWAKE_TIME: Duration = Duration::from_mins(1);

impl Workbench {
    pub(super) fn poll_board(&mut self, context: &mut PageContext) {
        context.set_trace_clock(self.board.now());
        let began = Instant::now();
        let behind = self.behind_since.take();
        let behind = behind.map_or(Duration::ZERO, |since| began.duration_since(since));
        let limit = (behind / POLL_TIME_DIVISOR).clamp(MIN_POLL_TIME, MAX_POLL_TIME);
        loop {
            for event in self.board.poll(EVENTS_PER_BATCH) {
                self.apply(event, context);
            }
            if self.board.wants_poll_in() != Some(Duration::ZERO) {
                break;
            }
            if began.elapsed() >= limit {
                self.behind_since = Some(began);
                break;
            }
        }
        self.keep_awake(context);
        let record = &self.record;
        self.resolving.retain(|&(job, key)| {
            let job = record.job(job);
            job.and_then(|job| job.panic(key))
                .is_some_and(|(_, backtrace)| *backtrace == Backtrace::Unresolved)
        });
    }

    fn apply(&mut self, event: JobEvent, context: &mut PageContext) {
        let ended = matches!(event.kind, EventKind::JobDidFinish { .. }).then_some(event.job);
        context.trace.apply(&event);
        self.record.apply(event);
        if let Some(job) = ended {
            self.ask_attention(job, context);
            let job = self.record.job(job);
            context.announcement = job.map(jobs_panel::news).unwrap_or_default();
        }
    }

    fn keep_awake(&mut self, context: &PageContext) {
        let wanted =
            context.state.pages.settings.stay_awake && self.running_jobs().next().is_some();
        if wanted != self.awake.is_some() {
            // Nobody has asked for it who would have to know that nothing offers it.
            self.awake = wanted.then(|| Awake::after(MIN_AWAKE_TIME, || ()));
        }
    }

    /// Asks for attention once a job, and only for long work behind another window.
    fn ask_attention(&self, job: JobId, context: &PageContext) {
        let ctx = &context.ctx;
        let focused = ctx.input(|input| input.viewport().focused.unwrap_or(true));
        let now = self.board.now();
        let was_long = self
            .record
            .job(job)
            .is_some_and(|job| job.elapsed(now) >= MIN_ATTENTION_TIME);
        if context.state.pages.settings.ask_attention && was_long && !focused {
            let attention = egui::UserAttentionType::Informational;
            ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
        }
    }

    pub(super) fn take_drops(&mut self, context: &mut PageContext) {
        if context.shows(&timeline::ID) {
            return;
        }
        let dropped = context.ctx.input(|input| {
            let files = input.raw.dropped_files.iter();
            files.map(|file| file.path().to_owned()).collect::<Vec<_>>()
        });
        if !dropped.is_empty() {
            self.add_inputs(dropped, context);
        }
    }

    pub(super) fn poll_inputs(&mut self, context: &PageContext) {
        self.state.draft.recent.poll();
        if self.state.draft.inputs.poll(context.waker()) {
            context.ctx.request_repaint();
        }
    }

    pub(super) fn update_order(&mut self, context: &PageContext) {
        let job = self.state.selected.and_then(|id| self.record.job(id));
        let again = self.ordering.update(
            job,
            &mut self.state.results,
            self.board.now(),
            context.waker(),
        );
        if let Some(again) = again {
            context.ctx.request_repaint_after(again);
        }
    }

    pub(super) fn update_waits(&mut self, context: &PageContext) {
        if self.state.pane == Pane::Waits {
            self.waits
                .update(&self.board, &self.record, context.waker());
        } else {
            self.waits.close();
        }
    }
}
