//! The spans of instrumented code, by the task that it ran in, for the feature `tracing-layer`.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::current::current;
use super::id::TaskId;
use super::sync::lock;

/// Records when the spans of `tracing` were entered and left, and in which task.
///
/// Its [`layer`](Self::layer) is added to the subscriber of the program. Then all code that opens spans is recorded, be it
/// that of the program or of a library: code in a task by that task, all other by its thread. A span that is entered
/// several times, such as that of a future, is recorded each time. One that is still open is recorded when it is left.
/// The spans of this library are recorded, too: that of a task, which is called `task`, is around all that it does, and
/// those of its waits are called `wait`.
///
/// It keeps as many spans as it was made for, and counts the others. All handles of one recorder are of the same spans.
///
/// ```
/// use meanwhile_join::{self as join, SpanRecorder};
/// use tracing_subscriber::prelude::*;
///
/// let recorder = SpanRecorder::new(100_000);
/// let subscriber = tracing_subscriber::registry().with(recorder.layer());
/// let recorded = tracing::subscriber::with_default(subscriber, || {
///     let _outer = tracing::info_span!("outer").entered();
///     drop(tracing::info_span!("inner").entered());
/// });
/// let recorded = recorder.take();
/// let spans = recorded.lanes[0].spans.iter();
/// assert_eq!(spans.map(|span| (span.name, span.depth)).collect::<Vec<_>>(), [("outer", 0), ("inner", 1)]);
/// ```
#[derive(Clone)]
pub struct SpanRecorder {
    shared: Arc<Shared>,
}

/// The layer of a [`SpanRecorder`].
pub struct SpanLayer {
    shared: Arc<Shared>,
}

/// What a [`SpanRecorder`] has recorded.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RecordedSpans {
    /// A lane for each task, and for each thread with spans outside of tasks, in the order of their first spans.
    pub lanes: Vec<SpanLane>,
    /// The number of spans that there was no room for.
    pub dropped: u64,
}

/// The spans of one task, or of a thread outside of tasks.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SpanLane {
    /// The name of the task, or of the thread.
    pub name: String,
    /// The task; `None` for a thread outside of tasks.
    pub task: Option<TaskId>,
    /// In the order of their begins. They lie in each other or follow each other.
    pub spans: Vec<RecordedSpan>,
}

/// A time that a thread was in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedSpan {
    /// Its name in the code.
    pub name: &'static str,
    /// The number of spans of its lane that it lies in.
    pub depth: usize,
    /// When it was entered, since the recorder was made.
    pub began: Duration,
    /// When it was left.
    pub ended: Duration,
}

struct Shared {
    made: Instant,
    max_spans: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    lanes: Vec<SpanLane>,
    places: HashMap<Place, usize>,
    spans: usize,
    dropped: u64,
}

/// Whose lane it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    Task(TaskId),
    Thread(ThreadId),
}

/// The threads that are in a span. Several recorders may share it.
struct Entered(Vec<Entry>);

struct Entry {
    /// The address of what the layer shares with its recorder.
    recorder: usize,
    thread: ThreadId,
    place: Place,
    began: Instant,
}

/// The task that a span of this library is of.
struct TaskSpan {
    id: TaskId,
    name: String,
}

impl SpanRecorder {
    /// Makes a recorder that keeps so many spans.
    pub fn new(max_spans: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                made: Instant::now(),
                max_spans,
                state: Mutex::default(),
            }),
        }
    }

    /// Returns a layer for the subscriber of the program.
    #[must_use]
    pub fn layer(&self) -> SpanLayer {
        SpanLayer {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Takes what was recorded so far. There is room again for as many spans.
    #[must_use]
    pub fn take(&self) -> RecordedSpans {
        let State {
            mut lanes, dropped, ..
        } = std::mem::take(&mut *lock(&self.shared.state));
        for lane in &mut lanes {
            put_in_order(&mut lane.spans);
        }
        lanes.sort_by_key(|lane| lane.spans.first().map(|span| span.began));
        RecordedSpans { lanes, dropped }
    }
}

/// Sorts spans, which are in the order of their ends, and finds their depths.
fn put_in_order(spans: &mut [RecordedSpan]) {
    // Of those that begin and end together, the one that ended later is around the others.
    spans.reverse();
    spans.sort_by_key(|span| (span.began, Reverse(span.ended)));
    let mut around: Vec<Duration> = Vec::new();
    for span in spans {
        while around.last().is_some_and(|end| *end < span.ended) {
            around.pop();
        }
        span.depth = around.len();
        around.push(span.ended);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !is_of_a_task(attributes.metadata()) {
            return;
        }
        let mut task = TaskVisitor::default();
        attributes.record(&mut task);
        if let (Some(id_of_task), Some(name), Some(span)) = (task.id, task.name, context.span(id)) {
            // Another recorder may have noted it.
            span.extensions_mut().replace(TaskSpan {
                id: TaskId::new(id_of_task),
                name,
            });
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let thread = std::thread::current().id();
        let mut extensions = span.extensions_mut();
        let task = extensions.get_mut::<TaskSpan>().map(|task| task.id);
        let entry = Entry {
            recorder: self.address(),
            thread,
            place: task
                .or_else(current)
                .map_or(Place::Thread(thread), Place::Task),
            began: Instant::now(),
        };
        match extensions.get_mut::<Entered>() {
            Some(entered) => entered.0.push(entry),
            None => extensions.insert(Entered(vec![entry])),
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let ended = Instant::now();
        let Some(span) = context.span(id) else {
            return;
        };
        let thread = std::thread::current().id();
        let is_own = |entry: &Entry| entry.recorder == self.address() && entry.thread == thread;
        let entry = {
            let mut extensions = span.extensions_mut();
            extensions.get_mut::<Entered>().and_then(|entered| {
                let place = entered.0.iter().rposition(is_own)?;
                Some(entered.0.swap_remove(place))
            })
        };
        let Some(entry) = entry else {
            return;
        };
        let since = |at: Instant| at.saturating_duration_since(self.shared.made);
        let recorded = RecordedSpan {
            name: span.name(),
            depth: 0,
            began: since(entry.began),
            ended: since(ended),
        };
        let name_of_task = || {
            let mut scope = span.scope();
            scope.find_map(|span| Some(span.extensions().get::<TaskSpan>()?.name.clone()))
        };
        self.shared.add(entry.place, recorded, name_of_task);
    }
}

impl SpanLayer {
    fn address(&self) -> usize {
        Arc::as_ptr(&self.shared).addr()
    }
}

impl Shared {
    fn add(&self, place: Place, span: RecordedSpan, name_of_task: impl FnOnce() -> Option<String>) {
        let mut state = lock(&self.state);
        let State {
            lanes,
            places,
            spans,
            dropped,
        } = &mut *state;
        if *spans == self.max_spans {
            *dropped += 1;
            return;
        }
        *spans += 1;
        let lane = *places.entry(place).or_insert_with(|| {
            lanes.push(SpanLane {
                name: match place {
                    Place::Task(id) => name_of_task().unwrap_or_else(|| format!("task {id}")),
                    Place::Thread(id) => name_of_thread(id),
                },
                task: match place {
                    Place::Task(id) => Some(id),
                    Place::Thread(_) => None,
                },
                spans: Vec::new(),
            });
            lanes.len() - 1
        });
        lanes[lane].spans.push(span);
    }
}

/// The name of this thread.
fn name_of_thread(id: ThreadId) -> String {
    let name = std::thread::current().name().map(str::to_owned);
    name.unwrap_or_else(|| format!("{id:?}"))
}

/// Whether a span is that which this library opens around a task.
fn is_of_a_task(metadata: &Metadata<'_>) -> bool {
    metadata.name() == "task" && metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
}

/// Reads the fields of the span of a task.
#[derive(Default)]
struct TaskVisitor {
    id: Option<u64>,
    name: Option<String>,
}

impl Visit for TaskVisitor {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "id" {
            self.id = Some(value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "name" {
            self.name = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl fmt::Debug for SpanRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spans = lock(&self.shared.state).spans;
        let mut shown = f.debug_struct("SpanRecorder");
        shown.field("spans", &spans).finish_non_exhaustive()
    }
}

impl fmt::Debug for SpanLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanLayer").finish_non_exhaustive()
    }
}
