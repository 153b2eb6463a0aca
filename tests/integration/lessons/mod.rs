//! Real runs of every lesson, checked by their lanes, order, proportions and outcomes.

mod command_line;
mod data;
mod ending;
mod events;
mod failing;
mod joining;
mod listing;
mod several;
mod stopping;
mod texts;
mod waiting;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use meanwhile::join::process::Launcher;
use meanwhile::lessons::{
    LessonId, LessonOutcome, LessonRun, LessonRunOptions, RunLog, WorkerKind,
};
use meanwhile::record::{Activity, Lane, LaneOutcome, Span};

use crate::util::child::in_child_with;
use crate::util::gate::TIMEOUT;

/// The options of a run.
struct Lesson(LessonRunOptions);

fn lesson(lesson: &str, kind: WorkerKind) -> Lesson {
    let lesson: LessonId = lesson.parse().expect("there is such a lesson");
    Lesson(LessonRunOptions {
        worker_kind: kind,
        ..LessonRunOptions::of(lesson)
    })
}

impl Lesson {
    /// A second lasts a quarter of one: then sleeps that differ by a second keep their order even on
    /// a busy machine.
    const SPEED: f64 = 4.0;

    fn with(mut self, parameter: &str, value: f64) -> Self {
        self.0.parameters.insert(parameter.to_owned(), value);
        self
    }

    fn start(mut self) -> LessonRun {
        self.0.speed = Self::SPEED;
        let launcher = Launcher::of_program(env!("CARGO_BIN_EXE_meanwhile"));
        LessonRun::start(self.0, launcher, || ()).expect("the lesson starts")
    }

    /// Runs the lesson to its end.
    #[track_caller]
    fn finish(self) -> (RunLog, LessonOutcome) {
        let mut run = self.start();
        finish(&mut run);
        let outcome = run.outcome().expect("the run has ended").clone();
        (run.log().clone(), outcome)
    }

    /// Runs the lesson to its expected end.
    #[track_caller]
    fn log(self) -> RunLog {
        let (log, outcome) = self.finish();
        assert_eq!(outcome, LessonOutcome::AsExpected, "{}", transcript(&log));
        log
    }
}

#[track_caller]
fn finish(run: &mut LessonRun) {
    poll_until(run, |run| run.outcome().is_some());
}

/// Polls the run until the condition holds.
#[track_caller]
fn poll_until(run: &mut LessonRun, condition: impl Fn(&LessonRun) -> bool) {
    let began = Instant::now();
    while !condition(run) {
        assert!(began.elapsed() < TIMEOUT, "{}", transcript(run.log()));
        run.wait(Duration::from_millis(5));
        run.poll();
    }
}

/// Runs the test of this name in a process with a folder of its own for temporary files.
fn in_own_folder(name: &str, body: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let setup = format!("export TMPDIR='{}'", folder.path().display());
    in_child_with(&setup, name, || body(&std::env::temp_dir()));
}

fn transcript(log: &RunLog) -> String {
    let messages = log.messages().iter();
    let lines = messages.map(|message| log.transcript_line(message) + "\n");
    lines.collect()
}

#[track_caller]
fn lane<'a>(log: &'a RunLog, name: &str) -> &'a Lane {
    log.lane(name).expect("the lane exists")
}

/// The time of the first message of this lane that contains the text.
#[track_caller]
fn time_of(log: &RunLog, lane: &str, text: &str) -> Duration {
    log.time_of(lane, text).expect("the message exists")
}

/// All messages of this lane.
#[track_caller]
fn messages_of<'a>(log: &'a RunLog, name: &str) -> Vec<&'a str> {
    let id = lane(log, name).id;
    let messages = log.messages().iter().filter(|message| message.lane == id);
    messages.map(|message| message.text.as_str()).collect()
}

/// When and how the lane was closed.
#[track_caller]
fn closed(log: &RunLog, name: &str) -> (Duration, LaneOutcome) {
    let closed = lane(log, name).closed.clone();
    closed.expect("a finished run has closed all lanes")
}

/// The spans of this activity, as begin and end.
#[track_caller]
fn spans(log: &RunLog, name: &str, activity: Activity) -> Vec<(Duration, Duration)> {
    let lane = lane(log, name);
    let spans = lane.spans.iter().filter(|span| span.activity == activity);
    let end = |span: &Span| {
        lane.end_of(span)
            .expect("a finished run has ended all spans")
    };
    spans.map(|span| (span.began, end(span))).collect()
}

fn length((began, ended): (Duration, Duration)) -> Duration {
    ended.saturating_sub(began)
}

#[test]
fn every_lesson_is_complete() {
    let first = LessonId::all().next().map(|id| id.to_string());
    assert_eq!(first.as_deref(), Some("join"));
    let mut seen = BTreeSet::new();
    for id in LessonId::all() {
        let lesson = id.lesson();
        assert!(seen.insert(lesson.id), "{id} is listed twice");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(
            lesson.question.right < lesson.question.choices.len(),
            "{id}"
        );
        assert!(!lesson.worker_kinds.is_empty(), "{id}");
        assert!(lesson.code().contains("fn main(trace: &Trace)"), "{id}");
        assert!(!lesson.code().contains("static LESSON"), "{id}");
        for text in [
            lesson.title,
            lesson.explanation,
            lesson.python,
            lesson.plain_std,
        ] {
            assert!(!text.trim().is_empty(), "{id} lacks a text");
        }
        for parameter in lesson.parameters {
            assert!(parameter.allows(parameter.default), "{id} {parameter}");
        }
    }
}

#[test]
fn every_lesson_goes_as_expected() {
    let kinds = |id: LessonId| id.lesson().worker_kinds.iter().map(move |kind| (id, *kind));
    let all: Vec<_> = LessonId::all().flat_map(kinds).collect();
    let mut lanes = BTreeMap::new();
    // A few at a time: lessons mostly sleep.
    for some in all.chunks(4) {
        let runs = some
            .iter()
            .map(|(id, kind)| lesson(id.lesson().id, *kind).start());
        for (mut run, (id, kind)) in runs.collect::<Vec<_>>().into_iter().zip(some) {
            finish(&mut run);
            let outcome = run.outcome().expect("the run has ended");
            let text = transcript(run.log());
            assert_eq!(*outcome, LessonOutcome::AsExpected, "{id}, {kind}\n{text}");
            let count = run.log().timeline().lanes().len();
            let most: &mut usize = lanes.entry(*id).or_default();
            *most = count.max(*most);
        }
    }
    // The page keeps room for them.
    let reserved = LessonId::all().map(|id| (id, id.lesson().lanes));
    assert_eq!(lanes, reserved.collect());
}

#[test]
fn every_link_leads_to_a_lesson_or_pattern() {
    for id in LessonId::all() {
        for related in id.lesson().related {
            let is_lesson = related.parse::<LessonId>().is_ok();
            let is_pattern = related.parse::<meanwhile::lab::PatternId>().is_ok();
            assert!(is_lesson != is_pattern, "{id} links to {related}");
        }
    }
}
