//! The program. Its code is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Some(code) = meanwhile::first_process::run_below() {
        return code;
    }
    // This must come first: the program is also started as the shim that executes another one.
    #[cfg(unix)]
    meanwhile::join::process::Launcher::install();
    meanwhile::cli::main(std::process::exit)
}
