//! From the twin to the Lab: one line of JSON for each fact, written by a thread of its own.

use std::io::{self, Write as _};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::join::{self, SpawnError, Task};
use crate::lab::cpu;
use crate::lab::fact::{Fact, Log, Stamped};

/// How often the twin shows that it is there.
const BEAT: Duration = Duration::from_millis(50);

/// How many facts may wait for the Lab to read them: some seconds of frames.
const QUEUE: usize = 16 * 1024;

/// How long the last facts may take to be told.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Wire {
    task: Task<()>,
    closing: Sender<()>,
}

pub(super) fn start() -> Result<(Log, Wire), SpawnError> {
    let (facts, told) = crossbeam_channel::bounded(QUEUE);
    let (closing, closed) = crossbeam_channel::bounded(1);
    let log = Log::new(facts);
    let beats = log.clone();
    let task = join::Builder::new("tells the Lab")
        .daemon(true)
        .spawn(move |_| {
            // Once the Lab has gone there is nobody to tell.
            drop(tell(&beats, &told, &closed));
        })?;
    Ok((log, Wire { task, closing }))
}

impl Wire {
    /// Tells what is left to tell.
    pub(super) fn finish(self) {
        drop(self.closing);
        // A Lab that reads no more is none.
        drop(self.task.join_timeout(PATIENCE));
    }
}

fn tell(log: &Log, facts: &Receiver<Stamped>, closed: &Receiver<()>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    loop {
        let is_over = !matches!(closed.recv_timeout(BEAT), Err(RecvTimeoutError::Timeout));
        log.note(Fact::Beat {
            cpu_ns: cpu::of_process(),
        });
        let mut lines = Vec::new();
        for fact in facts.try_iter() {
            serde_json::to_writer(&mut lines, &fact)?;
            lines.push(b'\n');
        }
        out.write_all(&lines)?;
        out.flush()?;
        if is_over {
            return Ok(());
        }
    }
}
