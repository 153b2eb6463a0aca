//! Background tasks that a program with a window can join on its own terms, and the desktop program
//! Meanwhile, which is built on them.
//!
//! # The library
//! [`join::spawn`] starts a [`join::Task`]. Its handle can be polled once a frame for one atomic load,
//! joined with or without a timeout any number of times, and cancelled. The outcome is a value, even
//! if the task panicked. [`join::Changes`] lists the tasks that changed since the last frame, and
//! wakes the window when one does. On Unix, [`join::process`] does the same for child processes.
//!
//! [`watchdog`] reports frames that take too long while they last.
//!
//! # Features
//! | feature | default | what it adds |
//! |---|---|---|
//! | `app` | yes | the desktop program Meanwhile: its jobs, its window and its command line |
//!
//! To use the library alone, depend on the crate with `default-features = false`.
//!
//! # Invariants
//! - An outcome is published before any waiting thread is woken, so a woken thread finds it.
//! - The library depends on no window toolkit and no file format.
//! - There is no unsafe code. The program's panics unwind, because a panic is an outcome.
//!
//! All other modules are parts of the program, and public only for the tests and benches.
//! ARCHITECTURE.md in the repository describes them.

// The Freeze Lab and the lessons show their own source, which then also compiles in another crate.
#[cfg(feature = "app")]
extern crate self as meanwhile;

#[cfg(feature = "app")]
#[doc(hidden)]
pub mod app;
#[cfg(feature = "app")]
#[doc(hidden)]
pub mod board;
#[cfg(feature = "app")]
#[doc(hidden)]
pub mod catalogue_id;
#[cfg(feature = "app")]
mod choice;
#[cfg(feature = "app")]
#[doc(hidden)]
pub mod cli;
#[cfg(feature = "app")]
mod desktop;
#[cfg(feature = "app")]
#[doc(hidden)]
pub mod format;
#[cfg(feature = "app")]
#[doc(hidden)]
pub mod jobs;
pub mod join;
#[cfg(all(feature = "app", target_os = "linux"))]
#[doc(hidden)]
pub mod lab;
#[cfg(all(feature = "app", unix))]
#[doc(hidden)]
pub mod lessons;
#[cfg(feature = "app")]
#[doc(hidden)]
pub mod pages;
#[cfg(feature = "app")]
#[doc(hidden)]
pub mod record;
#[cfg(feature = "app")]
#[doc(hidden)]
pub mod ui;
pub mod watchdog;

/// Compiles the README's example with those of the documentation.
#[cfg(all(doctest, feature = "app"))]
#[doc = include_str!("../README.md")]
struct Readme;
