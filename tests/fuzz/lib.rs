//! What the fuzz targets share: inputs that resemble traces, and what must hold of every trace.
//!
//! The modules of the program that read traces are compiled in here, without the rest: the program with its window
//! takes ten minutes to build with the counters of libFuzzer, these take one.

mod check;
mod document;
#[path = "../../src/format.rs"]
pub mod format;
mod own;
#[expect(dead_code, reason = "the rest of the program uses more of it")]
#[path = "../../src/trace/mod.rs"]
pub mod trace;

pub use check::{check_read, check_trace, read, written};
pub use document::{Document, Written};
pub use own::{Op, made};
