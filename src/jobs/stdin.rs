//! Standard input, where a list or a file is called `-`.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// The name of standard input.
const NAME: &str = "-";

/// Whether this process has none: that of a worker has the messages of the program.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether this is standard input and no file.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == NAME
}

/// From now on, to open standard input is an error.
pub(crate) fn take() {
    IS_TAKEN.store(true, Ordering::Relaxed);
}

/// Another handle of standard input.
pub(super) fn open() -> io::Result<File> {
    if IS_TAKEN.load(Ordering::Relaxed) {
        let problem = "a process of its own can't read it; let the job run in this one";
        return Err(io::Error::other(problem));
    }
    Ok(File::from(handle()?))
}

#[cfg(unix)]
fn handle() -> io::Result<std::os::fd::OwnedFd> {
    use std::os::fd::AsFd as _;

    io::stdin().as_fd().try_clone_to_owned()
}

#[cfg(windows)]
fn handle() -> io::Result<std::os::windows::io::OwnedHandle> {
    use std::os::windows::io::AsHandle as _;

    io::stdin().as_handle().try_clone_to_owned()
}
