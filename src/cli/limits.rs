//! Limits under which not even one item could run.

use std::fs;

use anyhow::bail;
use rustix::process::{Resource, getrlimit};

use crate::jobs::process_limit::{own_status, process_limit};

/// The files that a run and its first command open beside those that the library keeps in reserve: to listen
/// for signals, to keep output in order, for the command's streams, and for the supervisor and those who wait
/// for it.
const FILES: usize = 12;

/// The threads and processes that it needs.
const PROCESSES: u64 = 11;

/// Whether there is room for a run and one command when nothing else runs. Call it first. Looks on Linux alone:
/// other systems do not tell what there is.
///
/// # Errors
/// There is none, so that to wait would not help. Names the limit and what is needed.
pub(super) fn check_for_a_command() -> anyhow::Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    refuse("open files", 'n', limit, files_needed())?;
    let Some(limit) = process_limit() else {
        return Ok(());
    };
    // Other processes of the user count too, but they may end.
    let threads = own_status("Threads:", 10).unwrap_or(1);
    refuse("processes and threads", 'u', limit, threads + PROCESSES)
}

/// The lowest limit that leaves room for the files. An open file above the limit takes no room below it.
/// This opens none itself, as there may be no room for one. Below ten the library may have no reserve yet, and
/// the number is too low by that.
fn files_needed() -> u64 {
    (0u64..)
        .filter(|number| fs::symlink_metadata(format!("/proc/self/fd/{number}")).is_err())
        .nth(FILES - 1)
        .map_or(u64::MAX, |last| last + 1)
}

fn refuse(what: &str, option: char, limit: u64, needed: u64) -> anyhow::Result<()> {
    if limit < needed {
        bail!(
            "the limit of {what} is {limit}, and a command needs {needed}; \
             raise it (`ulimit -{option} {needed}`), and run this again"
        );
    }
    Ok(())
}
