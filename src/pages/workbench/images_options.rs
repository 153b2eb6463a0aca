//! What is done with images, and where they go.

use eframe::egui::{DragValue, Ui};

use super::Command;
use super::form::{choice_ui, rarer_ui, save_to_ui};
use crate::jobs::images::{Existing, Filter, Flip, Format, Options, Resize, Rotate};
use crate::ui::widgets::field_ui;

/// The largest side that can be chosen, in pixels.
const MAX_SIDE: u32 = 65_535;

/// The job itself: rows of the form that the grid around it makes.
pub(super) fn images_ui(options: &mut Options, ui: &mut Ui, commands: &mut Vec<Command>) {
    save_to_ui(&mut options.to, "another folder", ui, commands);
    choice_ui(
        "Resize",
        &mut options.resize,
        &Resize::ALL,
        Resize::title,
        ui,
    );
    match options.resize {
        Resize::Keep => {}
        Resize::Fit | Resize::Exact => size_ui(options, ui),
        Resize::Percent => {
            field_ui(ui, "Percent", |ui| {
                ui.add(DragValue::new(&mut options.percent).range(0.1..=10_000.0))
            });
        }
    }
    choice_ui(
        "Format",
        &mut options.format,
        &Format::ALL,
        Format::title,
        ui,
    );
    choice_ui(
        "Name is taken",
        &mut options.existing,
        &Existing::ALL,
        Existing::title,
        ui,
    );
}

/// Everything about it that mostly stays as it is.
pub(super) fn more_ui(options: &mut Options, ui: &mut Ui) {
    rarer_ui("More about the images", ui, |ui| {
        choice_ui(
            "Rotate",
            &mut options.rotate,
            &Rotate::ALL,
            Rotate::title,
            ui,
        );
        choice_ui("Mirror", &mut options.flip, &Flip::ALL, Flip::title, ui);
        ui.label("");
        ui.checkbox(&mut options.greyscale, "Greyscale")
            .on_hover_text("The luma of Rec. 709: 0.2126 R + 0.7152 G + 0.0722 B.");
        ui.end_row();
        choice_ui(
            "Filter",
            &mut options.filter,
            &Filter::ALL,
            Filter::title,
            ui,
        );
        field_ui(ui, "JPEG quality", |ui| {
            ui.add(DragValue::new(&mut options.quality).range(1..=100))
        });
        field_ui(ui, "Megapixels", |ui| {
            ui.add(DragValue::new(&mut options.max_megapixels).range(1..=4_000))
                .on_hover_text("An image with more is an error: it may be made to fill the memory.")
        });
        field_ui(ui, "Memory (MiB)", |ui| {
            ui.add(DragValue::new(&mut options.max_memory_mib).range(1..=65_536))
                .on_hover_text("The most that reading one image may take.")
        });
    });
}

fn size_ui(options: &mut Options, ui: &mut Ui) {
    let width = ui.label("Width");
    ui.horizontal(|ui| {
        ui.add(DragValue::new(&mut options.width).range(1..=MAX_SIDE))
            .labelled_by(width.id);
        let height = ui.label("Height");
        ui.add(DragValue::new(&mut options.height).range(1..=MAX_SIDE))
            .labelled_by(height.id);
    });
    ui.end_row();
}
