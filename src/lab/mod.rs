//! The Freeze Lab: measures what a real window does while a program waits for background work.
//!
//! A *pattern* is a way to wait, in two variants: bad and fixed. Each is ordinary code of a few dozen
//! lines. It runs in a *twin*, a window in a child process, which the Lab can watch while it freezes,
//! and kill. The twin reports *facts* as they happen; the *figures* of a run are computed from them.

mod because;
mod cpu;
mod export;
mod fact;
mod figure_table;
mod figures;
mod frame_line;
mod gap;
mod measure;
mod metric;
mod pattern;
mod patterns;
mod report;
mod run;
mod run_queue;
mod run_trace;
mod saved_report;
mod sparkline;
mod twin;
mod unit;
mod work;

pub use because::because;
pub use cpu::{ThreadTime, UI_THREAD};
pub use fact::{Display, Fact, FactLog, LateCause, Stamped};
pub use figure_table::{FIGURES, Figure};
pub use figures::{Clicks, Figures, ThreadCpu, TwinOutcome};
pub use frame_line::{FrameLine, MAX_LIVE_PLOT, PLOT_LEAD};
pub use gap::{Gap, GapKind, MAX_CLICK_LATENCY, MIN_FREEZE, THRESHOLDS};
pub use metric::{Metric, Verdict};
pub use pattern::{Pattern, PatternEntry, Scenario, Variant};
pub use patterns::{PatternId, spawn, task_ui};
pub use report::{LabReport, Machine, Row};
pub use run::{TwinRun, TwinRunOptions};
pub use run_queue::{RunQueue, RunRecord};
pub use run_trace::add_run;
pub use saved_report::{SavedReport, comparison};
pub use sparkline::{Bar, Sparkline};
pub use twin::run_twin;
pub use unit::Unit;
pub use work::{Digest, Work, WorkKind};
