//! Whether two names lead to the same file.

use std::fs::{self, Metadata};
use std::path::Path;
#[cfg(not(unix))]
use std::time::SystemTime;

use super::JobSpec;

/// Identifies a file or folder.
#[cfg(unix)]
pub(crate) type FileIdentity = (u64, u64);

#[cfg(unix)]
pub(crate) fn identity(metadata: &Metadata) -> FileIdentity {
    use std::os::unix::fs::MetadataExt as _;

    (metadata.dev(), metadata.ino())
}

/// The time of creation stands in for it on other systems.
#[cfg(not(unix))]
pub(crate) type FileIdentity = Option<SystemTime>;

#[cfg(not(unix))]
pub(crate) fn identity(metadata: &Metadata) -> FileIdentity {
    metadata.created().ok()
}

/// Whether both names lead to the same file or folder, such as a link and its target; `false` if one of
/// them can't be asked.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|it| identity(&it));
    identity(one).is_some_and(|one| Some(one) == identity(other))
}

/// Whether the file is one that a job has read, by any of its names: one of its `items`, an input such as a list, or a
/// file that its options name.
pub(crate) fn is_read<'a>(
    file: &Path,
    spec: &JobSpec,
    items: impl IntoIterator<Item = &'a Path>,
) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|it| identity(&it));
    let own = identity(file);
    let is_own = |read: &Path| own.is_some() && identity(read) == own;
    let mut options = spec.options.clone();
    let mut inputs = spec.inputs.paths().iter();
    items.into_iter().any(is_own)
        || inputs.any(|input| is_own(input))
        || options.job_mut().places().iter().any(|path| is_own(path))
}
