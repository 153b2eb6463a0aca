use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{BlockedFor, Choices, Command, Pane, Stream, Workbench, saving};
use crate::jobs::JobSpec;
use crate::pages::background_tasks::Outcome;
use crate::pages::commands::UiCommand;
use crate::pages::{DialogAnswer, DialogRequest, Shell};
use crate::record::{ItemId, JobId, JobRecord};
use crate::ui::notices::Notice;

/// What the open file dialog is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Inputs,
    OutputFolder,
    Report(JobId),
    List(JobId),
    Output(JobId, ItemId, Stream),
}

impl Purpose {
    /// What to do where no dialog can be shown.
    fn instead(self) -> &'static str {
        match self {
            Self::Inputs => "Type the path into Path, or drop the files on the window.",
            Self::OutputFolder => "Type the path of the folder.",
            Self::Report(_) => "Copy report puts it on the clipboard.",
            Self::Output(..) => "Copy output puts its text on the clipboard.",
            Self::List(_) => "On the command line, meanwhile run checksum --output FILE saves it.",
        }
    }
}

/// How a process is ended.
#[derive(Clone, Copy)]
enum Signal {
    Terminate,
    Kill,
    StopTree,
}

impl Workbench {
    /// Runs one command. Called at the end of a frame, when nothing is being drawn.
    pub(super) fn run(&mut self, command: Command, shell: &mut Shell) {
        match command {
            Command::Ui(command) => self.run_ui_command(command, shell),
            Command::PickOutputFolder => {
                let title = "Save to a folder".to_owned();
                let request = DialogRequest::Folder { title };
                self.open_dialog(Purpose::OutputFolder, request, shell);
            }
            Command::AddInputs(paths) => self.add_inputs(paths),
            Command::RemoveInput(index) => {
                if index < self.view.draft.inputs.len() {
                    self.view.draft.inputs.remove(index);
                }
            }
            Command::Select(job) => self.select_job(job),
            Command::SaveOutput(job, item, stream) => {
                let name = stream.title().to_lowercase();
                let name = format!("meanwhile-{}-{}.{name}.txt", job.0, item.0 + 1);
                let purpose = Purpose::Output(job, item, stream);
                self.open_dialog(purpose, save_request("Save the output", name), shell);
            }
            Command::CopyText(text) => shell.ctx.copy_text(text),
            Command::ResolveBacktrace(job, key) => {
                if !self.resolving.contains(&(job, key)) {
                    self.resolving.push((job, key));
                    self.board.resolve_backtrace(job, key);
                }
            }
        }
        // The frame that shows the effect comes at once, not when something else happens.
        shell.ctx.request_repaint();
    }

    fn run_ui_command(&mut self, command: UiCommand, shell: &mut Shell) {
        let _running = shell.watch.guard(label(command, &shell.state.choices));
        match command {
            UiCommand::AddFiles => self.open_dialog(Purpose::Inputs, DialogRequest::Files, shell),
            UiCommand::AddFolder => {
                self.open_dialog(Purpose::Inputs, DialogRequest::Folders, shell);
            }
            UiCommand::ClearInputs => self.view.draft.inputs.clear(),
            UiCommand::Start => self.start(self.spec(&shell.state.choices), shell),
            UiCommand::Find => {
                if self.view.pane != Pane::Output {
                    self.view.pane = Pane::Results;
                }
                self.view.focus_filter = true;
            }
            _ => {
                if let Some(job) = self.view.selected {
                    self.run_on_selected(command, job, shell);
                }
            }
        }
    }

    fn run_on_selected(&mut self, command: UiCommand, job: JobId, shell: &mut Shell) {
        let timeout = Duration::from_secs_f64(shell.state.choices.timeout_secs);
        match command {
            UiCommand::Join => self.join(job, None, &shell.state.choices),
            UiCommand::JoinWithTimeout => self.join(job, Some(timeout), &shell.state.choices),
            UiCommand::Detach => self.board.detach(job),
            UiCommand::Cancel => self.board.cancel(job),
            UiCommand::Terminate => self.signal(Signal::Terminate, job, shell),
            UiCommand::Kill => self.signal(Signal::Kill, job, shell),
            UiCommand::StopTree => self.signal(Signal::StopTree, job, shell),
            UiCommand::RunAgain => self.run_again(job, shell),
            UiCommand::CopyReport => {
                let now = self.board.now();
                self.run_in_background(job, "copy report", shell, move |job| {
                    saving::copy_report(job, now)
                });
            }
            UiCommand::SaveReport => {
                let request = save_request("Save the report", format!("meanwhile-{}.txt", job.0));
                self.open_dialog(Purpose::Report(job), request, shell);
            }
            UiCommand::SaveList => {
                let request = save_request("Save the checksum list", self.list_name(job));
                self.open_dialog(Purpose::List(job), request, shell);
            }
            UiCommand::Remove => self.remove(job),
            _ => {}
        }
    }

    /// Why a command can't run now, if it can't.
    pub(super) fn refusal(&self, command: UiCommand, shell: &Shell) -> Option<Cow<'static, str>> {
        match command {
            UiCommand::AddFiles | UiCommand::AddFolder => {
                let is_open = shell.dialogs.is_open();
                return is_open.then_some("A file dialog is already open.".into());
            }
            UiCommand::ClearInputs => {
                let is_empty = self.view.draft.inputs.is_empty();
                return is_empty.then_some("There are no inputs.".into());
            }
            UiCommand::Start => return self.why_not_start(&shell.state.choices).map(Cow::from),
            UiCommand::Find => return None,
            _ => {}
        }
        let Some(job) = self.view.selected.and_then(|id| self.record.job(id)) else {
            return Some("No job is selected.".into());
        };
        let has_ended = job.state().is_ended();
        let is_waiting = job.active_joins().next().is_some();
        let why_not = match command {
            UiCommand::Join | UiCommand::JoinWithTimeout => {
                is_waiting.then_some("Already waiting. Detach stops the wait.")
            }
            UiCommand::Detach => (!is_waiting).then_some("No wait is running."),
            UiCommand::Cancel => has_ended.then_some("The job has ended."),
            UiCommand::Terminate | UiCommand::Kill | UiCommand::StopTree => {
                let is_idle = self.signal_target(job.id()).is_none();
                is_idle.then_some("No process is running.")
            }
            UiCommand::SaveReport | UiCommand::Remove => {
                (!has_ended).then_some("The job has not ended yet.")
            }
            UiCommand::SaveList => {
                (job.counts().returned == 0).then_some("There is no checksum yet.")
            }
            _ => None,
        };
        why_not.map(Cow::from)
    }

    fn why_not_start(&self, choices: &Choices) -> Option<String> {
        let has_inputs = !self.view.draft.inputs.is_empty();
        choices.options().job().problem(has_inputs)
    }

    fn spec(&self, choices: &Choices) -> JobSpec {
        JobSpec {
            options: choices.options().clone(),
            inputs: self.view.draft.inputs.clone(),
            run_on: choices.run_on,
            workers: choices.workers,
            priority: choices.priority,
        }
    }

    fn start(&mut self, spec: JobSpec, shell: &mut Shell) {
        match self.board.start(spec) {
            Ok(job) => {
                self.select_job(job);
                self.view.pane = Pane::Results;
            }
            Err(error) => shell.notify(Notice::error(format!(
                "The job could not be started: {error}. End other work first."
            ))),
        }
    }

    fn run_again(&mut self, job: JobId, shell: &mut Shell) {
        if let Some(job) = self.record.job(job) {
            let spec = JobSpec::clone(&Arc::clone(job.spec()));
            self.start(spec, shell);
        }
    }

    fn remove(&mut self, job: JobId) {
        if let Some(removed) = self.record.remove(job) {
            saving::free(removed);
        }
        self.board.remove(job);
        if self.record.job(job).is_none() && self.view.selected == Some(job) {
            let newest = self.record.jobs().next_back().map(JobRecord::id);
            self.view.selected = None;
            if let Some(newest) = newest {
                self.select_job(newest);
            }
        }
    }

    fn join(&mut self, job: JobId, timeout: Option<Duration>, choices: &Choices) {
        if !choices.wait_on_ui_thread {
            self.view.blocked_for = None;
            self.board.join(job, timeout);
            return;
        }
        let began = Instant::now();
        self.board.join_blocking(job, timeout);
        let blocked = began.elapsed();
        self.view.blocked_for = Some(BlockedFor { job, blocked });
    }

    #[cfg(unix)]
    fn signal(&self, signal: Signal, job: JobId, shell: &mut Shell) {
        let item = self.view.results.selected;
        let refused = match signal {
            Signal::Terminate => self.board.terminate(job, item).err(),
            Signal::Kill => self.board.kill(job, item).err(),
            Signal::StopTree => {
                let options = self.record.job(job).map(|job| &job.spec().options);
                let grace = options.map_or(Duration::ZERO, |options| options.job().stop_time());
                let stopped = self.board.stop_tree(job, item, grace);
                stopped.err().map(std::io::Error::other)
            }
        };
        if let Some(error) = refused {
            shell.notify(Notice::error(format!(
                "A process could not be ended: {error}. Cancel the job instead."
            )));
        }
    }

    /// Nothing runs as a process here.
    #[cfg(not(unix))]
    fn signal(&self, _: Signal, _: JobId, _: &mut Shell) {}

    fn list_name(&self, job: JobId) -> String {
        let job = self.record.job(job);
        let name = job.and_then(|job| job.spec().options.job().list_name());
        name.unwrap_or_else(|| "list.txt".to_owned())
    }

    /// Does nothing while a dialog is open.
    fn open_dialog(&mut self, purpose: Purpose, request: DialogRequest, shell: &mut Shell) {
        if shell.dialogs.request(super::ID, request) {
            self.purpose = Some(purpose);
        }
    }

    pub(super) fn take_picked(
        &mut self,
        purpose: Purpose,
        answer: DialogAnswer,
        shell: &mut Shell,
    ) {
        let paths = match answer {
            DialogAnswer::Cancelled => return,
            DialogAnswer::Unavailable => {
                shell.notify(Notice::no_dialog(purpose.instead()));
                return;
            }
            DialogAnswer::Picked(paths) => paths,
        };
        if purpose == Purpose::Inputs {
            self.add_inputs(paths);
        } else if let Some(path) = paths.into_iter().next() {
            self.save(purpose, path, shell);
        }
    }

    fn save(&self, purpose: Purpose, path: PathBuf, shell: &mut Shell) {
        let now = self.board.now();
        match purpose {
            Purpose::Inputs => {}
            Purpose::OutputFolder => shell.state.choices.save_to(path),
            Purpose::Report(id) => {
                self.run_in_background(id, "save report", shell, move |job| {
                    saving::save_report(job, now, &path)
                });
            }
            Purpose::List(id) => {
                self.run_in_background(id, "save list", shell, move |job| {
                    saving::save_list(job, &path)
                });
            }
            Purpose::Output(id, item, stream) => {
                let source = self.source(id, item);
                self.run_in_background(id, "save output", shell, move |_| {
                    saving::save_output(&source, stream, &path)
                });
            }
        }
    }

    /// Runs a background task on a snapshot of a job.
    fn run_in_background(
        &self,
        id: JobId,
        name: &str,
        shell: &mut Shell,
        work: impl FnOnce(&JobRecord) -> Outcome + Send + 'static,
    ) {
        if let Some(job) = self.record.job(id).cloned() {
            shell.run_in_background(name, move || work(&job));
        }
    }
}

/// What the watchdog calls a command that takes too long.
fn label(command: UiCommand, choices: &Choices) -> &'static str {
    match command {
        UiCommand::Join | UiCommand::JoinWithTimeout if choices.wait_on_ui_thread => {
            "waiting for a job on the UI thread"
        }
        UiCommand::Start | UiCommand::RunAgain => "starting a job",
        UiCommand::Remove => "removing a job from the list",
        UiCommand::Terminate | UiCommand::Kill | UiCommand::StopTree => "ending a process",
        _ => "running a command",
    }
}

fn save_request(title: &str, file_name: String) -> DialogRequest {
    DialogRequest::Save {
        title: title.to_owned(),
        file_name,
    }
}
