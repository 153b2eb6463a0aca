//! Many short commands by the whole program, compared with `xargs` and GNU parallel, in the same run: how
//! long they take, and how much processor time.
//!
//! Each round is one run over all files, two at a time and at the same priority, with the start of the
//! program. The processor time is that of the program and of all its commands.
//!
//! `cargo bench --bench commands` · `MEANWHILE_BENCH_FILES=5000` changes the number of files. The program
//! uses `meanwhile-supervise` if `cargo build --release --workspace --bins` has built it.

mod harness;

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::{Bench, Contender};

const FILES: usize = 500;

/// The rounds of each of the two comparisons.
const ROUNDS: usize = 9;

/// The unit of the processor times that Linux shows.
const TICK: Duration = Duration::from_millis(10);

type CommandFor = fn(&[String]) -> Command;

fn main() -> Result<(), Box<dyn Error>> {
    let bench = Bench::from_args();
    let count = bench.many(file_count()?);
    let files: Vec<String> = (0..count).map(|number| format!("file{number}")).collect();
    let mut tools: Vec<(&str, CommandFor)> = vec![("meanwhile", ours), ("xargs -n1 -P2", xargs)];
    if Command::new("parallel").arg("--version").output().is_ok() {
        tools.push(("parallel -j2", parallel));
    }
    for (what, measure) in [
        ("time", time as fn(Command) -> Duration),
        ("processor time", processor_time),
    ] {
        let contenders = tools.iter().map(|(name, command)| -> Contender<'_> {
            (name, Box::new(|| measure(command(&files))))
        });
        let title = format!("{what} of `true` for {count} files");
        bench.compare(&title, ROUNDS, 0.5, 1.0, contenders.collect())?;
    }
    Ok(())
}

fn file_count() -> Result<usize, Box<dyn Error>> {
    Ok(match std::env::var("MEANWHILE_BENCH_FILES") {
        Ok(text) => text.parse()?,
        Err(_) => FILES,
    })
}

fn ours(files: &[String]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meanwhile"));
    command.args(["run", "command", "--workers", "2", "--priority", "normal"]);
    command.args(files).args(["--", "true"]);
    command
}

fn xargs(files: &[String]) -> Command {
    let script = r#"printf '%s\0' "$@" | xargs -0 -n1 -P2 true"#;
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).args(files);
    command
}

fn parallel(files: &[String]) -> Command {
    let mut command = Command::new("parallel");
    command.args(["-j2", "true", ":::"]).args(files);
    command
}

fn time(command: Command) -> Duration {
    harness::timed(|| run(command))
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
