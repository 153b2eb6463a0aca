//! The program; everything it does is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all: this program is also started as the shim that becomes another one.
    #[cfg(unix)]
    meanwhile::join::process::Launcher::install();
    meanwhile::cli::main(std::process::exit)
}
