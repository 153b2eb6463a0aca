//! A watchdog for a window that says why a frame is late.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::explain::{OwnLook, OwnThread};
use crate::join::SpawnError;
use crate::join::watchdog::{Cause, Incident, Look, Watchdog};

/// Starts a watchdog that looks at the thread which draws while a frame is late.
///
/// # Errors
/// Fails if the system refuses the thread.
pub(crate) fn watchdog(
    limit: Duration,
    on_incident: impl Fn(Incident) + Send + 'static,
) -> Result<Watchdog, SpawnError> {
    let mut thread = None;
    let on_look = move |look: Look| {
        let id = look.thread?;
        if look.is_first {
            thread = Some(OwnThread::new(id));
        }
        cause(thread.as_mut()?.look()?, id)
    };
    Watchdog::with_cause(limit, on_look, on_incident)
}

/// Returns what the thread `id` did for most of the time between two looks. What is not clear is not said.
fn cause(look: OwnLook, id: u32) -> Option<(Cause, Duration)> {
    let busy = look.ran + look.ready;
    if look.ready >= look.elapsed * 2 / 3 {
        Some((Cause::Starved(rivals(id).in_words()), busy))
    } else if busy >= look.elapsed / 2 {
        // It shares a processor.
        Some((Cause::Computes, busy))
    } else {
        let wait = look.wait?;
        let (what, because) = if wait.is_for_unknown() && rivals(id).are_many() {
            // The one that it waits for has to wait for a processor, too.
            let what =
                "waits for another thread, while too many threads of this program want to run";
            (what.to_owned(), None)
        } else {
            (wait.what, wait.because)
        };
        let cause = Cause::Waits { what, because };
        Some((cause, look.elapsed.saturating_sub(busy)))
    }
}

/// The names of the threads of this program that could run, without two.
struct Rivals {
    names: Vec<String>,
    processors: usize,
}

/// Returns who has the processors that the thread `id` would need.
fn rivals(id: u32) -> Rivals {
    let threads = fs::read_dir("/proc/self/task");
    let stats = threads.into_iter().flatten().flatten().filter_map(|task| {
        let stat = fs::read_to_string(task.path().join("stat")).ok()?;
        let own = [Some(id), looking()];
        let is_other = !own.contains(&task.file_name().to_str()?.parse().ok());
        // `TID (NAME) STATE …`; the name may have anything in it.
        let (begin, rest) = stat.rsplit_once(") ")?;
        let name = begin.split_once('(')?.1.to_owned();
        (is_other && rest.starts_with('R')).then_some(name)
    });
    Rivals {
        names: stats.collect(),
        processors: thread::available_parallelism().map_or(1, usize::from),
    }
}

impl Rivals {
    fn are_many(&self) -> bool {
        self.names.len() >= 4 * self.processors
    }

    fn in_words(&self) -> String {
        match (self.names.first(), self.names.len()) {
            // They leave a processor to others.
            (_, count) if count < self.processors => "other programs".to_owned(),
            (Some(name), 1) => format!("thread `{}`", name.escape_debug()),
            (Some(name), count) if self.names.iter().all(|other| other == name) => {
                format!("{count} threads `{}`", name.escape_debug())
            }
            (_, count) => format!("{count} other threads of this program"),
        }
    }
}

/// The id of this thread, which runs because it looks.
fn looking() -> Option<u32> {
    let link = fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}
