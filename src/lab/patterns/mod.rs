//! The patterns: one file each, both halves of it, and here the list.
//!
//! A line that ends in `// ← …` is the one that makes the difference; the page marks it.

mod dialog_in_ui;
mod endless_spinner;
mod join_in_click;
mod join_on_close;
mod join_timeout_in_click;
mod join_timeout_per_frame;
mod lock_held_by_worker;
mod no_wake;
mod panic_unwrapped;
mod poll_in_ui_only;
mod recv_per_frame;
mod repaint_every_frame;
mod thread_starvation;
mod unbounded_drain;
mod unvirtualised_log;
mod wake_before_publish;
mod wake_per_update;
mod work_in_ui;

use eframe::egui::{Context, Ui};

use super::pattern::{Entry, Judged, Pattern, Script, Variant};
use super::work::Digest;
use crate::join::{self, Task};

/// Starts a task that wakes the window when it has ended.
fn spawn(ctx: &Context, work: impl FnOnce() -> Digest + Send + 'static) -> Option<Task<Digest>> {
    let task = join::spawn("work", move |_| work()).ok()?;
    let ctx = ctx.clone();
    task.on_finish(move || ctx.request_repaint());
    Some(task)
}

/// Shows where a task stands.
fn task_ui(task: Option<&Task<Digest>>, ui: &mut Ui) {
    match task.map(Task::poll) {
        None => drop(ui.label("Nothing yet")),
        Some(None) => drop(ui.label("Working…")),
        Some(Some(Ok(result))) => result.ui(ui),
        Some(Some(Err(error))) => drop(ui.label(error.to_string())),
    }
}

/// A pattern's source and its two halves.
type Halves = (&'static str, fn(Variant) -> Box<dyn Pattern>);

macro_rules! halves {
    ($module:ident) => {
        (
            include_str!(concat!(stringify!($module), ".rs")),
            |variant| -> Box<dyn Pattern> {
                match variant {
                    Variant::Bad => Box::new($module::Bad::default()),
                    Variant::Fixed => Box::new($module::Fixed::default()),
                }
            },
        )
    };
}

/// All patterns, in the order of the list.
pub(super) static ALL: &[Entry] = &[
    entry(
        "join-in-click",
        "`join()` in the click handler",
        "the window is frozen as long as the work takes",
        "ask once a frame, and be woken at the end",
        Script::Probed,
        Judged::Frozen,
        halves!(join_in_click),
    ),
    entry(
        "join-timeout-in-click",
        "`join_timeout` in the click handler",
        "the window is frozen until the deadline",
        "waiting is a state: a deadline that each frame looks at",
        Script::Probed,
        Judged::Frozen,
        halves!(join_timeout_in_click),
    ),
    entry(
        "join-timeout-per-frame",
        "`join_timeout(50 ms)` in every frame",
        "the window stutters at 20 frames a second",
        "ask without waiting",
        Script::Probed,
        Judged::FrameGaps,
        halves!(join_timeout_per_frame),
    ),
    entry(
        "recv-per-frame",
        "`recv()` in every frame",
        "the window is frozen from message to message",
        "take what is there, within a budget",
        Script::Probed,
        Judged::FrameGaps,
        halves!(recv_per_frame),
    ),
    entry(
        "lock-held-by-worker",
        "a lock that the worker holds while it computes",
        "the window is frozen while the worker computes",
        "compute first, then publish under the lock",
        Script::Probed,
        Judged::FrameGaps,
        halves!(lock_held_by_worker),
    ),
    entry(
        "work-in-ui",
        "the work itself in the click handler",
        "the window is frozen as long as the work takes",
        "a task",
        Script::Probed,
        Judged::Frozen,
        halves!(work_in_ui),
    ),
    entry(
        "dialog-in-ui",
        "a file dialog that blocks",
        "the window is dead while the dialog is open",
        "an asynchronous dialog, asked once a frame",
        Script::Probed,
        Judged::Frozen,
        halves!(dialog_in_ui),
    ),
    entry(
        "join-on-close",
        "`join()` when the window closes",
        "the window will not close",
        "cancel, wait a moment, leave",
        Script::Closed,
        Judged::TimeToClose,
        halves!(join_on_close),
    ),
    entry(
        "unbounded-drain",
        "every frame takes in all messages there are",
        "long frames when messages flood in",
        "only the newest state counts",
        Script::Probed,
        Judged::Frozen,
        halves!(unbounded_drain),
    ),
    entry(
        "unvirtualised-log",
        "a log of 100 000 labels, laid out whole",
        "long frames for ever",
        "lay out the rows in sight",
        Script::Probed,
        Judged::FrameGaps,
        halves!(unvirtualised_log),
    ),
    entry(
        "thread-starvation",
        "many more busy threads than cores",
        "the frame rate falls with each thread",
        "as many workers as cores, in the background",
        Script::Probed,
        Judged::FrameGaps,
        halves!(thread_starvation),
    ),
    entry(
        "repaint-every-frame",
        "`request_repaint` in every frame",
        "a core burns to show nothing",
        "wake when something has changed",
        Script::Untouched,
        Judged::IdleRepaints,
        halves!(repaint_every_frame),
    ),
    entry(
        "no-wake",
        "the worker ends and wakes nobody",
        "the result appears when the mouse moves",
        "wake at the end",
        Script::Untouched,
        Judged::TimeToResult,
        halves!(no_wake),
    ),
    entry(
        "wake-before-publish",
        "wake first, publish then",
        "sometimes the result waits for the next event",
        "publish first, wake then",
        Script::Untouched,
        Judged::TimeToResult,
        halves!(wake_before_publish),
    ),
    entry(
        "poll-in-ui-only",
        "the result is looked for only where it is drawn",
        "nothing happens while the window is minimised",
        "look in `logic`, which also runs then",
        Script::Minimised,
        Judged::TimeToResult,
        halves!(poll_in_ui_only),
    ),
    entry(
        "panic-unwrapped",
        "a worker's panic, unwrapped in the window",
        "the window dies with the worker",
        "an outcome is a value",
        Script::Probed,
        Judged::Survival,
        halves!(panic_unwrapped),
    ),
    entry(
        "wake-per-update",
        "a wake for every update of the progress",
        "the workers wait for the window's lock instead of working",
        "one wake at a time",
        Script::Untouched,
        Judged::StepTime,
        halves!(wake_per_update),
    ),
    entry(
        "endless-spinner",
        "a spinner that is left running",
        "full frame rate for a picture that says nothing",
        "a slow timer, and none at the end",
        Script::Untouched,
        Judged::IdleRepaints,
        halves!(endless_spinner),
    ),
];

const fn entry(
    id: &'static str,
    bad: &'static str,
    symptom: &'static str,
    fix: &'static str,
    script: Script,
    judged: Judged,
    (source, make): Halves,
) -> Entry {
    Entry {
        id,
        bad,
        symptom,
        fix,
        source,
        script,
        judged,
        make,
    }
}
