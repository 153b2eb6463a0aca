//! The output of a process, live. Only visible lines are drawn.

use eframe::egui::text::{LayoutJob, TextFormat};
use eframe::egui::{self, RichText, ScrollArea, Sides, TextStyle, Ui};

use super::output_find::Find;
use super::output_log::Log;
use super::{LogScroll, OutputState, ShownOutput, Stream, WorkbenchCommand, command};
use crate::format;
use crate::jobs::listed;
use crate::pages::commands;
use crate::record::{ItemRecord, JobRecord};
use crate::ui::status_style::{StatusStyle, status_style_ui};
use crate::ui::tokens::{Tokens, tokens};
use crate::ui::widgets::empty_ui;

/// The room for what is beside the field `Find` in its row, in points.
const BESIDE_FIND: f32 = 280.0;

/// A stream of a process, with its commands.
pub(crate) fn output_ui(
    job: &JobRecord,
    state: &mut OutputState,
    focus_find: bool,
    ui: &mut Ui,
    commands: &mut Vec<WorkbenchCommand>,
) {
    let OutputState {
        stream,
        find,
        shown,
    } = state;
    let shown = shown.as_mut().filter(|shown| shown.job == job.id());
    let Some((shown, item)) = shown.and_then(|shown| {
        let item = job.item(shown.item)?;
        Some((shown, item))
    }) else {
        let hint =
            "Shows what the process of an item prints, while it runs and after it has ended.";
        empty_ui(ui, "No process", hint);
        return;
    };
    Sides::new().show(
        ui,
        |ui| {
            for candidate in Stream::ALL {
                ui.selectable_value(stream, candidate, candidate.title());
            }
        },
        |ui| actions_ui(shown, ui, commands),
    );
    ui.horizontal(|ui| find_ui(find, shown, focus_find, ui));
    Sides::new().shrink_left().show(
        ui,
        |ui| process_ui(job, item, ui),
        |ui| ui.add(egui::Label::new(RichText::new(figures_text(shown, item)).weak()).truncate()),
    );
    lines_ui(shown, item, ui);
}

fn actions_ui(shown: &ShownOutput, ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
    for command in [
        command::SHOW_IN_TIMELINE,
        command::SAVE_OUTPUT,
        command::COPY_OUTPUT,
        command::FOLLOW,
    ] {
        let button = commands::info(command).button(shown.why_not(command), ui);
        if button.clicked() {
            commands.push(WorkbenchCommand::Ui(command));
        }
    }
}

fn process_ui(job: &JobRecord, item: &ItemRecord, ui: &mut Ui) {
    status_style_ui(ui, StatusStyle::of_item(item, tokens(ui)));
    ui.add_space(6.0);
    let pid = item.process.as_ref().map_or(0, |process| process.pid);
    let is_path = job.names_are_paths();
    let file = is_path.then(|| item.input.file_name()).flatten();
    let name = file.unwrap_or(item.input.as_os_str()).to_string_lossy();
    let text = format!("process {pid} · {}", format::one_line(&name));
    ui.add(egui::Label::new(RichText::new(text).weak()).truncate())
        .on_hover_text(format::path(&item.input));
}

/// `1.2 MiB · 3.0 MiB/s · 0.2 MiB dropped · 80 B on stderr`, and nothing that is zero.
fn figures_text(shown: &ShownOutput, item: &ItemRecord) -> String {
    let mut figures = vec![format::bytes(shown.total)];
    if shown.bytes_per_sec >= 1.0 {
        figures.push(format::rate(shown.bytes_per_sec));
    }
    if shown.dropped > 0 {
        figures.push(format!("{} dropped", format::bytes(shown.dropped)));
    }
    if shown.scroll.is_frozen {
        let newer = format::bytes(shown.total.saturating_sub(shown.log.end()));
        figures.push(format!("{newer} newer than these lines"));
    }
    if shown.other_total > 0 {
        let other = shown.stream.other().title().to_lowercase();
        figures.push(format!("{} on {other}", format::bytes(shown.other_total)));
    }
    if shown.is_held_open {
        let holders = item.ran().map(|ran| &ran.holders[..]).unwrap_or_default();
        let holders = match holders {
            [] => "a descendant".to_owned(),
            holders => listed(holders),
        };
        figures.push(format!("still held open by {holders}"));
    }
    figures.join(" · ")
}

fn find_ui(text: &mut String, shown: &mut ShownOutput, focus: bool, ui: &mut Ui) {
    let label = ui.label("Find");
    let width = (ui.available_width() - BESIDE_FIND).clamp(80.0, 220.0);
    let edit = egui::TextEdit::singleline(text)
        .hint_text("any part of a line")
        .desired_width(width);
    let edit = ui.add(edit).labelled_by(label.id);
    if focus {
        edit.request_focus();
    }
    let next = commands::info(command::NEXT_MATCH);
    let previous = commands::info(command::PREVIOUS_MATCH);
    let has_entered = edit.lost_focus();
    let goes_back = has_entered && previous.is_pressed(ui);
    let goes_on = has_entered && next.is_pressed(ui) && !goes_back;
    if goes_on || goes_back {
        edit.request_focus();
    }
    let why_not = shown.why_not(command::NEXT_MATCH);
    let previous = previous.button(why_not, ui);
    let next = next.button(why_not, ui);
    if next.clicked() || goes_on {
        shown.run(command::NEXT_MATCH);
    } else if previous.clicked() || goes_back {
        shown.run(command::PREVIOUS_MATCH);
    }
    if !text.is_empty() {
        ui.label(RichText::new(found_text(&shown.found, shown.is_searching)).weak());
    }
}

/// `2 of 17 lines`.
fn found_text(found: &Find, is_searching: bool) -> String {
    let lines = format::plural(found.count(), "line", "lines");
    match found.position() {
        _ if is_searching => format!("{lines} so far"),
        Some(position) => format!("{} of {lines}", format::count(position)),
        None => lines,
    }
}

fn lines_ui(shown: &mut ShownOutput, item: &ItemRecord, ui: &mut Ui) {
    if shown.log.len() == 0 {
        let what = if item.state.is_ended() {
            "Nothing was printed"
        } else {
            "Nothing printed yet"
        };
        empty_ui(ui, what, &other_text(shown));
        return;
    }
    let tokens = tokens(ui);
    egui::Frame::new()
        .fill(tokens.field)
        .stroke(egui::Stroke::new(1.0, tokens.line))
        .corner_radius(4)
        .inner_margin(6)
        .show(ui, |ui| rows_ui(shown, tokens, ui));
}

fn other_text(shown: &ShownOutput) -> String {
    let (this, other) = (shown.stream.title(), shown.stream.other().title());
    match shown.other_total {
        0 => format!("{this} is empty, and so is {other}."),
        bytes => format!("{this} is empty; {other} has {}.", format::bytes(bytes)),
    }
}

fn rows_ui(shown: &mut ShownOutput, tokens: &Tokens, ui: &mut Ui) {
    ui.spacing_mut().item_spacing.y = 0.0;
    // The rubber band would pull the view back when new lines move the end.
    ui.spacing_mut().scroll.kinetic.rubber_band = false;
    let height = ui.text_style_height(&TextStyle::Monospace);
    let ShownOutput {
        log, found, scroll, ..
    } = shown;
    let asked = scroll_offset(scroll, log, height, ui.available_height());
    let mut area = ScrollArea::both()
        .id_salt((shown.job, shown.item, shown.stream.title()))
        .auto_shrink(false);
    if let Some(offset) = asked {
        area = area.vertical_scroll_offset(offset);
    }
    let drawn = area.show_rows(ui, height, log.len(), |ui, rows| {
        for row in rows {
            let line = log.drawn(row);
            let is_current = found.current() == Some(log.first_line() + row as u64);
            let text = line_text(&line, found, is_current, tokens, ui);
            ui.add(egui::Label::new(text).extend());
        }
    });
    let bottom = (drawn.content_size.y - drawn.inner_rect.height()).max(0.0);
    // Following goes on until the user scrolls up, even if the pane was resized.
    let end = asked.filter(|_| scroll.follows).unwrap_or(bottom);
    scroll.first_line = log.first_line();
    scroll.height = drawn.inner_rect.height();
    scroll.offset = drawn.state.clamped_offset().y;
    scroll.follows = scroll.offset >= end.min(bottom) - 0.5;
    if scroll.follows && (scroll.is_frozen || (end - bottom).abs() > 1.0) {
        // Another frame is needed to show the new end.
        ui.request_repaint();
    }
}

/// The offset to scroll to, if the program decides: the line that was found, the end while it is
/// followed, or the lines that the user reads when lines above them were dropped.
fn scroll_offset(scroll: &mut LogScroll, log: &Log, row_height: f32, room: f32) -> Option<f32> {
    let first_line = log.first_line();
    let height = if scroll.height > 0.0 {
        scroll.height
    } else {
        room
    };
    let rows = |lines: u64| lines as f32 * row_height;
    let end = (rows(log.len() as u64) - height).max(0.0);
    if let Some(line) = scroll.to.take() {
        scroll.follows = false;
        let top = rows(line.saturating_sub(first_line)) - height / 3.0;
        return Some(top.clamp(0.0, end));
    }
    if scroll.follows {
        return Some(end);
    }
    let gone = first_line.saturating_sub(scroll.first_line);
    (gone > 0).then(|| (scroll.offset - rows(gone)).max(0.0))
}

fn line_text(line: &str, found: &Find, is_current: bool, tokens: &Tokens, ui: &Ui) -> LayoutJob {
    let font = TextStyle::Monospace.resolve(ui.style());
    let plain = TextFormat::simple(font.clone(), tokens.text);
    let mut marked = plain.clone();
    (marked.color, marked.background) = if is_current {
        (tokens.on_accent, tokens.accent)
    } else {
        (tokens.text, tokens.selection)
    };
    let mut text = LayoutJob::default();
    let mut at = 0;
    for mark in found.marks(line) {
        text.append(&line[at..mark.start], 0.0, plain.clone());
        text.append(&line[mark.clone()], 0.0, marked.clone());
        at = mark.end;
    }
    text.append(&line[at..], 0.0, plain);
    text
}
