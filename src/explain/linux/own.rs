//! Looks at one thread of this process again and again.

use std::process;
use std::time::Instant;

use super::merge;
use super::snapshot::Snapshot;
use crate::graph::{Activity, ThreadIndex};
use crate::own::{OwnLook, OwnWait};

/// The looks at one thread of this process.
#[derive(Debug)]
pub(crate) struct Looks {
    tid: u32,
    before: Option<(Snapshot, Instant)>,
}

impl Looks {
    pub(crate) fn new(tid: u32) -> Self {
        Self { tid, before: None }
    }

    pub(crate) fn look(&mut self) -> Option<OwnLook> {
        let before = self.before.take();
        let earlier = before.as_ref().map(|(snapshot, _)| snapshot);
        let after = Snapshot::of_thread(process::id(), self.tid, earlier)?;
        let at = Instant::now();
        let look = before.and_then(|(before, began)| {
            let elapsed = at.duration_since(began);
            let (first, last) = (before.first_thread()?, after.first_thread()?);
            let [ran, ready] = last.schedule.since(first.schedule);
            let goes_on =
                waits(&last.finding.activity) && first.finding.is_same_wait(&last.finding);
            let graph = goes_on.then(|| merge::graph(&before, after.clone(), elapsed));
            let wait = graph.map(|graph| {
                let mut phrases = graph.words().brief_chain(ThreadIndex(0)).into_iter();
                let what = phrases.next().unwrap_or_default();
                let rest: Vec<String> = phrases.collect();
                let because = (!rest.is_empty()).then(|| rest.join(", which "));
                let is_unknown = last.finding.activity == Activity::Woken;
                OwnWait {
                    what,
                    is_unknown,
                    because,
                }
            });
            Some(OwnLook {
                elapsed,
                ran,
                ready,
                wait,
            })
        });
        self.before = Some((after, at));
        look
    }
}

fn waits(activity: &Activity) -> bool {
    !matches!(
        activity,
        Activity::Computes
            | Activity::Starved
            | Activity::Stopped
            | Activity::StoppedByTerminal
            | Activity::Traced
            | Activity::Frozen
            | Activity::Ended
            | Activity::NotPermitted
    )
}
