//! Why a job still runs whose join has timed out.

use std::sync::Arc;

use super::JobBoard;
use crate::explain;
use crate::join;
use crate::join::process::Process;
use crate::record::{EventKind, ItemId, JobId, JoinId, WaitCause};

/// At most so many processes of a job are looked at, one after the other.
const MAX_CAUSES: usize = 3;

impl JobBoard {
    /// Looks at some of the processes that run for a job, and says what each waits for. Takes about a
    /// tenth of a second for each of them, so a frame must not call it.
    pub fn wait_causes(&self, job: JobId) -> Vec<WaitCause> {
        causes(self.running_processes(job))
    }

    /// Does the same in the background: the result arrives as [`EventKind::JoinWasExplained`].
    pub(super) fn explain_join(&self, job: JobId, join: JoinId) {
        let processes = self.running_processes(job);
        let Some(entry) = self.jobs.get(&job).filter(|_| !processes.is_empty()) else {
            return;
        };
        let events = entry.events.clone();
        let look = join::Builder::new("explain").daemon(true).spawn(move |_| {
            let causes = causes(processes);
            events.publish(EventKind::JoinWasExplained { join, causes });
            events.wake();
        });
        // Without a thread the join has timed out all the same, and has no explanation.
        drop(look);
    }
}

fn causes(processes: Vec<(ItemId, Process)>) -> Vec<WaitCause> {
    let looked_at = processes.into_iter().take(MAX_CAUSES);
    looked_at
        .filter_map(|(item, process)| {
            let sentence = explain::process(process.pid()).ok()?.sentence();
            Some(WaitCause {
                item,
                sentence: Arc::from(sentence),
            })
        })
        .collect()
}
