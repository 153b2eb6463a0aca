//! The table of a run's measurements, and its transcript.

use eframe::egui::{Label, RichText, ScrollArea, TextStyle, Ui};
use egui_extras::{Column, TableBuilder};

use super::page::{LessonProps, ShownRun};
use super::{LessonCommand, command};
use crate::lessons::{Lesson, RunLog};
use crate::ui::tokens::ROW_HEIGHT;
use crate::ui::widgets::{card_ui, section_ui};

const MIN_COLUMN_WIDTH: f32 = 72.0;

/// Draws the table and below it the transcript.
pub(super) fn transcript_ui(
    props: &LessonProps<'_>,
    ui: &mut Ui,
    commands: &mut Vec<LessonCommand>,
) {
    ui.horizontal_wrapped(|ui| {
        section_ui(ui, "Transcript");
        for command in [command::COPY_TRANSCRIPT, command::SAVE_TRANSCRIPT] {
            if props.unavailable.button(command, ui).clicked() {
                commands.push(LessonCommand::Ui(command));
            }
        }
    });
    let Some(ShownRun { log, .. }) = props.run else {
        ui.label(RichText::new("Run the lesson to see its output.").weak());
        return;
    };
    let dropped = log.timeline().dropped();
    if dropped > 0 {
        ui.label(format!("{dropped} events dropped."));
    }
    // A table that appears during the run stays in view: then the end of the transcript does not.
    let has_table = !log.table().is_empty();
    ScrollArea::vertical()
        .id_salt(("transcript", has_table))
        .auto_shrink(false)
        .stick_to_bottom(!has_table)
        .show(ui, |ui| {
            table_ui(log.table(), ui);
            messages_ui(log, ui);
        });
}

/// A run as text: the lesson, the settings, the table, the transcript and how the run ended.
pub(super) fn transcript_text(lesson: &Lesson, run: ShownRun<'_>) -> String {
    let log = run.log;
    let mut text = format!(
        "{} ({})\n{}\n\n",
        lesson.title,
        lesson.id,
        log.settings_text()
    );
    for row in log.table() {
        text.extend([row.join("\t").as_str(), "\n"]);
    }
    if !log.table().is_empty() {
        text.push('\n');
    }
    for message in log.messages_outside_table() {
        text.extend([log.transcript_line(message).as_str(), "\n"]);
    }
    let outcome = run.outcome.map(ToString::to_string);
    let outcome = outcome.unwrap_or_else(|| "still running".to_owned());
    text + "\n" + &outcome + "\n"
}

fn messages_ui(log: &RunLog, ui: &mut Ui) {
    let count = log.messages().len().saturating_sub(log.table().len());
    let height = ui.text_style_height(&TextStyle::Monospace);
    // Rows come in order, beginning with the first visible one.
    let mut visible = None;
    TableBuilder::new(ui)
        .id_salt("messages")
        .vscroll(false)
        .column(Column::remainder().clip(true))
        .body(|body| {
            body.rows(height, count, |mut row| {
                let first = row.index();
                let messages =
                    visible.get_or_insert_with(|| log.messages_outside_table().skip(first));
                if let Some(message) = messages.next() {
                    row.col(|ui| {
                        let line = RichText::new(log.transcript_line(message)).monospace();
                        ui.add(Label::new(line).truncate());
                    });
                }
            });
        });
}

fn table_ui(table: &[Vec<String>], ui: &mut Ui) {
    let Some((header, rows)) = table.split_first() else {
        return;
    };
    card_ui(ui, |ui| {
        ScrollArea::horizontal()
            .id_salt("table")
            .show(ui, |ui| columns_ui(header, rows, ui));
    });
    ui.add_space(4.0);
}

/// Columns are as wide as their widest visible cell; only the last one is cut off.
fn columns_ui(header: &[String], rows: &[Vec<String>], ui: &mut Ui) {
    let last = Column::remainder().at_least(MIN_COLUMN_WIDTH).clip(true);
    TableBuilder::new(ui)
        .id_salt(header)
        .vscroll(false)
        .striped(true)
        .resizable(true)
        .columns(Column::auto(), header.len().saturating_sub(1))
        .column(last)
        .header(ROW_HEIGHT, |mut row| {
            for title in header {
                row.col(|ui| drop(ui.strong(title)));
            }
        })
        .body(|body| {
            body.rows(ROW_HEIGHT, rows.len(), |mut row| {
                let cells = &rows[row.index()];
                for (index, cell) in cells.iter().enumerate() {
                    let label = if index + 1 == header.len() {
                        Label::new(cell).truncate()
                    } else {
                        Label::new(cell).extend()
                    };
                    row.col(|ui| drop(ui.add(label)));
                }
            });
        });
}
