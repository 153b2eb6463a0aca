//! The Freeze Lab of the window: its runs, and what the page shows of them.

use std::path::PathBuf;
use std::time::Duration;

use eframe::egui::{self, CentralPanel, Pos2, Rect, Ui, Vec2};

use super::command::save_request;
use super::dialog::Purpose;
use super::logic::waker;
use super::{App, chores};
use crate::join::process::Launcher;
use crate::lab::{FrameLine, Machine, PatternId, Report, Run, RunOptions, Session, Variant};
use crate::ui::lab_page::{self, LabParts, LabView};
use crate::ui::{Command, LabChoices, LabCommand};

/// How often the page takes in what a twin tells. The twin tells as often.
const GLANCE: Duration = Duration::from_millis(50);

/// How many facts are taken in in a frame: a hundred times what a twin tells in that time. What is
/// left of a flood comes in the next ones.
const FACTS_AT_ONCE: usize = 2_000;

/// What a twin's window takes of the screen, with its frame.
const TWIN_ROOM: Vec2 = Vec2::new(344.0, 340.0);

/// The runs, and what was made of them for the page.
pub(super) struct Lab {
    /// `None` where this program can't be started a second time.
    session: Option<Session>,
    report: Report,
    view: LabView,
    /// What runs, and how many of its facts are in its line.
    following: Option<(PatternId, Variant, usize)>,
    /// The page shows whatever runs, until somebody looks at something else.
    shows_what_runs: bool,
}

impl Lab {
    pub(super) fn new(launcher: Option<Launcher>) -> Self {
        let session = launcher.map(Session::new);
        Self {
            report: Report::from_runs(Machine::this(None), &[]),
            session,
            view: LabView::default(),
            following: None,
            shows_what_runs: false,
        }
    }

    /// When it wants the next frame: none while nothing runs.
    pub(super) fn wants_poll_in(&self) -> Option<Duration> {
        let session = self.session.as_ref()?;
        session.is_busy().then_some(GLANCE)
    }

    pub(super) fn show(&mut self, pattern: PatternId) {
        self.view.selected = pattern;
        self.view.shows_report = false;
        self.shows_what_runs = false;
    }

    /// Ends what runs and forgets what waits.
    pub(super) fn stop(&mut self) {
        if let Some(session) = &mut self.session {
            session.stop();
        }
    }

    /// Takes in what a twin has told. `owed` is how long the last frame of this window was.
    fn poll(&mut self, now: Duration, owed: Option<Duration>) {
        let Some(session) = &mut self.session else {
            return;
        };
        if session.poll(FACTS_AT_ONCE) {
            if let (Some((pattern, variant, read)), Some(run)) =
                (self.following.take(), session.last())
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
        let RunOptions {
            pattern, variant, ..
        } = run.options();
        let (.., read) = *self.following.get_or_insert_with(|| {
            *self.view.line_mut(pattern, variant) = FrameLine::new(pattern.entry().scenario);
            (pattern, variant, 0)
        });
        let line = self.view.line_mut(pattern, variant);
        follow(line, run, read);
        line.watch(now, owed.unwrap_or_default());
        self.following = Some((pattern, variant, run.fact_count()));
        if self.shows_what_runs {
            self.view.selected = pattern;
        }
    }

    fn run(&mut self, command: LabCommand, choices: &LabChoices, position: Option<[f32; 2]>) {
        let Some(session) = &mut self.session else {
            return;
        };
        let choice = |pattern, variant, is_manual| RunOptions {
            pattern,
            variant,
            work: choices.kind,
            length: Duration::from_secs_f64(choices.secs),
            is_manual,
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
        line.apply(fact);
    }
}

impl App {
    pub(super) fn poll_lab(&mut self) {
        let owed = self.frames.owed().next_back();
        self.lab.poll(self.board.now(), owed);
    }

    pub(super) fn lab_ui(&mut self, ui: &mut Ui, commands: &mut Vec<Command>) {
        let Self {
            lab, state, view, ..
        } = self;
        let parts = LabParts {
            report: &lab.report,
            running: lab
                .following
                .map(|(pattern, variant, _)| (pattern, variant)),
            waiting: lab.session.as_ref().map_or(0, Session::waiting),
            is_busy: lab.session.as_ref().is_some_and(Session::is_busy),
            can_run: lab.session.is_some(),
            dialog_open: view.dialog_open,
        };
        CentralPanel::default()
            .frame(egui::Frame::NONE)
            .show(ui, |ui| {
                lab_page::lab_ui(&parts, &mut lab.view, &mut state.lab, ui, commands);
            });
    }

    pub(super) fn run_lab_command(
        &mut self,
        command: LabCommand,
        ctx: &egui::Context,
        frame: &eframe::Frame,
    ) {
        if command == LabCommand::SaveReport {
            let request = save_request("Save the report", "freeze-lab.md".to_owned());
            self.open_dialog(Purpose::LabReport, request, ctx, frame);
            return;
        }
        let (place, screen) = ctx.input(|input| {
            let viewport = input.viewport();
            (viewport.outer_rect, viewport.monitor_size)
        });
        let place = place.map(|place| beside(place, screen) * ctx.zoom_factor());
        self.lab
            .run(command, &self.state.lab, place.map(Into::into));
    }

    pub(super) fn save_lab_report(&mut self, path: PathBuf, ctx: &egui::Context) {
        let report = self.lab.report.clone();
        let chore = move || chores::save_lab_report(&report, &path);
        if let Err(notice) = self.chores.start("save report", chore, waker(ctx)) {
            self.notify(notice);
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
