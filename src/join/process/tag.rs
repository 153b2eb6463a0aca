//! The tag by which all descendants of a process are found.
//!
//! A process gets a tag in its environment, and its descendants inherit it. A daemon that has
//! changed its parent and its process group still carries the tag.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::LazyLock;
use std::time::SystemTime;

/// The environment variable that holds the tags of a process and its ancestors, outermost first,
/// separated by `:`.
pub(super) const TAG_VARIABLE: &str = "MEANWHILE_TREE";

/// What all tags of this run of the program begin with.
static RUN: LazyLock<String> = LazyLock::new(|| {
    let since_1970 = SystemTime::UNIX_EPOCH.elapsed();
    let nanos = since_1970.unwrap_or_default().as_nanos();
    format!("{}.{nanos}", std::process::id())
});

/// Returns the tag of the process with this key. No other run of the program has the same one.
pub(super) fn new_tag(key: u64) -> String {
    format!("{}.{key}", *RUN)
}

/// Whether this run of the program has given the tag.
pub(super) fn is_own(tag: &[u8]) -> bool {
    tag.starts_with(RUN.as_bytes())
}

/// Returns the value of [`TAG_VARIABLE`] for a child, which is the tags that this program inherited
/// and then `tag`.
pub(super) fn variable_for(tag: &str) -> OsString {
    match std::env::var_os(TAG_VARIABLE) {
        Some(mut tags) => {
            tags.push(":");
            tags.push(tag);
            tags
        }
        None => tag.into(),
    }
}

/// Splits the value of [`TAG_VARIABLE`].
pub(super) fn split(value: &OsStr) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|byte| *byte == b':')
}
