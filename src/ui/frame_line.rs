//! The frames of both halves of a pattern along the time, as two plots with one scale.
//!
//! A bar stands on the time from one frame to the next and is as high as that is long, so a window
//! that freezes is a block. All shapes of a plot are one mesh.

use std::time::Duration;

use eframe::egui::{
    self, Align2, Color32, FontId, Mesh, Pos2, Rangef, Rect, Sense, Shape, Stroke, StrokeKind, Ui,
    Vec2,
};

use super::tokens::{Tokens, UNIT, tokens};
use crate::format;
use crate::lab::{BEFORE_START, FROZEN, FrameLine, Gap, GapKind, PLOTTED, THRESHOLDS, Variant};

/// What lies above each of [`THRESHOLDS`].
const MEANINGS: [&str; THRESHOLDS.len()] = [
    "60 Hz",
    "animation stutters",
    "no longer instant",
    "feels slow",
    "thought breaks off",
    "\u{201c}not responding\u{201d}",
];

const HEIGHT: f32 = 212.0;
/// Left of the plots, for the names of the lines.
const SCALE_WIDTH: f32 = 154.0;
/// Above the plots, for what they are of.
const TITLE_HEIGHT: f32 = 20.0;
/// Below the plots, for the time.
const AXIS_HEIGHT: f32 = 18.0;
/// The scale begins and ends at these gaps, in milliseconds, and is logarithmic.
const SCALE: (f32, f32) = (2.0, 12_000.0);
/// How large the mark of a frame of the watching window is.
const DOT: f32 = 3.0;
/// How thick the line is at the top of a freeze, and the one over a result that is late.
const EDGE: f32 = 2.0;
const LATE: f32 = 4.0;
/// How many seconds may lie between two names of times, and how far they are apart at least.
const STEPS: [u64; 8] = [1, 2, 5, 10, 30, 60, 600, 3_600];
const LEAST_STEP: f32 = 34.0;

/// Draws the lines of both halves, of those that were run.
///
/// ```
/// use meanwhile::lab::{FrameLine, Script};
/// use meanwhile::ui::frame_line::frame_lines_ui;
///
/// # eframe::egui::__run_test_ui(|ui| {
/// let line = FrameLine::new(Script::Probed);
/// frame_lines_ui([Some(&line), None], ui);
/// # });
/// ```
pub fn frame_lines_ui(lines: [Option<&FrameLine>; 2], ui: &mut Ui) {
    let size = Vec2::new(ui.available_width(), HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| {
        let text = description(lines);
        egui::WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    if !ui.is_rect_visible(rect) {
        return;
    }
    let plots = Rect::from_min_max(
        rect.min + Vec2::new(SCALE_WIDTH, TITLE_HEIGHT),
        rect.max - Vec2::new(1.0, AXIS_HEIGHT),
    );
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
    let whole = ended.map(|line| line.plotted()).max();
    for ((variant, line), area) in Variant::ALL.into_iter().zip(lines).zip(areas) {
        painter.ground(area);
        painter.title(variant, line, area);
        match line {
            Some(line) if line.is_live => painter.line(&TimeAxis::new(line, PLOTTED, area)),
            Some(line) => painter.line(&TimeAxis::new(line, whole.unwrap_or(PLOTTED), area)),
            None => painter.not_run(area),
        }
        painter.frame(area);
    }
}

/// The shapes of a plot that shows so much of the time, as one mesh: the frames of the twin as bars,
/// those of the window that watches it as dots.
///
/// ```
/// use eframe::egui::{Pos2, Rect};
/// use meanwhile::lab::{Fact, FrameLine, PLOTTED, Script, Stamped};
/// use meanwhile::ui::{frame_line::bars, tokens::tokens};
///
/// # eframe::egui::__run_test_ui(|ui| {
/// let mut line = FrameLine::new(Script::Probed);
/// for at_ns in [0, 16_000_000] {
///     line.take(&Stamped { at_ns, fact: Fact::DidBegin { hidden: false } });
/// }
/// let area = Rect::from_min_max(Pos2::ZERO, Pos2::new(500.0, 100.0));
/// let mesh = bars(&line, PLOTTED, area, 1.0, tokens(ui));
/// assert_eq!(mesh.vertices.len(), 2 * 4); // the bar, and the one that grows
/// # });
/// ```
pub fn bars(
    line: &FrameLine,
    plotted: Duration,
    area: Rect,
    pixels_per_point: f32,
    tokens: &Tokens,
) -> Mesh {
    let mut mesh = Mesh::default();
    let time = TimeAxis::new(line, plotted, area);
    Bars::new(&time, 1.0 / pixels_per_point, tokens, &mut mesh).all();
    mesh
}

/// What the plots show, in words.
fn description(lines: [Option<&FrameLine>; 2]) -> String {
    let halves = Variant::ALL.into_iter().zip(lines).map(|(variant, line)| {
        let longest = line.and_then(|line| line.gaps().max_by_key(Gap::length));
        match longest {
            Some(gap) => format!("{variant}: longest {}", format::duration(gap.length())),
            None => format!("{variant}: not run yet"),
        }
    });
    let halves: Vec<_> = halves.collect();
    format!("Frame gaps over time, {}", halves.join(", "))
}

struct Painter<'a> {
    tokens: &'static Tokens,
    font: FontId,
    ui: &'a Ui,
}

impl Painter<'_> {
    fn ground(&self, area: Rect) {
        self.ui.painter().rect_filled(area, 3, self.tokens.field);
    }

    fn frame(&self, area: Rect) {
        let stroke = Stroke::new(1.0, self.tokens.line);
        let painter = self.ui.painter();
        painter.rect_stroke(area, 3, stroke, StrokeKind::Inside);
    }

    fn threshold_names(&self, area: Rect) {
        for (threshold, meaning) in THRESHOLDS.into_iter().zip(MEANINGS) {
            let y = self.pixel_center(height_of(threshold, area));
            let right = Pos2::new(area.left() - UNIT * 1.5, y);
            let text = format!("{meaning}  {}", threshold_text(threshold));
            self.text(right, Align2::RIGHT_CENTER, text, self.tokens.text_weak);
        }
    }

    fn thresholds(&self, area: Rect, mesh: &mut Mesh) {
        for threshold in THRESHOLDS {
            let color = if threshold == FROZEN {
                self.tokens.failed
            } else {
                self.tokens.line
            };
            let y = self.pixel_center(height_of(threshold, area));
            hline(mesh, area.x_range(), y, self.pixel(), color);
        }
    }

    fn title(&self, variant: Variant, line: Option<&FrameLine>, area: Rect) {
        let at = area.left_top() - Vec2::new(0.0, 3.0);
        let is_live = line.is_some_and(|line| line.is_live);
        let text = if is_live {
            format!("{} · running", variant.title())
        } else {
            variant.title().to_owned()
        };
        self.text(at, Align2::LEFT_BOTTOM, text, self.tokens.text);
        let to = area.right_top() - Vec2::new(0.0, 3.0);
        if let Some(text) = line.and_then(fault_text) {
            self.text(to, Align2::RIGHT_BOTTOM, text, self.tokens.failed);
        }
    }

    fn line(&self, time: &TimeAxis<'_>) {
        let mut mesh = Mesh::default();
        self.thresholds(time.area, &mut mesh);
        Bars::new(time, self.pixel(), self.tokens, &mut mesh).all();
        self.landmarks(time, &mut mesh);
        if let Some(gap) = time.line.late_result() {
            let y = time.area.top() + TITLE_HEIGHT;
            hline(&mut mesh, time.range(&gap), y, LATE, self.tokens.failed);
        }
        let ticks = self.axis(time);
        for x in ticks {
            let y = Rangef::new(time.area.bottom(), time.area.bottom() + 3.0);
            vline(&mut mesh, x, y, self.pixel(), self.tokens.line);
        }
        self.ui.painter().add(Shape::mesh(mesh));
        self.landmark_names(time);
    }

    /// The names of the times, and where they are.
    fn axis(&self, time: &TimeAxis<'_>) -> Vec<f32> {
        let since = time.line.started.unwrap_or_default();
        let width = time.area.width() / time.plotted.as_secs_f32();
        let is_wide = |step: &u64| Duration::from_secs(*step).as_secs_f32() * width >= LEAST_STEP;
        let step = STEPS
            .into_iter()
            .find(is_wide)
            .unwrap_or(STEPS[STEPS.len() - 1]);
        let first = time
            .until
            .saturating_sub(time.plotted)
            .saturating_sub(since);
        let first = first.as_secs().next_multiple_of(step);
        let last = time.until.saturating_sub(since).as_secs();
        let mut ticks = Vec::new();
        for second in (first..=last).step_by(usize::try_from(step).unwrap_or(1)) {
            let x = time.place(since + Duration::from_secs(second));
            if x < time.area.left() || x > time.area.right() - 8.0 {
                continue;
            }
            let at = Pos2::new(x, time.area.bottom() + 3.0);
            let text = format!("{second} s");
            self.text(at, Align2::CENTER_TOP, text, self.tokens.text_weak);
            ticks.push(self.pixel_center(x));
        }
        ticks
    }

    /// The click, the end of the work and the frame that shows it.
    fn landmarks(&self, time: &TimeAxis<'_>, mesh: &mut Mesh) {
        for (x, _) in time.landmarks() {
            let x = self.pixel_center(x);
            vline(
                mesh,
                x,
                time.area.y_range(),
                self.pixel(),
                self.tokens.neutral,
            );
        }
    }

    fn landmark_names(&self, time: &TimeAxis<'_>) {
        let painter = self.ui.painter_at(time.area);
        let mut taken = time.area.left();
        for (x, name) in time.landmarks() {
            let left = Pos2::new(x.max(taken) + 3.0, time.area.top() + 2.0);
            let (font, color) = (self.font.clone(), self.tokens.text);
            let drawn = painter.text(left, Align2::LEFT_TOP, name, font, color);
            taken = drawn.right() + UNIT;
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

    fn text(&self, at: Pos2, align: Align2, text: String, color: Color32) -> Rect {
        let font = self.font.clone();
        self.ui.painter().text(at, align, text, font, color)
    }
}

fn hline(mesh: &mut Mesh, x: Rangef, y: f32, width: f32, color: Color32) {
    let y = Rangef::new(y - width / 2.0, y + width / 2.0);
    mesh.add_colored_rect(Rect::from_x_y_ranges(x, y), color);
}

fn vline(mesh: &mut Mesh, x: f32, y: Rangef, width: f32, color: Color32) {
    let x = Rangef::new(x - width / 2.0, x + width / 2.0);
    mesh.add_colored_rect(Rect::from_x_y_ranges(x, y), color);
}

/// The bars and dots of a plot, on their way into a mesh.
struct Bars<'a> {
    time: &'a TimeAxis<'a>,
    /// How wide one is, in points.
    pixel: f32,
    tokens: &'a Tokens,
    mesh: &'a mut Mesh,
    /// The column of the last thin bar, and the longest gap in it so far.
    thin: Option<(f32, Gap)>,
}

impl<'a> Bars<'a> {
    fn new(time: &'a TimeAxis<'a>, pixel: f32, tokens: &'a Tokens, mesh: &'a mut Mesh) -> Self {
        Self {
            time,
            pixel,
            tokens,
            mesh,
            thin: None,
        }
    }

    /// Every gap a bar; those that share a pixel are one, as high as the highest. One that freezes has
    /// an edge, and one that grows is in full colour. The frames of the watching window are dots.
    fn all(mut self) {
        let line = self.time.line;
        for gap in line.gaps() {
            let x = self.time.range(&gap);
            if x.max >= self.time.area.left() {
                self.gap(x.min.max(self.time.area.left()), x.max, gap);
            }
        }
        self.flush();
        if line.is_frozen()
            && let Some(gap) = line.gaps().last()
        {
            let x = self.time.range(&gap);
            self.bar(
                x.min.max(self.time.area.left()),
                x.max,
                &gap,
                self.tokens.failed,
            );
        }
        for (at, owed) in line.watcher() {
            let x = self.time.place(at);
            if self.time.area.x_range().contains(x) {
                let center = Pos2::new(x, height_of(owed, self.time.area));
                let dot = Rect::from_center_size(center, Vec2::splat(DOT));
                self.mesh.add_colored_rect(dot, self.tokens.text);
            }
        }
    }

    fn gap(&mut self, left: f32, right: f32, gap: Gap) {
        if right - left >= 2.0 * self.pixel {
            self.flush();
            self.bar(left, right, &gap, color_of(gap.kind, self.tokens));
            if gap.kind == GapKind::Frozen {
                let y = height_of(gap.length(), self.time.area);
                hline(
                    self.mesh,
                    Rangef::new(left, right),
                    y,
                    EDGE,
                    self.tokens.failed,
                );
            }
            return;
        }
        let column = (left / self.pixel).floor() * self.pixel;
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
            let color = color_of(gap.kind, self.tokens);
            self.bar(left, left + self.pixel, &gap, color);
        }
    }

    fn bar(&mut self, left: f32, right: f32, gap: &Gap, color: Color32) {
        let top = height_of(gap.length(), self.time.area);
        let y = Rangef::new(top, self.time.area.bottom());
        let bar = Rect::from_x_y_ranges(Rangef::new(left, right), y);
        self.mesh.add_colored_rect(bar, color);
    }
}

/// The colour of a bar.
pub(crate) fn color_of(kind: GapKind, tokens: &Tokens) -> Color32 {
    match kind {
        GapKind::Answering => tokens.running,
        GapKind::Frozen => tokens.failed.gamma_multiply(0.45),
        GapKind::Resting | GapKind::Hidden => tokens.neutral.gamma_multiply(0.35),
    }
}

/// Where a time is in a plot of a line that ends at `until`.
struct TimeAxis<'a> {
    line: &'a FrameLine,
    plotted: Duration,
    until: Duration,
    area: Rect,
}

impl<'a> TimeAxis<'a> {
    /// `Start` is at the same place in every plot, until there is more to show behind it.
    fn new(line: &'a FrameLine, plotted: Duration, area: Rect) -> Self {
        let after_start = plotted.saturating_sub(BEFORE_START);
        let least = line.started.map_or(plotted, |at| at + after_start);
        let until = line.now().max(least);
        Self {
            line,
            plotted,
            until,
            area,
        }
    }

    fn place(&self, at: Duration) -> f32 {
        let ago = self.until.as_secs_f32() - at.as_secs_f32();
        self.area.right() - ago / self.plotted.as_secs_f32() * self.area.width()
    }

    fn range(&self, gap: &Gap) -> Rangef {
        Rangef::new(self.place(gap.began), self.place(gap.ended))
    }

    /// Where the click, the end of the work and the frame that shows it are, as far as in sight.
    fn landmarks(&self) -> impl Iterator<Item = (f32, &'static str)> {
        let line = self.line;
        let marks = [
            (line.started, "Start"),
            (line.ended, "work done"),
            (line.shown, "shown"),
        ];
        let places = marks
            .into_iter()
            .filter_map(|(at, name)| Some((self.place(at?), name)));
        places.filter(|(x, _)| *x >= self.area.left())
    }
}

/// Where a gap of this length ends in a plot.
pub(crate) fn height_of(length: Duration, area: Rect) -> f32 {
    let (least, most) = SCALE;
    let share = (length.as_secs_f32() * 1e3 / least).ln() / (most / least).ln();
    // One that is too short for the scale is seen all the same.
    let share = share.clamp(0.01, 1.0);
    area.bottom() - share * area.height()
}

fn threshold_text(threshold: Duration) -> String {
    let millis = threshold.as_secs_f64() * 1e3;
    if millis >= 1e3 {
        format!("{:.0} s", millis / 1e3)
    } else if millis < 20.0 {
        format!("{millis:.1} ms")
    } else {
        format!("{millis:.0} ms")
    }
}

/// What went wrong, if something did.
fn fault_text(line: &FrameLine) -> Option<String> {
    let seconds = |gap: Gap| format!("{:.2} s", gap.length().as_secs_f64());
    if let Some(gap) = line.longest(GapKind::Frozen) {
        return Some(format!("frozen {}", seconds(gap)));
    }
    let late = seconds(line.late_result()?);
    Some(match line.shown {
        Some(_) => format!("result {late} late"),
        None => format!("result not shown for {late}"),
    })
}
