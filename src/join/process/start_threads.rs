//! The threads for starts that may hang.
//!
//! To start a thread takes a tenth as long as to start a command. So a thread whose start has ended waits a
//! while for the next one.

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::super::priority::{Priority, spawn_thread};
use super::super::sync::lock;
use super::ahead::processors;

/// What a thread does: one start, which does not panic.
pub(super) type Start = Box<dyn FnOnce() + Send>;

/// The time for which a thread waits for the next start.
const IDLE_TIME: Duration = Duration::from_secs(10);

/// The name of the threads.
const NAME: &str = "starts commands";

/// Threads that serve starts of commands. Each command gets its priority otherwise, and nothing else from
/// the thread in which its start runs.
pub(super) struct StartThreads(Mutex<Vec<Idle>>);

/// A thread that waits for a start.
struct Idle {
    priority: Priority,
    mailbox: Sender<Start>,
}

impl StartThreads {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Runs `start` on a thread with this priority, without waiting for it: on one that waits, otherwise on
    /// a new one.
    ///
    /// # Errors
    /// The system refused the thread.
    pub(super) fn run(&'static self, priority: Priority, start: Start) -> io::Result<()> {
        let start = match self.take(priority) {
            // It receives, because it does not end before it has taken itself off the list.
            Some(idle) => match idle.mailbox.send(start) {
                Ok(()) => return Ok(()),
                Err(unsent) => unsent.into_inner(),
            },
            None => start,
        };
        let thread = std::thread::Builder::new().name(NAME.to_owned());
        spawn_thread(thread, priority, move || {
            start();
            self.serve(priority);
        })
    }

    fn take(&self, priority: Priority) -> Option<Idle> {
        let mut idle = lock(&self.0);
        // The one that has waited for the shortest time: its memory is still in the caches.
        let at = idle.iter().rposition(|idle| idle.priority == priority)?;
        Some(idle.remove(at))
    }

    /// Runs starts until none comes for a while, or as many threads of this priority wait as there are
    /// processors.
    fn serve(&self, priority: Priority) {
        let (mailbox, inbox) = crossbeam_channel::bounded(1);
        while self.add(priority, &mailbox) {
            match self.next(&mailbox, &inbox) {
                Some(start) => start(),
                None => return,
            }
        }
    }

    /// Adds this thread to those that wait, unless enough do.
    fn add(&self, priority: Priority, mailbox: &Sender<Start>) -> bool {
        let mut idle = lock(&self.0);
        let same = idle.iter().filter(|idle| idle.priority == priority);
        let is_needed = same.count() < processors();
        if is_needed {
            let mailbox = mailbox.clone();
            idle.push(Idle { priority, mailbox });
        }
        is_needed
    }

    /// Waits for a start. Returns `None` if there came none, and takes this thread off the list.
    #[expect(
        clippy::disallowed_methods,
        reason = "waits for a start that is sent at once"
    )]
    fn next(&self, mailbox: &Sender<Start>, inbox: &Receiver<Start>) -> Option<Start> {
        match inbox.recv_timeout(IDLE_TIME) {
            Ok(start) => return Some(start),
            // This thread has a sender itself.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        let mut idle = lock(&self.0);
        let at = idle.iter().position(|it| it.mailbox.same_channel(mailbox));
        if let Some(at) = at {
            idle.remove(at);
            return None;
        }
        drop(idle);
        // Who has taken it off the list sends it a start.
        inbox.recv().ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel, sync_channel};
    use std::thread::{self, ThreadId};

    use super::*;

    fn start(
        threads: &'static StartThreads,
        priority: Priority,
        start: impl FnOnce() + Send + 'static,
    ) {
        threads.run(priority, Box::new(start)).expect("a thread");
    }

    /// Runs a start, and waits until its thread waits for the next one.
    fn served_by(threads: &'static StartThreads, priority: Priority) -> (ThreadId, Priority) {
        let (sender, receiver) = channel();
        let send = move |sender: Sender<_>| {
            sender
                .send((thread::current().id(), Priority::current()))
                .ok();
        };
        let waiting = lock(&threads.0).len();
        start(threads, priority, move || send(sender));
        let served = receiver.into_iter().next().expect("the start has run");
        while lock(&threads.0).len() < waiting.max(1) {
            thread::yield_now();
        }
        served
    }

    #[test]
    fn thread_of_a_start_serves_the_next() {
        static THREADS: StartThreads = StartThreads::new();
        let first = served_by(&THREADS, Priority::Normal);
        for _ in 0..20 {
            assert_eq!(served_by(&THREADS, Priority::Normal), first);
        }
    }

    #[test]
    fn start_that_hangs_holds_up_no_other() {
        static THREADS: StartThreads = StartThreads::new();
        served_by(&THREADS, Priority::Normal);
        let (hold, held) = sync_channel::<()>(0);
        start(&THREADS, Priority::Normal, move || {
            held.into_iter().for_each(drop);
        });
        let second = served_by(&THREADS, Priority::Normal);
        assert_eq!(served_by(&THREADS, Priority::Normal), second);
        drop(hold);
    }

    #[test]
    fn start_has_the_priority_that_it_asks_for() {
        static THREADS: StartThreads = StartThreads::new();
        for priority in [Priority::Normal, Priority::Background] {
            let served = served_by(&THREADS, priority);
            // Without the feature all have the priority of the program.
            let is_lowered = priority == Priority::Background && cfg!(feature = "priority");
            assert_eq!(served.1 == Priority::Background, is_lowered);
        }
    }

    /// Runs more starts at the same time than there are processors, and waits until as many threads wait.
    fn fill(threads: &'static StartThreads, priority: Priority) {
        let (hold, held) = crossbeam_channel::bounded::<()>(0);
        for _ in 0..processors() + 3 {
            let held = held.clone();
            start(threads, priority, move || {
                held.into_iter().for_each(drop);
            });
        }
        drop((held, hold));
        while lock(&threads.0).len() < processors() {
            thread::yield_now();
        }
        assert_eq!(lock(&threads.0).len(), processors());
    }

    #[test]
    fn no_more_threads_wait_than_processors() {
        static THREADS: StartThreads = StartThreads::new();
        fill(&THREADS, Priority::Normal);
    }

    #[test]
    fn threads_that_wait_are_limited_by_priority() {
        static THREADS: StartThreads = StartThreads::new();
        fill(&THREADS, Priority::Background);
        let (mailbox, _inbox) = crossbeam_channel::bounded(1);
        assert!(!THREADS.add(Priority::Background, &mailbox));
        assert!(THREADS.add(Priority::Normal, &mailbox));
    }
}
