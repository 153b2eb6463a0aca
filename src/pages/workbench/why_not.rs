//! The reasons why commands can't run now.

use std::borrow::Cow;

use super::{Choices, Pane, ShownOutput, Workbench, command, results_menu};
use crate::pages::PageContext;
use crate::pages::commands::UiCommand;
use crate::record::JobRecord;

impl Workbench {
    /// The reason why a command can't run now; `None` if it can.
    pub(super) fn refusal(
        &self,
        command: UiCommand,
        context: &PageContext,
    ) -> Option<Cow<'static, str>> {
        let draft = &self.state.draft;
        let why_not = match command {
            command::ADD_FILES | command::ADD_FOLDER => {
                let is_open = context.dialogs.is_open();
                is_open.then_some("A file dialog is already open.")
            }
            command::ADD_PATH => {
                let is_empty = draft.path_text.trim().is_empty();
                is_empty.then_some("Type the path of a file or folder first.")
            }
            command::RECENT | command::CLEAR_RECENT => {
                let is_empty = context.state.pages.choices.recent.is_empty();
                is_empty.then_some("Nothing was an input yet.")
            }
            command::CLEAR_INPUTS => {
                let is_empty = draft.inputs.is_empty() && !draft.inputs.is_arriving();
                is_empty.then_some("There are no inputs.")
            }
            command::START => {
                return self
                    .why_not_start(&context.state.pages.choices)
                    .map(Cow::from);
            }
            command::ADD_PROCESS => (!cfg!(target_os = "linux"))
                .then_some("Only Linux tells the end of a process that is no child."),
            command::FIND => None,
            _ => match self.state.selected.and_then(|id| self.record.job(id)) {
                Some(job) => self.why_not_on(job, command),
                None => Some("No job is selected."),
            },
        };
        why_not.map(Cow::from)
    }

    fn why_not_start(&self, choices: &Choices) -> Option<String> {
        let inputs = &self.state.draft.inputs;
        if inputs.is_arriving() {
            return Some("Inputs are still being added.".to_owned());
        }
        let has_inputs = !inputs.is_empty();
        choices.options().job().problem(has_inputs)
    }

    fn why_not_on(&self, job: &JobRecord, command: UiCommand) -> Option<&'static str> {
        let has_ended = job.state().is_ended();
        let is_waiting = job.active_joins().next().is_some();
        match command {
            command::JOIN | command::JOIN_WITH_TIMEOUT => {
                is_waiting.then_some("Already waiting. Detach stops the wait.")
            }
            command::DETACH => (!is_waiting).then_some("No wait is running."),
            command::CANCEL => has_ended.then_some("The job has ended."),
            command::TERMINATE | command::KILL | command::STOP_TREE => {
                let is_idle = self.signal_target(job.id()).is_none();
                is_idle.then_some("No process is running.")
            }
            command::SAVE_REPORT | command::REMOVE => {
                (!has_ended).then_some("The job has not ended yet.")
            }
            command::SAVE_LIST => {
                (job.counts().returned == 0).then_some("There is no checksum yet.")
            }
            // The other panes have a process, or the job, that they show.
            command::SHOW_IN_TIMELINE if self.state.pane != Pane::Results => None,
            _ if results_menu::has(command) => {
                results_menu::why_not(command, job, &self.state.results)
            }
            command::NEXT_PAGE | command::PREVIOUS_PAGE => {
                let results = &self.state.results;
                results.why_not_turn(command, results.order.len(job.items().len()))
            }
            command::NEXT_MATCH
            | command::PREVIOUS_MATCH
            | command::SAVE_OUTPUT
            | command::COPY_OUTPUT
            | command::FOLLOW => match self.shown_output(job) {
                Some(shown) => shown.why_not(command),
                None => Some("No output is shown."),
            },
            _ => None,
        }
    }

    fn shown_output(&self, job: &JobRecord) -> Option<&ShownOutput> {
        let shown = self.state.output.shown.as_ref();
        shown.filter(|shown| self.state.pane == Pane::Output && shown.job == job.id())
    }
}
