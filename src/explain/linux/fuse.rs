//! File systems that a process serves (FUSE): which process that is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use procfs::process::{MountInfo, Process};

use super::files::{fdinfo, holders_of_path, number_of};
use super::finding::Who;
use super::table::Table;

/// Returns who serves the file system that a thread of `pid` waits for. Nothing if several file systems
/// could be that one, or if the system does not say who serves it: Linux does since 6.14.
pub(super) fn servers(table: &Table, pid: u32) -> Vec<Who> {
    let mut connections = connections(pid).into_iter();
    let (Some(connection), None) = (connections.next(), connections.next()) else {
        return Vec::new();
    };
    let serves = |(pid, fd): &(u32, i32)| {
        number_of(&fdinfo(*pid, *fd), "fuse_connection:") == Some(connection)
    };
    holders_of_path(table, Path::new("/dev/fuse"))
        .into_iter()
        .filter(serves)
        .map(|(pid, _)| Who::Process(pid))
        .collect()
}

/// Returns the numbers of the file systems that a process can see and that somebody waits for.
fn connections(pid: u32) -> BTreeSet<u32> {
    let Some(process) = i32::try_from(pid)
        .ok()
        .and_then(|pid| Process::new(pid).ok())
    else {
        return BTreeSet::new();
    };
    let Ok(mounts) = process.mountinfo() else {
        return BTreeSet::new();
    };
    let is_served = |mount: &&MountInfo| {
        let kind = mount.fs_type.split('.').next();
        matches!(kind, Some("fuse" | "fuseblk"))
    };
    let numbers = mounts.iter().filter(is_served).filter_map(number);
    numbers.filter(|number| has_requests(*number)).collect()
}

/// The number of a connection is that of the device, as the kernel has it: 12 bits for the major number, and
/// 20 for the minor one.
fn number(mount: &MountInfo) -> Option<u32> {
    let (major, minor) = mount.majmin.split_once(':')?;
    Some(major.parse::<u32>().ok()? << 20 | minor.parse::<u32>().ok()?)
}

/// Whether a request has no answer yet. Only who has mounted the file system can read that; for all others
/// it may have one.
fn has_requests(connection: u32) -> bool {
    let waiting = fs::read_to_string(format!("/sys/fs/fuse/connections/{connection}/waiting"));
    !waiting.is_ok_and(|count| count.trim() == "0")
}
