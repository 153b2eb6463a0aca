//! The lessons of the window: the one that runs, and what the others have told.

use std::collections::BTreeMap;
use std::time::Duration;

use eframe::egui::{self, CentralPanel, Ui};

use super::App;
use super::logic::waker;
use crate::join::process::Launcher;
use crate::lessons::{LessonId, Run};
use crate::record::LaneKind;
use crate::ui::lesson_page::{self, LessonParts, LessonView, ShownRun};
use crate::ui::{Command, LessonChoices, LessonCommand, Notice};

/// How often the lanes grow while a lesson runs.
const GLANCE: Duration = Duration::from_millis(33);

/// The runs, the last of each lesson, and what the one before told.
pub(super) struct Lessons {
    launcher: Option<Launcher>,
    running: Option<LessonId>,
    runs: BTreeMap<LessonId, Runs>,
    view: LessonView,
}

struct Runs {
    last: Run,
    /// What had been answered when it began.
    answer: Option<usize>,
    before: Option<Run>,
}

impl Lessons {
    pub(super) fn new(launcher: Option<Launcher>) -> Self {
        Self {
            launcher,
            running: None,
            runs: BTreeMap::new(),
            view: LessonView::default(),
        }
    }

    /// When it wants the next frame: none while nothing runs.
    pub(super) fn wants_poll_in(&self) -> Option<Duration> {
        self.running.map(|_| GLANCE)
    }

    /// How many tasks and processes a lesson has running.
    pub(super) fn counts(&self) -> (usize, usize) {
        let running = self.running.and_then(|lesson| self.runs.get(&lesson));
        let lanes = running.map_or(&[][..], |runs| runs.last.log().timeline().lanes());
        let open = lanes.iter().filter(|lane| lane.closed.is_none());
        let (mut tasks, mut processes) = (0, 0);
        for lane in open {
            match lane.kind {
                LaneKind::Task => tasks += 1,
                LaneKind::Process => processes += 1,
            }
        }
        (tasks, processes)
    }

    fn running(&mut self) -> Option<&mut Run> {
        let runs = self.runs.get_mut(&self.running?);
        runs.map(|runs| &mut runs.last)
    }

    /// Takes in what was told, and how it ended.
    fn poll(&mut self, choices: &mut LessonChoices) {
        let Some(lesson) = self.running else {
            return;
        };
        let Some(runs) = self.runs.get_mut(&lesson) else {
            return;
        };
        runs.last.poll();
        if let Some(outcome) = runs.last.outcome() {
            choices.record(lesson, runs.answer, outcome);
            self.running = None;
        }
    }

    fn start(
        &mut self,
        lesson: LessonId,
        choices: &LessonChoices,
        ctx: &egui::Context,
    ) -> Result<(), Notice> {
        if self.running.is_some() {
            return Ok(());
        }
        let options = choices.options(lesson);
        let Some(launcher) = self.launcher.clone() else {
            return Err(Notice::error(
                "This program can't start a second one of itself here.",
            ));
        };
        let run = Run::start(options, launcher, waker(ctx));
        let last = run.map_err(|error| {
            let text =
                format!("The lesson could not be started: {error}. Close something and try again.");
            Notice::error(text)
        })?;
        let before = self.runs.remove(&lesson).map(|runs| runs.last);
        let answer = choices.answers.get(lesson.lesson().id).copied();
        let runs = Runs {
            last,
            answer,
            before,
        };
        self.runs.insert(lesson, runs);
        self.running = Some(lesson);
        Ok(())
    }

    fn stop(&mut self) {
        if let Some(run) = self.running() {
            run.stop();
        }
    }

    /// Ends what runs, and waits until it has, at most so long.
    pub(super) fn close(&mut self, patience: Duration) {
        if let Some(run) = self.running() {
            run.stop();
            run.wait(patience);
        }
    }
}

impl App {
    pub(super) fn poll_lessons(&mut self) {
        self.lessons.poll(&mut self.state.lessons);
    }

    pub(super) fn lessons_ui(&mut self, ui: &mut Ui, commands: &mut Vec<Command>) {
        let Self { lessons, state, .. } = self;
        let runs = lessons.runs.get(&lessons.view.selected);
        let parts = LessonParts {
            run: runs.map(|runs| ShownRun {
                log: runs.last.log(),
                outcome: runs.last.outcome(),
                elapsed: runs.last.elapsed(),
            }),
            before: runs.and_then(|runs| Some(runs.before.as_ref()?.log())),
            running: lessons.running,
        };
        CentralPanel::default()
            .frame(egui::Frame::NONE)
            .show(ui, |ui| {
                let (view, choices) = (&mut lessons.view, &mut state.lessons);
                lesson_page::lesson_ui(&parts, view, choices, ui, commands);
            });
    }

    pub(super) fn run_lesson_command(&mut self, command: LessonCommand, ctx: &egui::Context) {
        match command {
            LessonCommand::Select(lesson) => self.lessons.view.selected = lesson,
            LessonCommand::Run(lesson) => {
                let started = self.lessons.start(lesson, &self.state.lessons, ctx);
                if let Err(notice) = started {
                    self.notify(notice);
                }
            }
            LessonCommand::Stop => self.lessons.stop(),
            #[cfg(target_os = "linux")]
            LessonCommand::ShowPattern(pattern) => {
                self.view.page = crate::ui::Page::FreezeLab;
                self.lab.show(pattern);
            }
        }
    }
}
