//! The Freeze Lab of the window: its runs, and what the page shows of them.

mod choices;
mod command;
mod figures;
mod incidents;
pub mod page;
mod report_table;
mod saving;

use std::time::{Duration, SystemTime};

use eframe::egui::{self, CentralPanel, Panel, Pos2, Rect, Ui, Vec2};

use self::page::{LabParts, LabView, lab_ui};
use super::{DialogAnswer, DialogRequest, Page, PageId, PageSetup, Running, Shell};
use crate::lab::{Choice, FrameLine, Machine, PatternId, Report, Run, Session, Variant};
use crate::ui::notices::Notice;

pub use choices::LabChoices;
pub use command::LabCommand;

pub(crate) const ID: PageId = PageId::new("freeze_lab");

/// How often the page takes in what a twin tells. The twin tells as often.
const GLANCE: Duration = Duration::from_millis(50);

/// How many facts are taken in in a frame: a hundred times what a twin tells in that time. What is
/// left of a flood comes in the next ones.
const FACTS_AT_ONCE: usize = 2_000;

/// What a twin's window takes of the screen, with its frame.
const TWIN_ROOM: Vec2 = Vec2::new(344.0, 340.0);

/// The runs, and what was made of them for the page.
pub(crate) struct FreezeLab {
    /// `None` where this program can't be started a second time.
    session: Option<Session>,
    report: Report,
    view: LabView,
    /// What runs, and how many of its facts are in its line.
    following: Option<(PatternId, Variant, usize)>,
    /// The page shows whatever runs, until somebody looks at something else.
    shows_what_runs: bool,
    commands: Vec<LabCommand>,
}

impl FreezeLab {
    pub(super) fn new(setup: &PageSetup) -> Self {
        let session = setup.launcher().map(Session::new);
        Self {
            report: Report::from_runs(Machine::this(None), &[]),
            session,
            view: LabView::default(),
            following: None,
            shows_what_runs: false,
            commands: Vec::new(),
        }
    }

    fn show(&mut self, pattern: PatternId) {
        self.view.selected = pattern;
        self.view.shows_report = false;
        self.shows_what_runs = false;
    }

    /// Takes in what a twin has told. `owed` is how long the last frame of this window was.
    fn take_in(&mut self, now: Duration, owed: Option<Duration>) {
        let Some(session) = &mut self.session else {
            return;
        };
        if session.poll(FACTS_AT_ONCE) {
            if let (Some((pattern, variant, read)), Some(run)) =
                (self.following.take(), session.ended())
            {
                let line = self.view.line_mut(pattern, variant);
                follow(line, run, read);
                line.is_live = false;
            }
            self.report = Report::of(session);
            if self.shows_what_runs && !session.is_busy() {
                self.shows_what_runs = false;
                self.view.shows_report = true;
            }
        }
        let Some(run) = session.run() else {
            return;
        };
        let Choice {
            pattern, variant, ..
        } = run.choice();
        let (.., read) = *self.following.get_or_insert_with(|| {
            *self.view.line_mut(pattern, variant) = FrameLine::new(pattern.entry().script);
            (pattern, variant, 0)
        });
        let line = self.view.line_mut(pattern, variant);
        follow(line, run, read);
        line.watch(now, owed.unwrap_or_default());
        self.following = Some((pattern, variant, run.told()));
        if self.shows_what_runs {
            self.view.selected = pattern;
        }
    }

    fn run(&mut self, command: LabCommand, choices: &LabChoices, position: Option<[f32; 2]>) {
        let Some(session) = &mut self.session else {
            return;
        };
        let choice = |pattern, variant, by_hand| Choice {
            pattern,
            variant,
            kind: choices.kind,
            length: Duration::from_secs_f64(choices.secs),
            by_hand,
            position,
        };
        let mut add = |pattern, variants: &[Variant]| {
            for _ in 0..choices.repeat {
                for &variant in variants {
                    session.add(choice(pattern, variant, false));
                }
            }
        };
        match command {
            LabCommand::Select(pattern) => self.show(pattern),
            LabCommand::ShowReport => {
                self.view.shows_report = true;
                self.shows_what_runs = false;
            }
            LabCommand::Run(pattern, variant) => add(pattern, &[variant]),
            LabCommand::RunBoth(pattern) => add(pattern, &Variant::ALL),
            LabCommand::RunAll => {
                PatternId::all().for_each(|pattern| add(pattern, &Variant::ALL));
                self.view.shows_report = false;
                self.shows_what_runs = true;
            }
            LabCommand::TryByHand(pattern, variant) => session.add(choice(pattern, variant, true)),
            LabCommand::Stop => session.stop(),
            LabCommand::SaveReport => {}
        }
    }
}

/// Takes in what is new since `read` facts were.
fn follow(line: &mut FrameLine, run: &Run, read: usize) {
    for fact in run.facts_since(read) {
        line.take(fact);
    }
}

impl Page for FreezeLab {
    fn id(&self) -> PageId {
        ID
    }

    fn title(&self) -> &'static str {
        "Freeze Lab"
    }

    fn poll(&mut self, shell: &mut Shell) {
        let owed = shell.frames.latencies().next_back();
        self.take_in(shell.now(), owed);
    }

    fn wants_poll_in(&self) -> Option<Duration> {
        let session = self.session.as_ref()?;
        session.is_busy().then_some(GLANCE)
    }

    fn running(&self) -> Running {
        let run = self.session.as_ref().and_then(Session::run);
        Running {
            processes: usize::from(run.is_some()),
            ..Running::default()
        }
    }

    fn ui(&mut self, shell: &mut Shell, ui: &mut Ui) {
        Panel::bottom("incidents").show(ui, |ui| {
            incidents::incidents_ui(&mut shell.state.incidents, SystemTime::now(), ui);
        });
        let parts = LabParts {
            report: &self.report,
            running: self
                .following
                .map(|(pattern, variant, _)| (pattern, variant)),
            waiting: self.session.as_ref().map_or(0, Session::waiting),
            is_busy: self.session.as_ref().is_some_and(Session::is_busy),
            can_run: self.session.is_some(),
            dialog_open: shell.dialogs.is_open(),
        };
        CentralPanel::default()
            .frame(egui::Frame::NONE)
            .show(ui, |ui| {
                let (view, choices) = (&mut self.view, &mut shell.state.lab);
                lab_ui(&parts, view, choices, ui, &mut self.commands);
            });
    }

    fn run_commands(&mut self, shell: &mut Shell) {
        for command in std::mem::take(&mut self.commands) {
            if command == LabCommand::SaveReport {
                let request = DialogRequest::Save {
                    title: "Save the report".to_owned(),
                    file_name: "freeze-lab.md".to_owned(),
                };
                shell.dialogs.request(ID, request);
                continue;
            }
            let (place, screen) = shell.ctx.input(|input| {
                let viewport = input.viewport();
                (viewport.outer_rect, viewport.monitor_size)
            });
            let zoom = shell.ctx.zoom_factor();
            let place = place.map(|place| beside(place, screen) * zoom);
            self.run(command, &shell.state.lab, place.map(Into::into));
        }
    }

    fn take_answer(&mut self, answer: DialogAnswer, shell: &mut Shell) {
        match answer {
            DialogAnswer::Cancelled => {}
            DialogAnswer::Unavailable => shell.notify(Notice::no_dialog(
                "On the command line, meanwhile lab run --format json prints one.",
            )),
            DialogAnswer::Picked(paths) => {
                let Some(path) = paths.into_iter().next() else {
                    return;
                };
                let report = self.report.clone();
                shell.run_in_background("save report", move || {
                    saving::save_lab_report(&report, &path)
                });
            }
        }
    }

    fn select(&mut self, name: &str) {
        if let Ok(pattern) = name.parse() {
            self.show(pattern);
        }
    }

    fn close(&mut self, _timeout: Duration, _keep_running: bool) {
        if let Some(session) = &mut self.session {
            session.stop();
        }
    }
}

/// Where a twin stands beside this window: at its right edge, or as far to the right as it is
/// whole on the screen.
fn beside(window: Rect, screen: Option<Vec2>) -> Pos2 {
    let mut place = window.right_top();
    // The size of a screen says nothing of where it begins: only on the first one it is known.
    if let Some(screen) = screen.filter(|screen| window.left() < screen.x) {
        place.x = place.x.min(screen.x - TWIN_ROOM.x).max(0.0);
        place.y = place.y.min(screen.y - TWIN_ROOM.y).max(0.0);
    }
    place
}
