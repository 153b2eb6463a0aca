//! The Workbench: jobs, what they are started with, and what they came back with.

mod choices;
mod command;
mod command_options;
mod detached;
mod fetch_options;
mod files_panel;
mod form;
mod images_options;
mod job_panel;
mod jobs_panel;
mod options_panel;
mod ordering;
mod output;
mod output_log;
mod output_pane;
mod output_view;
mod panic_pane;
mod poll;
pub mod results_pane;
mod results_rows;
mod results_view;
mod run_command;
mod saving;
mod view;
mod waits_pane;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use eframe::egui::{self, CentralPanel, Key, KeyboardShortcut, Modifiers, Panel, Ui};

use self::job_panel::Target;
use self::ordering::Ordering;
use self::run_command::Purpose;
use self::waits_pane::WaitRow;
use super::{DialogAnswer, Page, PageId, PageSetup, Running, Shell};
use crate::board::JobBoard;
use crate::join;
use crate::record::{ItemId, JobId, JobRecord, PanicKey, Record};
use crate::ui::tokens::{SIDE_WIDTH, tokens};
use crate::ui::widgets;

pub use choices::Choices;
pub use command::Command;
pub use detached::DetachedJobs;
pub(crate) use options_panel::workers_ui;
pub(crate) use output_view::{LogScroll, ShownOutput};
pub use output_view::{OutputView, Stream};
pub use results_view::{Column, Order, ResultsView, Sort};
pub use view::{BlockedFor, Draft, Pane, View};

pub(crate) const ID: PageId = PageId::new("workbench");

/// The jobs, and what the page shows of them.
pub(crate) struct Workbench {
    board: JobBoard,
    record: Record,
    view: View,
    commands: Vec<Command>,
    /// What the open file dialog is for.
    purpose: Option<Purpose>,
    ordering: Ordering,
    resolving: Vec<(JobId, PanicKey)>,
    waits: Vec<WaitRow>,
    /// When the last frame began to take in events, if it left some over.
    behind_since: Option<Instant>,
    detached: DetachedJobs,
}

impl Workbench {
    pub(super) fn new(ctx: &egui::Context, setup: &PageSetup) -> Self {
        let wake = ctx.clone();
        let board = JobBoard::new(move || wake.request_repaint());
        #[cfg(unix)]
        let board = match setup.launcher.clone() {
            Some(launcher) => board.with_launcher(launcher),
            None => board,
        };
        let mut workbench = Self {
            board,
            record: Record::default(),
            view: View::default(),
            commands: Vec::new(),
            purpose: None,
            ordering: Ordering::default(),
            resolving: Vec::new(),
            waits: Vec::new(),
            behind_since: None,
            detached: setup.detached.clone(),
        };
        workbench.add_inputs(setup.files.clone());
        workbench
    }

    fn running_jobs(&self) -> impl Iterator<Item = &JobRecord> {
        self.record.jobs().filter(|job| !job.state().is_ended())
    }

    /// Adds what is not there yet, as absolute paths, so that they mean the same later.
    fn add_inputs(&mut self, paths: Vec<PathBuf>) {
        for path in paths {
            let path = std::path::absolute(&path).unwrap_or(path);
            if !self.view.draft.inputs.contains(&path) {
                self.view.draft.inputs.push(path);
            }
        }
    }

    fn select_job(&mut self, job: JobId) {
        if self.view.selected != Some(job) {
            self.view.selected = Some(job);
            self.view.results = ResultsView::default();
        }
    }

    /// Leaves nothing behind that was started: whatever is left of it had its time.
    #[cfg(unix)]
    fn kill_trees(&self, timeout: Duration) {
        let began = Instant::now();
        let jobs = self.running_jobs().map(JobRecord::id);
        let processes = jobs.flat_map(|job| self.board.running_processes(job));
        let tasks = processes.filter_map(|(_, process)| {
            // One that can't be had ends with this program, like its process.
            join::spawn("kill what is left", move |_| process.stop(Duration::ZERO)).ok()
        });
        for task in tasks.collect::<Vec<_>>() {
            // Nobody is left to be told what could not be killed.
            drop(task.join_timeout(timeout.saturating_sub(began.elapsed())));
        }
    }

    fn side_ui(&mut self, shell: &mut Shell, ui: &mut Ui) {
        let why_not = self.why_not_start(&shell.state.choices);
        let (draft, commands) = (&mut self.view.draft, &mut self.commands);
        files_panel::files_ui(draft, shell.dialogs.is_open(), ui, commands);
        ui.separator();
        let choices = &mut shell.state.choices;
        options_panel::options_ui(choices, &draft.inputs, why_not.as_deref(), ui, commands);
        ui.separator();
        jobs_panel::jobs_ui(&self.record, &self.view, ui, commands);
    }

    fn selected_job_ui(&mut self, shell: &mut Shell, ui: &mut Ui) {
        let Self {
            board,
            record,
            view,
            commands,
            resolving,
            waits,
            ..
        } = self;
        let Some(job) = view.selected.and_then(|id| record.job(id)) else {
            let hint = "Add files, choose a job and press Start. The window stays free meanwhile.";
            widgets::empty_ui(ui, "No job yet", hint);
            return;
        };
        let now = board.now();
        let parts = job_panel::Parts {
            job,
            now,
            target: target(board, job.id(), view.results.selected),
            blocked_for: view.blocked_for,
        };
        job_panel::job_ui(&parts, &mut shell.state.choices, ui, commands);
        ui.add_space(2.0);
        panes_ui(&mut view.pane, job, ui);
        match view.pane {
            Pane::Results => {
                let focus = std::mem::take(&mut view.focus_filter);
                results_pane::results_ui(job, now, &mut view.results, focus, ui, commands);
            }
            Pane::Output => {
                let focus = std::mem::take(&mut view.focus_filter);
                output_pane::output_ui(job, &mut view.output, focus, ui, commands);
            }
            Pane::Panic => {
                let keys = resolving.iter().filter(|(id, _)| *id == job.id());
                let keys: Vec<_> = keys.map(|(_, key)| *key).collect();
                panic_pane::panic_ui(job, &keys, ui, commands);
            }
            Pane::Waits => waits_pane::waits_ui(waits, ui),
        }
    }
}

impl Page for Workbench {
    fn id(&self) -> PageId {
        ID
    }

    fn title(&self) -> &'static str {
        "Workbench"
    }

    fn poll(&mut self, shell: &mut Shell) {
        self.poll_board(shell);
        self.take_drops(&shell.ctx);
        self.update_order(shell);
        self.update_waits();
        if shell.shows(&ID) {
            self.update_output(&shell.ctx);
        }
    }

    fn wants_poll_in(&self) -> Option<Duration> {
        self.board.wants_poll_in()
    }

    fn running(&self) -> Running {
        Running {
            jobs: self.running_jobs().count(),
            tasks: self.board.running(),
            processes: self.board.processes(),
        }
    }

    fn ui(&mut self, shell: &mut Shell, ui: &mut Ui) {
        Panel::left("next job and jobs")
            .default_size(SIDE_WIDTH)
            .min_size(300.0)
            .show(ui, |ui| self.side_ui(shell, ui));
        CentralPanel::default().show(ui, |ui| self.selected_job_ui(shell, ui));
    }

    fn shortcuts(&mut self, shell: &mut Shell, ui: &Ui) {
        let pressed = |modifiers, key| {
            ui.input_mut(|input| input.consume_shortcut(&KeyboardShortcut::new(modifiers, key)))
        };
        // The longer combination first: the shorter one would take its key.
        if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::O) {
            self.commands.push(Command::PickFolder);
        }
        if pressed(Modifiers::COMMAND, Key::O) {
            self.commands.push(Command::PickFiles);
        }
        if pressed(Modifiers::COMMAND, Key::Enter)
            && self.why_not_start(&shell.state.choices).is_none()
        {
            self.commands.push(Command::Start);
        }
        if pressed(Modifiers::COMMAND, Key::F) {
            if self.view.pane != Pane::Output {
                self.view.pane = Pane::Results;
            }
            self.view.focus_filter = true;
        }
    }

    fn run_commands(&mut self, shell: &mut Shell) {
        for command in std::mem::take(&mut self.commands) {
            let _running = shell.watch.guard(command.label());
            self.run_command(command, shell);
        }
    }

    fn take_answer(&mut self, answer: DialogAnswer, shell: &mut Shell) {
        if let Some(purpose) = self.purpose.take() {
            self.take_picked(purpose, answer, shell);
        }
    }

    fn cancel(&mut self) -> Duration {
        let jobs = self.running_jobs();
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
            let jobs = self.running_jobs().map(JobRecord::id).collect();
            let board = std::mem::replace(&mut self.board, JobBoard::new(|| {}));
            self.detached.keep(board, jobs);
        } else if self.board.shutdown(timeout) > 0 {
            #[cfg(unix)]
            self.kill_trees(timeout);
        }
    }
}

/// Whose processes the buttons of a job end.
#[cfg(unix)]
fn target(board: &JobBoard, job: JobId, selected: Option<ItemId>) -> Target {
    let running = board.running_processes(job);
    let Some(item) = selected else {
        return match running.len() {
            0 => Target::Nobody,
            count => Target::All(count),
        };
    };
    let process = running.into_iter().find(|(id, _)| *id == item);
    process.map_or(Target::Nobody, |(item, process)| {
        Target::One(item, process.pid())
    })
}

#[cfg(not(unix))]
fn target(_board: &JobBoard, _job: JobId, _selected: Option<ItemId>) -> Target {
    Target::Nobody
}

/// The panes' names, and how many panics there are, so that nobody has to look for none.
fn panes_ui(pane: &mut Pane, job: &JobRecord, ui: &mut Ui) {
    ui.horizontal(|ui| {
        for candidate in Pane::ALL {
            ui.selectable_value(pane, candidate, candidate.title());
        }
        let panics = job.counts().panicked;
        if panics > 0 {
            widgets::mark_ui(ui, widgets::Mark::Warning, tokens(ui).panicked);
            let panics = crate::format::plural(panics, "panic", "panics");
            ui.label(format!("{panics} captured"));
        }
    });
}
