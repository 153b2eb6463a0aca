//! Lessons: short programs about joining tasks and processes, run for real.
//!
//! A [`Lesson`] is one file of `all/`: a question, a program, its parameters and an explanation. The
//! program uses the join library, and a [`Trace`] to record what it does. A [`LessonRun`] executes it
//! on its own thread and collects a [`RunLog`]: lanes with sleeps and waits, a transcript, and
//! results. The lesson verifies the outcome from that log alone.

mod all;
mod child;
mod guards;
mod lesson;
mod lifecycle;
mod pool_lane;
mod python;
mod run;
mod run_log;
mod shared;
mod trace;

pub use child::child_main;
pub use lesson::{Lesson, LessonId, Level, Parameter, Question, Role, Topic, WorkerKind};
pub use python::{Python, PythonOutput};
pub use run::{LessonOutcome, LessonRun, LessonRunOptions};
pub use run_log::RunLog;
pub use trace::Trace;
