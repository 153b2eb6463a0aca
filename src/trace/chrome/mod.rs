//! The trace event format of Chrome, which Perfetto, speedscope and the Firefox Profiler open.
//!
//! It is also the format in which this program keeps its own traces: what the others do not know is in fields that
//! they ignore. The format is described in the document "Trace Event Format" of the Chromium project.
//!
//! What is written here was read by the importer of speedscope 1.25.0 and by the trace processor of Perfetto v52.0, each
//! span with its length; Perfetto also read each mark, flow and counter (`tests/all.sh trace-readers`). It turns a flow
//! round that ends in a span which began before the other one. The Firefox Profiler was not tried.

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
