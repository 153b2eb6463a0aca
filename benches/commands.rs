//! Many short commands by the whole program, compared with `xargs` and GNU parallel, in the same run: how
//! long they take, and how much processor time.
//!
//! Each round is one run over all files, two at a time and at the same priority, with the start of the
//! program. The processor time is that of the program and of all its commands.
//!
//! `cargo bench --bench commands` · `MEANWHILE_BENCH_FILES=5000` changes the number of files. The program
//! uses `meanwhile-supervise` if `cargo build --release --workspace --bins` has built it.

mod harness;
#[path = "harness/whole_programs.rs"]
mod whole_programs;

use std::error::Error;
use std::process::Command;

use harness::{Bench, Contender};
use whole_programs::MEASURES;

const FILES: usize = 500;

/// The rounds of each of the two comparisons.
const ROUNDS: usize = 9;

type CommandFor = fn(&[String]) -> Command;

fn main() -> Result<(), Box<dyn Error>> {
    let bench = Bench::from_args();
    let count = bench.many(file_count()?);
    let files: Vec<String> = (0..count).map(|number| format!("file{number}")).collect();
    let mut tools: Vec<(&str, CommandFor)> = vec![("meanwhile", ours), ("xargs -n1 -P2", xargs)];
    if Command::new("parallel").arg("--version").output().is_ok() {
        tools.push(("parallel -j2", parallel));
    }
    for (what, measure) in MEASURES {
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
