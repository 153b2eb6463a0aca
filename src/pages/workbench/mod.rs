//! The Workbench: jobs, their inputs and their results.

#[cfg(unix)]
mod adopting;
mod choices;
pub mod command;
mod compare;
mod detached;
mod doors;
mod ending;
mod files_panel;
mod form;
mod inputs;
mod job_panel;
mod jobs_panel;
mod options_panel;
mod ordering;
mod output;
mod output_find;
mod output_log;
mod output_pane;
mod output_state;
mod panic_pane;
mod poll;
mod recent;
pub mod result_text;
mod results_details;
mod results_keys;
mod results_menu;
pub mod results_pane;
mod results_rows;
mod results_state;
mod rows;
mod run_command;
mod saving;
mod selection;
mod state;
mod waits_pane;
mod waits_table;
mod why_not;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{Align, ScrollArea, Ui, vec2};

use self::job_panel::{JobProps, SignalTarget};
use self::ordering::Ordering;
use self::run_command::DialogPurpose;
use self::waits_pane::WaitsPane;
use super::commands::{UiCommand, Unavailable, run_each};
use super::{DialogAnswer, Page, PageContext, PageId, PageInfo, PageSetup, Running};
use crate::board::{ItemNames, JobBoard};
use crate::desktop::Awake;
use crate::record::{ItemId, JobId, JobRecord, PanicKey, Record};
use crate::ui::layout::{Part, TwoParts, rest_ui, scroll_ui};
use crate::ui::status_style::{Mark, mark_ui};
use crate::ui::tokens::{SIDE_WIDTH, tokens};

/// The space for `Start` and the list of jobs, below the choices for the next one.
const SPACE_BELOW: f32 = 150.0;

/// The height of a pane at least: in a lower window, the pane and the card above it scroll together.
const MIN_PANE_HEIGHT: f32 = 260.0;

/// The details of a row leave the table some rows.
const MIN_HEIGHT_WITH_DETAILS: f32 = 340.0;

const LAYOUT: TwoParts = TwoParts {
    side_name: "next job and jobs",
    side_width: SIDE_WIDTH,
    least_side: vec2(316.0, 340.0),
    least_main: 300.0,
};

pub use choices::Choices;
pub use command::WorkbenchCommand;
pub use detached::DetachedJobs;
pub use inputs::{Inputs, Presence};
pub(crate) use options_panel::workers_ui;
pub(crate) use output_state::{LogScroll, ShownOutput};
pub use output_state::{OutputState, Stream};
pub use recent::{Recent, RecentLook};
pub use results_state::{Column, Only, Order, ResultsState, ShownRows, Sort};
pub use selection::Selection;
pub use state::{BlockedFor, Draft, Pane, WorkbenchState};

pub(crate) const ID: PageId = PageId::new("workbench");
pub(super) const INFO: &PageInfo = &PageInfo {
    id: ID,
    title: "Workbench",
    commands: command::COMMANDS,
    guide: "workbench.md",
};

/// The jobs, and what the page shows of them.
pub(crate) struct Workbench {
    board: JobBoard,
    record: Record,
    state: WorkbenchState,
    commands: Vec<WorkbenchCommand>,
    purpose: Option<DialogPurpose>,
    ordering: Ordering,
    resolving: Vec<(JobId, PanicKey)>,
    waits: WaitsPane,
    /// The time at which the last frame began to take events, if some are left.
    behind_since: Option<Instant>,
    detached: DetachedJobs,
    /// The names of the items to which a job is limited.
    parts: BTreeMap<JobId, Arc<ItemNames>>,
    replaced: Option<rows::Replaced>,
    /// While jobs run, if the user wants that.
    awake: Option<Awake>,
}

impl Workbench {
    pub(super) fn new(setup: &PageSetup) -> Self {
        let wake = setup.ctx.clone();
        let board = JobBoard::new(move || wake.request_repaint());
        #[cfg(unix)]
        let board = match setup.launcher.clone() {
            Some(launcher) => board.with_launcher(launcher),
            None => board,
        };
        let mut workbench = Self {
            board,
            record: Record::default(),
            state: WorkbenchState::default(),
            commands: Vec::new(),
            purpose: None,
            ordering: Ordering::default(),
            resolving: Vec::new(),
            waits: WaitsPane::default(),
            behind_since: None,
            detached: setup.detached.clone(),
            parts: BTreeMap::new(),
            replaced: None,
            awake: None,
        };
        workbench.state.draft.inputs.add(Arc::clone(&setup.files));
        workbench
    }

    fn running_jobs(&self) -> impl Iterator<Item = &JobRecord> {
        self.record.jobs().filter(|job| !job.state().is_ended())
    }

    /// The running jobs whose work ends with the window.
    fn own_jobs(&self) -> impl Iterator<Item = &JobRecord> {
        let is_own = |job: &&JobRecord| !job.spec().options.job().leaves_processes();
        self.running_jobs().filter(is_own)
    }

    /// The dialogs of the page.
    fn dialogs_ui(&mut self, ui: &Ui) {
        #[cfg(unix)]
        adopting::adopting_ui(&mut self.state.adopting, ui, &mut self.commands);
        let job = self.state.ending.as_ref().map(|ending| ending.job);
        let job = job.and_then(|job| self.record.job(job));
        ending::ending_ui(&mut self.state.ending, job, ui, &mut self.commands);
    }

    fn select_job(&mut self, job: JobId) {
        self.state.reveal_job = true;
        if self.state.selected != Some(job) {
            self.state.selected = Some(job);
            self.state.results = ResultsState::default();
        }
    }

    /// Selects the job with this number, after a `/` one of its items, and after another one the title of a pane.
    fn select_by_name(&mut self, name: &str) {
        let mut parts = name.split('/');
        let (job, item) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let job = job.parse().ok().map(JobId::new);
        let Some(job) = job.filter(|job| self.record.job(*job).is_some()) else {
            return;
        };
        self.select_job(job);
        let item = item.parse().ok();
        if let Some(item) = item {
            self.state.pane = Pane::Results;
            self.state.results.selection.select_only(ItemId::new(item));
            self.state.results.scroll_to = Some(item);
        }
        let pane = parts.next().unwrap_or("");
        if let Some(pane) = Pane::ALL.into_iter().find(|it| it.title() == pane) {
            self.state.pane = pane;
        }
        if item.is_some() && self.state.pane == Pane::Waits {
            self.waits.reveal(self.board.now());
        }
    }

    /// Kills the processes of jobs that did not stop in time.
    #[cfg(unix)]
    fn kill_trees(&self, timeout: Duration) {
        let began = Instant::now();
        let jobs = self.own_jobs().map(JobRecord::id);
        let processes = jobs.flat_map(|job| self.board.running_processes(job));
        let tasks = processes.filter_map(|(_, process)| {
            // Without a thread, the process ends with this program anyway.
            crate::join::spawn("kill process tree", move |_| process.stop(Duration::ZERO)).ok()
        });
        for task in tasks.collect::<Vec<_>>() {
            // The window has closed, so a failure can't be shown.
            drop(task.join_timeout(timeout.saturating_sub(began.elapsed())));
        }
    }

    /// The processes that the buttons of a job signal: those of the selected rows, or all.
    #[cfg(unix)]
    fn signal_target(&self, job: JobId) -> Option<SignalTarget> {
        let selection = &self.state.results.selection;
        if selection.is_empty() {
            let count = self.board.running_process_count(job);
            return (count > 0).then_some(SignalTarget::All(count));
        }
        if let Some(selected) = selection.single() {
            let process = self.board.running_process(job, selected)?;
            return Some(SignalTarget::One(process.pid()));
        }
        let count = self.selected_processes(job).len();
        (count > 0).then_some(SignalTarget::Selected(count))
    }

    /// The selected items whose process runs.
    #[cfg(unix)]
    fn selected_processes(&self, job: JobId) -> Vec<crate::record::ItemId> {
        let selection = &self.state.results.selection;
        let running = self.board.running_processes(job).into_iter();
        let items = running.map(|(item, _)| item);
        items.filter(|item| selection.contains(*item)).collect()
    }

    #[cfg(not(unix))]
    fn signal_target(&self, _job: JobId) -> Option<SignalTarget> {
        None
    }

    fn side_ui(&mut self, unavailable: &Unavailable, context: &mut PageContext, ui: &mut Ui) {
        let (draft, commands) = (&mut self.state.draft, &mut self.commands);
        // In a low window, `Start` and the list of jobs stay in sight, and what is above them scrolls.
        let height = ui.available_height();
        let choices = &mut context.state.pages.choices;
        let is_dialog_open = context.dialogs.is_open();
        let mut next_job_ui = |ui: &mut Ui| {
            let recent = &choices.recent;
            files_panel::files_ui(draft, recent, is_dialog_open, unavailable, ui, commands);
            ui.separator();
            options_panel::options_ui(choices, &draft.inputs, ui, commands);
        };
        if height.is_finite() {
            ScrollArea::vertical()
                .id_salt("next job")
                .auto_shrink([false, true])
                .max_height(height - SPACE_BELOW)
                .show(ui, next_job_ui);
        } else {
            next_job_ui(ui);
        }
        ui.add_space(4.0);
        if unavailable.primary_button(command::START, ui).clicked() {
            commands.push(WorkbenchCommand::Ui(command::START));
        }
        ui.separator();
        let (selected, list) = (self.state.selected, &mut self.state.jobs);
        jobs_panel::jobs_ui(&self.record, selected, list, unavailable, ui, commands);
    }

    fn selected_job_ui(
        &mut self,
        unavailable: &Unavailable,
        context: &mut PageContext,
        ui: &mut Ui,
    ) {
        let selected = self.state.selected;
        let signal_target = selected.and_then(|job| self.signal_target(job));
        let Self {
            board,
            record,
            state,
            commands,
            resolving,
            waits,
            ..
        } = self;
        let Some(job) = selected.and_then(|id| record.job(id)) else {
            doors::doors_ui(ui, commands);
            return;
        };
        let now = board.now();
        let props = JobProps {
            job,
            now,
            unavailable,
            signal_target,
            blocked_for: state.blocked_for,
        };
        let choices = &mut context.state.pages.choices;
        let height = ui.available_height();
        scroll_ui("selected job", ui, |ui| {
            job_panel::job_ui(&props, choices, ui, commands);
            ui.add_space(2.0);
            panes_ui(&mut state.pane, job, ui);
            let has_details = state.pane == Pane::Results && state.results.shown_item().is_some();
            let least = if has_details {
                MIN_HEIGHT_WITH_DETAILS
            } else {
                MIN_PANE_HEIGHT
            };
            rest_ui(height, least, ui, |ui| match state.pane {
                Pane::Results => {
                    let focus = std::mem::take(&mut state.focus_filter);
                    results_pane::results_ui(job, now, &mut state.results, focus, ui, commands);
                }
                Pane::Output => {
                    let focus = std::mem::take(&mut state.focus_filter);
                    output_pane::output_ui(job, &mut state.output, focus, ui, commands);
                }
                Pane::Panic => {
                    let keys = resolving.iter().filter(|(id, _)| *id == job.id());
                    let keys: Vec<_> = keys.map(|(_, key)| *key).collect();
                    panic_pane::panic_ui(job, &keys, ui, commands);
                }
                Pane::Waits => {
                    let selected = state.results.selection.single();
                    waits.ui(job.id(), selected, now, ui, commands);
                }
            });
        });
    }
}

impl Page for Workbench {
    fn info(&self) -> &'static PageInfo {
        INFO
    }

    fn select(&mut self, name: &str) {
        self.select_by_name(name);
    }

    fn needs_close_timeout(&self) -> bool {
        true
    }

    fn poll(&mut self, context: &mut PageContext) {
        self.poll_board(context);
        self.take_drops(context);
        self.poll_inputs(context);
        self.update_order(context);
        if context.shows(&ID) {
            self.update_waits(context);
            self.update_output(&context.ctx);
        }
    }

    fn wants_poll_in(&self) -> Option<Duration> {
        self.board.wants_poll_in()
    }

    fn running(&self) -> Running {
        Running {
            jobs: self.own_jobs().count(),
            tasks: self.board.running(),
            processes: self.board.processes(),
        }
    }

    fn news(&self) -> Option<String> {
        let mut running = self.running_jobs();
        match (running.next(), running.count()) {
            (Some(job), 0) => Some(jobs_panel::news(job)),
            (Some(_), others) => Some(format!("{} jobs are running", others + 1)),
            (None, _) => self.record.jobs().next_back().map(jobs_panel::news),
        }
    }

    fn ui(&mut self, context: &mut PageContext, ui: &mut Ui) {
        let unavailable = Unavailable::of(self, context);
        LAYOUT.show(ui, |part, ui| match part {
            Part::Side => self.side_ui(&unavailable, context, ui),
            Part::Main => {
                if std::mem::take(&mut self.state.reveal_job) {
                    // Below the choices, in a narrow window.
                    ui.scroll_to_cursor(Some(Align::TOP));
                }
                self.selected_job_ui(&unavailable, context, ui);
            }
        });
        self.dialogs_ui(ui);
    }

    fn why_not(&self, command: UiCommand, context: &PageContext) -> Option<Cow<'static, str>> {
        self.refusal(command, context)
    }

    fn run_command(&mut self, command: UiCommand, context: &mut PageContext) {
        self.run(WorkbenchCommand::Ui(command), context);
    }

    fn run_commands(&mut self, context: &mut PageContext) -> bool {
        let commands = std::mem::take(&mut self.commands);
        run_each(commands, |command| self.run(command, context))
    }

    fn take_answer(&mut self, answer: DialogAnswer, context: &mut PageContext) {
        if let Some(purpose) = self.purpose.take() {
            self.take_picked(purpose, answer, context);
        }
    }

    /// They join the inputs that are there; for the first ones, the job is chosen that fits.
    fn open_files(&mut self, files: &[PathBuf], context: &mut PageContext) {
        let inputs = &mut self.state.draft.inputs;
        if inputs.is_empty() && !inputs.is_arriving() {
            context.state.pages.choices.choose_for(files);
        }
        self.add_inputs(files.to_vec(), context);
    }

    fn undo(&mut self, number: u64, _context: &mut PageContext) {
        self.undo_inputs(number);
    }

    fn cancel(&mut self) -> Duration {
        let jobs = self.own_jobs();
        let jobs: Vec<_> = jobs
            .map(|job| (job.id(), job.spec().options.job().stop_time()))
            .collect();
        for &(job, _) in &jobs {
            self.board.cancel(job);
        }
        let stop_times = jobs.into_iter().map(|(_, time)| time);
        stop_times.max().unwrap_or_default()
    }

    fn close(&mut self, timeout: Duration, keep_running: bool) {
        if keep_running {
            let jobs = self.own_jobs().map(JobRecord::id).collect();
            let board = std::mem::replace(&mut self.board, JobBoard::new(|| {}));
            let record = std::mem::take(&mut self.record);
            self.detached.keep(board, record, jobs);
        } else if self.board.shutdown(timeout) > 0 {
            #[cfg(unix)]
            self.kill_trees(timeout);
        }
    }
}

/// The panes, and the number of panics.
fn panes_ui(pane: &mut Pane, job: &JobRecord, ui: &mut Ui) {
    ui.horizontal_wrapped(|ui| {
        for candidate in Pane::ALL {
            let (shown, hint) = candidate.explained();
            ui.selectable_value(pane, candidate, shown)
                .accessible_name(candidate.title())
                .on_hover_text(hint);
        }
        let panics = job.counts().panicked;
        if panics > 0 {
            mark_ui(ui, Mark::Warning, tokens(ui).panicked);
            let panics = crate::format::plural(panics, "panic", "panics");
            ui.label(format!("{panics} captured"));
        }
    });
}
