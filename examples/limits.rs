//! A command with limits, that ends with everything it has started when its time is up.
//!
//! `cargo run --example limits --no-default-features -- 10 make -j4` gives it ten seconds.

use std::error::Error;
use std::process::ExitCode;

#[cfg(unix)]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    use meanwhile::join::process::{Builder, Exit, LaunchOptions, Launcher};
    use std::time::Duration;

    // First of all: this program is also the shim that becomes the command.
    let launcher = Launcher::install();
    let mut args = std::env::args_os().skip(1);
    let (Some(secs), Some(program)) = (args.next(), args.next()) else {
        return Err("say how many seconds, and what to run".into());
    };
    let time = Duration::from_secs(secs.to_string_lossy().parse()?);
    let limits = LaunchOptions {
        open_files: Some(256),
        ..LaunchOptions::default()
    };
    let command = Builder::new(program).args(args);
    let process = command.launched_by(&launcher, limits).spawn()?;
    let exit = match process.join_timeout(time) {
        Ok(exit) => Some(exit),
        Err(_its_time_is_up) => process.stop(Duration::from_secs(1)).exit,
    };
    let printed = process.output().stdout;
    std::io::Write::write_all(&mut std::io::stdout(), &printed.bytes)?;
    Ok(match exit {
        Some(Exit::Code(0)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

#[cfg(not(unix))]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    Err("limits are a thing of Unix".into())
}
