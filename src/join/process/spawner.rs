//! The thread that starts all launched processes.
//!
//! The system binds two things to the *thread* that starts a process: a child that wants to die
//! with its parent dies with that thread, and a child inherits that thread's scheduling policy,
//! which an ordinary person's thread can lower but never raise again. So one thread that never
//! ends and keeps the program's own priority starts those that are bound to the program.

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
/// The outer one when the system refuses that thread, the inner one when it refuses the process.
#[expect(
    clippy::disallowed_methods,
    reason = "a start takes as long as the system needs for it, on whatever thread"
)]
pub(super) fn spawn(command: Command) -> Result<io::Result<Child>, SpawnError> {
    let (reply, started) = crossbeam_channel::bounded(1);
    let gone = || io::Error::other("the thread that starts processes has ended");
    if requests()?.send(Request { command, reply }).is_err() {
        return Ok(Err(gone()));
    }
    Ok(started.recv().unwrap_or_else(|_ended| Err(gone())))
}

/// Starts the thread, unless it is there. It has the priority of its first caller from then on.
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
        .map_err(|source| SpawnError { name, source })?;
    Ok(REQUESTS.get_or_init(|| requests))
}

fn serve(inbox: &Receiver<Request>) {
    for Request { mut command, reply } in inbox {
        let started = command.spawn();
        drop(command);
        // Who asked waits for the answer.
        drop(reply.send(started));
    }
}
