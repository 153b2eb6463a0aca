//! Short items that one task runs, one after the other.
//!
//! A task, and the messages about its begin and its end, take as long as the checksum of a short file. So
//! short items of a job that allows it share a task. Its thread publishes how each of them ends, at once. If one
//! takes long all the same, as on a disk that does not answer, those behind it are taken from the task as soon
//! as another thread has nothing to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::board::event_sender::EventSender;
use crate::board::item::ItemOutcome;
use crate::board::long_wait::LongWait;
use crate::board::thread_number::own_thread_number;
use crate::jobs::{Item, ItemError, Job, Output, retry, room};
use crate::join::Context;
use crate::record::{EventKind, ItemId, ItemState};

/// The most items of a batch: a task for as many costs little beside them, and they take some hundred
/// microseconds.
pub(super) const MAX_ITEMS: usize = 32;

/// Items that share a task.
pub(super) struct Batch {
    items: Vec<(ItemId, Arc<Item>)>,
    /// The number of items that the task has begun; all once it is to begin no other.
    begun: AtomicUsize,
    /// The number of items whose end has been published.
    ended: AtomicUsize,
    /// The number of items that the task still has: those behind were taken from it.
    kept: AtomicUsize,
    failed: AtomicBool,
    cancelled: AtomicBool,
}

impl Batch {
    pub(super) fn new(items: Vec<(ItemId, Arc<Item>)>) -> Self {
        Self {
            begun: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
            kept: AtomicUsize::new(items.len()),
            items,
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
        let ended = self.ended.load(Ordering::Acquire);
        &self.items[ended..self.kept.load(Ordering::Relaxed)]
    }

    /// Takes the items that have not begun from the task. Only the coordinator does that.
    pub(super) fn take_waiting(&self) -> &[(ItemId, Arc<Item>)] {
        let kept = self.kept.load(Ordering::Relaxed);
        let begun = self.begun.swap(self.items.len(), Ordering::AcqRel);
        let begun = begun.min(kept);
        self.kept.store(begun, Ordering::Relaxed);
        &self.items[begun..kept]
    }

    /// Whether an item has failed, and whether one has ended as cancelled.
    pub(super) fn ends(&self) -> (bool, bool) {
        let failed = self.failed.load(Ordering::Acquire);
        (failed, self.cancelled.load(Ordering::Acquire))
    }

    /// Runs the items that are not taken from it, up to a cancel.
    pub(super) fn run(
        &self,
        job: &dyn Job,
        events: &EventSender,
        long_wait: &LongWait,
        context: &Context,
    ) -> ItemOutcome {
        while !context.is_cancelled()
            && let Some((id, item)) = self.begin_next()
        {
            self.run_item(*id, item, job, events, long_wait, context);
            self.ended.fetch_add(1, Ordering::Release);
        }
        ItemOutcome::Published
    }

    /// Begins the next item, unless all have begun or were taken.
    fn begin_next(&self) -> Option<&(ItemId, Arc<Item>)> {
        let next = |begun: usize| (begun < self.items.len()).then_some(begun + 1);
        let begun = self
            .begun
            .try_update(Ordering::AcqRel, Ordering::Acquire, next);
        self.items.get(begun.ok()?)
    }

    fn run_item(
        &self,
        id: ItemId,
        item: &Item,
        job: &dyn Job,
        events: &EventSender,
        long_wait: &LongWait,
        context: &Context,
    ) {
        context.set_progress(0, item.bytes);
        let thread = own_thread_number();
        events.publish(EventKind::ItemDidStart { item: id, thread });
        let run = || job.run_item(item, context);
        let shortage =
            |it: &Result<Output, ItemError>| it.as_ref().err().and_then(ItemError::shortage);
        let state = match room::run(context, run, shortage, || long_wait.note()) {
            Ok(Ok(output)) => ItemState::Returned(output),
            Ok(Err(error)) if !error.is_cancel() => {
                self.failed.store(true, Ordering::Release);
                ItemState::Failed(retry::without_room(error))
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::board::event_sender::BoardSignal;
    use crate::jobs::{Plan, Step};
    use crate::join::{self, Cancelled};
    use crate::record::JobId;

    /// A job whose items the system refuses a process at first. No short item of the jobs that there are needs
    /// one.
    #[derive(Default)]
    struct Refused {
        attempts: AtomicUsize,
    }

    impl Job for Refused {
        fn id(&self) -> &'static str {
            "refused"
        }

        fn title(&self) -> &'static str {
            "Refused"
        }

        fn plan(&self, _: &[PathBuf], _: &Context, _: &mut dyn Plan) -> Result<(), Cancelled> {
            Ok(())
        }

        fn run_item(&self, item: &Item, _context: &Context) -> Result<Output, ItemError> {
            // Every second attempt succeeds.
            let before = self.attempts.fetch_add(1, Ordering::Relaxed);
            if before.is_multiple_of(2) {
                return Err(ItemError::new("too_many_processes", "refused"));
            }
            Ok(Output::Text {
                text: item.input.display().to_string(),
            })
        }
    }

    #[test]
    fn items_of_a_shared_task_wait_for_a_process() {
        const ITEMS: usize = 3;
        let items = (0..ITEMS).map(|index| {
            let item = Item {
                input: PathBuf::from(index.to_string()),
                bytes: 1,
                step: Step::Run,
            };
            (ItemId::new(index), Arc::new(item))
        });
        let batch = Arc::new(Batch::new(items.collect()));
        let job = Arc::new(Refused::default());
        let signal = BoardSignal::new(|| ());
        let (sender, events) = EventSender::new(JobId::new(0), &signal);
        let task = join::spawn("batch", {
            let (batch, job) = (batch.clone(), job.clone());
            move |context| {
                let long_wait = LongWait::of_job(sender.clone());
                batch.run(&*job, &sender, &long_wait, context);
            }
        });
        task.expect("a thread").join().expect("no panic");
        let ends = events.into_iter().filter_map(|event| match event.kind {
            EventKind::ItemDidFinish { state, .. } => Some(state),
            _ => None,
        });
        let ends: Vec<_> = ends.collect();
        let has_returned = |state: &ItemState| matches!(state, ItemState::Returned(_));
        assert!(
            ends.len() == ITEMS && ends.iter().all(has_returned),
            "{ends:?}"
        );
        assert_eq!(job.attempts.load(Ordering::Relaxed), 2 * ITEMS);
        assert_eq!(batch.ends(), (false, false));
        assert!(batch.rest().is_empty() && batch.take_waiting().is_empty());
    }
}
