//! The colours, and the common distances.
//!
//! State colours are those of Okabe and Ito, which colour-blind people can tell apart. Each state
//! also has a shape and a word, in `widgets`.

use eframe::egui::style::ScrollStyle;
use eframe::egui::{self, Color32, CornerRadius, FontId, Stroke, TextStyle, Theme, Visuals};

/// The colours of one theme.
#[derive(Debug)]
pub struct Tokens {
    /// Behind everything.
    pub background: Color32,
    /// Behind groups that stand out from the background.
    pub surface: Color32,
    /// Behind text fields and tables.
    pub field: Color32,
    pub line: Color32,
    pub button: Color32,
    pub button_hovered: Color32,
    pub text: Color32,
    /// Text that matters less.
    pub text_weak: Color32,
    /// Primary buttons and progress bars.
    pub accent: Color32,
    /// Text on [`Tokens::accent`].
    pub on_accent: Color32,
    pub selection: Color32,
    /// Behind marked lines of code.
    pub marked: Color32,
    /// Work that waits or was cancelled.
    pub neutral: Color32,
    pub running: Color32,
    pub returned: Color32,
    pub failed: Color32,
    pub panicked: Color32,
    /// Work that crashed its process.
    pub crashed: Color32,
    pub timed_out: Color32,
}

/// The unit of distance.
pub const UNIT: f32 = 4.0;
/// The height of a table row.
pub const ROW_HEIGHT: f32 = 22.0;
/// The width of the column on the left.
pub const SIDE_WIDTH: f32 = 340.0;

#[expect(clippy::disallowed_methods, reason = "this file defines the colours")]
const fn rgb(r: u8, g: u8, b: u8) -> Color32 {
    Color32::from_rgb(r, g, b)
}

static LIGHT: Tokens = Tokens {
    background: rgb(0xF6, 0xF7, 0xF8),
    surface: rgb(0xFF, 0xFF, 0xFF),
    field: rgb(0xFF, 0xFF, 0xFF),
    line: rgb(0xD9, 0xDC, 0xE0),
    button: rgb(0xE6, 0xE9, 0xED),
    button_hovered: rgb(0xD8, 0xDD, 0xE3),
    text: rgb(0x1E, 0x22, 0x27),
    text_weak: rgb(0x5B, 0x63, 0x6D),
    accent: rgb(0x00, 0x62, 0x9B),
    on_accent: rgb(0xFF, 0xFF, 0xFF),
    selection: rgb(0xCF, 0xE4, 0xF3),
    marked: rgb(0xFD, 0xE9, 0xD8),
    neutral: rgb(0x6F, 0x77, 0x80),
    running: rgb(0x00, 0x72, 0xB2),
    returned: rgb(0x00, 0x8A, 0x65),
    failed: rgb(0xD5, 0x5E, 0x00),
    panicked: rgb(0xB4, 0x4E, 0x85),
    crashed: rgb(0x1E, 0x22, 0x27),
    timed_out: rgb(0xB8, 0x7C, 0x00),
};

static DARK: Tokens = Tokens {
    background: rgb(0x1B, 0x1E, 0x22),
    surface: rgb(0x23, 0x27, 0x2C),
    field: rgb(0x15, 0x17, 0x1A),
    line: rgb(0x36, 0x3B, 0x42),
    button: rgb(0x32, 0x37, 0x3E),
    button_hovered: rgb(0x3F, 0x46, 0x4F),
    text: rgb(0xE4, 0xE7, 0xEA),
    text_weak: rgb(0xA3, 0xAB, 0xB5),
    accent: rgb(0x2B, 0x84, 0xC0),
    on_accent: rgb(0xFF, 0xFF, 0xFF),
    selection: rgb(0x1F, 0x46, 0x62),
    marked: rgb(0x45, 0x2C, 0x16),
    neutral: rgb(0x9A, 0xA2, 0xAB),
    running: rgb(0x56, 0xB4, 0xE9),
    returned: rgb(0x2F, 0xC1, 0x96),
    failed: rgb(0xF0, 0x7F, 0x2E),
    panicked: rgb(0xE0, 0x92, 0xBE),
    crashed: rgb(0xF0, 0xE4, 0x42),
    timed_out: rgb(0xE6, 0x9F, 0x00),
};

/// The tokens of the theme that `ui` is drawn in.
pub fn tokens(ui: &egui::Ui) -> &'static Tokens {
    if ui.visuals().dark_mode {
        &DARK
    } else {
        &LIGHT
    }
}

/// Installs both themes in a context. Call once, before the first frame.
pub fn install(ctx: &egui::Context) {
    ctx.set_visuals_of(Theme::Light, visuals(Visuals::light(), &LIGHT));
    ctx.set_visuals_of(Theme::Dark, visuals(Visuals::dark(), &DARK));
    ctx.all_styles_mut(|style| {
        style.spacing.item_spacing = egui::vec2(UNIT * 2.0, UNIT * 1.5);
        style.spacing.button_padding = egui::vec2(UNIT * 2.5, UNIT);
        style.spacing.interact_size.y = UNIT * 6.5;
        style.spacing.combo_width = 150.0;
        style.spacing.combo_height = 400.0;
        // Always visible, so that a list shows that it goes on below.
        style.spacing.scroll = ScrollStyle::thin();
        style.text_styles = [
            (TextStyle::Heading, FontId::proportional(18.0)),
            (TextStyle::Body, FontId::proportional(13.5)),
            (TextStyle::Button, FontId::proportional(13.5)),
            (TextStyle::Monospace, FontId::monospace(12.5)),
            (TextStyle::Small, FontId::proportional(12.0)),
        ]
        .into();
    });
}

fn visuals(mut visuals: Visuals, tokens: &Tokens) -> Visuals {
    let radius = CornerRadius::same(4);
    visuals.panel_fill = tokens.background;
    visuals.window_fill = tokens.surface;
    visuals.window_stroke = Stroke::new(1.0, tokens.line);
    visuals.extreme_bg_color = tokens.field;
    visuals.faint_bg_color = tokens.surface;
    visuals.code_bg_color = tokens.surface;
    visuals.weak_text_color = Some(tokens.text_weak);
    visuals.hyperlink_color = tokens.running;
    visuals.warn_fg_color = tokens.timed_out;
    visuals.error_fg_color = tokens.failed;
    visuals.selection.bg_fill = tokens.selection;
    visuals.selection.stroke = Stroke::new(1.0, tokens.text);

    // A blinking cursor would cost two frames a second in an idle window.
    visuals.text_cursor.blink = false;

    let widgets = &mut visuals.widgets;
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, tokens.line);
    widgets.noninteractive.fg_stroke = Stroke::new(1.0, tokens.text);
    for (state, fill, line) in [
        (&mut widgets.inactive, tokens.button, tokens.line),
        (&mut widgets.hovered, tokens.button_hovered, tokens.neutral),
        (&mut widgets.active, tokens.button_hovered, tokens.accent),
        (&mut widgets.open, tokens.button_hovered, tokens.line),
    ] {
        state.bg_fill = fill;
        state.weak_bg_fill = fill;
        state.bg_stroke = Stroke::new(1.0, line);
        state.fg_stroke = Stroke::new(1.0, tokens.text);
        state.corner_radius = radius;
        state.expansion = 0.0;
    }
    // The keyboard focus is drawn with the `hovered` and `active` strokes. They are wider by a whole
    // number, because egui rounds what it takes from the margin, and a button would grow by the rest.
    widgets.hovered.bg_stroke = Stroke::new(2.0, tokens.accent);
    widgets.active.bg_stroke = Stroke::new(2.0, tokens.accent);
    visuals
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2 requires 4.5 for text and 3 for meaningful shapes.
    fn contrast(a: Color32, b: Color32) -> f32 {
        let luminance = |color: Color32| {
            let [r, g, b, _] = egui::Rgba::from(color).to_array();
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_and_state_shapes_stand_out_in_both_themes() {
        for tokens in [&LIGHT, &DARK] {
            for ground in [tokens.background, tokens.surface, tokens.field] {
                assert!(contrast(tokens.text, ground) >= 7.0);
                assert!(contrast(tokens.text_weak, ground) >= 4.5);
                for state in [
                    tokens.neutral,
                    tokens.running,
                    tokens.returned,
                    tokens.failed,
                    tokens.panicked,
                    tokens.crashed,
                    tokens.timed_out,
                ] {
                    assert!(contrast(state, ground) >= 3.0, "{state:?} on {ground:?}");
                }
            }
            assert!(contrast(tokens.text, tokens.selection) >= 4.5);
        }
    }
}
