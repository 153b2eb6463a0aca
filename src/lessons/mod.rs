//! Lessons: every way to join, as short programs that really run.
//!
//! A [`Lesson`] is one file of `all/`: a question, a program, its parameters, and what is said
//! about it. Its program is written with the join library and a [`Stage`], on which it says what it
//! does; the file is shown as it stands. A [`Run`] plays it on a thread of its own and collects what
//! it [`Told`]: who ran, slept and waited when, what was said and what was found out. Whether it
//! went as the lesson says is decided from that record alone.

mod act;
mod all;
mod house;
mod lesson;
mod python;
mod run;
mod stage;
mod told;

pub use act::act;
pub use lesson::{Cast, Lesson, LessonId, Level, Parameter, Question, Role, Topic};
pub use python::{Printed, Python};
pub use run::{Choice, Ending, Run};
pub use stage::Stage;
pub use told::Told;
