//! The lessons: one file each, and here the list.
//!
//! A file begins with what runs, written with the public API alone: that is what a learner reads.
//! What is said about it stands at its end.

mod cancel;
mod daemon;
mod enumerate;
mod join;
mod join_current;
mod join_error;
mod mutual;
mod propagation;
mod queue;
mod queue_deadlock;
mod shared_counter;

use super::lesson::Lesson;

/// All lessons, in the order of the list.
pub(super) static ALL: &[&Lesson] = &[
    &join::LESSON,
    &join_error::LESSON,
    &join_current::LESSON,
    &enumerate::LESSON,
    &queue::LESSON,
    &queue_deadlock::LESSON,
    &propagation::LESSON,
    &daemon::LESSON,
    &shared_counter::LESSON,
    &mutual::LESSON,
    &cancel::LESSON,
];
