//! Meanwhile: run long work in the background, watch it, and join it on your own terms.

pub mod join;
