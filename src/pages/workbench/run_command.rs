use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(unix)]
use super::adopting::Adopting;
use super::ending::{self, Ending};
use super::{
    BlockedFor, Choices, Pane, Stream, Workbench, WorkbenchCommand, command, results_menu, saving,
};
use crate::board::ItemNames;
use crate::desktop::drops_files;
#[cfg(unix)]
use crate::jobs;
use crate::jobs::form::PathKind;
use crate::jobs::{JobSpec, place};
#[cfg(unix)]
use crate::join::process::RunningProcess;
use crate::pages::background_tasks::{TaskOutput, drop_in_task};
use crate::pages::commands::UiCommand;
use crate::pages::{DialogAnswer, DialogRequest, PageContext};
use crate::record::{ItemId, JobId, JobRecord};
use crate::ui::notices::Notice;

/// The purpose of the open file dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DialogPurpose {
    Inputs,
    /// The row of this label in the form of a job, which has this place among the jobs.
    Option {
        job: usize,
        label: &'static str,
    },
    Report(JobId),
    List(JobId),
    Output(JobId, ItemId, Stream),
}

impl DialogPurpose {
    /// The advice where no dialog can be shown.
    fn instead(self) -> &'static str {
        match self {
            Self::Inputs if drops_files() => {
                "Type the path into Path, or drop the files on the window."
            }
            Self::Inputs => "Type the path into Path.",
            Self::Option { .. } => "Type the path.",
            Self::Report(_) => "Copy report puts it on the clipboard.",
            Self::Output(..) => "Copy output puts its text on the clipboard.",
            Self::List(_) => "On the command line, meanwhile run checksum --output FILE saves it.",
        }
    }
}

/// A way to end a process.
#[derive(Clone, Copy)]
enum Signal {
    Terminate,
    Kill,
    StopTree,
}

impl Workbench {
    /// Runs one command. Called at the end of a frame, when nothing is being drawn.
    pub(super) fn run(&mut self, command: WorkbenchCommand, context: &mut PageContext) {
        match command {
            WorkbenchCommand::Ui(command) => self.run_ui_command(command, context),
            WorkbenchCommand::PickPath { label, kind } => {
                let title = label.to_owned();
                let request = match kind {
                    PathKind::File => DialogRequest::File { title },
                    PathKind::Folder => DialogRequest::Folder { title },
                };
                let job = context.state.pages.choices.chosen;
                self.open_dialog(DialogPurpose::Option { job, label }, request, context);
            }
            WorkbenchCommand::RemoveInput(index) => {
                self.state.draft.inputs.remove(index);
            }
            WorkbenchCommand::AddRecent(path) => self.add_inputs(vec![path], context),
            WorkbenchCommand::Select(job) => self.select_job(job),
            WorkbenchCommand::ShowOutput(job, item) => {
                self.select_job(job);
                self.state.results.selection.select_only(item);
                self.state.pane = Pane::Output;
            }
            WorkbenchCommand::OpenPage(page) => context.state.page = page,
            WorkbenchCommand::CopyText(text) => context.ctx.copy_text(text),
            WorkbenchCommand::ResolveBacktrace(job, key) => {
                if !self.resolving.contains(&(job, key)) {
                    self.resolving.push((job, key));
                    self.board.resolve_backtrace(job, key);
                }
            }
            #[cfg(unix)]
            WorkbenchCommand::Adopt(running) => self.adopt(&running, context),
            WorkbenchCommand::EndAdopted(job, command) => {
                let signal = match command {
                    command::TERMINATE => Signal::Terminate,
                    command::KILL => Signal::Kill,
                    _ => Signal::StopTree,
                };
                self.signal(signal, job, context);
            }
            WorkbenchCommand::LeaveAdopted(job) => self.board.cancel(job),
        }
    }

    fn run_ui_command(&mut self, command: UiCommand, context: &mut PageContext) {
        let _running = context
            .watch
            .guard(label(command, &context.state.pages.choices));
        match command {
            command::ADD_FILES => {
                self.open_dialog(DialogPurpose::Inputs, DialogRequest::Files, context);
            }
            command::ADD_FOLDER => {
                self.open_dialog(DialogPurpose::Inputs, DialogRequest::Folders, context);
            }
            command::ADD_PATH => {
                let path = std::mem::take(&mut self.state.draft.path_text);
                self.add_inputs(vec![place::typed(path.trim())], context);
            }
            command::RECENT => {
                let recent = &context.state.pages.choices.recent;
                self.state.draft.recent.start(recent, context.waker());
            }
            #[cfg(unix)]
            command::ADD_PROCESS => match Adopting::start(context.waker()) {
                Ok(adopting) => self.state.adopting = Some(adopting),
                Err(error) => context.notify(Notice::error(error.to_string())),
            },
            command::CLEAR_RECENT => context.state.pages.choices.recent.clear(),
            command::CLEAR_INPUTS => std::mem::take(&mut self.state.draft.inputs).close(),
            command::START => self.start(self.spec(&context.state.pages.choices), context),
            command::FIND => {
                if self.state.pane != Pane::Output {
                    self.state.pane = Pane::Results;
                }
                self.state.focus_filter = true;
            }
            _ => {
                if let Some(job) = self.state.selected {
                    self.run_on_selected(command, job, context);
                }
            }
        }
    }

    fn run_on_selected(&mut self, command: UiCommand, job: JobId, context: &mut PageContext) {
        let record = self.record.job(job);
        let is_adopted = record.is_some_and(|job| job.spec().options.job().leaves_processes());
        if is_adopted && ending::ends(command) {
            self.state.ending = Some(Ending { job, command });
            return;
        }
        let timeout = Duration::from_secs_f64(context.state.pages.choices.timeout_secs);
        match command {
            command::JOIN => self.join(job, None, &context.state.pages.choices),
            command::JOIN_WITH_TIMEOUT => {
                self.join(job, Some(timeout), &context.state.pages.choices);
            }
            command::DETACH => self.board.detach(job),
            command::CANCEL => self.board.cancel(job),
            command::TERMINATE => self.signal(Signal::Terminate, job, context),
            command::KILL => self.signal(Signal::Kill, job, context),
            command::STOP_TREE => self.signal(Signal::StopTree, job, context),
            command::RUN_AGAIN => self.run_again(job, context),
            command::COPY_REPORT => {
                let now = self.board.now();
                self.run_in_background(job, "copy report", context, move |job| {
                    saving::copy_report(job, now)
                });
            }
            command::SAVE_REPORT => {
                let request =
                    save_request("Save the report", format!("meanwhile-{}.txt", job.get()));
                self.open_dialog(DialogPurpose::Report(job), request, context);
            }
            command::SAVE_LIST => {
                let request = save_request("Save the checksum list", self.list_name(job));
                self.open_dialog(DialogPurpose::List(job), request, context);
            }
            command::REMOVE => {
                self.remove(job, context);
                context.announcement.clear();
            }
            command::SHOW_IN_TIMELINE => self.show_in_timeline(job, context),
            _ if results_menu::has(command) => self.run_on_rows(command, job, context),
            command::NEXT_PAGE | command::PREVIOUS_PAGE => self.state.results.turn(command),
            _ => self.run_on_output(command, context),
        }
    }

    fn run_on_output(&mut self, command: UiCommand, context: &mut PageContext) {
        let Some(shown) = &mut self.state.output.shown else {
            return;
        };
        match command {
            command::SAVE_OUTPUT => {
                let (job, item, stream) = (shown.job, shown.item, shown.stream);
                let name = stream.title().to_lowercase();
                let name = format!("meanwhile-{}-{}.{name}.txt", job.get(), item.index() + 1);
                let purpose = DialogPurpose::Output(job, item, stream);
                self.open_dialog(purpose, save_request("Save the output", name), context);
            }
            command::COPY_OUTPUT => context.ctx.copy_text(shown.log.text()),
            _ => shown.run(command),
        }
    }

    /// Adds inputs to the next job, and remembers them.
    pub(super) fn add_inputs(&mut self, paths: Vec<PathBuf>, context: &mut PageContext) {
        context.state.pages.choices.recent.add(&paths);
        self.state.draft.inputs.add(paths);
    }

    /// The next job. Its results go where the form says now, wherever this program is later.
    fn spec(&self, choices: &Choices) -> JobSpec {
        let mut options = choices.options().clone();
        for path in options.job_mut().places() {
            *path = place::full(path);
        }
        JobSpec {
            options,
            inputs: self.state.draft.inputs.shared(),
            run_on: choices.run_on,
            workers: choices.workers,
            priority: choices.priority,
        }
    }

    fn start(&mut self, spec: JobSpec, context: &mut PageContext) {
        self.start_part(spec, None, context);
    }

    /// Starts a job, or with `only` the items with these names.
    pub(super) fn start_part(
        &mut self,
        spec: JobSpec,
        only: Option<Arc<ItemNames>>,
        context: &mut PageContext,
    ) {
        let started = match &only {
            Some(only) => self.board.start_part(spec, Arc::clone(only)),
            None => self.board.start(spec),
        };
        context.announcement.clear();
        match started {
            Ok(job) => {
                self.parts.extend(only.map(|only| (job, only)));
                self.select_job(job);
                self.state.pane = Pane::Results;
            }
            Err(error) => context.notify(Notice::error(format!(
                "The job could not be started: {error}. End other work first."
            ))),
        }
    }

    /// Starts a job that waits for this process.
    #[cfg(unix)]
    fn adopt(&mut self, running: &RunningProcess, context: &mut PageContext) {
        let catalogue = jobs::catalogue();
        let mut options = catalogue.iter().map(jobs::Options::job);
        if let Some(options) = options.find_map(|job| job.adopting(running)) {
            let spec = JobSpec {
                workers: 1,
                ..JobSpec::new(options)
            };
            self.start(spec, context);
        }
    }

    fn run_again(&mut self, job: JobId, context: &mut PageContext) {
        if let Some(job) = self.record.job(job) {
            let only = self.parts.get(&job.id()).cloned();
            let spec = JobSpec::clone(&Arc::clone(job.spec()));
            self.start_part(spec, only, context);
        }
    }

    fn remove(&mut self, job: JobId, context: &mut PageContext) {
        if let Some(removed) = self.record.remove(job) {
            let trace = context.trace.remove(job);
            drop_in_task("drop job", (removed, trace));
        }
        self.board.remove(job);
        if let Some(names) = self.parts.remove(&job) {
            drop_in_task("drop item names", names);
        }
        if self.record.job(job).is_none() && self.state.selected == Some(job) {
            let newest = self.record.jobs().next_back().map(JobRecord::id);
            self.state.selected = None;
            if let Some(newest) = newest {
                self.select_job(newest);
            }
        }
    }

    fn join(&mut self, job: JobId, timeout: Option<Duration>, choices: &Choices) {
        if !choices.wait_on_ui_thread {
            self.state.blocked_for = None;
            self.board.join(job, timeout);
            return;
        }
        let began = Instant::now();
        self.board.join_blocking(job, timeout);
        let blocked = began.elapsed();
        self.state.blocked_for = Some(BlockedFor { job, blocked });
    }

    #[cfg(unix)]
    fn signal(&self, signal: Signal, job: JobId, context: &mut PageContext) {
        let items = if self.state.results.selection.is_empty() {
            vec![None]
        } else {
            let items = self.selected_processes(job).into_iter();
            items.map(Some).collect()
        };
        let signal = |item| match signal {
            Signal::Terminate => self.board.terminate(job, item).err(),
            Signal::Kill => self.board.kill(job, item).err(),
            Signal::StopTree => {
                let options = self.record.job(job).map(|job| &job.spec().options);
                let grace = options.map_or(Duration::ZERO, |options| options.job().stop_time());
                let stopped = self.board.stop_tree(job, item, grace);
                stopped.err().map(std::io::Error::other)
            }
        };
        let refused: Vec<_> = items.into_iter().filter_map(signal).collect();
        for error in refused {
            context.notify(Notice::error(format!(
                "A process could not be ended: {error}. Cancel the job instead."
            )));
        }
    }

    /// Nothing runs as a process here.
    #[cfg(not(unix))]
    fn signal(&self, _: Signal, _: JobId, _: &mut PageContext) {}

    fn list_name(&self, job: JobId) -> String {
        let job = self.record.job(job);
        let name = job.and_then(|job| job.spec().options.job().list_name());
        name.unwrap_or_else(|| "list.txt".to_owned())
    }

    /// Does nothing while a dialog is open.
    fn open_dialog(
        &mut self,
        purpose: DialogPurpose,
        request: DialogRequest,
        context: &mut PageContext,
    ) {
        if context.dialogs.request(super::ID, request) {
            self.purpose = Some(purpose);
        }
    }

    pub(super) fn take_picked(
        &mut self,
        purpose: DialogPurpose,
        answer: DialogAnswer,
        context: &mut PageContext,
    ) {
        let Some(paths) = context.picked(answer, purpose.instead()) else {
            return;
        };
        if purpose == DialogPurpose::Inputs {
            self.add_inputs(paths, context);
        } else if let Some(path) = paths.into_iter().next() {
            self.save(purpose, path, context);
        }
    }

    fn save(&self, purpose: DialogPurpose, path: PathBuf, context: &mut PageContext) {
        let now = self.board.now();
        match purpose {
            DialogPurpose::Inputs => {}
            DialogPurpose::Option { job, label } => {
                context.state.pages.choices.set_path(job, label, path);
            }
            DialogPurpose::Report(id) => {
                self.run_in_background(id, "save report", context, move |job| {
                    saving::save_report(job, now, &path)
                });
            }
            DialogPurpose::List(id) => {
                self.run_in_background(id, "save list", context, move |job| {
                    saving::save_list(job, &path)
                });
            }
            DialogPurpose::Output(id, item, stream) => {
                let source = self.source(id, item);
                self.run_in_background(id, "save output", context, move |job| {
                    saving::save_output(job, &source, stream, &path)
                });
            }
        }
    }

    /// Runs a background task on a snapshot of a job.
    pub(super) fn run_in_background(
        &self,
        id: JobId,
        name: &str,
        context: &mut PageContext,
        work: impl FnOnce(&JobRecord) -> TaskOutput + Send + 'static,
    ) {
        if let Some(job) = self.record.job(id).cloned() {
            context.run_in_background(name, move || work(&job));
        }
    }
}

/// The watchdog's label of a command that takes too long.
fn label(command: UiCommand, choices: &Choices) -> &'static str {
    match command {
        command::JOIN | command::JOIN_WITH_TIMEOUT if choices.wait_on_ui_thread => {
            "waiting for a job on the UI thread"
        }
        command::START | command::RUN_AGAIN | command::RUN_THESE_AGAIN => "starting a job",
        command::REMOVE => "removing a job from the list",
        command::TERMINATE | command::KILL | command::STOP_TREE => "ending a process",
        _ => "running a command",
    }
}

fn save_request(title: &str, file_name: String) -> DialogRequest {
    DialogRequest::Save {
        title: title.to_owned(),
        file_name,
    }
}
