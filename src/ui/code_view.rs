//! The source of a pattern or a lesson, with marked lines.

use eframe::egui::text::LayoutJob;
use eframe::egui::{self, Galley, Rangef, Rect, ScrollArea, Sense, TextStyle, Ui};
use egui_extras::syntax_highlighting::{CodeTheme, TokenType, highlight};

use super::tokens::{Tokens, tokens};

/// Begins the comment on a marked line.
const REMARK: &str = "// \u{2190}";

/// The room to the left of the code for the bars of marked lines.
const INDENT: f32 = 8.0;

/// The number of lines above the first marked one that are visible at first.
const LEAD_LINES: usize = 9;

/// The highlighted source, kept from frame to frame.
#[derive(Default)]
pub(crate) struct Code {
    highlighted: Option<Highlighted>,
}

#[derive(Clone, Copy)]
pub(crate) struct ShownCode<'a> {
    /// Unique among all sources.
    pub(crate) id: &'a str,
    pub(crate) text: &'a str,
    /// The file extension of its language.
    pub(crate) language: &'a str,
    /// The lines that run at the moment, from 1.
    pub(crate) running: &'a [u32],
}

struct Highlighted {
    id: String,
    is_dark: bool,
    text: LayoutJob,
    marked: Vec<Marked>,
}

struct Marked {
    /// From 0.
    line: usize,
    text: String,
}

/// Draws the source. It is highlighted once, not in every frame.
pub(crate) fn code_ui(source: ShownCode<'_>, code: &mut Code, ui: &mut Ui) {
    let is_dark = ui.visuals().dark_mode;
    let is_current =
        |highlighted: &Highlighted| highlighted.id == source.id && highlighted.is_dark == is_dark;
    let mut area = ScrollArea::vertical().id_salt(source.id).auto_shrink(false);
    let kept = code.highlighted.take().filter(is_current);
    let is_new = kept.is_none();
    let highlighted = kept.unwrap_or_else(|| Highlighted::new(source, ui));
    if is_new {
        area = area.vertical_scroll_offset(highlighted.initial_offset(ui));
    }
    area.show(ui, |ui| highlighted.show(source.running, ui));
    code.highlighted = Some(highlighted);
}

impl Highlighted {
    fn new(source: ShownCode<'_>, ui: &Ui) -> Self {
        let ShownCode {
            id, text, language, ..
        } = source;
        let theme = theme(tokens(ui), ui);
        let lines = text.lines().enumerate();
        let marked = lines.filter(|(_, line)| line.contains(REMARK));
        Self {
            id: id.to_owned(),
            is_dark: ui.visuals().dark_mode,
            text: highlight(ui.ctx(), ui.style(), &theme, text, language),
            marked: marked
                .map(|(line, text)| Marked {
                    line,
                    text: format!("Marked line {}: {}", line + 1, text.trim()),
                })
                .collect(),
        }
    }

    /// The scroll offset that shows the first marked line and a few lines above it.
    fn initial_offset(&self, ui: &Ui) -> f32 {
        let line = self.marked.first().map_or(0, |marked| marked.line);
        line.saturating_sub(LEAD_LINES) as f32 * ui.text_style_height(&TextStyle::Monospace)
    }

    /// Draws the background of a running line.
    fn running_ui(&self, line: usize, rect: Rect, ui: &Ui) {
        ui.painter().rect_filled(rect, 0, tokens(ui).selection);
        let text = self.text.text.lines().nth(line).unwrap_or_default();
        let text = format!("Running line {}: {}", line + 1, text.trim());
        name_line(rect, ("running", line), &text, ui);
    }

    fn show(&self, running: &[u32], ui: &mut Ui) {
        let mut text = self.text.clone();
        text.wrap.max_width = ui.available_width() - INDENT;
        let galley = ui.fonts_mut(|fonts| fonts.layout_job(text));
        let place = ui.available_rect_before_wrap();
        for (line, y) in lines_of(&galley) {
            let y = Rangef::new(place.top() + y.min, place.top() + y.max);
            let rect = Rect::from_x_y_ranges(place.x_range(), y);
            if let Some(marked) = self.marked.iter().find(|marked| marked.line == line) {
                marked_ui(marked, rect, ui);
            }
            if running.iter().any(|&running| running as usize == line + 1) {
                self.running_ui(line, rect, ui);
            }
        }
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            ui.add_space(INDENT);
            ui.add(egui::Label::new(galley).selectable(true));
        });
    }
}

/// Draws the background of a marked line, with a bar at the left.
fn marked_ui(marked: &Marked, rect: Rect, ui: &Ui) {
    let (tokens, painter) = (tokens(ui), ui.painter());
    painter.rect_filled(rect, 0, tokens.marked);
    painter.rect_filled(rect.with_max_x(rect.left() + 3.0), 0, tokens.failed);
    name_line(rect, ("marked", marked.line), &marked.text, ui);
}

/// Gives a line an accessible name.
fn name_line(rect: Rect, line: (&str, usize), text: &str, ui: &Ui) {
    let line = ui.interact(rect, ui.scope_id().with(line), Sense::hover());
    line.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
}

/// The lines of the file with the height of all their rows.
fn lines_of(galley: &Galley) -> impl Iterator<Item = (usize, Rangef)> {
    let mut line = 0;
    let mut top = None;
    galley.rows.iter().filter_map(move |row| {
        let rect = row.rect();
        let top_of_line = *top.get_or_insert(rect.top());
        if !row.ends_with_newline {
            return None;
        }
        top = None;
        line += 1;
        Some((line - 1, Rangef::new(top_of_line, rect.bottom())))
    })
}

/// The colours of states, which colour-blind users can tell apart.
fn theme(tokens: &Tokens, ui: &Ui) -> CodeTheme {
    let mut theme = CodeTheme::from_style(ui.style());
    for (kind, color) in [
        (TokenType::Comment, tokens.text_weak),
        (TokenType::Function, tokens.text),
        (TokenType::Keyword, tokens.panicked),
        (TokenType::Literal, tokens.text),
        (TokenType::StringLiteral, tokens.returned),
        (TokenType::Punctuation, tokens.text_weak),
    ] {
        theme.format_mut(kind).color = color;
    }
    theme
}
