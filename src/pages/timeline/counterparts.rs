//! The search for the bar that is in the other of two runs what a clicked one is in its own.

use crate::pages::background_tasks::BackgroundTasks;
use crate::trace::{SpanId, Trace, counterpart};
use crate::ui::notices::Notice;

/// A clicked bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clicked {
    /// The number of the comparison in which it was clicked.
    pub(super) asked: u64,
    /// The place of its run: 0 before, 1 after.
    pub(super) side: usize,
    pub(super) span: SpanId,
}

/// Looks for one counterpart at a time, so that many clicks are no more work than the last one.
#[derive(Debug, Default)]
pub(super) struct Counterparts {
    tasks: BackgroundTasks<(Clicked, Option<SpanId>)>,
    /// The newest click, until its counterpart is known.
    wanted: Option<Clicked>,
}

impl Counterparts {
    /// Looks for the counterpart of this bar, and of no other one; of none, nothing is looked for.
    pub(super) fn look_for(&mut self, clicked: Option<Clicked>) {
        self.wanted = clicked;
    }

    /// Goes on with the search. Returns the bar whose search has ended, with its counterpart if there is one.
    ///
    /// # Errors
    /// A message: the search has failed.
    pub(super) fn poll(
        &mut self,
        traces: impl FnOnce() -> [Trace; 2],
        wake: impl Fn() + Send + 'static,
    ) -> Result<Option<(Clicked, Option<SpanId>)>, Notice> {
        let done = self.tasks.poll().pop().transpose();
        let found = match done {
            // Else another one was clicked meanwhile.
            Ok(done) => done.filter(|(clicked, _)| self.wanted == Some(*clicked)),
            Err(notice) => {
                self.wanted = None;
                return Err(notice);
            }
        };
        if found.is_some() {
            self.wanted = None;
        }
        if let Some(clicked) = self.wanted.filter(|_| self.tasks.running() == 0) {
            let [mut trace, mut other] = traces();
            if clicked.side == 1 {
                std::mem::swap(&mut trace, &mut other);
            }
            let work = move || (clicked, counterpart(&trace, &other, clicked.span));
            let started = self.tasks.start("find counterpart", work, wake);
            if let Err(notice) = started {
                self.wanted = None;
                return Err(notice);
            }
        }
        Ok(found)
    }
}
