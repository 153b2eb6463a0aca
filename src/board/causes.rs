//! Why a job still runs whose join has timed out: what its processes wait for, or the threads of its items.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::JobBoard;
use super::run::Control;
use crate::explain::{self, OwnThread};
use crate::join;
use crate::join::process::Process;
use crate::record::{EventKind, ItemId, JobId, JoinId, ThreadNumber, WaitCause};

/// At most so many processes or threads of a job are looked at, one after the other.
const MAX_CAUSES: usize = 3;
/// The time between two looks at a thread. What is the same at both is what it waits for.
const INTERVAL: Duration = Duration::from_millis(100);

impl JobBoard {
    /// Looks at some of the processes that run for a job, or of the threads that run its items, and says what each
    /// waits for. Takes about a tenth of a second for each of them, so a frame must not call it.
    pub fn wait_causes(&self, job: JobId) -> Vec<WaitCause> {
        let control = self.jobs.get(&job).map(|entry| &*entry.control);
        control.map_or_else(Vec::new, |control| {
            causes(self.running_processes(job), control)
        })
    }

    /// Does the same in the background: the result arrives as [`EventKind::JoinWasExplained`].
    pub(super) fn explain_join(&self, job: JobId, join: JoinId) {
        let processes = self.running_processes(job);
        let Some(entry) = self.jobs.get(&job) else {
            return;
        };
        let (events, control) = (entry.events.clone(), Arc::clone(&entry.control));
        let look = join::Builder::new("explain").daemon(true).spawn(move |_| {
            let causes = causes(processes, &control);
            if !causes.is_empty() {
                events.publish(EventKind::JoinWasExplained { join, causes });
                events.wake();
            }
        });
        // Without a thread for it, the join has timed out all the same, and has no explanation.
        drop(look);
    }
}

fn causes(processes: Vec<(ItemId, Process)>, control: &Control) -> Vec<WaitCause> {
    if processes.is_empty() {
        let threads = control.running_threads().into_iter().take(MAX_CAUSES);
        return threads
            .filter_map(|(item, thread)| thread_cause(item, thread))
            .collect();
    }
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

#[expect(
    clippy::disallowed_methods,
    reason = "no frame looks, and a look is short"
)]
fn thread_cause(item: ItemId, number: ThreadNumber) -> Option<WaitCause> {
    let mut looked_at = OwnThread::new(u32::try_from(number.get()).ok()?);
    looked_at.look();
    thread::sleep(INTERVAL);
    // That another thread has to wake it explains nothing.
    let wait = looked_at
        .look()?
        .wait
        .filter(|wait| !wait.is_for_unknown())?;
    let because = wait
        .because
        .map_or_else(String::new, |because| format!(", which {because}"));
    let sentence = format!("its thread {}{because}.", wait.what);
    Some(WaitCause {
        item,
        sentence: Arc::from(sentence),
    })
}
