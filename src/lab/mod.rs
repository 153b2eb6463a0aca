//! The Freeze Lab: what a window does while it waits, measured in a real one.
//!
//! A *pattern* is a way to wait, in a bad and in a fixed half: ordinary code of a few dozen lines.
//! It runs in a *twin*, a window in a process of its own, so that the Lab can watch it freeze and
//! end it. The twin tells *facts* as they happen; the *figures* of a run are computed from them.

mod cpu;
mod fact;
mod figures;
mod line;
mod pattern;
mod patterns;
mod report;
mod run;
mod session;
mod sketch;
mod twin;
mod work;

pub use cpu::UI_THREAD;
pub use fact::{Display, Fact, Log, Stamped, ThreadTime};
pub use figures::{CLICK_IN_TIME, Clicks, Ending, FROZEN, Figures, THRESHOLDS, ThreadCpu};
pub use line::{BEFORE_START, FrameLine, Gap, GapKind, PLOTTED};
pub use pattern::{Entry, Judged, Pattern, PatternId, Script, Variant};
pub use report::{Machine, Report, Row, Verdict};
pub use run::{Choice, Run};
pub use session::{RunRecord, Session};
pub use sketch::{Bar, Sketch};
pub use twin::{TwinOptions, run_twin};
pub use work::{Digest, Kind, Work};
