//! Ends that take the whole process down. Only isolated workers call them.

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::jobs::ItemError;

/// The most address space of a worker that allocates without end, in bytes.
pub(super) const MAX_ADDRESS_SPACE_BYTES: u64 = 1 << 30;

/// The bytes that are allocated at a time.
const ALLOCATION_BYTES: usize = 1 << 20;

/// The time after which a signal is raised again.
const SIGNAL_INTERVAL: Duration = Duration::from_millis(10);

/// The code with which an item exits.
const EXIT_CODE: i32 = 7;

/// Aborts like a library that first prints the reason on standard output.
pub(super) fn abort(input: &Path) -> ! {
    let mut stdout = std::io::stdout();
    // The signal shows even if the line can't be written.
    writeln!(stdout, "{}: simulated abort", input.display()).ok();
    std::process::abort()
}

/// Exits without any clean-up.
#[expect(clippy::exit, reason = "the user chose this end")]
pub(super) fn exit() -> ! {
    std::process::exit(EXIT_CODE)
}

pub(super) fn block() -> ! {
    loop {
        super::sleep(Duration::MAX);
    }
}

/// Allocates and fills memory until there is none left.
///
/// # Errors
/// The memory of this process has no limit, so it would take all of the machine's.
pub(super) fn allocate(input: &Path) -> Result<(), ItemError> {
    if !has_memory_limit() {
        let message = format!(
            "{} did not allocate, because the memory of its worker has no limit",
            input.display()
        );
        return Err(ItemError::new("no_limit", message));
    }
    let mut allocations = Vec::new();
    loop {
        allocations.push(black_box(vec![1_u8; ALLOCATION_BYTES]));
    }
}

#[cfg(unix)]
fn has_memory_limit() -> bool {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::As).current.is_some()
}

#[cfg(not(unix))]
fn has_memory_limit() -> bool {
    false
}

/// Recurses until the stack is full. Returns a value, so that no call is a tail call.
pub(super) fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if depth == u64::MAX {
        return depth;
    }
    overflow(depth + 1).wrapping_add(frame[63])
}

/// Ends like an access to unmapped memory.
pub(super) fn segfault() -> ! {
    // The first signal only removes the handler with which std detects a stack overflow.
    loop {
        raise_segv();
        super::sleep(SIGNAL_INTERVAL);
    }
}

#[cfg(unix)]
fn raise_segv() {
    use rustix::process::{Signal, getpid, kill_process};
    // A process may always signal itself.
    kill_process(getpid(), Signal::SEGV).ok();
}

#[cfg(not(unix))]
fn raise_segv() {
    std::process::abort();
}

/// Panics, and again in a destructor that runs because of it. Such a panic can't be caught.
pub(super) fn panic_while_unwinding() -> ! {
    let _guard = super::PanicsInDrop;
    panic!("simulated panic with a destructor that panics");
}
