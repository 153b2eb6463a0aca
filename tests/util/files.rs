//! Folders and files for tests.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// An empty folder that is removed after the test.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("meanwhile-test-")
        .tempdir()
        .expect("a temporary folder can be created")
}

/// Writes a file below `folder`, and creates its parent folders.
pub(crate) fn write(folder: &Path, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    let parent = path.parent().expect("a file is in a folder");
    fs::create_dir_all(parent).expect("a folder for the test can be created");
    fs::write(&path, bytes).expect("a file for the test can be written");
    path
}

/// A file name of these bytes, which need not be UTF-8.
pub(crate) fn name(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// `len` pseudo-random bytes.
pub(crate) fn bytes(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .flatten()
    .take(len)
    .collect()
}

/// Runs a program in `folder`. Returns whether it succeeded, and its standard output.
pub(crate) fn run(folder: &Path, program: &str, arguments: &[&OsStr]) -> (bool, Vec<u8>) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    (output.status.success(), output.stdout)
}

/// Shell commands for [`in_child_with`](super::child::in_child_with) that make file permissions
/// apply to root too.
pub(crate) const OBEY_PERMISSIONS: &str = r#"
if [ "$(id -u)" = 0 ]; then
    exec setpriv --bounding-set=-dac_override,-dac_read_search \
        --inh-caps=-dac_override,-dac_read_search -- "$0" "$@"
fi"#;
