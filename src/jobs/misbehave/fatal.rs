//! Ends that no thread survives. They are for isolated workers, and only called there.

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::jobs::ItemError;

/// The most address space of a worker that allocates without end, in bytes.
pub(super) const ADDRESS_SPACE: u64 = 1 << 30;

/// How much is allocated at a time, in bytes.
const PIECE_LEN: usize = 1 << 20;

/// The code with which an item exits.
const EXIT_CODE: i32 = 7;

/// Aborts as a library does that prints why, on standard output.
pub(super) fn abort(input: &Path) -> ! {
    let mut stdout = std::io::stdout();
    // Who can't be told will see the signal.
    let _unwritable = writeln!(stdout, "{} aborts, as it was told to", input.display());
    std::process::abort()
}

/// Exits, past everything that would have been cleaned up.
#[expect(clippy::exit, reason = "that is what a person asked for")]
pub(super) fn exit() -> ! {
    std::process::exit(EXIT_CODE)
}

/// Sleeps for ever.
pub(super) fn block() -> ! {
    loop {
        super::sleep(Duration::MAX);
    }
}

/// Allocates and fills memory until there is none left.
///
/// # Errors
/// Nothing limits the memory of this process: all of the machine's would go.
pub(super) fn allocate(input: &Path) -> Result<(), ItemError> {
    if !has_memory_limit() {
        return Err(ItemError {
            kind: "no_limit".to_owned(),
            message: format!(
                "{} did not allocate without end, because nothing limits the memory of its worker",
                input.display()
            ),
        });
    }
    let mut pieces = Vec::new();
    loop {
        pieces.push(black_box(vec![1_u8; PIECE_LEN]));
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

/// Calls itself until the stack is full. Returns something, so that no call is the last.
pub(super) fn overflow(depth: u64) -> u64 {
    let frame = black_box([depth; 64]);
    if depth == u64::MAX {
        return depth;
    }
    overflow(depth + 1).wrapping_add(frame[63])
}

/// Ends as an access to memory that is not there would.
pub(super) fn segfault() -> ! {
    // The first one only ends the handler with which std recognises a full stack.
    loop {
        raise_segv();
        super::sleep(super::SLICE);
    }
}

#[cfg(unix)]
fn raise_segv() {
    use rustix::process::{Signal, getpid, kill_process};
    let _always_allowed = kill_process(getpid(), Signal::SEGV);
}

#[cfg(not(unix))]
fn raise_segv() {
    std::process::abort();
}

/// Panics, and again in a destructor that runs because of it: no panic can be caught then.
pub(super) fn panic_while_unwinding() -> ! {
    let _dropped_by_the_panic = super::PanicsInDrop;
    panic!("misbehaved, as it was told to, with a destructor that panics");
}
