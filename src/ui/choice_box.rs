//! A combo box that works by keyboard and says its value.

use eframe::egui::{ComboBox, Id, Response, Ui};

use crate::choice::Choice;

/// Draws the box with the accessible name `name`, whose list closes on a click, on Enter and on Space. It
/// opens at the chosen entry. Afterwards the box has the keyboard.
pub(crate) fn choice_box_ui<T: Choice>(
    name: &str,
    value: &mut T,
    width: f32,
    ui: &mut Ui,
) -> Response {
    let open_id: Id = ui.scope_id().with((name, "open"));
    let was_open = ui.data(|data| data.get_temp(open_id).unwrap_or(false));
    let mut is_chosen = false;
    let shown = ComboBox::from_id_salt(name)
        .width(width)
        .selected_text(value.title())
        .show_ui(ui, |ui| {
            for &choice in T::all() {
                let is_current = *value == choice;
                let mut entry = ui.selectable_label(is_current, choice.title());
                if !choice.hint().is_empty() {
                    entry = entry.on_hover_text(choice.hint());
                }
                if entry.clicked() {
                    *value = choice;
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
    response.accessible_name(name)
}
