//! The lessons, one per file, and their list.
//!
//! A file begins with the program, which uses the public API alone: learners read that part. The
//! question, the explanation and the other versions follow. Exceptions from lints are on the `mod`
//! lines here, because learners read the files.

mod batch;
#[expect(
    clippy::disallowed_methods,
    reason = "each wait ends with a message, a signal or a kill"
)]
mod cancel;
mod clients;
mod daemon;
mod enumerate;
mod fetch;
mod gui;
mod join;
#[expect(
    clippy::disallowed_methods,
    reason = "main sends the handle or ends: either ends the wait"
)]
mod join_current;
#[expect(clippy::exit, reason = "nothing needs to be dropped")]
mod join_error;
mod join_finished;
mod join_timeout;
mod many;
#[expect(
    clippy::disallowed_methods,
    reason = "main sends the handles or ends: either ends the wait"
)]
mod mutual;
mod pool;
mod propagation;
#[expect(
    clippy::disallowed_methods,
    reason = "the worker sends or ends: either ends the wait"
)]
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
