//! Ending a process with everything it has started.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;

use super::exit::Exit;
use super::handle::Shared;
use super::launcher::Watch;
use super::tree::{self, Found, Identity};

/// How long a stop waits before it looks again for processes that were started meanwhile: at first
/// and after each change, and at most. A look reads the whole process table.
const SHORTEST_REST: Duration = Duration::from_millis(20);
const LONGEST_REST: Duration = Duration::from_millis(250);

/// How long a killed process may take to be gone. On a busy machine one at background priority
/// waits for its turn to die; one that is in the middle of a system call that can't be interrupted
/// (a read from a disk that does not answer) takes longer than anybody would wait.
const KILL_PATIENCE: Duration = Duration::from_secs(5);

/// What became of a tree that was stopped.
///
/// ```
/// use meanwhile::join::process::{Builder, Stream};
/// use std::time::Duration;
///
/// let script = "trap '' TERM; echo deaf; while :; do read line || sleep 1; done";
/// let deaf = Builder::new("sh").args(["-c", script]).spawn()?;
/// while deaf.output_since(Stream::Stdout, 0).total == 0 {
///     std::thread::yield_now();
/// }
/// let report = deaf.stop(Duration::from_millis(10));
/// assert_eq!(report.exit.and_then(|exit| exit.signal_name()), Some("SIGKILL"));
/// assert!(report.forced.iter().any(|member| member.pid == deaf.pid()));
/// assert!(report.escaped.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct StopReport {
    /// How the process itself ended; `None` if it has not.
    pub exit: Option<Exit>,
    /// Those who ended when asked, in the order of their numbers.
    pub ended: Vec<TreeMember>,
    /// Those who had to be killed.
    pub forced: Vec<TreeMember>,
    /// Those who are still there: the system did not let them be killed, or they can't be yet.
    pub escaped: Vec<TreeMember>,
}

/// One process of a tree.
///
/// ```
/// use meanwhile::join::process::Builder;
/// use std::time::Duration;
///
/// let sleeper = Builder::new("sleep").arg("60").spawn()?;
/// let report = sleeper.stop(Duration::from_secs(60));
/// let member = &report.ended[0];
/// assert_eq!((member.pid, member.name.as_str()), (sleeper.pid(), "sleep"));
/// assert!(!member.left_group);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeMember {
    /// Its number in the system.
    pub pid: u32,
    /// Its name as the system has it; on Linux at most 15 bytes of it.
    pub name: String,
    /// Whether it had left the group of the process.
    pub left_group: bool,
}

/// Ends the tree of `root`: see [`Process::stop`](super::Process::stop).
pub(super) fn stop(root: &Shared, grace: Duration) -> StopReport {
    // The process may end long before those it has started.
    let _watched = root.watch().map(Watch::hold);
    let mut hunt = Hunt {
        root,
        members: BTreeMap::new(),
    };
    let start = Instant::now();
    let was_all = hunt.pursue(Asking::Politely, start.checked_add(grace));
    if !was_all {
        hunt.pursue(Asking::Finally, Instant::now().checked_add(KILL_PATIENCE));
    }
    // Where no more files may be opened the process table can't be read, and everybody seems gone.
    root.kill_group();
    let exit = root.wait(Instant::now().checked_add(KILL_PATIENCE));
    hunt.report(exit)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asking {
    Politely,
    Finally,
}

struct Hunt<'a> {
    root: &'a Shared,
    members: BTreeMap<Identity, Member>,
}

struct Member {
    found: Found,
    was_killed: bool,
    is_gone: bool,
}

/// Signals a member of the tree of `root`. Where there are no pidfds only a child of ours can be kept
/// from being reaped meanwhile, and its number from becoming another's.
fn signal(root: &Shared, member: &Found, signal: Signal) {
    if member.identity.pid == root.pid().cast_signed() && !root.is_reaped() {
        let _refusal_shows_in_who_is_left = root.signal(signal);
    } else {
        member.signal(signal);
    }
}

impl Hunt<'_> {
    /// Asks everybody, also those who appear meanwhile, until nobody is left or the deadline has
    /// passed. False when somebody is left.
    fn pursue(&mut self, asking: Asking, deadline: Option<Instant>) -> bool {
        let mut asked = Vec::new();
        let mut living = BTreeSet::new();
        let mut rest = SHORTEST_REST;
        loop {
            let now_living = self.look(asking, &mut asked);
            if now_living.is_empty() {
                return true;
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            let is_same = now_living == living && self.hears_every_end();
            rest = if is_same {
                (2 * rest).min(LONGEST_REST)
            } else {
                SHORTEST_REST
            };
            living = now_living;
            self.rest(left.unwrap_or(rest).min(rest));
        }
    }

    /// Asks whoever was not asked yet; who lives.
    fn look(&mut self, asking: Asking, asked: &mut Vec<Identity>) -> BTreeSet<Identity> {
        let living = tree::find(self.root, self.members.keys());
        let identities: BTreeSet<Identity> = living.iter().map(|found| found.identity).collect();
        for found in living {
            let member = self.members.entry(found.identity).or_insert(Member {
                found,
                was_killed: false,
                is_gone: false,
            });
            if asking == Asking::Finally {
                member.was_killed = true;
                signal(self.root, &member.found, Signal::KILL);
            } else if !asked.contains(&member.found.identity) {
                asked.push(member.found.identity);
                signal(self.root, &member.found, Signal::TERM);
                // One that is stopped gets the first signal only with this one.
                signal(self.root, &member.found, Signal::CONT);
            }
        }
        for (identity, member) in &mut self.members {
            member.is_gone = !identities.contains(identity);
        }
        identities
    }

    fn living(&self) -> impl Iterator<Item = &Found> {
        let living = self.members.values().filter(|member| !member.is_gone);
        living.map(|member| &member.found)
    }

    /// Whether [`rest`](Self::rest) ends with the end of any that lives.
    fn hears_every_end(&self) -> bool {
        self.living().all(|found| found.pidfd.is_some())
    }

    /// Waits until somebody has ended, at most for `time`.
    fn rest(&self, time: Duration) {
        let pidfds = self.living().filter_map(|found| found.pidfd.as_ref());
        let mut polled: Vec<PollFd<'_>> = pidfds
            .map(|pidfd| PollFd::new(pidfd, PollFlags::IN))
            .collect();
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: time.as_nanos().try_into().unwrap_or(0),
        };
        let _interruption_only_looks_sooner = poll(&mut polled, Some(&timeout));
    }

    fn report(self, exit: Option<Exit>) -> StopReport {
        let mut report = StopReport {
            exit,
            ..StopReport::default()
        };
        let group = self.root.pid().cast_signed();
        for member in self.members.into_values() {
            let list = match (member.is_gone, member.was_killed) {
                (true, false) => &mut report.ended,
                (true, true) => &mut report.forced,
                (false, _) => &mut report.escaped,
            };
            list.push(TreeMember {
                pid: member.found.identity.pid.unsigned_abs(),
                name: member.found.name,
                left_group: member.found.group != group,
            });
        }
        report
    }
}
