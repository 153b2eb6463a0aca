//! The waits of the whole program and of the processes of its jobs, as a picture or as a table.

use std::time::Duration;

use eframe::egui::{RichText, Ui};

use super::waits_table::waits_table_ui;
use super::{WorkbenchCommand, command};
use crate::board::JobBoard;
use crate::board::waits::WaitLooks;
use crate::choice::choices;
use crate::format;
use crate::pages::commands;
use crate::record::{ItemId, JobId, Record, WaitNode, Waits};
use crate::ui::wait_picture::{PicturePlaces, WaitPicture, ring_ui};
use crate::ui::widgets::{empty_ui, tabs_ui};

/// More nodes are not drawn: nobody could follow their arrows. The table has all.
const MAX_DRAWN: usize = 60;

/// More rings are counted.
const MAX_RINGS: usize = 3;

/// How the waits are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Picture,
    Table,
}

choices!(Form {
    Picture => "Picture",
    Table => "Table",
});

/// The state of the pane. Processes are looked at while it is drawn, and not while it or the window is hidden.
#[derive(Debug, Default)]
pub(super) struct WaitsPane {
    form: Form,
    places: PicturePlaces,
    looks: WaitLooks,
    waits: Option<Waits>,
    /// Whether it has been drawn since the last update.
    is_drawn: bool,
    reveal: Option<Reveal>,
}

/// The selected item is to be brought into sight, and again after each look at processes, which adds nodes, until one
/// of them has begun after that was asked.
#[derive(Clone, Copy, Debug)]
struct Reveal {
    asked_at: Duration,
    /// Whether it was brought into sight, and the last look then.
    is_done: bool,
    done_after: Option<Duration>,
}

impl WaitsPane {
    /// Takes in what waits now, if that was drawn in the last frame.
    pub(super) fn update(
        &mut self,
        board: &JobBoard,
        record: &Record,
        wake: impl Fn() + Send + 'static,
    ) {
        if std::mem::take(&mut self.is_drawn) {
            self.waits = Some(self.looks.waits(board, record, wake));
        }
    }

    /// Forgets what is old when the pane is next shown.
    pub(super) fn close(&mut self) {
        self.waits = None;
        self.reveal = None;
    }

    /// Brings the selected item into sight when the pane is next shown, if it waits.
    pub(super) fn reveal(&mut self, now: Duration) {
        self.close();
        self.reveal = Some(Reveal {
            asked_at: now,
            is_done: false,
            done_after: None,
        });
    }

    /// Whether this frame is to bring the selected item into sight.
    fn takes_reveal(&mut self) -> bool {
        let looked_at = self.looks.looked_at();
        let Some(reveal) = &mut self.reveal else {
            return false;
        };
        let is_due = !reveal.is_done || reveal.done_after != looked_at;
        (reveal.is_done, reveal.done_after) = (true, looked_at);
        if looked_at.is_some_and(|at| at >= reveal.asked_at) {
            self.reveal = None;
        }
        is_due
    }

    pub(super) fn ui(
        &mut self,
        job: JobId,
        selected: Option<ItemId>,
        now: Duration,
        ui: &mut Ui,
        pushed: &mut Vec<WorkbenchCommand>,
    ) {
        self.is_drawn = true;
        let reveals = self.waits.is_some() && self.takes_reveal();
        let Some(waits) = &self.waits else {
            ui.request_repaint();
            return;
        };
        if waits.nodes.is_empty() {
            let hint = "Join a job or run a command, and who waits for whom is shown here.";
            empty_ui(ui, "No waits", hint);
            return;
        }
        ui.horizontal_wrapped(|ui| {
            tabs_ui(&mut self.form, ui);
            let show = commands::info(command::SHOW_IN_TIMELINE);
            if show.button(None, ui).clicked() {
                pushed.push(WorkbenchCommand::Ui(command::SHOW_IN_TIMELINE));
            }
        });
        rings_ui(waits, ui);
        for note in &waits.notes {
            ui.label(RichText::new(note).weak());
        }
        let selected = Selected {
            job,
            item: selected,
            reveals,
        };
        let clicked = match self.form {
            Form::Picture => picture_ui(waits, &mut self.places, selected, now, ui),
            Form::Table => waits_table_ui(waits, selected, now, ui),
        };
        pushed.extend(clicked);
    }
}

/// The job that is shown, with its selected item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selected {
    job: JobId,
    item: Option<ItemId>,
    /// Whether the item is to be brought into sight.
    pub(super) reveals: bool,
}

impl Selected {
    /// Whether a node belongs to the selected item.
    pub(super) fn has(self, node: &WaitNode) -> bool {
        self.item.is_some() && node.job == Some((self.job, self.item))
    }
}

fn rings_ui(waits: &Waits, ui: &mut Ui) {
    for ring in waits.rings.iter().take(MAX_RINGS) {
        ring_ui(waits, ring, ui);
    }
    let more = waits.rings.len().saturating_sub(MAX_RINGS);
    if more > 0 {
        let more = format::plural(more, "more ring", "more rings");
        ui.label(RichText::new(format!("and {more}")).weak());
    }
}

fn picture_ui(
    waits: &Waits,
    places: &mut PicturePlaces,
    selected: Selected,
    now: Duration,
    ui: &mut Ui,
) -> Option<WorkbenchCommand> {
    let left_out = waits.nodes.len().saturating_sub(MAX_DRAWN);
    let drawn = waits.most_important(MAX_DRAWN, Some((selected.job, selected.item)));
    if left_out > 0 {
        let text = format!("and {} more, which the table has", format::count(left_out));
        ui.label(RichText::new(text).weak());
    }
    let picture = WaitPicture {
        waits: &drawn,
        now,
        selected: selected.item.map(|item| (selected.job, item)),
        reveals: selected.reveals,
    };
    let clicked = picture.show(places, ui)?;
    command_of(&drawn.nodes[clicked])
}

/// What a click on a node does: it selects the item with its output, or the job.
pub(super) fn command_of(node: &WaitNode) -> Option<WorkbenchCommand> {
    let (job, item) = node.job?;
    Some(match item {
        Some(item) => WorkbenchCommand::ShowOutput(job, item),
        None => WorkbenchCommand::Select(job),
    })
}
