//! Runs a command with limits, and stops it with all its descendants after a time.
//!
//! `cargo run -p meanwhile-join --example limits -- 10 make -j4` stops it after ten seconds.

use std::error::Error;
use std::process::ExitCode;

#[cfg(unix)]
fn main() -> Result<ExitCode, Box<dyn Error>> {
    use meanwhile_join::process::{Builder, Exit, LaunchOptions, Launcher};
    use std::time::Duration;

    // Must come first: a second copy of this program sets the limits and becomes the command.
    let launcher = Launcher::install();
    let mut args = std::env::args_os().skip(1);
    let (Some(secs), Some(program)) = (args.next(), args.next()) else {
        return Err("usage: limits SECONDS PROGRAM [ARGUMENTS…]".into());
    };
    let time = Duration::from_secs(secs.to_string_lossy().parse()?);
    let limits = LaunchOptions::default().open_files(256);
    let command = Builder::new(program).args(args);
    let process = command.launched_by(&launcher, limits).spawn()?;
    let exit = match process.join_timeout(time) {
        Ok(exit) => Some(exit),
        Err(_timed_out) => process.stop(Duration::from_secs(1)).exit,
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
    Err("this example needs a Unix system".into())
}
