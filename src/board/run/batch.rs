//! Short items that one task runs, one after the other.
//!
//! A task, and the messages about its begin and its end, take as long as the checksum of a short file. So
//! short items of a job that allows it share a task. Its thread publishes how each of them ends, at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::board::event_sender::EventSender;
use crate::board::item::ItemOutcome;
use crate::jobs::{Item, ItemError, Job, Output, room};
use crate::join::Context;
use crate::record::{EventKind, ItemId, ItemState};

/// The most items of a batch: a task for as many costs little beside them, and they take some hundred
/// microseconds.
pub(super) const MAX_ITEMS: usize = 32;

/// Items that share a task.
pub(super) struct Batch {
    items: Vec<(ItemId, Arc<Item>)>,
    /// The number of items whose end has been published.
    ended: AtomicUsize,
    failed: AtomicBool,
    cancelled: AtomicBool,
}

impl Batch {
    pub(super) fn new(items: Vec<(ItemId, Arc<Item>)>) -> Self {
        Self {
            items,
            ended: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
        }
    }

    pub(super) fn items(&self) -> &[(ItemId, Arc<Item>)] {
        &self.items
    }

    /// The items whose end has not been published. Once the task has ended by a panic, the first of them
    /// has panicked.
    pub(super) fn rest(&self) -> &[(ItemId, Arc<Item>)] {
        &self.items[self.ended.load(Ordering::Acquire)..]
    }

    /// Whether an item has failed, and whether one has ended as cancelled.
    pub(super) fn ends(&self) -> (bool, bool) {
        let failed = self.failed.load(Ordering::Acquire);
        (failed, self.cancelled.load(Ordering::Acquire))
    }

    /// Runs the items up to a cancel.
    pub(super) fn run(
        &self,
        job: &dyn Job,
        events: &EventSender,
        context: &Context,
    ) -> ItemOutcome {
        for (number, (id, item)) in self.items.iter().enumerate() {
            if context.is_cancelled() {
                return ItemOutcome::Cancelled;
            }
            self.run_item(*id, item, job, events, context);
            self.ended.store(number + 1, Ordering::Release);
        }
        ItemOutcome::Published
    }

    fn run_item(
        &self,
        id: ItemId,
        item: &Item,
        job: &dyn Job,
        events: &EventSender,
        context: &Context,
    ) {
        context.set_progress(0, item.bytes);
        events.publish(EventKind::ItemDidStart { item: id });
        let is_refused =
            |it: &Result<Output, ItemError>| it.as_ref().is_err_and(ItemError::is_refusal);
        let state = match room::run(context, || job.run_item(item, context), is_refused) {
            Ok(Ok(output)) => ItemState::Returned(output),
            Ok(Err(error)) if !error.is_cancel() => {
                self.failed.store(true, Ordering::Release);
                ItemState::Failed(error)
            }
            Ok(Err(_)) | Err(_) => {
                self.cancelled.store(true, Ordering::Release);
                ItemState::Cancelled
            }
        };
        let progress = context.progress();
        let (done, total) = (progress.done, progress.total);
        if total > 0 && total != item.bytes {
            events.publish(EventKind::ItemDidProgress {
                item: id,
                done,
                total,
            });
        }
        events.publish(EventKind::ItemDidFinish { item: id, state });
    }
}
