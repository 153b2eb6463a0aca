//! The choice of a running process that something else has started.

use eframe::egui::{Button, Key, RichText, ScrollArea, TextEdit, Ui};

use super::WorkbenchCommand;
use crate::format;
use crate::join::process::{RunningProcess, running_processes};
use crate::join::{self, SpawnError, Task};
use crate::ui::widgets::dialog_ui;

const TITLE: &str = "Add running process";
const WIDTH: f32 = 520.0;
const LIST_HEIGHT: f32 = 220.0;

/// The most that are kept, the newest of all.
const MAX_FOUND: usize = 10_000;

/// The most rows of the list.
const MAX_ROWS: usize = 100;

/// The open dialog.
#[derive(Debug)]
pub(super) struct Adopting {
    /// Reads the process table.
    look: Task<Result<Vec<RunningProcess>, String>>,
    filter: String,
    chosen: Option<RunningProcess>,
    /// Whether it has been drawn.
    is_drawn: bool,
}

impl Adopting {
    /// Begins to look for the processes of the user.
    ///
    /// # Errors
    /// The system refused a thread.
    pub(super) fn start(wake: impl Fn() + Send + 'static) -> Result<Self, SpawnError> {
        let look = join::Builder::new("list processes").daemon(true);
        let look = look.spawn(|_| found())?;
        look.on_finish(wake);
        Ok(Self {
            look,
            filter: String::new(),
            chosen: None,
            is_drawn: false,
        })
    }

    /// Chooses the process with the number that was typed, or the one that is shown if there is exactly one.
    fn choose_only(&mut self) -> bool {
        let Some(Ok(Ok(found))) = self.look.poll() else {
            return false;
        };
        let number = self.filter.trim().parse();
        let numbered = found.iter().find(|process| Ok(process.pid) == number);
        let mut shown = found.iter().filter(|process| self.shows(process));
        let only = shown.next().filter(|_| shown.next().is_none());
        let Some(chosen) = numbered.or(only) else {
            return false;
        };
        self.chosen = Some(chosen.clone());
        true
    }

    /// Whether what the user has typed is in the name or begins the number.
    fn shows(&self, process: &RunningProcess) -> bool {
        let filter = self.filter.trim().to_lowercase();
        process.pid.to_string().starts_with(&filter)
            || process.name.to_lowercase().contains(&filter)
    }
}

/// The processes of the user, newest first.
fn found() -> Result<Vec<RunningProcess>, String> {
    let mut found = running_processes()
        .map_err(|error| format!("The process table can't be read: {error}."))?;
    found.sort_by_key(|process| std::cmp::Reverse((process.started_at, process.pid)));
    found.truncate(MAX_FOUND);
    Ok(found)
}

/// Draws the dialog in front of everything else, while it is open.
pub(super) fn adopting_ui(
    dialog: &mut Option<Adopting>,
    ui: &Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let Some(adopting) = dialog else {
        return;
    };
    let modal = dialog_ui(TITLE, WIDTH, ui, |ui| {
        ui.label(
            RichText::new(
                "It becomes a job that can be joined. The process is left alone when the window \
                 closes.",
            )
            .weak(),
        );
        let is_entered = filter_ui(adopting, ui);
        let is_chosen_now = list_ui(adopting, ui) || is_entered && adopting.choose_only();
        ui.add_space(6.0);
        ui.horizontal(|ui| {
            let add = ui.add_enabled(adopting.chosen.is_some(), Button::new("Add process"));
            let add = add.on_disabled_hover_text("Choose a process first.");
            let is_added = add.clicked() || is_chosen_now;
            (is_added, ui.button("Close").clicked())
        })
        .inner
    });
    let (is_added, is_closed) = modal.inner;
    if is_added {
        commands.extend(adopting.chosen.take().map(WorkbenchCommand::Adopt));
    }
    if is_added || is_closed || modal.should_close() {
        *dialog = None;
    }
}

/// Returns whether Enter was pressed.
fn filter_ui(adopting: &mut Adopting, ui: &mut Ui) -> bool {
    ui.horizontal(|ui| {
        let label = ui.label("Name or number");
        let edit = TextEdit::singleline(&mut adopting.filter).desired_width(f32::INFINITY);
        let edit = ui.add(edit).labelled_by(label.id);
        let is_entered = edit.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if is_entered || !std::mem::replace(&mut adopting.is_drawn, true) {
            edit.request_focus();
        }
        is_entered
    })
    .inner
}

/// Draws the processes that fit what was typed. Returns whether one was chosen for good.
fn list_ui(adopting: &mut Adopting, ui: &mut Ui) -> bool {
    let mut chosen = None;
    let mut is_chosen_now = false;
    let rows = |ui: &mut Ui| {
        ui.set_min_height(LIST_HEIGHT);
        let found = match adopting.look.poll() {
            None => {
                ui.label(RichText::new("Looking…").weak());
                return;
            }
            Some(Ok(Ok(found))) => found,
            Some(Ok(Err(problem))) => {
                ui.label(problem);
                return;
            }
            Some(Err(error)) => {
                ui.label(error.to_string());
                return;
            }
        };
        let mut shown = found.iter().filter(|process| adopting.shows(process));
        let mut is_empty = true;
        for process in shown.by_ref().take(MAX_ROWS) {
            is_empty = false;
            let is_chosen = adopting.chosen.as_ref() == Some(process);
            let row = ui.selectable_label(is_chosen, row_text(process));
            if row.clicked() {
                chosen = Some(process.clone());
            }
            is_chosen_now |= row.double_clicked();
        }
        let more = shown.count();
        if more > 0 {
            let more = format::count(more);
            ui.label(RichText::new(format!("{more} more: type a part of the name")).weak());
        } else if is_empty {
            ui.label(RichText::new("No process of yours has such a name or number.").weak());
        }
    };
    ScrollArea::vertical()
        .id_salt("processes")
        .max_height(LIST_HEIGHT)
        .auto_shrink([false, false])
        .show(ui, rows);
    if chosen.is_some() {
        adopting.chosen = chosen;
    }
    is_chosen_now
}

/// Such as `4711  make, started 5 min ago`.
fn row_text(process: &RunningProcess) -> String {
    let age = format::age(process.started_at.elapsed().unwrap_or_default());
    let name = format::one_line(&process.name);
    format!("{}  {name}, started {age}", process.pid)
}
