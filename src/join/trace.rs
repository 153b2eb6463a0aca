//! Spans of `tracing` for tasks and waits, with the feature `tracing`. Without it, nothing here does
//! anything.

#[cfg(not(all(feature = "tracing", not(loom))))]
pub(crate) use self::off::{Spawner, WaitSpan};
#[cfg(all(feature = "tracing", not(loom)))]
pub(crate) use self::on::{Spawner, WaitSpan};

/// Whether there are spans.
pub(crate) const IS_ON: bool = cfg!(all(feature = "tracing", not(loom)));

#[cfg(all(feature = "tracing", not(loom)))]
mod on {
    use std::fmt::Display;

    use tracing::field::Empty;
    use tracing::span::EnteredSpan;
    use tracing::{Span, debug_span};

    /// The span in which a task is spawned.
    pub(crate) struct Spawner(Span);

    impl Spawner {
        pub(crate) fn current() -> Self {
            Self(Span::current())
        }

        /// Runs a task in a span of its own, a child of this one.
        pub(crate) fn run_task<R>(
            self,
            name: &str,
            id: u64,
            pool: Option<u64>,
            run: impl FnOnce() -> R,
            outcome: fn(&R) -> &'static str,
        ) -> R {
            let parent = &self.0;
            let span = debug_span!(parent: parent, "task", name, id, pool, outcome = Empty);
            let ended = span.in_scope(run);
            span.record("outcome", outcome(&ended));
            ended
        }
    }

    /// The span of a wait, in which the waiting thread is.
    pub(crate) struct WaitSpan(EnteredSpan);

    impl WaitSpan {
        pub(crate) fn enter(target: &impl Display) -> Self {
            Self(debug_span!("wait", %target, outcome = Empty).entered())
        }

        pub(crate) fn set_outcome(&self, outcome: impl FnOnce() -> &'static str) {
            if !self.0.is_disabled() {
                self.0.record("outcome", outcome());
            }
        }
    }
}

#[cfg(not(all(feature = "tracing", not(loom))))]
#[expect(clippy::unused_self, reason = "as with the feature")]
mod off {
    use std::fmt::Display;

    pub(crate) struct Spawner;

    impl Spawner {
        pub(crate) fn current() -> Self {
            Self
        }

        pub(crate) fn run_task<R>(
            self,
            _name: &str,
            _id: u64,
            _pool: Option<u64>,
            run: impl FnOnce() -> R,
            _outcome: fn(&R) -> &'static str,
        ) -> R {
            run()
        }
    }

    pub(crate) struct WaitSpan;

    impl WaitSpan {
        pub(crate) fn enter(_target: &impl Display) -> Self {
            Self
        }

        pub(crate) fn set_outcome(&self, _outcome: impl FnOnce() -> &'static str) {}
    }
}
