//! Stopping a process with all its descendants.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::exit::Exit;
use super::system;
use super::tree::{self, Member, ProcessIdentity, Root, Snapshot};

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
#[non_exhaustive]
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
#[non_exhaustive]
pub struct TreeMember {
    /// The process id.
    pub pid: u32,
    /// The process's name in the process table; Linux keeps at most 15 bytes of it.
    pub name: String,
    /// Whether it had left the process group of the tree's root.
    pub left_group: bool,
}

/// Ends the trees of several processes at the same time; see
/// [`Process::stop`](super::Process::stop). Takes at most `grace` and then [`KILL_TIMEOUT`], however
/// many there are. Returns the reports in the order of `roots`.
pub(super) fn stop(roots: &[&dyn Root], grace: Duration) -> Vec<StopReport> {
    let mut stopper = Stopper {
        trees: roots.iter().map(|root| Tree::of(*root)).collect(),
    };
    let all_ended = stopper.run_phase(Phase::Terminate, Instant::now().checked_add(grace));
    let deadline = Instant::now().checked_add(KILL_TIMEOUT);
    if !all_ended {
        stopper.run_phase(Phase::Kill, deadline);
    }
    for tree in &stopper.trees {
        // At the limit of open files the process table can't be read, and no process is found.
        tree.root.kill_group();
    }
    let trees = stopper.trees.into_iter();
    trees
        .map(|tree| {
            let exit = tree.root.wait(deadline);
            tree.into_report(exit)
        })
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Terminate,
    Kill,
}

struct Stopper<'a> {
    trees: Vec<Tree<'a>>,
}

struct Tree<'a> {
    root: &'a dyn Root,
    members: BTreeMap<ProcessIdentity, MemberState>,
    /// The members that have got `SIGTERM`.
    terminated: BTreeSet<ProcessIdentity>,
    has_ended: bool,
}

struct MemberState {
    member: Member,
    was_killed: bool,
    has_ended: bool,
}

impl Stopper<'_> {
    /// Signals all members, including new ones, until none is left or the deadline has passed.
    /// Returns whether none is left.
    fn run_phase(&mut self, phase: Phase, deadline: Option<Instant>) -> bool {
        let mut previous = BTreeSet::new();
        let mut interval = MIN_SCAN_INTERVAL;
        loop {
            let running = self.scan(phase);
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

    /// Finds the running members of all trees, signals them and returns their identities. A tree of
    /// which no member was found has ended, and is not looked for again.
    fn scan(&mut self, phase: Phase) -> BTreeSet<ProcessIdentity> {
        let mut table = Snapshot::take();
        let mut running = BTreeSet::new();
        for tree in self.trees.iter_mut().filter(|tree| !tree.has_ended) {
            running.extend(tree.scan(&mut table, phase));
        }
        running
    }

    fn running(&self) -> impl Iterator<Item = &Member> {
        let members = self.trees.iter().flat_map(|tree| tree.members.values());
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
}

impl<'a> Tree<'a> {
    fn of(root: &'a dyn Root) -> Self {
        Self {
            root,
            members: BTreeMap::new(),
            terminated: BTreeSet::new(),
            has_ended: false,
        }
    }

    /// Finds the running members, signals them and returns their identities.
    fn scan(&mut self, table: &mut Snapshot, phase: Phase) -> BTreeSet<ProcessIdentity> {
        let found = tree::find(table, self.root, self.members.keys());
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
                tree::signal(self.root, &state.member, Signal::KILL);
            } else if self.terminated.insert(identity) {
                tree::signal(self.root, &state.member, Signal::TERM);
                // A stopped process handles the first signal when it is continued.
                tree::signal(self.root, &state.member, Signal::CONT);
            }
        }
        for (identity, state) in &mut self.members {
            state.has_ended = !running.contains(identity);
        }
        self.has_ended = running.is_empty();
        running
    }

    fn into_report(self, exit: Option<Exit>) -> StopReport {
        let mut report = StopReport {
            exit,
            ..StopReport::default()
        };
        let group = self.root.group().or_else(system::own_group);
        for state in self.members.into_values() {
            let list = match (state.has_ended, state.was_killed) {
                (true, false) => &mut report.ended,
                (true, true) => &mut report.forced,
                (false, _) => &mut report.escaped,
            };
            list.push(TreeMember {
                pid: state.member.identity.pid.unsigned_abs(),
                name: state.member.name,
                left_group: Some(state.member.group) != group,
            });
        }
        report
    }
}
