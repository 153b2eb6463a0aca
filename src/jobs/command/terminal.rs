//! The terminal, which with `--tty` one run has at a time.

use std::sync::LazyLock;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::join::Context;

/// The terminal of this program, as a run has it.
pub(super) const PATH: &str = "/dev/tty";

/// What programs say that need a terminal and have none.
const COMPLAINTS: [&str; 5] = [
    PATH,
    "terminal is required",
    "run from a terminal",
    "not a tty",
    "no tty present",
];

/// Whether a program says on stderr that it needs a terminal.
pub(super) fn is_missed(stderr: &[u8]) -> bool {
    let said = String::from_utf8_lossy(stderr).to_lowercase();
    COMPLAINTS.iter().any(|complaint| said.contains(complaint))
}

/// Holds the one message that stands for the terminal while no run has it.
static FREE: LazyLock<(Sender<()>, Receiver<()>)> = LazyLock::new(|| {
    let (free, turns) = bounded(1);
    // There is room for it.
    free.send(()).ok();
    (free, turns)
});

/// The turn of one run, until it is dropped.
pub(super) struct Turn(());

impl Turn {
    /// Waits until no other run has the terminal. A cancel unwinds the task.
    pub(super) fn wait(context: &Context) -> Self {
        let (_, turns) = &*FREE;
        while turns.try_recv().is_err() {
            // A turn that another run was faster to take is waited for again.
            if context.select().receiver(turns).wait().is_err() {
                context.checkpoint();
            }
        }
        Self(())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // There is room for it: this turn took the message.
        FREE.0.try_send(()).ok();
    }
}
