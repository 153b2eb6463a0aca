//! Ending processes with all their descendants.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Signal;

use super::exit::Exit;
use super::guard::Holder;
use super::launcher_id::LauncherId;
use super::reserve;
use super::system::{self, Notifier};
use super::tree::{self, LastStart, Member, ProcessIdentity, Root, Snapshot};

/// The interval between scans for new processes, at first and after each change. A scan reads the
/// whole process table.
const MIN_SCAN_INTERVAL: Duration = Duration::from_millis(20);

/// The interval between scans once no process has changed for a while.
const MAX_SCAN_INTERVAL: Duration = Duration::from_millis(250);

/// The time that a killed process gets to exit. On a busy machine a process at background priority
/// waits for its turn to exit. A system call that can't be interrupted, such as a read from a disk
/// that does not respond, can take longer than this.
pub(super) const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// The end of each process of a tree that was stopped. All lists are sorted by pid.
#[derive(Clone, Debug, Default)]
#[must_use]
#[non_exhaustive]
pub struct StopReport {
    /// The end of the process itself; `None` if it has not ended.
    pub exit: Option<Exit>,
    /// The processes that got `SIGTERM`: those that were there when the stop began or were started just
    /// then. Each is also in one of the other lists.
    pub asked: Vec<TreeMember>,
    /// The processes that ended within the grace: after `SIGTERM` or, if they were started during the
    /// stop, by themselves.
    pub ended: Vec<TreeMember>,
    /// The processes that had to be killed.
    pub forced: Vec<TreeMember>,
    /// The processes still alive, because they could not be killed or have not exited yet. And those that
    /// hold a captured stream of the process open, though nothing else shows that it started them: these
    /// got no signal, because they may be programs of the user that were there before.
    pub escaped: Vec<TreeMember>,
    /// Whether the process table could not be read at the end, for example because no more files could
    /// be opened, or a process that can't be found holds a captured stream open: one of another user, and
    /// any elsewhere than on Linux. Then processes may be alive that no list names.
    pub may_be_incomplete: bool,
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

/// How a tree is ended.
#[derive(Clone, Copy)]
pub(super) enum Ending {
    /// By `SIGTERM`, and after this time by `SIGKILL`.
    Terminate(Duration),
    /// By `SIGKILL`.
    Kill,
}

/// The order to end a tree.
pub(super) struct Order {
    pub(super) root: Arc<dyn Root>,
    pub(super) ending: Ending,
    /// Gets the report, without the exit of the root.
    pub(super) reply: Option<Sender<StopReport>>,
    /// The launcher of the root, if it has one.
    pub(super) launcher: Option<LauncherId>,
    /// Keeps the tree guarded, because its root may exit long before its descendants.
    #[expect(dead_code, reason = "its drop ends that")]
    pub(super) guarded: Option<Holder>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Terminate,
    Kill,
}

/// Ends several trees at the same time.
pub(super) struct Stopper {
    trees: Vec<Tree>,
    /// The processes that ran at the last scan.
    running: BTreeSet<ProcessIdentity>,
    interval: Duration,
}

struct Tree {
    order: Order,
    phase: Phase,
    /// The end of the phase.
    deadline: Option<Instant>,
    /// Whether the phase has begun, and no member has got its signal yet.
    is_due: bool,
    /// Whether the last scan could not read the process table.
    is_unread: bool,
    members: BTreeMap<ProcessIdentity, MemberState>,
    asked: Asked,
}

/// The processes that have got `SIGTERM`.
#[derive(Clone, Default)]
struct Asked {
    processes: BTreeSet<ProcessIdentity>,
    /// Those that may forget it when they execute a program.
    may_forget: BTreeSet<ProcessIdentity>,
    /// When the first of them got it.
    since: Option<LastStart>,
    /// Whether one of them may tidy up. The others end without starting anything.
    may_tidy_up: bool,
}

impl Asked {
    /// Returns which of these get `SIGTERM` now. Each gets it once, unless it forgets it.
    fn add(&mut self, found: &[Member]) -> Vec<ProcessIdentity> {
        let is_asked = |member: &&Member| self.processes.contains(&member.identity);
        let (asked, others): (Vec<&Member>, Vec<_>) = found.iter().partition(is_asked);
        // A shell that has just begun sets its traps.
        self.may_tidy_up |= !others.is_empty() && asked.iter().any(|it| may_tidy_up(it));
        let has_forgotten =
            |member: &&Member| !member.is_copy && self.may_forget.remove(&member.identity);
        let mut now: Vec<_> = asked.into_iter().filter(has_forgotten).collect();
        let others = others.into_iter().filter(|it| self.was_there(it.identity));
        let (tidying, ending): (Vec<&Member>, Vec<_>) = others.partition(|it| may_tidy_up(it));
        self.may_tidy_up |= !tidying.is_empty();
        // Until it executes a program, a copy has the handlers of its parent, and not what these do.
        let copies = tidying.iter().filter(|it| it.is_copy);
        self.may_forget.extend(copies.map(|it| it.identity));
        self.since.get_or_insert_with(LastStart::now);
        // Those that may tidy up are the first, so that they start little between that moment and the signal.
        now.extend(tidying.into_iter().chain(ending));
        let now: Vec<_> = now.into_iter().map(|it| it.identity).collect();
        self.processes.extend(&now);
        now
    }

    /// Whether a process is no part of how the others end. Of those that `SIGTERM` ends at once, everything
    /// was started before, even if it was not there yet when they were looked for.
    fn was_there(&self, process: ProcessIdentity) -> bool {
        let was_started_by = |since| process.was_started_by(since);
        !self.may_tidy_up || self.since.is_none_or(was_started_by)
    }
}

fn may_tidy_up(member: &Member) -> bool {
    system::may_tidy_up(member.identity.pid)
}

struct MemberState {
    member: Member,
    was_killed: bool,
    has_ended: bool,
}

impl Stopper {
    pub(super) fn new() -> Self {
        Self {
            trees: Vec::new(),
            running: BTreeSet::new(),
            interval: MIN_SCAN_INTERVAL,
        }
    }

    /// The launchers of the trees that have not ended.
    pub(super) fn launchers(&self) -> Vec<Option<LauncherId>> {
        self.trees.iter().map(|tree| tree.order.launcher).collect()
    }

    pub(super) fn add(&mut self, orders: Vec<Order>) {
        for order in orders {
            let mut tree = Tree::of(order);
            tree.asked = self.asked_of(&*tree.order.root);
            self.trees.push(tree);
        }
    }

    /// The processes of this tree that another order has asked to end.
    fn asked_of(&self, root: &dyn Root) -> Asked {
        let mut trees = self.trees.iter();
        let same = trees.find(|tree| tree.order.root.tag() == root.tag());
        same.map(|tree| tree.asked.clone()).unwrap_or_default()
    }

    /// Signals the members of all trees, including new ones. Reports the trees that have ended, and
    /// those whose time is over.
    pub(super) fn scan(&mut self) {
        if self.trees.is_empty() {
            return;
        }
        let mut table = Snapshot::take();
        let mut running = BTreeSet::new();
        for mut tree in std::mem::take(&mut self.trees) {
            if tree.step(&mut table) {
                running.extend(tree.running().map(|member| member.identity));
                self.trees.push(tree);
            } else {
                tree.report();
            }
        }
        let is_unchanged = running == self.running && self.all_have_pidfds();
        self.interval = if is_unchanged {
            (2 * self.interval).min(MAX_SCAN_INTERVAL)
        } else {
            MIN_SCAN_INTERVAL
        };
        self.running = running;
    }

    fn running(&self) -> impl Iterator<Item = &Member> {
        self.trees.iter().flat_map(Tree::running)
    }

    /// Whether [`wait`](Self::wait) returns early for every running member.
    fn all_have_pidfds(&self) -> bool {
        self.running().all(|member| member.pidfd.is_some())
    }

    /// Waits until a member exits, the next scan is due, or an order comes.
    pub(super) fn wait(&self, notifier: &Notifier) {
        let pidfds = self.running().filter_map(|member| member.pidfd.as_ref());
        let pidfds = pidfds.map(|pidfd| PollFd::new(pidfd, PollFlags::IN));
        let orders = PollFd::new(notifier, PollFlags::IN);
        let mut polled: Vec<PollFd<'_>> = std::iter::once(orders).chain(pidfds).collect();
        let time = self.trees.iter().map(|tree| tree.time(self.interval)).min();
        let timeout = time.and_then(|time| Timespec::try_from(time).ok());
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            // The limit of open files was lowered, or kernel memory is short.
            Err(_) => std::thread::park_timeout(MIN_SCAN_INTERVAL),
        }
        notifier.drain();
    }
}

impl Tree {
    fn of(order: Order) -> Self {
        let (phase, time) = match order.ending {
            Ending::Terminate(grace) => (Phase::Terminate, grace),
            Ending::Kill => (Phase::Kill, KILL_TIMEOUT),
        };
        Self {
            order,
            phase,
            deadline: Instant::now().checked_add(time),
            is_due: true,
            is_unread: false,
            members: BTreeMap::new(),
            asked: Asked::default(),
        }
    }

    fn running(&self) -> impl Iterator<Item = &Member> {
        let members = self.members.values();
        let running = members.filter(|state| !state.has_ended);
        running.map(|state| &state.member)
    }

    /// The time until the next scan.
    fn time(&self, interval: Duration) -> Duration {
        if self.is_due {
            return Duration::ZERO;
        }
        let left = self
            .deadline
            .map(|at| at.saturating_duration_since(Instant::now()));
        left.unwrap_or(interval).min(interval)
    }

    /// Signals the members. Returns whether any is left, and there is time for it.
    fn step(&mut self, table: &mut io::Result<Snapshot>) -> bool {
        self.is_due = false;
        let read = match table {
            Ok(table) => self.signal_members(table),
            Err(refusal) => Err(copy_of(refusal)),
        };
        let has_ended = match &read {
            Ok(()) => self.running().next().is_none(),
            Err(refusal) => {
                self.signal_root();
                // Files may be closed until the next scan. Another cause lasts.
                !reserve::is_limit(refusal) && self.order.root.is_reaped()
            }
        };
        self.is_unread = read.is_err();
        !has_ended && self.has_time()
    }

    /// Whether the phase lasts, or the next one begins.
    fn has_time(&mut self) -> bool {
        let now = Instant::now();
        if self.deadline.is_none_or(|at| now < at) {
            return true;
        }
        let is_last = self.phase == Phase::Kill;
        self.phase = Phase::Kill;
        self.deadline = now.checked_add(KILL_TIMEOUT);
        self.is_due = true;
        !is_last
    }

    /// Finds the running members and signals them.
    fn signal_members(&mut self, table: &mut Snapshot) -> io::Result<()> {
        let root = &*self.order.root;
        let found = tree::find(table, root, self.members.keys())?;
        let running: BTreeSet<ProcessIdentity> =
            found.iter().map(|member| member.identity).collect();
        let asked = match self.phase {
            Phase::Terminate => self.asked.add(&found),
            Phase::Kill => Vec::new(),
        };
        for member in found {
            let state = self.members.entry(member.identity).or_insert(MemberState {
                member,
                was_killed: false,
                has_ended: false,
            });
            if self.phase == Phase::Kill {
                // It may have started another one before that.
                self.is_due |= !state.was_killed;
                state.was_killed = true;
                tree::signal(root, &state.member, Signal::KILL);
            }
        }
        for state in asked.iter().filter_map(|it| self.members.get(it)) {
            tree::signal(root, &state.member, Signal::TERM);
            // A stopped process handles the first signal when it is continued.
            tree::signal(root, &state.member, Signal::CONT);
        }
        for (identity, state) in &mut self.members {
            state.has_ended = !running.contains(identity);
        }
        Ok(())
    }

    /// Signals what can be signalled without the process table.
    fn signal_root(&self) {
        let root = &self.order.root;
        if self.phase == Phase::Kill {
            root.kill_group();
        } else {
            // A refusal shows in the exit, which is missing then.
            root.signal(Signal::TERM).ok();
            root.signal(Signal::CONT).ok();
        }
    }

    fn report(mut self) {
        let Some(reply) = self.order.reply.take() else {
            return;
        };
        // The caller waits for it, unless its thread has ended.
        reply.send(self.into_report()).ok();
    }

    fn into_report(self) -> StopReport {
        let mut report = StopReport {
            may_be_incomplete: self.is_unread,
            ..StopReport::default()
        };
        let group = self.order.root.home_group();
        for (identity, state) in self.members {
            let list = match (state.has_ended, state.was_killed) {
                (true, false) => &mut report.ended,
                (true, true) => &mut report.forced,
                (false, _) => &mut report.escaped,
            };
            let member = TreeMember {
                pid: identity.pid.unsigned_abs(),
                name: state.member.name,
                left_group: Some(state.member.group) != group,
            };
            if self.asked.processes.contains(&identity) {
                report.asked.push(member.clone());
            }
            list.push(member);
        }
        report
    }
}

fn copy_of(error: &io::Error) -> io::Error {
    Errno::from_io_error(error).map_or_else(|| error.kind().into(), io::Error::from)
}
