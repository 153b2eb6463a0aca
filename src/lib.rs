//! Meanwhile: run long work in the background, watch it, and join it on your own terms.

#[cfg(feature = "app")]
pub mod app;
#[cfg(feature = "app")]
pub mod board;
#[cfg(feature = "app")]
pub mod cli;
#[cfg(feature = "app")]
pub mod jobs;
pub mod join;
#[cfg(feature = "app")]
pub mod record;
#[cfg(feature = "app")]
pub mod ui;

/// The README's example is compiled and run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
