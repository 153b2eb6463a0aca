//! The mark by which a process is found that has cleared its environment.
//!
//! The [tag](super::tag) is in the environment, which `env -i`, `sudo` and `exec -c` clear. The mark
//! is in a limit: Linux hands the limits of a process to its children, whatever they execute, whoever
//! they become and whoever adopts them. The limit on file locks is one that no Linux since 2.4
//! enforces, so any number may stand in it. Anybody may read it.
//!
//! The launcher sets the lower value of the limit to the mark of the tree. The upper value can only be
//! lowered, so the outermost of nested trees keeps its mark there. A tree that is neither the
//! innermost nor the outermost of a process has only its tag in it.
//!
//! # Why it is not the parent that tells
//!
//! A process that the system calls a child subreaper adopts the orphans below it. With one such process
//! for each tree, between the program and the command, the parents alone would tell the members of a
//! tree. It is not done, for these reasons:
//!
//! - The end of the subreaper lets all members go. The system may kill it as any process, and so may what hides on
//!   purpose: it has the same user. So the hole would be another one, and not closed.
//! - The command is no child of the program then. Its exit status is known only as long as the
//!   subreaper is well, and each signal to its group needs the subreaper's word that the number is not
//!   another group's yet.
//! - A command asks to be killed with its parent, which a new process does not inherit, and no safe Rust can
//!   ask between `fork` and `exec`. So the subreaper would start a second shim: two starts for each command.
//!   Without that, a process which waits costs a tenth (`benches/README.md`).
//! - Processes without a launcher have no program in between, and gain nothing.
//!
//! A program may be the one subreaper of all its trees ([`orphans`](super::orphans)). It then finds what has
//! hidden its tag and its mark, but can only name it: when several trees ran, nothing shows of which one it is. And
//! it can't tell orphans from children that other code waits for, so only a program without such children may.

use super::system;

/// The highest upper value that is used.
const MAX: u64 = 1 << 62;

/// A lower upper value leaves too few marks: two trees might have the same.
const MIN: u64 = 1 << 48;

/// Returns the mark of the tree with this tag: the same in this program and in its supervisor. `None`
/// where the system has no such limit, or too low a one.
pub(super) fn of_tag(tag: &str) -> Option<u64> {
    let upper = system::mark_limit()?.min(MAX);
    let half = upper / 2;
    // From the upper half, so that marks in marked trees do not become small.
    (upper >= MIN).then(|| half + hash(tag) % half)
}

/// Whether a limit of a process is a mark that this program gives.
pub(super) fn is_mark(limit: u64) -> bool {
    let upper = system::mark_limit().map_or(MAX, |upper| upper.min(MAX));
    let half = upper / 2;
    upper >= MIN && (half..2 * half).contains(&limit)
}

/// The hash FNV-1a.
fn hash(tag: &str) -> u64 {
    tag.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
