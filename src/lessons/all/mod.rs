//! The lessons: one file each, and here the list.
//!
//! A file begins with what runs, written with the public API alone: that is what a learner reads.
//! What is said about it stands at its end.

mod batch;
mod clients;
mod fetch;
mod gui;
mod join;
mod join_finished;
mod join_timeout;
mod many;
mod pool;
mod strategies;

use super::lesson::Lesson;

/// All lessons, in the order of the list.
pub(super) static ALL: &[&Lesson] = &[
    &join::LESSON,
    &join_timeout::LESSON,
    &join_finished::LESSON,
    &many::LESSON,
    &batch::LESSON,
    &clients::LESSON,
    &fetch::LESSON,
    &pool::LESSON,
    &strategies::LESSON,
    &gui::LESSON,
];
