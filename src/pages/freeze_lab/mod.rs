//! The page of the Freeze Lab: it runs twins and shows their measurements.

mod by_hand;
mod choices;
pub mod command;
mod figures;
pub mod incidents;
mod others;
pub mod page;
mod pattern_list;
pub mod placement;
pub mod props;
mod report_table;
mod saving;

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use eframe::egui::{self, CentralPanel, Panel, Ui, Vec2};

use self::others::OtherReports;
use self::page::lab_ui;
use self::props::{LabProps, LabState, NOTHING_RUNS, Runs, Source};
use super::commands::{UiCommand, Unavailable, run_each};
use super::{
    DialogAnswer, DialogRequest, NO_LAUNCHER, Page, PageContext, PageId, PageInfo, PageSetup,
    Running,
};
use crate::lab::{
    FrameLine, LabReport, Machine, PatternId, RunQueue, TwinRun, TwinRunOptions, Variant,
};
use crate::ui::layout::PanelBelow;

pub use choices::LabChoices;
pub use command::LabCommand;

pub(crate) const ID: PageId = PageId::new("freeze_lab");
pub(super) const INFO: &PageInfo = &PageInfo {
    id: ID,
    title: "Freeze Lab",
    commands: command::COMMANDS,
    guide: "freeze-lab.md",
};

/// The interval at which the running twin is polled. It sends its facts as often.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The most facts that a frame reads: a hundred times what a twin sends in that time.
const MAX_FACTS_PER_FRAME: usize = 2_000;

/// What the desktop adds to the size of a twin's window: about so much.
const FRAME_OF_TWIN: Vec2 = Vec2::new(4.0, 40.0);

/// The state of the page.
pub(crate) struct FreezeLab {
    /// `None` if the program cannot start itself a second time.
    session: Option<RunQueue>,
    report: LabReport,
    others: OtherReports,
    /// What the open dialog is for.
    dialog: LabDialog,
    state: LabState,
    /// The current run, if one is followed.
    following: Option<Followed>,
    /// Whether the page selects each pattern that runs, until the user selects another one.
    follows_runs: bool,
    commands: Vec<LabCommand>,
}

#[derive(Clone, Copy, Debug, Default)]
enum LabDialog {
    #[default]
    Save,
    Open,
}

/// A run whose frames are plotted.
#[derive(Clone, Copy)]
struct Followed {
    pattern: PatternId,
    variant: Variant,
    source: Source,
    /// The number of its facts that are in its frame line.
    read: usize,
}

impl Followed {
    fn of(run: &TwinRun) -> Self {
        let options = run.options();
        Self {
            pattern: options.pattern,
            variant: options.variant,
            source: if options.is_manual {
                Source::ByHand
            } else {
                Source::Measured
            },
            read: 0,
        }
    }

    fn line<'a>(&self, state: &'a mut LabState) -> &'a mut FrameLine {
        state.line_of(self.pattern, self.variant, self.source)
    }
}

impl FreezeLab {
    pub(super) fn new(setup: &PageSetup) -> Self {
        let session = setup.launcher().map(RunQueue::new);
        Self {
            report: LabReport::from_runs(Machine::current(None), &[]),
            session,
            others: OtherReports::default(),
            dialog: LabDialog::default(),
            state: LabState::default(),
            following: None,
            follows_runs: false,
            commands: Vec::new(),
        }
    }

    fn show(&mut self, pattern: PatternId) {
        self.state.selected = pattern;
        self.state.shows_report = false;
        self.follows_runs = false;
    }

    /// Reads the facts of the running twin. `latency` is that of this window's last frame. Returns the pattern that ran
    /// last, once all runs have ended.
    fn poll_session(&mut self, now: Duration, latency: Option<Duration>) -> Option<PatternId> {
        let session = self.session.as_mut()?;
        let mut ended = None;
        if session.poll(MAX_FACTS_PER_FRAME) {
            if let Some(run) = session.last().filter(|_| !session.is_busy()) {
                ended = Some(run.options().pattern);
            }
            if let (Some(followed), Some(run)) = (self.following.take(), session.last()) {
                let line = followed.line(&mut self.state);
                apply_new(line, run, followed.read);
                line.is_live = false;
            }
            self.report = LabReport::of(session);
            if self.follows_runs && !session.is_busy() {
                self.follows_runs = false;
                self.state.shows_report = true;
            }
        }
        let Some(run) = session.run() else {
            return ended;
        };
        let state = &mut self.state;
        let followed = self.following.get_or_insert_with(|| {
            let followed = Followed::of(run);
            *followed.line(state) = FrameLine::new(followed.pattern.entry().scenario);
            state.show_source(followed.pattern, followed.source);
            followed
        });
        let line = followed.line(state);
        apply_new(line, run, followed.read);
        line.watch(now, latency.unwrap_or_default());
        followed.read = run.fact_count();
        if self.follows_runs {
            state.selected = followed.pattern;
        }
        ended
    }

    /// What a screen reader says when runs have ended, of which this is the last pattern.
    fn news(&self, pattern: PatternId) -> String {
        let verdict = self.report.verdict_text(pattern);
        let text = verdict.unwrap_or_else(|| self.report.variants_text(pattern));
        format!("{pattern}: {text}")
    }

    /// Starts the twins that the command asks for.
    fn start(&mut self, command: UiCommand, context: &PageContext) {
        let Some(session) = &mut self.session else {
            return;
        };
        let surroundings = self.state.surroundings(&context.ctx);
        let choices = &context.state.pages.lab;
        let options = |pattern, variant, is_manual| {
            let mut options = TwinRunOptions {
                pattern,
                variant,
                work: choices.kind,
                length: Duration::from_secs_f64(choices.secs),
                is_manual,
                position: None,
            };
            let size = Vec2::from(options.inner_size()) + FRAME_OF_TWIN;
            let position = surroundings.map(|surroundings| surroundings.place_for(size));
            options.position = position.map(Into::into);
            options
        };
        let shown = self.state.selected;
        let mut add = |pattern, variants: &[Variant]| {
            for _ in 0..choices.repeat {
                for &variant in variants {
                    session.add(options(pattern, variant, false));
                }
            }
        };
        match command {
            command::RUN_ALL => {
                PatternId::all().for_each(|pattern| add(pattern, &Variant::ALL));
                self.state.shows_report = false;
                self.follows_runs = true;
            }
            command::RUN_BOTH => add(shown, &Variant::ALL),
            command::RUN_BAD => add(shown, &[Variant::Bad]),
            command::RUN_FIXED => add(shown, &[Variant::Fixed]),
            command::TRY_BAD => session.add(options(shown, Variant::Bad, true)),
            command::TRY_FIXED => session.add(options(shown, Variant::Fixed, true)),
            _ => {}
        }
    }

    /// What runs, and how long it takes with these choices.
    fn runs(&self, choices: &LabChoices) -> Runs {
        let Some(session) = &self.session else {
            return Runs::default();
        };
        let followed = self.following.as_ref();
        let count = PatternId::all().count() * Variant::ALL.len() * choices.repeat;
        let each = session.time_of(Duration::from_secs_f64(choices.secs));
        Runs {
            running: followed.map(|followed| (followed.pattern, followed.variant)),
            is_by_hand: followed.is_some_and(|followed| followed.source == Source::ByHand),
            waiting: session.waiting(),
            is_busy: session.is_busy(),
            can_run: true,
            time_left: session.time_left(),
            all_take: each.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)),
        }
    }

    /// Does nothing while a dialog is open.
    fn open_dialog(
        &mut self,
        purpose: LabDialog,
        request: DialogRequest,
        context: &mut PageContext,
    ) {
        if context.dialogs.request(ID, request) {
            self.dialog = purpose;
        }
    }

    fn stop(&mut self) {
        if let Some(session) = &mut self.session {
            session.stop();
        }
    }
}

/// Applies the facts after the first `read` ones.
fn apply_new(line: &mut FrameLine, run: &TwinRun, read: usize) {
    for fact in run.facts_since(read) {
        line.apply(fact);
    }
}

impl Page for FreezeLab {
    fn info(&self) -> &'static PageInfo {
        INFO
    }

    fn poll(&mut self, context: &mut PageContext) {
        let latency = context.frames.latencies().next_back();
        if let Some(pattern) = self.poll_session(context.now(), latency) {
            context.announcement = self.news(pattern);
        }
        for notice in self.others.poll() {
            context.notify(notice);
        }
    }

    fn wants_poll_in(&self) -> Option<Duration> {
        let session = self.session.as_ref()?;
        session.is_busy().then_some(POLL_INTERVAL)
    }

    fn running(&self) -> Running {
        let run = self.session.as_ref().and_then(RunQueue::run);
        Running {
            processes: usize::from(run.is_some()),
            ..Running::default()
        }
    }

    fn ui(&mut self, context: &mut PageContext, ui: &mut Ui) {
        let below = PanelBelow::new(ui);
        let props = LabProps {
            report: &self.report,
            others: self.others.reports(),
            runs: self.runs(&context.state.pages.lab),
            unavailable: Unavailable::of(self, context),
        };
        below.above_ui(ui, |ui| {
            CentralPanel::default()
                .frame(egui::Frame::NONE)
                .show(ui, |ui| {
                    let (state, choices) = (&mut self.state, &mut context.state.pages.lab);
                    lab_ui(&props, state, choices, ui, &mut self.commands);
                });
        });
        let incidents = &mut context.state.incidents;
        below.show(ui, |ui| {
            Panel::bottom("incidents").show(ui, |ui| {
                incidents::incidents_ui(incidents, SystemTime::now(), ui);
            })
        });
    }

    fn why_not(&self, command: UiCommand, context: &PageContext) -> Option<Cow<'static, str>> {
        let is_busy = self.session.as_ref().is_some_and(RunQueue::is_busy);
        let has_incidents = context.state.incidents.iter().next().is_some();
        let why_not = match command {
            command::STOP => (!is_busy).then_some(NOTHING_RUNS),
            command::SAVE_REPORT if self.report.rows.is_empty() => Some("Nothing measured yet."),
            command::SAVE_REPORT | command::OPEN_REPORT => {
                context.dialogs.is_open().then_some("A dialog is open.")
            }
            command::CLOSE_REPORTS => {
                let is_empty = self.others.reports().is_empty();
                is_empty.then_some("No other report is open.")
            }
            command::OPEN_IN_TIMELINE => {
                let groups = self
                    .session
                    .iter()
                    .flat_map(|it| it.last_groups(self.state.selected));
                let has_none = groups.count() == 0;
                has_none.then_some("This pattern has not run yet.")
            }
            incidents::CLEAR => (!has_incidents).then_some("There is no incident."),
            _ if self.session.is_none() => Some(NO_LAUNCHER),
            _ => is_busy.then_some("A run is in progress."),
        };
        why_not.map(Cow::from)
    }

    fn run_command(&mut self, command: UiCommand, context: &mut PageContext) {
        match command {
            command::STOP => self.stop(),
            command::SAVE_REPORT => {
                let request = DialogRequest::Save {
                    title: "Save the report".to_owned(),
                    file_name: "freeze-lab.md".to_owned(),
                };
                self.open_dialog(LabDialog::Save, request, context);
            }
            command::OPEN_REPORT => {
                let title = "Open a report".to_owned();
                self.open_dialog(LabDialog::Open, DialogRequest::File { title }, context);
            }
            command::CLOSE_REPORTS => self.others.close_all(),
            command::OPEN_IN_TIMELINE => {
                let pattern = self.state.selected;
                if let Some(session) = &self.session {
                    context.show_trace(format!("Lab {pattern}"), session.last_trace(pattern));
                }
            }
            incidents::CLEAR => context.state.incidents.clear(),
            _ => {
                context.announcement.clear();
                self.start(command, context);
            }
        }
    }

    fn run_commands(&mut self, context: &mut PageContext) -> bool {
        let commands = std::mem::take(&mut self.commands);
        run_each(commands, |command| match command {
            LabCommand::Ui(command) => self.run_command(command, context),
            LabCommand::Select(pattern) => self.show(pattern),
            LabCommand::ShowReport => {
                self.state.shows_report = true;
                self.follows_runs = false;
            }
        })
    }

    fn take_answer(&mut self, answer: DialogAnswer, context: &mut PageContext) {
        let instead = match self.dialog {
            LabDialog::Save => {
                "On the command line, meanwhile lab run --format json prints the report."
            }
            LabDialog::Open => {
                "On the command line, meanwhile lab compare prints reports side by side."
            }
        };
        let Some(path) = context.picked_one(answer, instead) else {
            return;
        };
        match self.dialog {
            LabDialog::Save => {
                let report = self.report.clone();
                context.run_in_background("save report", move || {
                    saving::save_lab_report(&report, &path)
                });
            }
            LabDialog::Open => {
                if let Err(notice) = self.others.open(path, context.waker()) {
                    context.notify(notice);
                }
                self.state.shows_report = true;
            }
        }
    }

    fn select(&mut self, name: &str) {
        if let Ok(pattern) = name.parse() {
            self.show(pattern);
        }
    }

    fn close(&mut self, _timeout: Duration, _keep_running: bool) {
        self.stop();
    }
}
