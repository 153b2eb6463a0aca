//! A combo box that works by keyboard and says its value.

use eframe::egui::{ComboBox, Id, Response, Ui};

use crate::choice::Choice;

/// Draws the box with the accessible name `name`, whose list closes on a click, on Enter and on Space. It
/// opens at the chosen entry. Then the box takes the keyboard back.
pub(crate) fn choice_box_ui<T: Choice>(
    name: &str,
    value: &mut T,
    width: f32,
    ui: &mut Ui,
) -> Response {
    let entries: Vec<_> = T::all()
        .iter()
        .map(|choice| (choice.title(), choice.hint()))
        .collect();
    let mut chosen = T::all().iter().position(|choice| choice == value);
    let response = entries_box_ui(name, &entries, &mut chosen, width, ui);
    if let Some(choice) = chosen.and_then(|chosen| T::all().get(chosen)) {
        *value = *choice;
    }
    response
}

/// The same for titles with hints, of which `chosen` is the place.
pub(crate) fn entries_box_ui(
    name: &str,
    entries: &[(&str, &str)],
    chosen: &mut Option<usize>,
    width: f32,
    ui: &mut Ui,
) -> Response {
    let open_id: Id = ui.scope_id().with((name, "open"));
    let was_open = ui.data(|data| data.get_temp(open_id).unwrap_or(false));
    let mut is_chosen = false;
    let title = chosen.and_then(|chosen| entries.get(chosen));
    let shown = ComboBox::from_id_salt(name)
        .width(width)
        .selected_text(title.map_or("", |(title, _)| *title))
        .show_ui(ui, |ui| {
            for (place, (title, hint)) in entries.iter().enumerate() {
                let is_current = *chosen == Some(place);
                let mut entry = ui.selectable_label(is_current, *title);
                if !hint.is_empty() {
                    entry = entry.on_hover_text(*hint);
                }
                if entry.clicked() {
                    *chosen = Some(place);
                    is_chosen = true;
                    ui.close();
                } else if is_current && !was_open {
                    entry.request_focus();
                }
            }
        });
    let is_open = shown.inner.is_some() && !is_chosen;
    ui.data_mut(|data| data.insert_temp(open_id, is_open));
    let is_left = was_open && !is_open && ui.memory(|memory| memory.focused().is_none());
    if is_chosen || is_left {
        shown.response.request_focus();
    }
    let mut response = shown.response;
    if is_chosen {
        response.mark_changed();
    }
    // AT-SPI has no value of a combo box, so a screen reader reads it as the description.
    let title = chosen.and_then(|chosen| entries.get(chosen));
    if let Some((title, _)) = title {
        ui.ctx()
            .accesskit_node_builder(response.id, |node| node.set_description(*title));
    }
    response.accessible_name(name)
}
