//! Stopping a process with all its descendants.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::exit::Exit;
use super::tree::{self, Member, ProcessIdentity, Root};

/// The interval between scans for new processes, at first and after each change. A scan reads the
/// whole process table.
const MIN_SCAN_INTERVAL: Duration = Duration::from_millis(20);

/// The interval between scans once no process has changed for a while.
const MAX_SCAN_INTERVAL: Duration = Duration::from_millis(250);

/// The time that a killed process gets to exit. On a busy machine a process at background priority
/// waits for its turn to exit. A system call that can't be interrupted, such as a read from a disk
/// that does not respond, can take longer than this.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// The end of each process of a tree that was stopped. All lists are sorted by pid.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct StopReport {
    /// The end of the process itself; `None` if it has not ended.
    pub exit: Option<Exit>,
    /// The processes that ended after `SIGTERM`.
    pub ended: Vec<TreeMember>,
    /// The processes that had to be killed.
    pub forced: Vec<TreeMember>,
    /// The processes still alive, because they could not be killed or have not exited yet.
    pub escaped: Vec<TreeMember>,
}

/// One process of a tree that was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeMember {
    /// The process id.
    pub pid: u32,
    /// The process's name in the process table; Linux keeps at most 15 bytes of it.
    pub name: String,
    /// Whether it had left the process group of the tree's root.
    pub left_group: bool,
}

/// Ends the tree of `root`; see [`Process::stop`](super::Process::stop).
pub(super) fn stop(root: &dyn Root, grace: Duration) -> StopReport {
    let mut stopper = TreeStopper {
        root,
        members: BTreeMap::new(),
    };
    let all_ended = stopper.run_phase(Phase::Terminate, Instant::now().checked_add(grace));
    if !all_ended {
        stopper.run_phase(Phase::Kill, Instant::now().checked_add(KILL_TIMEOUT));
    }
    // At the limit of open files the process table can't be read, and no process is found.
    root.kill_group();
    let exit = root.wait(Instant::now().checked_add(KILL_TIMEOUT));
    stopper.into_report(exit)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Terminate,
    Kill,
}

struct TreeStopper<'a> {
    root: &'a dyn Root,
    members: BTreeMap<ProcessIdentity, MemberState>,
}

struct MemberState {
    member: Member,
    was_killed: bool,
    has_ended: bool,
}

impl TreeStopper<'_> {
    /// Signals all members, including new ones, until none is left or the deadline has passed.
    /// Returns whether none is left.
    fn run_phase(&mut self, phase: Phase, deadline: Option<Instant>) -> bool {
        let mut terminated = BTreeSet::new();
        let mut previous = BTreeSet::new();
        let mut interval = MIN_SCAN_INTERVAL;
        loop {
            let running = self.scan(phase, &mut terminated);
            if running.is_empty() {
                return true;
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            let is_unchanged = running == previous && self.all_have_pidfds();
            interval = if is_unchanged {
                (2 * interval).min(MAX_SCAN_INTERVAL)
            } else {
                MIN_SCAN_INTERVAL
            };
            previous = running;
            self.wait_for_exit(left.unwrap_or(interval).min(interval));
        }
    }

    /// Finds the running members, signals them and returns their identities.
    fn scan(
        &mut self,
        phase: Phase,
        terminated: &mut BTreeSet<ProcessIdentity>,
    ) -> BTreeSet<ProcessIdentity> {
        let found = tree::find(self.root, self.members.keys());
        let running: BTreeSet<ProcessIdentity> =
            found.iter().map(|member| member.identity).collect();
        for member in found {
            let identity = member.identity;
            let state = self.members.entry(identity).or_insert(MemberState {
                member,
                was_killed: false,
                has_ended: false,
            });
            if phase == Phase::Kill {
                state.was_killed = true;
                signal(self.root, &state.member, Signal::KILL);
            } else if terminated.insert(identity) {
                signal(self.root, &state.member, Signal::TERM);
                // A stopped process handles the first signal when it is continued.
                signal(self.root, &state.member, Signal::CONT);
            }
        }
        for (identity, state) in &mut self.members {
            state.has_ended = !running.contains(identity);
        }
        running
    }

    fn running(&self) -> impl Iterator<Item = &Member> {
        let members = self.members.values();
        let running = members.filter(|state| !state.has_ended);
        running.map(|state| &state.member)
    }

    /// Whether [`wait_for_exit`](Self::wait_for_exit) returns early for every running member.
    fn all_have_pidfds(&self) -> bool {
        self.running().all(|member| member.pidfd.is_some())
    }

    /// Waits until a member exits, at most for `time`.
    fn wait_for_exit(&self, time: Duration) {
        let pidfds = self.running().filter_map(|member| member.pidfd.as_ref());
        let mut polled: Vec<PollFd<'_>> = pidfds
            .map(|pidfd| PollFd::new(pidfd, PollFlags::IN))
            .collect();
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: time.as_nanos().try_into().unwrap_or(0),
        };
        // An interrupted wait only makes the next scan earlier.
        poll(&mut polled, Some(&timeout)).ok();
    }

    fn into_report(self, exit: Option<Exit>) -> StopReport {
        let mut report = StopReport {
            exit,
            ..StopReport::default()
        };
        let group = self.root.pid();
        for state in self.members.into_values() {
            let list = match (state.has_ended, state.was_killed) {
                (true, false) => &mut report.ended,
                (true, true) => &mut report.forced,
                (false, _) => &mut report.escaped,
            };
            list.push(TreeMember {
                pid: state.member.identity.pid.unsigned_abs(),
                name: state.member.name,
                left_group: state.member.group != group,
            });
        }
        report
    }
}

/// Signals a member of the tree. The root is signalled under the lock under which it is reaped. On
/// a system without pidfds nothing else keeps its pid from becoming another process's.
fn signal(root: &dyn Root, member: &Member, signal: Signal) {
    if member.identity.pid == root.pid() && !root.is_reaped() {
        // A refused signal shows in the list of processes that escaped.
        root.signal(signal).ok();
    } else {
        member.signal(signal);
    }
}
