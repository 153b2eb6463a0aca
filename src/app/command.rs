use eframe::egui;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dialog::{DialogRequest, OpenDialog, Purpose};
use super::{App, chores};
use crate::jobs::{JobSpec, Options};
use crate::record::{ItemId, JobId, JobRecord};
use crate::ui::close_question::Leaving;
use crate::ui::{BlockedFor, Command, Notice, Page, Pane};

/// What ends a process.
#[derive(Clone, Copy)]
enum Signal {
    Terminate,
    Kill,
    StopTree,
}

impl App {
    /// Runs one command. Called at the end of a frame, when nothing is being drawn.
    pub(super) fn run_command(
        &mut self,
        command: Command,
        ctx: &egui::Context,
        frame: &eframe::Frame,
    ) {
        match command {
            Command::PickFiles => {
                self.open_dialog(Purpose::Inputs, DialogRequest::Files, ctx, frame);
            }
            Command::PickFolder => {
                self.open_dialog(Purpose::Inputs, DialogRequest::Folders, ctx, frame);
            }
            Command::PickOutputFolder => {
                let request = DialogRequest::Folder {
                    title: "Save to a folder".to_owned(),
                };
                self.open_dialog(Purpose::OutputFolder, request, ctx, frame);
            }
            Command::AddInputs(paths) => self.add_inputs(paths),
            Command::RemoveInput(index) => {
                if index < self.view.draft.inputs.len() {
                    self.view.draft.inputs.remove(index);
                }
            }
            Command::ClearInputs => self.view.draft.inputs.clear(),
            Command::Start => self.start(self.spec()),
            Command::RunAgain(job) => self.run_again(job),
            Command::Select(job) => self.select(job),
            Command::Forget(job) => self.forget(job),
            Command::Join {
                job,
                timeout,
                blocking,
            } => self.join(job, timeout, blocking),
            Command::Cancel(job) => self.board.cancel(job),
            Command::Terminate(job, item) => self.signal(Signal::Terminate, job, item),
            Command::Kill(job, item) => self.signal(Signal::Kill, job, item),
            Command::StopTree(job, item) => self.signal(Signal::StopTree, job, item),
            Command::Detach(job) => self.board.detach(job),
            Command::CopyReport(id) => {
                let now = self.board.now();
                self.chore(id, "copy report", ctx, move |job| {
                    chores::copy_report(job, now)
                });
            }
            Command::SaveReport(job) => {
                let request = save_request("Save the report", format!("meanwhile-{}.txt", job.0));
                self.open_dialog(Purpose::Report(job), request, ctx, frame);
            }
            Command::SaveList(job) => {
                let request = save_request("Save the checksum list", self.list_name(job));
                self.open_dialog(Purpose::List(job), request, ctx, frame);
            }
            Command::SaveOutput(job, item, stream) => {
                let name = stream.title().to_lowercase();
                let name = format!("meanwhile-{}-{}.{name}.txt", job.0, item.0 + 1);
                let purpose = Purpose::Output(job, item, stream);
                self.open_dialog(purpose, save_request("Save the output", name), ctx, frame);
            }
            Command::CopyText(text) => ctx.copy_text(text),
            Command::ResolveBacktrace(job, key) => {
                if !self.resolving.contains(&(job, key)) {
                    self.resolving.push((job, key));
                    self.board.resolve_backtrace(job, key);
                }
            }
            Command::ClearIncidents => self.state.incidents.clear(),
            #[cfg(target_os = "linux")]
            Command::Lab(command) => self.run_lab_command(command, ctx, frame),
            #[cfg(unix)]
            Command::Lesson(command) => self.run_lesson_command(command, ctx),
            Command::DismissNotice(index) => {
                if index < self.notices.len() {
                    self.notices.remove(index);
                }
            }
            Command::WaitAndQuit => self.leaving = Some(Leaving::Waiting),
            Command::CancelAndQuit => self.leave_soon(),
            Command::KeepRunning => self.leaving = Some(Leaving::KeepingOn),
            Command::QuitNow => self.leave_by = Some(self.board.now()),
            Command::KeepWindow => {
                self.leaving = None;
                self.leave_by = None;
            }
        }
        // What a command changed is shown at once, not when something else happens.
        ctx.request_repaint();
    }

    /// Why the chosen job can't be started, if it can't.
    pub(super) fn why_not_start(&self) -> Option<String> {
        let has_inputs = !self.view.draft.inputs.is_empty();
        match self.state.choices.options() {
            Options::Checksum(_) if has_inputs => None,
            Options::Checksum(_) => Some("Add a file or a folder first.".to_owned()),
            Options::Command(options) => {
                let problem = options.check(has_inputs).err()?;
                Some(problem.to_string())
            }
            Options::Fetch(options) => {
                let problem = options.check(has_inputs).err()?;
                Some(problem.to_string())
            }
            Options::Images(options) => {
                let problem = options.check(has_inputs).err()?;
                Some(problem.to_string())
            }
            Options::Misbehave(_) => None,
        }
    }

    fn spec(&self) -> JobSpec {
        let choices = &self.state.choices;
        JobSpec {
            options: choices.options().clone(),
            inputs: self.view.draft.inputs.clone(),
            run_on: choices.run_on,
            workers: choices.workers,
            priority: choices.priority,
        }
    }

    fn start(&mut self, spec: JobSpec) {
        match self.board.start(spec) {
            Ok(job) => {
                self.select(job);
                self.view.pane = Pane::Results;
            }
            Err(error) => self.notify(Notice::error(format!(
                "The job could not be started: {error}. End other work first."
            ))),
        }
    }

    fn run_again(&mut self, job: JobId) {
        if let Some(job) = self.record.job(job) {
            let spec = JobSpec::clone(&Arc::clone(job.spec()));
            self.start(spec);
        }
    }

    fn forget(&mut self, job: JobId) {
        if let Some(forgotten) = self.record.remove(job) {
            chores::free(forgotten);
        }
        self.board.remove(job);
        if self.record.job(job).is_none() && self.view.selected == Some(job) {
            let newest = self.record.jobs().next_back().map(JobRecord::id);
            self.view.selected = None;
            if let Some(newest) = newest {
                self.select(newest);
            }
        }
    }

    fn join(&mut self, job: JobId, timeout: Option<Duration>, blocking: bool) {
        if !blocking {
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
    fn signal(&mut self, signal: Signal, job: JobId, item: Option<ItemId>) {
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
            self.notify(Notice::error(format!(
                "A process could not be ended: {error}. Cancel the job instead."
            )));
        }
    }

    /// Nothing runs as a process here.
    #[cfg(not(unix))]
    fn signal(&mut self, _signal: Signal, _job: JobId, _item: Option<ItemId>) {}

    fn list_name(&self, job: JobId) -> String {
        let options = self.record.job(job).map(|job| &job.spec().options);
        match options {
            Some(Options::Checksum(options)) => {
                format!("checksums.{}", options.algorithm.id())
            }
            _ => "checksums.txt".to_owned(),
        }
    }

    /// A second click finds a dialog open and does nothing.
    pub(super) fn open_dialog(
        &mut self,
        purpose: Purpose,
        request: DialogRequest,
        ctx: &egui::Context,
        frame: &eframe::Frame,
    ) {
        if self.dialog.is_some() {
            return;
        }
        let future = self.dialogs.open(request, frame);
        self.dialog = Some(OpenDialog::new(purpose, future, ctx));
        self.view.dialog_open = true;
        if purpose == Purpose::Inputs {
            self.view.page = Page::Workbench;
        }
    }
}

pub(super) fn save_request(title: &str, file_name: String) -> DialogRequest {
    DialogRequest::Save {
        title: title.to_owned(),
        file_name,
    }
}
