//! Turns of work that one thread at a time does, and others ask for.

use super::super::sync::{Mutex, lock};

/// Whether a thread does the work, and whether more was asked for meanwhile.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Idle,
    Running,
    RunningAndAsked,
}

/// The turns of one piece of work. After each request the work is done once more, and never by two
/// threads at the same time.
pub(super) struct Turns(Mutex<Turn>);

impl Turns {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Turn::Idle))
    }

    /// Asks for a turn. Returns whether no thread does the work, so that the caller must have it done.
    pub(super) fn ask(&self) -> bool {
        let mut turn = lock(&self.0);
        let was_idle = *turn == Turn::Idle;
        *turn = if was_idle {
            Turn::Running
        } else {
            Turn::RunningAndAsked
        };
        was_idle
    }

    /// Ends a turn. Returns whether another one was asked for meanwhile, which the caller must do.
    pub(super) fn end(&self) -> bool {
        let mut turn = lock(&self.0);
        let goes_on = *turn == Turn::RunningAndAsked;
        *turn = if goes_on { Turn::Running } else { Turn::Idle };
        goes_on
    }
}
