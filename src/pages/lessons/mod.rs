//! The page of the lessons: the running one, and the last runs of the others.

mod choices;
pub mod command;
mod controls;
mod list;
pub mod page;
mod run_timeline;
mod tabs;
mod transcript;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use eframe::egui::{self, CentralPanel, Ui};

use self::page::{LessonProps, LessonState, ShownRun};
use self::transcript::transcript_text;
use super::background_tasks::saved;
use super::commands::{UiCommand, Unavailable, run_each};
use super::freeze_lab;
use super::{DialogAnswer, DialogRequest, Page, PageContext, PageId, PageInfo, PageSetup, Running};
use crate::join::process::Launcher;
use crate::lessons::{LessonId, LessonRun};
use crate::record::LaneKind;
use crate::trace::{GroupId, Trace};
use crate::ui::notices::Notice;

pub use choices::{Language, LessonChoices};
pub use command::LessonCommand;

pub(crate) const ID: PageId = PageId::new("lessons");
pub(super) const INFO: &PageInfo = &PageInfo {
    id: ID,
    title: "Lessons",
    commands: command::COMMANDS,
    guide: "lessons.md",
};

/// The reason why there is no next lesson.
const LAST_LESSON: &str = "This is the last lesson.";

/// The interval at which the timeline grows while a lesson runs.
const POLL_INTERVAL: Duration = Duration::from_millis(33);

/// The state of the page.
pub(crate) struct Lessons {
    launcher: Option<Launcher>,
    running: Option<LessonId>,
    runs: BTreeMap<LessonId, Runs>,
    state: LessonState,
    commands: Vec<LessonCommand>,
    /// The transcript for which a file dialog is open.
    to_save: String,
}

struct Runs {
    last: LessonRun,
    /// The answer when the last run began.
    answer: Option<usize>,
    previous: Option<LessonRun>,
}

impl Runs {
    fn shown(&self) -> ShownRun<'_> {
        ShownRun {
            log: self.last.log(),
            outcome: self.last.outcome(),
            elapsed: self.last.elapsed(),
        }
    }
}

impl Lessons {
    pub(super) fn new(setup: &PageSetup) -> Self {
        Self {
            launcher: setup.launcher(),
            running: None,
            runs: BTreeMap::new(),
            state: LessonState::default(),
            commands: Vec::new(),
            to_save: String::new(),
        }
    }

    fn running_mut(&mut self) -> Option<&mut LessonRun> {
        let runs = self.runs.get_mut(&self.running?);
        runs.map(|runs| &mut runs.last)
    }

    /// Takes in what the running lesson does. Returns what a screen reader says at its end.
    fn poll_running(&mut self, choices: &mut LessonChoices) -> Option<String> {
        let lesson = self.running?;
        let runs = self.runs.get_mut(&lesson)?;
        runs.last.poll();
        let outcome = runs.last.outcome()?;
        choices.record(lesson, runs.answer, outcome);
        self.running = None;
        Some(format!("{}: {outcome}", lesson.lesson().title))
    }

    fn start(
        &mut self,
        choices: &LessonChoices,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Result<(), Notice> {
        let launcher = self.launcher.clone();
        let Some(launcher) = launcher.filter(|_| self.running.is_none()) else {
            return Ok(());
        };
        let lesson = self.state.selected;
        let options = choices.options(lesson);
        let run = LessonRun::start(options, launcher, wake);
        let last = run.map_err(|error| {
            let text =
                format!("The lesson could not be started: {error}. Close something and try again.");
            Notice::error(text)
        })?;
        let previous = self.runs.remove(&lesson).map(|runs| runs.last);
        let answer = choices.answers.get(lesson.lesson().id).copied();
        let runs = Runs {
            last,
            answer,
            previous,
        };
        self.runs.insert(lesson, runs);
        self.running = Some(lesson);
        Ok(())
    }

    fn select(&mut self, lesson: LessonId) {
        self.state.selected = lesson;
        self.state.explains = false;
    }

    /// Selects a lesson that may be out of sight in the list.
    fn show(&mut self, lesson: LessonId) {
        self.select(lesson);
        self.state.reveals = true;
    }

    /// Forgets the selected lesson, which does not run.
    fn reset(&mut self, choices: &mut LessonChoices) {
        let lesson = self.state.selected;
        choices.reset(lesson);
        self.runs.remove(&lesson);
        self.state.explains = false;
    }

    /// The transcript of the selected lesson. Its length is bounded by the parameters of the lesson.
    fn transcript(&self) -> String {
        let lesson = self.state.selected;
        let runs = self.runs.get(&lesson);
        runs.map_or_else(String::new, |runs| {
            transcript_text(lesson.lesson(), runs.shown())
        })
    }

    /// The trace of the selected lesson: its last run, before it the previous one.
    fn trace(&self) -> Trace {
        let mut trace = Trace::default();
        if let Some(runs) = self.runs.get(&self.state.selected) {
            let runs = runs.previous.iter().chain([&runs.last]);
            for (number, run) in (1..).zip(runs) {
                run.add_to(&mut trace, GroupId::new(number));
            }
        }
        trace
    }

    fn stop(&mut self) {
        if let Some(run) = self.running_mut() {
            run.stop();
        }
    }
}

impl Page for Lessons {
    fn info(&self) -> &'static PageInfo {
        INFO
    }

    fn poll(&mut self, context: &mut PageContext) {
        let ended = self.poll_running(&mut context.state.pages.lessons);
        if let Some(text) = ended {
            context.announcement = text;
        }
    }

    fn wants_poll_in(&self) -> Option<Duration> {
        self.running.map(|_| POLL_INTERVAL)
    }

    fn running(&self) -> Running {
        let running = self.running.and_then(|lesson| self.runs.get(&lesson));
        let lanes = running.map_or(&[][..], |runs| runs.last.log().timeline().lanes());
        let mut counts = Running::default();
        for lane in lanes.iter().filter(|lane| lane.closed.is_none()) {
            match lane.kind {
                LaneKind::Task => counts.tasks += 1,
                LaneKind::Process => counts.processes += 1,
            }
        }
        counts
    }

    fn ui(&mut self, context: &mut PageContext, ui: &mut Ui) {
        let runs = self.runs.get(&self.state.selected);
        let props = LessonProps {
            run: runs.map(Runs::shown),
            previous: runs.and_then(|runs| Some(runs.previous.as_ref()?.log())),
            running: self.running,
            unavailable: Unavailable::of(self, context),
        };
        CentralPanel::default()
            .frame(egui::Frame::NONE)
            .show(ui, |ui| {
                let (state, choices) = (&mut self.state, &mut context.state.pages.lessons);
                page::lesson_ui(&props, state, choices, ui, &mut self.commands);
            });
    }

    fn why_not(&self, command: UiCommand, context: &PageContext) -> Option<Cow<'static, str>> {
        let is_running = self.running.is_some();
        let lesson = self.state.selected;
        let has_run = self.runs.contains_key(&lesson);
        let why_not = match command {
            command::STOP => (!is_running).then_some("No lesson is running."),
            command::NEXT => lesson.next().is_none().then_some(LAST_LESSON),
            command::COPY_TRANSCRIPT | command::SAVE_TRANSCRIPT | command::OPEN_IN_TIMELINE
                if !has_run =>
            {
                Some("The lesson has not run yet.")
            }
            command::COPY_TRANSCRIPT | command::OPEN_IN_TIMELINE => None,
            command::SAVE_TRANSCRIPT => context.dialogs.is_open().then_some("A dialog is open."),
            command::RESET if self.running == Some(lesson) => Some("The lesson is running."),
            command::RESET => {
                let knows = has_run || context.state.pages.lessons.knows(lesson);
                (!knows).then_some("There is nothing to forget.")
            }
            _ if self.launcher.is_none() => Some(super::NO_LAUNCHER),
            _ => is_running.then_some("A lesson is running. Stop it first."),
        };
        why_not.map(Cow::from)
    }

    fn run_command(&mut self, command: UiCommand, context: &mut PageContext) {
        match command {
            command::STOP => self.stop(),
            command::NEXT => {
                if let Some(next) = self.state.selected.next() {
                    self.show(next);
                }
            }
            command::RESET => self.reset(&mut context.state.pages.lessons),
            command::COPY_TRANSCRIPT => {
                context.ctx.copy_text(self.transcript());
                context.notify(Notice::info("The transcript is on the clipboard."));
            }
            command::OPEN_IN_TIMELINE => {
                let name = format!("Lesson {}", self.state.selected);
                context.show_trace(name, self.trace());
            }
            command::SAVE_TRANSCRIPT => {
                let request = DialogRequest::Save {
                    title: "Save the transcript".to_owned(),
                    file_name: format!("{}.txt", self.state.selected),
                };
                context.dialogs.request(ID, request);
                // Another lesson may be shown when the dialog closes.
                self.to_save = self.transcript();
            }
            _ => {
                context.announcement.clear();
                let started = self.start(&context.state.pages.lessons, context.waker());
                if let Err(notice) = started {
                    context.notify(notice);
                }
            }
        }
    }

    fn run_commands(&mut self, context: &mut PageContext) -> bool {
        let commands = std::mem::take(&mut self.commands);
        run_each(commands, |command| match command {
            LessonCommand::Ui(command) => self.run_command(command, context),
            LessonCommand::Select(lesson) => self.select(lesson),
            LessonCommand::Show(lesson) => self.show(lesson),
            LessonCommand::ShowPattern(pattern) => {
                context.open = Some((freeze_lab::ID, pattern.to_owned()));
            }
        })
    }

    fn take_answer(&mut self, answer: DialogAnswer, context: &mut PageContext) {
        let instead = "On the command line, meanwhile lesson run prints the transcript.";
        let Some(path) = context.picked_one(answer, instead) else {
            return;
        };
        let text = std::mem::take(&mut self.to_save);
        context.run_in_background("save transcript", move || {
            saved(&path, text.as_bytes(), "The transcript was")
        });
    }

    fn close(&mut self, timeout: Duration, _keep_running: bool) {
        if let Some(run) = self.running_mut() {
            run.stop();
            run.wait(timeout);
        }
    }
}
