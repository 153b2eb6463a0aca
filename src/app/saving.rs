//! The parts of the saved state that a frame updates.

use eframe::egui;

use super::{App, WindowPlace};

impl App {
    /// Takes over what drawing has changed: the theme, and the place of the window.
    pub(super) fn follow_window(&mut self, ctx: &egui::Context) {
        let state = &mut self.context.state;
        if ctx.options(|options| options.theme_preference) != state.pages.settings.theme.into() {
            ctx.set_theme(state.pages.settings.theme);
        }
        if let Some(place) = window_place(ctx, state.window) {
            state.window = Some(place);
        }
    }

    /// Saves the settings in the background if they changed and rest since. Called before drawing, because nothing is
    /// drawn while the window is hidden, and after it.
    pub(super) fn save_settings(&mut self, ctx: &egui::Context) {
        let context = &mut self.context;
        let (now, wake) = (context.now(), context.waker());
        let (notice, again) = self.store.keep(&context.state, now, wake, || panes(ctx));
        if let Some(notice) = notice {
            context.notify(notice);
        }
        if let Some(again) = again {
            ctx.request_repaint_after(again);
        }
    }
}

/// Restores the widths of panels and columns. Unreadable ones from another version are ignored.
pub(super) fn restore_panes(ctx: &egui::Context, text: &str) {
    if let Ok(data) = ron::from_str(text) {
        ctx.data_mut(|current| *current = data);
    }
}

/// The widths of panels and columns, as egui stores them.
pub(super) fn panes(ctx: &egui::Context) -> String {
    ctx.data(ron::to_string).unwrap_or_default()
}

fn window_place(ctx: &egui::Context, before: Option<WindowPlace>) -> Option<WindowPlace> {
    let viewport = ctx.input(|input| input.viewport().clone());
    let size = viewport.inner_rect?.size();
    let maximized = viewport.maximized.unwrap_or(false) || viewport.fullscreen.unwrap_or(false);
    if let (true, Some(before)) = (maximized, before) {
        return Some(WindowPlace {
            maximized: viewport.maximized.unwrap_or(false),
            ..before
        });
    }
    Some(WindowPlace {
        position: viewport.outer_rect.map(|rect| rect.min.into()),
        size: size.into(),
        maximized,
    })
}
