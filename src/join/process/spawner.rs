//! The threads that start all launched processes.
//!
//! Linux binds two things to the *thread* that starts a process. It sends the parent-death signal
//! when that thread ends. And the child inherits that thread's scheduling policy, which an
//! unprivileged thread can lower but never raise. So the processes that end with the program are
//! started by threads that never end and keep the program's own priority. One is enough, unless a
//! start hangs, such as in a folder on a disk that does not respond. Then another thread begins.

use std::io;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::super::SpawnError;
use super::super::started::{Started, start_thread};
use super::super::sync::lock;

/// What the threads do: one start after the other.
type Start = Box<dyn FnOnce() + Send>;

/// The time that a start may take until another thread serves the starts after it.
const PATIENCE: Duration = Duration::from_millis(200);

/// The limit of threads that serve starts.
const MAX_THREADS: usize = 16;

/// Starts a process from a thread that never ends.
///
/// # Errors
/// The outer error means that the system refused that thread, the inner one that it refused the
/// process.
#[expect(
    clippy::disallowed_methods,
    reason = "a spawn takes as long as the system needs for it, on any thread"
)]
pub(super) fn spawn(mut command: Command) -> Result<io::Result<Child>, SpawnError> {
    let (reply, replies) = crossbeam_channel::bounded(1);
    let gone = || io::Error::other("the thread that starts processes has ended");
    let Starts { sender, inbox } = starts()?;
    let start = Box::new(move || {
        let spawned = command.spawn();
        // Closes the file that the child reads before the caller continues.
        drop(command);
        // The caller waits for the reply, so it is received.
        reply.send(spawned).ok();
    });
    if sender.send(start).is_err() {
        return Ok(Err(gone()));
    }
    match replies.recv_timeout(PATIENCE) {
        Ok(spawned) => return Ok(spawned),
        // If the system refuses the thread, the starts wait for the ones before them.
        Err(RecvTimeoutError::Timeout) => start_another(inbox).unwrap_or_default(),
        Err(RecvTimeoutError::Disconnected) => {}
    }
    Ok(replies.recv().unwrap_or_else(|_disconnected| Err(gone())))
}

/// Has a process started by a thread that never ends, without waiting for that. Returns `false` if too many
/// starts come before it, and then drops `start`.
pub(super) fn spawn_later(start: Start) -> bool {
    starts().is_ok_and(|starts| starts.sender.try_send(start).is_ok())
}

/// Starts the first thread, unless it runs.
pub(super) fn start() -> Result<(), SpawnError> {
    starts().map(drop)
}

struct Starts {
    sender: Sender<Start>,
    inbox: Receiver<Start>,
}

fn starts() -> Result<&'static Starts, SpawnError> {
    static STARTS: Started<Starts> = Started::new();
    STARTS.get_or_start(|| {
        let (sender, inbox) = crossbeam_channel::bounded(64);
        start_another(&inbox)?;
        Ok(Starts { sender, inbox })
    })
}

/// Starts a thread, unless there are [`MAX_THREADS`].
fn start_another(inbox: &Receiver<Start>) -> Result<(), SpawnError> {
    static THREADS: Mutex<usize> = Mutex::new(0);
    let mut threads = lock(&THREADS);
    if *threads == MAX_THREADS {
        return Ok(());
    }
    let inbox = inbox.clone();
    start_thread("process spawner", move || {
        for start in inbox {
            start();
        }
    })?;
    *threads += 1;
    Ok(())
}
