//! The reaper: the one thread that waits for all children, reads what they print and writes what
//! they read.
//!
//! It sleeps in one `poll` over every child's pidfd and pipes, so a thousand children cost no
//! thread and, while nothing happens, no time. Where the system has no pidfds a thread waits for
//! each child, and tells the reaper of its end. Nothing here blocks for the sake of one child: the
//! pipes are non-blocking, and each turn reads a bounded amount from each.
//!
//! When a child ends, what it printed is in its pipes already. That much is read before the end is
//! published, so a join finds it; a descendant that keeps the pipe open delays nothing, and is read
//! on as long as somebody holds a handle.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, OnceLock};

use crossbeam_channel::{Receiver, Sender};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::Signal;

use super::handle::Shared;
use super::output::Stream;
use super::system::Bell;
use crate::join::SpawnError;
use crate::join::sync::lock;

/// How much of one stream is read before the others get their turn.
const READ_AT_ONCE: usize = 256 * 1024;

/// What is read in one call.
const CHUNK: usize = 64 * 1024;

/// A child as the reaper sees it.
pub(super) struct Watched {
    pub(super) shared: Arc<Shared>,
    pub(super) stdin: Option<Feed>,
    pub(super) stdout: Option<Arc<OwnedFd>>,
    pub(super) stderr: Option<Arc<OwnedFd>>,
}

/// Bytes on their way into a child.
pub(super) struct Feed {
    pub(super) pipe: OwnedFd,
    pub(super) bytes: Arc<[u8]>,
    pub(super) written: usize,
}

enum Message {
    Watch(Box<Watched>),
    /// The child ended, says the thread that waits for it where there are no pidfds.
    DidEnd(u64),
    /// Nobody holds a handle of this child, which has ended.
    Forget(u64),
}

struct Line {
    inbox: Sender<Message>,
    bell: Arc<Bell>,
}

impl Line {
    fn send(&self, message: Message) {
        // The reaper never ends.
        drop(self.inbox.send(message));
        self.bell.ring();
    }
}

static LINE: OnceLock<Line> = OnceLock::new();

/// Starts the reaper, unless it is there.
pub(super) fn start() -> Result<(), SpawnError> {
    line().map(drop)
}

/// Hands a child to the reaper.
///
/// # Errors
/// The system refused the thread that has to wait where there are no pidfds; the child was killed.
pub(super) fn watch(watched: Watched) -> Result<(), SpawnError> {
    let line = line()?;
    let shared = watched.shared.clone();
    line.send(Message::Watch(Box::new(watched)));
    if shared.pidfd().is_some() {
        return Ok(());
    }
    // Only now: a child may have ended already, and its end is news only of one that is known.
    wait_for(&shared, line).inspect_err(|_refused| {
        drop(shared.signal(Signal::KILL));
        shared.block();
        line.send(Message::DidEnd(shared.key()));
    })
}

/// Lets go of what is left of a child that has ended and that nobody holds.
pub(super) fn forget(key: u64) {
    if let Some(line) = LINE.get() {
        line.send(Message::Forget(key));
    }
}

fn wait_for(shared: &Arc<Shared>, line: &'static Line) -> Result<(), SpawnError> {
    let name = format!("waits for {}", shared.pid());
    let shared = shared.clone();
    let waits = std::thread::Builder::new()
        .name(name.clone())
        .spawn(move || {
            shared.block();
            line.send(Message::DidEnd(shared.key()));
        });
    match waits {
        Ok(_detached) => Ok(()),
        Err(source) => Err(SpawnError { name, source }),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "bounded by what it carries: three messages a child"
)]
fn line() -> Result<&'static Line, SpawnError> {
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(line) = LINE.get() {
        return Ok(line);
    }
    let _only_one = lock(&STARTING);
    if let Some(line) = LINE.get() {
        return Ok(line);
    }
    let name = "process reaper".to_owned();
    let refused = |source| SpawnError {
        name: name.clone(),
        source,
    };
    let bell = Arc::new(Bell::new().map_err(refused)?);
    let (inbox, messages) = crossbeam_channel::unbounded();
    let reaper = Reaper {
        messages,
        bell: bell.clone(),
        children: BTreeMap::new(),
        buffer: vec![0; CHUNK],
    };
    std::thread::Builder::new()
        .name(name.clone())
        .spawn(move || reaper.run())
        .map_err(refused)?;
    Ok(LINE.get_or_init(|| Line { inbox, bell }))
}

struct Reaper {
    messages: Receiver<Message>,
    bell: Arc<Bell>,
    children: BTreeMap<u64, Watched>,
    buffer: Vec<u8>,
}

/// Something that can become ready.
#[derive(Clone, Copy)]
enum Source {
    Bell,
    Stdin(u64),
    Read(u64, Stream),
    End(u64),
}

impl Reaper {
    fn run(mut self) {
        loop {
            for source in self.ready() {
                self.serve(source);
            }
        }
    }

    /// Sleeps until something is ready.
    fn ready(&self) -> Vec<Source> {
        let (sources, mut polled): (Vec<Source>, Vec<PollFd<'_>>) = self.sources().unzip();
        // What can fail is an interruption, and a shortage of kernel memory that may pass.
        if poll(&mut polled, None).is_err() {
            return Vec::new();
        }
        let ready = polled.iter().map(|fd| !fd.revents().is_empty());
        sources
            .into_iter()
            .zip(ready)
            .filter_map(|(source, ready)| ready.then_some(source))
            .collect()
    }

    fn sources(&self) -> impl Iterator<Item = (Source, PollFd<'_>)> {
        let bell = PollFd::new(&self.bell, PollFlags::IN);
        let of_children = self
            .children
            .iter()
            .flat_map(|(&key, child)| child.sources(key));
        std::iter::once((Source::Bell, bell)).chain(of_children)
    }

    fn serve(&mut self, source: Source) {
        match source {
            Source::Bell => self.take_messages(),
            Source::Stdin(key) => {
                if let Some(child) = self.children.get_mut(&key) {
                    child.feed();
                }
            }
            Source::Read(key, stream) => {
                if let Some(child) = self.children.get_mut(&key) {
                    child.read(stream, READ_AT_ONCE, &mut self.buffer);
                    self.let_go(key);
                }
            }
            Source::End(key) => self.end(key),
        }
    }

    fn take_messages(&mut self) {
        self.bell.hush();
        while let Ok(message) = self.messages.try_recv() {
            match message {
                Message::Watch(child) => {
                    self.children.insert(child.shared.key(), *child);
                }
                Message::DidEnd(key) => self.end(key),
                Message::Forget(key) => self.let_go(key),
            }
        }
    }

    fn end(&mut self, key: u64) {
        let Some(child) = self.children.get_mut(&key) else {
            return;
        };
        let Some(exit) = child.shared.reap() else {
            return;
        };
        child.stdin = None;
        for stream in [Stream::Stdout, Stream::Stderr] {
            let left = child.pipe(stream).as_deref().map_or(0, left_in);
            // One byte more shows whether the stream has ended.
            child.read(stream, left.saturating_add(1), &mut self.buffer);
        }
        child.shared.publish(exit);
        self.let_go(key);
    }

    /// Forgets a child that has ended, once nothing more can come from it or nobody wants it.
    fn let_go(&mut self, key: u64) {
        if self.children.get(&key).is_some_and(Watched::is_over) {
            self.children.remove(&key);
        }
    }
}

/// How much is in a pipe: all that a child which has ended can have left there.
fn left_in(pipe: &OwnedFd) -> usize {
    let left = rustix::io::ioctl_fionread(pipe).unwrap_or_default();
    left.try_into().unwrap_or(usize::MAX)
}

impl Watched {
    fn sources(&self, key: u64) -> impl Iterator<Item = (Source, PollFd<'_>)> {
        let pidfd = self.shared.pidfd().filter(|_| self.shared.exit().is_none());
        let end = pidfd.map(|fd| (Source::End(key), PollFd::new(fd, PollFlags::IN)));
        let stdin = self.stdin.as_ref().map(|feed| {
            let pipe = PollFd::new(&feed.pipe, PollFlags::OUT);
            (Source::Stdin(key), pipe)
        });
        let read = |stream, pipe| (Source::Read(key, stream), PollFd::new(pipe, PollFlags::IN));
        let stdout = self.stdout.as_ref().map(|pipe| read(Stream::Stdout, pipe));
        let stderr = self.stderr.as_ref().map(|pipe| read(Stream::Stderr, pipe));
        end.into_iter().chain(stdin).chain(stdout).chain(stderr)
    }

    fn is_over(&self) -> bool {
        let is_silent = self.stdout.is_none() && self.stderr.is_none();
        self.shared.exit().is_some() && (is_silent || self.shared.is_abandoned())
    }

    fn pipe(&mut self, stream: Stream) -> &mut Option<Arc<OwnedFd>> {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    /// Reads what is there, `limit` bytes or a little more; closes a stream that has ended.
    fn read(&mut self, stream: Stream, limit: usize, buffer: &mut [u8]) {
        let shared = self.shared.clone();
        let capture = shared.capture(stream);
        let mut taken = 0;
        while taken < limit {
            match capture.read(buffer) {
                Ok(count) if count > 0 => taken += count,
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Ok(_) | Err(_) => {
                    capture.close();
                    *self.pipe(stream) = None;
                    return;
                }
            }
        }
    }

    /// Writes what fits; closes the input when all of it is written or nobody reads it.
    fn feed(&mut self) {
        let Some(feed) = &mut self.stdin else {
            return;
        };
        while feed.written < feed.bytes.len() {
            match rustix::io::write(&feed.pipe, &feed.bytes[feed.written..]) {
                Ok(count) => feed.written += count,
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        self.stdin = None;
    }
}
