//! The trace event format of Chrome, which Perfetto, speedscope and the Firefox Profiler open.
//!
//! It is also the format in which this program keeps its own traces: what the others do not know is in fields that
//! they ignore. The format is described in the document "Trace Event Format" of the Chromium project.
//!
//! What is written here was read by the importer of speedscope 1.25.0, the trace processor of Perfetto v52.0, and the
//! command line 0.10.0 of the Firefox Profiler, each span with its length (`tests/all.sh trace-readers`). The last two also
//! read each mark, and Perfetto each flow and counter, which the Firefox Profiler leaves out. Perfetto turns a flow round
//! that ends in a span which began before the other one.

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
