//! What a running program costs, as the kernel counts it.

use std::fs;
use std::time::Duration;

use crate::session::{pause, wait_until};
use crate::window::Window;

/// A process's costs so far, or between two moments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Time on a processor, of all of its threads. The kernel counts in steps of 10 ms.
    pub(crate) cpu: Duration,
    /// How often its first thread, which owns the window, went to sleep, and thus woke before.
    pub(crate) wakeups: u64,
}

impl Cost {
    /// Everything since the program began.
    pub(crate) fn of(window: &Window<'_>) -> Self {
        let pid = window.pid();
        let stat = read(&format!("/proc/{pid}/stat"));
        // The name before the `)` is the only field that may have spaces in it.
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
            wakeups: number(wakeups.expect("Linux counts them")),
        }
    }

    /// What was spent after `earlier`.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            wakeups: self.wakeups - earlier.wakeups,
        }
    }
}

/// How much of the program is in memory, in bytes.
pub(crate) fn resident(window: &Window<'_>) -> u64 {
    let status = read(&format!("/proc/{}/status", window.pid()));
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.strip_suffix("kB"));
    number(kibibytes.expect("Linux tells")) * 1024
}

/// Longer than anything the window still does by itself: it drops a frame from the status bar's
/// "worst in 5 s" when that time is over.
const REST: Duration = Duration::from_secs(6);

/// Waits until the last animation is over and the status bar has settled.
pub(crate) fn wait_until_still(window: &Window<'_>) {
    let still = || {
        let before = Cost::of(window);
        pause(REST);
        let spent = Cost::of(window).since(before);
        if spent.wakeups == 0 {
            Ok(())
        } else {
            Err(format!("in {} s: {spent:?}", REST.as_secs()))
        }
    };
    wait_until("the window to come to rest", still, || window.seen());
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

fn number(text: &str) -> u64 {
    text.trim().parse().expect("the kernel writes numbers")
}
