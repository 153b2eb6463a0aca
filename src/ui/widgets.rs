//! Widgets that several panels use.

use std::cell::RefCell;
use std::time::Duration;

use eframe::egui::{
    self, Align, Color32, Context, DragValue, Event, FocusDirection, FontId, Id, Key, Layout,
    Memory, Modal, ModalResponse, Modifiers, Popup, PopupCloseBehavior, Response, RichText, Role,
    Sense, Stroke, Ui, UiKind, Vec2,
};
use unicode_segmentation::UnicodeSegmentation as _;

use super::tokens::tokens;
use crate::jobs;

/// A progress bar on a track.
pub(crate) fn progress_bar(ui: &mut Ui, share: f32, size: Vec2, fill: Color32) -> Response {
    let track = tokens(ui).line;
    let bar = egui::ProgressBar::new(share)
        .desired_width(size.x)
        .desired_height(size.y)
        .corner_radius(size.y / 2.0)
        .fill(fill);
    ui.scope(|ui| {
        // The default colour of the track is that of the background.
        ui.visuals_mut().extreme_bg_color = track;
        ui.add(bar)
    })
    .inner
}

/// The one prominent button of a panel.
pub(crate) fn primary_button(ui: &mut Ui, text: &str, enabled: bool) -> Response {
    let tokens = tokens(ui);
    let button =
        egui::Button::new(RichText::new(text).color(tokens.on_accent).strong()).fill(tokens.accent);
    ui.add_enabled(enabled, button)
}

/// A number, right-aligned in digits of equal width.
pub(crate) fn number_ui(ui: &mut Ui, text: impl Into<String>) {
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        ui.add_space(4.0);
        let text = RichText::new(text).monospace();
        ui.add(egui::Label::new(text).truncate().selectable(false));
    });
}

/// The width of one line of text.
pub(crate) fn text_width(text: &str, font: &FontId, ui: &Ui) -> f32 {
    let text = text.to_owned();
    let color = Color32::PLACEHOLDER;
    let galley = ui.fonts_mut(|fonts| fonts.layout_no_wrap(text, font.clone(), color));
    galley.size().x
}

/// The width of a button with this text.
pub(crate) fn button_width(text: &str, ui: &Ui) -> f32 {
    let font = egui::TextStyle::Button.resolve(ui.style());
    text_width(text, &font, ui).ceil() + 2.0 * ui.spacing().button_padding.x
}

/// Begins a new line of a wrapped layout if this width does not fit in the rest of the line.
pub(crate) fn keep_together(width: f32, ui: &mut Ui) {
    if width > ui.available_size_before_wrap().x {
        ui.end_row();
    }
}

/// The label of a field of this width, in one line of a wrapped layout with it.
pub(crate) fn field_label_ui(text: &str, field_width: f32, ui: &mut Ui) -> Response {
    let width = text_width(text, &egui::TextStyle::Body.resolve(ui.style()), ui);
    keep_together(width + ui.spacing().item_spacing.x + field_width, ui);
    let size = Vec2::new(width, ui.spacing().interact_size.y);
    let layout = Layout::left_to_right(Align::Center);
    ui.allocate_ui_with_layout(size, layout, |ui| ui.label(text))
        .inner
}

/// The text, or its begin and its end if there is no room for all.
pub(crate) fn cut_in_the_middle(text: &str, font: &FontId, room: f32, ui: &Ui) -> String {
    let fits = |text: &str| text_width(text, font, ui) <= room;
    if fits(text) {
        return text.to_owned();
    }
    // A flag or a letter with accents is several chars, and means something else in part.
    let graphemes: Vec<&str> = text.graphemes(true).collect();
    let cut = |kept: usize| {
        let (begin, end) = (kept - kept / 2, kept / 2);
        let begin = graphemes[..begin].concat();
        let end = graphemes[graphemes.len() - end..].concat();
        format!("{begin}…{end}")
    };
    let numbers: Vec<usize> = (0..graphemes.len()).collect();
    let fitting = numbers.partition_point(|&kept| fits(&cut(kept)));
    cut(fitting.saturating_sub(1))
}

/// A group that stands out from the background, as wide as its parent.
pub(crate) fn card_ui<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let tokens = tokens(ui);
    egui::Frame::new()
        .fill(tokens.surface)
        .stroke(Stroke::new(1.0, tokens.line))
        .corner_radius(6)
        .inner_margin(10)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            contents(ui)
        })
        .inner
}

/// Something with the accessible name `name` that a click or the keyboard selects.
pub(crate) fn choosable_ui(
    ui: &mut Ui,
    name: &str,
    is_selected: bool,
    contents: impl FnOnce(&mut Ui),
) -> Response {
    let id = egui::UiBuilder::new().id_salt(name).sense(Sense::click());
    let response = ui
        .scope_builder(id, |ui| {
            ui.style_mut().interaction.selectable_labels = false;
            contents(ui);
        })
        .response;
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::Button, ui.is_enabled(), is_selected, name)
    });
    if response.has_focus() {
        let stroke = Stroke::new(1.5, tokens(ui).accent);
        let painter = ui.painter();
        painter.rect_stroke(response.rect, 6, stroke, egui::StrokeKind::Inside);
    }
    response
}

/// The same as a card.
pub(crate) fn choosable_card_ui(
    ui: &mut Ui,
    name: &str,
    is_selected: bool,
    margin: egui::Margin,
    contents: impl FnOnce(&mut Ui),
) -> Response {
    let tokens = tokens(ui);
    let fill = if is_selected {
        tokens.selection
    } else {
        tokens.surface
    };
    let frame = egui::Frame::new()
        .fill(fill)
        .stroke(Stroke::new(1.0, tokens.line))
        .corner_radius(6)
        .inner_margin(margin);
    choosable_ui(ui, name, is_selected, |ui| {
        frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            contents(ui);
        });
    })
}

/// The heading of a group.
pub(crate) fn section_ui(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).size(15.0));
}

/// Centred text for a panel that has nothing to show.
pub(crate) fn empty_ui(ui: &mut Ui, title: &str, hint: &str) {
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.35).min(160.0));
        ui.label(RichText::new(title).heading());
        ui.label(RichText::new(hint).weak());
    });
}

/// A row of a two-column form: the name, then the widget with that accessible name.
pub(crate) fn field_ui(
    ui: &mut Ui,
    name: &str,
    widget: impl FnOnce(&mut Ui) -> Response,
) -> Response {
    let label = ui.label(name);
    let response = widget(ui).labelled_by(label.id);
    ui.end_row();
    response
}

/// A number of seconds. One may also type a time such as `5m` or `1h30m`. `adjust` sets its range. What is
/// neither is not taken, and a sentence says so until the next click or key.
pub(crate) fn seconds_ui(
    ui: &mut Ui,
    secs: &mut f64,
    adjust: impl FnOnce(DragValue<'_>) -> DragValue<'_>,
) -> Response {
    let parsed = RefCell::new(None);
    let parser = |text: &str| {
        let time = jobs::duration(text);
        let secs = time.as_ref().ok().map(Duration::as_secs_f64);
        *parsed.borrow_mut() = Some(time);
        secs
    };
    let input = DragValue::new(secs).custom_parser(parser);
    let response = ui.add(adjust(input.speed(0.1).max_decimals(2)));
    let problem_id = response.id.with("problem");
    let is_press = |event: &Event| {
        matches!(
            event,
            Event::Key { pressed: true, .. } | Event::PointerButton { pressed: true, .. }
        )
    };
    if response.has_focus() || ui.input(|input| input.events.iter().any(is_press)) {
        ui.data_mut(|data| data.remove::<String>(problem_id));
    }
    // What is still being typed may become right.
    if let (Some(Err(problem)), false) = (parsed.take(), response.has_focus()) {
        ui.data_mut(|data| data.insert_temp(problem_id, problem));
    }
    if let Some(problem) = ui.data(|data| data.get_temp::<String>(problem_id)) {
        response.show_tooltip_text(problem);
    }
    response
}

/// A text with code between backticks.
#[cfg(unix)]
pub(crate) fn prose_ui(text: &str, ui: &mut Ui) {
    ui.label(prose(text, ui));
}

/// The same as a part of another widget.
#[cfg(unix)]
pub(crate) fn prose(text: &str, ui: &Ui) -> egui::text::LayoutJob {
    use egui::TextStyle;
    use egui::text::{LayoutJob, TextFormat};

    let fonts = [TextStyle::Body, TextStyle::Monospace].map(|style| style.resolve(ui.style()));
    let mut job = LayoutJob::default();
    for (index, part) in text.split('`').enumerate() {
        // In the colour of the widget.
        let format = TextFormat::simple(fonts[index % 2].clone(), Color32::PLACEHOLDER);
        job.append(part, 0.0, format);
    }
    job
}

/// A menu below its button. The button gets the keyboard back when it closes, unless the pointer closed it.
pub(crate) fn menu_ui<R>(
    button: &Response,
    closes: PopupCloseBehavior,
    contents: impl FnOnce(&mut Ui) -> R,
) -> Option<R> {
    let id = Popup::default_response_id(button);
    let was_open = Popup::is_id_open(&button.ctx, id);
    let shown = Popup::menu(button).close_behavior(closes).show(contents);
    let is_closed = was_open && !Popup::is_id_open(&button.ctx, id);
    if is_closed && !button.ctx.input(|input| input.pointer.any_click()) {
        button.request_focus();
    }
    shown.map(|shown| shown.inner)
}

/// The arrows go through the entries of an open menu, round and round. By itself, egui goes to what is nearest, in the
/// menu or not.
pub(crate) fn walk_menu(entries: &[Response], ui: &Ui) {
    let entries: Vec<_> = entries.iter().filter(|entry| entry.enabled()).collect();
    let mut at = entries.iter().position(|entry| entry.has_focus());
    let mut is_moved = false;
    let keys = ui.input(|input| input.events.clone());
    for event in keys {
        let last = entries.len().saturating_sub(1);
        let next = match event {
            Event::Key {
                key,
                pressed: true,
                modifiers: Modifiers::NONE,
                ..
            } => match (key, at) {
                (Key::Home, _) => 0,
                (Key::End, _) => last,
                (Key::ArrowDown, at) => at.filter(|&at| at < last).map_or(0, |at| at + 1),
                (Key::ArrowUp, at) => at.and_then(|at| at.checked_sub(1)).unwrap_or(last),
                _ => continue,
            },
            _ => continue,
        };
        (at, is_moved) = (Some(next), true);
    }
    if let (Some(entry), true) = (at.and_then(|at| entries.get(at)), is_moved) {
        ui.memory_mut(|memory| memory.move_focus(FocusDirection::None));
        entry.request_focus();
    }
}

/// A row of tabs, the shown one of which changes on a click. Returns whether another one was chosen.
pub(crate) fn tabs_ui<T: crate::choice::Choice>(shown: &mut T, ui: &mut Ui) -> bool {
    let before = *shown;
    tab_row_ui(ui, |ui| {
        for &tab in T::all() {
            tab_ui(shown, tab, tab.title(), ui);
        }
    });
    *shown != before
}

/// A row for tabs, which a screen reader says to be one.
pub(crate) fn tab_row_ui(ui: &mut Ui, tabs: impl FnOnce(&mut Ui)) {
    ui.horizontal_wrapped(|ui| {
        ui.ctx()
            .accesskit_node_builder(ui.unique_id(), |node| node.set_role(Role::TabList));
        tabs(ui);
    });
}

/// A tab, which a click makes the shown one.
pub(crate) fn tab_ui<T: PartialEq>(shown: &mut T, tab: T, title: &str, ui: &mut Ui) -> Response {
    let is_shown = *shown == tab;
    let response = ui.selectable_value(shown, tab, title);
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Tab);
        node.clear_toggled();
        node.set_selected(is_shown);
    });
    response
}

/// What had the keyboard when a dialog opened.
#[derive(Clone, Copy, Default)]
struct BeforeDialog {
    widget: Option<Id>,
    /// The pass that drew the dialog last.
    pass: u64,
}

impl BeforeDialog {
    fn id() -> Id {
        Id::unique("before the dialog")
    }

    /// Notes that this pass draws a dialog.
    fn note(ctx: &Context) {
        let pass = ctx.cumulative_pass_nr();
        let before: Option<Self> = ctx.data(|data| data.get_temp(Self::id()));
        let widget = before.map_or_else(|| ctx.memory(Memory::focused), |before| before.widget);
        ctx.data_mut(|data| data.insert_temp(Self::id(), Self { widget, pass }));
    }
}

/// Gives the keyboard back to what had it before a dialog that has closed. Called after all else is drawn: in the first
/// pass without the dialog, egui still takes it from everything that was behind.
pub(crate) fn focus_after_dialog(ctx: &Context) {
    let before: Option<BeforeDialog> = ctx.data(|data| data.get_temp(BeforeDialog::id()));
    let Some(before) = before.filter(|before| before.pass < ctx.cumulative_pass_nr()) else {
        return;
    };
    ctx.data_mut(|data| data.remove_temp::<BeforeDialog>(BeforeDialog::id()));
    if let Some(widget) = before.widget {
        ctx.memory_mut(|memory| memory.request_focus(widget));
        ctx.request_repaint();
    }
}

/// Draws a dialog in front of everything else. A screen reader says its title. It keeps so wide, or as wide as a narrow
/// window lets it.
pub(crate) fn dialog_ui<T>(
    title: &str,
    width: f32,
    ui: &Ui,
    contents: impl FnOnce(&mut Ui) -> T,
) -> ModalResponse<T> {
    const MARGIN: f32 = 20.0;
    BeforeDialog::note(ui.ctx());
    Modal::new(Id::unique(title)).show(ui.ctx(), |ui| {
        let room = ui.ctx().content_rect().width() - 2.0 * MARGIN;
        ui.set_width(width.min(room));
        // What has the role of a dialog is further out.
        let mut outer = ui.stack().iter();
        let dialog = outer.find(|ui| ui.kind() == Some(UiKind::Modal));
        if let Some(dialog) = dialog {
            ui.ctx()
                .accesskit_node_builder(dialog.unique_id, |dialog| dialog.set_label(title));
        }
        ui.heading(title);
        contents(ui)
    })
}
