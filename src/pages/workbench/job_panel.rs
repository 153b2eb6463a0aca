//! The selected job: how far it is, and everything that can be asked of it.

use std::time::Duration;

use eframe::egui::{self, Align, Layout, RichText, Ui};

use super::{BlockedFor, Choices, Command, jobs_panel};
use crate::format;
use crate::jobs::{Options, RunOn};
use crate::record::{ItemId, JobId, JobRecord, JoinEnd, JoinRecord};
use crate::ui::tokens::tokens;
use crate::ui::widgets::{Look, Mark, button, card_ui, mark_ui, progress_bar};

/// What the card of a job is drawn from.
pub(crate) struct Parts<'a> {
    pub(crate) job: &'a JobRecord,
    pub(crate) now: Duration,
    pub(crate) target: Target,
    /// What the last wait on the UI thread cost.
    pub(crate) blocked_for: Option<BlockedFor>,
}

/// Whose processes `Terminate`, `Kill` and `Stop tree` end.
#[cfg_attr(
    not(unix),
    expect(dead_code, reason = "there are no processes to end there")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// None runs.
    Nobody,
    /// That of the selected row, which has this number.
    One(ItemId, u32),
    /// All that run, so many.
    All(usize),
}

impl Target {
    fn item(self) -> Option<ItemId> {
        match self {
            Self::One(item, _) => Some(item),
            Self::Nobody | Self::All(_) => None,
        }
    }

    /// `process 1234` or `all 3 processes of the job`.
    fn words(self) -> String {
        match self {
            Self::Nobody => "no process".to_owned(),
            Self::One(_, pid) => format!("process {pid}"),
            Self::All(1) => "the one process of the job".to_owned(),
            Self::All(count) => format!("all {} processes of the job", format::count(count)),
        }
    }
}

/// The card of the selected job.
pub(crate) fn job_ui(
    parts: &Parts<'_>,
    choices: &mut Choices,
    ui: &mut Ui,
    commands: &mut Vec<Command>,
) {
    let Parts { job, now, .. } = *parts;
    card_ui(ui, |ui| {
        header_ui(job, now, ui);
        progress_ui(job, now, ui);
        ui.add_space(2.0);
        join_ui(job, choices, ui, commands);
        waiting_ui(job, now, parts.blocked_for, ui);
        ui.separator();
        actions_ui(job, parts.target, ui, commands);
    });
}

fn header_ui(job: &JobRecord, now: Duration, ui: &mut Ui) {
    ui.horizontal(|ui| {
        ui.heading(jobs_panel::title(job));
        ui.add_space(4.0);
        jobs_panel::state_ui(job, ui);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(format::duration(job.elapsed(now))).monospace());
            ui.label(RichText::new(jobs_panel::summary(job)).weak());
        });
    });
}

fn progress_ui(job: &JobRecord, now: Duration, ui: &mut Ui) {
    let counts = job.counts();
    let share = if job.total_bytes() > 0 {
        format::share(job.done_bytes(), job.total_bytes())
    } else {
        format::share(counts.ended() as u64, counts.total() as u64)
    };
    let share = if job.state().is_ended() && counts.total() == counts.ended() {
        1.0
    } else {
        share
    };
    let fill = Look::of_job(job.state(), tokens(ui)).color;
    let size = egui::vec2(ui.available_width(), 8.0);
    progress_bar(ui, share, size, fill).accessible_name("Progress");
    // The line is there even while it is empty: buttons must not move under the pointer.
    ui.horizontal(|ui| {
        if job.total_bytes() > 0 {
            ui.label(RichText::new(bytes_text(job)).monospace());
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(pace_text(job, now)).monospace());
        });
    });
}

fn bytes_text(job: &JobRecord) -> String {
    let done = format::bytes(job.done_bytes());
    if job.is_planned() {
        format!("{done} of {}", format::bytes(job.total_bytes()))
    } else {
        format!("{done} of {} so far", format::bytes(job.total_bytes()))
    }
}

/// The rate, the time left, and the age of the last progress once that is worth a thought.
fn pace_text(job: &JobRecord, now: Duration) -> String {
    let rate = job.rate(now);
    let mut parts = Vec::new();
    if job.done_bytes() > 0 {
        parts.push(format::rate(rate.bytes_per_sec));
    }
    if !job.state().is_ended() {
        if let Some(left) = rate.time_left {
            parts.push(left_text(left));
        }
        let age = now.saturating_sub(job.last_progress_at());
        if age >= Duration::from_secs(1) {
            parts.push(format!("last progress {} ago", format::countdown(age)));
        }
        if let Some(asked) = job.cancel_asked_at() {
            let age = format::countdown(now.saturating_sub(asked));
            parts.push(format!("cancel asked {age} ago"));
        }
    }
    parts.join(" · ")
}

/// The last item may take as long as it likes: less than a second is no promise.
fn left_text(left: Duration) -> String {
    if left < Duration::from_secs(1) {
        return "nearly done".to_owned();
    }
    format!("{} left", format::duration(left))
}

fn join_ui(job: &JobRecord, choices: &mut Choices, ui: &mut Ui, commands: &mut Vec<Command>) {
    let waiting = job.active_joins().next().is_some();
    ui.horizontal_wrapped(|ui| {
        let why_not = "Already waiting for it. Detach to stop waiting.";
        let blocking = choices.wait_on_ui_thread;
        if button(ui, "Join", !waiting, why_not).clicked() {
            commands.push(Command::Join {
                job: job.id(),
                timeout: None,
                blocking,
            });
        }
        if button(ui, "Join with timeout", !waiting, why_not).clicked() {
            commands.push(Command::Join {
                job: job.id(),
                timeout: Some(Duration::from_secs_f64(choices.timeout_secs)),
                blocking,
            });
        }
        timeout_ui(choices, ui);
        let detach = button(ui, "Detach", waiting, "Nobody waits for it.");
        if detach
            .on_hover_text("Stop waiting. The job runs on.")
            .clicked()
        {
            commands.push(Command::Detach(job.id()));
        }
        ui.add_space(8.0);
        ui.checkbox(&mut choices.wait_on_ui_thread, "Wait on the UI thread");
        if choices.wait_on_ui_thread {
            let tokens = tokens(ui);
            mark_ui(ui, Mark::Warning, tokens.timed_out);
            ui.label("The window stands still until the wait ends.");
        }
    });
}

fn timeout_ui(choices: &mut Choices, ui: &mut Ui) {
    let label = ui.label("Timeout (s)");
    ui.add(
        egui::DragValue::new(&mut choices.timeout_secs)
            .range(0.0..=Choices::MAX_TIMEOUT_SECS)
            .speed(0.1)
            .max_decimals(2)
            .min_decimals(1),
    )
    .labelled_by(label.id);
}

/// One line on the wait that runs, or on how the last one ended.
fn waiting_ui(job: &JobRecord, now: Duration, blocked_for: Option<BlockedFor>, ui: &mut Ui) {
    let join = job.active_joins().next_back().or(job.joins().last());
    let Some(join) = join else {
        ui.horizontal(|ui| ui.label(RichText::new("Nobody waits for this job.").weak()));
        return;
    };
    let tokens = tokens(ui);
    ui.horizontal(|ui| {
        let (mark, color) = match join.ended {
            None => (Mark::Ring, tokens.running),
            Some((_, JoinEnd::Joined)) => (Mark::Disc, tokens.returned),
            Some((_, JoinEnd::TimedOut)) => (Mark::Diamond, tokens.timed_out),
            Some((_, JoinEnd::Detached)) => (Mark::Bar, tokens.neutral),
        };
        mark_ui(ui, mark, color);
        ui.label(join_text(job, join, now));
    });
    if let Some(cost) = blocked_for.filter(|cost| cost.job == job.id()) {
        ui.label(cost_text(cost));
    }
}

fn join_text(job: &JobRecord, join: &JoinRecord, now: Duration) -> String {
    let waited = format::countdown(join.waited(now));
    match (join.ended, join.remaining(now)) {
        (None, Some(left)) => format!("waiting, {} left", format::countdown(left)),
        (None, None) => format!("waiting for {waited}, without a deadline"),
        (Some((_, JoinEnd::Joined)), _) => {
            format!("joined after {waited}: {}", outcome_text(job))
        }
        (Some((_, JoinEnd::TimedOut)), _) if job.state().is_ended() => {
            format!("was still running after {waited}; it has ended since")
        }
        (Some((_, JoinEnd::TimedOut)), _) => format!("still running after {waited}"),
        (Some((_, JoinEnd::Detached)), _) => format!("detached after {waited}"),
    }
}

fn outcome_text(job: &JobRecord) -> String {
    let word = match job.state().word() {
        "timed_out" => "timed out",
        word => word,
    };
    format!("{word}, {}", jobs_panel::summary(job))
}

/// `blocked the window for 2 003 ms, 120 frames missed`.
pub(crate) fn cost_text(cost: BlockedFor) -> String {
    format!(
        "blocked the window for {} ms, {} frames missed",
        format::count(cost.blocked.as_millis()),
        format::count(cost.frames_missed())
    )
}

fn actions_ui(job: &JobRecord, target: Target, ui: &mut Ui, commands: &mut Vec<Command>) {
    let (id, ended) = (job.id(), job.state().is_ended());
    ui.horizontal_wrapped(|ui| {
        let mut action = |ui: &mut Ui, text, enabled, why_not, command| {
            if button(ui, text, enabled, why_not).clicked() {
                commands.push(command);
            }
        };
        action(ui, "Cancel", !ended, "It has ended.", Command::Cancel(id));
        if has_processes(job) {
            processes_ui(id, target, ui, commands);
        }
        let mut action = |ui: &mut Ui, text, enabled, why_not, command| {
            if button(ui, text, enabled, why_not).clicked() {
                commands.push(command);
            }
        };
        action(ui, "Run again", true, "", Command::RunAgain(id));
        action(ui, "Copy report", true, "", Command::CopyReport(id));
        action(
            ui,
            "Save report…",
            ended,
            "It has not ended yet.",
            Command::SaveReport(id),
        );
        if is_list(job) {
            let any = job.counts().returned > 0;
            let why_not = "There is no checksum yet.";
            action(ui, "Save list…", any, why_not, Command::SaveList(id));
        }
        action(
            ui,
            "Remove",
            ended,
            "It has not ended yet.",
            Command::Forget(id),
        );
    });
}

/// The buttons that end processes and leave the job to go on.
fn processes_ui(job: JobId, target: Target, ui: &mut Ui, commands: &mut Vec<Command>) {
    let enabled = target != Target::Nobody;
    let (item, whom) = (target.item(), target.words());
    let actions = [
        (
            "Terminate",
            format!("Asks {whom} to end (SIGTERM). What they have started is left alone."),
            Command::Terminate(job, item),
        ),
        (
            "Kill",
            format!("Ends {whom} at once (SIGKILL). What they have started is left alone."),
            Command::Kill(job, item),
        ),
        (
            "Stop tree",
            format!(
                "Asks {whom} to end, with everything they have started, and kills after the grace \
                 what is left."
            ),
            Command::StopTree(job, item),
        ),
    ];
    for (text, what, command) in actions {
        let why_not =
            "No process of the selected row runs, or of the job where no row is selected.";
        let button = button(ui, text, enabled, why_not).on_hover_text(what);
        if button.clicked() {
            commands.push(command);
        }
    }
}

/// Known before the first one runs: buttons must not move under the pointer.
fn has_processes(job: &JobRecord) -> bool {
    let spec = job.spec();
    job.first_process().is_some()
        || spec.run_on == RunOn::Process
        || matches!(spec.options, Options::Command(_))
}

fn is_list(job: &JobRecord) -> bool {
    matches!(&job.spec().options, Options::Checksum(options) if !options.verify)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_a_blocking_wait_is_said_in_milliseconds_and_frames() {
        let cost = BlockedFor {
            job: JobId(1),
            blocked: Duration::from_millis(2_003),
        };
        assert_eq!(
            cost_text(cost),
            "blocked the window for 2 003 ms, 120 frames missed"
        );
    }
}
