//! From the twin to the Lab: one line of JSON for each fact, written by a thread of its own.

use std::io::{self, Write};
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
            drop(tell(&beats, &told, &closed, &mut io::stdout().lock()));
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

fn tell(
    log: &Log,
    facts: &Receiver<Stamped>,
    closed: &Receiver<()>,
    out: &mut impl Write,
) -> io::Result<()> {
    loop {
        let is_over = !matches!(closed.recv_timeout(BEAT), Err(RecvTimeoutError::Timeout));
        log.note(Fact::Beat {
            cpu_ns: cpu::of_process(),
        });
        let mut lines = Vec::new();
        for fact in facts.try_iter() {
            write_line(&mut lines, &fact)?;
        }
        let missed = log.take_missed();
        if missed > 0 {
            write_line(&mut lines, &log.stamp(Fact::DidMiss { facts: missed }))?;
        }
        out.write_all(&lines)?;
        out.flush()?;
        if is_over {
            return Ok(());
        }
    }
}

fn write_line(lines: &mut Vec<u8>, fact: &Stamped) -> io::Result<()> {
    serde_json::to_writer(&mut *lines, fact)?;
    lines.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_that_nobody_has_read_in_time_are_told_to_be_missing() {
        let (facts, told) = crossbeam_channel::bounded(2);
        let (closing, closed) = crossbeam_channel::bounded(1);
        let log = Log::new(facts);
        for _ in 0..5 {
            log.note(Fact::DidClick);
        }
        drop(closing);
        let mut out = Vec::new();
        tell(&log, &told, &closed, &mut out).unwrap();
        let facts = out
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let facts: Vec<Fact> = facts
            .map(|line| serde_json::from_slice::<Stamped>(line).unwrap().fact)
            .collect();
        // The beat at the end has found no room either.
        let missing = Fact::DidMiss { facts: 4 };
        assert_eq!(facts, [Fact::DidClick, Fact::DidClick, missing]);
    }
}
