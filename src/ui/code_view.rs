//! The source of a pattern or a lesson, with the lines marked that matter.

use eframe::egui::text::LayoutJob;
use eframe::egui::{self, Galley, Rangef, Rect, ScrollArea, Sense, TextStyle, Ui};
use egui_extras::syntax_highlighting::{CodeTheme, TokenType, highlight};

use super::tokens::{Tokens, tokens};

/// What begins the remark on a line that makes the difference.
const REMARK: &str = "// \u{2190}";

/// Left of the code, for the bars of the marked lines.
const INDENT: f32 = 8.0;

/// So many lines before the first marked one are in sight at first.
const LEAD: usize = 9;

/// What is kept of the source from frame to frame: it is coloured once.
#[derive(Default)]
pub(crate) struct Code {
    coloured: Option<Coloured>,
}

/// What is shown.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    /// Tells it from any other.
    pub(crate) id: &'a str,
    /// Its text.
    pub(crate) text: &'a str,
    /// The ending of a file in its language.
    pub(crate) language: &'a str,
    /// Which lines somebody has come to just now, from 1.
    pub(crate) running: &'a [u32],
}

struct Coloured {
    id: String,
    is_dark: bool,
    text: LayoutJob,
    marked: Vec<Marked>,
}

/// A line that makes the difference.
struct Marked {
    /// From 0.
    line: usize,
    /// For those who do not see its ground.
    text: String,
}

/// The text of a file. It is coloured once, not once a frame.
pub(crate) fn code_ui(source: Source<'_>, code: &mut Code, ui: &mut Ui) {
    let is_dark = ui.visuals().dark_mode;
    let is_of = |coloured: &Coloured| coloured.id == source.id && coloured.is_dark == is_dark;
    let mut area = ScrollArea::vertical().id_salt(source.id).auto_shrink(false);
    let kept = code.coloured.take().filter(is_of);
    let is_new = kept.is_none();
    let coloured = kept.unwrap_or_else(|| Coloured::new(source, ui));
    if is_new {
        area = area.vertical_scroll_offset(coloured.first_sight(ui));
    }
    area.show(ui, |ui| coloured.show(source.running, ui));
    code.coloured = Some(coloured);
}

impl Coloured {
    fn new(source: Source<'_>, ui: &Ui) -> Self {
        let Source {
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

    /// How far to scroll for the first marked line to be seen with what leads to it.
    fn first_sight(&self, ui: &Ui) -> f32 {
        let line = self.marked.first().map_or(0, |marked| marked.line);
        line.saturating_sub(LEAD) as f32 * ui.text_style_height(&TextStyle::Monospace)
    }

    /// The ground of a line that somebody has come to.
    fn running_ui(&self, line: usize, rect: Rect, ui: &Ui) {
        ui.painter().rect_filled(rect, 0, tokens(ui).selection);
        let text = self.text.text.lines().nth(line).unwrap_or_default();
        let text = format!("Running line {}: {}", line + 1, text.trim());
        name(rect, ("running", line), &text, ui);
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

/// The ground of a marked line, in colour and with a bar at its left.
fn marked_ui(marked: &Marked, rect: Rect, ui: &Ui) {
    let (tokens, painter) = (tokens(ui), ui.painter());
    painter.rect_filled(rect, 0, tokens.marked);
    painter.rect_filled(rect.with_max_x(rect.left() + 3.0), 0, tokens.failed);
    name(rect, ("marked", marked.line), &marked.text, ui);
}

/// Says what a ground means to those who do not see it.
fn name(rect: Rect, line: (&str, usize), text: &str, ui: &Ui) {
    let line = ui.interact(rect, ui.scope_id().with(line), Sense::hover());
    line.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
}

/// The lines of the file, each over all the rows that it takes.
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

/// The colours of the code are those of the states, which stay apart for colour-blind eyes.
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
