//! A subscriber that keeps all spans of the test binary.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_core::span::Current;

/// A span, as it was when it was asked for.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) id: u64,
    pub(super) parent: Option<u64>,
    pub(super) is_open: bool,
    metadata: &'static Metadata<'static>,
    handles: u32,
    fields: BTreeMap<&'static str, String>,
}

impl Span {
    pub(super) fn field(&self, name: &str) -> Option<String> {
        self.fields.get(name).cloned()
    }
}

impl Visit for Span {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

/// The spans with the ids 1, 2, …
static SPANS: Mutex<Vec<Span>> = Mutex::new(Vec::new());

thread_local! {
    static ENTERED: RefCell<Vec<Id>> = const { RefCell::new(Vec::new()) };
}

/// Has all spans of this process collected from now on.
pub(super) fn collect() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Collector).expect("the first one"));
}

/// The spans of this kind in which this field has this value, oldest first.
pub(super) fn spans(kind: &str, field: &str, value: &str) -> Vec<Span> {
    let spans = lock();
    let is_wanted =
        |span: &&Span| span.metadata.name() == kind && span.field(field).as_deref() == Some(value);
    spans.iter().filter(is_wanted).cloned().collect()
}

pub(super) fn only_span(kind: &str, field: &str, value: &str) -> Span {
    let mut found = spans(kind, field, value);
    assert_eq!(found.len(), 1, "{kind} with {field} = {value}: {found:?}");
    found.remove(0)
}

fn lock() -> MutexGuard<'static, Vec<Span>> {
    SPANS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn index(id: &Id) -> usize {
    usize::try_from(id.into_u64()).expect("a small number") - 1
}

fn current() -> Option<Id> {
    ENTERED.with_borrow(|entered| entered.last().cloned())
}

struct Collector;

impl Subscriber for Collector {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let parent = match attributes.parent() {
            None if attributes.is_contextual() => current(),
            parent => parent.cloned(),
        };
        let mut spans = lock();
        let id = spans.len() as u64 + 1;
        let mut span = Span {
            id,
            parent: parent.map(|id| id.into_u64()),
            is_open: true,
            metadata: attributes.metadata(),
            handles: 1,
            fields: BTreeMap::new(),
        };
        attributes.record(&mut span);
        spans.push(span);
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        values.record(&mut lock()[index(id)]);
    }

    fn record_follows_from(&self, _id: &Id, _follows: &Id) {}

    fn event(&self, _event: &Event<'_>) {}

    fn enter(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(id.clone()));
    }

    fn exit(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| {
            let last = entered.pop();
            assert_eq!(last.as_ref(), Some(id), "spans are left in order");
        });
    }

    fn current_span(&self) -> Current {
        match current() {
            Some(id) => {
                let metadata = lock()[index(&id)].metadata;
                Current::new(id, metadata)
            }
            None => Current::none(),
        }
    }

    fn clone_span(&self, id: &Id) -> Id {
        lock()[index(id)].handles += 1;
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut spans = lock();
        let span = &mut spans[index(&id)];
        span.handles -= 1;
        span.is_open = span.handles > 0;
        !span.is_open
    }
}
