//! File descriptors in reserve, to look at processes and signal them when no more can be opened.

use std::fs::File;
use std::io;
use std::sync::Mutex;

use rustix::io::Errno;

use super::super::sync::lock;

/// As many as one look at the process table has open at the same time, and one more.
const COUNT: usize = 4;

static RESERVE: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// Opens the descriptors that are missing, as far as the system gives them.
pub(super) fn fill() {
    fill_up(&mut lock(&RESERVE));
}

/// Runs `look`, and once more without the reserve if no more files can be opened. It holds at most
/// [`COUNT`] descriptors at the same time, and keeps none.
///
/// # Errors
/// Fails as `look` does. [`is_limit`] holds if other threads have used up the descriptors.
pub(super) fn with_descriptors<T>(mut look: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    match look() {
        Err(refusal) if is_limit(&refusal) => {
            let mut reserve = lock(&RESERVE);
            reserve.clear();
            let second = look();
            fill_up(&mut reserve);
            second
        }
        other => other,
    }
}

/// Whether this program, or the system, has too many files open.
pub(super) fn is_limit(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE)
    )
}

fn fill_up(reserve: &mut Vec<File>) {
    while reserve.len() < COUNT
        && let Ok(file) = File::open("/")
    {
        reserve.push(file);
    }
}
