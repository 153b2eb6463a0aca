//! The promises of the join library. The tests `t7_…` are for row T7 of `src/join/CONFORMANCE.md`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod abort;
mod alive;
mod cancelling;
mod context_join;
mod cycles;
mod ends;
mod followers;
mod following;
mod futures;
mod group;
mod held_pool;
mod joining;
mod lifetime;
mod output;
mod owned;
mod panics;
mod parking;
mod pools;
mod product;
mod progress;
mod promises;
mod scoped;
mod select;
mod select_group;
mod slot;
mod starting;
mod starvation;
mod timers;
mod tokens;
mod unseen;
mod untyped;
mod waiting;
