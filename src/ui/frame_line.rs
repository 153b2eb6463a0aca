//! The frames of both halves of a pattern along the time, as two plots with one scale.
//!
//! A bar stands on the time from one frame to the next and is as high as that is long, so a window
//! that freezes is a block. All bars of a plot are one mesh.

use std::time::Duration;

use eframe::egui::{
    self, Align2, Color32, FontId, Mesh, Pos2, Rangef, Rect, Sense, Shape, Stroke, StrokeKind, Ui,
    Vec2,
};

use super::tokens::{Tokens, UNIT, tokens};
use super::words;
use crate::lab::{FROZEN, FrameLine, Gap, GapKind, PLOTTED, THRESHOLDS, Variant};

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
/// What is shown of the time after `Start` at least: the rest of [`PLOTTED`] is before it.
const AFTER_START: Duration = Duration::from_millis(4_500);
/// How large the mark of a frame of the watching window is.
const DOT: f32 = 3.0;

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
    for area in areas {
        painter.ground(area);
    }
    painter.thresholds(&areas);
    for ((variant, line), area) in Variant::ALL.into_iter().zip(lines).zip(areas) {
        painter.title(variant, line, area);
        match line {
            Some(line) => painter.line(line, area),
            None => painter.middle("not run yet", area),
        }
        painter.frame(area);
    }
}

/// What the plots show, in words.
fn description(lines: [Option<&FrameLine>; 2]) -> String {
    let halves = Variant::ALL.into_iter().zip(lines).map(|(variant, line)| {
        let longest = line.and_then(|line| line.gaps().max_by_key(Gap::length));
        match longest {
            Some(gap) => format!("{variant}: longest {}", words::duration(gap.length())),
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

    fn thresholds(&self, areas: &[Rect; 2]) {
        for (threshold, meaning) in THRESHOLDS.into_iter().zip(MEANINGS) {
            let y = self
                .ui
                .painter()
                .round_to_pixel_center(height_of(threshold, areas[0]));
            let (color, width) = if threshold == FROZEN {
                (self.tokens.failed, 1.0)
            } else {
                (self.tokens.line, 1.0)
            };
            for area in areas {
                let stroke = Stroke::new(width, color);
                self.ui.painter().hline(area.x_range(), y, stroke);
            }
            let right = Pos2::new(areas[0].left() - UNIT * 1.5, y);
            let text = format!("{meaning}  {}", threshold_text(threshold));
            self.text(right, Align2::RIGHT_CENTER, text, self.tokens.text_weak);
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

    fn line(&self, line: &FrameLine, area: Rect) {
        let time = TimeAxis::new(line, area);
        self.axis(line, &time);
        let painter = self.ui.painter_at(area.shrink(1.0));
        painter.add(Shape::mesh(self.bars(line, &time)));
        let edge = Stroke::new(2.0, self.tokens.failed);
        for gap in line.gaps().filter(|gap| gap.kind == GapKind::Frozen) {
            let (x, y) = (time.range(&gap), height_of(gap.length(), area));
            painter.hline(x, y, edge);
        }
        self.landmarks(line, &time);
        self.late_result(line, &time);
    }

    /// Every gap a bar; those that share a pixel are one, as high as the highest. One that grows is in
    /// full colour. The frames of the watching window are dots.
    fn bars(&self, line: &FrameLine, time: &TimeAxis) -> Mesh {
        let mut mesh = Mesh::default();
        let mut thin: Option<(f32, Gap)> = None;
        let pixel = 1.0 / self.ui.ctx().pixels_per_point();
        for gap in line.gaps() {
            let x = time.range(&gap);
            if x.max < time.area.left() {
                continue;
            }
            if x.span() >= 2.0 * pixel {
                self.bar(&mut mesh, x, &gap, time.area);
                continue;
            }
            let column = (x.min / pixel).floor() * pixel;
            match &mut thin {
                Some((at, highest)) if *at >= column => {
                    if gap.length() > highest.length() {
                        *highest = gap;
                    }
                }
                _ => {
                    self.thin_bar(&mut mesh, thin.take(), pixel, time.area);
                    thin = Some((column, gap));
                }
            }
        }
        self.thin_bar(&mut mesh, thin, pixel, time.area);
        if line.is_frozen()
            && let Some(gap) = line.gaps().last()
        {
            let x = time.range(&gap);
            let y = Rangef::new(height_of(gap.length(), time.area), time.area.bottom());
            mesh.add_colored_rect(Rect::from_x_y_ranges(x, y), self.tokens.failed);
        }
        for (at, owed) in line.watcher() {
            let center = Pos2::new(time.place(at), height_of(owed, time.area));
            let dot = Rect::from_center_size(center, Vec2::splat(DOT));
            mesh.add_colored_rect(dot, self.tokens.text);
        }
        mesh
    }

    fn thin_bar(&self, mesh: &mut Mesh, thin: Option<(f32, Gap)>, pixel: f32, area: Rect) {
        if let Some((left, gap)) = thin {
            self.bar(mesh, Rangef::new(left, left + pixel), &gap, area);
        }
    }

    fn bar(&self, mesh: &mut Mesh, x: Rangef, gap: &Gap, area: Rect) {
        let y = Rangef::new(height_of(gap.length(), area), area.bottom());
        mesh.add_colored_rect(Rect::from_x_y_ranges(x, y), color_of(gap.kind, self.tokens));
    }

    fn axis(&self, line: &FrameLine, time: &TimeAxis) {
        let since = line.started.unwrap_or_default();
        let y = time.area.bottom() + 3.0;
        let color = self.tokens.text_weak;
        for second in 0..=time.until.as_secs() {
            let at = since + Duration::from_secs(second);
            let x = time.place(at);
            if at > time.until || x < time.area.left() || x > time.area.right() - 8.0 {
                continue;
            }
            let painter = self.ui.painter();
            let tick = Stroke::new(1.0, self.tokens.line);
            painter.vline(x, time.area.bottom()..=time.area.bottom() + 3.0, tick);
            let text = format!("{second} s");
            self.text(Pos2::new(x, y), Align2::CENTER_TOP, text, color);
        }
    }

    /// The click, the end of the work and the frame that shows it.
    fn landmarks(&self, line: &FrameLine, time: &TimeAxis) {
        let mut taken = time.area.left();
        for (at, name) in [
            (line.started, "Start"),
            (line.ended, "work done"),
            (line.shown, "shown"),
        ] {
            let Some(x) = at
                .map(|at| time.place(at))
                .filter(|x| *x >= time.area.left())
            else {
                continue;
            };
            let stroke = Stroke::new(1.0, self.tokens.neutral);
            let painter = self.ui.painter();
            let x = painter.round_to_pixel_center(x);
            painter.vline(x, time.area.y_range(), stroke);
            let left = Pos2::new(x.max(taken) + 3.0, time.area.top() + 2.0);
            let (font, color) = (self.font.clone(), self.tokens.text);
            let painter = self.ui.painter_at(time.area);
            let drawn = painter.text(left, Align2::LEFT_TOP, name, font, color);
            taken = drawn.right() + UNIT;
        }
    }

    /// The time in which the result is there, and not shown.
    fn late_result(&self, line: &FrameLine, time: &TimeAxis) {
        if let Some(gap) = line.late_result() {
            let y = time.area.top() + TITLE_HEIGHT;
            let stroke = Stroke::new(4.0, self.tokens.failed);
            self.ui
                .painter_at(time.area)
                .hline(time.range(&gap), y, stroke);
        }
    }

    fn middle(&self, text: &str, area: Rect) {
        let color = self.tokens.text_weak;
        self.text(area.center(), Align2::CENTER_CENTER, text.to_owned(), color);
    }

    fn text(&self, at: Pos2, align: Align2, text: String, color: Color32) -> Rect {
        let font = self.font.clone();
        self.ui.painter().text(at, align, text, font, color)
    }
}

/// The colour of a bar.
pub(super) fn color_of(kind: GapKind, tokens: &Tokens) -> Color32 {
    match kind {
        GapKind::Answering => tokens.running,
        GapKind::Frozen => tokens.failed.gamma_multiply(0.45),
        GapKind::Resting | GapKind::Hidden => tokens.neutral.gamma_multiply(0.35),
    }
}

/// Where a time is in a plot that ends at `until`.
struct TimeAxis {
    until: Duration,
    area: Rect,
}

impl TimeAxis {
    /// `Start` is at the same place in every plot, until there is more to show behind it.
    fn new(line: &FrameLine, area: Rect) -> Self {
        let least = line.started.map_or(PLOTTED, |at| at + AFTER_START);
        let until = line.now().max(least);
        Self { until, area }
    }

    fn place(&self, at: Duration) -> f32 {
        let ago = self.until.as_secs_f32() - at.as_secs_f32();
        self.area.right() - ago / PLOTTED.as_secs_f32() * self.area.width()
    }

    fn range(&self, gap: &Gap) -> Rangef {
        Rangef::new(self.place(gap.began), self.place(gap.ended))
    }
}

/// Where a gap of this length ends in a plot.
pub(super) fn height_of(length: Duration, area: Rect) -> f32 {
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
