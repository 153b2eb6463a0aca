//! The thread that starts threads of normal priority for those of background priority.
//!
//! It is started before the first background thread, and never ends.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::sync::{Mutex, OnceLock};

use super::sync::ignore_poison;

/// The start of one thread, or what that runs.
type Start = Box<dyn FnOnce() + Send>;

static STARTER: OnceLock<Sender<Start>> = OnceLock::new();

/// Starts the starter, unless it runs. It keeps the priority of its first caller.
///
/// # Errors
/// The system refused the thread.
pub(crate) fn prepare() -> io::Result<()> {
    static STARTING: Mutex<()> = Mutex::new(());
    if STARTER.get().is_some() {
        return Ok(());
    }
    let _only_one = ignore_poison(STARTING.lock());
    if STARTER.get().is_some() {
        return Ok(());
    }
    let (starts, inbox) = channel();
    std::thread::Builder::new()
        .name("thread starter".to_owned())
        .spawn(move || serve(&inbox))?;
    STARTER.get_or_init(|| starts);
    Ok(())
}

fn serve(inbox: &Receiver<Start>) {
    for start in inbox {
        start();
    }
}

/// Has the starter start a thread. If it does not run, the program itself has the priority of this thread,
/// and this thread does.
///
/// # Errors
/// The system refused the thread.
#[expect(
    clippy::disallowed_methods,
    reason = "takes as long as the system needs to start a thread"
)]
pub(crate) fn spawn(thread: std::thread::Builder, run: Start) -> io::Result<()> {
    let Some(starter) = STARTER.get() else {
        return thread.spawn(run).map(drop);
    };
    let (reply, replies) = sync_channel(1);
    let start = move || {
        // The caller waits for the reply, so it is received.
        reply.send(thread.spawn(run).map(drop)).ok();
    };
    let gone = || io::Error::other("the thread that starts threads has ended");
    if starter.send(Box::new(start)).is_err() {
        return Err(gone());
    }
    replies.recv().unwrap_or_else(|_disconnected| Err(gone()))
}
