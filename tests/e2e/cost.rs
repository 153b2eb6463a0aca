//! The costs of a running program, as the kernel counts them.

use std::fs;
use std::time::Duration;

use crate::session::{pause, wait_until};
use crate::window::Window;

/// The costs of a process since its start, or between two moments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// The processor time of all threads, in steps of 10 ms.
    pub(crate) cpu: Duration,
    /// How often its first thread, which owns the window, went to sleep.
    pub(crate) wakeups: u64,
}

impl Cost {
    /// The costs since the start of the program.
    pub(crate) fn of(window: &Window<'_>) -> Self {
        let pid = window.pid();
        let stat = read(&format!("/proc/{pid}/stat"));
        // Only the name, which ends with the last `)`, may contain spaces.
        let fields = stat
            .rsplit(')')
            .next()
            .expect("a split has a part")
            .split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(number).sum();
        let status = read(&format!("/proc/{pid}/task/{pid}/status"));
        let mut lines = status.lines();
        let wakeups = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        Self {
            cpu: Duration::from_millis(ticks * 10),
            wakeups: number(wakeups.expect("Linux counts the switches")),
        }
    }

    /// The costs after `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            wakeups: self.wakeups - earlier.wakeups,
        }
    }
}

/// How many bytes of the program are in memory.
pub(crate) fn resident(window: &Window<'_>) -> u64 {
    memory(window, "VmRSS:")
}

/// How many of them are in no file: what it has allocated.
pub(crate) fn anonymous(window: &Window<'_>) -> u64 {
    memory(window, "RssAnon:")
}

fn memory(window: &Window<'_>, figure: &str) -> u64 {
    let status = read(&format!("/proc/{}/status", window.pid()));
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix(figure));
    let kibibytes = line.and_then(|line| line.strip_suffix("kB"));
    number(kibibytes.expect("Linux reports the size")) * 1024
}

/// Longer than the five seconds after which the status bar drops a frame from "worst in 5 s".
const IDLE_TIME: Duration = Duration::from_secs(6);

/// Waits until the last animation is over and the status bar is up to date.
pub(crate) fn wait_until_idle(window: &Window<'_>) {
    let idle = || wakes_at_most(window, 0, IDLE_TIME);
    wait_until("the window to be idle", idle, || window.describe());
}

/// Waits until a program whose window is gone has also ended what drew it.
pub(crate) fn wait_until_nothing_draws(window: &Window<'_>) {
    let quiet = || wakes_at_most(window, 5, Duration::from_secs(1));
    wait_until("the end of drawing", quiet, String::new);
}

/// Whether the program's first thread wakes at most `limit` times in `time`.
fn wakes_at_most(window: &Window<'_>, limit: u64, time: Duration) -> Result<(), String> {
    let before = Cost::of(window);
    pause(time);
    let spent = Cost::of(window).since(before);
    let is_quiet = spent.wakeups <= limit;
    is_quiet
        .then_some(())
        .ok_or(format!("in {time:?}: {spent:?}"))
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

fn number(text: &str) -> u64 {
    text.trim().parse().expect("the kernel writes numbers")
}
