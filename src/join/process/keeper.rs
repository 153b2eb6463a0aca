//! The keeper of a supervisor: it starts the supervisor, sends it the tags of the trees, and
//! replaces it when it has exited.
//!
//! The threads that start processes and the reaper change the set of live tags. They send what the
//! pipe takes at once and never wait for the supervisor. A thread of the keeper does the waiting:
//! for room in the pipe, and for the end of the supervisor.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::super::SpawnError as ThreadError;
use super::super::started::{Started, start_thread};
use super::super::sync::lock;
use super::error::SpawnError;
use super::programs::Programs;
use super::supervisor::{Sent, Supervisor};
use super::system::Notifier;

/// The time between two starts of supervisors that exit at once or that the system refuses. It
/// doubles with each start.
const MIN_START_INTERVAL: Duration = Duration::from_millis(10);
const MAX_START_INTERVAL: Duration = Duration::from_secs(5);

/// The pause of the thread when it can't poll.
const PAUSE: Duration = Duration::from_millis(50);

/// The keeper that a launcher and its guards share. When all of them are gone, no tag is live, and
/// the supervisor is ended.
pub(super) struct Keeper {
    programs: Programs,
    tags: Mutex<Tags>,
    /// Held by the thread that starts a supervisor, which may take long.
    starting: Mutex<()>,
    /// The thread, since the first supervisor was started.
    thread: Started<Arc<ThreadLink>>,
}

/// The set of tags, and how much of it the supervisor knows.
#[derive(Default)]
struct Tags {
    live: BTreeSet<String>,
    /// The tags that are live and not known to the supervisor, or known and not live any more. So
    /// it needs no limit: there are never more than live ones and those that fit into a pipe.
    unsent: BTreeSet<String>,
    supervisor: Option<Supervisor>,
}

/// The part of a keeper that its thread needs even when the keeper is gone.
struct ThreadLink {
    notifier: Notifier,
    ended: Mutex<Ended>,
}

#[derive(Default)]
struct Ended {
    /// Supervisors that are to be reaped.
    supervisors: Vec<Supervisor>,
    /// Whether the keeper is gone, and no more supervisors come.
    is_last: bool,
}

impl Keeper {
    pub(super) fn new(programs: Programs) -> Self {
        Self {
            programs,
            tags: Mutex::default(),
            starting: Mutex::default(),
            thread: Started::new(),
        }
    }

    /// The programs that are started as shim and supervisor.
    pub(super) fn programs(&self) -> &Programs {
        &self.programs
    }

    /// Adds a tag. Starts a supervisor if none runs.
    pub(super) fn add(self: &Arc<Self>, tag: &str) -> Result<(), SpawnError> {
        self.insert(tag);
        if lock(&self.tags).supervisor.is_some() {
            return Ok(());
        }
        self.start_supervisor()
            .inspect_err(|_refusal| self.remove(tag))
    }

    /// Adds a tag, without a start of a supervisor by this thread.
    pub(super) fn insert(&self, tag: &str) {
        self.change(|tags| tags.live.insert(tag.to_owned()), tag);
    }

    /// Removes a tag. Has no effect if it was removed before.
    pub(super) fn remove(&self, tag: &str) {
        self.change(|tags| tags.live.remove(tag), tag);
    }

    /// Changes the live tags, and sends the change. `change` returns whether it changed anything.
    fn change(&self, change: impl FnOnce(&mut Tags) -> bool, tag: &str) {
        let (ended, is_sent) = {
            let mut tags = lock(&self.tags);
            if !change(&mut tags) {
                return;
            }
            // Two changes that were not sent cancel each other out.
            if !tags.unsent.remove(tag) {
                tags.unsent.insert(tag.to_owned());
            }
            (tags.send(), tags.unsent.is_empty())
        };
        let needs_thread = ended.is_some() || !is_sent;
        if let Some(thread) = self.thread.get().filter(|_| needs_thread) {
            thread.reap_later(ended);
        }
    }

    fn start_supervisor(self: &Arc<Self>) -> Result<(), SpawnError> {
        let _only_one = lock(&self.starting);
        if lock(&self.tags).supervisor.is_some() {
            return Ok(());
        }
        let thread = self.thread.get_or_start(|| self.start_thread())?;
        let program = self.programs.current();
        let fresh = match Supervisor::start(program) {
            Err(_) if self.programs.leave_small(program) => {
                Supervisor::start(self.programs.current())?
            }
            other => other?,
        };
        let ended = {
            let mut tags = lock(&self.tags);
            let Tags { live, unsent, .. } = &mut *tags;
            unsent.clone_from(live);
            tags.supervisor = Some(fresh);
            tags.send()
        };
        thread.reap_later(ended);
        Ok(())
    }

    /// Starts the thread, and returns what it is reached by.
    fn start_thread(self: &Arc<Self>) -> Result<Arc<ThreadLink>, ThreadError> {
        const NAME: &str = "supervisor keeper";
        let notifier = Notifier::new().map_err(|cause| ThreadError::new(NAME, cause))?;
        let link = Arc::new(ThreadLink {
            notifier,
            ended: Mutex::default(),
        });
        let keeping = Keeping {
            keeper: Arc::downgrade(self),
            thread: link.clone(),
            next_start: Instant::now(),
            interval: MIN_START_INTERVAL,
        };
        start_thread(NAME, move || keeping.run())?;
        Ok(link)
    }

    /// Returns the pipe of the supervisor, and whether it is waited for room in it.
    fn pipe(&self) -> Option<(Arc<OwnedFd>, bool)> {
        let tags = lock(&self.tags);
        let supervisor = tags.supervisor.as_ref()?;
        Some((supervisor.pipe().clone(), !tags.unsent.is_empty()))
    }

    fn needs_supervisor(&self) -> bool {
        let tags = lock(&self.tags);
        tags.supervisor.is_none() && !tags.live.is_empty()
    }

    /// Takes the supervisor with this pipe, which has exited; `None` if it was taken before.
    fn take_ended(&self, pipe: &Arc<OwnedFd>) -> Option<Supervisor> {
        let supervisor = &mut lock(&self.tags).supervisor;
        supervisor.take_if(|supervisor| Arc::ptr_eq(supervisor.pipe(), pipe))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.get() {
            let supervisor = lock(&self.tags).supervisor.take();
            lock(&thread.ended).is_last = true;
            thread.reap_later(supervisor);
        }
    }
}

impl Tags {
    /// Sends what the pipe takes. Returns the supervisor if it has exited.
    fn send(&mut self) -> Option<Supervisor> {
        while let (Some(supervisor), Some(tag)) = (&self.supervisor, self.unsent.first()) {
            let sent = if self.live.contains(tag) {
                supervisor.add(tag)
            } else {
                supervisor.remove(tag)
            };
            match sent {
                Sent::Yes => drop(self.unsent.pop_first()),
                Sent::NotYet => break,
                Sent::Never => return self.supervisor.take(),
            }
        }
        None
    }
}

impl ThreadLink {
    /// Wakes the thread. It reaps this supervisor, if there is one.
    fn reap_later(&self, ended: Option<Supervisor>) {
        lock(&self.ended).supervisors.extend(ended);
        self.notifier.notify();
    }
}

/// The state of the thread.
struct Keeping {
    keeper: Weak<Keeper>,
    thread: Arc<ThreadLink>,
    next_start: Instant,
    interval: Duration,
}

impl Keeping {
    fn run(mut self) {
        loop {
            let is_last = self.reap_ended();
            if is_last {
                return;
            }
            let (pipe, timeout) = match self.keeper.upgrade() {
                Some(keeper) => self.serve(&keeper),
                // It is being dropped, and notifies this thread at the end.
                None => (None, None),
            };
            self.wait(pipe, timeout);
        }
    }

    /// Reaps the supervisors that have ended. Returns whether no more come.
    fn reap_ended(&self) -> bool {
        let (ended, is_last) = {
            let mut ended = lock(&self.thread.ended);
            (std::mem::take(&mut ended.supervisors), ended.is_last)
        };
        for supervisor in ended {
            supervisor.end();
        }
        is_last
    }

    /// Starts a supervisor if one is needed, and sends what it has room for. Returns what to wait
    /// for: the pipe, with whether for room in it, and the time until the next start.
    fn serve(&mut self, keeper: &Arc<Keeper>) -> (Option<(Arc<OwnedFd>, bool)>, Option<Duration>) {
        let mut timeout = None;
        if keeper.needs_supervisor() {
            let left = self.next_start.saturating_duration_since(Instant::now());
            if left.is_zero() {
                self.note_start();
                // A refusal is tried again.
                keeper.start_supervisor().ok();
            }
            timeout = Some(left.max(self.interval)).filter(|_| keeper.needs_supervisor());
        }
        let ended = lock(&keeper.tags).send();
        if ended.is_some() {
            self.thread.reap_later(ended);
        }
        (keeper.pipe(), timeout)
    }

    fn note_start(&mut self) {
        let now = Instant::now();
        let was_quiet = now > self.next_start + MAX_START_INTERVAL;
        self.interval = if was_quiet {
            MIN_START_INTERVAL
        } else {
            (2 * self.interval).min(MAX_START_INTERVAL)
        };
        self.next_start = now + self.interval;
    }

    /// Waits for a notice, for room in the pipe, and for the end of the supervisor.
    fn wait(&self, pipe: Option<(Arc<OwnedFd>, bool)>, timeout: Option<Duration>) {
        let mut polled = vec![PollFd::new(&self.thread.notifier, PollFlags::IN)];
        if let Some((pipe, for_room)) = &pipe {
            // The end of the only reader is polled for in any case.
            let events = if *for_room {
                PollFlags::OUT
            } else {
                PollFlags::empty()
            };
            polled.push(PollFd::new(pipe, events));
        }
        let timeout = timeout.and_then(|time| Timespec::try_from(time).ok());
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            // The limit of open files was lowered, or kernel memory is short.
            Err(_) => std::thread::park_timeout(PAUSE),
        }
        let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
        let is_gone = polled
            .get(1)
            .is_some_and(|it| it.revents().intersects(gone));
        self.thread.notifier.drain();
        if let (true, Some((pipe, _)), Some(keeper)) = (is_gone, pipe, self.keeper.upgrade()) {
            self.thread.reap_later(keeper.take_ended(&pipe));
        }
    }
}
