//! The reaper: the one thread that waits for all children, reads their output and writes their
//! input.
//!
//! It sleeps in one `poll` over the pidfds and pipes of all children, so a thousand children cost
//! no thread, and no CPU time while nothing happens. Where the system has no pidfds, a thread waits
//! for each child and sends the reaper a message when it has exited. The reaper blocks for no
//! single child: the pipes are non-blocking, and each turn reads or writes a bounded amount of each.
//!
//! When a child exits, all text that it printed is in its pipes already. The reaper reads that much
//! before it publishes the end, so a join finds it. A descendant that keeps a pipe open delays
//! nothing; its output is read as long as a handle exists.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Signal;

use super::super::SpawnError;
use super::super::callback_threads;
use super::super::started::{Started, start_thread};
use super::children;
use super::follower::Follower;
use super::input::InputQueue;
use super::orphans::Orphans;
use super::output::Stream;
use super::shared::ProcessShared;
use super::system::{Notifier, Pidfd};
use super::tree::Root as _;

/// The bytes of one stream that are read or written before the others get their turn.
const MAX_BYTES_PER_TURN: usize = 256 * 1024;

/// The bytes that one call reads at most.
const BUFFER_BYTES: usize = 64 * 1024;

/// The time until the reaper tries again to reap a child that something holds. It doubles with each
/// try, so a join is at most a quarter of a second late when the child is let go.
const MIN_HELD_INTERVAL: Duration = Duration::from_millis(1);
const MAX_HELD_INTERVAL: Duration = Duration::from_millis(256);

/// The pause of the reaper when it can't poll.
const PAUSE: Duration = Duration::from_millis(20);

/// A child as the reaper sees it.
pub(super) struct WatchedChild {
    pub(super) shared: Arc<ProcessShared>,
    /// Without bytes that the reaper is to write it may be closed.
    pub(super) stdin: Option<Arc<InputQueue>>,
    pub(super) stdout: Option<Arc<OwnedFd>>,
    pub(super) stderr: Option<Arc<OwnedFd>>,
    pub(super) followers: Vec<Arc<Follower>>,
    /// `None` also once the child was reaped.
    pub(super) pidfd: Option<Arc<Pidfd>>,
    pub(super) held: Option<Held>,
}

/// A child that has exited and can't be reaped yet. A tracer, such as a debugger, holds it. Its
/// pidfd is readable all the time, so instead of polling it, the reaper tries again at intervals.
pub(super) struct Held {
    try_at: Instant,
    interval: Duration,
}

impl Held {
    /// After the first try in vain.
    fn new() -> Self {
        Self::for_interval(MIN_HELD_INTERVAL)
    }

    /// After another try in vain.
    fn longer(&self) -> Self {
        Self::for_interval((2 * self.interval).min(MAX_HELD_INTERVAL))
    }

    fn for_interval(interval: Duration) -> Self {
        Self {
            try_at: Instant::now() + interval,
            interval,
        }
    }
}

enum ReaperMessage {
    Watch(Box<WatchedChild>),
    /// A child without a pidfd has exited.
    DidExit(u64),
    /// A child that has ended has no handle any more.
    Forget(u64),
    /// Nothing reads a stream any more.
    Close(u64, Stream),
}

struct ReaperSender {
    messages: Sender<ReaperMessage>,
    notifier: Arc<Notifier>,
}

impl ReaperSender {
    fn send(&self, message: ReaperMessage) {
        // The reaper never ends, so it always receives.
        self.messages.send(message).ok();
        self.notifier.notify();
    }
}

/// The name of the thread.
const NAME: &str = "process reaper";

static REAPER: Started<ReaperSender> = Started::new();

/// Starts the reaper and the thread for callbacks, unless they run.
pub(super) fn start() -> Result<(), SpawnError> {
    callback_threads::start()?;
    reaper().map(drop)
}

/// Hands a child to the reaper.
///
/// # Errors
/// The system refused the thread that waits for a child without a pidfd. The child was killed.
pub(super) fn watch(child: WatchedChild) -> Result<(), SpawnError> {
    let reaper = reaper()?;
    let shared = child.shared.clone();
    let has_pidfd = child.pidfd.is_some();
    reaper.send(ReaperMessage::Watch(Box::new(child)));
    if shared.was_reaped_before() {
        reaper.send(ReaperMessage::DidExit(shared.key()));
        return Ok(());
    }
    if has_pidfd {
        return Ok(());
    }
    // Started after the first message, because the reaper ignores the exit of an unknown child.
    start_waiting(&shared, reaper).inspect_err(|_refusal| {
        // This fails only for a child that runs as another user. The reaper waits for that one.
        shared.signal(Signal::KILL).ok();
        shared.block_until_exit();
        reaper.send(ReaperMessage::DidExit(shared.key()));
    })
}

/// Drops the reaper's data of a child that has ended and has no handle any more.
pub(super) fn forget(key: u64) {
    if let Some(reaper) = REAPER.get() {
        reaper.send(ReaperMessage::Forget(key));
    }
}

/// Has the reaper poll again the streams that were full.
pub(super) fn look_again() {
    if let Some(reaper) = REAPER.get() {
        reaper.notifier.notify();
    }
}

/// Closes a stream of a child.
pub(super) fn close(key: u64, stream: Stream) {
    if let Some(reaper) = REAPER.get() {
        reaper.send(ReaperMessage::Close(key, stream));
    }
}

fn start_waiting(
    shared: &Arc<ProcessShared>,
    reaper: &'static ReaperSender,
) -> Result<(), SpawnError> {
    let name = format!("waits for {}", shared.pid());
    let shared = shared.clone();
    let thread = std::thread::Builder::new()
        .name(name.clone())
        .spawn(move || {
            shared.block_until_exit();
            reaper.send(ReaperMessage::DidExit(shared.key()));
        });
    match thread {
        Ok(_detached) => Ok(()),
        Err(cause) => Err(SpawnError::new(name, cause)),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "bounded by its content: five messages a child"
)]
fn reaper() -> Result<&'static ReaperSender, SpawnError> {
    REAPER.get_or_start(|| {
        let notifier = Notifier::new().map_err(|cause| SpawnError::new(NAME, cause))?;
        let notifier = Arc::new(notifier);
        let (messages, inbox) = crossbeam_channel::unbounded();
        let reaper = Reaper {
            inbox,
            notifier: notifier.clone(),
            children: BTreeMap::new(),
            buffer: vec![0; BUFFER_BYTES],
            orphans: Orphans::new(),
        };
        start_thread(NAME, move || reaper.run())?;
        Ok(ReaperSender { messages, notifier })
    })
}

struct Reaper {
    inbox: Receiver<ReaperMessage>,
    notifier: Arc<Notifier>,
    children: BTreeMap<u64, WatchedChild>,
    buffer: Vec<u8>,
    orphans: Orphans,
}

/// The owner of a polled file descriptor.
#[derive(Clone, Copy)]
enum PollToken {
    Notifier,
    Stdin(u64),
    Output(u64, Stream),
    Exit(u64),
    /// Not polled: the child may or may not have exited.
    MaybeExit(u64),
}

impl PollToken {
    /// The owner when nothing is known about the file descriptor.
    fn unpolled(self) -> Self {
        match self {
            Self::Exit(key) => Self::MaybeExit(key),
            other => other,
        }
    }
}

impl Reaper {
    fn run(mut self) {
        loop {
            for token in self.wait() {
                self.serve(token);
            }
            self.orphans.reap_if_due(children::pids);
        }
    }

    /// Sleeps until a file descriptor is ready. Returns the owners of all that are.
    fn wait(&self) -> Vec<PollToken> {
        let inputs = self.awaited_inputs();
        let inputs = inputs
            .iter()
            .map(|(key, pipe)| (PollToken::Stdin(*key), PollFd::new(pipe, PollFlags::OUT)));
        let polled = self.polled().chain(inputs);
        let (tokens, mut polled): (Vec<PollToken>, Vec<PollFd<'_>>) = polled.unzip();
        match poll(&mut polled, self.timeout().as_ref()) {
            Ok(_count) => {}
            Err(Errno::INTR) => return Vec::new(),
            // The limit of open files was lowered below the number of these, or kernel memory is
            // short. Serving one that is not ready does no harm, so all get their turn at
            // intervals.
            Err(_) => {
                std::thread::park_timeout(PAUSE);
                let held = self.held_until(Instant::now());
                return tokens
                    .into_iter()
                    .map(PollToken::unpolled)
                    .chain(held)
                    .collect();
            }
        }
        let ready = polled.iter().map(|fd| !fd.revents().is_empty());
        let ready = tokens
            .into_iter()
            .zip(ready)
            .filter_map(|(token, ready)| ready.then_some(token));
        let now = Instant::now();
        ready.chain(self.held_until(now)).collect()
    }

    /// The time until a child that something holds is tried again, or until orphans are looked for;
    /// `None` if there is none.
    fn timeout(&self) -> Option<Timespec> {
        let mut children = self.children.values();
        let has_children = children.any(|child| child.shared.exit().is_none());
        let look = self.orphans.time_to_next_look(has_children);
        let held = self
            .children
            .values()
            .filter_map(|child| child.held.as_ref());
        let next = held.map(|held| held.try_at).min();
        let next = next.map(|next| next.saturating_duration_since(Instant::now()));
        let left = next.into_iter().chain(look).min()?;
        // At least a millisecond, so that no rounding makes a turn in vain.
        let left = left.max(MIN_HELD_INTERVAL);
        Timespec::try_from(left).ok()
    }

    /// The children that something holds and that are to be tried again.
    fn held_until(&self, now: Instant) -> impl Iterator<Item = PollToken> {
        let due = move |held: &Held| held.try_at <= now;
        let children = self.children.iter();
        let due = children.filter(move |(_, child)| child.held.as_ref().is_some_and(due));
        due.map(|(&key, _)| PollToken::Exit(key))
    }

    /// The pipes for which input waits.
    fn awaited_inputs(&self) -> Vec<(u64, Arc<OwnedFd>)> {
        let children = self.children.iter();
        let inputs = children.filter_map(|(&key, child)| {
            let pipe = child.stdin.as_ref()?.awaited_pipe()?;
            Some((key, pipe))
        });
        inputs.collect()
    }

    fn polled(&self) -> impl Iterator<Item = (PollToken, PollFd<'_>)> {
        let notifier = PollFd::new(&self.notifier, PollFlags::IN);
        let of_children = self
            .children
            .iter()
            .flat_map(|(&key, child)| child.polled(key));
        std::iter::once((PollToken::Notifier, notifier)).chain(of_children)
    }

    fn serve(&mut self, token: PollToken) {
        match token {
            PollToken::Notifier => self.take_messages(),
            PollToken::Stdin(key) => {
                let child = self.children.get(&key);
                if let Some(stdin) = child.and_then(|child| child.stdin.as_ref()) {
                    stdin.write(MAX_BYTES_PER_TURN);
                }
            }
            PollToken::Output(key, stream) => {
                if let Some(child) = self.children.get_mut(&key) {
                    let room = child.shared.capture(stream).room();
                    child.read(stream, MAX_BYTES_PER_TURN.min(room), &mut self.buffer);
                    self.forget_if_done(key);
                }
            }
            PollToken::Exit(key) => self.end(key),
            PollToken::MaybeExit(key) => {
                self.try_end(key);
            }
        }
    }

    fn take_messages(&mut self) {
        self.notifier.drain();
        while let Ok(message) = self.inbox.try_recv() {
            match message {
                ReaperMessage::Watch(child) => {
                    self.children.insert(child.shared.key(), *child);
                }
                ReaperMessage::DidExit(key) => self.end(key),
                ReaperMessage::Forget(key) => self.forget_if_done(key),
                ReaperMessage::Close(key, stream) => {
                    if let Some(child) = self.children.get_mut(&key) {
                        child.close(stream);
                        self.forget_if_done(key);
                    }
                }
            }
        }
    }

    /// Ends a child that has exited. If something holds it, tries again later.
    fn end(&mut self, key: u64) {
        if !self.try_end(key)
            && let Some(child) = self.children.get_mut(&key)
        {
            child.held = Some(child.held.as_ref().map_or_else(Held::new, Held::longer));
        }
    }

    /// Reaps a child and publishes its end. The list of children is updated first, so that a
    /// process whose join has returned is not listed. Returns whether the child could be reaped.
    fn try_end(&mut self, key: u64) -> bool {
        let Some(child) = self.children.get_mut(&key) else {
            return false;
        };
        let Some(exit) = child.shared.reap() else {
            return false;
        };
        child.pidfd = None;
        if let Some(stdin) = child.stdin.take() {
            stdin.close();
        }
        for stream in [Stream::Stdout, Stream::Stderr] {
            let left = child.pipe(stream).as_deref().map_or(0, bytes_in);
            // Reading one byte more shows whether the stream has ended.
            child.read(stream, left.saturating_add(1), &mut self.buffer);
        }
        child.shared.note_end();
        children::remove(&child.shared);
        self.orphans.look_soon();
        child.shared.publish(exit);
        child.shared.last_use().note_end();
        self.forget_if_done(key);
        true
    }

    fn forget_if_done(&mut self, key: u64) {
        if self.children.get(&key).is_some_and(WatchedChild::is_done)
            && let Some(mut child) = self.children.remove(&key)
        {
            child.close(Stream::Stdout);
            child.close(Stream::Stderr);
        }
    }
}

/// Returns the number of bytes in a pipe.
fn bytes_in(pipe: &OwnedFd) -> usize {
    let count = rustix::io::ioctl_fionread(pipe).unwrap_or_default();
    count.try_into().unwrap_or(usize::MAX)
}

impl WatchedChild {
    fn polled(&self, key: u64) -> impl Iterator<Item = (PollToken, PollFd<'_>)> {
        let is_awaited = self.shared.exit().is_none() && self.held.is_none();
        let pidfd = self.pidfd.as_ref().filter(|_| is_awaited);
        let exit = pidfd.map(|fd| (PollToken::Exit(key), PollFd::new(fd, PollFlags::IN)));
        let read = |stream, pipe| {
            (
                PollToken::Output(key, stream),
                PollFd::new(pipe, PollFlags::IN),
            )
        };
        let has_room = |stream| self.shared.capture(stream).room() > 0;
        let stdout = self.stdout.as_ref().map(|pipe| read(Stream::Stdout, pipe));
        let stderr = self.stderr.as_ref().map(|pipe| read(Stream::Stderr, pipe));
        let stdout = stdout.filter(|_| has_room(Stream::Stdout));
        let stderr = stderr.filter(|_| has_room(Stream::Stderr));
        exit.into_iter().chain(stdout).chain(stderr)
    }

    /// Whether the child has ended, and no more output can come from it or no handle would show it.
    fn is_done(&self) -> bool {
        let is_silent = self.stdout.is_none() && self.stderr.is_none();
        self.shared.exit().is_some() && (is_silent || self.shared.last_use().is_over())
    }

    fn pipe(&mut self, stream: Stream) -> &mut Option<Arc<OwnedFd>> {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    /// Reads the bytes that are there, up to `limit` and less than a buffer more. Closes a stream
    /// that has ended.
    fn read(&mut self, stream: Stream, limit: usize, buffer: &mut [u8]) {
        let mut taken = 0;
        while taken < limit {
            match self.shared.capture(stream).read(buffer) {
                Ok(count) if count > 0 => taken += count,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Ok(_) | Err(_) => return self.close(stream),
            }
        }
        if taken > 0 {
            self.report_news(stream);
        }
    }

    fn close(&mut self, stream: Stream) {
        self.shared.capture(stream).close();
        *self.pipe(stream) = None;
        self.report_news(stream);
    }

    fn report_news(&self, stream: Stream) {
        self.shared.report_change();
        let followers = self.followers.iter();
        for follower in followers.filter(|follower| follower.stream() == stream) {
            follower.wake();
        }
    }
}
