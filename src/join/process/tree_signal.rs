//! Signals to a process with all its descendants, without waiting for their effect.

use std::collections::BTreeSet;
use std::io;

use rustix::process::Signal;

use super::tree::{self, ProcessIdentity, Root, Snapshot};

/// The number of scans in which processes are found that were started while others were signalled.
const MAX_SCANS: usize = 100;

/// Returns the signal with this number.
///
/// # Errors
/// [`InvalidInput`](io::ErrorKind::InvalidInput) if no signal has this number and a name.
pub(super) fn named(number: i32) -> io::Result<Signal> {
    Signal::from_named_raw(number).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Sends `SIGSTOP` to each process of a tree.
pub(super) fn pause(root: &dyn Root) {
    signal_all(root, Signal::STOP);
}

/// Sends `SIGKILL` to each process of a tree.
pub(super) fn kill(root: &dyn Root) {
    signal_all(root, Signal::KILL);
}

/// Sends `SIGCONT` to each process of a tree. One scan is enough, because a paused process starts no
/// other.
pub(super) fn resume(root: &dyn Root) {
    signal_others(root, &mut BTreeSet::new(), Signal::CONT);
}

/// Signals each process of a tree, until no scan finds another one.
fn signal_all(root: &dyn Root, signal: Signal) {
    let mut signalled = BTreeSet::new();
    for _ in 0..MAX_SCANS {
        if !signal_others(root, &mut signalled, signal) {
            return;
        }
    }
}

/// Signals the members of the tree that are not in `signalled`, and adds them to it. Returns whether
/// there were any.
fn signal_others(
    root: &dyn Root,
    signalled: &mut BTreeSet<ProcessIdentity>,
    signal: Signal,
) -> bool {
    let members = Snapshot::take().and_then(|mut table| {
        let known = signalled.iter();
        tree::find(&mut table, root, known)
    });
    let Ok(members) = members else {
        // The process table can't be read. A refused signal shows in the state.
        root.signal(signal).ok();
        return false;
    };
    let mut found_any = false;
    for member in members {
        if signalled.insert(member.identity) {
            tree::signal(root, &member, signal);
            found_any = true;
        }
    }
    found_any
}
