//! Writes facts to standard output, one line of JSON each, on its own thread.

use std::io::{self, Write};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::join::{self, SpawnError, Task};
use crate::lab::cpu;
use crate::lab::fact::{Fact, FactLog, Stamped};

const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(50);

/// The maximum of facts that wait for the Lab to read them: some seconds of frames.
const MAX_QUEUED: usize = 16 * 1024;

/// The time for writing the last facts.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) struct FactWriter {
    task: Task<()>,
    closing: Sender<()>,
}

pub(super) fn start() -> Result<(FactLog, FactWriter), SpawnError> {
    let (sender, facts) = crossbeam_channel::bounded(MAX_QUEUED);
    let (closing, closed) = crossbeam_channel::bounded(1);
    let log = FactLog::new(sender);
    let writer_log = log.clone();
    let task = join::Builder::new("fact writer")
        .daemon(true)
        .spawn(move |_| {
            // Writing fails once the Lab has gone, which then kills this process.
            write_facts(&writer_log, &facts, &closed, &mut io::stdout().lock()).ok();
        })?;
    Ok((log, FactWriter { task, closing }))
}

impl FactWriter {
    pub(super) fn finish(self) {
        drop(self.closing);
        // It times out if the Lab has stopped reading.
        self.task.join_timeout(FLUSH_TIMEOUT).ok();
    }
}

fn write_facts(
    log: &FactLog,
    facts: &Receiver<Stamped>,
    closed: &Receiver<()>,
    out: &mut impl Write,
) -> io::Result<()> {
    loop {
        let closed = closed.recv_timeout(HEARTBEAT_INTERVAL);
        let is_over = !matches!(closed, Err(RecvTimeoutError::Timeout));
        log.note(Fact::Heartbeat {
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
    fn dropped_facts_are_reported_as_missed() {
        let (sender, facts) = crossbeam_channel::bounded(2);
        let (closing, closed) = crossbeam_channel::bounded(1);
        let log = FactLog::new(sender);
        for _ in 0..5 {
            log.note(Fact::DidClick);
        }
        drop(closing);
        let mut out = Vec::new();
        write_facts(&log, &facts, &closed, &mut out).unwrap();
        let lines = out
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        let facts: Vec<Fact> = lines
            .map(|line| serde_json::from_slice::<Stamped>(line).unwrap().fact)
            .collect();
        // Three clicks and the heartbeat at the end.
        let missing = Fact::DidMiss { facts: 4 };
        assert_eq!(facts, [Fact::DidClick, Fact::DidClick, missing]);
    }
}
