//! The parts that differ between systems: Linux, and all other Unix systems.
//!
//! Both have the same items. Linux has exact means, such as pidfds. The other module uses
//! the means of every Unix, and documents their limits. `--cfg other_unix` builds it on Linux, to
//! test it there.

mod entry;
#[cfg(all(target_os = "linux", not(other_unix)))]
mod linux;
#[cfg(all(target_os = "linux", not(other_unix)))]
mod linux_table;
#[cfg(any(other_unix, not(target_os = "linux")))]
mod other_unix;

pub(super) use entry::{EndedEntry, OtherProcess, ProcessEntry};
#[cfg(all(target_os = "linux", not(other_unix)))]
pub(super) use linux::{
    Inherited, Notifier, Pidfd, SHOWS_ALL_TAGS, adopt_orphans, adopted, executable_of_itself,
    executable_of_parent, group_of, is_program_format, mark_limit, newest_pid, own_executable,
    own_folder, own_group, parents_group, pids_since, reap, set_background_priority, set_mark,
    set_own_name, set_parent_death_signal, set_user, start_of_now,
};
#[cfg(all(target_os = "linux", not(other_unix)))]
pub(super) use linux_table::{
    ended_entry, is_stopped, may_tidy_up, other_process, others_of_user, pipe_holders,
    processes_of, running_processes, start_of, time_of,
};
#[cfg(any(other_unix, not(target_os = "linux")))]
pub(super) use other_unix::{
    Inherited, Notifier, Pidfd, SHOWS_ALL_TAGS, adopt_orphans, adopted, ended_entry,
    executable_of_itself, executable_of_parent, group_of, is_program_format, is_stopped,
    mark_limit, may_tidy_up, newest_pid, other_process, others_of_user, own_executable, own_folder,
    own_group, parents_group, pids_since, pipe_holders, processes_of, reap, running_processes,
    set_background_priority, set_mark, set_own_name, set_parent_death_signal, set_user, start_of,
    start_of_now, time_of,
};
