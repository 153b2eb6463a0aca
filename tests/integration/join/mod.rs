//! The promises of the join library, row by row: `t7_…` is row T7 of the README's table.

mod joining;
mod lifetime;
mod panics;
mod product;
mod waiting;
