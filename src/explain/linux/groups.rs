//! Control groups: whether that of a process is frozen.

use std::fs;
use std::path::{Path, PathBuf};

use procfs::process::{MountInfo, Process};

/// Where the groups that can be frozen are mounted. A system may have one tree, or both.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// Of version 2, in which each group can be frozen.
    unified: Option<Mounted>,
    /// Of version 1, where the controller `freezer` has a tree of its own.
    freezer: Option<Mounted>,
}

#[derive(Debug)]
struct Mounted {
    /// The group that is at the top.
    root: PathBuf,
    place: PathBuf,
}

impl Groups {
    pub(super) fn read() -> Self {
        let mounts = Process::myself().and_then(|own| own.mountinfo());
        let Ok(mounts) = mounts else {
            return Self::default();
        };
        let find = |is_wanted: fn(&&MountInfo) -> bool| {
            let mount = mounts.iter().find(is_wanted)?;
            Some(Mounted {
                root: PathBuf::from(&mount.root),
                place: mount.mount_point.clone(),
            })
        };
        Self {
            unified: find(|mount| mount.fs_type == "cgroup2"),
            freezer: find(|mount| {
                mount.fs_type == "cgroup" && mount.super_options.contains_key("freezer")
            }),
        }
    }

    /// Returns whether a group of the process is frozen.
    pub(super) fn is_frozen(&self, pid: u32) -> bool {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        groups
            .lines()
            .any(|line| self.is_line_frozen(line) == Some(true))
    }

    /// A line is the number of a tree, its controllers, and the group of the process in it.
    fn is_line_frozen(&self, line: &str) -> Option<bool> {
        let mut parts = line.splitn(3, ':').skip(1);
        let controllers = parts.next()?;
        let group = Path::new(parts.next()?);
        if controllers.is_empty() {
            let events = self.unified.as_ref()?.read(group, "cgroup.events")?;
            Some(events.lines().any(|line| line == "frozen 1"))
        } else if controllers.split(',').any(|name| name == "freezer") {
            let state = self.freezer.as_ref()?.read(group, "freezer.state")?;
            Some(state.trim() == "FROZEN")
        } else {
            None
        }
    }
}

impl Mounted {
    fn read(&self, group: &Path, file: &str) -> Option<String> {
        let below = group.strip_prefix(&self.root).ok()?;
        fs::read_to_string(self.place.join(below).join(file)).ok()
    }
}
