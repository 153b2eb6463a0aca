//! The commands for the selected rows.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::compare::Comparison;
use super::result_text::{result_line, result_text};
use super::{Inputs, Pane, Selection, Workbench, command, results_menu};
use crate::board::ItemNames;
use crate::format;
use crate::jobs::JobSpec;
use crate::pages::background_tasks::TaskOutput;
use crate::pages::commands::UiCommand;
use crate::pages::{PageContext, timeline};
use crate::record::{ItemId, ItemRecord, ItemState, JobId, JobRecord};
use crate::ui::notices::{Notice, NoticeAction};
use crate::ui::status_style::item_word;

/// A frame has time to copy so many rows.
const AT_ONCE: usize = 1_000;

/// The inputs whose place others took, until they are wanted back.
pub(super) struct Replaced {
    number: u64,
    inputs: Inputs,
}

impl Workbench {
    pub(super) fn run_on_rows(
        &mut self,
        command: UiCommand,
        job: JobId,
        context: &mut PageContext,
    ) {
        let Some(job) = self.record.job(job) else {
            return;
        };
        if results_menu::why_not(command, job, &self.state.results).is_some() {
            return;
        }
        let items = self.state.results.selection.items();
        let items = items.filter_map(|item| job.item(item));
        match command {
            command::OPEN_FILE | command::SHOW_IN_FOLDER => {
                let files = items.filter_map(|item| results_menu::file_of(job, item));
                let files = files.map(|file| std::path::absolute(&file).unwrap_or(file));
                if command == command::OPEN_FILE {
                    context.open_files(files.collect());
                } else {
                    context.show_in_folders(files.collect());
                }
            }
            command::COMPARE => {
                let mut items = items.map(|item| item.id);
                let first = items.next();
                let comparison = first.map(|first| Comparison::new(first, items.next()));
                drop(items);
                self.state.results.comparison = comparison;
            }
            command::RUN_THESE_AGAIN => {
                drop(items);
                let spec = JobSpec::clone(job.spec());
                let (job, selection) = (job.clone(), self.state.results.selection.clone());
                let only = ItemNames::of(move || inputs_of(&job, &selection).collect());
                self.start_part(spec, Some(Arc::new(only)), context);
            }
            command::TAKE_AS_INPUTS => {
                drop(items);
                let (job, count) = (job.clone(), self.state.results.selection.len());
                let selection = self.state.results.selection.clone();
                let paths = move || inputs_of(&job, &selection).collect();
                self.take_as_inputs(Inputs::of(paths, context.waker()), count, context);
            }
            _ => self.copy_rows(command, job, context),
        }
    }

    /// Shows in the timeline the process whose output is shown, else the first selected item that has begun, else the job.
    pub(super) fn show_in_timeline(&self, job: JobId, context: &mut PageContext) {
        let Some(job) = self.record.job(job) else {
            return;
        };
        let shown = self.state.output.shown.as_ref();
        let shown = shown.filter(|shown| self.state.pane == Pane::Output && shown.job == job.id());
        let selected = self.state.results.selection.items();
        let items = shown.map(|shown| shown.item).into_iter().chain(selected);
        let items = items.filter_map(|item| job.item(item));
        let mut begun = items.filter_map(|item| Some((item.id, item.started_at?)));
        let place = timeline::place_of(job.id(), begun.next());
        context.open = Some((timeline::ID, place));
    }

    /// Copies something of each selected row, in the order of the rows.
    fn copy_rows(&self, command: UiCommand, job: &JobRecord, context: &mut PageContext) {
        let results = &self.state.results;
        let (selection, order) = (results.selection.clone(), results.order.clone());
        let now = self.board.now();
        let text = move |job: &JobRecord| {
            let items = selection.in_order(&order, job.items().len());
            copied(command, job, &items, now)
        };
        let count = results.selection.len();
        if count <= AT_ONCE {
            context.ctx.copy_text(text(job));
            return;
        }
        self.run_in_background(job.id(), "copy rows", context, move |job| {
            let rows = format::count(count);
            TaskOutput {
                notice: Some(Notice::info(format!("{rows} rows are on the clipboard."))),
                copy: Some(text(job)),
            }
        });
    }

    fn take_as_inputs(&mut self, inputs: Inputs, rows: usize, context: &mut PageContext) {
        let inputs = std::mem::replace(&mut self.state.draft.inputs, inputs);
        let taken = format::plural(rows, "row is", "rows are");
        if inputs.is_empty() && !inputs.is_arriving() {
            context.notify(Notice::info(format!("{taken} now the inputs.")));
            return;
        }
        let earlier = format::plural(inputs.count(), "earlier one", "earlier ones");
        let number = self.replaced.take().map_or(1, |earlier| {
            earlier.inputs.close();
            earlier.number + 1
        });
        self.replaced = Some(Replaced { number, inputs });
        let text = format!("{taken} now the inputs, in place of the {earlier}.");
        context.notify(Notice::info(text).with(NoticeAction::Undo(number)));
    }

    /// Brings back the inputs whose place others took, unless that happened again since.
    pub(super) fn undo_inputs(&mut self, number: u64) {
        let replaced = self.replaced.take_if(|replaced| replaced.number == number);
        if let Some(replaced) = replaced {
            let inputs = std::mem::replace(&mut self.state.draft.inputs, replaced.inputs);
            inputs.close();
        }
    }
}

/// The inputs of the selected items of a job.
fn inputs_of(job: &JobRecord, selection: &Selection) -> impl Iterator<Item = PathBuf> {
    let items = selection.items().filter_map(|item| job.item(item));
    items.map(|item| item.input.clone())
}

/// A line for each item.
fn copied(command: UiCommand, job: &JobRecord, items: &[ItemId], now: Duration) -> String {
    let items = items.iter().filter_map(|&item| job.item(item));
    let lines: Vec<_> = items
        .filter_map(|item| match command {
            command::COPY_PATH => Some(item.input.display().to_string()),
            command::COPY_RESULT => Some(result_text(item)),
            command::COPY_DIGEST => digest_text(item),
            _ => Some(row_text(item, now)),
        })
        .collect();
    lines.join("\n")
}

/// The digest alone, or each with its algorithm if there are several; `None` if there is none.
fn digest_text(item: &ItemRecord) -> Option<String> {
    let ItemState::Returned(output) = &item.state else {
        return None;
    };
    let digests = output.digests();
    if let [(_, digest)] = digests[..] {
        return Some(digest.to_owned());
    }
    let lines = digests
        .iter()
        .map(|(algorithm, digest)| format!("{algorithm} {digest}"));
    let lines: Vec<_> = lines.collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The cells of a row as they are shown, but with the whole path, and tabs between them.
fn row_text(item: &ItemRecord, now: Duration) -> String {
    let bytes = item.total.max(item.done);
    let size = (bytes > 0).then(|| format::bytes(bytes));
    let time = item.elapsed(now).map(format::duration);
    let cells = [
        item_word(item).into_owned(),
        format::path(&item.input),
        size.unwrap_or_default(),
        format::one_line(&result_line(item)).into_owned(),
        time.unwrap_or_default(),
    ];
    cells.join("\t")
}
