//! The exit codes of each command, as its help and its man page say them.

pub(super) const OF_WINDOW: &str = "\
Exit codes: 0 the window was closed, or a window that is open took the files; 1 no window could be opened, or its
display has ended; 2 wrong usage.";

pub(super) const OF_RUN: &str = "\
Exit codes: 0 every item succeeded; 1 an item failed, or the job could not start; 2 wrong usage; 3 the join timed
out and the job was cancelled; 129 after SIGHUP; 130 after Ctrl-C, which ends the program by SIGINT; 141 nobody
reads the result any more; 143 after SIGTERM.";

pub(super) const OF_LIST: &str =
    "Exit codes: 0 the list was printed; 1 it could not be; 2 wrong usage.";

pub(super) const OF_LAB: &str = "\
Exit codes: 0 every run has figures; 1 one has none, or there is no display; 2 wrong usage; 129 after SIGHUP; 130
after Ctrl-C; 143 after SIGTERM.";

pub(super) const OF_LAB_COMPARE: &str =
    "Exit codes: 0 the reports were printed; 1 one of them can't be read; 2 wrong usage.";

pub(super) const OF_LESSON: &str = "\
Exit codes: 0 the lesson went as expected; 1 it did not; 2 wrong usage; 129 after SIGHUP; 130 after Ctrl-C; 143
after SIGTERM.";

pub(super) const OF_WHY: &str = "\
Exit codes: 0 it was explained; 1 there is no such process, or it can't be looked at; 2 wrong usage; 4 there is a
ring: processes or threads that wait for each other.";

pub(super) const OF_TRACE: &str =
    "Exit codes: 0 it was printed; 1 the file can't be read or has no trace; 2 wrong usage.";

pub(super) const OF_JOIN: &str = "\
Exit codes: that of the process, or 128 and the number of the signal that ended it; 1 its exit code is unknown, or
there is no such process; 2 wrong usage; 3 the time is up; 130 after Ctrl-C, which leaves the process. Linux tells
the exit code since 6.15, if perl or python3 is installed, or as long as the parent of the process has not asked
for it.";

pub(super) const OF_TRACE_COMPARE: &str =
    "Exit codes: 0 the differences were printed, if any; 1 a trace can't be read; 2 wrong usage.";
