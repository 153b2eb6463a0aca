//! The frames of both variants of a pattern over time: two plots with one scale.
//!
//! A bar spans the time from one frame to the next and is as high as that gap is long, so a frozen
//! window shows up as a block. All shapes of a plot form one mesh.

use std::time::Duration;

use eframe::egui::{
    self, Align2, Color32, FontId, Mesh, Pos2, Rangef, Rect, Sense, Shape, Stroke, StrokeKind, Ui,
    Vec2,
};

use super::legend::Swatch;
use super::time_axis::{AXIS_HEIGHT, TimeAxis};
use super::tokens::{Tokens, UNIT, tokens};
use crate::format;
use crate::lab::{
    FrameLine, Gap, GapKind, MAX_LIVE_PLOT, MIN_FREEZE, PLOT_LEAD, THRESHOLDS, Variant,
};

/// The meaning of a gap above each of [`THRESHOLDS`].
const MEANINGS: [&str; THRESHOLDS.len()] = [
    "60 Hz",
    "animation stutters",
    "no longer instant",
    "feels slow",
    "interrupts thought",
    "\u{201c}not responding\u{201d}",
];

const HEIGHT: f32 = 214.0;
/// The column left of the plots, for the names of the thresholds.
const SCALE_WIDTH: f32 = 154.0;
const TITLE_HEIGHT: f32 = 20.0;
/// The gaps at both ends of the logarithmic scale, in milliseconds.
const SCALE: (f32, f32) = (2.0, 12_000.0);
/// The size of a frame of this window.
const DOT: f32 = 3.0;
/// The thickness of the edge on top of a freeze, and of the line over a late result.
const EDGE: f32 = 2.0;
const LATE: f32 = 4.0;

/// Draws the plots of both variants; `None` for one that has not run. Returns the place of the plots, without
/// the names beside them.
pub fn frame_plots_ui(lines: [Option<&FrameLine>; 2], ui: &mut Ui) -> Rect {
    let size = Vec2::new(ui.available_width(), HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| {
        let text = description(lines);
        egui::WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    let plots = Rect::from_min_max(
        rect.min + Vec2::new(SCALE_WIDTH, TITLE_HEIGHT),
        rect.max - Vec2::new(1.0, AXIS_HEIGHT),
    );
    let place = Rect::from_min_max(Pos2::new(plots.left(), rect.top()), rect.max);
    if !ui.is_rect_visible(rect) {
        return place;
    }
    let (left, right) = plots.split_left_right_at_fraction(0.5);
    let areas = [
        left.with_max_x(left.right() - UNIT),
        right.with_min_x(right.left() + UNIT),
    ];
    let painter = Painter {
        tokens: tokens(ui),
        font: FontId::proportional(11.5),
        ui,
    };
    painter.threshold_names(areas[0]);
    let ended = lines.iter().flatten().filter(|line| !line.is_live);
    let longest = ended.map(|line| line.plotted()).max();
    for ((variant, line), area) in Variant::ALL.into_iter().zip(lines).zip(areas) {
        painter.draw_background(area);
        painter.title(variant, line, area);
        match line {
            Some(line) if line.is_live => painter.plot(&Plot::new(line, MAX_LIVE_PLOT, area)),
            Some(line) => painter.plot(&Plot::new(line, longest.unwrap_or(MAX_LIVE_PLOT), area)),
            None => painter.not_run(area),
        }
        painter.frame(area);
    }
    place
}

/// The mesh of a plot of the last `plotted`: the frames of the twin as bars, those of this window
/// as dots.
pub fn frame_mesh(
    line: &FrameLine,
    plotted: Duration,
    area: Rect,
    pixels_per_point: f32,
    tokens: &Tokens,
) -> Mesh {
    let mut mesh = Mesh::default();
    let plot = Plot::new(line, plotted, area);
    Bars::new(&plot, 1.0 / pixels_per_point, tokens, &mut mesh).paint();
    mesh
}

/// The legend's swatch of a gap of this kind.
pub(crate) fn gap_swatch(kind: GapKind, tokens: &Tokens) -> Swatch {
    let color = gap_color(kind, tokens);
    match kind {
        GapKind::Frozen => Swatch::Edged(color, tokens.failed),
        _ => Swatch::Bar(color),
    }
}

/// The colour of a bar.
pub(crate) fn gap_color(kind: GapKind, tokens: &Tokens) -> Color32 {
    match kind {
        GapKind::Responsive => tokens.running,
        GapKind::Frozen => tokens.failed.gamma_multiply(0.45),
        GapKind::Idle | GapKind::Hidden => tokens.neutral.gamma_multiply(0.35),
    }
}

/// The top of a bar for a gap of this length.
pub(crate) fn y_of(length: Duration, area: Rect) -> f32 {
    let (min, max) = SCALE;
    let share = (length.as_secs_f32() * 1e3 / min).ln() / (max / min).ln();
    // Even a gap below the scale can be seen.
    area.bottom() - share.clamp(0.01, 1.0) * area.height()
}

fn description(lines: [Option<&FrameLine>; 2]) -> String {
    let variants = Variant::ALL.into_iter().zip(lines).map(|(variant, line)| {
        let longest = line.and_then(|line| line.gaps().max_by_key(Gap::length));
        match longest {
            Some(gap) => format!("{variant}: longest {}", format::duration(gap.length())),
            None => format!("{variant}: not run yet"),
        }
    });
    let variants: Vec<_> = variants.collect();
    format!("Frame gaps over time, {}", variants.join(", "))
}

/// The problem that a plot names above its right end.
fn problem_text(line: &FrameLine) -> Option<String> {
    if let Some(gap) = line.longest(GapKind::Frozen) {
        return Some(format!("frozen {}", format::duration(gap.length())));
    }
    let late = format::duration(line.late_result()?.length());
    Some(match line.shown {
        Some(_) => format!("result {late} late"),
        None => format!("result not shown for {late}"),
    })
}

/// A line with its place on screen.
struct Plot<'a> {
    line: &'a FrameLine,
    axis: TimeAxis,
    area: Rect,
}

impl<'a> Plot<'a> {
    /// The click on `Start` is at the same place in every plot until the run is longer than that.
    fn new(line: &'a FrameLine, plotted: Duration, area: Rect) -> Self {
        let after_start = plotted.saturating_sub(PLOT_LEAD);
        let until = line.started.map_or(plotted, |at| at + after_start);
        let axis = TimeAxis::last(plotted, until.max(line.now()), area.x_range());
        Self {
            line,
            axis: axis.counting_from(line.started.unwrap_or_default()),
            area,
        }
    }

    fn range_of(&self, gap: &Gap) -> Rangef {
        let x = self.axis.range_of(gap.began, gap.ended);
        Rangef::new(x.min.max(self.area.left()), x.max)
    }

    /// The visible ones of: the click, the end of the work and the frame that shows its result.
    fn landmarks(&self) -> impl Iterator<Item = (f32, &'static str)> {
        let line = self.line;
        let marks = [
            (line.started, "Start"),
            (line.ended, "work done"),
            (line.shown, "shown"),
        ];
        let places = marks
            .into_iter()
            .filter_map(|(at, name)| Some((self.axis.x_of(at?), name)));
        places.filter(|(x, _)| *x >= self.area.left())
    }
}

struct Painter<'a> {
    tokens: &'static Tokens,
    font: FontId,
    ui: &'a Ui,
}

impl Painter<'_> {
    fn draw_background(&self, area: Rect) {
        self.ui.painter().rect_filled(area, 3, self.tokens.field);
    }

    fn frame(&self, area: Rect) {
        let stroke = Stroke::new(1.0, self.tokens.line);
        let painter = self.ui.painter();
        painter.rect_stroke(area, 3, stroke, StrokeKind::Inside);
    }

    fn threshold_names(&self, area: Rect) {
        for (threshold, meaning) in THRESHOLDS.into_iter().zip(MEANINGS) {
            let y = self.pixel_center(y_of(threshold, area));
            let right = Pos2::new(area.left() - UNIT * 1.5, y);
            let text = format!("{meaning}  {}", format::duration(threshold));
            self.text(right, Align2::RIGHT_CENTER, text, self.tokens.text_weak);
        }
    }

    fn thresholds(&self, area: Rect, mesh: &mut Mesh) {
        for threshold in THRESHOLDS {
            let color = if threshold == MIN_FREEZE {
                self.tokens.failed
            } else {
                self.tokens.line
            };
            let y = self.pixel_center(y_of(threshold, area));
            hline(mesh, area.x_range(), y, self.pixel(), color);
        }
    }

    fn title(&self, variant: Variant, line: Option<&FrameLine>, area: Rect) {
        let left = area.left_top() - Vec2::new(0.0, 3.0);
        let text = match line {
            Some(line) if line.is_live => format!("{} · running", variant.title()),
            _ => variant.title().to_owned(),
        };
        self.text(left, Align2::LEFT_BOTTOM, text, self.tokens.text);
        let right = area.right_top() - Vec2::new(0.0, 3.0);
        if let Some(text) = line.and_then(problem_text) {
            self.text(right, Align2::RIGHT_BOTTOM, text, self.tokens.failed);
        }
    }

    fn plot(&self, plot: &Plot<'_>) {
        let mut mesh = Mesh::default();
        let area = plot.area;
        self.thresholds(area, &mut mesh);
        Bars::new(plot, self.pixel(), self.tokens, &mut mesh).paint();
        for (x, _) in plot.landmarks() {
            let x = self.pixel_center(x);
            let color = self.tokens.neutral;
            vline(&mut mesh, x, area.y_range(), self.pixel(), color);
        }
        if let Some(gap) = plot.line.late_result() {
            let y = area.top() + TITLE_HEIGHT;
            hline(&mut mesh, plot.range_of(&gap), y, LATE, self.tokens.failed);
        }
        let ticks = plot.axis.ticks();
        for tick in &ticks {
            let x = self.pixel_center(tick.x);
            let y = Rangef::new(area.bottom(), area.bottom() + 3.0);
            vline(&mut mesh, x, y, self.pixel(), self.tokens.line);
        }
        let painter = self.ui.painter();
        painter.add(Shape::mesh(mesh));
        TimeAxis::paint_labels(ticks, area.bottom(), painter, self.tokens);
        self.landmark_names(plot);
    }

    fn landmark_names(&self, plot: &Plot<'_>) {
        let painter = self.ui.painter_at(plot.area);
        let mut free_from = plot.area.left();
        for (x, name) in plot.landmarks() {
            let left = Pos2::new(x.max(free_from) + 3.0, plot.area.top() + 2.0);
            let (font, color) = (self.font.clone(), self.tokens.text);
            let drawn = painter.text(left, Align2::LEFT_TOP, name, font, color);
            free_from = drawn.right() + UNIT;
        }
    }

    fn not_run(&self, area: Rect) {
        let mut mesh = Mesh::default();
        self.thresholds(area, &mut mesh);
        self.ui.painter().add(Shape::mesh(mesh));
        let color = self.tokens.text_weak;
        let text = "not run yet".to_owned();
        self.text(area.center(), Align2::CENTER_CENTER, text, color);
    }

    fn pixel(&self) -> f32 {
        1.0 / self.ui.ctx().pixels_per_point()
    }

    fn pixel_center(&self, at: f32) -> f32 {
        self.ui.painter().round_to_pixel_center(at)
    }

    fn text(&self, at: Pos2, align: Align2, text: String, color: Color32) {
        let font = self.font.clone();
        self.ui.painter().text(at, align, text, font, color);
    }
}

fn hline(mesh: &mut Mesh, x: Rangef, y: f32, width: f32, color: Color32) {
    let y = Rangef::point(y).expand(width / 2.0);
    mesh.add_colored_rect(Rect::from_x_y_ranges(x, y), color);
}

fn vline(mesh: &mut Mesh, x: f32, y: Rangef, width: f32, color: Color32) {
    let x = Rangef::point(x).expand(width / 2.0);
    mesh.add_colored_rect(Rect::from_x_y_ranges(x, y), color);
}

/// Paints the bars and dots of a plot into a mesh.
struct Bars<'a> {
    plot: &'a Plot<'a>,
    /// The width of a pixel, in points.
    pixel: f32,
    tokens: &'a Tokens,
    mesh: &'a mut Mesh,
    /// The pixel column of the last thin bar, and the longest gap in that column so far.
    thin: Option<(f32, Gap)>,
}

impl<'a> Bars<'a> {
    fn new(plot: &'a Plot<'a>, pixel: f32, tokens: &'a Tokens, mesh: &'a mut Mesh) -> Self {
        Self {
            plot,
            pixel,
            tokens,
            mesh,
            thin: None,
        }
    }

    /// A bar for each gap; gaps that share a pixel get one bar, for the longest of them. A freeze has
    /// an edge on top, and one that goes on has the full colour.
    fn paint(mut self) {
        let Plot { line, axis, area } = self.plot;
        for gap in line.gaps() {
            let x = self.plot.range_of(&gap);
            if x.max >= area.left() {
                self.gap(x, gap);
            }
        }
        self.flush();
        if line.is_frozen()
            && let Some(gap) = line.gaps().last()
        {
            self.bar(self.plot.range_of(&gap), &gap, self.tokens.failed);
        }
        for (at, latency) in line.watcher() {
            let x = axis.x_of(at);
            if area.x_range().contains(x) {
                let center = Pos2::new(x, y_of(latency, *area));
                let dot = Rect::from_center_size(center, Vec2::splat(DOT));
                self.mesh.add_colored_rect(dot, self.tokens.text);
            }
        }
    }

    fn gap(&mut self, x: Rangef, gap: Gap) {
        if x.span() >= 2.0 * self.pixel {
            self.flush();
            self.bar(x, &gap, gap_color(gap.kind, self.tokens));
            if gap.kind == GapKind::Frozen {
                let y = y_of(gap.length(), self.plot.area);
                hline(self.mesh, x, y, EDGE, self.tokens.failed);
            }
            return;
        }
        let column = (x.min / self.pixel).floor() * self.pixel;
        match &mut self.thin {
            Some((at, longest)) if *at >= column => {
                if gap.length() > longest.length() {
                    *longest = gap;
                }
            }
            _ => {
                self.flush();
                self.thin = Some((column, gap));
            }
        }
    }

    fn flush(&mut self) {
        if let Some((left, gap)) = self.thin.take() {
            let color = gap_color(gap.kind, self.tokens);
            self.bar(Rangef::new(left, left + self.pixel), &gap, color);
        }
    }

    fn bar(&mut self, x: Rangef, gap: &Gap, color: Color32) {
        let area = self.plot.area;
        let y = Rangef::new(y_of(gap.length(), area), area.bottom());
        let bar = Rect::from_x_y_ranges(x, y);
        self.mesh.add_colored_rect(bar, color);
    }
}
