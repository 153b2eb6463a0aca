//! The waits of the whole program, as the join library sees them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use eframe::egui::{self, RichText, Ui};
use egui_extras::{Column as Width, TableBuilder};

use crate::format;
use crate::join;
use crate::record::Record;
use crate::ui::tokens::ROW_HEIGHT;
use crate::ui::widgets::{empty_ui, number_ui};

/// One wait, ready to be drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WaitRow {
    /// The waiting task or thread.
    pub(crate) waiter: String,
    /// The tasks or the process that it waits for.
    pub(crate) target: String,
    /// The time to the deadline; `None` without one.
    pub(crate) left: Option<Duration>,
}

/// The width of the column of times.
const TIME_WIDTH: f32 = 100.0;

/// The names share the rest, up to this width each.
const MAX_NAME_WIDTH: f32 = 320.0;

/// The waits of the whole program.
pub(crate) fn waits_ui(waits: &[WaitRow], ui: &mut Ui) {
    if waits.is_empty() {
        empty_ui(ui, "No waits", "Join a job, and the wait is listed here.");
        return;
    }
    let gaps = 2.0 * ui.spacing().item_spacing.x;
    let name_width = ((ui.available_width() - TIME_WIDTH - gaps) / 2.0).min(MAX_NAME_WIDTH);
    TableBuilder::new(ui)
        .id_salt("waits")
        .striped(true)
        .auto_shrink(false)
        .cell_layout(egui::Layout::left_to_right(egui::Align::Center))
        .column(Width::exact(name_width).clip(true))
        .column(Width::exact(name_width).clip(true))
        .column(Width::exact(TIME_WIDTH).clip(true))
        .header(ROW_HEIGHT, |mut header| {
            for title in ["Waiter", "Waits for", "Time left"] {
                header.col(|ui| {
                    ui.label(RichText::new(title).strong());
                });
            }
        })
        .body(|body| {
            body.rows(ROW_HEIGHT, waits.len(), |mut row| {
                let wait = &waits[row.index()];
                row.col(|ui| {
                    ui.add(egui::Label::new(&wait.waiter).truncate());
                });
                row.col(|ui| {
                    ui.add(egui::Label::new(&wait.target).truncate());
                });
                row.col(|ui| number_ui(ui, left_text(wait.left)));
            });
        });
}

fn left_text(left: Option<Duration>) -> String {
    left.map_or_else(|| "no deadline".to_owned(), format::countdown)
}

/// The waits of the window itself block no thread, so the join library does not know them.
pub(super) fn window_waits(record: &Record, now: Duration) -> Vec<WaitRow> {
    let waits = record.jobs().flat_map(|job| {
        let target = super::jobs_panel::title(job);
        job.active_joins().map(move |join| WaitRow {
            waiter: "the window, in the background".to_owned(),
            target: target.clone(),
            left: join.remaining(now),
        })
    });
    waits.collect()
}

pub(super) fn task_waits() -> Vec<WaitRow> {
    let waits = join::wait_graph().waits;
    // Thousands of tasks may run without a wait.
    if waits.is_empty() {
        return Vec::new();
    }
    let names: BTreeMap<_, _> = join::live_tasks()
        .into_iter()
        .map(|task| (task.id, task.name))
        .collect();
    let name = |id: join::TaskId| {
        let name = names.get(&id);
        name.map_or_else(|| format!("task {}", id.get()), ToString::to_string)
    };
    let now = Instant::now();
    let rows = waits.into_iter().map(|wait| WaitRow {
        waiter: match (wait.waiter, wait.thread_name) {
            (Some(id), _) => name(id),
            (None, Some(thread)) => format!("thread {thread}"),
            (None, None) => "a thread without a name".to_owned(),
        },
        target: match wait.process {
            Some(pid) => format!("process {pid}"),
            None => targets_text(&wait.targets, name),
        },
        left: wait
            .deadline
            .map(|deadline| deadline.saturating_duration_since(now)),
    });
    rows.collect()
}

fn targets_text(targets: &[join::TaskId], name: impl Fn(join::TaskId) -> String) -> String {
    const MAX_NAMED: usize = 3;
    let named: Vec<String> = targets.iter().take(MAX_NAMED).copied().map(name).collect();
    match targets.len().saturating_sub(MAX_NAMED) {
        0 => named.join(", "),
        more => format!("{} and {} more", named.join(", "), format::count(more)),
    }
}
