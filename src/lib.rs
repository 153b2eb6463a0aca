//! Meanwhile: run long work in the background, watch it, and join it on your own terms.

pub mod join;

/// The README's example is compiled and run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
