//! What the program is for: shown until there is a job.

use eframe::egui::{
    self, Color32, CursorIcon, Rect, RichText, Role, Sense, Stroke, Ui, UiBuilder, Vec2,
    WidgetInfo, vec2,
};

use super::{WorkbenchCommand, command};
use crate::desktop::drops_files;
use crate::pages::{freeze_lab, lessons};
use crate::ui::layout::scroll_ui;
use crate::ui::tokens::{Tokens, tokens};

/// Cards stand side by side where each is this wide.
const MIN_CARD_WIDTH: f32 = 190.0;
const MAX_CARD_WIDTH: f32 = 300.0;
/// The height of the cards beside each other, which holds the longest text at the least width.
const CARD_HEIGHT: f32 = 180.0;
/// The height of one card on top of the others.
const LOW_CARD_HEIGHT: f32 = 150.0;
const DRAWING_HEIGHT: f32 = 56.0;
const MARGIN: f32 = 14.0;

/// A way into the program.
#[derive(Clone, Copy)]
enum Door {
    Files,
    Freezes,
    Joining,
}

impl Door {
    const ALL: [Self; 3] = [Self::Files, Self::Freezes, Self::Joining];

    fn title(self) -> &'static str {
        match self {
            Self::Files => "Work on files",
            Self::Freezes => "See why windows freeze",
            Self::Joining => "Learn joining",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Files if drops_files() => {
                "Checksums, images, downloads, your own commands. Choose files, or drop them anywhere."
            }
            Self::Files => "Checksums, images, downloads, your own commands. Choose files.",
            Self::Freezes => "Mistakes that freeze windows, and their fixes, run and measured.",
            Self::Joining => "Short lessons on starting work and waiting for it. Guess, then run.",
        }
    }

    fn command(self) -> WorkbenchCommand {
        match self {
            Self::Files => WorkbenchCommand::Ui(command::ADD_FILES),
            Self::Freezes => WorkbenchCommand::OpenPage(freeze_lab::ID),
            Self::Joining => WorkbenchCommand::OpenPage(lessons::ID),
        }
    }

    fn draw(self, ui: &mut Ui) {
        let size = vec2(ui.available_width(), DRAWING_HEIGHT);
        let (place, _) = ui.allocate_exact_size(size, Sense::hover());
        let tokens = tokens(ui);
        let bar = |x: f32, y: f32, width: f32, height: f32, color: Color32| {
            let unit = vec2(place.width().min(3.0 * DRAWING_HEIGHT), place.height());
            let corner = place.min + vec2(x, y) * unit;
            let bar = Rect::from_min_size(corner, vec2(width, height) * unit);
            ui.painter().rect_filled(bar, 3.0, color);
        };
        match self {
            Self::Files => draw_progress(bar, tokens),
            Self::Freezes => draw_frames(bar, tokens),
            Self::Joining => draw_lanes(bar, tokens),
        }
    }
}

/// Three files: one done, two on their way.
fn draw_progress(bar: impl Fn(f32, f32, f32, f32, Color32), tokens: &Tokens) {
    for (row, (share, color)) in [
        (1.0, tokens.returned),
        (0.62, tokens.running),
        (0.27, tokens.running),
    ]
    .into_iter()
    .enumerate()
    {
        #[expect(clippy::cast_precision_loss, reason = "there are three")]
        let y = 0.1 + 0.3 * row as f32;
        bar(0.0, y, 1.0, 0.16, tokens.line);
        bar(0.0, y, share, 0.16, color);
    }
}

/// The frames of a window, with a gap in which it is frozen.
fn draw_frames(bar: impl Fn(f32, f32, f32, f32, Color32), tokens: &Tokens) {
    for at in [0.0, 0.06, 0.12, 0.18, 0.24, 0.76, 0.82, 0.88, 0.94] {
        bar(at, 0.55, 0.03, 0.35, tokens.running);
    }
    bar(0.3, 0.1, 0.43, 0.8, tokens.failed);
}

/// A thread that waits until another one has ended.
fn draw_lanes(bar: impl Fn(f32, f32, f32, f32, Color32), tokens: &Tokens) {
    bar(0.0, 0.15, 0.3, 0.2, tokens.running);
    bar(0.3, 0.21, 0.4, 0.08, tokens.neutral);
    bar(0.7, 0.15, 0.3, 0.2, tokens.running);
    bar(0.15, 0.6, 0.55, 0.2, tokens.returned);
}

/// The doors, each a card that one clicks.
pub(super) fn doors_ui(ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
    let gap = ui.spacing().item_spacing.x * 1.5;
    let each = (ui.available_width() - 2.0 * gap) / 3.0;
    let is_wide = each >= MIN_CARD_WIDTH;
    if is_wide {
        let spare = ui.available_height() - CARD_HEIGHT;
        ui.add_space(if spare.is_finite() {
            0.35 * spare.max(0.0)
        } else {
            0.0
        });
        let width = each.min(MAX_CARD_WIDTH);
        let left = (ui.available_width() - 3.0 * width - 2.0 * gap) / 2.0;
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            ui.add_space(left);
            for door in Door::ALL {
                door_ui(door, vec2(width, CARD_HEIGHT), ui, commands);
            }
        });
        return;
    }
    scroll_ui("doors", ui, |ui| {
        for door in Door::ALL {
            let size = vec2(ui.available_width(), LOW_CARD_HEIGHT);
            door_ui(door, size, ui, commands);
        }
    });
}

fn door_ui(door: Door, size: Vec2, ui: &mut Ui, commands: &mut Vec<WorkbenchCommand>) {
    let tokens = tokens(ui);
    let builder = UiBuilder::new().id_salt(door.title()).sense(Sense::click());
    let card = ui.scope_builder(builder, |ui| {
        ui.style_mut().interaction.selectable_labels = false;
        let is_active = ui.response().hovered() || ui.response().has_focus();
        let line = if is_active {
            tokens.accent
        } else {
            tokens.line
        };
        let frame = egui::Frame::new()
            .fill(tokens.surface)
            .stroke(Stroke::new(1.0, line))
            .corner_radius(6)
            .inner_margin(MARGIN);
        let frame_size = frame.total_margin().sum();
        frame.show(ui, |ui| {
            let inside = size - frame_size;
            ui.set_min_size(inside);
            ui.set_max_width(inside.x);
            ui.vertical(|ui| {
                door.draw(ui);
                ui.add_space(6.0);
                ui.label(RichText::new(door.title()).size(16.0).strong());
                ui.label(RichText::new(door.text()).weak());
            });
        });
    });
    let card = card.response.on_hover_cursor(CursorIcon::PointingHand);
    card.widget_info(|| WidgetInfo::labeled(Role::Button, true, door.title()));
    if card.clicked() {
        commands.push(door.command());
    }
}
