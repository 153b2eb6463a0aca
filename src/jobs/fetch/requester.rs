//! The thread that sends the requests of a worker, one after the other, and keeps their connections open.

use std::cell::Cell;

use crossbeam_channel::{Receiver, Sender};

use super::client::{Client, READ_BYTES};
use crate::join::{Builder, SpawnError, Task};

/// A request and all that is done with its response. It gets the client and a buffer for the body.
type Work = Box<dyn FnOnce(&Client, &mut [u8]) + Send>;

thread_local! {
    /// Threads of workers end with their job, and with them these threads and their connections.
    static IDLE: Cell<Option<Requester>> = const { Cell::new(None) };
}

/// The handle of such a thread.
pub(super) struct Requester {
    client: Client,
    /// The thread ends when this is dropped.
    work: Sender<Work>,
    task: Task<()>,
}

impl Requester {
    /// The one that an item of this worker [left](Self::keep), else a new one.
    ///
    /// # Errors
    /// The system refused the thread.
    pub(super) fn take() -> Result<Self, SpawnError> {
        match IDLE.take() {
            Some(idle) if idle.task.poll().is_none() => Ok(idle),
            _ => Self::start(),
        }
    }

    /// Leaves it to the next item of this worker. All of its work must have ended.
    pub(super) fn keep(self) {
        IDLE.set(Some(self));
    }

    fn start() -> Result<Self, SpawnError> {
        let client = Client::new();
        let (work, queue) = crossbeam_channel::bounded(1);
        let requesting = client.clone();
        let task = Builder::new("requests")
            .daemon(true)
            .spawn(move |_| run(&requesting, &queue))?;
        Ok(Self { client, work, task })
    }

    /// Has the work done by the thread. Drops it if the thread has ended.
    pub(super) fn send(&self, work: impl FnOnce(&Client, &mut [u8]) + Send + 'static) {
        self.work.send(Box::new(work)).ok();
    }

    /// Closes the connections, also the one of the request that is being sent.
    pub(super) fn shut_down(&self) {
        self.client.clone().shut_down();
    }

    /// Waits for the end of the thread, which is near.
    pub(super) fn join(self) {
        drop(self.work);
        self.task.join().ok();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the worker sends work, or drops its end"
)]
fn run(client: &Client, queue: &Receiver<Work>) {
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(work) = queue.recv() {
        work(client, &mut buffer);
    }
}
