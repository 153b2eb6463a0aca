//! The lessons: one file each, and here the list.
//!
//! A file begins with what runs, written with the public API alone: that is what a learner reads.
//! What is said about it stands at its end.

mod join;

use super::lesson::Lesson;

/// All lessons, in the order of the list.
pub(super) static ALL: &[&Lesson] = &[&join::LESSON];
