//! Several digests of one large file, side by side on the shared threads, while the next part is read.

use std::io;
use std::mem;

use super::DigestKind;
use super::digest::{DigestMonitor, FileDigests, check_cancel};
use super::error::{Change, ChecksumError};
use super::hasher::Hasher;
use super::source::{OpenFile, read_exact_at};
use super::tree;

/// The bytes that all digests take in before any goes on: a part of the cache that the cores share, and
/// much longer work than waking a thread.
const PART_LEN: u64 = 1024 * 1024;

/// The digests of the whole source; `None` if there are no threads for it now.
pub(super) fn digests(
    source: &OpenFile,
    kinds: &[DigestKind],
    monitor: &dyn DigestMonitor,
) -> Option<Result<FileDigests, ChecksumError>> {
    tree::on_threads(|| compute(source, kinds, monitor))
}

fn compute(
    source: &OpenFile,
    kinds: &[DigestKind],
    monitor: &dyn DigestMonitor,
) -> Result<FileDigests, ChecksumError> {
    let mut hashers: Vec<_> = kinds.iter().copied().map(Hasher::new).collect();
    let (mut part, mut next) = (Vec::new(), Vec::new());
    let mut done = 0;
    read_part(source, done, &mut part)?;
    while !part.is_empty() {
        check_cancel(source, monitor)?;
        done += part.len() as u64;
        rayon::scope(|scope| {
            let part = &part;
            for hasher in &mut hashers {
                scope.spawn(move |_| hasher.update_on_threads(part));
            }
            read_part(source, done, &mut next)
        })?;
        monitor.did_read(done, source.len());
        mem::swap(&mut part, &mut next);
    }
    Ok(FileDigests {
        bytes: done,
        modified: source.modified(),
        digests: hashers.into_iter().map(Hasher::finish).collect(),
    })
}

/// Makes `part` what follows at `offset`; empty at the end.
fn read_part(source: &OpenFile, offset: u64, part: &mut Vec<u8>) -> Result<(), ChecksumError> {
    let len = PART_LEN.min(source.len() - offset);
    part.resize(usize::try_from(len).expect("a part fits the memory"), 0);
    read_exact_at(source.file(), part, offset).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => source.changed(Change::Shrank),
        _ => source.error(error),
    })
}
