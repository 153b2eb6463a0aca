//! Puts what a runtime has said into what was seen.

use super::finding::{Finding, Who};
use super::reader::ProcessReader;
use super::thread::SeenThread;
use crate::graph::{Activity, Deadline};
use crate::runtime::Answer;

/// Adds what an answer says of the threads of a process that is named `name`.
pub(super) fn add(
    answer: &Answer,
    process: &ProcessReader<'_>,
    name: &str,
    threads: &mut [SeenThread],
) {
    if !answer.is_about(process.pid, name) {
        return;
    }
    let (lock, waits) = answer.waits();
    for thread in threads {
        let own = Who::Thread {
            pid: process.pid,
            tid: thread.tid,
        };
        let is_own = |id: &u32| process.thread(*id) == Some(own);
        if let Some((_, place)) = answer.places().iter().find(|(id, _)| is_own(id)) {
            thread.place = Some(super::escaped::escaped(place));
        }
        // It may have got the lock meanwhile.
        let wait = waits.iter().find(|(id, _)| is_own(id));
        let wait = wait.filter(|_| waits_for_anyone(&thread.finding.activity));
        let Some((_, wait)) = wait else { continue };
        let holders = wait.holders.iter();
        let holders: Option<Vec<Who>> = holders
            .map(|id| process.thread_of_any_process(*id))
            .collect();
        let Some(holders) = holders else { continue };
        // A runtime looks at its locks now and then. That is no end of the wait.
        let limit = wait.has_limit.then_some(Deadline::Sometime);
        thread.finding = Finding::awaiting(Activity::Locks(lock), holders).until(limit);
        thread.is_answered = true;
    }
}

/// A runtime waits for its locks by a wait of the system that does not say whom it is for.
fn waits_for_anyone(activity: &Activity) -> bool {
    matches!(
        activity,
        Activity::Woken | Activity::Polls(_) | Activity::Sleeps
    )
}
