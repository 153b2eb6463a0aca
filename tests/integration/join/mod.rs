//! The promises of the join library, row by row: `t7_…` is row T7 of the README's table.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod joining;
mod lifetime;
mod panics;
mod product;
mod waiting;
