//! Sorts and filters the results in a task, so that no frame has to.

use std::cmp::Ordering as Cmp;
use std::sync::Arc;
use std::time::Duration;

use super::result_text::result_text;
use super::{Column, Only, Order, ResultsState, ShownRows, Sort};
use crate::join::{self, Cancelled, Context, Priority, Task, cancellable};
use crate::record::{ItemRecord, Items, JobId, JobRecord};
use crate::ui::status_style::item_word;

/// The interval at which the order is updated while a job runs.
const REFRESH_INTERVAL: Duration = Duration::from_millis(500);

/// Keeps the order of the results table up to date.
#[derive(Debug, Default)]
pub(super) struct Ordering {
    request: OrderRequest,
    /// The revision of the job that the newest order is computed from.
    revision: u64,
    started_at: Duration,
    task: Option<Task<Result<Arc<ShownRows>, Cancelled>>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct OrderRequest {
    job: Option<JobId>,
    filter: String,
    only: Option<Only>,
    sort: Option<Sort>,
}

impl OrderRequest {
    /// Whether all items are shown as planning found them.
    fn is_as_found(&self) -> bool {
        self.filter.is_empty() && self.only.is_none() && self.sort.is_none()
    }

    fn shows(&self, item: &ItemRecord) -> bool {
        self.only.is_none_or(|only| only.shows(item))
            && (self.filter.is_empty() || contains(item, &self.filter))
    }
}

impl Ordering {
    /// Puts a finished order into the state, and starts the next one if it is needed. Returns the
    /// time until the next call is due.
    pub(super) fn update(
        &mut self,
        job: Option<&JobRecord>,
        state: &mut ResultsState,
        now: Duration,
        wake: impl Fn() + Send + 'static,
    ) -> Option<Duration> {
        let request = OrderRequest {
            job: job.map(JobRecord::id),
            filter: state.filter.trim().to_lowercase(),
            only: state.only,
            sort: state.sort,
        };
        let is_new = request != self.request;
        if is_new {
            self.abandon();
            if request.job != self.request.job {
                state.order = Order::AsFound;
            }
            self.request = request;
        }
        self.take_result(state);
        let again = self.start_if_due(job, state, now, is_new, wake);
        state.computing = self.task.is_some() && is_new | state.computing;
        again
    }

    /// Cancels the computation of an order that is out of date.
    fn abandon(&mut self) {
        if let Some(task) = self.task.take() {
            task.cancel();
        }
    }

    fn take_result(&mut self, state: &mut ResultsState) {
        let Some(result) = self.task.as_ref().and_then(Task::poll) else {
            return;
        };
        if let Ok(Ok(rows)) = result {
            state.order = Order::Rows(Arc::clone(rows));
            state.selection.keep_shown(rows.places());
        }
        self.task = None;
        state.computing = false;
    }

    fn start_if_due(
        &mut self,
        job: Option<&JobRecord>,
        state: &mut ResultsState,
        now: Duration,
        is_new: bool,
        wake: impl Fn() + Send + 'static,
    ) -> Option<Duration> {
        let job = job?;
        if self.request.is_as_found() {
            state.order = Order::AsFound;
            return None;
        }
        let is_stale = is_new || job.revision() != self.revision;
        if !is_stale || self.task.is_some() {
            return None;
        }
        let age = now.saturating_sub(self.started_at);
        let early = REFRESH_INTERVAL.saturating_sub(age);
        if !is_new && !early.is_zero() {
            return Some(early);
        }
        self.revision = job.revision();
        self.started_at = now;
        let (items, request) = (job.items().clone(), self.request.clone());
        self.task = join::Builder::new("sort results")
            .daemon(true)
            .priority(Priority::Background)
            .spawn(cancellable(move |context| {
                rows(&items, &request, now, context)
            }))
            .ok();
        if let Some(task) = &self.task {
            task.on_finish(wake);
        }
        None
    }
}

fn rows(
    items: &Items,
    request: &OrderRequest,
    now: Duration,
    context: &Context,
) -> Result<Arc<ShownRows>, Cancelled> {
    let mut rows = Vec::new();
    for (index, item) in items.iter().enumerate() {
        if index.is_multiple_of(1024) {
            context.check()?;
        }
        if request.shows(item) {
            rows.push(u32::try_from(index).expect("a job has fewer than 2³² items"));
        }
    }
    if let Some(sort) = request.sort {
        sort_rows(&mut rows, items, sort, now, context)?;
    }
    Ok(Arc::new(ShownRows::new(rows)))
}

fn contains(item: &ItemRecord, filter: &str) -> bool {
    item.state.title().contains(filter)
        || item_word(item).to_lowercase().contains(filter)
        || item.input.to_string_lossy().to_lowercase().contains(filter)
        || result_text(item).to_lowercase().contains(filter)
}

fn sort_rows(
    rows: &mut [u32],
    items: &Items,
    sort: Sort,
    now: Duration,
    context: &Context,
) -> Result<(), Cancelled> {
    let item = |row: u32| &items[row as usize];
    match sort.column {
        // Failed items stay together, whatever the words for their processes.
        Column::State => sort_by_key(rows, sort, context, |row| {
            (item(row).state.label(), item_word(item(row)))
        }),
        Column::Name => sort_by_key(rows, sort, context, |row| &item(row).input),
        Column::Size => sort_by_key(rows, sort, context, |row| {
            item(row).total.max(item(row).done)
        }),
        Column::Result => sort_by_key(rows, sort, context, |row| result_text(item(row))),
        Column::Time => sort_by_key(rows, sort, context, |row| item(row).elapsed(now)),
    }
}

/// Makes each key once. Rows with equal keys keep the order of planning in both directions.
fn sort_by_key<K: Ord>(
    rows: &mut [u32],
    sort: Sort,
    context: &Context,
    key: impl Fn(u32) -> K,
) -> Result<(), Cancelled> {
    let mut keyed: Vec<(K, u32)> = rows.iter().map(|&row| (key(row), row)).collect();
    context.check()?;
    let directed = |order: Cmp| {
        if sort.descending {
            order.reverse()
        } else {
            order
        }
    };
    keyed.sort_by(|(a, _), (b, _)| directed(a.cmp(b)));
    for (row, (_, sorted)) in rows.iter_mut().zip(keyed) {
        *row = sorted;
    }
    Ok(())
}
