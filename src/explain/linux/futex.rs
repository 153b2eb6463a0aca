//! What a thread waits for that has called `futex`: the end of a thread, a lock, or to be woken.
//!
//! The distances are those of the GNU C library 2.36 and of musl 1.2.3, on 64 bits. A finding needs more
//! than a number at the right place: the thread that is named must live in the process, and the structure
//! around it must be what it is taken for.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::call::SystemCall;
use super::finding::{Finding, Who};
use super::reader::{ProcessReader, low};
use crate::graph::{Activity, Deadline, Lock};

const WAIT: u32 = 0;
const LOCK_PI: u32 = 6;
const WAIT_BITSET: u32 = 9;
const LOCK_PI2: u32 = 13;

const PRIVATE: u32 = 0x80;
const REALTIME: u32 = 0x100;

/// The bits of a word that hold the id of a thread; the others say that someone waits or has died.
const TID_MASK: u32 = 0x3fff_ffff;

/// Where the thread id stands in `struct pthread` of the GNU C library, and the pointer to itself.
const GNU_TID: u64 = 0x2d0;
const GNU_SELF: u64 = 0x10;

/// Where musl's `detach_state` and thread id stand in `struct pthread`.
const MUSL_DETACH_STATE: u64 = 0x38;
const MUSL_TID: u64 = 0x30;

/// The kinds of mutexes of the GNU C library that have an owner, without the bits for elision.
const GNU_MAX_KIND: u32 = 0xff;
const GNU_ELISION: u32 = 0x300;

/// The part of memory around a word that is read at once: from 8 bytes before it.
const BEFORE: i64 = 8;
const AROUND: usize = 40;

struct Futex<'a> {
    process: &'a ProcessReader<'a>,
    address: u64,
    /// Nothing if a part of it is no memory.
    around: Option<[u8; AROUND]>,
    command: u32,
    private: bool,
    realtime: bool,
    value: u32,
    timed: bool,
}

/// Returns what a thread waits for that is in a call of `futex`.
pub(super) fn finding(process: &ProcessReader<'_>, call: &SystemCall) -> Finding {
    let operation = low(call.arguments[1]);
    let futex = Futex {
        process,
        address: call.arguments[0],
        around: call.arguments[0]
            .checked_add_signed(-BEFORE)
            .and_then(|begin| process.bytes(begin)),
        command: operation & 0x7f,
        private: operation & PRIVATE != 0,
        realtime: operation & REALTIME != 0,
        value: low(call.arguments[2]),
        timed: call.arguments[3] != 0,
    };
    let deadline = futex.timed.then(|| futex.deadline(call.arguments[3]));
    futex.awaited().until(deadline)
}

impl Futex<'_> {
    fn awaited(&self) -> Finding {
        if let Some(thread) = self.joined() {
            return Finding::awaiting(Activity::Joins, vec![thread]);
        }
        let lock = self
            .priority_mutex()
            .or_else(|| self.stream())
            .or_else(|| self.mutex());
        let lock = lock
            .or_else(|| self.musl_mutex())
            .or_else(|| self.read_write());
        lock.unwrap_or_else(|| Finding::new(Activity::Woken))
    }

    /// Absolute for a bit set and for PI, otherwise from the call on.
    fn deadline(&self, address: u64) -> Deadline {
        let Some(time) = self.process.time(address) else {
            return Deadline::Sometime;
        };
        match self.command {
            WAIT => Deadline::Of(time),
            LOCK_PI => time_left(ClockId::Realtime, time),
            _ if self.realtime => time_left(ClockId::Realtime, time),
            _ => time_left(ClockId::Monotonic, time),
        }
    }

    fn u32(&self, offset: i64) -> Option<u32> {
        self.bytes(offset).map(u32::from_ne_bytes)
    }

    fn u64(&self, offset: i64) -> Option<u64> {
        self.bytes(offset).map(u64::from_ne_bytes)
    }

    fn bytes<const N: usize>(&self, offset: i64) -> Option<[u8; N]> {
        let Some(around) = &self.around else {
            return self.process.bytes(self.address.checked_add_signed(offset)?);
        };
        let begin = usize::try_from(offset + BEFORE).ok()?;
        around.get(begin..begin + N)?.try_into().ok()
    }

    /// The word that a join waits on holds the id of the thread until that has ended.
    fn joined(&self) -> Option<Who> {
        self.joined_gnu().or_else(|| self.joined_musl())
    }

    fn joined_gnu(&self) -> Option<Who> {
        // Shared, with the clock of the day: nothing else waits like that with such a value.
        let is_join = self.command == WAIT_BITSET && self.realtime && !self.private;
        if !is_join || self.value == 0 || self.u32(0)? != self.value {
            return None;
        }
        if cfg!(target_arch = "x86_64") {
            let thread = self.address.checked_sub(GNU_TID)?;
            if self.process.u64(thread.checked_add(GNU_SELF)?)? != thread {
                return None;
            }
        }
        self.process.thread(self.value)
    }

    fn joined_musl(&self) -> Option<Who> {
        let is_wait = self.command == WAIT && self.private && self.value == 2;
        let thread = self.address.checked_sub(MUSL_DETACH_STATE)?;
        if !is_wait || self.u32(0)? != 2 || self.process.u64(thread)? != thread {
            return None;
        }
        self.process
            .thread(self.process.u32(thread.checked_add(MUSL_TID)?)?)
    }

    /// The word of a PI mutex holds its owner.
    fn priority_mutex(&self) -> Option<Finding> {
        if self.command != LOCK_PI && self.command != LOCK_PI2 {
            return None;
        }
        let owner = self.u32(0).and_then(|word| self.owner(word & TID_MASK));
        Some(held(Lock::PriorityMutex, owner))
    }

    /// A mutex of the GNU C library has its owner 8 bytes behind the word, then the number of its users, then
    /// its kind. Those of `GLib` and Rust wait in the same way, and have other data there.
    fn mutex(&self) -> Option<Finding> {
        let word = self.u32(0)?;
        let robust = !self.private && (self.value & !TID_MASK != 0 || self.value > 2);
        if !robust && (self.value != 2 || word != 2) {
            return None;
        }
        // Without a limit, the GNU C library waits for a private one by the plain command alone.
        if self.private && self.command != WAIT && !self.timed {
            return None;
        }
        let (owner, users, kind) = (self.u32(8)?, self.u32(12)?, self.u32(16)?);
        let kind = kind & !GNU_ELISION;
        if robust && word & TID_MASK != owner {
            return None;
        }
        if users == 0 || users > 0xffff || kind > GNU_MAX_KIND || (kind & 0x80 != 0) == self.private
        {
            return None;
        }
        Some(held(Lock::Mutex, Some(self.owner(owner)?)))
    }

    /// The lock of a stream has a count and a pointer to its owner behind the word.
    fn stream(&self) -> Option<Finding> {
        if self.command != WAIT || !self.private || self.value != 2 || self.u32(0)? != 2 {
            return None;
        }
        let owner = self.u64(8)?;
        if owner == 0 || self.process.u64(owner.checked_add(GNU_SELF)?)? != owner {
            return None;
        }
        let tid = self.process.u32(owner.checked_add(GNU_TID)?)?;
        Some(held(Lock::Stream, Some(self.process.thread(tid)?)))
    }

    /// A mutex of musl that knows its owner has it in the word, and its kind 4 bytes before. A plain one
    /// only says that it is taken.
    fn musl_mutex(&self) -> Option<Finding> {
        const WAITERS: u32 = 0x8000_0000;
        const TAKEN: u32 = 0x10;
        if self.command != WAIT || self.value & WAITERS == 0 || self.u32(0)? != self.value {
            return None;
        }
        let kind = self.u32(-4)? & 0x7f;
        match (kind, self.value & TID_MASK) {
            (0, TAKEN) => Some(Finding::new(Activity::Locks(Lock::Mutex))),
            (1..=14, owner) => Some(held(Lock::Mutex, Some(self.owner(owner)?))),
            _ => None,
        }
    }

    /// A read-write lock of the GNU C library that is held by a writer has its id 16 or 12 bytes behind the
    /// word. Those who read are only counted.
    fn read_write(&self) -> Option<Finding> {
        if self.command != WAIT_BITSET || !self.private || !self.realtime {
            return None;
        }
        match self.value {
            3 => {
                let writer = [16, 12]
                    .iter()
                    .find_map(|offset| self.owner(self.u32(*offset)?));
                Some(held(Lock::ReadWrite, Some(writer?)))
            }
            // The readers, eight times as many as there are.
            2 if self.u32(-8)? >> 3 > 0 && !self.timed => {
                Some(Finding::new(Activity::Locks(Lock::ReadWrite)))
            }
            _ => None,
        }
    }

    /// Returns the thread with this id: of this process, or of any for a lock that processes share.
    fn owner(&self, id: u32) -> Option<Who> {
        if self.private {
            self.process.thread(id)
        } else {
            self.process.thread_of_any_process(id)
        }
    }
}

fn held(lock: Lock, owner: Option<Who>) -> Finding {
    Finding::awaiting(Activity::Locks(lock), owner.into_iter().collect())
}

/// Returns the time that is left until `time` of a clock.
pub(super) fn time_left(clock: ClockId, time: Duration) -> Deadline {
    let now = clock_gettime(clock);
    let now = u64::try_from(now.tv_sec)
        .ok()
        .zip(u32::try_from(now.tv_nsec).ok());
    match now {
        Some((seconds, nanoseconds)) => {
            Deadline::In(time.saturating_sub(Duration::new(seconds, nanoseconds)))
        }
        None => Deadline::Sometime,
    }
}
