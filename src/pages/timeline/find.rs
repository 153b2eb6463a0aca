//! The search for spans by their names.

use crate::trace::{Search, SearchStep, SpanId, Trace};

/// A frame looks at so many spans.
const SPANS_PER_FRAME: usize = 10_000;

/// What is searched, and how far that is.
#[derive(Debug, Default)]
pub(super) struct Find {
    pub(super) text: String,
    search: Option<Search>,
    finds_none: bool,
    /// Whether the next frame gives the field the keyboard.
    pub(super) takes_keyboard: bool,
}

impl Find {
    /// Begins to look for the next span with the text, or for the one before.
    pub(super) fn start(&mut self, from: Option<SpanId>, goes_back: bool) {
        self.finds_none = false;
        self.search = Some(Search::new(&self.text, from, goes_back));
    }

    /// Ends the search, as after a change of the text or of the trace.
    pub(super) fn stop(&mut self) {
        self.search = None;
        self.finds_none = false;
    }

    /// Goes on with the search. Returns the span that it has found.
    pub(super) fn go_on(&mut self, trace: &Trace) -> Option<SpanId> {
        let step = self.search.as_mut()?.go_on(trace, SPANS_PER_FRAME);
        if step != SearchStep::GoesOn {
            self.search = None;
        }
        self.finds_none = step == SearchStep::Nothing;
        match step {
            SearchStep::Found(span) => Some(span),
            SearchStep::Nothing | SearchStep::GoesOn => None,
        }
    }

    pub(super) fn is_searching(&self) -> bool {
        self.search.is_some()
    }

    /// What there is to say beside the field.
    pub(super) fn status(&self) -> Option<&'static str> {
        if self.is_searching() {
            Some("searching…")
        } else {
            self.finds_none.then_some("no bar has that name")
        }
    }
}
