//! A search while the user types. It starts when the typing pauses, the old lines stay until the new ones
//! are there, and a search that has failed can be tried again. The size of the file is looked up every second.
//!
//! `cargo run --example egui_suspense`

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::time::Duration;

use eframe::egui;
use meanwhile::join::{Builder, Changes, Context, Slot, SlotState, SpawnError, cancellable};

const PAUSE: Duration = Duration::from_millis(300);

fn main() -> eframe::Result {
    eframe::run_native(
        "Suspense",
        eframe::NativeOptions::default(),
        Box::new(|cc| Ok(Box::new(Search::new(&cc.egui_ctx)))),
    )
}

struct Search {
    changes: Changes,
    file: String,
    word: String,
    lines: Slot<io::Result<Vec<String>>>,
    bytes: Slot<io::Result<u64>>,
    refused: Option<SpawnError>,
}

impl Search {
    fn new(ctx: &egui::Context) -> Self {
        let ctx = ctx.clone();
        Self {
            changes: Changes::new(move || ctx.request_repaint()),
            file: "README.md".to_owned(),
            word: String::new(),
            lines: Slot::new(),
            bytes: Slot::new(),
            refused: None,
        }
    }

    /// Takes the place of the search before, which is cancelled.
    fn start(&mut self) -> Result<(), SpawnError> {
        let (file, word) = (self.file.clone(), self.word.clone());
        let search = cancellable(move |context| search(&file, &word, context));
        let builder = Builder::new("search").report_to(&self.changes);
        self.lines.start_after(PAUSE, builder, search)
    }

    /// Takes the place of the looks at the file before.
    fn watch(&mut self) -> Result<(), SpawnError> {
        let file = self.file.clone();
        let builder = Builder::new("size").report_to(&self.changes);
        let size = move |_: &Context| Ok(std::fs::metadata(&file)?.len());
        self.bytes
            .start_every(Duration::from_secs(1), builder, size)
    }
}

impl eframe::App for Search {
    fn logic(&mut self, _ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.changes.take(usize::MAX);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        egui::CentralPanel::default().show(ui, |ui| {
            let [file, word] = [("File", &mut self.file), ("Word", &mut self.word)]
                .map(|(label, text)| labelled_edit(label, text, ui));
            let retry = suspense(&mut self.lines, ui, |lines, ui| {
                for line in lines {
                    ui.label(line);
                }
            });
            let again = suspense(&mut self.bytes, ui, |bytes, ui| {
                ui.label(format!("{bytes} bytes"));
            });
            if file || word || retry {
                self.refused = self.start().err();
            }
            if file || again {
                self.refused = self.watch().err();
            }
            if let Some(error) = &self.refused {
                ui.label(error.to_string());
            }
        });
    }
}

/// Shows the latest value, what happens to it, and an error. Returns whether the user wants to try again.
fn suspense<T, E: Display>(
    slot: &mut Slot<Result<T, E>>,
    ui: &mut egui::Ui,
    show: impl FnOnce(&T, &mut egui::Ui),
) -> bool {
    let state = slot.poll();
    let error = match &state {
        SlotState::Loading { .. } => {
            ui.spinner();
            None
        }
        SlotState::Failed { error, .. } => Some(error.to_string()), // such as a panic
        SlotState::Ready(Err(error)) => Some(error.to_string()),
        SlotState::Empty | SlotState::Ready(Ok(_)) => None,
    };
    let retry = error.is_some_and(|error| {
        ui.colored_label(ui.visuals().error_fg_color, error);
        ui.button("Try again").clicked()
    });
    if let Some(Ok(value)) = state.latest() {
        show(value, ui);
    }
    retry
}

/// Returns whether the text was changed.
fn labelled_edit(label: &str, text: &mut String, ui: &mut egui::Ui) -> bool {
    let edit = |ui: &mut egui::Ui| {
        let label = ui.label(label);
        ui.text_edit_singleline(text).labelled_by(label.id)
    };
    ui.horizontal(edit).inner.changed()
}

fn search(file: &str, word: &str, context: &Context) -> io::Result<Vec<String>> {
    let opened = File::open(file)
        .map_err(|error| io::Error::new(error.kind(), format!("{file}: {error}")))?;
    let mut found = Vec::new();
    for line in BufReader::new(opened).lines() {
        context.check()?;
        let line = line?;
        if line.contains(word) {
            found.push(line);
        }
    }
    Ok(found)
}
