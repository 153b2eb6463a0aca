//! The trace event format of Chrome, which Perfetto, speedscope and the Firefox Profiler open.
//!
//! It is also the format in which this program keeps its own traces: what the others do not know is in fields that
//! they ignore. The format is described in the document "Trace Event Format" of the Chromium project.

mod collect;
mod event;
mod lanes;
mod read;
mod rounding;
mod write;

pub use read::{ReadTrace, ReadTraceError, read_chrome};
pub use write::write_chrome;

/// The version of the fields that only this program knows. A higher one may mean something else by them.
const VERSION: u32 = 1;
