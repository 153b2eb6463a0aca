//! The limit on processes and threads, which counts all that a user runs.

/// Returns the limit; `None` if there is none for this user.
#[cfg(unix)]
pub(crate) fn process_limit() -> Option<u64> {
    use rustix::process::{Resource, getrlimit, getuid};

    let limit = getrlimit(Resource::Nproc).current?;
    let is_exempt = getuid().is_root() || own_status("CapEff:", 16).unwrap_or(0) & EXEMPT != 0;
    (!is_exempt).then_some(limit)
}

#[cfg(not(unix))]
pub(crate) fn process_limit() -> Option<u64> {
    None
}

/// `CAP_SYS_ADMIN` and `CAP_SYS_RESOURCE`: who has one of them may have any number of processes.
#[cfg(unix)]
const EXEMPT: u64 = 1 << 21 | 1 << 24;

/// Returns a number that Linux shows of this process, such as that of its `Threads:`.
#[cfg(unix)]
pub(crate) fn own_status(name: &str, radix: u32) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    u64::from_str_radix(line.trim(), radix).ok()
}
