//! The tag by which the descendants of a process are found, wherever they went.
//!
//! A process gets a tag in its environment, and its descendants inherit it. The tag survives what
//! parents and process groups do not: a daemon that changed both still carries it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::LazyLock;
use std::time::SystemTime;

/// The environment variable that holds the tags of a process and its ancestors, outermost first,
/// separated by `:`.
pub(super) const TAG_VARIABLE: &str = "MEANWHILE_TREE";

/// The tag of the process with this key. No other run of the program has the same one.
pub(super) fn new_tag(key: u64) -> String {
    static RUN: LazyLock<String> = LazyLock::new(|| {
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed();
        let nanos = since_1970.unwrap_or_default().as_nanos();
        format!("{}.{nanos}", std::process::id())
    });
    format!("{}.{key}", *RUN)
}

/// The value of [`TAG_VARIABLE`] for a child: the tags that this program inherited, then `tag`.
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
