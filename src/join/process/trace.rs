//! Spans of `tracing` for processes, with the feature `tracing`. Without it, nothing here does
//! anything.

#[cfg(not(feature = "tracing"))]
pub(super) use self::off::{ProcessSpan, in_current_span};
#[cfg(feature = "tracing")]
pub(super) use self::on::{ProcessSpan, in_current_span};

#[cfg(feature = "tracing")]
mod on {
    use std::fmt::Display;
    use std::sync::Mutex;

    use tracing::field::{Empty, display};
    use tracing::{Span, debug_span};

    use super::super::super::sync::lock;

    /// The span of a process, until that has ended.
    pub(in super::super) struct ProcessSpan(Mutex<Span>);

    impl ProcessSpan {
        pub(in super::super) fn new(name: &str, pid: u32) -> Self {
            Self(Mutex::new(debug_span!("process", name, pid, exit = Empty)))
        }

        pub(in super::super) fn end(&self, exit: impl Display) {
            let span = std::mem::replace(&mut *lock(&self.0), Span::none());
            span.record("exit", display(exit));
        }
    }

    /// Returns a closure that runs `f` in the span of the calling thread.
    pub(in super::super) fn in_current_span<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
        let span = Span::current();
        move || span.in_scope(f)
    }
}

#[cfg(not(feature = "tracing"))]
mod off {
    use std::fmt::Display;

    pub(in super::super) struct ProcessSpan;

    impl ProcessSpan {
        pub(in super::super) fn new(_name: &str, _pid: u32) -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "as with the feature")]
        pub(in super::super) fn end(&self, _exit: impl Display) {}
    }

    pub(in super::super) fn in_current_span<R>(f: impl FnOnce() -> R) -> impl FnOnce() -> R {
        f
    }
}
