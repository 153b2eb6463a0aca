use std::sync::Arc;

use crossbeam_channel::Sender;

use super::control::{CoordinatorMessage, send};
use crate::board::backpressure::Backpressure;
use crate::board::event_sender::EventSender;
use crate::jobs::JobSpec;
use crate::join::Context;
use crate::record::{EventKind, ItemId};

/// Finds the items of a job.
pub(super) struct Planner {
    pub(super) spec: Arc<JobSpec>,
    pub(super) events: EventSender,
    pub(super) backpressure: Arc<Backpressure>,
    pub(super) inbox: Sender<CoordinatorMessage>,
}

impl Planner {
    pub(super) fn run(&self, context: &Context) {
        let mut count = 0;
        let job = self.spec.options.job();
        job.plan(&self.spec.inputs, context, &mut |item| {
            self.backpressure.acquire(context);
            let id = ItemId(count);
            count += 1;
            let appeared = EventKind::ItemDidAppear { item: item.clone() };
            self.events.publish(appeared);
            send(&self.inbox, CoordinatorMessage::DidFind(id, item));
        });
    }
}
