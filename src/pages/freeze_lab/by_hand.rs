//! The figures of the runs by hand, which are those of the plots.

use std::time::Duration;

use eframe::egui::{Grid, RichText, Ui};

use crate::format;
use crate::lab::{FrameLine, Variant};

type Figure = fn(&FrameLine) -> Option<String>;

const FIGURES: [(&str, Figure); 3] = [
    ("Longest time without a frame", longest),
    ("Frozen, all in all", frozen),
    ("Result after the work", result),
];

/// Draws a row for each figure, both variants side by side; `None` for one that was not tried.
pub(super) fn by_hand_figures_ui(lines: [Option<&FrameLine>; 2], ui: &mut Ui) {
    Grid::new("figures by hand")
        .num_columns(3)
        .min_col_width(90.0)
        .striped(true)
        .show(ui, |ui| {
            ui.weak("By hand");
            for variant in Variant::ALL {
                ui.strong(variant.title());
            }
            ui.end_row();
            for (name, figure) in FIGURES {
                ui.label(name);
                for line in lines {
                    let text = line.and_then(figure).unwrap_or_else(|| "–".to_owned());
                    ui.label(RichText::new(text).monospace());
                }
                ui.end_row();
            }
        });
    if lines.iter().all(Option::is_none) {
        ui.weak("Not tried yet. Try by hand opens the window for you to use.");
    }
}

fn longest(line: &FrameLine) -> Option<String> {
    line.longest_since_start().map(format::duration)
}

fn frozen(line: &FrameLine) -> Option<String> {
    let frozen = line.frozen_since_start()?;
    Some(match frozen {
        Duration::ZERO => "never".to_owned(),
        frozen => format::duration(frozen),
    })
}

fn result(line: &FrameLine) -> Option<String> {
    let ended = line.ended?;
    Some(match line.shown {
        Some(shown) => format::duration(shown.saturating_sub(ended)),
        None => "not shown yet".to_owned(),
    })
}
