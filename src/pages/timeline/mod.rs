//! The page `Timeline`: what ran and what waited, along one time axis, in the jobs of this program or in a file.

pub mod command;
mod compare;
mod counterparts;
mod find;
mod opened;
mod page;
mod range_fields;
mod statistics;

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use eframe::egui::Ui;
use serde::{Deserialize, Serialize};

use self::compare::Compare;
use self::find::Find;
use self::opened::OpenedTraces;
pub(crate) use self::opened::take_traces;
use self::range_fields::RangeFields;
use self::statistics::{StatisticsPane, Subject};
use super::background_tasks::{drop_in_task, saved_with};
use super::commands::{UiCommand, run_each};
use super::{
    DialogAnswer, DialogRequest, Page, PageContext, PageId, PageInfo, PageSetup, workbench,
};
use crate::format;
use crate::record::{ItemId, ItemProgress, JobId, JobTrace, nanos};
use crate::trace::{CsvKind, Group, LaneKind, SpanId, SpanName, Trace, write_chrome, write_csv};
use crate::ui::trace_view::{TimeRange, TraceView, TraceViewState};

pub(crate) const ID: PageId = PageId::new("timeline");
pub(super) const INFO: &PageInfo = &PageInfo {
    id: ID,
    title: "Timeline",
    commands: command::COMMANDS,
    guide: "timeline.md",
};

/// The interval at which bars grow while a job runs.
const POLL_INTERVAL: Duration = Duration::from_millis(33);
/// An item that did not get on for so long is said to.
const MIN_SILENCE: Duration = Duration::from_secs(2);
/// How much shorter the shown time gets with the button.
const ZOOM: f64 = 0.5;

const NO_BAR: &str = "Click a bar of a job of this program first.";

/// The choices of this page; there are none to be remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TimelineChoices {}

impl TimelineChoices {
    #[must_use]
    pub fn sanitized(self) -> Self {
        self
    }
}

pub(crate) struct Timeline {
    /// The view of the trace of this program.
    view: TraceViewState,
    opened: OpenedTraces,
    /// The place of the shown trace among the opened ones; `None` for that of this program.
    shown: Option<usize>,
    /// The comparison of two runs, while it is shown.
    comparing: Option<Compare>,
    /// The traces that were asked for before the first frame.
    to_open: Vec<PathBuf>,
    commands: Vec<UiCommand>,
    /// Whether bars grow in sight.
    is_live: bool,
    /// What the open dialog is for.
    dialog: TimelineDialog,
    statistics: StatisticsPane,
    find: Find,
    range_fields: RangeFields,
    /// What another page asked to see.
    wanted: Option<Wanted>,
}

/// What a dialog of this page is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimelineDialog {
    Open,
    SaveTrace,
    SaveCsv,
}

/// A job, or one of its items with the time at which that began.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    job: JobId,
    item: Option<(ItemId, Duration)>,
}

/// The text that names a job, or one of its items with the time at which that began, for this page.
pub(crate) fn place_of(job: JobId, item: Option<(ItemId, Duration)>) -> String {
    item.map_or_else(
        || job.get().to_string(),
        |(item, began)| format!("{}/{}/{}", job.get(), item.index(), nanos(began)),
    )
}

/// `12.0 MiB of 2.0 GiB done, and nothing more for 3 min 05 s`
fn progress_text(progress: ItemProgress, now: u64) -> String {
    let done = match progress.total {
        0 => format::bytes(progress.done),
        total => format!(
            "{} of {}",
            format::bytes(progress.done),
            format::bytes(total)
        ),
    };
    let silent = Duration::from_nanos(now.saturating_sub(progress.at));
    if silent < MIN_SILENCE {
        return format!("{done} done");
    }
    let silent = format::duration(silent);
    format!("{done} done, and nothing more for {silent}")
}

impl Timeline {
    pub(super) fn new(setup: &PageSetup) -> Self {
        Self {
            view: TraceViewState::default(),
            opened: OpenedTraces::default(),
            shown: None,
            comparing: None,
            to_open: setup.traces.clone(),
            commands: Vec::new(),
            is_live: false,
            dialog: TimelineDialog::Open,
            statistics: StatisticsPane::default(),
            find: Find::default(),
            range_fields: RangeFields::default(),
            wanted: None,
        }
    }

    /// The trace that is shown.
    fn trace<'a>(&'a self, context: &'a PageContext) -> &'a Trace {
        let opened = self.shown.and_then(|shown| self.opened.traces.get(shown));
        opened.map_or_else(|| context.trace.trace(), |opened| &opened.trace)
    }

    fn view(&self) -> &TraceViewState {
        let opened = self.shown.and_then(|shown| self.opened.traces.get(shown));
        opened.map_or(&self.view, |opened| &opened.view)
    }

    fn view_mut(&mut self) -> &mut TraceViewState {
        let opened = self
            .shown
            .and_then(|shown| self.opened.traces.get_mut(shown));
        opened.map_or(&mut self.view, |opened| &mut opened.view)
    }

    /// The time at which open spans end; `None` if nothing of the shown trace goes on.
    fn now(&self, context: &PageContext) -> Option<u64> {
        let is_live = self.shown.is_none() && context.trace.is_running();
        is_live.then(|| context.trace_now())
    }

    /// What the figures are of: the group of the selected span, else the last one.
    fn subject(&self, context: &PageContext) -> Option<Subject> {
        let trace = self.trace(context);
        let selected = self.view().selected.map(|selected| selected.lane.group);
        let last = || trace.groups().next_back().map(|(id, _)| id);
        let group = selected
            .filter(|id| trace.group(*id).is_some())
            .or_else(last)?;
        Some(Subject {
            opened: self.shown,
            group,
            is_live: self.now(context).is_some() && trace.group(group)?.is_open(),
        })
    }

    /// Keeps the figures up to date while they are shown.
    fn update_statistics(&mut self, context: &mut PageContext) {
        let mut statistics = std::mem::take(&mut self.statistics);
        let subject = context.shows(&ID).then(|| self.subject(context)).flatten();
        let trace = self.trace(context);
        let trace_now = self.now(context).unwrap_or(trace.last_at());
        let times = (context.now(), trace_now);
        for problem in statistics.update(trace, subject, times, context.waker()) {
            context.notify(problem);
        }
        self.statistics = statistics;
    }

    fn open(&mut self, paths: Vec<PathBuf>, context: &mut PageContext) {
        for notice in self.opened.open(paths, context.waker()) {
            context.notify(notice);
        }
    }

    /// The number of the selected span's job, and after a `/` that of its item, as the Workbench takes it.
    fn selected_item(&self, context: &PageContext) -> Option<String> {
        let selected = self.view().selected.filter(|_| self.shown.is_none())?;
        let job = JobTrace::job_of(selected.lane.group)?;
        match self.trace(context).span(selected)?.name {
            SpanName::Item(item) => Some(format!("{}/{item}", job.get())),
            SpanName::Text(_) => Some(job.get().to_string()),
        }
    }

    /// How far the selected item is, if it runs.
    fn progress(&self, context: &PageContext) -> Option<String> {
        let selected = self.selected_of_job()?;
        let job = JobTrace::job_of(selected.lane.group)?;
        let SpanName::Item(item) = self.trace(context).span(selected)?.name else {
            return None;
        };
        let progress = context.trace.progress(job, ItemId::new(item as usize))?;
        Some(progress_text(progress, context.trace_now()))
    }

    /// The selected span, if it is of a job of this program.
    fn selected_of_job(&self) -> Option<SpanId> {
        let selected = self.view().selected.filter(|_| self.shown.is_none())?;
        JobTrace::job_of(selected.lane.group).map(|_| selected)
    }

    fn why_no_output(&self, context: &PageContext) -> Option<&'static str> {
        let Some(selected) = self.selected_of_job() else {
            return Some(NO_BAR);
        };
        let lane = self.trace(context).lane(selected.lane);
        let is_process = lane.is_some_and(|lane| lane.kind == LaneKind::Process);
        (!is_process).then_some("Only a process has output: click the bar of one.")
    }

    fn why_no_waits(&self, context: &PageContext) -> Option<&'static str> {
        let Some(selected) = self.selected_of_job() else {
            return Some(NO_BAR);
        };
        let group = self.trace(context).group(selected.lane.group);
        let goes_on = group.is_some_and(Group::is_open);
        (!goes_on).then_some("The job has ended, so nothing of it waits.")
    }

    /// Opens the Workbench at the selected item, or its job, with this pane.
    fn open_pane(&self, pane: workbench::Pane, context: &mut PageContext) {
        if let Some(item) = self.selected_item(context) {
            let separator = if item.contains('/') { "/" } else { "//" };
            context.open = Some((workbench::ID, format!("{item}{separator}{}", pane.title())));
        }
    }

    /// Selects what another page asked to see.
    fn take_wanted(&mut self, context: &PageContext) {
        if let Some(Wanted { job, item }) = self.wanted.take() {
            self.close_comparison();
            self.shown = None;
            let span = match item {
                Some((item, began)) => context.trace.item_span(job, item, began),
                None => context.trace.job_span(job),
            };
            if let Some(span) = span {
                self.view.show_span(span);
            }
        }
    }

    fn find(&mut self, goes_back: bool) {
        let from = self.view().selected;
        self.find.start(from, goes_back);
    }

    /// Goes on with a search.
    fn go_on_finding(&mut self, context: &PageContext) {
        let shown = self
            .shown
            .and_then(|shown| self.opened.traces.get_mut(shown));
        let (trace, view) = match shown {
            Some(opened) => (&opened.trace, &mut opened.view),
            None => (context.trace.trace(), &mut self.view),
        };
        if let Some(found) = self.find.go_on(trace) {
            view.show_span(found);
        }
        if self.find.is_searching() {
            context.ctx.request_repaint();
        }
    }

    /// Zooms around the middle.
    fn zoom(&mut self, factor: f64, context: &PageContext) {
        let whole = self.whole(context);
        let view = self.view_mut();
        let range = view.range.unwrap_or_else(|| whole.with_margin());
        let middle = range.from + range.length() / 2.0;
        view.range = Some(range.zoomed(middle, factor).within(whole));
    }

    fn whole(&self, context: &PageContext) -> TimeRange {
        TraceView::new(self.trace(context), self.now(context)).whole()
    }

    /// Takes a trace of another page, to show it.
    fn take_trace(&mut self, context: &mut PageContext) {
        let Some((name, trace)) = context.trace_to_show.take() else {
            return;
        };
        match self.opened.add(name, trace) {
            Ok(place) => {
                self.shown = Some(place);
                self.close_comparison();
            }
            Err(notice) => context.notify(notice),
        }
    }

    fn compare(&mut self, context: &mut PageContext) {
        let own = context.trace.trace();
        self.comparing = Compare::new(own, &self.opened.traces, self.shown);
        self.start_comparison(context);
    }

    fn start_comparison(&mut self, context: &mut PageContext) {
        let waker = context.waker();
        let comparing = self.comparing.as_mut();
        if let Some(notice) = comparing.and_then(|comparing| comparing.start(waker)) {
            context.notify(notice);
        }
    }

    fn close_comparison(&mut self) {
        if let Some(closed) = self.comparing.take() {
            drop_in_task("close comparison", closed);
        }
    }

    fn follow(&mut self, context: &PageContext) {
        let whole = self.whole(context);
        let view = self.view_mut();
        // All of the time follows by itself.
        view.follows = !(view.follows || view.range.is_none());
        view.range.get_or_insert_with(|| whole.with_margin());
    }
}

impl Page for Timeline {
    fn info(&self) -> &'static PageInfo {
        INFO
    }

    fn poll(&mut self, context: &mut PageContext) {
        let mut paths = std::mem::take(&mut self.to_open);
        if context.shows(&ID) {
            let dropped = |input: &eframe::egui::InputState| {
                let files = input.raw.dropped_files.iter();
                files.map(|file| file.path().to_owned()).collect::<Vec<_>>()
            };
            paths.extend(context.ctx.input(dropped));
        }
        self.open(paths, context);
        self.take_trace(context);
        let waker = context.waker();
        let comparing = self.comparing.as_mut();
        if let Some(problem) = comparing.and_then(|comparing| comparing.poll(waker)) {
            context.notify(problem);
        }
        let (has_new, problems) = self.opened.poll();
        for problem in problems {
            context.notify(problem);
        }
        if has_new {
            self.shown = self.opened.traces.len().checked_sub(1);
            context.ctx.request_repaint();
        }
        self.update_statistics(context);
        self.is_live = context.shows(&ID) && self.now(context).is_some();
    }

    fn select(&mut self, name: &str) {
        let mut parts = name.split('/').map(str::parse::<u64>).map_while(Result::ok);
        let Some(job) = parts.next() else {
            return;
        };
        let item = parts.next().and_then(|item| usize::try_from(item).ok());
        let item = item.zip(parts.next());
        self.wanted = Some(Wanted {
            job: JobId::new(job),
            item: item.map(|(item, began)| (ItemId::new(item), Duration::from_nanos(began))),
        });
    }

    fn wants_poll_in(&self) -> Option<Duration> {
        self.is_live.then_some(POLL_INTERVAL)
    }

    fn ui(&mut self, context: &mut PageContext, ui: &mut Ui) {
        self.take_wanted(context);
        self.go_on_finding(context);
        if self.page_ui(context, ui) {
            self.start_comparison(context);
        }
    }

    fn why_not(&self, command: UiCommand, context: &PageContext) -> Option<Cow<'static, str>> {
        if let Some(comparing) = &self.comparing
            && command != command::OPEN
        {
            return comparing.why_not(command).map(Cow::from);
        }
        let is_empty = self.trace(context).is_empty();
        let has_dialog = context.dialogs.is_open().then_some("A dialog is open.");
        let why_not = match command {
            command::OPEN => has_dialog,
            command::CLOSE => self
                .shown
                .is_none()
                .then_some("It is that of this program."),
            command::COMPARE => {
                let are_two = compare::are_two(context.trace.trace(), &self.opened.traces);
                (!are_two).then_some("Run another job, or open another trace.")
            }
            command::CLOSE_COMPARISON => Some("Nothing is compared."),
            _ if is_empty => Some("Nothing has run yet."),
            command::SAVE | command::SAVE_CSV => has_dialog,
            command::FOLLOW if self.shown.is_some() => Some("Nothing in a file goes on."),
            command::SHOW_IN_RESULTS => {
                let has_none = self.selected_item(context).is_none();
                has_none.then_some(NO_BAR)
            }
            command::SHOW_OUTPUT => self.why_no_output(context),
            command::WHO_WAITS => self.why_no_waits(context),
            command::FIND_NEXT | command::FIND_PREVIOUS => {
                let is_empty = self.find.text.is_empty();
                is_empty.then_some("Type a part of a name first.")
            }
            command::FIT => self.view().range.is_none().then_some("All is shown."),
            _ => None,
        };
        why_not.map(Cow::from)
    }

    fn run_command(&mut self, command: UiCommand, context: &mut PageContext) {
        let comparing = self.comparing.as_mut();
        if comparing.is_some_and(|comparing| comparing.run_command(command)) {
            return;
        }
        match command {
            command::COMPARE => self.compare(context),
            command::CLOSE_COMPARISON => self.close_comparison(),
            command::FIT => {
                let view = self.view_mut();
                view.range = None;
                view.follows = false;
            }
            command::CLOSER => self.zoom(ZOOM, context),
            command::FURTHER => self.zoom(1.0 / ZOOM, context),
            command::FOLLOW => self.follow(context),
            command::OPEN => {
                self.dialog = TimelineDialog::Open;
                let title = "Open a trace".to_owned();
                context.dialogs.request(ID, DialogRequest::File { title });
            }
            command::CLOSE => {
                if let Some(shown) = self.shown.take() {
                    let closed = self.opened.traces.remove(shown);
                    self.statistics.forget();
                    drop_in_task("close trace", closed);
                }
            }
            command::SAVE_CSV => {
                self.dialog = TimelineDialog::SaveCsv;
                let request = DialogRequest::Save {
                    title: "Save items, waits and frames".to_owned(),
                    file_name: "meanwhile.csv".to_owned(),
                };
                context.dialogs.request(ID, request);
            }
            command::SAVE => {
                self.dialog = TimelineDialog::SaveTrace;
                let request = DialogRequest::Save {
                    title: "Save the trace".to_owned(),
                    file_name: "meanwhile.trace.json".to_owned(),
                };
                context.dialogs.request(ID, request);
            }
            command::SHOW_IN_RESULTS => {
                if let Some(item) = self.selected_item(context) {
                    context.open = Some((workbench::ID, item));
                }
            }
            command::SHOW_OUTPUT => self.open_pane(workbench::Pane::Output, context),
            command::WHO_WAITS => self.open_pane(workbench::Pane::Waits, context),
            command::FIND => self.find.takes_keyboard = true,
            command::FIND_NEXT => self.find(false),
            command::FIND_PREVIOUS => self.find(true),
            // The view has the keys of the others.
            _ => {}
        }
    }

    fn run_commands(&mut self, context: &mut PageContext) -> bool {
        let commands = std::mem::take(&mut self.commands);
        run_each(commands, |command| self.run_command(command, context))
    }

    fn take_answer(&mut self, answer: DialogAnswer, context: &mut PageContext) {
        let instead = match self.dialog {
            TimelineDialog::Open => {
                let instead = "Start the program with the file: meanwhile FILE.trace.json.";
                if let Some(paths) = context.picked(answer, instead) {
                    self.open(paths, context);
                }
                return;
            }
            TimelineDialog::SaveTrace => {
                "On the command line, meanwhile run has the option --trace."
            }
            TimelineDialog::SaveCsv => "On the command line, use: meanwhile trace csv FILE.",
        };
        let Some(path) = context.picked_one(answer, instead) else {
            return;
        };
        let trace = self.trace(context).clone();
        if self.dialog == TimelineDialog::SaveCsv {
            context.run_in_background("save values", move || {
                let write = |out: &mut dyn std::io::Write| write_csv(&trace, &CsvKind::ALL, out);
                saved_with(&path, write, "The items, waits and frames were")
            });
            return;
        }
        context.run_in_background("save trace", move || {
            saved_with(&path, |out| write_chrome(&trace, out), "The trace was")
        });
    }

    fn open_files(&mut self, files: &[PathBuf], context: &mut PageContext) {
        self.open(files.to_vec(), context);
    }
}
