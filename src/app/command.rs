use eframe::egui;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dialog::{DialogRequest, OpenDialog, Purpose};
use super::{App, chores};
use crate::jobs::{JobSpec, Options};
use crate::record::{JobId, JobRecord};
use crate::ui::close_question::Leaving;
use crate::ui::{BlockedFor, Command, Notice, Page, Pane};

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
            Command::CopyText(text) => ctx.copy_text(text),
            Command::ResolveBacktrace(job, key) => {
                if !self.resolving.contains(&(job, key)) {
                    self.resolving.push((job, key));
                    self.board.resolve_backtrace(job, key);
                }
            }
            Command::DismissNotice(index) => {
                if index < self.notices.len() {
                    self.notices.remove(index);
                }
            }
            Command::WaitAndQuit => self.leaving = Some(Leaving::Waiting),
            Command::CancelAndQuit => self.leave_soon(),
            Command::KeepWindow => {
                self.leaving = None;
                self.leave_by = None;
            }
        }
        // What a command changed is shown at once, not when something else happens.
        ctx.request_repaint();
    }

    /// Why the chosen job can't be started, if it can't.
    pub(super) fn why_not_start(&self) -> Option<&'static str> {
        let needs_inputs = matches!(self.state.choices.options(), Options::Checksum(_));
        (needs_inputs && self.view.draft.inputs.is_empty())
            .then_some("Add a file or a folder first.")
    }

    fn spec(&self) -> JobSpec {
        let choices = &self.state.choices;
        JobSpec {
            options: choices.options().clone(),
            inputs: self.view.draft.inputs.clone(),
            run_on: choices.run_on,
            workers: choices.workers,
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
        self.record.forget(job);
        self.board.forget(job);
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
    fn open_dialog(
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
        self.view.page = Page::Workbench;
    }
}

fn save_request(title: &str, file_name: String) -> DialogRequest {
    DialogRequest::Save {
        title: title.to_owned(),
        file_name,
    }
}
