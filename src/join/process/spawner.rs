//! The thread that starts all launched processes.
//!
//! Linux binds two things to the *thread* that starts a process. It sends the parent-death signal
//! when that thread ends. And the child inherits that thread's scheduling policy, which an
//! unprivileged thread can lower but never raise. So the processes that end with the program are
//! started by one thread that never ends and keeps the program's own priority.

use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, OnceLock};

use crossbeam_channel::{Receiver, Sender};

use crate::join::SpawnError;
use crate::join::sync::lock;

struct Request {
    command: Command,
    reply: Sender<io::Result<Child>>,
}

/// Starts a process from the thread that never ends.
///
/// # Errors
/// The outer error means that the system refused that thread, the inner one that it refused the
/// process.
#[expect(
    clippy::disallowed_methods,
    reason = "a spawn takes as long as the system needs for it, on any thread"
)]
pub(super) fn spawn(command: Command) -> Result<io::Result<Child>, SpawnError> {
    let (reply, replies) = crossbeam_channel::bounded(1);
    let gone = || io::Error::other("the thread that starts processes has ended");
    if requests()?.send(Request { command, reply }).is_err() {
        return Ok(Err(gone()));
    }
    Ok(replies.recv().unwrap_or_else(|_disconnected| Err(gone())))
}

/// Starts the thread, unless it runs. It keeps the priority of its first caller.
pub(super) fn start() -> Result<(), SpawnError> {
    requests().map(drop)
}

fn requests() -> Result<&'static Sender<Request>, SpawnError> {
    static REQUESTS: OnceLock<Sender<Request>> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(requests) = REQUESTS.get() {
        return Ok(requests);
    }
    let _only_one = lock(&STARTING);
    if let Some(requests) = REQUESTS.get() {
        return Ok(requests);
    }
    let (requests, inbox) = crossbeam_channel::bounded(64);
    let name = "process spawner".to_owned();
    std::thread::Builder::new()
        .name(name.clone())
        .spawn(move || serve(&inbox))
        .map_err(|cause| SpawnError { name, cause })?;
    Ok(REQUESTS.get_or_init(|| requests))
}

fn serve(inbox: &Receiver<Request>) {
    for Request { mut command, reply } in inbox {
        let spawned = command.spawn();
        // Closes the file that the child reads before the caller continues.
        drop(command);
        // The caller waits for the reply, so it is received.
        reply.send(spawned).ok();
    }
}
