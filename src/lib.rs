//! The desktop program Meanwhile. It runs long work on threads and in child processes, in a window that
//! never freezes.
//!
//! The program is no library: its modules are public only for its tests and benches. The library that
//! it stands on is the package `meanwhile-join`, here as [`join`]. ARCHITECTURE.md in the repository
//! describes the modules.
//!
//! # Invariants
//! - The library depends on no window toolkit and no file format.
//! - There is no unsafe code. Panics unwind, because a panic is an outcome.

// The Freeze Lab and the lessons show their own source, which then also compiles in another crate.
extern crate self as meanwhile;

pub use meanwhile_explain as explain;
pub use meanwhile_join as join;

#[doc(hidden)]
pub mod app;
#[doc(hidden)]
pub mod board;
#[doc(hidden)]
pub mod catalogue_id;
mod choice;
#[doc(hidden)]
pub mod cli;
mod desktop;
#[cfg(target_os = "linux")]
#[doc(hidden)]
pub mod first_process;
#[doc(hidden)]
pub mod format;
#[doc(hidden)]
pub mod jobs;
#[cfg(target_os = "linux")]
#[doc(hidden)]
pub mod lab;
mod late_frame;
#[cfg(unix)]
#[doc(hidden)]
pub mod lessons;
mod message;
#[doc(hidden)]
pub mod pages;
#[doc(hidden)]
pub mod record;
#[doc(hidden)]
pub mod trace;
#[doc(hidden)]
pub mod ui;

/// Compiles the README's example with those of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
