//! What a thread and a process have used of the processors.

/// The time of this thread on a processor, in nanoseconds.
pub(super) fn of_thread() -> u64 {
    clock::now(clock::Of::Thread)
}

/// The time of this process on processors, in nanoseconds.
pub(super) fn of_process() -> u64 {
    clock::now(clock::Of::Process)
}

mod clock {
    use rustix::time::{ClockId, clock_gettime};

    #[derive(Clone, Copy)]
    pub(super) enum Of {
        Thread,
        Process,
    }

    pub(super) fn now(of: Of) -> u64 {
        let time = clock_gettime(match of {
            Of::Thread => ClockId::ThreadCPUTime,
            Of::Process => ClockId::ProcessCPUTime,
        });
        let (secs, nanos) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
        secs * 1_000_000_000 + nanos
    }
}
