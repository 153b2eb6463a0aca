use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{BlockedFor, Choices, Command, Pane, Stream, Workbench, saving};
use crate::jobs::{JobSpec, Options};
use crate::pages::background_tasks::Done;
use crate::pages::{DialogAnswer, DialogRequest, Shell};
use crate::record::{ItemId, JobId, JobRecord};
use crate::ui::notices::Notice;

/// What the open file dialog is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The inputs of the next job.
    Inputs,
    /// The folder that the chosen job saves to.
    OutputFolder,
    /// Where the report of a job goes.
    Report(JobId),
    /// Where the checksum list of a job goes.
    List(JobId),
    /// Where the output of a process goes.
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

/// What ends a process.
#[derive(Clone, Copy)]
enum Signal {
    Terminate,
    Kill,
    StopTree,
}

impl Workbench {
    /// Runs one command. Called at the end of a frame, when nothing is being drawn.
    pub(super) fn run_command(&mut self, command: Command, shell: &mut Shell) {
        match command {
            Command::PickFiles => {
                self.open_dialog(Purpose::Inputs, DialogRequest::Files, shell);
            }
            Command::PickFolder => {
                self.open_dialog(Purpose::Inputs, DialogRequest::Folders, shell);
            }
            Command::PickOutputFolder => {
                let request = DialogRequest::Folder {
                    title: "Save to a folder".to_owned(),
                };
                self.open_dialog(Purpose::OutputFolder, request, shell);
            }
            Command::AddInputs(paths) => self.add_inputs(paths),
            Command::RemoveInput(index) => {
                if index < self.view.draft.inputs.len() {
                    self.view.draft.inputs.remove(index);
                }
            }
            Command::ClearInputs => self.view.draft.inputs.clear(),
            Command::Start => self.start(self.spec(&shell.state.choices), shell),
            Command::RunAgain(job) => self.run_again(job, shell),
            Command::Select(job) => self.select_job(job),
            Command::Forget(job) => self.forget(job),
            Command::Join {
                job,
                timeout,
                blocking,
            } => self.join(job, timeout, blocking),
            Command::Cancel(job) => self.board.cancel(job),
            Command::Terminate(job, item) => self.signal(Signal::Terminate, job, item, shell),
            Command::Kill(job, item) => self.signal(Signal::Kill, job, item, shell),
            Command::StopTree(job, item) => self.signal(Signal::StopTree, job, item, shell),
            Command::Detach(job) => self.board.detach(job),
            Command::CopyReport(id) => {
                let now = self.board.now();
                self.run_on_job(id, "copy report", shell, move |job| {
                    saving::copy_report(job, now)
                });
            }
            Command::SaveReport(job) => {
                let request = save_request("Save the report", format!("meanwhile-{}.txt", job.0));
                self.open_dialog(Purpose::Report(job), request, shell);
            }
            Command::SaveList(job) => {
                let request = save_request("Save the checksum list", self.list_name(job));
                self.open_dialog(Purpose::List(job), request, shell);
            }
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
        // What a command changed is shown at once, not when something else happens.
        shell.ctx.request_repaint();
    }

    /// Why the chosen job can't be started, if it can't.
    pub(super) fn why_not_start(&self, choices: &Choices) -> Option<String> {
        let has_inputs = !self.view.draft.inputs.is_empty();
        match choices.options() {
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

    fn forget(&mut self, job: JobId) {
        if let Some(forgotten) = self.record.forget(job) {
            saving::free(forgotten);
        }
        self.board.forget(job);
        if self.record.job(job).is_none() && self.view.selected == Some(job) {
            let newest = self.record.jobs().next_back().map(JobRecord::id);
            self.view.selected = None;
            if let Some(newest) = newest {
                self.select_job(newest);
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
    fn signal(&mut self, signal: Signal, job: JobId, item: Option<ItemId>, shell: &mut Shell) {
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
    fn signal(&mut self, _: Signal, _: JobId, _: Option<ItemId>, _: &mut Shell) {}

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
            return;
        }
        let Some(path) = paths.into_iter().next() else {
            return;
        };
        let now = self.board.now();
        match purpose {
            Purpose::Inputs => {}
            Purpose::OutputFolder => shell.state.choices.save_to(path),
            Purpose::Report(id) => self.run_on_job(id, "save report", shell, move |job| {
                saving::save_report(job, now, &path)
            }),
            Purpose::List(id) => self.run_on_job(id, "save list", shell, move |job| {
                saving::save_list(job, &path)
            }),
            Purpose::Output(id, item, stream) => {
                let source = self.source(id, item);
                self.run_on_job(id, "save output", shell, move |_| {
                    saving::save_output(&source, stream, &path)
                });
            }
        }
    }

    /// Runs a background task on what is known of a job right now.
    fn run_on_job(
        &self,
        id: JobId,
        name: &str,
        shell: &mut Shell,
        work: impl FnOnce(&JobRecord) -> Done + Send + 'static,
    ) {
        if let Some(job) = self.record.job(id).cloned() {
            shell.run_in_background(name, move || work(&job));
        }
    }
}

fn save_request(title: &str, file_name: String) -> DialogRequest {
    DialogRequest::Save {
        title: title.to_owned(),
        file_name,
    }
}
