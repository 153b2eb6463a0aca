//! The figures of a job or program, below its timeline.

use std::time::Duration;

use eframe::egui::{
    Align2, Button, FontId, Grid, Pos2, Rect, Response, RichText, Role, ScrollArea, Sense,
    TextWrapMode, Ui, Vec2, WidgetInfo,
};

use crate::format;
use crate::pages::background_tasks::BackgroundTasks;
use crate::trace::{Bin, GroupId, Parallelism, SpanId, Statistics, Trace, figures};
use crate::ui::notices::Notice;
use crate::ui::tokens::{UNIT, tokens};
use crate::ui::trace_view::TraceViewState;

/// The figures of what goes on are computed again after this time.
const INTERVAL: Duration = Duration::from_secs(1);
/// The steps that are listed, the longest ones.
const MAX_STEPS: usize = 50;
const COLUMN_WIDTH: f32 = 250.0;
const PLOT_SIZE: Vec2 = Vec2::new(COLUMN_WIDTH - 16.0, 56.0);
const LABEL_SIZE: f32 = 11.5;

/// What the pane shows, and what it is of.
#[derive(Default)]
pub(super) struct StatisticsPane {
    pub(super) is_shown: bool,
    tasks: BackgroundTasks<Computed>,
    computed: Option<Computed>,
    /// What was computed last, or is being computed, and since when.
    asked: Option<(Subject, Duration)>,
}

/// What figures are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    /// The place of the trace among the opened ones; `None` for that of this program.
    pub(super) opened: Option<usize>,
    pub(super) group: GroupId,
    /// Whether something in the group goes on.
    pub(super) is_live: bool,
}

/// The figures as they are drawn.
#[derive(Clone)]
struct Computed {
    subject: Subject,
    name: String,
    /// `None` if the group has no span.
    figures: Option<Figures>,
}

#[derive(Clone)]
struct Figures {
    rows: Vec<(&'static str, String)>,
    histogram: Vec<Bin>,
    parallelism: Parallelism,
    steps: Vec<ShownStep>,
}

#[derive(Clone)]
struct ShownStep {
    text: String,
    span: Option<SpanId>,
}

impl StatisticsPane {
    /// Computes the figures in a task, unless they are known. Takes those that were computed.
    pub(super) fn update(
        &mut self,
        trace: &Trace,
        subject: Option<Subject>,
        times: (Duration, u64),
        wake: impl Fn() + Send + 'static,
    ) -> Vec<Notice> {
        let mut problems = Vec::new();
        for done in self.tasks.poll() {
            match done {
                Ok(computed) => self.computed = Some(computed),
                Err(problem) => problems.push(problem),
            }
        }
        let (now, trace_now) = times;
        let Some(subject) = subject.filter(|_| self.is_shown) else {
            return problems;
        };
        let is_due = match self.asked {
            Some((asked, at)) if asked == subject => {
                subject.is_live && now.saturating_sub(at) >= INTERVAL
            }
            _ => true,
        };
        if is_due && self.tasks.running() == 0 {
            self.asked = Some((subject, now));
            let trace = trace.only(&[subject.group]);
            let work = move || Computed::new(&trace, subject, trace_now);
            problems.extend(self.tasks.start("statistics", work, wake).err());
        }
        problems
    }

    /// Forgets what is known, as when another trace takes the place of the one that it was of.
    pub(super) fn forget(&mut self) {
        self.asked = None;
        self.computed = None;
    }

    /// Draws the figures. A click on a step selects its bar.
    pub(super) fn ui(&self, subject: Option<Subject>, state: &mut TraceViewState, ui: &mut Ui) {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            let is_of = |computed: &&Computed| {
                let (is, wanted) = (computed.subject, subject);
                wanted.is_some_and(|wanted| (is.opened, is.group) == (wanted.opened, wanted.group))
            };
            let Some(computed) = self.computed.as_ref().filter(is_of) else {
                ui.label(RichText::new("The figures are computed…").weak());
                return;
            };
            ui.strong(&computed.name);
            match &computed.figures {
                Some(figures) => figures.ui(state, ui),
                None => drop(ui.label(RichText::new("Nothing has begun yet.").weak())),
            }
        });
    }
}

impl Computed {
    fn new(trace: &Trace, subject: Subject, now: u64) -> Self {
        let group = trace.group(subject.group);
        let statistics = Statistics::of(trace, subject.group, now);
        Self {
            subject,
            name: group.map_or_else(String::new, |group| group.name.clone()),
            figures: statistics.map(|statistics| Figures::new(trace, &statistics)),
        }
    }
}

impl Figures {
    fn new(trace: &Trace, statistics: &Statistics) -> Self {
        let steps = statistics.critical_path.longest_first();
        let steps = steps.iter().take(MAX_STEPS).map(|step| ShownStep {
            text: format!(
                "{}, {}, from {}: {}",
                duration(step.took),
                format::one_line(step.lane_name(trace)),
                duration(step.began - statistics.began),
                format::one_line(&step.name(trace)),
            ),
            span: step.span,
        });
        Self {
            rows: figures(statistics),
            histogram: statistics.histogram.clone(),
            parallelism: statistics.parallelism.clone(),
            steps: steps.collect(),
        }
    }

    /// In columns as far as there is room for them.
    fn ui(&self, state: &mut TraceViewState, ui: &mut Ui) {
        let width = ui.available_width();
        if width < 2.0 * COLUMN_WIDTH {
            self.rows_ui(ui);
            self.plots_ui(ui);
            self.steps_ui(state, ui);
            return;
        }
        let has_three = width >= 3.5 * COLUMN_WIDTH;
        ui.horizontal_top(|ui| {
            column_ui(COLUMN_WIDTH, ui, |ui| self.rows_ui(ui));
            column_ui(COLUMN_WIDTH, ui, |ui| self.plots_ui(ui));
            if has_three {
                column_ui(ui.available_width(), ui, |ui| self.steps_ui(state, ui));
            }
        });
        if !has_three {
            self.steps_ui(state, ui);
        }
    }

    fn rows_ui(&self, ui: &mut Ui) {
        let grid = Grid::new("figures").num_columns(2).min_row_height(0.0);
        grid.show(ui, |ui| {
            for (name, value) in &self.rows {
                ui.label(RichText::new(*name).weak());
                ui.label(value);
                ui.end_row();
            }
        });
    }

    fn plots_ui(&self, ui: &mut Ui) {
        if !self.histogram.is_empty() {
            ui.label(RichText::new("How long items took").weak());
            self.histogram_ui(ui);
        }
        ui.label(RichText::new("How many ran at once").weak());
        self.curve_ui(ui);
    }

    /// A bar for each bin; the bounds of all below.
    fn histogram_ui(&self, ui: &mut Ui) {
        let bins = &self.histogram;
        let most = bins.iter().map(|bin| bin.count).max().unwrap_or(0).max(1);
        let text = |bin: &Bin| {
            let items = format::plural(bin.count, "item", "items");
            format!("{}: {items}", bin.title())
        };
        let heights: Vec<f32> = bins
            .iter()
            .map(|bin| bin.count as f32 / most as f32)
            .collect();
        let (plot, response) = bars_ui(&heights, ui);
        let (first, last) = (&bins[0], &bins[bins.len() - 1]);
        response.widget_info(|| {
            let filled = bins.iter().filter(|bin| bin.count > 0);
            let all: Vec<_> = filled.map(text).collect();
            let label = format!("How long items took. {}", all.join(", "));
            WidgetInfo::labeled(Role::Image, true, label)
        });
        ends_ui(plot, [duration(first.from), duration(last.until)], ui);
        if let Some(bin) = pointed(&response, plot, bins.len()).map(|place| &bins[place]) {
            response.on_hover_text_at_pointer(text(bin));
        }
    }

    /// A bar for each step of the time; the ends of the time below.
    fn curve_ui(&self, ui: &mut Ui) {
        let Parallelism {
            mean,
            max,
            step,
            curve,
        } = &self.parallelism;
        let most = (*max).max(1) as f64;
        #[expect(clippy::cast_possible_truncation, reason = "a share")]
        let heights: Vec<f32> = curve.iter().map(|at| (at / most) as f32).collect();
        let (plot, response) = bars_ui(&heights, ui);
        response.widget_info(|| {
            let label = format!("How many ran at once: {mean:.1} on average, {max} at most");
            WidgetInfo::labeled(Role::Image, true, label)
        });
        let length = step.saturating_mul(curve.len() as u64);
        ends_ui(plot, [duration(0), duration(length)], ui);
        if let Some(place) = pointed(&response, plot, curve.len()) {
            let at = duration(step.saturating_mul(place as u64));
            let text = format!("{:.1} ran at once, {at} after the begin", curve[place]);
            response.on_hover_text_at_pointer(text);
        }
    }

    fn steps_ui(&self, state: &mut TraceViewState, ui: &mut Ui) {
        let title = "What the end hung on, the longest first";
        let about =
            "From the end back: what ran there last, and before that what it had waited for.";
        ui.label(RichText::new(title).weak()).on_hover_text(about);
        ui.style_mut().wrap_mode = Some(TextWrapMode::Truncate);
        for step in &self.steps {
            let is_selected = step.span.is_some() && state.selected == step.span;
            let button = Button::selectable(is_selected, &step.text);
            let button = ui.add_enabled(step.span.is_some(), button);
            let is_clicked = button.on_disabled_hover_text("It has no bar.").clicked();
            if let Some(span) = step.span.filter(|_| is_clicked) {
                state.show_span(span);
            }
        }
    }
}

fn column_ui(width: f32, ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    ui.vertical(|ui| {
        ui.set_width(width);
        contents(ui);
    });
}

/// Bars of these heights, from 0 to 1, beside each other in a plot.
fn bars_ui(heights: &[f32], ui: &mut Ui) -> (Rect, Response) {
    let size = PLOT_SIZE + Vec2::new(0.0, LABEL_SIZE + UNIT);
    let (whole, response) = ui.allocate_exact_size(size, Sense::hover());
    let plot = Rect::from_min_size(whole.min, PLOT_SIZE);
    let tokens = tokens(ui);
    let painter = ui.painter();
    painter.rect_filled(plot, 2, tokens.field);
    let width = plot.width() / heights.len().max(1) as f32;
    // Narrow ones touch.
    let gap = if width > 4.0 { 1.0 } else { 0.0 };
    for (place, height) in heights.iter().enumerate() {
        if *height > 0.0 {
            let left = plot.left() + place as f32 * width;
            let top = plot.bottom() - (plot.height() * height).max(1.0);
            let bar = Rect::from_min_max(
                Pos2::new(left, top),
                Pos2::new(left + width - gap, plot.bottom()),
            );
            painter.rect_filled(bar, 0, tokens.running);
        }
    }
    (plot, response)
}

/// Texts below the left and the right end of a plot.
fn ends_ui(plot: Rect, [left, right]: [String; 2], ui: &Ui) {
    let (font, color) = (FontId::proportional(LABEL_SIZE), tokens(ui).text_weak);
    let painter = ui.painter();
    let place = plot.left_bottom();
    painter.text(place, Align2::LEFT_TOP, left, font.clone(), color);
    let place = plot.right_bottom();
    painter.text(place, Align2::RIGHT_TOP, right, font, color);
}

/// The place of the bar that the pointer is at.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place in a short list"
)]
fn pointed(response: &Response, plot: Rect, bars: usize) -> Option<usize> {
    let at = response.hover_pos().filter(|at| plot.contains(*at))?;
    let share = (at.x - plot.left()) / plot.width();
    let place = (share * bars as f32).max(0.0) as usize;
    (bars > 0).then(|| place.min(bars - 1))
}

fn duration(nanos: u64) -> String {
    format::duration(Duration::from_nanos(nanos))
}
