//! The selected job: its progress, and the commands for it.

use std::time::Duration;

use eframe::egui::{self, Label, RichText, Sides, Ui};

use super::{BlockedFor, Choices, WorkbenchCommand, command, jobs_panel};
use crate::format;
use crate::jobs::RunOn;
use crate::pages::commands::{UiCommand, Unavailable};
use crate::record::{JobRecord, JoinOutcome, JoinRecord};
use crate::ui::status_style::{Mark, StatusStyle, mark_ui};
use crate::ui::tokens::tokens;
use crate::ui::widgets::{card_ui, progress_bar, seconds_ui};

/// The data of the card of a job.
pub(super) struct JobProps<'a> {
    pub(super) job: &'a JobRecord,
    pub(super) now: Duration,
    pub(super) unavailable: &'a Unavailable,
    pub(super) signal_target: Option<SignalTarget>,
    pub(super) blocked_for: Option<BlockedFor>,
}

impl JobProps<'_> {
    fn button_ui(&self, command: UiCommand, ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
        if self.unavailable.button(command, ui).clicked() {
            commands.push(WorkbenchCommand::Ui(command));
        }
    }
}

/// The processes that `Terminate`, `Kill` and `End process tree` signal.
#[cfg_attr(
    not(unix),
    expect(dead_code, reason = "there are no processes to signal there")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignalTarget {
    /// The process of the selected row, which has this number.
    One(u32),
    /// Those of the selected rows: this many.
    Selected(usize),
    /// All running processes: this many.
    All(usize),
}

impl SignalTarget {
    fn text(self) -> String {
        match self {
            Self::One(pid) => format!("For process {pid}."),
            Self::Selected(1) => "For the one process of the selected rows.".to_owned(),
            Self::Selected(count) => {
                let count = format::count(count);
                format!("For the {count} processes of the selected rows.")
            }
            Self::All(1) => "For the one process of the job.".to_owned(),
            Self::All(count) => {
                format!("For all {} processes of the job.", format::count(count))
            }
        }
    }
}

/// The card of the selected job.
pub(super) fn job_ui(
    props: &JobProps<'_>,
    choices: &mut Choices,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let JobProps { job, now, .. } = *props;
    card_ui(ui, |ui| {
        header_ui(job, now, ui);
        progress_ui(job, now, ui);
        ui.add_space(2.0);
        joining_ui(props, choices, ui, commands);
        actions_ui(props, ui, commands);
    });
}

fn header_ui(job: &JobRecord, now: Duration, ui: &mut Ui) {
    Sides::new().shrink_right().truncate().show(
        ui,
        |ui| {
            ui.heading(job.title());
            ui.add_space(4.0);
            jobs_panel::state_ui(job, ui);
        },
        |ui| {
            ui.label(RichText::new(format::duration(job.elapsed(now))).monospace());
            ui.label(RichText::new(jobs_panel::summary(job)).weak());
        },
    );
}

fn progress_ui(job: &JobRecord, now: Duration, ui: &mut Ui) {
    let share = jobs_panel::share_done(job);
    let fill = StatusStyle::of_job(job.state(), tokens(ui)).color;
    let size = egui::vec2(ui.available_width(), 8.0);
    progress_bar(ui, share, size, fill).accessible_name("Progress");
    // An empty line keeps its place: buttons must not move under the pointer.
    Sides::new().shrink_right().truncate().show(
        ui,
        |ui| {
            if let Some(lengths) = job.lengths_text().filter(|_| job.state().is_ended()) {
                ui.label(RichText::new(lengths).monospace());
            } else if job.total_bytes() > 0 {
                ui.label(RichText::new(bytes_text(job)).monospace());
            }
        },
        |ui| ui.label(RichText::new(pace_text(job, now)).monospace()),
    );
}

fn bytes_text(job: &JobRecord) -> String {
    let done = format::bytes(job.done_bytes());
    if job.is_planned() {
        format!("{done} of {}", format::bytes(job.total_bytes()))
    } else {
        format!("{done} of {} so far", format::bytes(job.total_bytes()))
    }
}

/// The rate, the time left, and the time since the last progress.
fn pace_text(job: &JobRecord, now: Duration) -> String {
    let rate = job.rate(now);
    let mut texts = Vec::new();
    if job.done_bytes() > 0 {
        texts.push(format::rate(rate.bytes_per_sec));
    }
    if !job.state().is_ended() {
        if let Some(left) = rate.time_left {
            texts.push(left_text(left));
        }
        let age = now.saturating_sub(job.last_progress_at());
        if age >= Duration::from_secs(1) {
            texts.push(format!("no progress for {}", format::countdown(age)));
        }
        if let Some(asked) = job.cancel_requested_at() {
            let age = format::countdown(now.saturating_sub(asked));
            texts.push(format!("cancelling for {age}"));
        }
    }
    texts.join(" · ")
}

/// Less than a second is too exact: the last item may take any time.
fn left_text(left: Duration) -> String {
    if left < Duration::from_secs(1) {
        return "nearly done".to_owned();
    }
    format!("{} left", format::duration(left))
}

/// The waits for the job, folded away until somebody asks for them: files need none.
fn joining_ui(
    props: &JobProps<'_>,
    choices: &mut Choices,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let is_open = choices.shows_joining(&props.job.spec().options);
    let shown = egui::CollapsingHeader::new("Joining")
        .open(Some(is_open))
        .show_unindented(ui, |ui| {
            join_ui(props, choices, ui, commands);
            wait_ui(props.job, props.now, props.blocked_for, ui);
            ui.separator();
        });
    if shown.header_response.clicked() {
        choices.shows_joining = Some(!is_open);
    }
}

/// The ways to wait, each with a sentence that explains it.
fn join_ui(
    props: &JobProps<'_>,
    choices: &mut Choices,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    explained_ui(
        ui,
        "Waits until the job has ended. The window goes on meanwhile.",
        |ui| {
            props.button_ui(command::JOIN, ui, commands);
        },
    );
    explained_ui(ui, "Waits for that long at most. The job runs on.", |ui| {
        props.button_ui(command::JOIN_WITH_TIMEOUT, ui, commands);
        timeout_ui(choices, ui);
    });
    explained_ui(ui, "Stops waiting. The job runs on.", |ui| {
        props.button_ui(command::DETACH, ui, commands);
    });
    let freezes = if choices.wait_on_ui_thread {
        "The window freezes until the wait ends."
    } else {
        "Freezes the window until the wait ends, to show why a program never should."
    };
    explained_ui(ui, freezes, |ui| {
        ui.checkbox(&mut choices.wait_on_ui_thread, "Wait on the UI thread");
        if choices.wait_on_ui_thread {
            mark_ui(ui, Mark::Warning, tokens(ui).timed_out);
        }
    });
}

fn explained_ui(ui: &mut Ui, sentence: &str, widgets: impl FnOnce(&mut Ui)) {
    ui.horizontal_wrapped(|ui| {
        widgets(ui);
        ui.label(RichText::new(sentence).weak());
    });
}

fn timeout_ui(choices: &mut Choices, ui: &mut Ui) {
    let label = ui.label("Timeout (s)");
    seconds_ui(ui, &mut choices.timeout_secs, |input| {
        input.range(0.0..=Choices::MAX_TIMEOUT_SECS).min_decimals(1)
    })
    .labelled_by(label.id);
}

/// One line about the current wait, or about how the last one ended.
fn wait_ui(job: &JobRecord, now: Duration, blocked_for: Option<BlockedFor>, ui: &mut Ui) {
    let join = job.active_joins().next_back().or(job.joins().last());
    let Some(join) = join else {
        ui.label(RichText::new("Nobody waits for this job: it runs on its own.").weak());
        return;
    };
    let tokens = tokens(ui);
    ui.horizontal(|ui| {
        let (mark, color) = match join.ended {
            None => (Mark::Ring, tokens.running),
            Some((_, JoinOutcome::Joined)) => (Mark::Disc, tokens.returned),
            Some((_, JoinOutcome::TimedOut)) => (Mark::Diamond, tokens.timed_out),
            Some((_, JoinOutcome::Detached)) => (Mark::Bar, tokens.neutral),
        };
        mark_ui(ui, mark, color);
        ui.label(join_text(job, join, now));
    });
    for cause in &join.causes {
        let name = job
            .item(cause.item)
            .map(|item| item.input.display().to_string());
        let name = name.unwrap_or_default();
        ui.add(Label::new(format!("{name}: {}", cause.sentence)).wrap());
    }
    if let Some(cost) = blocked_for.filter(|cost| cost.job == job.id()) {
        ui.label(cost_text(cost));
    }
}

fn join_text(job: &JobRecord, join: &JoinRecord, now: Duration) -> String {
    let waited = join.waited(now);
    let Some((_, outcome)) = join.ended else {
        if let Some(left) = join.remaining(now) {
            return format!("waiting, {} left", format::countdown(left));
        }
        let waited = format::countdown(waited);
        return format!("waiting for {waited}, without a deadline");
    };
    let waited = format::duration(waited);
    match outcome {
        JoinOutcome::Joined => format!("joined after {waited}: {}", outcome_text(job)),
        JoinOutcome::TimedOut if job.state().is_ended() => {
            format!("still running after {waited}; it has ended since")
        }
        JoinOutcome::TimedOut => format!("still running after {waited}"),
        JoinOutcome::Detached => format!("detached after {waited}"),
    }
}

fn outcome_text(job: &JobRecord) -> String {
    format!("{}, {}", job.state().title(), jobs_panel::summary(job))
}

/// `blocked the window for 2.00 s, 120 frames missed`.
fn cost_text(cost: BlockedFor) -> String {
    format!(
        "blocked the window for {}, {} frames missed",
        format::duration(cost.blocked),
        format::count(cost.frames_missed())
    )
}

fn actions_ui(props: &JobProps<'_>, ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
    ui.horizontal_wrapped(|ui| {
        props.button_ui(command::CANCEL, ui, commands);
        if has_processes(props.job) {
            signals_ui(props, ui, commands);
        }
        props.button_ui(command::RUN_AGAIN, ui, commands);
        props.button_ui(command::COPY_REPORT, ui, commands);
        props.button_ui(command::SAVE_REPORT, ui, commands);
        if makes_list(props.job) {
            props.button_ui(command::SAVE_LIST, ui, commands);
        }
        props.button_ui(command::REMOVE, ui, commands);
    });
}

/// The buttons that end processes while the job goes on.
fn signals_ui(props: &JobProps<'_>, ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
    for command in [command::TERMINATE, command::KILL, command::STOP_TREE] {
        let mut button = props.unavailable.button(command, ui);
        if let Some(target) = props.signal_target {
            button = button.on_hover_text(target.text());
        }
        if button.clicked() {
            commands.push(WorkbenchCommand::Ui(command));
        }
    }
}

/// True before the first process runs: buttons must not move under the pointer.
fn has_processes(job: &JobRecord) -> bool {
    let spec = job.spec();
    job.first_process().is_some()
        || spec.run_on == RunOn::Process
        || spec.options.job().has_processes()
}

fn makes_list(job: &JobRecord) -> bool {
    job.spec().options.job().list_name().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::JobId;

    #[test]
    fn blocking_wait_shows_its_time_and_frames() {
        let cost = BlockedFor {
            job: JobId::new(1),
            blocked: Duration::from_millis(2_003),
        };
        assert_eq!(
            cost_text(cost),
            "blocked the window for 2.00 s, 120 frames missed"
        );
    }
}
