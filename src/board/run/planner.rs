use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::Sender;

use super::control::{CoordinatorMessage, send};
use crate::board::backpressure::Backpressure;
use crate::board::event_sender::EventSender;
use crate::board::item_names::ItemNames;
use crate::format;
use crate::jobs::{Item, JobSpec, Plan, pattern};
use crate::join::{Cancelled, Context};
use crate::record::{EventKind, FoundItem, ItemId};

/// The notes of a plan that are kept.
const MAX_NOTES: usize = 100;

/// Finds the items of a job.
pub(super) struct Planner {
    pub(super) spec: Arc<JobSpec>,
    /// The names of the items to be run; `None` for all.
    pub(super) only: Option<Arc<ItemNames>>,
    pub(super) events: EventSender,
    pub(super) backpressure: Arc<Backpressure>,
    pub(super) inbox: Sender<CoordinatorMessage>,
}

impl Planner {
    pub(super) fn run(&self, context: &Context) -> Result<(), Cancelled> {
        let mut plan = BoardPlan {
            planner: self,
            context,
            items: 0,
            notes: 0,
            missing: self
                .only
                .as_ref()
                .map(|only| only.names().clone())
                .unwrap_or_default(),
        };
        let job = self.spec.options.job();
        let given = self.spec.inputs.paths();
        let inputs = pattern::expand(given, context, &mut plan)?;
        // Without inputs a job may do something else, such as to run a command once.
        if given.is_empty() || !inputs.is_empty() {
            job.plan(&inputs, context, &mut plan)?;
        }
        plan.finish();
        Ok(())
    }

    fn publish_note(&self, note: &str) {
        let note = Arc::from(note);
        self.events.publish(EventKind::PlanDidNote { note });
    }
}

/// Passes what a plan finds to the coordinator and to the record.
struct BoardPlan<'a> {
    planner: &'a Planner,
    context: &'a Context,
    items: usize,
    notes: usize,
    /// The names of items that should be run and have not been found yet.
    missing: BTreeSet<PathBuf>,
}

impl Plan for BoardPlan<'_> {
    fn item(&mut self, item: Item) {
        if let Some(only) = &self.planner.only {
            if !only.names().contains(&item.input) {
                return;
            }
            self.missing.remove(&item.input);
        }
        self.planner.backpressure.acquire(self.context);
        let id = ItemId::new(self.items);
        self.items += 1;
        let found = FoundItem::from(&item);
        let appeared = EventKind::ItemDidAppear { item: found };
        self.planner.events.publish(appeared);
        let item = Arc::new(item);
        send(&self.planner.inbox, CoordinatorMessage::DidFind(id, item));
    }

    fn note(&mut self, note: String) {
        self.notes += 1;
        if self.notes <= MAX_NOTES {
            self.planner.publish_note(&note);
        }
    }
}

impl BoardPlan<'_> {
    /// Says what has not been said: that notes are missing, or that there was nothing at all.
    fn finish(&self) {
        if let (Some(first), Some(only)) = (self.missing.first(), &self.planner.only) {
            let missing = format::count(self.missing.len());
            let all = format::plural(only.names().len(), "item", "items");
            let first = format::path(first);
            let note = format!(
                "{missing} of {all} to be run again was not found any more, such as {first}."
            );
            self.planner.publish_note(&note);
        }
        if self.notes > MAX_NOTES {
            let more = format::plural(self.notes - MAX_NOTES, "note is", "notes are");
            self.planner.publish_note(&format!("{more} not shown."));
        } else if self.items == 0 && self.notes == 0 {
            self.planner.publish_note("There was nothing to do.");
        }
    }
}
