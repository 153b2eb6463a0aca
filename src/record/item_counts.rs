//! How many items of a job wait, how many have ended, and how much of them is done, over the time.

use crate::trace::{CounterId, GroupId, Trace};

#[derive(Debug)]
pub(super) struct ItemCounts {
    waiting: OverTime,
    ended: OverTime,
    bytes: u64,
    mebibytes: OverTime,
}

/// A number, and the counter that has what it was; `None` if there was no room for it.
#[derive(Debug)]
struct OverTime {
    value: u64,
    counter: Option<CounterId>,
}

impl ItemCounts {
    pub(super) fn new(group: GroupId, trace: &mut Trace) -> Self {
        let mut over_time = |name| OverTime {
            value: 0,
            counter: trace.add_counter(group, name),
        };
        Self {
            waiting: over_time("Waiting items"),
            ended: over_time("Ended items"),
            bytes: 0,
            mebibytes: over_time("MiB done"),
        }
    }

    /// Changes the numbers of items by so much.
    pub(super) fn add(&mut self, waiting: i64, ended: u64, at: u64, trace: &mut Trace) {
        let waiting = self.waiting.value.saturating_add_signed(waiting);
        self.waiting.set(waiting, at, trace);
        self.ended.set(self.ended.value + ended, at, trace);
    }

    /// So many more bytes are done.
    pub(super) fn add_bytes(&mut self, bytes: u64, at: u64, trace: &mut Trace) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.mebibytes.set(self.bytes >> 20, at, trace);
    }

    /// Nothing waits any more.
    pub(super) fn end(&mut self, at: u64, trace: &mut Trace) {
        self.waiting.set(0, at, trace);
    }
}

impl OverTime {
    fn set(&mut self, value: u64, at: u64, trace: &mut Trace) {
        self.value = value;
        if let Some(counter) = self.counter {
            trace.set_counter(counter, at, value);
        }
    }
}
