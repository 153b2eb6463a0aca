//! The program. Its code is in the library.

use std::process::ExitCode;

/// The allocator of glibc keeps an arena for every few threads that ever ran. What it holds of them grows
/// for as long as the program starts threads, though nothing of it is in use.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
