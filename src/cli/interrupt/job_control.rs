//! Whether a shell would continue this program after a stop.

/// Whether some process of the session can continue the process group of this program: the parent of one
/// of its members, in another group, as a shell is. Without one, the system ignores Ctrl-Z as well.
#[cfg(target_os = "linux")]
pub(super) fn can_continue() -> bool {
    let Some(own) = Stat::of(std::process::id()) else {
        return false;
    };
    let mut parent = Stat::of(own.parent);
    while let Some(stat) = parent {
        if stat.session != own.session {
            return false;
        }
        if stat.group != own.group {
            return true;
        }
        parent = Stat::of(stat.parent);
    }
    false
}

/// Only Linux tells without unsafe code.
#[cfg(not(target_os = "linux"))]
pub(super) fn can_continue() -> bool {
    true
}

/// Where a process belongs, from `/proc`.
#[cfg(target_os = "linux")]
struct Stat {
    parent: u32,
    group: u32,
    session: u32,
}

#[cfg(target_os = "linux")]
impl Stat {
    /// `None` if there is no such process.
    fn of(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name before may have any character.
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut fields = fields.split(' ').skip(1).map(str::parse);
        let mut next = || fields.next()?.ok();
        Some(Self {
            parent: next()?,
            group: next()?,
            session: next()?,
        })
    }
}
