//! Keeps two copies of a command running, and prints their lines as they come. One that has ended is
//! started again, each time after a longer pause, at most five times. Ctrl-C stops all of them with
//! their descendants.
//!
//! `cargo run -p meanwhile-join --example supervisor -- COMMAND ARGUMENTS…`

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use anyhow::bail;
use crossbeam_channel::bounded;
use meanwhile_join::process::{Builder, ProcessGroup, Stream};
use meanwhile_join::{self as join, CancelToken, Context};

const COPIES: usize = 2;
const STARTS: u32 = 5;

fn main() -> anyhow::Result<ExitCode> {
    let stop = CancelToken::new();
    let ctrl_c = stop.clone();
    ctrlc::set_handler(move || ctrl_c.cancel())?;

    let mut words = std::env::args_os().skip(1);
    let command = match words.next() {
        Some(program) => Builder::new(program).args(words),
        None => Builder::new("sh").args(["-c", "echo working; sleep 0.1; echo failing; exit 3"]),
    };
    // In a group of its own it gets no Ctrl-C, which only this program handles.
    let command = command.stderr_to_stdout().group(ProcessGroup::Own);

    // The tasks say what happens, and this thread prints it until none of them is left.
    let (lines_in, lines) = sync_channel(100);
    for number in 1..=COPIES {
        let log = Log(number, lines_in.clone());
        let command = command.clone();
        let task = join::Builder::new(format!("copy {number}")).cancel_token(&stop);
        task.spawn(move |context| {
            if let Err(error) = keep_running(&command, &log, context) {
                log.say(error);
            }
        })?;
    }
    drop(lines_in);
    for line in lines {
        if writeln!(std::io::stdout(), "{line}").is_err() {
            stop.cancel(); // nobody reads this any more
        }
    }
    Ok(ExitCode::from(u8::from(!stop.is_cancelled())))
}

/// Says what happens to the copy with this number.
struct Log(usize, SyncSender<String>);

impl Log {
    fn say(&self, what: impl Display) {
        self.1.send(format!("{}: {what}", self.0)).ok(); // fails when `main` has returned
    }
}

fn keep_running(command: &Builder, log: &Log, context: &Context) -> anyhow::Result<()> {
    for start in 0..STARTS {
        context.sleep(Duration::from_millis(50) * (2_u32.pow(start) - 1))?;
        let (line_in, lines) = bounded(100);
        let command = command.clone();
        let command = command.on_line(Stream::Stdout, move |line| drop(line_in.send(line)));
        let process = command.spawn()?;
        log.say(format_args!("started, pid {}", process.pid()));
        let mut line_or_end = context.select().receiver(&lines);
        while line_or_end.wait().is_ok()
            && let Ok(line) = lines.try_recv()
        {
            log.say(line);
        }
        if let Err(_cancelled) = context.select().process(&process).wait() {
            let report = process.stop(Duration::from_secs(2));
            for process in &report.ended {
                log.say(format_args!("ended {} ({})", process.pid, process.name));
            }
            for process in &report.escaped {
                log.say(format_args!("left {} ({})", process.pid, process.name));
            }
            return Ok(());
        }
        log.say(process.join()?);
    }
    bail!("given up after {STARTS} starts")
}
