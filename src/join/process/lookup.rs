//! Finds a program's file, and checks whether the system can run it.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, Mode, OFlags, open};
use rustix::io::Errno;

use super::system;

/// Opens a pipe or device without waiting for the other end.
const WITHOUT_BLOCKING: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Finds the file of `program` as `exec` does: relative to `dir` if the name contains a `/`, and
/// otherwise in the folders of `path_variable`.
pub(super) fn find_program(
    program: &OsStr,
    dir: &Path,
    path_variable: &OsStr,
) -> io::Result<PathBuf> {
    if program.as_bytes().contains(&b'/') {
        let path = dir.join(program);
        return check_program(&path).map(|()| path);
    }
    let mut refusal = io::Error::from(Errno::NOENT);
    for dir in std::env::split_paths(path_variable) {
        let path = dir.join(program);
        match check_program(&path) {
            Ok(()) => return Ok(path),
            Err(error) if is_refusal(&error) => refusal = error,
            Err(_) => {}
        }
    }
    Err(refusal)
}

/// Whether the file exists and is not to be executed.
fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, PermissionDenied};
    matches!(error.kind(), IsADirectory | PermissionDenied)
}

fn check_program(path: &Path) -> io::Result<()> {
    let metadata = path.metadata()?;
    if metadata.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    if !metadata.is_file() {
        return Err(Errno::ACCESS.into());
    }
    Ok(rustix::fs::access(path, Access::EXEC_OK)?)
}

/// Checks that a process can run in this folder.
pub(super) fn check_folder(path: &Path) -> io::Result<()> {
    if !path.metadata()?.is_dir() {
        return Err(Errno::NOTDIR.into());
    }
    Ok(rustix::fs::access(path, Access::EXEC_OK)?)
}

/// Checks by a file's first bytes whether the system can run it. The `exec` of a launcher passes
/// any other file to the shell.
pub(super) fn is_executable_format(program: &Path) -> bool {
    let mut magic = [0; 4];
    let Ok(file) = open(program, WITHOUT_BLOCKING, Mode::empty()) else {
        // The file may be executable without being readable.
        return true;
    };
    // It is a file, but a pipe may have taken its place.
    let count = rustix::io::read(&file, &mut magic).unwrap_or(0);
    let magic = &magic[..count];
    magic.starts_with(b"#!") || system::is_program_format(magic)
}
