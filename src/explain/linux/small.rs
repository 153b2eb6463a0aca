//! Reads the short files of `/proc` with three system calls each.

use std::fs::File;
use std::io::Read as _;

/// Longer than any file that is read here.
const ROOM: usize = 4096;

/// Returns what a short file has, with what is not UTF-8 replaced. Nothing if it can't be read.
pub(super) fn text(path: &str) -> Option<String> {
    let mut bytes = [0; ROOM];
    // These files are made when they are read, and come whole.
    let length = File::open(path)
        .and_then(|mut file| file.read(&mut bytes))
        .ok()?;
    Some(String::from_utf8_lossy(&bytes[..length]).into_owned())
}
