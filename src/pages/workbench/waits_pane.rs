//! The waits of the whole program, as the join library sees them.

use std::collections::{BTreeMap, BTreeSet};
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

/// More targets of a wait are counted.
const MAX_NAMED: usize = 3;

/// The names of the tasks in the last waits. A task keeps its name, so the many that run are looked through only for a
/// wait that is new.
#[derive(Debug, Default)]
pub(super) struct TaskNames(BTreeMap<join::TaskId, String>);

impl TaskNames {
    fn update(&mut self, waits: &[join::WaitInfo]) {
        let tasks = waits.iter().flat_map(|wait| {
            let targets = wait.targets.iter().take(MAX_NAMED);
            wait.waiter.iter().chain(targets)
        });
        let mut missing: BTreeSet<_> = tasks.copied().collect();
        self.0.retain(|task, _| missing.remove(task));
        if missing.is_empty() {
            return;
        }
        for task in join::live_tasks() {
            if missing.remove(&task.id) {
                self.0.insert(task.id, task.name.to_string());
            }
        }
        // They have ended meanwhile.
        let others = missing.into_iter();
        self.0
            .extend(others.map(|task| (task, format!("task {}", task.get()))));
    }

    fn name(&self, task: join::TaskId) -> String {
        self.0.get(&task).cloned().unwrap_or_default()
    }
}

pub(super) fn task_waits(names: &mut TaskNames) -> Vec<WaitRow> {
    let waits = join::wait_graph().waits;
    names.update(&waits);
    let now = Instant::now();
    let rows = waits.into_iter().map(|wait| WaitRow {
        waiter: match (wait.waiter, wait.thread_name) {
            (Some(id), _) => names.name(id),
            (None, Some(thread)) => format!("thread {thread}"),
            (None, None) => "a thread without a name".to_owned(),
        },
        target: match wait.process {
            Some(pid) => format!("process {pid}"),
            None => targets_text(&wait.targets, names),
        },
        left: wait
            .deadline
            .map(|deadline| deadline.saturating_duration_since(now)),
    });
    rows.collect()
}

fn targets_text(targets: &[join::TaskId], names: &TaskNames) -> String {
    let named = targets.iter().take(MAX_NAMED);
    let named: Vec<_> = named.map(|task| names.name(*task)).collect();
    match targets.len().saturating_sub(MAX_NAMED) {
        0 => named.join(", "),
        more => format!("{} and {} more", named.join(", "), format::count(more)),
    }
}
