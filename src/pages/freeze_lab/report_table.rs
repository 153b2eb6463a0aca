//! The report of the Freeze Lab: every pattern a row, both halves side by side.

use std::time::Duration;

use eframe::egui::{
    self, Align, Layout, Mesh, Pos2, Rangef, Rect, RichText, ScrollArea, Sense, Shape, Ui, Vec2,
};

use super::LabCommand;
use super::figures::{cell_ui, number, ratio_text, word_ui};
use super::page::{LabParts, look, swatch_ui};
use crate::format;
use crate::lab::{FROZEN, GapKind, Judged, PatternId, Report, Row, Sketch, Variant};
use crate::record::statistics::Centre;
use crate::ui::frame_line::{color_of, height_of};
use crate::ui::tokens::{Tokens, UNIT, tokens};
use crate::ui::widgets::{Mark, choosable_ui, mark_ui};

const NAME_WIDTH: f32 = 190.0;
const NUMBER_WIDTH: f32 = 74.0;
const RATIO_WIDTH: f32 = 48.0;
/// Of one half's frames.
const PLOT: Vec2 = Vec2::new(88.0, 30.0);
const VERDICT_LEAST: f32 = 200.0;
const ROW_HEIGHT: f32 = 36.0;
const HEADER_HEIGHT: f32 = 22.0;
const GAP: f32 = 8.0;
const MARGIN: egui::Margin = egui::Margin::symmetric(6, 3);

/// The table, and what it was measured on.
pub(crate) fn report_ui(parts: &LabParts<'_>, ui: &mut Ui, commands: &mut Vec<LabCommand>) {
    heading_ui(parts.report, ui);
    ui.add_space(UNIT);
    ScrollArea::horizontal().auto_shrink(false).show(ui, |ui| {
        let verdict = (ui.available_width() - fixed_width()).max(VERDICT_LEAST);
        ui.spacing_mut().item_spacing = Vec2::new(GAP, 0.0);
        header_ui(verdict, ui);
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            for (index, pattern) in PatternId::all().enumerate() {
                let fill = if index % 2 == 0 {
                    tokens(ui).surface
                } else {
                    egui::Color32::TRANSPARENT
                };
                row_ui(parts, pattern, verdict, fill, ui, commands);
            }
        });
    });
}

/// What all columns but the verdict take.
fn fixed_width() -> f32 {
    let plots = 2.0 * PLOT.x + UNIT;
    let columns = NAME_WIDTH + 2.0 * NUMBER_WIDTH + RATIO_WIDTH + plots;
    columns + 5.0 * GAP + MARGIN.sum().x
}

fn heading_ui(report: &Report, ui: &mut Ui) {
    let verdicts = PatternId::all().filter_map(|id| report.verdict(id));
    let (mut compared, mut reproduced) = (0, 0);
    for verdict in verdicts {
        compared += 1;
        reproduced += usize::from(verdict.reproduced);
    }
    ui.horizontal(|ui| {
        ui.heading("Report");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let all = PatternId::all().count();
            let text = match compared {
                0 => "Nothing was measured yet. Run all fills this table.".to_owned(),
                _ => format!("{compared} of {all} patterns measured, {reproduced} misbehave here"),
            };
            ui.add(egui::Label::new(text).truncate());
        });
    });
    let note = "Figures compare within one report, not from one machine to another.";
    let machine = format!("{} {note}", report.machine_text());
    ui.add(egui::Label::new(RichText::new(machine).weak()).wrap());
    legend_ui(ui);
}

/// What the colours of the frames mean.
fn legend_ui(ui: &mut Ui) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().interact_size.y = 16.0;
        ui.spacing_mut().item_spacing.x = 5.0;
        for (kind, text) in [
            (GapKind::Answering, "from one frame to the next"),
            (GapKind::Frozen, "frozen: no frame for more than 100 ms"),
            (
                GapKind::Resting,
                "no frame: nobody touches the window, it may rest",
            ),
        ] {
            swatch_ui(true, color_of(kind, tokens(ui)), ui);
            ui.label(RichText::new(text).small().weak());
            ui.add_space(8.0);
        }
    });
}

fn header_ui(verdict: f32, ui: &mut Ui) {
    egui::Frame::new().inner_margin(MARGIN).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().interact_size.y = HEADER_HEIGHT;
            let strong = |text| RichText::new(text).strong();
            cell_ui(NAME_WIDTH, ui, |ui| drop(ui.label(strong("Pattern"))));
            for (title, width) in [
                ("Bad", NUMBER_WIDTH),
                ("Fixed", NUMBER_WIDTH),
                ("Ratio", RATIO_WIDTH),
            ] {
                cell_ui(width, ui, |ui| word_ui(ui, strong(title)));
            }
            let hint = "Each frame as high as the time until the next, as in the plots of a \
                        pattern: from the click on Start until the end of the watch. The line is \
                        at 100 ms.";
            for title in ["Frames, bad", "Frames, fixed"] {
                let width = PLOT.x - (GAP - UNIT) / 2.0;
                cell_ui(width, ui, |ui| {
                    ui.label(strong(title)).on_hover_text(hint);
                });
            }
            cell_ui(verdict, ui, |ui| drop(ui.label(strong("Verdict"))));
        });
    });
}

fn row_ui(
    parts: &LabParts<'_>,
    pattern: PatternId,
    verdict: f32,
    fill: egui::Color32,
    ui: &mut Ui,
    commands: &mut Vec<LabCommand>,
) {
    let name = format!("Show {pattern}");
    let frame = egui::Frame::new().fill(fill).inner_margin(MARGIN);
    let row = choosable_ui(ui, &name, false, |ui| {
        frame.show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().interact_size.y = ROW_HEIGHT;
                cells_ui(parts, pattern, verdict, ui);
            });
        });
    });
    if row.clicked() {
        commands.push(LabCommand::Select(pattern));
    }
}

fn cells_ui(parts: &LabParts<'_>, pattern: PatternId, verdict: f32, ui: &mut Ui) {
    let look = look(parts, pattern, tokens(ui));
    let judged = pattern.entry().judged;
    cell_ui(NAME_WIDTH, ui, |ui| {
        mark_ui(ui, look.mark, look.color);
        lines_ui(Align::Min, ui, |ui| {
            ui.label(RichText::new(pattern.entry().id).strong());
            ui.label(RichText::new(judged.title()).weak().small());
        });
    });
    let rows = Variant::ALL.map(|variant| parts.report.row(pattern, variant));
    for row in rows {
        cell_ui(NUMBER_WIDTH, ui, |ui| figure_ui(judged, row, ui));
    }
    let ratio = parts.report.verdict(pattern);
    let ratio = ratio.map(|verdict| ratio_text(verdict.bad, verdict.fixed));
    cell_ui(RATIO_WIDTH, ui, |ui| {
        word_ui(ui, RichText::new(ratio.unwrap_or_default()).monospace());
    });
    sketches_ui(pattern, rows, ui);
    cell_ui(verdict, ui, |ui| {
        let is_unknown = look.word.is_empty();
        let word = if is_unknown {
            "not run yet"
        } else {
            &look.word
        };
        let mut word = RichText::new(word);
        if is_unknown || look.mark == Mark::Bar {
            word = word.weak();
        }
        ui.add(egui::Label::new(word).wrap());
    });
}

/// Two lines, one below the other, in the middle of a row.
fn lines_ui(align: Align, ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    let layout = Layout::top_down(align).with_main_align(Align::Center);
    ui.with_layout(layout, |ui| {
        ui.spacing_mut().interact_size.y = 0.0;
        contents(ui);
    });
}

/// The figure that the pattern is about, and its spread where it was measured more than once.
fn figure_ui(judged: Judged, row: Option<&Row>, ui: &mut Ui) {
    let centre = row.and_then(|row| row.judged);
    let text = centre.map_or("–".to_owned(), |centre| {
        figure_text(judged, centre.median)
    });
    let spread = row.filter(|row| row.runs > 1).zip(centre);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let figure = egui::Label::new(RichText::new(text).monospace()).truncate();
        let figure = ui.add(figure);
        if let Some((row, centre)) = spread {
            figure.on_hover_text(spread_text(judged, row, centre));
        }
    });
}

fn spread_text(judged: Judged, row: &Row, centre: Centre) -> String {
    let deviation = figure_text(judged, centre.deviation);
    format!("The median of {} runs; spread {deviation}", row.runs)
}

fn figure_text(judged: Judged, figure: f64) -> String {
    match judged {
        _ if figure.is_infinite() => "never".to_owned(),
        Judged::Survival if figure > 0.0 => "gone".to_owned(),
        Judged::Survival => "lives on".to_owned(),
        Judged::IdleRepaints => format!("{figure:.0} /s"),
        Judged::StepTime => format!("{figure:.2} µs"),
        _ => format!("{} ms", number(figure)),
    }
}

/// The frames of both halves on one scale, as one mesh.
fn sketches_ui(pattern: PatternId, rows: [Option<&Row>; 2], ui: &mut Ui) {
    let size = Vec2::new(2.0 * PLOT.x + UNIT, PLOT.y);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let sketches = rows.map(|row| Some(&row?.figures.as_ref()?.frame_line));
    response.widget_info(|| {
        let text = description(pattern, sketches);
        egui::WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    if ui.is_rect_visible(rect) {
        ui.painter()
            .add(Shape::mesh(sketches_mesh(sketches, rect, tokens(ui))));
    }
}

fn description(pattern: PatternId, sketches: [Option<&Sketch>; 2]) -> String {
    let halves = Variant::ALL.into_iter().zip(sketches);
    let halves = halves.map(|(variant, sketch)| match sketch {
        Some(sketch) => format!("{variant}: longest {}", format::duration(sketch.longest())),
        None => format!("{variant}: not run yet"),
    });
    let halves = halves.collect::<Vec<_>>().join(", ");
    format!("Frame gaps of {pattern}, {halves}")
}

fn sketches_mesh(sketches: [Option<&Sketch>; 2], rect: Rect, tokens: &Tokens) -> Mesh {
    let mut mesh = Mesh::default();
    let lengths = sketches.iter().flatten().map(|sketch| sketch.length());
    let whole = lengths.max().unwrap_or_default();
    for (index, sketch) in (0_u8..).zip(sketches) {
        let left = rect.left() + f32::from(index) * (PLOT.x + UNIT);
        let area = Rect::from_min_size(Pos2::new(left, rect.top()), PLOT);
        mesh.add_colored_rect(area, tokens.field);
        if let Some(sketch) = sketch {
            bars(sketch, whole, area, tokens, &mut mesh);
        }
        let y = height_of(FROZEN, area);
        let line = Rangef::new(y - 0.5, y + 0.5);
        mesh.add_colored_rect(Rect::from_x_y_ranges(area.x_range(), line), tokens.failed);
        let ground = Rangef::new(area.bottom() - 1.0, area.bottom());
        mesh.add_colored_rect(Rect::from_x_y_ranges(area.x_range(), ground), tokens.line);
    }
    mesh
}

fn bars(sketch: &Sketch, whole: Duration, area: Rect, tokens: &Tokens, mesh: &mut Mesh) {
    let width = area.width() / whole.as_secs_f32().max(f32::EPSILON);
    let place = |at: Duration| area.left() + at.as_secs_f32() * width;
    for bar in sketch.bars() {
        let x = Rangef::new(place(bar.from), place(bar.to));
        let y = Rangef::new(height_of(bar.longest, area), area.bottom());
        mesh.add_colored_rect(Rect::from_x_y_ranges(x, y), color_of(bar.kind, tokens));
    }
}
