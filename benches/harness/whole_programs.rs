//! What a run of a program costs: time, and processor time.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::harness::timed;

/// The unit of the processor times that Linux shows.
const TICK: Duration = Duration::from_millis(10);

/// A name, and the function that runs a command to its end.
type Measure = (&'static str, fn(Command) -> Duration);

pub(crate) const MEASURES: [Measure; 2] = [("time", time), ("processor time", processor_time)];

fn time(command: Command) -> Duration {
    timed(|| run(command))
}

/// Returns the processor time of a command and of all that it started and waited for.
fn processor_time(command: Command) -> Duration {
    let before = processor_time_of_children();
    run(command);
    processor_time_of_children().saturating_sub(before)
}

fn run(mut command: Command) {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.status().expect("it starts");
    assert!(status.success(), "{status}");
}

/// Returns the processor time of all children that have ended, with that of theirs.
fn processor_time_of_children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux shows it");
    // Before them is the name, in which there may be spaces.
    let (_, fields) = stat.rsplit_once(") ").expect("there is a name");
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |field: usize| fields[field].parse::<u32>().expect("a number");
    // `cutime` and `cstime` in proc(5), which counts from the pid.
    TICK * (ticks(13) + ticks(14))
}
