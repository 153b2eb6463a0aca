//! What the page `Timeline` looks like.

use eframe::egui::{
    CentralPanel, Checkbox, Frame, Key, Rangef, RichText, ScrollArea, TextEdit, Ui,
};

use super::find::Find;
use super::range_fields::RangeFields;
use super::statistics::Subject;
use super::{Timeline, command};
use crate::format;
use crate::pages::PageContext;
use crate::pages::commands::{self, UiCommand, Unavailable};
use crate::ui::choice_box::choice_box_ui;
use crate::ui::layout::{Edge, Pane, rest_ui, scroll_ui};
use crate::ui::trace_view::{TraceView, TraceViewState};
use crate::ui::widgets::{empty_ui, field_label_ui, tab_row_ui, tab_ui};

const DETAILS_HEIGHT: f32 = 108.0;
const STATISTICS_HEIGHT: f32 = 250.0;
/// The tooltip.
const STATISTICS: &str =
    "How long the items of the selected job took, how many ran at once, and what its end hung on.";
const MIN_DETAILS_HEIGHT: f32 = 40.0;
/// The height that lanes and details need at least, and that of the lanes alone.
const LEAST_HEIGHT: f32 = 280.0;
const LEAST_LANES: f32 = 160.0;
const FILTER_WIDTH: f32 = 130.0;
const FIND_WIDTH: f32 = 110.0;
const ONLY_WIDTH: f32 = 96.0;

/// What is known of the shown trace beside it.
struct Beside {
    /// The time at which open spans end; `None` if nothing goes on.
    now: Option<u64>,
    /// What the statistics are of.
    subject: Option<Subject>,
    /// How far the selected item is, if it runs.
    progress: Option<String>,
}

impl Timeline {
    /// Draws the page. Returns whether other runs were chosen, which are to be compared.
    pub(super) fn page_ui(&mut self, context: &PageContext, ui: &mut Ui) -> bool {
        let unavailable = Unavailable::of(self, context);
        let beside = Beside {
            now: self.now(context),
            subject: self.subject(context),
            progress: self.progress(context),
        };
        let mut is_chosen = false;
        CentralPanel::default().show(ui, |ui| {
            let height = ui.available_height();
            scroll_ui("timeline", ui, |ui| {
                if let Some(comparing) = &mut self.comparing {
                    let traces = (context.trace.trace(), &self.opened.traces[..]);
                    let commands = &mut self.commands;
                    is_chosen = comparing.show(height, traces, &unavailable, ui, commands);
                    return;
                }
                self.tabs_ui(ui);
                self.trace_ui(height, &beside, context, &unavailable, ui);
            });
        });
        is_chosen
    }

    /// The shown trace in a place of this height, with all that is about it.
    fn trace_ui(
        &mut self,
        height: f32,
        beside: &Beside,
        context: &PageContext,
        unavailable: &Unavailable,
        ui: &mut Ui,
    ) {
        let Self {
            view,
            opened,
            shown,
            commands,
            statistics,
            find,
            range_fields,
            ..
        } = self;
        let opened = shown.and_then(|shown| opened.traces.get_mut(shown));
        let (trace, state, notes) = match opened {
            Some(opened) => (&opened.trace, &mut opened.view, &opened.notes[..]),
            None => (context.trace.trace(), view, &[][..]),
        };
        let view = (!trace.is_empty()).then(|| TraceView::new(trace, beside.now));
        ui.horizontal_wrapped(|ui| {
            tools_ui(
                state,
                find,
                &mut statistics.is_shown,
                unavailable,
                ui,
                commands,
            );
            if let Some(view) = &view {
                range_ui(view, state, range_fields, ui);
            }
        });
        let Some(view) = view else {
            let hint = "Start a job on the page Workbench: here it is shown what ran when, and what waited.";
            return empty_ui(ui, "Nothing has run yet", hint);
        };
        rest_ui(height, LEAST_HEIGHT, ui, |ui| {
            let most = ui.available_height() - LEAST_LANES;
            let (name, size) = if statistics.is_shown {
                ("Statistics of the timeline", STATISTICS_HEIGHT)
            } else {
                ("Details of the timeline", DETAILS_HEIGHT)
            };
            let details = Pane {
                name,
                edge: Edge::Bottom,
                size: size.min(most),
                range: Rangef::new(MIN_DETAILS_HEIGHT, most),
                frame: None,
            };
            details.show(ui, |ui| {
                if statistics.is_shown {
                    statistics.ui(beside.subject, state, ui);
                } else {
                    let about = (notes, beside.progress.as_deref());
                    details_ui(&view, state, about, unavailable, ui, commands);
                }
            });
            CentralPanel::default().frame(Frame::NONE).show(ui, |ui| {
                if view.show(state, ui) {
                    ui.ctx().request_repaint();
                }
            });
        });
    }

    /// Which trace is shown, if there are several.
    fn tabs_ui(&mut self, ui: &mut Ui) {
        if self.opened.traces.is_empty() {
            return;
        }
        tab_row_ui(ui, |ui| {
            let before = self.shown;
            tab_ui(&mut self.shown, None, "This program", ui);
            for (place, opened) in self.opened.traces.iter().enumerate() {
                tab_ui(&mut self.shown, Some(place), &opened.name, ui);
            }
            if self.shown != before {
                self.find.stop();
            }
        });
    }
}

fn tools_ui(
    view: &mut TraceViewState,
    find: &mut Find,
    shows_statistics: &mut bool,
    unavailable: &Unavailable,
    ui: &mut Ui,
    commands: &mut Vec<UiCommand>,
) {
    for command in [command::FIT, command::CLOSER, command::FURTHER] {
        if unavailable.button(command, ui).clicked() {
            commands.push(command);
        }
    }
    let follow = commands::info(command::FOLLOW);
    let mut follows = view.follows || view.range.is_none();
    let why_not = unavailable.why_not(command::FOLLOW);
    let checkbox = Checkbox::new(&mut follows, follow.text);
    let checkbox = ui.add_enabled(why_not.is_none(), checkbox);
    if follow.with_tooltip(checkbox, why_not).changed() {
        commands.push(command::FOLLOW);
    }
    ui.checkbox(shows_statistics, "Statistics")
        .on_hover_text(STATISTICS);
    let label = field_label_ui("Filter", FILTER_WIDTH, ui);
    let filter = TextEdit::singleline(&mut view.filter)
        .hint_text("job or thread")
        .desired_width(FILTER_WIDTH);
    ui.add(filter).labelled_by(label.id);
    choice_box_ui("Bars that stand out", &mut view.only, ONLY_WIDTH, ui);
    find_ui(find, unavailable, ui, commands);
    for command in [
        command::OPEN,
        command::SAVE,
        command::SAVE_CSV,
        command::CLOSE,
        command::COMPARE,
    ] {
        if unavailable.button(command, ui).clicked() {
            commands.push(command);
        }
    }
}

/// The search for bars by their names.
fn find_ui(find: &mut Find, unavailable: &Unavailable, ui: &mut Ui, commands: &mut Vec<UiCommand>) {
    let label = field_label_ui("Find", FIND_WIDTH, ui);
    let field = TextEdit::singleline(&mut find.text)
        .hint_text("part of a name")
        .desired_width(FIND_WIDTH);
    let field = ui.add(field).labelled_by(label.id);
    if std::mem::take(&mut find.takes_keyboard) {
        field.request_focus();
    }
    if field.changed() {
        find.stop();
    }
    if field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
        field.request_focus();
        let goes_back = ui.input(|input| input.modifiers.shift);
        let command = if goes_back {
            command::FIND_PREVIOUS
        } else {
            command::FIND_NEXT
        };
        if unavailable.why_not(command).is_none() {
            commands.push(command);
        }
    }
    for command in [command::FIND_NEXT, command::FIND_PREVIOUS] {
        if unavailable.button(command, ui).clicked() {
            commands.push(command);
        }
    }
    if let Some(status) = find.status() {
        ui.label(RichText::new(status).weak());
    }
}

/// The shown time in figures.
fn range_ui(
    view: &TraceView<'_>,
    state: &mut TraceViewState,
    fields: &mut RangeFields,
    ui: &mut Ui,
) {
    let whole = view.whole();
    let shown = state.range.unwrap_or(whole);
    if let Some(typed) = fields.ui(shown, whole, ui) {
        state.range = Some(typed.within(whole));
        state.follows = false;
    }
    if let Some(problem) = &fields.problem {
        ui.label(problem);
    }
}

/// The selected span, or what the bars mean.
fn details_ui(
    view: &TraceView<'_>,
    state: &TraceViewState,
    (notes, progress): (&[String], Option<&str>),
    unavailable: &Unavailable,
    ui: &mut Ui,
    commands: &mut Vec<UiCommand>,
) {
    let text = state.selected.and_then(|selected| view.text(selected));
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let Some(text) = text else {
            let dropped = view.dropped();
            if dropped > 0 {
                let dropped = format::count(dropped);
                ui.label(format!(
                    "{dropped} spans are left out: there is no room for more."
                ));
            }
            for note in notes {
                ui.label(note);
            }
            ui.label(RichText::new("Click a bar to see what it is.").weak());
            TraceView::legend_ui(ui);
            return;
        };
        ui.label(text);
        if let Some(progress) = progress {
            ui.label(progress);
        }
        ui.horizontal_wrapped(|ui| {
            for command in [
                command::SHOW_IN_RESULTS,
                command::SHOW_OUTPUT,
                command::WHO_WAITS,
            ] {
                if unavailable.button(command, ui).clicked() {
                    commands.push(command);
                }
            }
        });
        for mark in view.marks_of(state.selected.map(|selected| selected.lane)) {
            ui.label(RichText::new(mark).weak());
        }
    });
}
