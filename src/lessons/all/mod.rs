//! The lessons, one per file, and their list.
//!
//! A file begins with the program, which uses the public API alone: learners read that part. The
//! question, the explanation and the other versions follow.

mod batch;
mod cancel;
mod clients;
mod daemon;
mod enumerate;
mod fetch;
mod gui;
mod join;
mod join_current;
mod join_error;
mod join_finished;
mod join_timeout;
mod many;
mod mutual;
mod pool;
mod propagation;
mod queue;
mod queue_deadlock;
mod shared_counter;
mod strategies;

use super::lesson::Lesson;

/// All lessons, in the order of the list.
pub(super) static ALL: &[&Lesson] = &[
    &join::LESSON,
    &join_error::LESSON,
    &join_timeout::LESSON,
    &join_finished::LESSON,
    &join_current::LESSON,
    &enumerate::LESSON,
    &many::LESSON,
    &queue::LESSON,
    &queue_deadlock::LESSON,
    &propagation::LESSON,
    &daemon::LESSON,
    &batch::LESSON,
    &clients::LESSON,
    &fetch::LESSON,
    &pool::LESSON,
    &strategies::LESSON,
    &shared_counter::LESSON,
    &mutual::LESSON,
    &cancel::LESSON,
    &gui::LESSON,
];
