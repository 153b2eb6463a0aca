//! The progress that a task reports.

use std::sync::Arc;

use super::info::{Progress, ProgressUnit};
use super::sync::{AtomicU8, AtomicU64, Mutex, Ordering, lock, yield_now};

/// The units by their numbers.
const UNITS: [ProgressUnit; 3] = [ProgressUnit::None, ProgressUnit::Items, ProgressUnit::Bytes];

/// The latest report of a task.
///
/// A report is written to the slot that readers don't use and then published, so a reader gets both
/// numbers of one report, and waits for no writer: that may be a thread of low priority that does
/// not run.
pub(crate) struct Reports {
    /// Twice the number of reports, and one more while a report is written. The latest report is in
    /// the slot `version / 2 % 2`.
    ///
    /// A writer makes it odd with acquire order, so it writes after the writer before it. It
    /// publishes with release order, so a reader that acquires the new version sees the report.
    version: AtomicU64,
    slots: [Slot; 2],
    unit: AtomicU8,
    message: Mutex<Option<Arc<str>>>,
}

/// The stores have release order and the loads acquire order: a reader that sees a number of a later
/// writer also sees the version that this writer has made odd, and reads again.
struct Slot {
    done: AtomicU64,
    total: AtomicU64,
}

impl Slot {
    fn new() -> Self {
        Self {
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
        }
    }
}

impl Reports {
    pub(crate) fn new() -> Self {
        Self {
            version: AtomicU64::new(0),
            slots: [Slot::new(), Slot::new()],
            unit: AtomicU8::new(0),
            message: Mutex::new(None),
        }
    }

    pub(crate) fn get(&self) -> Progress {
        let (done, total) = self.numbers();
        Progress {
            done,
            total,
            unit: UNITS[usize::from(self.unit.load(Ordering::Relaxed)) % UNITS.len()],
            message: lock(&self.message).clone(),
        }
    }

    pub(crate) fn set_unit(&self, unit: ProgressUnit) {
        let number = UNITS.iter().position(|it| *it == unit).unwrap_or(0);
        let number = u8::try_from(number).unwrap_or(0);
        self.unit.store(number, Ordering::Relaxed);
    }

    pub(crate) fn set_message(&self, text: Arc<str>) {
        *lock(&self.message) = Some(text);
    }

    fn numbers(&self) -> (u64, u64) {
        loop {
            let published = self.version.load(Ordering::Acquire) & !1;
            let slot = self.slot(published);
            let done = slot.done.load(Ordering::Acquire);
            let total = slot.total.load(Ordering::Acquire);
            // The report after the next one is written to this slot.
            if self.version.load(Ordering::Relaxed) <= published + 2 {
                return (done, total);
            }
        }
    }

    #[inline]
    pub(crate) fn set(&self, done: u64, total: u64) {
        let published = loop {
            let published = self.version.load(Ordering::Relaxed) & !1;
            let odd = published + 1;
            let claimed =
                self.version
                    .compare_exchange(published, odd, Ordering::Acquire, Ordering::Relaxed);
            if claimed.is_ok() {
                break published;
            }
            // Another thread of the task reports at the same time.
            yield_now();
        };
        let slot = self.slot(published + 2);
        slot.done.store(done, Ordering::Release);
        slot.total.store(total, Ordering::Release);
        self.version.store(published + 2, Ordering::Release);
    }

    fn slot(&self, published: u64) -> &Slot {
        &self.slots[usize::from(published % 4 == 2)]
    }
}
