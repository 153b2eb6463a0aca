//! Ends a program with all that it has started: it waits for tasks and processes, stops the helpers,
//! and names what did not end in time.
//!
//! `cargo run -p meanwhile-join --example shutdown`

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use meanwhile_join::process;
use meanwhile_join::{self as join, Builder, Context};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout();
    let save = |context: &Context| context.sleep(Duration::from_millis(100));
    let saving = join::spawn("saving", save)?;
    let export = process::Builder::new("sleep").arg("0.2").spawn()?;

    // Nobody waits for a helper: a task ends with the program, a process is stopped.
    let clock = |context: &Context| context.sleep_until(None);
    let clock = Builder::new("clock").daemon(true).spawn(clock)?;
    let server = process::Builder::new("sleep").arg("3600");
    let server = server.daemon(true).spawn()?;

    // It waits for what never comes, and checks for no cancel.
    join::spawn("stuck", |_| std::thread::park())?;

    let report = join::shutdown_timeout(Duration::from_secs(2));
    for task in &report.remaining {
        writeln!(out, "task {} still runs", task.name)?;
    }
    for process in &report.processes {
        writeln!(out, "process {} still runs", process.pid)?;
    }
    writeln!(out, "the task saving: {:?}", saving.state())?;
    writeln!(out, "the task clock: {:?}", clock.state())?;
    writeln!(out, "the process export {}", export.join()?)?;
    writeln!(out, "the process server {}", server.join()?)?;
    Ok(())
}
