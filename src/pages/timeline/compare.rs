//! Two runs above each other, along one time axis, and what differs between them.

use eframe::egui::{
    Align, Button, CentralPanel, Frame, Label, Layout, Rangef, Rect, RichText, ScrollArea, Ui,
    UiBuilder, Vec2,
};

use super::command;
use super::counterparts::{Clicked, Counterparts};
use super::opened::OpenedTrace;
use crate::format;
use crate::pages::background_tasks::BackgroundTasks;
use crate::pages::commands::{UiCommand, Unavailable};
use crate::record::JobTrace;
use crate::trace::{Comparison, Difference, Group, GroupId, SpanId, Trace, compare};
use crate::ui::choice_box::entries_box_ui;
use crate::ui::layout::{Edge, Pane, rest_ui};
use crate::ui::notices::Notice;
use crate::ui::trace_view::{TimeRange, TraceView, TraceViewState};

/// The height of the list, at least, and its share of a high window.
const LIST_HEIGHT: f32 = 132.0;
const LIST_SHARE: f32 = 0.25;
const MIN_LIST_HEIGHT: f32 = 48.0;
/// The height that both pictures and the list need at least, and that of the pictures alone.
const LEAST_HEIGHT: f32 = 380.0;
const LEAST_PICTURES: f32 = 220.0;
/// The line above a picture. The name of the run gets at most this share of it beside the selected bar.
const TITLE_HEIGHT: f32 = 20.0;
const NAME_SHARE: f32 = 0.4;
/// What is said of a bar that is only in one of the two runs.
const ALONE: [&str; 2] = [
    "Only before: there is no such bar after.",
    "Only after: there is no such bar before.",
];
const CHOICE_WIDTH: f32 = 190.0;
/// The groups of a trace that can be chosen: a list of more is of no use.
const MAX_GROUPS: usize = 100;

/// What can be compared: a trace, or one group of it. The trace of this program has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Source {
    opened: Option<usize>,
    group: Option<GroupId>,
}

/// All that can be compared, with their names.
pub(super) fn sources(own: &Trace, opened: &[OpenedTrace]) -> Vec<(Source, String)> {
    let mut sources = Vec::new();
    // The last ones are those of interest.
    let jobs = jobs(own).rev().take(MAX_GROUPS);
    let jobs = jobs.map(|(id, group)| (of(None, Some(id)), group.name.clone()));
    sources.extend(jobs.collect::<Vec<_>>().into_iter().rev());
    for (place, opened) in opened.iter().enumerate() {
        sources.push((of(Some(place), None), opened.name.clone()));
        let groups = opened.trace.groups().take(MAX_GROUPS);
        let groups = groups.map(|(id, group)| {
            let name = format!("{}: {}", opened.name, group.name);
            (of(Some(place), Some(id)), name)
        });
        if opened.trace.groups().nth(1).is_some() {
            sources.extend(groups);
        }
    }
    sources
}

fn of(opened: Option<usize>, group: Option<GroupId>) -> Source {
    Source { opened, group }
}

/// The jobs of this program, without what the window did meanwhile.
fn jobs(own: &Trace) -> impl DoubleEndedIterator<Item = (GroupId, &Group)> {
    let groups = own.groups();
    groups.filter(|(id, _)| JobTrace::job_of(*id).is_some())
}

/// Whether there are two runs to compare.
pub(super) fn are_two(own: &Trace, opened: &[OpenedTrace]) -> bool {
    let first = opened.first().filter(|_| opened.len() == 1);
    let jobs = jobs(own).take(2).count();
    opened.len() + jobs > 1 || first.is_some_and(|it| it.trace.groups().nth(1).is_some())
}

impl Source {
    fn trace(self, own: &Trace, opened: &[OpenedTrace]) -> Trace {
        let whole = match self.opened {
            Some(place) => opened.get(place).map(|opened| &opened.trace),
            None => Some(own),
        };
        match (whole, self.group) {
            (Some(whole), Some(group)) => whole.only(&[group]),
            (Some(whole), None) => whole.clone(),
            (None, _) => Trace::default(),
        }
    }
}

/// The two to begin with: those of the shown trace, the last two of this program or the first two of a file, or the
/// shown one and another.
fn first_two(sources: &[(Source, String)], shown: Option<usize>) -> Option<[Source; 2]> {
    let all = || sources.iter().map(|(source, _)| *source);
    let is_of = |source: &Source| source.opened == shown && source.group.is_some();
    let mut of_shown: Vec<Source> = all().filter(is_of).collect();
    if shown.is_none() {
        of_shown.drain(..of_shown.len().saturating_sub(2));
    }
    if let [first, second, ..] = of_shown[..] {
        return Some([first, second]);
    }
    let first = all()
        .find(|source| source.opened == shown)
        .or_else(|| all().next())?;
    let second = all().find(|source| source.opened != first.opened)?;
    Some([first, second])
}

/// One of the two.
struct Side {
    source: Source,
    trace: Trace,
    view: TraceViewState,
}

/// The comparison of two runs.
pub(super) struct Compare {
    /// Before and after.
    sides: [Side; 2],
    /// The time that is shown of both, since the begin of each; `None` for all of it.
    range: Option<TimeRange>,
    comparison: Option<Comparison>,
    tasks: BackgroundTasks<(u64, Comparison)>,
    /// The number of the comparison that was asked for last.
    asked: u64,
    /// The place of the selected difference.
    selected: Option<usize>,
    counterparts: Counterparts,
    /// The run whose selected bar the other one does not have.
    alone: Option<usize>,
}

impl Compare {
    /// Begins to compare two runs; `None` if there are none. `shown` is the place of the trace that is shown.
    pub(super) fn new(own: &Trace, opened: &[OpenedTrace], shown: Option<usize>) -> Option<Self> {
        let sides = first_two(&sources(own, opened), shown)?.map(|source| Side {
            source,
            trace: source.trace(own, opened),
            view: TraceViewState::default(),
        });
        Some(Self {
            sides,
            range: None,
            comparison: None,
            tasks: BackgroundTasks::default(),
            asked: 0,
            selected: None,
            counterparts: Counterparts::default(),
            alone: None,
        })
    }

    /// Compares in a task. Returns a message if there is none.
    pub(super) fn start(&mut self, wake: impl Fn() + Send + 'static) -> Option<Notice> {
        self.asked += 1;
        self.comparison = None;
        self.range = None;
        self.select_alone(None);
        let (asked, [before, after]) = (self.asked, self.traces());
        let work = move || (asked, compare(&before, &after));
        self.tasks.start("compare traces", work, wake).err()
    }

    fn traces(&self) -> [Trace; 2] {
        self.sides.each_ref().map(|side| side.trace.clone())
    }

    /// Takes what was found: the differences, and the counterpart of a clicked bar. Returns a message if that failed.
    pub(super) fn poll(&mut self, wake: impl Fn() + Send + 'static) -> Option<Notice> {
        let mut problem = None;
        for done in self.tasks.poll() {
            match done {
                Ok((asked, comparison)) if asked == self.asked => {
                    self.comparison = Some(comparison);
                }
                // Others were chosen meanwhile.
                Ok(_) => {}
                Err(notice) => problem = Some(notice),
            }
        }
        let sides = &self.sides;
        let traces = || sides.each_ref().map(|side| side.trace.clone());
        match self.counterparts.poll(traces, wake) {
            Ok(found) => {
                if let Some((clicked, counterpart)) = found {
                    self.show_counterpart(clicked, counterpart);
                }
            }
            Err(notice) => problem = Some(notice),
        }
        problem
    }

    /// The reason why a command of the page can't run while two runs are compared.
    pub(super) fn why_not(&self, command: UiCommand) -> Option<&'static str> {
        match command {
            command::FIT => self.range.is_none().then_some("All is shown."),
            command::CLOSER | command::FURTHER | command::CLOSE_COMPARISON => None,
            _ => Some("Two runs are compared; close the comparison first."),
        }
    }

    /// Runs a command of the page. Returns whether it was one of this.
    pub(super) fn run_command(&mut self, command: UiCommand) -> bool {
        match command {
            command::FIT => self.range = None,
            command::CLOSER => self.zoom(super::ZOOM),
            command::FURTHER => self.zoom(1.0 / super::ZOOM),
            _ => return false,
        }
        true
    }

    fn zoom(&mut self, factor: f64) {
        let whole = self.whole();
        let range = self.range.unwrap_or_else(|| whole.with_margin());
        let middle = range.from + range.length() / 2.0;
        self.range = Some(range.zoomed(middle, factor).within(whole));
    }

    /// The time of the longer one, from its begin.
    fn whole(&self) -> TimeRange {
        let lengths = self.sides.each_ref().map(|side| whole_of(side).length());
        TimeRange {
            from: 0.0,
            until: lengths[0].max(lengths[1]),
        }
    }

    /// Draws the choice of the two runs, both of them, and what differs. Returns whether others were chosen.
    pub(super) fn show(
        &mut self,
        height: f32,
        (own, opened): (&Trace, &[OpenedTrace]),
        unavailable: &Unavailable,
        ui: &mut Ui,
        commands: &mut Vec<UiCommand>,
    ) -> bool {
        let sources = sources(own, opened);
        let mut is_chosen = false;
        ui.horizontal_wrapped(|ui| {
            is_chosen = self.choices_ui(&sources, (own, opened), ui);
            for command in [
                command::FIT,
                command::CLOSER,
                command::FURTHER,
                command::CLOSE_COMPARISON,
            ] {
                if unavailable.button(command, ui).clicked() {
                    commands.push(command);
                }
            }
        });
        rest_ui(height, LEAST_HEIGHT, ui, |ui| {
            let most = ui.available_height() - LEAST_PICTURES;
            let list = Pane {
                name: "Differences",
                edge: Edge::Bottom,
                size: (ui.available_height() * LIST_SHARE)
                    .max(LIST_HEIGHT)
                    .min(most),
                range: Rangef::new(MIN_LIST_HEIGHT, most),
                frame: None,
            };
            list.show(ui, |ui| self.list_ui(ui));
            CentralPanel::default().frame(Frame::NONE).show(ui, |ui| {
                self.pictures_ui(&sources, ui);
            });
        });
        is_chosen
    }

    fn choices_ui(
        &mut self,
        sources: &[(Source, String)],
        (own, opened): (&Trace, &[OpenedTrace]),
        ui: &mut Ui,
    ) -> bool {
        let entries: Vec<_> = sources
            .iter()
            .map(|(_, name)| (name.as_str(), ""))
            .collect();
        let mut is_chosen = false;
        for (side, name) in self.sides.iter_mut().zip(["Before", "After"]) {
            let place = |source| sources.iter().position(|(other, _)| *other == source);
            let mut chosen = place(side.source);
            ui.label(name);
            entries_box_ui(name, &entries, &mut chosen, CHOICE_WIDTH, ui);
            if let Some((source, _)) = chosen.and_then(|chosen| sources.get(chosen))
                && *source != side.source
            {
                side.source = *source;
                side.trace = source.trace(own, opened);
                side.view = TraceViewState::default();
                is_chosen = true;
            }
        }
        is_chosen
    }

    /// Both runs, above each other.
    fn pictures_ui(&mut self, sources: &[(Source, String)], ui: &mut Ui) {
        let place = ui.available_rect_before_wrap();
        let whole = self.whole();
        let (top, bottom) = place.split_top_bottom_at_fraction(0.5);
        for (side, (place, title)) in [(top, "Before"), (bottom, "After")].into_iter().enumerate() {
            let name = sources
                .iter()
                .find(|(source, _)| *source == self.sides[side].source);
            let name = format!("{title}: {}", name.map_or("", |(_, name)| name));
            let said = self.said_of(side);
            let builder = UiBuilder::new().max_rect(place).id_salt(title);
            ui.scope_builder(builder, |ui| {
                let line = Vec2::new(ui.available_width(), TITLE_HEIGHT);
                let line = Rect::from_min_size(place.min, line);
                ui.scope_builder(UiBuilder::new().max_rect(line), |ui| {
                    title_ui(name, said, ui);
                });
                let rest = place.with_min_y(line.bottom());
                ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
                    self.picture_ui(side, whole, ui);
                });
            });
        }
    }

    /// One of the runs. A click on a bar selects its counterpart, too.
    fn picture_ui(&mut self, place: usize, whole: TimeRange, ui: &mut Ui) {
        let side = &mut self.sides[place];
        let before = side.view.selected;
        if side_ui(side, whole, &mut self.range, ui) {
            ui.ctx().request_repaint();
        }
        let selected = side.view.selected;
        if selected != before {
            self.select_alone(selected.map(|span| (place, span)));
        }
    }

    /// Selects a bar of one run and nothing else, and looks for its counterpart; without one, nothing is selected.
    fn select_alone(&mut self, clicked: Option<(usize, SpanId)>) {
        self.selected = None;
        self.alone = None;
        for (place, side) in self.sides.iter_mut().enumerate() {
            if clicked.is_none_or(|(clicked, _)| clicked != place) {
                side.view.reveal(None);
            }
        }
        let asked = self.asked;
        let clicked = clicked.map(|(side, span)| Clicked { asked, side, span });
        self.counterparts.look_for(clicked);
    }

    /// Selects the counterpart of a bar, and brings it into sight. The bar itself stays where it was clicked.
    fn show_counterpart(&mut self, clicked: Clicked, counterpart: Option<SpanId>) {
        let Clicked { side, span, .. } = clicked;
        let other = 1 - side;
        self.sides[other].view.reveal(counterpart);
        self.alone = counterpart.is_none().then_some(side);
        if counterpart.is_some() {
            let mut spans = [counterpart; 2];
            spans[side] = Some(span);
            self.show_times(spans);
        }
    }

    /// What there is to say of a run beside its name: which bar is selected, or that it has none like that of the other.
    fn said_of(&self, place: usize) -> Option<String> {
        if let Some(alone) = self.alone.filter(|alone| *alone != place) {
            return Some(ALONE[alone].to_owned());
        }
        let side = &self.sides[place];
        let text = TraceView::new(&side.trace, None).text(side.view.selected?)?;
        Some(text.replace('\n', ", "))
    }

    /// What differs, a line each.
    fn list_ui(&mut self, ui: &mut Ui) {
        let Some(comparison) = &self.comparison else {
            ui.label(RichText::new("The runs are being compared…").weak());
            return;
        };
        ui.label(RichText::new(summary(comparison)).weak());
        let height = ui.spacing().interact_size.y;
        let count = comparison.differences.len();
        let mut clicked = None;
        let scroll = ScrollArea::vertical().auto_shrink(false);
        scroll.show_rows(ui, height, count, |ui, rows| {
            ui.with_layout(Layout::top_down_justified(Align::LEFT), |ui| {
                for place in rows {
                    let difference = &comparison.differences[place];
                    let text = format!("{} ({})", difference.text(), difference.place());
                    let is_selected = self.selected == Some(place);
                    let row = Button::selectable(is_selected, text).truncate();
                    if ui.add(row).clicked() {
                        clicked = Some(place);
                    }
                }
            });
        });
        if let Some(place) = clicked {
            let difference = comparison.differences[place].clone();
            self.selected = Some(place);
            self.select(&difference);
        }
    }

    /// Selects a difference in both runs, and brings it into sight.
    fn select(&mut self, difference: &Difference) {
        let spans = [difference.spans.0, difference.spans.1];
        for (side, span) in self.sides.iter_mut().zip(spans) {
            side.view.reveal(span);
        }
        self.counterparts.look_for(None);
        self.alone = match spans {
            [Some(_), None] => Some(0),
            [None, Some(_)] => Some(1),
            _ => None,
        };
        self.show_times(spans);
    }

    /// Brings the times of bars into sight, before and after.
    fn show_times(&mut self, spans: [Option<SpanId>; 2]) {
        let times = self.sides.iter().zip(spans);
        let times = times.filter_map(|(side, span)| time_of(side, span?));
        let both = times.reduce(|a, b| TimeRange {
            from: a.from.min(b.from),
            until: a.until.max(b.until),
        });
        if let (Some(range), Some(times)) = (self.range, both) {
            self.range = Some(range.showing(times.from, times.until));
        }
    }
}

/// The whole time of a run.
fn whole_of(side: &Side) -> TimeRange {
    TraceView::new(&side.trace, None).whole()
}

/// The time of a span since the begin of its run.
fn time_of(side: &Side, span: SpanId) -> Option<TimeRange> {
    let begin = whole_of(side).from;
    let span = side.trace.span(span)?;
    let ended = span.ended_by(side.trace.last_at());
    Some(TimeRange {
        from: span.began() as f64 - begin,
        until: ended as f64 - begin,
    })
}

/// Draws one run. `range` is what is shown of both, since their begins.
fn side_ui(side: &mut Side, whole: TimeRange, range: &mut Option<TimeRange>, ui: &mut Ui) -> bool {
    let view = TraceView::new(&side.trace, None).lasting(whole.length());
    let begin = view.whole().from;
    let later = |range: TimeRange, by: f64| TimeRange {
        from: range.from + by,
        until: range.until + by,
    };
    side.view.range = range.map(|range| later(range, begin));
    let is_changed = view.show(&mut side.view, ui);
    *range = side.view.range.map(|range| later(range, -begin));
    is_changed
}

/// The name of a run, and what there is to say of it.
fn title_ui(name: String, said: Option<String>, ui: &mut Ui) {
    ui.spacing_mut().interact_size.y = 0.0;
    ui.horizontal(|ui| {
        let name = Label::new(RichText::new(name).weak()).truncate();
        let Some(said) = said else {
            ui.add(name);
            return;
        };
        ui.scope(|ui| {
            ui.set_max_width(ui.available_width() * NAME_SHARE);
            ui.add(name);
        });
        ui.add(Label::new(said).truncate());
    });
}

fn summary(comparison: &Comparison) -> String {
    let common = format::plural(comparison.common, "span is", "spans are");
    let count = comparison.differences.len();
    if count == 0 {
        return format!("Nothing differs; {common} in both.");
    }
    let differences = format::plural(count + comparison.left_out, "difference", "differences");
    let shown = match comparison.left_out {
        0 => String::new(),
        _ => format!(", of which {} are listed", format::count(count)),
    };
    format!("{differences}{shown}, {common} in both. Click one to find it.")
}
