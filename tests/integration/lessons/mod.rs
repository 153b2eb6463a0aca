//! Every lesson, run for real and judged by what it did: lanes, order, ratios and outcomes.

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

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use meanwhile::join::process::Launcher;
use meanwhile::lessons::{LessonId, Outcome, Run, RunLog, RunOptions, WorkerKind};
use meanwhile::record::{Activity, Lane, Span};

use crate::util::child::in_child_with;
use crate::util::gate::LIMIT;

/// A run of a lesson, as it is asked for.
struct Play(RunOptions);

fn play(lesson: &str, kind: WorkerKind) -> Play {
    let lesson: LessonId = lesson.parse().expect("there is such a lesson");
    Play(RunOptions {
        worker_kind: kind,
        ..RunOptions::of(lesson)
    })
}

impl Play {
    /// A lesson second lasts a quarter: the order of two pauses that differ by one is safe also on
    /// a machine that is late.
    const SPEED: f64 = 4.0;

    fn with(mut self, parameter: &str, value: f64) -> Self {
        self.0.parameters.insert(parameter.to_owned(), value);
        self
    }

    fn start(mut self) -> Run {
        self.0.speed = Self::SPEED;
        let launcher = Launcher::of_program(env!("CARGO_BIN_EXE_meanwhile"));
        Run::start(self.0, launcher, || ()).expect("the system has room for a lesson")
    }

    /// Runs it to its end.
    #[track_caller]
    fn until_its_end(self) -> (RunLog, Outcome) {
        let mut run = self.start();
        until_over(&mut run);
        let ending = run.outcome().expect("it is over").clone();
        (run.log().clone(), ending)
    }

    /// Runs it to its end, which is as the lesson says.
    #[track_caller]
    fn log(self) -> RunLog {
        let (log, ending) = self.until_its_end();
        assert_eq!(ending, Outcome::AsExpected, "{}", transcript(&log));
        log
    }
}

#[track_caller]
fn until_over(run: &mut Run) {
    until(run, |run| run.outcome().is_some());
}

/// Takes in what the run tells until it is so.
#[track_caller]
fn until(run: &mut Run, is_so: impl Fn(&Run) -> bool) {
    let began = Instant::now();
    while !is_so(run) {
        assert!(began.elapsed() < LIMIT, "{}", transcript(run.log()));
        run.wait(Duration::from_millis(5));
        run.poll();
    }
}

/// Runs the test of this name in a process whose runs have their files in a folder that is given.
fn in_own_folder(name: &str, body: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().expect("room for a folder");
    let setup = format!("export TMPDIR='{}'", folder.path().display());
    in_child_with(&setup, name, || body(&std::env::temp_dir()));
}

fn transcript(log: &RunLog) -> String {
    let lines = log.messages().iter().map(|said| {
        let who = log.timeline().name(said.lane);
        format!("{:>7.3} {who}: {}\n", said.at.as_secs_f64(), said.text)
    });
    lines.collect()
}

/// The lane of somebody who took part.
#[track_caller]
fn lane<'a>(log: &'a RunLog, who: &str) -> &'a Lane {
    log.lane(who).expect("they took part")
}

/// When somebody said something with this in it.
#[track_caller]
fn when(log: &RunLog, who: &str, text: &str) -> Duration {
    log.time_of(who, text).expect("they said it")
}

/// Everything that somebody said.
#[track_caller]
fn said_by<'a>(log: &'a RunLog, who: &str) -> Vec<&'a str> {
    let id = lane(log, who).id;
    let said = log.messages().iter().filter(|said| said.lane == id);
    said.map(|said| said.text.as_str()).collect()
}

/// When somebody's lane was closed.
#[track_caller]
fn end(log: &RunLog, who: &str) -> Duration {
    let closed = lane(log, who).closed.as_ref();
    closed
        .expect("the run is over, and so is everybody in it")
        .0
}

/// The times in which somebody did this, as begin and end.
#[track_caller]
fn times(log: &RunLog, who: &str, activity: Activity) -> Vec<(Duration, Duration)> {
    let lane = lane(log, who);
    let spans = lane.spans.iter().filter(|span| span.activity == activity);
    let end = |span: &Span| lane.end_of(span).expect("the run is over");
    spans.map(|span| (span.began, end(span))).collect()
}

/// How long that was.
fn took((began, ended): (Duration, Duration)) -> Duration {
    ended.saturating_sub(began)
}

/// Everything that is said of lessons is there.
#[test]
fn every_lesson_is_complete() {
    let mut seen = BTreeSet::new();
    for id in LessonId::all() {
        let lesson = id.lesson();
        assert!(seen.insert(lesson.id), "{id} is there twice");
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
            assert!(!text.trim().is_empty(), "{id} leaves something unsaid");
        }
        for parameter in lesson.parameters {
            assert!(parameter.allows(parameter.default), "{id} {parameter}");
        }
    }
}

#[test]
fn every_lesson_leads_to_lessons_or_patterns() {
    for id in LessonId::all() {
        for related in id.lesson().related {
            let is_lesson = related.parse::<LessonId>().is_ok();
            let is_pattern = related.parse::<meanwhile::lab::PatternId>().is_ok();
            assert!(is_lesson != is_pattern, "{id} leads to {related}");
        }
    }
}
