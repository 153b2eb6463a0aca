//! The report: one row for each pattern, both variants side by side.

use std::time::Duration;

use eframe::egui::{
    self, Align, Label, Layout, Mesh, Pos2, Rangef, Rect, RichText, ScrollArea, Sense, Shape,
    Sides, Ui, Vec2,
};
use egui_extras::{Column, TableBuilder, TableRow};

use super::props::{LabProps, pattern_status};
use super::{LabCommand, command};
use crate::format;
use crate::lab::{GapKind, LabReport, MIN_FREEZE, PatternId, Row, SavedReport, Sparkline, Variant};
use crate::ui::frame_plot::{gap_color, y_of};
use crate::ui::legend::{Swatch, legend_ui};
use crate::ui::status_style::{Mark, mark_ui};
use crate::ui::tokens::{Tokens, UNIT, tokens};
use crate::ui::widgets::{choosable_ui, number_ui};

const NAME_WIDTH: f32 = 190.0;
const VALUE_WIDTH: f32 = 74.0;
const RATIO_WIDTH: f32 = 52.0;
/// Both values of another report, such as `2.00 s / 20 ms`.
const OTHER_WIDTH: f32 = 150.0;
const PLOT: Vec2 = Vec2::new(88.0, 30.0);
const BECAUSE_WIDTH: f32 = 200.0;
const MIN_VERDICT_WIDTH: f32 = 200.0;
const ROW_HEIGHT: f32 = 36.0;
const HEADER_HEIGHT: f32 = 22.0;

/// Draws the report, with the machine that it was measured on.
pub(super) fn report_ui(props: &LabProps<'_>, ui: &mut Ui, commands: &mut Vec<LabCommand>) {
    heading_ui(props.report, ui);
    others_ui(props, ui, commands);
    ui.add_space(UNIT);
    ScrollArea::horizontal()
        .auto_shrink(false)
        .show(ui, |ui| table_ui(props, ui, commands));
}

fn heading_ui(report: &LabReport, ui: &mut Ui) {
    let verdicts: Vec<_> = PatternId::all()
        .filter_map(|id| report.verdict(id))
        .collect();
    let reproduced = verdicts.iter().filter(|it| it.reproduced).count();
    Sides::new().shrink_right().show(
        ui,
        |ui| ui.heading("Report"),
        |ui| {
            let all = PatternId::all().count();
            let text = match verdicts.len() {
                0 => "Nothing measured yet. Run all fills this table.".to_owned(),
                measured => {
                    format!("{measured} of {all} patterns measured, {reproduced} misbehave here")
                }
            };
            ui.add(Label::new(text).truncate());
        },
    );
    let note = "Compare figures within one report only, not across machines.";
    let machine = format!("{} {note}", report.machine.text());
    ui.add(Label::new(RichText::new(machine).weak()).wrap());
    let swatch = |kind| Swatch::Bar(gap_color(kind, tokens(ui)));
    let entries = [
        (swatch(GapKind::Responsive), "from one frame to the next"),
        (
            swatch(GapKind::Frozen),
            "frozen: no frame for more than 100 ms",
        ),
        (
            swatch(GapKind::Idle),
            "idle: no frame, and no input that needs one",
        ),
    ];
    legend_ui(&entries, ui);
}

/// Opens other reports, and says of which machines they are.
fn others_ui(props: &LabProps<'_>, ui: &mut Ui, commands: &mut Vec<LabCommand>) {
    ui.horizontal_wrapped(|ui| {
        for command in [command::OPEN_REPORT, command::CLOSE_REPORTS] {
            props.button_ui(command, ui, commands);
        }
    });
    for report in props.others {
        ui.add(Label::new(RichText::new(report.text()).weak()).wrap());
    }
}

fn table_ui(props: &LabProps<'_>, ui: &mut Ui, commands: &mut Vec<LabCommand>) {
    ui.style_mut().interaction.selectable_labels = false;
    TableBuilder::new(ui)
        .id_salt("report")
        .striped(true)
        .auto_shrink(false)
        // Rows react to clicks, but only the name in each takes the keyboard focus.
        .sense(Sense::CLICK)
        .cell_layout(Layout::left_to_right(Align::Center))
        .column(Column::exact(NAME_WIDTH).clip(true))
        .columns(Column::exact(VALUE_WIDTH), 2)
        .column(Column::exact(RATIO_WIDTH))
        .columns(Column::exact(OTHER_WIDTH).clip(true), props.others.len())
        .columns(Column::exact(PLOT.x), 2)
        .column(Column::exact(BECAUSE_WIDTH).clip(true))
        // Last, because it repeats in words what the columns before it show.
        .column(Column::remainder().at_least(MIN_VERDICT_WIDTH).clip(true))
        .header(HEADER_HEIGHT, |header| header_ui(props.others, header))
        .body(|mut body| {
            for pattern in PatternId::all() {
                body.row(ROW_HEIGHT, |row| row_ui(props, pattern, row, commands));
            }
        });
}

fn header_ui(others: &[SavedReport], mut header: TableRow<'_, '_>) {
    let plot_hint = "The time from each frame to the next, from the click on Start to the end. The \
                     line is at 100 ms.";
    header.col(|ui| drop(ui.strong("Pattern")));
    for title in ["Bad", "Fixed", "Ratio"] {
        header.col(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.strong(title));
        });
    }
    for other in others {
        header.col(|ui| {
            let title = Label::new(RichText::new(&other.name).strong()).truncate();
            ui.add(title).on_hover_text(other.text());
        });
    }
    for title in ["Frames, bad", "Frames, fixed"] {
        header.col(|ui| drop(ui.strong(title).on_hover_text(plot_hint)));
    }
    let because_hint = "What the UI thread of the bad variant did while its frames were late, or why its window \
                        misbehaved.";
    header.col(|ui| drop(ui.strong("Because").on_hover_text(because_hint)));
    header.col(|ui| drop(ui.strong("Verdict")));
}

fn row_ui(
    props: &LabProps<'_>,
    pattern: PatternId,
    mut row: TableRow<'_, '_>,
    commands: &mut Vec<LabCommand>,
) {
    let mut is_clicked = false;
    row.col(|ui| is_clicked = name_ui(props, pattern, ui));
    let variants = Variant::ALL.map(|variant| props.report.row(pattern, variant));
    for variant in variants {
        row.col(|ui| value_ui(variant, ui));
    }
    let verdict = props.report.verdict(pattern);
    let ratio = verdict.map(|verdict| format::ratio(verdict.bad / verdict.fixed));
    row.col(|ui| number_ui(ui, ratio.unwrap_or_default()));
    for other in props.others {
        row.col(|ui| other_ui(other, pattern, ui));
    }
    let sparklines = variants.map(|row| Some(&row?.figures.as_ref()?.sparkline));
    let lengths = sparklines.iter().flatten().map(|line| line.length());
    let time = lengths.max().unwrap_or_default();
    for (variant, sparkline) in Variant::ALL.into_iter().zip(sparklines) {
        row.col(|ui| sparkline_ui((pattern, variant), sparkline, time, ui));
    }
    row.col(|ui| because_ui(props.report.because(pattern), ui));
    row.col(|ui| verdict_ui(props, pattern, ui));
    if is_clicked || row.response().clicked() {
        commands.push(LabCommand::Select(pattern));
    }
}

/// Returns whether the name was clicked.
fn name_ui(props: &LabProps<'_>, pattern: PatternId, ui: &mut Ui) -> bool {
    let status = pattern_status(props, pattern, tokens(ui));
    let entry = pattern.entry();
    let name = choosable_ui(ui, &format!("Show {pattern}"), false, |ui| {
        mark_ui(ui, status.mark, status.color);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.spacing_mut().interact_size.y = 0.0;
            ui.strong(entry.id);
            ui.label(RichText::new(entry.metric.title()).weak().small());
        });
    });
    name.clicked()
}

/// The values of another report, bad and fixed, and their ratio below.
fn other_ui(other: &SavedReport, pattern: PatternId, ui: &mut Ui) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.add(Label::new(other.values_text(pattern)).truncate());
        let ratio = RichText::new(other.ratio_text(pattern));
        ui.label(ratio.weak().small());
    });
}

/// The value of the metric; of repeated runs, the median, with the spread as tooltip.
fn value_ui(row: Option<&Row>, ui: &mut Ui) {
    let Some((row, value)) = row.and_then(|row| Some((row, row.value?))) else {
        number_ui(ui, "–");
        return;
    };
    let metric = row.pattern.entry().metric;
    let value_ui = ui.scope(|ui| number_ui(ui, metric.short_text(value.median)));
    if row.runs > 1 {
        let spread = metric.unit().text(value.deviation);
        let runs = format::plural(row.runs, "run", "runs");
        let text = format!("Median of {runs}, spread {spread}");
        value_ui.response.on_hover_text(text);
    }
}

fn verdict_ui(props: &LabProps<'_>, pattern: PatternId, ui: &mut Ui) {
    let status = pattern_status(props, pattern, tokens(ui));
    let is_unknown = status.word.is_empty();
    let text = if is_unknown {
        "not run yet"
    } else {
        &status.word
    };
    let mut text = RichText::new(text);
    if is_unknown || status.mark == Mark::Bar {
        text = text.weak();
    }
    ui.add(Label::new(text).wrap());
}

/// A cause may be longer than its column: the tooltip has all of it.
fn because_ui(because: Option<&str>, ui: &mut Ui) {
    let text = RichText::new(because.unwrap_or("–"));
    let label = ui.add(Label::new(text.small()).wrap());
    if let Some(because) = because {
        label.on_hover_text(because);
    }
}

/// Draws the sparkline of a variant as one mesh. `time` is the width of the plot.
fn sparkline_ui(
    (pattern, variant): (PatternId, Variant),
    sparkline: Option<&Sparkline>,
    time: Duration,
    ui: &mut Ui,
) {
    let (rect, response) = ui.allocate_exact_size(PLOT, Sense::hover());
    response.widget_info(|| {
        let longest = match sparkline {
            Some(sparkline) => format!("longest {}", format::duration(sparkline.longest())),
            None => "not run yet".to_owned(),
        };
        let text = format!("Frame gaps of {pattern}, {variant}: {longest}");
        egui::WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    if ui.is_rect_visible(rect) {
        let mesh = sparkline_mesh(sparkline, time, rect, tokens(ui));
        ui.painter().add(Shape::mesh(mesh));
    }
}

fn sparkline_mesh(
    sparkline: Option<&Sparkline>,
    time: Duration,
    area: Rect,
    tokens: &Tokens,
) -> Mesh {
    let mut mesh = Mesh::default();
    mesh.add_colored_rect(area, tokens.field);
    let points_per_sec = area.width() / time.as_secs_f32().max(f32::EPSILON);
    let x_of = |at: Duration| area.left() + at.as_secs_f32() * points_per_sec;
    for bar in sparkline.into_iter().flat_map(Sparkline::bars) {
        let top_left = Pos2::new(x_of(bar.from), y_of(bar.longest, area));
        let bottom_right = Pos2::new(x_of(bar.to), area.bottom());
        let color = gap_color(bar.kind, tokens);
        mesh.add_colored_rect(Rect::from_min_max(top_left, bottom_right), color);
    }
    let y = y_of(MIN_FREEZE, area);
    for (line, color) in [
        (Rangef::new(y - 0.5, y + 0.5), tokens.failed),
        (Rangef::new(area.bottom() - 1.0, area.bottom()), tokens.line),
    ] {
        mesh.add_colored_rect(Rect::from_x_y_ranges(area.x_range(), line), color);
    }
    mesh
}
