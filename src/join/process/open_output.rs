//! The processes that hold the captured output of another one open.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::output::StreamCapture;
use super::stop::TreeMember;
use super::system;

/// The time in which a process that exits, or that is about to execute a program, closes what it holds.
const CLOSE_TIME: Duration = Duration::from_millis(50);

/// Returns the pipes of the captured streams to which some process can still write, after a moment in
/// which it may close them.
pub(super) fn held(captures: [&StreamCapture; 2]) -> Vec<Arc<OwnedFd>> {
    let pipes = captures.into_iter().filter_map(StreamCapture::pipe);
    pipes.filter(|pipe| is_held(pipe)).collect()
}

/// Whether a process still holds the other end of a pipe after a moment.
fn is_held(pipe: &OwnedFd) -> bool {
    let timeout = Timespec::try_from(CLOSE_TIME).ok();
    loop {
        let mut polled = [PollFd::new(pipe, PollFlags::HUP)];
        match poll(&mut polled, timeout.as_ref()) {
            Err(Errno::INTR) => {}
            _ => return !polled[0].revents().contains(PollFlags::HUP),
        }
    }
}

/// Returns the processes that can write to one of these pipes, sorted by pid, as far as the system shows
/// them. `group` is the group of the process whose output it is; `None` is that of this program.
pub(super) fn holders(pipes: &[Arc<OwnedFd>], group: Option<i32>) -> Vec<TreeMember> {
    let numbers = pipes.iter().filter_map(|pipe| {
        let status = rustix::fs::fstat(pipe).ok()?;
        Some(status.st_ino)
    });
    let numbers: Vec<u64> = numbers.collect();
    if numbers.is_empty() {
        return Vec::new();
    }
    let group = group.or_else(system::own_group);
    let mut holders: Vec<TreeMember> = system::pipe_holders(&numbers)
        .into_iter()
        .map(|holder| TreeMember {
            pid: holder.pid.unsigned_abs(),
            left_group: Some(holder.group) != group,
            name: holder.name,
        })
        .collect();
    holders.sort_by_key(|holder| holder.pid);
    holders
}
