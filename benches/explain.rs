//! A look at a process of a thousand threads that wait, compared with debuggers that print their stacks.
//!
//! Ours is the time of both looks, without the pause between them, in which nothing is done.
//!
//! `cargo bench -p meanwhile-explain --bench explain`, with gdb and elfutils

mod harness;

use std::error::Error;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use harness::{Bench, Contender, timed};

/// The argument with which this program is the process that waits.
const WAITS: &str = "waits";

const THREADS: usize = 1_000;

const ROUNDS: usize = 9;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().nth(1).as_deref() == Some(WAITS) {
        return wait();
    }
    let bench = Bench::from_args();
    let waiting = Waiting::start()?;
    let pid = waiting.0.id();
    let ours = || {
        let look = timed(|| drop(meanwhile_explain::process(pid).expect("it waits")));
        look.saturating_sub(meanwhile_explain::INTERVAL)
    };
    let debuggers: [(&'static str, [&str; 4]); 2] = [
        ("gdb", ["gdb", "-batch", "-ex", "thread apply all bt 1"]),
        ("eu-stack", ["eu-stack", "-n", "1", "-q"]),
    ];
    let mut contenders: Vec<Contender<'_>> = vec![("both looks", Box::new(ours))];
    for (name, words) in debuggers {
        let run = move || {
            let mut command = Command::new(words[0]);
            command.args(&words[1..]).arg("-p").arg(pid.to_string());
            let command = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            timed(|| drop(command.status()))
        };
        if Command::new(words[0]).arg("--version").output().is_ok() {
            contenders.push((name, Box::new(run)));
        }
    }
    let title = format!("a process of {THREADS} threads that wait");
    bench.compare(&title, ROUNDS, 0.5, 1.0, contenders)?;
    Ok(())
}

/// Starts threads that wait for a lock, and never ends.
fn wait() -> Result<(), Box<dyn Error>> {
    static LOCK: Mutex<()> = Mutex::new(());
    let _held = LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..THREADS {
        thread::Builder::new().spawn(|| drop(LOCK.lock()))?;
    }
    std::io::stdout().write_all(b"ready\n")?;
    loop {
        thread::park();
    }
}

struct Waiting(Child);

impl Waiting {
    fn start() -> Result<Self, Box<dyn Error>> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg(WAITS).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("it is piped")?;
        BufReader::new(output).read_line(&mut String::new())?;
        Ok(Self(child))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.kill().ok();
    }
}
