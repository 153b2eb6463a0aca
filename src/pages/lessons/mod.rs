//! The lessons of the window: the one that runs, and what the others have told.

mod choices;
mod command;
pub mod page;
mod transcript;

use std::collections::BTreeMap;
use std::time::Duration;

use eframe::egui::{self, CentralPanel, Ui};

use self::page::{LessonParts, LessonView, ShownRun};
#[cfg(target_os = "linux")]
use super::freeze_lab;
use super::{Page, PageId, PageSetup, Running, Shell};
use crate::join::process::Launcher;
use crate::lessons::{LessonId, Run};
use crate::record::LaneKind;
use crate::ui::notices::Notice;

pub use choices::LessonChoices;
pub use command::LessonCommand;

pub(crate) const ID: PageId = PageId::new("lessons");

/// How often the lanes grow while a lesson runs.
const GLANCE: Duration = Duration::from_millis(33);

/// The runs, the last of each lesson, and what the one before told.
pub(crate) struct Lessons {
    launcher: Option<Launcher>,
    running: Option<LessonId>,
    runs: BTreeMap<LessonId, Runs>,
    view: LessonView,
    commands: Vec<LessonCommand>,
}

struct Runs {
    last: Run,
    /// What had been answered when it began.
    answer: Option<usize>,
    before: Option<Run>,
}

impl Lessons {
    pub(super) fn new(setup: &PageSetup) -> Self {
        Self {
            launcher: setup.launcher(),
            running: None,
            runs: BTreeMap::new(),
            view: LessonView::default(),
            commands: Vec::new(),
        }
    }

    fn running_mut(&mut self) -> Option<&mut Run> {
        let runs = self.runs.get_mut(&self.running?);
        runs.map(|runs| &mut runs.last)
    }

    /// Takes in what was told, and how it ended.
    fn take_in(&mut self, choices: &mut LessonChoices) {
        let Some(lesson) = self.running else {
            return;
        };
        let Some(runs) = self.runs.get_mut(&lesson) else {
            return;
        };
        runs.last.poll();
        if let Some(ending) = runs.last.ending() {
            choices.note(lesson, runs.answer, ending);
            self.running = None;
        }
    }

    fn start(
        &mut self,
        lesson: LessonId,
        choices: &LessonChoices,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<(), Notice> {
        if self.running.is_some() {
            return Ok(());
        }
        let choice = choices.choice(lesson);
        let Some(launcher) = self.launcher.clone() else {
            return Err(Notice::error(
                "This program can't start a second one of itself here.",
            ));
        };
        let run = Run::start(choice, launcher, wake);
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
        if let Some(run) = self.running_mut() {
            run.stop();
        }
    }
}

impl Page for Lessons {
    fn id(&self) -> PageId {
        ID
    }

    fn title(&self) -> &'static str {
        "Lessons"
    }

    fn poll(&mut self, shell: &mut Shell) {
        self.take_in(&mut shell.state.lessons);
    }

    fn wants_poll_in(&self) -> Option<Duration> {
        self.running.map(|_| GLANCE)
    }

    fn running(&self) -> Running {
        let running = self.running.and_then(|lesson| self.runs.get(&lesson));
        let lanes = running.map_or(&[][..], |runs| runs.last.told().timeline().lanes());
        let mut counts = Running::default();
        for lane in lanes.iter().filter(|lane| lane.closed.is_none()) {
            match lane.kind {
                LaneKind::Task => counts.tasks += 1,
                LaneKind::Process => counts.processes += 1,
            }
        }
        counts
    }

    fn ui(&mut self, shell: &mut Shell, ui: &mut Ui) {
        let runs = self.runs.get(&self.view.selected);
        let parts = LessonParts {
            run: runs.map(|runs| ShownRun {
                told: runs.last.told(),
                ending: runs.last.ending(),
                elapsed: runs.last.elapsed(),
            }),
            before: runs.and_then(|runs| Some(runs.before.as_ref()?.told())),
            running: self.running,
        };
        CentralPanel::default()
            .frame(egui::Frame::NONE)
            .show(ui, |ui| {
                let (view, choices) = (&mut self.view, &mut shell.state.lessons);
                page::lesson_ui(&parts, view, choices, ui, &mut self.commands);
            });
    }

    fn run_commands(&mut self, shell: &mut Shell) {
        for command in std::mem::take(&mut self.commands) {
            match command {
                LessonCommand::Select(lesson) => self.view.selected = lesson,
                LessonCommand::Run(lesson) => {
                    let started = self.start(lesson, &shell.state.lessons, shell.waker());
                    if let Err(notice) = started {
                        shell.notify(notice);
                    }
                }
                LessonCommand::Stop => self.stop(),
                #[cfg(target_os = "linux")]
                LessonCommand::ShowPattern(pattern) => {
                    shell.open = Some((freeze_lab::ID, pattern.to_string()));
                }
            }
        }
    }

    fn close(&mut self, timeout: Duration, _keep_running: bool) {
        if let Some(run) = self.running_mut() {
            run.stop();
            run.rest(timeout);
        }
    }
}
