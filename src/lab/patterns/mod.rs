//! The list of patterns. Each is one file with both variants, which the page shows.
//!
//! A comment `// ← …` marks the line that makes the difference. Exceptions from lints are on the `mod`
//! lines here, because the files are shown to learners.

#[expect(clippy::disallowed_methods, reason = "its bad variant blocks")]
mod dialog_in_ui;
mod endless_spinner;
#[expect(clippy::disallowed_methods, reason = "its bad variant blocks")]
mod join_in_click;
#[expect(clippy::disallowed_methods, reason = "its bad variant blocks")]
mod join_on_close;
mod join_timeout_in_click;
mod join_timeout_per_frame;
mod lock_held_by_worker;
mod no_wake;
#[expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "its bad variant blocks and unwraps"
)]
mod panic_unwrapped;
mod poll_in_ui_only;
#[expect(clippy::disallowed_methods, reason = "its bad variant blocks")]
mod recv_per_frame;
mod repaint_every_frame;
mod thread_starvation;
mod unbounded_drain;
mod unvirtualised_log;
#[expect(clippy::disallowed_methods, reason = "its worker sleeps")]
mod wake_before_publish;
mod wake_per_update;
mod work_in_ui;

use eframe::egui::{Context, Ui};

use super::metric::Metric;
use super::pattern::{Need, PatternEntry, Scenario, Variant};
use super::work::Digest;
use crate::catalogue_id::{CatalogueEntry, CatalogueId};
use crate::join::{self, Task};

/// Starts a task that wakes the window when it ends.
pub fn spawn(
    ctx: &Context,
    work: impl FnOnce() -> Digest + Send + 'static,
) -> Option<Task<Digest>> {
    let task = join::spawn("work", move |_| work()).ok()?;
    let ctx = ctx.clone();
    task.on_finish(move || ctx.request_repaint());
    Some(task)
}

/// Shows the state of a task.
pub fn task_ui(task: Option<&Task<Digest>>, ui: &mut Ui) {
    match task.map(Task::poll) {
        None => drop(ui.label("Nothing yet")),
        Some(None) => drop(ui.label("Working…")),
        Some(Some(Ok(result))) => result.ui(ui),
        Some(Some(Err(error))) => drop(ui.label(error.to_string())),
    }
}

/// The duration of two frames at 60 Hz, in milliseconds.
const TWO_FRAMES: f64 = 2000.0 / 60.0;

/// An entry with the source and the variants of its module.
macro_rules! entry {
    ($module:ident { $($field:ident: $value:expr,)* }) => {
        entry!($module, need: None, { $($field: $value,)* })
    };
    ($module:ident, need: $need:expr, { $($field:ident: $value:expr,)* }) => {
        PatternEntry {
            $($field: $value,)*
            need: $need,
            source: include_str!(concat!(stringify!($module), ".rs")),
            make: |variant| match variant {
                Variant::Bad => Box::new($module::Bad::default()),
                Variant::Fixed => Box::new($module::Fixed::default()),
            },
        }
    };
}

/// A pattern of the list.
pub type PatternId = CatalogueId<PatternEntry>;

impl PatternId {
    /// The mistake as a title, without the marks of code.
    pub fn title(self) -> String {
        self.entry().bad.replace('`', "")
    }
}

impl CatalogueEntry for PatternEntry {
    const NOUN: &'static str = "pattern";
    const LIST_COMMAND: &'static str = "meanwhile lab list";

    fn all() -> impl Iterator<Item = &'static Self> {
        ALL.iter()
    }

    fn id(&self) -> &'static str {
        self.id
    }
}

/// All patterns, in the order of the list.
static ALL: &[PatternEntry] = &[
    entry!(join_in_click {
        id: "join-in-click",
        bad: "`join()` in the click handler",
        symptom: "the window freezes until the work ends",
        fix: "poll the task once a frame, and wake the window when it ends",
        scenario: Scenario::Probed,
        metric: Metric::Frozen,
        fixed_max: 150.0,
    }),
    entry!(join_timeout_in_click {
        id: "join-timeout-in-click",
        bad: "`join_timeout` in the click handler",
        symptom: "the window freezes until the timeout",
        fix: "store a deadline, and check it once a frame",
        scenario: Scenario::Probed,
        metric: Metric::Frozen,
        fixed_max: 150.0,
    }),
    entry!(join_timeout_per_frame {
        id: "join-timeout-per-frame",
        bad: "`join_timeout(50 ms)` in every frame",
        symptom: "the window stutters at 20 frames a second",
        fix: "poll without waiting",
        scenario: Scenario::Probed,
        metric: Metric::FrameGaps,
        fixed_max: TWO_FRAMES,
    }),
    entry!(recv_per_frame {
        id: "recv-per-frame",
        bad: "a blocking `recv()` in every frame",
        symptom: "the window freezes from message to message",
        fix: "take the messages that are there, up to a limit",
        scenario: Scenario::Probed,
        metric: Metric::FrameGaps,
        fixed_max: TWO_FRAMES,
    }),
    entry!(lock_held_by_worker {
        id: "lock-held-by-worker",
        bad: "a lock that the worker holds while it computes",
        symptom: "the window freezes while the worker computes",
        fix: "compute first, then lock only to publish",
        scenario: Scenario::Probed,
        metric: Metric::FrameGaps,
        fixed_max: TWO_FRAMES,
    }),
    entry!(work_in_ui {
        id: "work-in-ui",
        bad: "the work itself in the click handler",
        symptom: "the window freezes until the work ends",
        fix: "run the work in a task",
        scenario: Scenario::Probed,
        metric: Metric::Frozen,
        fixed_max: 150.0,
    }),
    entry!(dialog_in_ui, need: Some(Need::FileDialog), {
        id: "dialog-in-ui",
        bad: "a blocking file dialog",
        symptom: "the window does not respond while the dialog is open",
        fix: "an asynchronous dialog, polled once a frame",
        scenario: Scenario::Probed,
        metric: Metric::Frozen,
        fixed_max: 150.0,
    }),
    entry!(join_on_close {
        id: "join-on-close",
        bad: "`join()` when the window closes",
        symptom: "the window does not close until the work ends",
        fix: "cancel, wait briefly, then exit",
        scenario: Scenario::Closed,
        metric: Metric::TimeToClose,
        fixed_max: 400.0,
    }),
    entry!(unbounded_drain {
        id: "unbounded-drain",
        bad: "every frame drains the whole channel",
        symptom: "long frames when messages flood in",
        fix: "keep only the newest state",
        scenario: Scenario::Probed,
        metric: Metric::Frozen,
        fixed_max: 150.0,
    }),
    entry!(unvirtualised_log {
        id: "unvirtualised-log",
        bad: "a log of 100 000 labels, all of them laid out",
        symptom: "every frame takes a long time",
        fix: "lay out only the visible rows",
        scenario: Scenario::Probed,
        metric: Metric::FrameGaps,
        fixed_max: TWO_FRAMES,
    }),
    entry!(thread_starvation {
        id: "thread-starvation",
        bad: "many more busy threads than cores",
        symptom: "the frame rate drops with every thread",
        fix: "as many workers as cores, at background priority",
        scenario: Scenario::Probed,
        metric: Metric::FrameGaps,
        fixed_max: TWO_FRAMES,
    }),
    entry!(repaint_every_frame {
        id: "repaint-every-frame",
        bad: "`request_repaint` in every frame",
        symptom: "a core is busy drawing the same picture",
        fix: "request a frame only when something changes",
        scenario: Scenario::Untouched,
        metric: Metric::IdleRepaints,
        fixed_max: 5.0,
    }),
    entry!(no_wake {
        id: "no-wake",
        bad: "the worker ends without waking the window",
        symptom: "the result appears only when the mouse moves",
        fix: "wake the window at the end",
        scenario: Scenario::Untouched,
        metric: Metric::TimeToResult,
        fixed_max: 100.0,
    }),
    entry!(wake_before_publish {
        id: "wake-before-publish",
        bad: "the worker wakes the window before it publishes",
        symptom: "the result sometimes waits for the next input",
        fix: "publish first, then wake",
        scenario: Scenario::Untouched,
        metric: Metric::TimeToResult,
        fixed_max: 100.0,
    }),
    entry!(poll_in_ui_only, need: Some(Need::Minimise), {
        id: "poll-in-ui-only",
        bad: "the result is polled only where it is drawn",
        symptom: "nothing happens while the window is minimised",
        fix: "poll in `logic`, which also runs while minimised",
        scenario: Scenario::Minimised,
        metric: Metric::TimeToResult,
        fixed_max: 250.0,
    }),
    entry!(panic_unwrapped {
        id: "panic-unwrapped",
        bad: "a worker's panic, unwrapped on the UI thread",
        symptom: "the program ends when the worker panics",
        fix: "handle the panic as an error",
        scenario: Scenario::Probed,
        metric: Metric::Survival,
        fixed_max: 0.0,
    }),
    entry!(wake_per_update {
        id: "wake-per-update",
        bad: "a wake-up for every update of the progress",
        symptom: "workers wait for the window's lock instead of working, most where there are many cores",
        fix: "at most one pending wake-up",
        scenario: Scenario::Untouched,
        metric: Metric::StepTime,
        fixed_max: 2.0,
    }),
    entry!(endless_spinner {
        id: "endless-spinner",
        bad: "a spinner that never stops",
        symptom: "the full frame rate, although nothing happens",
        fix: "a slow timer, stopped at the end",
        scenario: Scenario::Untouched,
        metric: Metric::IdleRepaints,
        fixed_max: 5.0,
    }),
];
